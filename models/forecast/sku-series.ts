/**
 * One SKU's sales as a series that can be corrected: a row of the bank as of some day, and the net units of the days since.
 *
 *   window    the last min(days, 28) days, in net units; a sale, a late line or a refund adds to the day it belongs to
 *   folded    the bank's row after every day before the window, each learned once, when it leaves
 *   forecast  a copy of `folded` that has also learned the window
 *   claims    units that only a page has reported count as far as claims.ts says, until they are confirmed
 *
 * So a correction within the window equals having known it, bit for bit, and one that is older is refused ('late'). A day of no more
 * than refunds counts as zero; the first net sale begins the series. Of a day on which the shelf ran empty, or was filled, the part on
 * sale is its exposure (shortages.ts); one that was short is learned only if it sold more than was expected. An untrained series
 * answers zero. Days are local days since 1970-01-01.
 *
 * State: 256 bytes of bank, 8 a window day, and some 40 more.
 */
import { capped, noCapped, type CappedSales } from './capped-sales.js';
import { change, counted, grow, rounded, SIZE_RATE, type ClaimedDay } from './claims.js';
import * as bank from './expert-bank.js';
import { isPromoted, isUsual, noSales, usualDays, type Promotion, type SaleSums } from './promotions.js';
import { isShort, partOnSale, type Shortage } from './shortages.js';
import { GROWN_UP } from './sku-forecast.js';

export const WINDOW_DAYS = 28;
export const SEASON_DAYS = 7;
/** A century: a line further from the others is a broken clock. */
const MOST_DAYS = 36_525;
/** After so many days without a sale there is little left to forget: the rest is not lived. */
const MOST_SILENCE_DAYS = 400;

/** The shop expects nothing of a SKU any more since a day. */
export interface Leaving {
  /** Told so on that day, which the shop's days may not have reached. */
  readonly told: number;
  readonly day: number;
  /** Sales a day that were expected of it. */
  readonly often: number;
}

export interface SkuSeries {
  /** First day with a net sale, once it has left the window; until then null. */
  readonly firstDay: number | null;
  /** Newest day known. */
  readonly lastDay: number;
  /** Oldest first; the last one is `lastDay`. */
  readonly units: readonly number[];
  /** Row of the bank; empty while nothing was folded. */
  readonly folded: Float32Array;
  /** Smoothed units and hits of the folded days without a promotion, for the size of a typical sale. */
  readonly sizeUnits: number;
  readonly sizeHits: number;
  /** Days with a sale among the SKU's first two weeks, as far as they were folded. */
  readonly earlyHits: number;
  readonly shortages: readonly Shortage[];
  readonly promotions: readonly Promotion[];
  /** Days of the window with units that only pages have reported: what counts of them is in `units`. */
  readonly claims: readonly ClaimedDay[];
  /** Whether a line was ever of less than a whole unit, metres for example. */
  readonly byFractions: boolean;
  readonly left: Leaving | null;
}

/** What a day of the shop is worth: 1 is ordinary, less than 0 was closed. */
export type ExposureOf = (day: number) => number;

export const phaseOf = (day: number): number => ((day % SEASON_DAYS) + SEASON_DAYS) % SEASON_DAYS;

export function init(day: number): SkuSeries {
  return { firstDay: null, lastDay: day, units: [0], folded: new Float32Array(0), sizeUnits: 0, sizeHits: 0, earlyHits: 0, shortages: [], promotions: [], claims: [], byFractions: false, left: null };
}

export const windowStart = ({ lastDay, units }: SkuSeries): number => lastDay - units.length + 1;

/**
 * The same series with `units` added to a day, `claimed` of them reported by a page only, and every day up to it opened; undefined for a
 * day that cannot be corrected any more.
 */
