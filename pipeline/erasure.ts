import { randomUUID } from 'node:crypto';
import type { ShopEvent } from '../schemas/types.js';

/** The event that erases a shopper: every consumer that keeps rows of the id forgets them. */
export function erasureOf(id: string, now: number): ShopEvent {
  return {
    messageId: randomUUID(), type: 'track', event: 'User Erased', userId: id, anonymousId: null, previousId: null, time: now, receivedAt: now, products: [],
    cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null, query: null, list: null, currency: null, value: null, url: null,
    referrer: null, campaign: null, locale: null, timezone: null, marketingConsent: null, traits: null, properties: null, source: null,
  };
}
