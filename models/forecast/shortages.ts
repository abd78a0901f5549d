/**
 * When a SKU was not to be had, and what part of a day it was on sale.
 *
 *   part_d = 1 − length of its shortages within [d, d + 1),   a day is learned with exposure e_d · part_d
 *
 * A moment is a local day since 1970-01-01 plus the part of a usual day's demand that comes before it: by the hours of the shop where they are
 * known, else by its clock.
 *
 * What is sold until the shelf is empty is a counting process that is stopped: whatever the stock was, N(τ) − λ τ has mean 0 and variance
 * λ τ, so that units over exposure, which levels are, stay the maximum likelihood of λ, and the errors of such days that of dispersion.
 * As a full day its units would be a level that no stock-out can raise; left out, the days on which more was asked for than was there
 * would be missing.
 * Below a tenth of a day this multiplies next to nothing by more than ten: such a day is short, and its units are a lower bound only.
 * Source: Aalen 1978 (optional stopping of a counting process less its compensator).
 */
const MOST_SHORTAGES = 64;
const LEAST_PART = 0.1;
const NEARLY_WHOLE = 0.95;

/** From the moment on which stock fell to nothing to that on which it came back; `to` is null while it lasts. */
export interface Shortage {
  readonly from: number;
  readonly to: number | null;
}

interface Shelf {
  readonly shortages: readonly Shortage[];
}

/** Part of a day on which it was to be had, 0 to 1. */
export function partOnSale({ shortages }: Shelf, day: number): number {
  let part = 1;
  for (const { from, to } of shortages) part -= Math.max(0, Math.min(to ?? Infinity, day + 1) - Math.max(from, day));
  return Math.max(0, part);
}

/** Whether so little of a day was on sale that its units are no more than a lower bound of its demand. */
export const isShort = (shelf: Shelf, day: number): boolean => partOnSale(shelf, day) < LEAST_PART;

/** Whether the units of a day may be less than its demand: it says nothing of how good a forecast was. */
export const isCut = (shelf: Shelf, day: number): boolean => partOnSale(shelf, day) < NEARLY_WHOLE;

/** Stock fell to nothing, or came back, at a moment. Told in the order in which it happened. */
export function stocked<S extends Shelf>(shelf: S, moment: number, inStock: boolean): S {
  const last = shelf.shortages.at(-1);
  const open = last?.to === null ? last : undefined;
  if (!inStock) return open ? shelf : { ...shelf, shortages: bounded([...shelf.shortages, { from: moment, to: null }]) };
  if (!open) return shelf;
  const before = shelf.shortages.slice(0, -1);
  return { ...shelf, shortages: open.from >= moment ? before : [...before, { from: open.from, to: moment }] };
}

/** Too many are one a day, as long as those within it: what is left of the day stays. */
function bounded(shortages: readonly Shortage[]): readonly Shortage[] {
  if (shortages.length <= MOST_SHORTAGES) return shortages;
  const kept: Shortage[] = [];
  for (const one of shortages) {
    const before = kept.at(-1);
    const isOfSameDay = before !== undefined && before.to !== null && one.to !== null && one.to <= Math.floor(before.from) + 1;
    if (isOfSameDay) kept[kept.length - 1] = { from: one.from - (before.to - before.from), to: one.to };
    else kept.push(one);
  }
  return kept.slice(-MOST_SHORTAGES);
}

/**
 * It was sold at a moment of a day, later than the shelf was told to be empty on it: until then it was to be had. A moment after all that
 * usually sells is the end of its day.
 */
export function soldAt<S extends Shelf>(shelf: S, day: number, moment: number): S {
  const isEarly = ({ from, to }: Shortage): boolean => from >= day && from < moment && (to === null || to > moment);
  if (!shelf.shortages.some(isEarly)) return shelf;
  return { ...shelf, shortages: shelf.shortages.map((one) => (isEarly(one) ? { from: moment, to: one.to } : one)) };
}

/** Something else was sold in its place on a day: demand showed, up to the end of it, whatever its own shelf was. */
export function soldInPlace<S extends Shelf>(shelf: S, day: number): S {
  if (partOnSale(shelf, day) === 1) return shelf;
  const shortages = shelf.shortages.flatMap((one) => (one.from >= day + 1 || (one.to !== null && one.to <= day) ? [one] : one.to !== null && one.to <= day + 1 ? [] : [{ from: day + 1, to: one.to }]));
  return { ...shelf, shortages };
}
