import type { InventoryChange, ItemInterest, OrderEvent, Purchase, ShopEvent } from '../../schemas/types.js';

let serial = 0;

/** 2026-03-02 09:00 UTC, a Monday. */
export const NINE = Date.UTC(2026, 2, 2, 9);
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export const product = (sku: string, more: Partial<ShopEvent['products'][number]> = {}): ShopEvent['products'][number] => ({
  sku, name: null, category: null, brand: null, variant: null, price: null, quantity: null, position: null, ...more,
});

/** A shop event; what is not given is empty. */
export function shopEvent(event: string, more: Partial<ShopEvent> = {}): ShopEvent {
  const time = more.time ?? NINE;
  return {
    messageId: `m${serial++}`, type: 'track', event, userId: null, anonymousId: null, previousId: null, time, receivedAt: time, products: [], cartId: null,
    checkoutId: null, orderId: null, recommendationId: null, placement: null, query: null, list: null, currency: null, value: null, url: null,
    referrer: null, campaign: null, locale: null, timezone: null, marketingConsent: null, traits: null, properties: null, source: null, claim: null, login: null, restored: null, ...more,
  };
}

export function orderEvent(kind: OrderEvent['kind'], orderId: string, more: Partial<OrderEvent> = {}): OrderEvent {
  const time = more.time ?? NINE;
  return {
    messageId: `m${serial++}`, kind, orderId, userId: null, anonymousId: null, time, receivedAt: time, currency: 'EUR', total: null, shipping: null, tax: null,
    discount: null, coupon: null, cartId: null, checkoutId: null, recommendationId: null, country: null, lines: [], confirmed: true, source: null, restored: null, ...more,
  };
}

export const orderLine = (sku: string, quantity: number, price: bigint): OrderEvent['lines'][number] => ({ sku, name: null, category: null, quantity, price });

export function purchase(shopper: string, orderId: string, more: Partial<Purchase> = {}): Purchase {
  const time = more.time ?? NINE;
  return { shopper, known: false, orderId, kind: 'completed', time, receivedAt: time, currency: 'EUR', revenue: 0n, lines: [], cartId: null, recommendationId: null, source: null, ...more };
}

export function stock(sku: string, quantity: number | null, time: number, price: bigint | null = null): InventoryChange {
  return { messageId: `m${serial++}`, sku, quantity, availability: null, price, currency: null, time, receivedAt: time };
}

/** What a shopper says of an item; what is not given is that they wait for it. */
export const interestIn = (sku: string, shopper: string, time: number, more: Partial<ItemInterest> = {}): ItemInterest => ({ sku, shopper, kind: 'back_in_stock', active: true, time, former: null, heldAt: null, seenPrice: null, seenIn: null, ...more });
