import { isPlaceholder } from './placeholder-ids.js';

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

/** A sale price as feeds write it (`9.99`, `9.99 EUR`): null where that is absent, blank or nothing, NaN where it is no amount. */
export function salePriceOf(text: string | undefined): number | null {
  if (text === undefined || text.trim() === '') return null;
  const amount = /^\s*\+?(\d{1,14}(?:\.\d{1,20})?)(?:\s+[A-Za-z]{3})?\s*$/.exec(text)?.[1];
  return amount === undefined ? Number.NaN : Number(amount) || null;
}

/** A day (days since 1970-01-01), or a moment whose day depends on the shop's zone. */
type SaleEnd = { readonly day: number } | { readonly time: number };

/**
 * First and last day of a sale price as feeds write them, `2026-11-24T11:00+0100/2026-11-29T23:00+0100` or two dates: null where none are
 * given, undefined where they cannot be read. Feeds may leave the zone out; it is UTC then, as in all times.
 */
export function saleDatesOf(text: string | undefined): readonly [SaleEnd, SaleEnd] | null | undefined {
  if (text === undefined || text.trim() === '') return null;
  const [start, end, ...more] = text.split('/').map(saleEndOf);
  return start && end && more.length === 0 ? [start, end] : undefined;
}

function saleEndOf(part: string): SaleEnd | undefined {
  const text = part.trim();
  const day = dateOf(text.slice(0, 10));
  if (day === null || Number.isNaN(day)) return undefined;
  if (text.length === 10) return { day };
  const [, clock = '', zone = 'Z'] = /^.{10}[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?$/.exec(text) ?? [];
  const time = Date.parse(`${text.slice(0, 10)}T${clock}${zone.replace(/(\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(time) ? undefined : { time };
}

/** A number as an attribute writes it: null where that is absent or blank, NaN where it is no number in the range. */
export function orderingOf(text: string | undefined, [least, most]: Range): number | null {
  if (text === undefined || text.trim() === '') return null;
  // Number() alone reads 0x10 as 16.
  const value = /^\s*[+-]?(?:[\d.]+(?:e[+-]?\d+)?|Infinity)\s*$/i.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : Number.NaN;
}

export interface OrderingProblem {
  readonly name: string;
  readonly code: 'required' | 'out_of_range' | 'not_a_number' | 'unknown_policy' | 'invalid_time' | 'replaces_ring' | 'placeholder_id';
  readonly message: string;
}

/** Terms of ordering among a product's attributes that cannot be read, or that say nothing without another one, each by name. Taken for absent, they would order by terms that nobody chose. */
export function orderingProblems(sku: string | null, attributes: Readonly<Record<string, string>>): OrderingProblem[] {
  const problems: OrderingProblem[] = [];
  for (const [name, range] of Object.entries(ORDERING)) {
    if (!Number.isNaN(orderingOf(attributes[name], range))) continue;
    const [least, most] = range;
    problems.push({ name, code: 'out_of_range', message: `This must be a number ${most === Infinity ? `of ${least} or more, or Infinity` : `from ${least} to ${most}`}.` });
  }
  const costs = { shortage_cost: orderingOf(attributes['shortage_cost'], ORDERING.shortage_cost), excess_cost: orderingOf(attributes['excess_cost'], ORDERING.excess_cost) };
  for (const [name, other] of [['shortage_cost', 'excess_cost'], ['excess_cost', 'shortage_cost']] as const) {
    if (costs[name] === null && costs[other] !== null) problems.push({ name, code: 'required', message: `Costs decide by their ratio: ${other} says nothing without ${name}.` });
  }
  if (Number.isNaN(dateOf(attributes['sell_until']))) problems.push({ name: 'sell_until', code: 'invalid_time', message: 'This must be a date as 2026-12-24.' });
  const sale = salePriceOf(attributes['sale_price']);
  if (Number.isNaN(sale)) problems.push({ name: 'sale_price', code: 'not_a_number', message: 'This must be an amount such as 9.99 or 9.99 EUR.' });
  if (sale !== null && saleDatesOf(attributes['sale_price_effective_date']) === undefined) {
    problems.push({ name: 'sale_price_effective_date', code: 'invalid_time', message: 'This must be two dates as 2026-11-24/2026-11-29, or two times such as 2026-11-24T11:00+0100.' });
  }
  if (policyOf(attributes['reorder_policy']) === undefined) {
    problems.push({ name: 'reorder_policy', code: 'unknown_policy', message: `This must be one of ${REORDER_POLICIES.join(', ')}.` });
  }
  const replaced = replacedBy(attributes['replaces']);
  if (replaced !== null && replaced === sku) problems.push({ name: 'replaces', code: 'replaces_ring', message: 'A product cannot take its own place.' });
  if (replaced !== null && isPlaceholder(replaced)) problems.push({ name: 'replaces', code: 'placeholder_id', message: `${JSON.stringify(replaced)} is what a program writes when it has no SKU.` });
  // Row keys are joined by U+001F: a SKU that holds it could name another's rows.
  // oxlint-disable-next-line no-control-regex
  if (replaced !== null && /[\u0000-\u001f\u007f-\u009f]/.test(replaced)) problems.push({ name: 'replaces', code: 'out_of_range', message: 'No SKU has control characters.' });
  if (replaced !== null && Buffer.byteLength(replaced) > MOST_SKU_BYTES) problems.push({ name: 'replaces', code: 'out_of_range', message: `No SKU has more than ${MOST_SKU_BYTES} bytes.` });
  return problems;
}
