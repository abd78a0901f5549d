import type { Product, Supply } from '../../schemas/types.js';

/** What the catalogue tells of the ordering of a product: numbers in attributes of these names, what is no number is as if it were absent. */
const number = (text: string | undefined, least: number, most: number): number | null => {
  if (text === undefined || text.trim() === '') return null;
  const value = Number(text);
  return value >= least && value <= most ? value : null;
};

const MOST_DAYS = 3_650;
const MOST_UNITS = 1e12;
const MOST_BYTES = 256;

/** A product cannot take its own place, nor that of what cannot be a key. */
function replacedBy(sku: string, named: string | undefined): string | null {
  const old = named?.trim() ?? '';
  return old === '' || old === sku || Buffer.byteLength(old) > MOST_BYTES ? null : old;
}

/** An item that is on order is not on the shelf. */
export function supplyOf({ sku, stock, onOrder, deleted, attributes }: Product, time: number): Supply {
  return {
    sku, time, stock: onOrder ? 0 : stock, deleted,
    onOrder: number(attributes['on_order'], 0, MOST_UNITS),
    leadTimeDays: number(attributes['lead_time_days'], 0, MOST_DAYS),
    leadTimeDeviationDays: number(attributes['lead_time_deviation_days'], 0, MOST_DAYS),
    reviewDays: number(attributes['review_days'], 0, MOST_DAYS),
    serviceLevel: number(attributes['service_level'], 0, 1),
    shortageCost: number(attributes['shortage_cost'], 0, Infinity),
    excessCost: number(attributes['excess_cost'], 0, Infinity),
    packSize: number(attributes['pack_size'], 1e-6, MOST_UNITS),
    minimumUnits: number(attributes['minimum_order'], 0, MOST_UNITS),
    policy: attributes['reorder_policy'] ?? null,
    coverDays: number(attributes['cover_days'], 1, MOST_DAYS),
    discontinued: attributes['discontinued'] === 'true',
    sale: Number.parseFloat(attributes['sale_price'] ?? '') > 0 ? (attributes['sale_price_effective_date'] ?? '') : null,
    // Who is gone has no place to take.
    replaces: deleted ? null : replacedBy(sku, attributes['replaces']),
  };
}

/** Whether two say the same, whenever they said it. */
export function suppliesAlike(a: Supply, b: Supply): boolean {
  return Object.values({ ...a, time: 0 }).join() === Object.values({ ...b, time: 0 }).join();
}
