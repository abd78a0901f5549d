import { expect, test } from 'vitest';
import { itemNeighbours } from '../../consumers/co-visitation.js';
import { recommender } from '../../consumers/recommender.js';
import type { SimilarRequest } from '../../infra/http/doors.js';
import * as exploration from '../../models/exploration.js';
import * as fatigue from '../../models/fatigue.js';
import * as itemIndex from '../../models/item-index.js';
import * as positionBias from '../../models/position-bias.js';
import { recommendations } from '../../schemas/topics.js';
import type { Interaction } from '../../schemas/types.js';
import { shopOfPairs, type RecommendAnswer, type TestShop } from './shop.js';

/** A shopper who sees a list at a placement and clicks the item of a place; both are told to learner and scorer. */
async function sees(shop: TestShop, shopper: string, placement: string, clicked?: number): Promise<readonly string[]> {
  shop.profile(shopper, ['P4']);
  shop.now += 1_000;
  const { recommendationId, items } = await shop.recommend(shopper, { placement, limit: 5 });
  recommender.learn(shop.learner, recommendations.name, shop.told.at(-1), shopper);
  itemNeighbours.learn(shop.neighbours, recommendations.name, shop.told.at(-1), shopper);
  if (clicked !== undefined) shop.event(shopper, items[clicked]!.sku, [], { event: 'Recommendation Clicked', recommendationId, time: shop.now });
  return items.map(({ sku }) => sku);
}

const clickRates = ({ neighbours }: TestShop, placement: string): { shown: number; clicked: number } | undefined => {
  const of = neighbours.shown.exploration.placements.get(placement);
  return of && { shown: of.allShown, clicked: of.allClicked };
};

test('placements that somebody made up do not keep those of the shop from rates and a bias of their own', async () => {
  const shop = shopOfPairs();
  for (let bot = 1; bot <= 9; bot++) await sees(shop, `bot ${bot}`, `junk${bot}`, 4);
  let skus: readonly string[] = [];
  for (let n = 0; n < 40; n++) {
    await sees(shop, `h${n}`, 'home', 0);
    skus = await sees(shop, `c${n}`, 'cart', 4);
  }
  const [first, last] = [skus[0]!, skus[4]!].map((sku) => itemIndex.predict(shop.neighbours.index, sku)) as [number, number];
  const firstAt = (placement: string): number => exploration.predict(shop.neighbours.shown.exploration, placement, [first, last])[0]!;
  expect(firstAt('home')).toBeGreaterThan(0.9);
  expect(firstAt('cart')).toBeLessThan(0.1);
  expect(positionBias.predict(shop.learner.position, 'home')).toBeGreaterThan(positionBias.predict(shop.learner.position, 'cart') + 0.2);
  expect(shop.neighbours.shown.exploration.placements.size).toBe(8);
  expect(shop.learner.position.size).toBe(9);
});

test('who sees the same items at two placements counts at both, shown and clicked, once a day', async () => {
  const shop = shopOfPairs();
  const day = async (): Promise<void> => {
    for (let n = 0; n < 40; n++) {
      await sees(shop, `s${n}`, 'home');
      await sees(shop, `s${n}`, 'cart', 1);
      await sees(shop, `s${n}`, 'home');
    }
  };
  await day();
  // Forty lists of five, each showing as much as its place is looked at.
  const shown = 40 * [1, 2, 3, 4, 5].reduce((sum, place) => sum + Math.sqrt(5 / place), 0);
  expect(clickRates(shop, 'home')).toEqual({ shown: expect.closeTo(shown, 2), clicked: 0 });
  expect(clickRates(shop, 'cart')).toEqual({ shown: expect.closeTo(shown, 2), clicked: 40 });
});

const vain = ({ neighbours }: TestShop, shopper: string, sku: string): number => fatigue.timesShown(neighbours.shown.fatigue, shopper, itemIndex.predict(neighbours.index, sku));

