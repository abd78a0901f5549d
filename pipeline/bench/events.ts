import { random } from '../../producers/simulate/random.js';
import { clickstream, interactions } from '../../schemas/topics.js';
import { recommender, type Recommender } from '../../consumers/recommender.js';
import { defaults } from '../../models/fusion.js';
import type { Interaction, ShopEvent } from '../../schemas/types.js';
import type { LogRecord } from '../core/log.js';

/** Access is Zipf-like: the k-th of n is drawn with weight k^-exponent. */
export const EXPONENT = 0.9;

/** Draws ranks 0 … n − 1, by the inverse of the continuous distribution. */
export function zipf(n: number, seed: string, exponent = EXPONENT): () => number {
  const { uniform } = random(seed);
  const most = (n + 1) ** (1 - exponent) - 1;
  return () => Math.min(n - 1, Math.floor((1 + uniform() * most) ** (1 / (1 - exponent))) - 1);
}

/** Request bodies of a storefront's batches, each with its own message ids. */
export function batchBodies(count: number, events: number): string[] {
  const sku = zipf(10_000, 'batch skus');
  const shopper = zipf(10_000, 'batch shoppers');
  return Array.from({ length: count }, (_, body) => JSON.stringify({
    batch: Array.from({ length: events }, (_, at) => ({
      type: 'track', event: 'Product Viewed', messageId: `bench-${body}-${at}`, userId: `shopper-${shopper()}`, timestamp: '2026-01-05T10:00:00.000Z',
      properties: { product_id: `sku-${sku()}`, name: 'Enamel mug, blue', category: 'Kitchen', price: 12.5, currency: 'EUR', url: 'https://shop.example/p/enamel-mug' },
      context: { page: { url: 'https://shop.example/p/enamel-mug', referrer: 'https://shop.example/kitchen' }, locale: 'en-GB' },
    })),
  }));
}

const BLANK: Omit<ShopEvent, 'messageId' | 'userId' | 'time' | 'receivedAt' | 'products'> = {
  type: 'track', event: 'Product Viewed', anonymousId: null, previousId: null, cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null,
  query: null, list: null, currency: 'EUR', value: null, url: 'https://shop.example/p/enamel-mug', referrer: null, campaign: null, locale: null, timezone: null,
  marketingConsent: null, traits: null, properties: null, source: null, claim: null, login: null, restored: null,
};

/** Product views on the clickstream. */
export function viewRecords(count: number, shopperOf: (number: number) => number, skuOf: () => number, from = 0): LogRecord[] {
  return Array.from({ length: count }, (_, at) => {
    const time = Date.UTC(2026, 0, 5) + (from + at) * 10;
    const key = `shopper-${shopperOf(from + at)}`;
    const products = [{ sku: `sku-${skuOf()}`, name: null, category: null, brand: null, variant: null, price: 125_000n, quantity: null, position: null }];
    const value = clickstream.codec.encode({ ...BLANK, messageId: `bench-${from + at}`, userId: key, time, receivedAt: time, products });
    return { topic: clickstream.name, partition: 0, offset: from + at, key, value, tick: null, writtenAt: time };
  });
}

/** Clean interactions with the shopper's last items, as a learner reads them. */
export const interactionsOf = (count: number, items: number, shoppers: number): Interaction[] => [...interactionStream(count, items, shoppers)];

/** The same one by one: hundreds of thousands held at once would have the collector of garbage measured with what is measured. */
export function* interactionStream(count: number, items: number, shoppers: number): Generator<Interaction> {
  const sku = zipf(items, 'interaction skus');
  const shopper = zipf(shoppers, 'interaction shoppers');
  const recent = new Map<string, string[]>();
  for (let at = 0; at < count; at++) {
    const who = `shopper-${shopper()}`;
    const before = recent.get(who) ?? [];
    // Half of what is touched next lies near what was touched last, so that there is something to learn.
    const near = before.length > 0 && at % 2 === 0 ? (Number(before[0].slice(4)) + 1 + (at % 5)) % items : sku();
    // Each item comes once at least.
    const item = `sku-${at < items ? at : near}`;
    recent.set(who, [item, ...before].slice(0, 10));
    // Nobody is faster than a shopper may teach.
    const time = Date.UTC(2026, 0, 5) + at * 10_000;
    yield {
      shopper: who, known: false, anonymousId: null, messageId: `bench-${at}`, type: 'track', event: 'Product Viewed', time, receivedAt: time, sessionId: `${who}@0`, sessionStart: false,
      products: [{ sku: item, price: 125_000n, quantity: null, position: null, name: null }], cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null,
      query: null, list: null, currency: 'EUR', value: null, marketingConsent: null, timezone: null, recent: before, continues: null, refused: false, source: null,
    };
  }
}

export function interactionRecords(events: readonly Interaction[]): LogRecord[] {
  return events.map((event, offset) => ({
    topic: interactions.name, partition: 0, offset, key: event.shopper, value: interactions.codec.encode(event), tick: null, writtenAt: event.time,
  }));
}

/** A learner past the first events, each of which teaches the ranker: in a shop of 1,000 events a second they last 40 seconds. */
export function grownRecommender(): Recommender {
  const state = recommender.init();
  state.model.lessons = defaults.firstLessons;
  return state;
}
