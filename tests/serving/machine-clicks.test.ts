import { describe, expect, test } from 'vitest';
import { itemNeighbours } from '../../consumers/co-visitation.js';
import { recommender } from '../../consumers/recommender.js';
import { interactions, recommendations } from '../../schemas/topics.js';
import { shopOfPairs, TestShop } from './shop.js';

describe('a machine that clicks', () => {
  const START = Date.UTC(2026, 0, 6);
  /** What others are told once a machine has gone from P4 to one of these products in turn, so many times, 1,000 times a second. */
  const others = async (clicks: number, ...targets: readonly string[]): Promise<unknown> => {
    const shop = shopOfPairs();
    shop.profile('a', ['P4']);
    for (let click = 0; click < clicks; click++) shop.event('bot', targets[click % targets.length]!, ['P4'], { time: START + click });
    shop.publish();
    return Promise.all(['a', 'nobody'].map(async (id) => (await shop.recommend(id, { limit: 20 })).items.map(({ sku, score }) => [sku, score])));
  };

  test('1,000 times a second on one item moves for others what two views of it do', async () => {
    expect(await others(20_000, 'P33')).toEqual(await others(2, 'P33'));
    expect(await others(20_000, 'P33')).not.toEqual(await others(0, 'P33'));
  });

  test('1,000 times a second on everything moves for others what its first sixty events do', async () => {
    const all = Array.from({ length: 39 }, (_, n) => `NEW-${n}`);
    expect(await others(9_000, ...all)).toEqual(await others(60, ...all));
  });
});

describe('a machine that clicks on its own lists', () => {
  /** Chances of items to be tried for a shopper of whom nothing is to be changed by others. */
  const chances = async (shop: TestShop): Promise<Map<string, number>> => {
    const by = new Map<string, number>();
    for (let n = 0; n < 60; n++) {
      const { sku, propensity } = (await shop.recommend('b', { limit: 5, placement: 'home', explore: true })).items[4] as { sku: string; propensity?: number };
      by.set(sku, propensity ?? 1);
    }
    return by;
  };

  test.each([['clicks', true], ['does not click', false]])('and asks for one item 200 times and %s counts as one shopper', async (_, clicks) => {
    const shop = shopOfPairs();
    for (const id of ['a', 'b']) shop.profile(id, ['P4']);
    const before = await chances(shop);
    const target = [...before.keys()][0]!;
    for (let n = 0; n < 200; n++) {
      await shop.recommend('bot', { items: [target], placement: 'home' });
      const told = shop.told.at(-1)!;
      itemNeighbours.learn(shop.neighbours, recommendations.name, told, 'bot');
      // As a browser would say it: two hours apart, received within a moment.
      const time = Date.UTC(2026, 0, 6) + n * 7_200_000;
      if (clicks) itemNeighbours.learn(shop.neighbours, interactions.name, { ...shop.lastEvent, shopper: 'bot', event: 'Recommendation Clicked', recommendationId: told.recommendationId, time, products: [{ sku: target, price: null, quantity: null, position: null }] }, 'bot');
    }
    const after = await chances(shop);
    expect(after.get(target)! / before.get(target)!).toBeGreaterThan(0.5);
    expect(after.get(target)! / before.get(target)!).toBeLessThan(4);
    expect(after.size).toBeGreaterThan(5);
  });
});

describe('a machine that dates its events back', () => {
  const HOUR = 3_600_000;
  const NOW = Date.UTC(2026, 0, 6);
  const backdated = (n: number): { time: number; receivedAt: number } => ({ time: NOW - HOUR * n, receivedAt: NOW });
  const ranked = async (shop: TestShop): Promise<unknown> => [await shop.skus('a', { limit: 1 }), await shop.skus('nobody', { limit: 10 })];

  test('by an hour each moves nothing for others: its views, purchases and orders of a million units', async () => {
    const shop = shopOfPairs({}, 20);
    shop.profile('a', ['P4']);
    const before = await ranked(shop);
    for (let n = 690; n > 0; n--) shop.event('bot', 'FAKE-BUY-HERE', ['P4'], backdated(n));
    for (let n = 690; n > 0; n--) shop.purchase('buying bot', ['FAKE-BUY-HERE'], { ...backdated(n), quantity: 1e6 });
    shop.purchase('bot with a list', Array.from({ length: 10_000 }, (_, n) => `FAKE-${n}`), { ...backdated(0), quantity: 1e6 });
    shop.publish();
    expect(await ranked(shop)).toEqual(before);
  });

  test('teaches no more than it may at once, of transitions and of its own lists', async () => {
    const shop = shopOfPairs();
    shop.profile('bot', ['P4']);
    const { events, chosen } = shop.learner;
    for (let n = 690; n > 0; n--) {
      await shop.recommend('bot', { limit: 5 });
      const told = shop.told.at(-1)!;
      recommender.learn(shop.learner, recommendations.name, told, 'bot');
      shop.event('bot', told.items[n % 5]!.sku, ['P4'], { ...backdated(n), event: 'Recommendation Clicked', recommendationId: told.recommendationId });
    }
    expect(shop.learner.events - events).toBeLessThanOrEqual(60);
    expect(shop.learner.chosen - chosen).toBeLessThanOrEqual(60);
  });

  test('lines of a file, which an administrator reads in, have the time of the file', () => {
    const shop = shopOfPairs();
    const before = shop.learner.events;
    for (let n = 200; n > 0; n--) shop.event('customer of years', `P${n % 40}`, [], { ...backdated(24 * n), source: { name: 'clicks-of-2025', ordinal: 200 - n } });
    expect(shop.learner.events - before).toBe(200);
  });
});