/** The shop tells which items of an answer were shown. */
function served(shop: TestShop, shopper: string, skus: readonly string[], fields: Partial<Interaction>): void {
  shop.event(shopper, '', [], { event: 'Recommendations Served', time: shop.now, products: skus.map((sku) => ({ sku, price: null, quantity: null, position: null, name: null })), ...fields });
}

test('an answer that the shop confirms was shown once, not twice', async () => {
  const shop = shopOfPairs();
  const skus = await sees(shop, 'a', 'home');
  const before = clickRates(shop, 'home');
  served(shop, 'a', skus, { recommendationId: shop.told.at(-1)!.recommendationId, placement: 'home', time: shop.now + 86_400_000 });
  expect(skus.map((sku) => vain(shop, 'a', sku))).toEqual([1, 1, 1, 1, 1]);
  expect(clickRates(shop, 'home')).toEqual(before);
});

test('an answer that is not shown yet counts nowhere until the shop tells what of it was, then where it was asked for, each time', async () => {
  const shop = shopOfPairs();
  await sees(shop, 'b', 'mail');
  shop.profile('a', ['P4']);
  const { recommendationId, items } = await shop.recommend('a', { placement: 'mail', limit: 5, shown: false });
  const skus = items.map(({ sku }) => sku);
  const before = clickRates(shop, 'mail')!;
  itemNeighbours.learn(shop.neighbours, recommendations.name, shop.told.at(-1), 'a');
  expect(skus.map((sku) => vain(shop, 'a', sku))).toEqual([0, 0, 0, 0, 0]);
  expect(clickRates(shop, 'mail')).toEqual(before);
  served(shop, 'a', skus.slice(1, 3), { recommendationId });
  served(shop, 'a', skus.slice(1, 2), { recommendationId });
  expect(skus.map((sku) => vain(shop, 'a', sku))).toEqual([0, 2, 1, 0, 0]);
  expect(clickRates(shop, 'mail')!.shown - before.shown).toBeCloseTo(Math.SQRT2 + 1, 5);
  shop.event('a', skus[1]!, [], { event: 'Recommendation Clicked', recommendationId, time: shop.now });
  expect(clickRates(shop, 'mail')!.clicked).toBe(1);
});

test('and where nothing was shown at its place before, it stands where its clicks will', async () => {
  const shop = shopOfPairs();
  const { recommendationId, items } = await shop.recommend('a', { placement: 'mail', limit: 5, shown: false });
  served(shop, 'a', items.map(({ sku }) => sku), { recommendationId, placement: 'mail' });
  shop.event('a', items[0]!.sku, [], { event: 'Recommendation Clicked', recommendationId, time: shop.now });
  expect(clickRates(shop, 'mail')).toMatchObject({ clicked: 1 });
});

test('and where the shop does not say where, it counts at the place it was asked for, though nothing was shown there before', async () => {
  const shop = shopOfPairs();
  const { recommendationId, items } = await shop.recommend('a', { placement: 'mail', limit: 5, shown: false });
  itemNeighbours.learn(shop.neighbours, recommendations.name, shop.told.at(-1), 'a');
  expect(clickRates(shop, 'mail')).toEqual({ shown: 0, clicked: 0 });
  served(shop, 'a', items.map(({ sku }) => sku), { recommendationId });
  shop.event('a', items[0]!.sku, [], { event: 'Recommendation Clicked', recommendationId, time: shop.now });
  expect(clickRates(shop, 'mail')!.shown).toBeGreaterThanOrEqual(5);
  expect(clickRates(shop, 'mail')!.clicked).toBe(1);
  expect(clickRates(shop, '')).toBeUndefined();
});

test('of one shopper sixty answers at once make places known, shown or not: made-up names do not take the place of others', async () => {
  const shop = shopOfPairs();
  for (let n = 0; n < 100; n++) {
    await shop.recommend('bot', { placement: 'junk', limit: 1, shown: false });
    itemNeighbours.learn(shop.neighbours, recommendations.name, shop.told.at(-1), 'bot');
  }
  expect(shop.neighbours.shown.exploration.placements.get('junk')!.uses).toBe(120);
});

