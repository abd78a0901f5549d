import { expect, test } from 'vitest';
import { recommender } from '../../consumers/recommender.js';
import * as features from '../../models/features.js';
import { Ranking } from '../../pipeline/serving/rank.js';
import { recommendations } from '../../schemas/topics.js';
import { shopOfPairs, type TestShop } from './shop.js';
import { Telling } from '../../pipeline/serving/telling.js';

/** Of so many answers, one each so many ms, to a new shopper each: how many the log is told with what the ranker saw. */
async function toldInFull(shop: TestShop, answers: number, everyMs: number): Promise<number> {
  shop.told.length = 0;
  for (let n = 0; n < answers; n++, shop.now += everyMs) await shop.recommend(`s${n}`);
  return shop.told.filter(({ features }) => features.length > 0).length;
}

test('a clock that was an hour ahead for seconds does not end what is told: once it is right, answers teach as before', async () => {
  const shop = shopOfPairs();
  expect(await toldInFull(shop, 50, 200)).toBe(50);
  shop.now += 3_600_000;
  expect(await toldInFull(shop, 50, 200)).toBe(50);
  shop.now -= 3_600_000;
  expect(await toldInFull(shop, 300, 200)).toBe(300);
  // To one shopper, likewise.
  expect(await toldInFull(shop, 3_000, 10)).toBeLessThan(320);
});

test.each([{}, { explain: true }, { diversity: 0.9, explore: true }])('what the ranker saw of given items is told as of its own answers, each item at its place, and clicks teach it: %o', async (wishes) => {
  const shop = shopOfPairs();
  shop.profile('a', ['P4', 'P8']);
  // More than are scored in one go.
  const given = [...Array.from({ length: 200 }, (_, n) => `unheard of ${n}`), 'P9', 'P2', 'P5', 'P7'];
  const { recommendationId, items } = await shop.recommend('a', { items: given, limit: 6, ...wishes });
  const told = shop.told.at(-1)!;
  expect(told.featureSet).toBe(features.SET);
  const ranking = new Ranking(shop.neighbours, shop.items);
  const seen = new Map<string, Buffer>();
  ranking.score(Int32Array.from(['P4', 'P8'], (sku) => shop.items.number(sku)), Int32Array.from(given, (sku) => shop.items.number(sku)), (at, place) => void seen.set(given[at]!, ranking.seen(Uint8Array.of(place))));
  expect(told.features).toEqual(Buffer.concat(items.map(({ sku }) => seen.get(sku)!)));
  expect(seen.get('P5')).not.toEqual(seen.get('P9'));
  recommender.learn(shop.learner, recommendations.name, told, 'a');
  shop.event('a', items[2]!.sku, [], { event: 'Recommendation Clicked', recommendationId });
  expect(shop.learner.chosen).toBe(1);
});

test('an answer of one given item has nothing to teach, and takes no turn of others', async () => {
  const shop = shopOfPairs();
  for (let n = 0; n < 20; n++) await shop.recommend('a', { items: ['P5'] });
  expect(await toldInFull(shop, 10, 0)).toBe(10);
});

test('who asks while the second\'s answers are all told has not used up turns of their own', () => {
  const telling = new Telling();
  const told = (shopper: string, time: number, times: number): number => Array.from({ length: times }, () => telling.isInFull(shopper, time)).filter(Boolean).length;
  expect(Array.from({ length: 12 }, (_, i) => told(`s${i}`, 0, 1)).reduce((sum, n) => sum + n, 0)).toBe(10);
  expect([told('late', 0, 20), told('late', 1_000, 20)]).toEqual([0, 8]);
});
