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
  service_level: [0, 1],
  shortage_cost: [0, Infinity],
  excess_cost: [0, Infinity],
  pack_size: [1e-6, MOST_UNITS],
  minimum_order: [0, MOST_UNITS],
} as const satisfies Record<string, Range>;

/** A number as an attribute writes it: null where that is absent or blank, NaN where it is no number in the range. */
export function orderingOf(text: string | undefined, [least, most]: Range): number | null {
  if (text === undefined || text.trim() === '') return null;
  const value = Number(text);
  return value >= least && value <= most ? value : Number.NaN;
}
