import { readConfig } from '../../pipeline/config.js';
import { partsOf, topicsOf } from '../../pipeline/console.js';
import { topologyOf } from '../../pipeline/topology.js';
import type { SimulatedProduct } from '../../producers/simulate.js';

const topology = topologyOf(readConfig({}), 'wall');

const REASONS = ['The cart was left 20 s ago with 2 products.', 'frequency_cap', 'It is back: 14 in stock.', 'Order O-mx3r3efy-74 was placed, after the reminder was sent: there is nothing more to send.'] as const;
const RULES = ['cart_abandonment', 'new_customer_welcome', 'back_in_stock', 'cart_abandonment'] as const;
const STATUSES = ['fired', 'suppressed', 'fired', 'recovered'] as const;

/** What `GET /console/stream` says in a given second: figures move, lists change. */
export function consoleState(products: readonly SimulatedProduct[], second: number, demo = true): object {
  const now = Date.UTC(2026, 2, 10, 10) + second * 1_000;
  const named = (index: number): { sku: string; name: string } => {
    const { sku, name } = products[index % products.length]!;
    return { sku, name };
  };
  const perSecond = (index: number): number => Math.max(0, 18 - index * 1.3 + 4 * Math.sin(second / 3 + index));
  return {
    now, engine: 'embedded', clock: 'wall', demo, fallbacks: ['embedded log'], sql: 'chdb', eventsPerSecond: 20 + 5 * Math.sin(second / 4) + (second % 3),
    totals: { accepted: 12_345 + second * 20, rejected: 3, duplicates: 120 + second, deadLetters: 3, triggers: 40 + Math.floor(second / 2), recommendations: 900 + second * 4 },
    readers: [
      ...topology.consumers.map(({ name }, index) => ({ name, kind: 'consumer', lag: (second * 7 + index * 3) % 11, lagSeconds: index === 3 ? 12.4 : 1 + index / 10, commitsPerSecond: 4 + index, perSecond: perSecond(index) })),
      { name: 'recommender', kind: 'learner', lag: 27_000_000 - second * 15_000, lagSeconds: 86_400, commitsPerSecond: 7, perSecond: 15_000 },
      { name: 'co-visitation', kind: 'learner', lag: 4, lagSeconds: 0.2, commitsPerSecond: 4, perSecond: 25 },
      { name: 'scorer', kind: 'view', lag: null, lagSeconds: null, commitsPerSecond: 0, perSecond: 0 },
      { name: 'clickhouse', kind: 'sink', lag: 7, lagSeconds: 0.5, commitsPerSecond: null },
      { name: 'webhook mailer.example-1a2b3c4d', kind: 'sink', lag: 3, lagSeconds: 1_200, commitsPerSecond: null },
    ],
    stoppedTables: ['sales'],
    webhooks: { isHere: true, delivered: 1_234, givenUp: 2, retried: 5, disabled: ['crm.example-5e6f7a8b'] },
    sinks: [{ name: 'clickhouse', perSecond: 42 }],
    topics: topicsOf(topology).map((topic, index) => ({ ...topic, perSecond: perSecond(index) })),
    parts: partsOf(topology),
    triggers: Array.from({ length: 9 }, (_, index) => {
      const number = Math.floor(second / 3) + 9 - index;
      return { at: now - index * 4_000, rule: RULES[number % 4], status: STATUSES[number % 4], shopper: `u-0${number % 90}…`, reason: REASONS[number % 4], products: number % 4 === 1 ? [] : [named(number * 3), named(number * 5)] };
    }),
    shopper: {
      id: '3f9a2c…',
      lastEvents: Array.from({ length: 8 }, (_, index) => ({ event: index % 3 === 2 ? 'Product Added' : 'Product Viewed', ...named(Math.floor(second / 2) * 7 + index * 11), at: now - index * 2_500 })),
      recommendations: Array.from({ length: 6 }, (_, index) => ({ ...named(Math.floor(second / 2) + ((index * 5) % 6)), score: 1 / (index + 1), reason: index === 5 ? 'Popular right now' : `Because of ${named(Math.floor(second / 2) * 7).name}` })),
      freshness: { lastEventAt: now },
    },
    product: productState(named(Math.floor(second / 10)), second),
    quality: { ranking: { recall_at_20: 0.4 + (second % 5) / 100, mrr_at_20: 0.2, ndcg_at_20: 0.25 }, judged: 1_900 + second, coverage: { slow: 0.79, rare: 0.84 } },
  };
}

const isoDay = (day: number): string => new Date(Date.UTC(2026, 2, 10 + day)).toISOString().slice(0, 10);

function productState(product: { sku: string; name: string }, second: number): object {
  const expected = (day: number): number => 2 + Math.sin((day * Math.PI) / 3.5) + second / 60;
  return {
    ...product,
    sold: Array.from({ length: 28 }, (_, day) => ({ date: isoDay(day - 27), units: Math.max(0, Math.round(expected(day) + ((day * 7) % 5) - 2)) })),
    days: Array.from({ length: 28 }, (_, day) => ({ date: isoDay(day + 1), mean: expected(day), quantiles: Array.from({ length: 9 }, (__, level) => expected(day) * (0.2 + level / 5)) })),
    reorder: { units: 0, upTo: 12, reasons: [{ code: 'enough', text: 'The 14 units on hand and on order reach the 12 needed.' }] },
  };
}
