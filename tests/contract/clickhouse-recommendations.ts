import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../pipeline/core/log.js';
import type { Row, RowSink } from '../../pipeline/core/row-sink.js';
import { recommendationIdAt } from '../../schemas/recommendation-ids.js';
import { interactions, purchases, recommendations } from '../../schemas/topics.js';
import type { Interaction } from '../../schemas/types.js';
import { textOf } from '../support/pages.js';
import { blockOf, interactionRecord, recordOf } from './clickhouse-records.js';

const HOUR = 3_600_000;
/** Noon of the shop's day, in America/Chicago. */
const NOON = Date.UTC(2026, 0, 1, 18);

/** What an analyst asks of recommendations, on every engine of rows. */
export function recommendationOutcomes(sinkOf: () => RowSink): void {
  let offset = 0;
  let pending: LogRecord[] = [];
  /** Rows of the question, with what has happened so far: a block a table, which is much faster than a row. */
  const ask = async (sql: string): Promise<readonly Row[]> => {
    for (const { name } of [recommendations, interactions, purchases]) {
      const records = pending.filter(({ topic }) => topic === name);
      if (records.length === 0) continue;
      const { columns, lines } = blockOf(records);
      await sinkOf().insert(name, columns, lines, randomUUID());
    }
    pending = [];
    return sinkOf().query(sql);
  };
  /** An answer of these items, the last of them tried where a propensity is given. */
  const answered = (shopper: string, skus: readonly string[], { shown = true, placement = 'home' as string | null, propensity = 1, time = NOON } = {}): string => {
    const recommendationId = recommendationIdAt(placement ?? '', randomUUID(), shown);
    const items = skus.map((sku, at) => ({ sku, score: 1, reason: 'trending', propensity: at === skus.length - 1 ? propensity : 1 }));
    pending.push(recordOf(recommendations, ++offset, { recommendationId, shopper, placement, time, model: 'fusion/1', stale: false, items, featureSet: '', features: Buffer.alloc(0) }));
    return recommendationId;
  };
  const happened = (shopper: string, event: string, skus: readonly string[], fields: Partial<Interaction> = {}): void =>
    void pending.push(interactionRecord(++offset, { shopper, event, time: NOON + HOUR, products: skus.map((sku) => ({ sku, price: null, quantity: null, position: null, name: null })), ...fields }));
  const bought = (shopper: string, skus: readonly string[], time: number, recommendationId: string | null = null): void =>
    void pending.push(recordOf(purchases, ++offset, { shopper, known: true, orderId: `o${offset}`, kind: 'completed', time, receivedAt: time, currency: 'EUR', revenue: 0n, lines: skus.map((sku) => ({ sku, quantity: 1, price: 0n })), cartId: null, recommendationId, source: null }));
  const itemsOf = (id: string) => ask(`SELECT sku, toInt32(place) AS place, toInt32(dateDiff('hour', time, clicked_at)) AS clicked, toInt32(dateDiff('hour', time, carted_at)) AS carted, toInt32(dateDiff('hour', time, ordered_at)) AS ordered FROM recommended_items WHERE recommendation_id = '${id}' ORDER BY place`);
  const untouched = { clicked: null, carted: null, ordered: null };

  test('each recommended item stands with the click, the cart and the order that followed within a day, also where these name no answer', async () => {
    const earlier = answered('u1', ['A', 'B'], { time: NOON - HOUR });
    const id = answered('u1', ['A', 'B', 'C']);
    happened('u1', 'Recommendation Clicked', ['A'], { recommendationId: earlier, time: NOON - HOUR / 2 });
    happened('u1', 'Product Viewed', ['A'], { recommendationId: id });
    happened('u1', 'Product Viewed', ['B']);
    happened('u1', 'Product Added', ['A'], { time: NOON + 2 * HOUR });
    happened('u2', 'Product Added', ['A'], { time: NOON + 2 * HOUR });
    bought('u1', ['A', 'B'], NOON + 3 * HOUR);
    happened('u1', 'Recommendation Clicked', ['C'], { recommendationId: id, time: NOON + 25 * HOUR });
    expect(await itemsOf(id)).toEqual([{ sku: 'A', place: 1, clicked: 1, carted: 2, ordered: 3 }, { sku: 'B', place: 2, ...untouched }, { sku: 'C', place: 3, ...untouched }]);
    // The order is that of the answer clicked last.
    expect(await itemsOf(earlier)).toMatchObject([{ sku: 'A', clicked: 0, carted: null, ordered: null }, untouched]);
  });

  test('who logs in between click and order is one shopper', async () => {
    const id = answered('device', ['A', 'B']);
    happened('device', 'Recommendation Clicked', ['B'], { recommendationId: id, anonymousId: 'device' });
    happened('user', 'Product Viewed', ['Z'], { anonymousId: 'device', time: NOON + 2 * HOUR });
    bought('user', ['B'], NOON + 3 * HOUR);
    expect(await itemsOf(id)).toEqual([{ sku: 'A', place: 1, ...untouched }, { sku: 'B', place: 2, clicked: 1, carted: null, ordered: 3 }]);
  });

  test('of an answer that the shop tells of what was shown counts, where it stood; one that is to be shown later counts only so', async () => {
    const never = answered('u', ['A', 'B'], { shown: false });
    happened('u', 'Recommendation Clicked', ['A'], { recommendationId: never });
    const later = answered('u', ['A', 'B', 'C', 'D'], { shown: false });
    happened('u', 'Recommendations Served', ['C', 'advertisement'], { recommendationId: later });
    happened('u', 'Recommendations Served', ['A', 'C'], { recommendationId: later, time: NOON + 2 * HOUR });
    happened('u', 'Recommendation Clicked', ['D'], { recommendationId: later });
    expect(await itemsOf(never)).toEqual([]);
    expect(await itemsOf(later)).toEqual([{ sku: 'C', place: 1, ...untouched }, { sku: 'A', place: 3, ...untouched }, { sku: 'D', place: 4, ...untouched, clicked: 1 }]);
  });

  test('outcomes by day, placement and model say what explore tried apart, weighted by how likely it was', async () => {
    for (const [n, propensity] of [0.5, 0.25, 0.25].entries()) {
      const id = answered(`u${n}`, ['A', 'B', `T${n}`], { propensity });
      if (n > 0) happened(`u${n}`, 'Recommendation Clicked', n === 1 ? ['A', 'B', 'T1'] : ['A'], { recommendationId: id });
      if (n === 1) bought('u1', ['T1'], NOON + 2 * HOUR, id);
    }
    answered('night', ['A'], { placement: null, time: NOON + 13 * HOUR });
    const [mine, tried, night] = await ask('SELECT * FROM recommendation_outcomes ORDER BY day, placement, tried');
    expect(mine).toEqual({ day: '2026-01-01', placement: 'home', model: 'fusion/1', tried: false, answers: '3', clicked_answers: '2', items: '6', clicks: '3', carts: '0', orders: '0', weighted_items: 6, weighted_clicks: 3, weighted_orders: 0 });
    expect(tried).toMatchObject({ tried: true, answers: '3', clicked_answers: '1', items: '3', clicks: '1', orders: '1', weighted_items: 10, weighted_clicks: 4, weighted_orders: 4 });
    expect(night).toMatchObject({ day: '2026-01-02', placement: '', answers: '1', items: '1', clicks: '0' });
    expect(await ask("SELECT * FROM recommendation_outcomes_between(since = '2026-01-01', until = '2026-01-01') ORDER BY tried")).toEqual([mine, tried]);
    const questions = [...textOf('docs/clickhouse.md').matchAll(/sql "([^"]+ FROM recommend[^"]+)"/g)].map(([, question = '']) => question.replaceAll('today() - 7', "toDate('2026-01-08') - 7").replaceAll('today()', "toDate('2026-01-01')"));
    expect(await Promise.all(questions.map(ask))).toEqual([
      [{ placement: 'home', shown: '6', click_rate: 0.5, answers_clicked: expect.closeTo(2 / 3, 9), orders_of_1000: 0 }],
      [{ placement: 'home', tried: '3', click_rate: expect.closeTo(1 / 3, 9), alike: 0.4, standard_error: expect.closeTo(Math.sqrt(0.4 * 0.6 * (4 + 16 + 16)) / 10, 9) }],
    ]);
  });
}