test('similar items that are asked for somebody are noted as shown and clicked, without what was bought; without anybody nothing is', () => {
  const shop = shopOfPairs();
  shop.profile('a', ['P4'], { bought: ['P8'] });
  const similar = (to?: SimilarRequest['to']) => shop.scorer.similar({ sku: 'P4', limit: 5, filter: null, exclude: [], to }) as RecommendAnswer;
  expect(similar().recommendationId).toBeUndefined();
  expect(similar().items.map(({ sku }) => sku)).toContain('P8');
  expect(shop.told).toEqual([]);
  const { recommendationId, items } = similar({ userId: null, anonymousId: 'a', trusted: false, placement: 'more like this', shown: true });
  const skus = items.map(({ sku }) => sku);
  expect(skus).not.toContain('P8');
  expect(shop.told).toMatchObject([{ recommendationId, shopper: 'a', placement: 'more like this', items: skus.map((sku) => ({ sku, propensity: 1 })) }]);
  itemNeighbours.learn(shop.neighbours, recommendations.name, shop.told[0], 'a');
  expect(skus.map((sku) => vain(shop, 'a', sku))).toEqual([1, 1, 1, 1, 1]);
  shop.event('a', skus[1]!, [], { event: 'Recommendation Clicked', recommendationId, time: shop.now });
  expect(clickRates(shop, 'more like this')).toMatchObject({ clicked: 1 });
});

test('similar items wait for the event of `after`, and say so when it has not come', async () => {
  const shop = shopOfPairs();
  const similar = (offset: number, to?: SimilarRequest['to']) => shop.scorer.similar({ sku: 'P4', limit: 5, filter: null, exclude: [], after: { positions: offset < 0 ? [] : [{ topic: 'clickstream', partition: 0, offset }], merges: [] }, to });
  const somebody = { userId: null, anonymousId: 'a', trusted: false, placement: null, shown: false };
  expect(await similar(-1, somebody)).toMatchObject({ freshness: { sawAfter: true } });
  expect(await similar(-1)).not.toHaveProperty('stale');
  expect(await similar(5, somebody)).toMatchObject({ stale: true, freshness: { sawAfter: false }, items: [{}, {}, {}, {}, {}] });
  expect(await similar(5)).toMatchObject({ stale: true });
});

test('who has taught as much as one may makes no click rates either', async () => {
  const shop = shopOfPairs();
  const clicksOf = async (shopper: string, before: number): Promise<number> => {
    for (let n = 0; n < before; n++) shop.event(shopper, `P${n % 40}`, [], { time: shop.now });
    await sees(shop, shopper, 'home', 0);
    return clickRates(shop, 'home')!.clicked;
  };
  expect(await clicksOf('bot', 200)).toBe(0);
  expect(await clicksOf('visitor', 20)).toBe(1);
});

test('what is tried in the last place and clicked nearly as often as what stands first is tried further: the first place is looked at more', () => {
  const shop = shopOfPairs();
  const list = ['P4', 'P6', 'P8', 'P10', 'P31'];
  const products = list.map((sku) => ({ sku, price: null, quantity: null, position: null, name: null }));
  for (let n = 0; n < 600; n++) {
    const shopper = `s${n}`;
    shop.event(shopper, '', [], { event: 'Recommendations Served', placement: 'home', products });
    for (const [sku, every] of [['P4', 17], ['P31', 25]] as const) if (n % every === 0) shop.event(shopper, sku, [], { event: 'Recommendation Clicked', placement: 'home' });
  }
  const numbers = ['P4', 'P31'].map((sku) => itemIndex.predict(shop.neighbours.index, sku));
  expect(exploration.predict(shop.neighbours.shown.exploration, 'home', numbers)[1]).toBeGreaterThan(0.8);
});
