import type { EventProduct, OrderEvent, OrderEventKind, ShopEvent } from '../schemas/types.js';
import { isSum } from '../schemas/money.js';
import { orderLines } from './event-products.js';
import { money, requiredId, signedMoney, text, type Errors, type Json } from './fields.js';
import type { Call } from './shop-event.js';

/**
 * The order that a call reports. What the clickstream record of the same call has read already is taken from there, so
 * that no wrong field is named twice. Paths are relative to the properties.
 */
export function orderEvent(errors: Errors, { head, properties, claim }: Call, kind: OrderEventKind, products: readonly EventProduct[], seen: ShopEvent, shopCurrency: string): OrderEvent {
  if (products.length === 0 && (kind === 'completed' || kind === 'updated') && isAbsentOrEmpty(properties['products'])) {
    errors.push({ path: 'products', code: 'required', message: 'An order needs its products: revenue, forecasts and what was bought are counted by line.' });
  }
  const lines = orderLines(products);
  if (!isSum(lines)) errors.push({ path: 'products', code: 'out_of_range', message: 'Quantities times prices must stay below 10^14.' });
  if (claim) refuseBulk(errors, properties, lines);
  return {
    messageId: head.messageId,
    kind,
    orderId: seen.orderId ?? missingOrder(errors, properties),
    userId: head.userId,
    anonymousId: head.anonymousId,
    time: head.time,
    receivedAt: head.receivedAt,
    // What comes back of an order is in the order's currency, which only the ledger knows.
    currency: seen.currency ?? (kind === 'refunded' || kind === 'cancelled' ? '' : shopCurrency),
    total: seen.value,
    shipping: money(errors, properties, 'shipping'),
    tax: money(errors, properties, 'tax'),
    // Shops write a discount of five as 5 or as -5: kept as sent, nothing is computed from it.
    discount: signedMoney(errors, properties, 'discount'),
    coupon: text(errors, properties, 'coupon', 256),
    cartId: seen.cartId,
    checkoutId: seen.checkoutId,
    recommendationId: seen.recommendationId,
    country: text(errors, properties, 'country', 64),
    lines,
    confirmed: claim === null,
    source: null,
    restored: null,
  };
}

/** What anybody with the page's key can send must not order a thousand million units from the shop's supplier. */
const MOST_UNCONFIRMED_UNITS = 10_000;

function refuseBulk(errors: Errors, properties: Json, lines: OrderEvent['lines']): void {
  const units = new Map<string, number>();
  lines.forEach(({ sku, quantity }, index) => {
    const all = (units.get(sku) ?? 0) + quantity;
    units.set(sku, all);
    if (all <= MOST_UNCONFIRMED_UNITS) return;
    const path = Array.isArray(properties['products']) ? `products[${index}].quantity` : 'quantity';
    errors.push({ path, code: 'out_of_range', message: `A browser key orders at most ${MOST_UNCONFIRMED_UNITS} units of a product; the shop's server may report more.` });
  });
}

/** Longer than a telephone has no signal; a claim of years ago would be a SKU's history. */
const MOST_UNCONFIRMED_DAYS = 3;

/** An order by a browser key is one of these days. */
export function refuseOld(errors: Errors, { head, claim }: Call): void {
  if (!claim || head.receivedAt - head.time <= MOST_UNCONFIRMED_DAYS * 86_400_000) return;
  errors.push({ path: 'timestamp', code: 'time_out_of_range', message: `A browser key reports orders of the last ${MOST_UNCONFIRMED_DAYS} days; the shop's server may report older ones.` });
}

const isAbsentOrEmpty = (list: unknown): boolean => list === undefined || list === null || (Array.isArray(list) && list.length === 0);

/** An order without an id cannot be told from its own repetition. */
function missingOrder(errors: Errors, properties: Json): string {
  const value = properties['order_id'];
  if (value === undefined || value === null || value === '') requiredId(errors, properties, 'order_id');
  return '';
}