export function sell(series: SkuSeries, day: number, units: number, exposureOf: ExposureOf, claimed = 0): SkuSeries | undefined {
  if (Math.abs(day - series.lastDay) > MOST_DAYS) return undefined;
  // Where nothing was learned yet the series can be lived again from an earlier day.
  if (day < windowStart(series) && series.firstDay !== null) return undefined;
  const start = Math.min(day, windowStart(series));
  const lastDay = Math.max(day, series.lastDay);
  const opened = Array.from({ length: lastDay - start + 1 }, (_, i) => series.units[start + i - windowStart(series)] ?? 0);
  const sure = rounded((series.claims.find((claim) => claim.day === day)?.sure ?? opened[day - start] ?? 0) + units - claimed);
  opened[day - start] = sure;
  const claims = claimed === 0 && series.claims.length === 0 ? series.claims : change(series.claims, { day, sure, claimed });
  const byFractions = series.byFractions || !Number.isInteger(units);
  return slide({ ...series, lastDay, units: counted(opened, start, claims, series), claims, byFractions }, exposureOf);
}

const scratch = bank.init(1, SEASON_DAYS);

/** Folds the days that leave the window. */
function slide(series: SkuSeries, exposureOf: ExposureOf): SkuSeries {
  const leaving = series.units.length - WINDOW_DAYS;
  if (leaving <= 0) return series;
  let { firstDay, sizeUnits, sizeHits, earlyHits } = series;
  const start = windowStart(series);
  restore(series, scratch);
  for (let i = 0; i < leaving; i++) {
    const units = Math.max(0, series.units[i] ?? 0);
    const day = start + i;
    if (firstDay === null) {
      if (units <= 0) continue;
      firstDay = day;
    }
    if (units > 0 && day < firstDay + GROWN_UP) earlyHits++;
    if (isUsual(series.promotions, day)) ({ sizeUnits, sizeHits } = grow({ sizeUnits, sizeHits }, units));
    learnDay(series, scratch, day, units, exposureOf(day));
  }
  return {
    ...series, firstDay, sizeUnits, sizeHits, earlyHits,
    units: series.units.slice(leaving),
    folded: firstDay === null ? series.folded : scratch.rows.slice(),
    claims: series.claims.filter(({ day }) => day >= start + leaving),
    shortages: series.shortages.filter(({ to }) => to === null || to > start + leaving),
  };
}

function restore({ folded }: SkuSeries, into: bank.Bank): void {
  into.rows.fill(0);
  into.rows.set(folded);
}

function learnDay(series: SkuSeries, into: bank.Bank, day: number, units: number, exposure: number): void {
  const phase = phaseOf(day);
  if (exposure < 0) {
    bank.learnClosed(into, 0, phase);
    return;
  }
  if (!isShort(series, day)) bank.learn(into, 0, units, exposure * partOnSale(series, day), phase);
  // Units of a day without stock are a lower bound of its demand.
  else if (units > expectedOf(into, phase, exposure)) bank.learn(into, 0, units, exposure, phase);
}

function expectedOf(rows: bank.Bank, phase: number, exposure: number): number {
  return bank.seenLevel(rows, 0, 2) * exposure * bank.profile(rows, 0, phase);
}

/** Lives the window and the days after it up to `through` into a bank of one row; `seen` hears each day before it is learned. */
export function unfold(
  series: SkuSeries,
  through: number,
  exposureOf: ExposureOf,
  into: bank.Bank,
  seen: (day: number, units: number, known: bank.Bank) => void = () => {},
): void {
  restore(series, into);
  const start = windowStart(series);
  let started = series.firstDay !== null;
  const end = Math.min(through, series.lastDay + MOST_SILENCE_DAYS);
  for (let day = start; day <= end; day++) {
    const units = Math.max(0, series.units[day - start] ?? 0);
    if (!started) {
      if (units <= 0) continue;
      started = true;
    }
    seen(day, units, into);
    learnDay(series, into, day, units, exposureOf(day));
  }
}

/** First day of net sales, wherever it stands. */
export function firstSale(series: SkuSeries): number | null {
  if (series.firstDay !== null) return series.firstDay;
  const index = series.units.findIndex((units) => units > 0);
  return index < 0 ? null : windowStart(series) + index;
}

/** Net units of a day of the window; NaN where it does not reach. */
export function unitsOn(series: SkuSeries, day: number): number {
  const units = series.units[day - windowStart(series)];
  return units === undefined ? NaN : Math.max(0, units);
}

/** How far back a SKU's part in what the shop expects is looked for. */
const MOST_EXPECTED_DAYS = 200;

