import { dateOf, ORDERING, orderingOf, policyOf, replacedBy, salePriceOf } from '../../schemas/ordering.js';
import type { Product, Supply } from '../../schemas/types.js';

/** What the catalogue tells of the ordering of a product: item-watch takes none of which a term cannot be read. */
function told(attributes: Product['attributes'], name: keyof typeof ORDERING): number | null {
  return orderingOf(attributes[name], ORDERING[name]);
}

/** An item that is on order is not on the shelf. */
export function supplyOf({ sku, category, stock, onOrder, deleted, attributes }: Product, time: number): Supply {
  return {
    sku, time, stock: onOrder ? 0 : stock, deleted, category,
    onOrder: told(attributes, 'on_order'),
    leadTimeDays: told(attributes, 'lead_time_days'),
    leadTimeDeviationDays: told(attributes, 'lead_time_deviation_days'),
    reviewDays: told(attributes, 'review_days'),
    serviceLevel: told(attributes, 'service_level'),
    shortageCost: told(attributes, 'shortage_cost'),
    excessCost: told(attributes, 'excess_cost'),
    packSize: told(attributes, 'pack_size'),
    minimumUnits: told(attributes, 'minimum_order'),
    policy: policyOf(attributes['reorder_policy']) ?? null,
    coverDays: told(attributes, 'cover_days'),
    sellUntil: dateOf(attributes['sell_until']),
    discontinued: attributes['discontinued'] === 'true',
    sale: (salePriceOf(attributes['sale_price']) ?? 0) > 0 ? (attributes['sale_price_effective_date'] ?? '') : null,
    // Who is gone has no place to take.
    replaces: deleted ? null : replacedBy(attributes['replaces']),
  };
}

/** Whether two say the same, whenever they said it. */
export function suppliesAlike(a: Supply, b: Supply): boolean {
  const [said, other] = [Object.values({ ...a, time: 0 }), Object.values({ ...b, time: 0 })];
  // Not as text: nothing is neither an empty text, which a sale without dates is, nor an infinite cost.
  return said.every((value, at) => Object.is(value, other[at]));
}
