const MOST_DAYS = 3_650;
/** Units of a sale, a stock or an order. More is a mistake of a till, would not fit a 32-bit float's square, and in sums of it units are lost. */
export const MOST_UNITS = 1e12;

type Range = readonly [least: number, most: number];

/** Attributes of a product that say how it is ordered, with the least and the most that each may be. Days, units, or no unit. */
export const ORDERING = {
  on_order: [0, MOST_UNITS],
  lead_time_days: [0, MOST_DAYS],
  lead_time_deviation_days: [0, MOST_DAYS],
  review_days: [0, MOST_DAYS],
  cover_days: [1, MOST_DAYS],
  // The quantile of 1 is infinite: no stock covers everything.
  service_level: [0, 0.9999],
  shortage_cost: [0, Infinity],
  excess_cost: [0, Infinity],
  pack_size: [1e-6, MOST_UNITS],
  minimum_order: [0, MOST_UNITS],
} as const satisfies Record<string, Range>;

/** How a product may be ordered (docs/reorder.md). */
export const REORDER_POLICIES = ['periodic', 'reorder-point', 'newsvendor'] as const;
export type ReorderPolicy = (typeof REORDER_POLICIES)[number];

/** The policy that an attribute names: null where that is absent or blank, undefined where there is no such policy. */
export function policyOf(text: string | undefined): ReorderPolicy | null | undefined {
  return text === undefined || text.trim() === '' ? null : REORDER_POLICIES.find((policy) => policy === text.trim());
}

/** The SKU whose place a product takes, as an attribute names it: null where that is absent or blank. */
export function replacedBy(text: string | undefined): string | null {
  const sku = text?.trim() ?? '';
  return sku === '' ? null : sku;
}

/** SKUs each of which takes the place of the next are followed so far to find a ring. Who asks may lead into one that it is not part of, which would be asked for ever. */
export const LONGEST_LINE = 32;

const MOST_SKU_BYTES = 256;
const DAY_MS = 86_400_000;

/** A date as an attribute writes it (2026-12-24), as days since 1970-01-01: null where that is absent or blank, NaN where there is no such day. */
export function dateOf(text: string | undefined): number | null {
  if (text === undefined || text.trim() === '') return null;
  const date = text.trim();
  const time = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(date) : Number.NaN;
  // The thirtieth of February would silently become the second of March.
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date) ? time / DAY_MS : Number.NaN;
}

/** A number as an attribute writes it: null where that is absent or blank, NaN where it is no number in the range. */
export function orderingOf(text: string | undefined, [least, most]: Range): number | null {
  if (text === undefined || text.trim() === '') return null;
  const value = Number(text);
  return value >= least && value <= most ? value : Number.NaN;
}

export interface OrderingProblem {
  readonly name: string;
  readonly code: 'out_of_range' | 'unknown_policy' | 'invalid_time' | 'replaces_ring';
  readonly message: string;
}

/** Terms of ordering among a product's attributes that cannot be read, each by name. Taken for absent, they would order by terms that nobody chose. */
export function orderingProblems(sku: string | null, attributes: Readonly<Record<string, string>>): OrderingProblem[] {
  const problems: OrderingProblem[] = [];
  for (const [name, range] of Object.entries(ORDERING)) {
    if (!Number.isNaN(orderingOf(attributes[name], range))) continue;
    const [least, most] = range;
    problems.push({ name, code: 'out_of_range', message: `This must be a number ${most === Infinity ? `of ${least} or more, or Infinity` : `from ${least} to ${most}`}.` });
  }
  if (Number.isNaN(dateOf(attributes['sell_until']))) problems.push({ name: 'sell_until', code: 'invalid_time', message: 'This must be a date as 2026-12-24.' });
  if (policyOf(attributes['reorder_policy']) === undefined) {
    problems.push({ name: 'reorder_policy', code: 'unknown_policy', message: `This must be one of ${REORDER_POLICIES.join(', ')}.` });
  }
  const replaced = replacedBy(attributes['replaces']);
  if (replaced !== null && replaced === sku) problems.push({ name: 'replaces', code: 'replaces_ring', message: 'A product cannot take its own place.' });
  if (replaced !== null && Buffer.byteLength(replaced) > MOST_SKU_BYTES) problems.push({ name: 'replaces', code: 'out_of_range', message: `No SKU has more than ${MOST_SKU_BYTES} bytes.` });
  return problems;
}