/**
 * The same series, of which the shop expects nothing any more since it was `told`, or since its `newest` day while it has not come so far.
 * What leaves is what had been expected: the share of open days with a sale, smoothed as the shop's, so that days sold out count as there.
 */
export function leave(series: SkuSeries, told: number, newest: number, exposureOf: ExposureOf): SkuSeries {
  const start = windowStart(series);
  const day = Math.max(start, Math.min(told, newest));
  const first = firstSale(series);
  if (first === null || day <= first + GROWN_UP) return { ...series, left: { told, day, often: 0 } };
  let size = { sizeUnits: series.sizeUnits, sizeHits: series.sizeHits };
  for (let d = start; d < Math.min(day, start + MOST_SILENCE_DAYS); d++) if (isUsual(series.promotions, d)) size = grow(size, Math.max(0, series.units[d - start] ?? 0));
  let [open, share] = [0, SIZE_RATE];
  for (let d = day - 1; d >= Math.max(first, day - MOST_EXPECTED_DAYS); d--) {
    if (!isUsual(series.promotions, d)) continue;
    if (exposureOf(d) >= 0) open += share;
    share *= 1 - SIZE_RATE;
  }
  return { ...series, left: { told, day, often: open > 0 ? Math.min(1, size.sizeHits / open) : 0 } };
}

/** What a SKU adds to the shop's series on a day: typical sales as far as it is not on promotion, and the rest. */
export interface Activity extends CappedSales, SaleSums {
  /** Whether it sold; of a promoted day how often it sells. */
  readonly hits: number;
  /** Share of its first two weeks' days after the first on which it sold, on the day on which it is grown up: of the first it is heard because it sold.
   * Below zero on the day on which it leaves. */
  readonly joined: number;
  /** Typical sales before it is grown up, at most three. */
  readonly young: number;
  /** On the day of its first sale 1, and how many of the thirteen that follow had one. */
  readonly newcomers: number;
  readonly again: number;
}

const idle: Activity = { ...noCapped, ...noSales, hits: 0, joined: 0, young: 0, newcomers: 0, again: 0 };

/** A SKU's part in the shop's series, by day: a function of its sales alone, so that corrections can take it back. */
export function activity(series: SkuSeries): Map<number, Activity> {
  const parts = new Map<number, Activity>();
  const first = firstSale(series);
  if (first === null) return parts;
  const grownUp = first + GROWN_UP;
  const over = series.left?.day ?? Infinity;
  const start = windowStart(series);
  let { sizeUnits, sizeHits, earlyHits } = series;
  series.units.forEach((net, i) => {
    const day = start + i;
    const units = Math.max(0, net);
    if (day < first) return;
    if (units > 0 && day < grownUp) earlyHits++;
    const sold = units <= 0 ? noCapped : capped(sizeHits > 0 ? (units * sizeHits) / sizeUnits : 1);
    if (day < grownUp && day < over && units > 0) parts.set(day, { ...idle, young: sold.made });
    if (day >= grownUp && day < over && sizeHits > 0) {
      if (isPromoted(series.promotions, day)) {
        // The share began at nothing: of what it lacks, its age tells.
        const often = Math.min(1, sizeHits / (1 - (1 - SIZE_RATE) ** usualDays(series.promotions, first, day)));
        parts.set(day, { ...idle, hits: often, saleMade: sold.made, saleBeyond3: sold.beyond3, saleBeyond6: sold.beyond6, saleExpected: often });
      } else if (units > 0) parts.set(day, { ...idle, made: sold.made, beyond3: sold.beyond3, beyond6: sold.beyond6, hits: 1 });
    }
    if (isUsual(series.promotions, day)) ({ sizeUnits, sizeHits } = grow({ sizeUnits, sizeHits }, units));
  });
  // Who was taken out before says nothing of how new ones go on.
  if (first >= start && over >= grownUp) parts.set(first, { ...idle, ...parts.get(first), newcomers: 1, again: earlyHits - 1 });
  if (series.lastDay >= grownUp && grownUp < over) parts.set(grownUp, { ...idle, ...parts.get(grownUp), joined: Math.max(0, earlyHits - 1) / (GROWN_UP - 1) });
  if (series.left && series.left.often > 0) parts.set(over, { ...idle, joined: -series.left.often });
  return parts;
}
