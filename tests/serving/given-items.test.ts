import { expect, test } from 'vitest';
import { itemNeighbours } from '../../consumers/co-visitation.js';
import { interactions, recommendations } from '../../schemas/topics.js';
import { shopOfPairs, TestShop } from './shop.js';

const GIVEN = ['P5', 'P7', 'P9', 'P11', 'P13', 'P2', 'P6', 'P10', 'unheard of', 'P14'];

function shopper(): TestShop {
  const shop = shopOfPairs();
  shop.profile('a', ['P4', 'P8']);
  return shop;
}

test('given items are diversified: other categories come in, the best stays first', async () => {
  const shop = shopper();
  const [close, wide] = [await shop.skus('a', { items: GIVEN, limit: 5 }), await shop.skus('a', { items: GIVEN, limit: 5, diversity: 0.9 })];
  expect(wide).toHaveLength(5);
  expect(wide[0]).toBe(close[0]);
  expect(wide).not.toEqual(close);
});

test('given items that were shown in vain give way, as explained', async () => {
  const shop = shopper();
  const [first] = await shop.skus('a', { items: GIVEN });
  for (let n = 0; n < 200; n++) {
    await shop.recommend('a', { items: GIVEN, limit: 2 });
    itemNeighbours.learn(shop.neighbours, recommendations.name, shop.told.at(-1), 'a');
  }
  expect((await shop.skus('a', { items: GIVEN }))[0]).toBe(first);
  const { items } = await shop.recommend('a', { items: GIVEN, fatigue: 5, explain: true });
  expect(items[0]!.sku).not.toBe(first);
  const tired = items.find(({ sku }) => sku === first)!;
  expect(tired.contributions).toContainEqual({ part: 'shown in vain', value: expect.closeTo(-5 * Math.log(201), 1) });
  for (const { score, contributions } of items) expect(contributions!.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(score, 9);
});

test('of given items the last place tries one, with its propensity, where there are more than are asked for', async () => {
  const shop = shopper();
  const tried = new Set<string>();
  for (let n = 0; n < 30; n++) {
    await shop.recommend('a', { items: GIVEN, limit: 3, explore: true });
    const { items } = shop.told.at(-1)!;
    expect(items.map(({ propensity }) => propensity < 1)).toEqual([false, false, true]);
    tried.add(items[2]!.sku);
  }
  expect(tried.size).toBeGreaterThan(3);
  await shop.recommend('a', { items: GIVEN, limit: GIVEN.length, explore: true });
  expect(shop.told.at(-1)!.items.every(({ propensity }) => propensity === 1)).toBe(true);
});

test('a list that the shop made, or kept from an answer, counts as shown once it tells of it', async () => {
  const shop = shopper();
  const [first] = await shop.skus('a');
  const served = { ...shop.lastEvent, shopper: 'a', event: 'Recommendations Served', placement: 'home', products: [first!, 'P33'].map((sku) => ({ sku, price: null, quantity: null, position: null })) };
  for (let n = 0; n < 100; n++) itemNeighbours.learn(shop.neighbours, interactions.name, served, 'a');
  expect((await shop.skus('a', { fatigue: 5 }))[0]).not.toBe(first);
  itemNeighbours.learn(shop.neighbours, interactions.name, { ...served, event: 'Recommendation Clicked', products: served.products.slice(0, 1) }, 'a');
  expect((await shop.skus('a', { fatigue: 5 }))[0]).toBe(first);
});

test('of given items that nothing was learned of, too, excluded, bought and dismissed ones and that of the page do not come', async () => {
  const shop = new TestShop();
  expect(await shop.skus('a', { items: ['X', 'Y'], exclude: ['X'] })).toEqual(['Y']);
  shop.profile('a', [], { bought: ['X'], dismissed: ['Y'] });
  expect(await shop.skus('a', { items: ['X', 'Y', 'Z', 'page'], context: 'page' })).toEqual(['Z']);
});

test('of given items those that no catalogue knows come only where unlisted ones are shown, whether or not anybody has clicked them', async () => {
  for (const [showsUnlisted, came] of [[true, ['clicked', 'unheard of']], [false, []]] as const) {
    const shop = new TestShop({ showsUnlisted });
    shop.product('P1');
    shop.event('b', 'P1', []);
    shop.event('b', 'clicked', ['P1']);
    const skus = await shop.skus('a', { items: ['P1', 'clicked', 'unheard of'] });
    expect(skus.filter((sku) => sku !== 'P1').sort()).toEqual(came);
    expect(skus).toContain('P1');
  }
});
