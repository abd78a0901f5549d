import { expect, test } from 'vitest';
import { itemNeighboursIn } from '../../consumers/co-visitation.js';
import { recommenderIn } from '../../consumers/recommender.js';
import { clicksBefore, recommenderNamed } from '../../models/evaluate/recommenders.js';
import * as fusion from '../../models/fusion.js';
import * as itemIndex from '../../models/item-index.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { TestShop } from '../serving/shop.js';

const never = { repeats: false };

/** Histories of 12 out of 60 items, each by somebody with a taste for one of three kinds. */
function histories(count: number): string[][] {
  const random = randomness(5);
  return Array.from({ length: count }, (_, user) => {
    const items = new Set<string>();
    while (items.size < 12) items.add(`F${3 * Math.floor(20 * uniform(random)) + (uniform(random) < 0.85 ? user % 3 : Math.floor(3 * uniform(random)))}`);
    return [...items];
  });
}

function watched(shop: TestShop, users: readonly (readonly string[])[]): void {
  users.forEach((items, user) => {
    for (const [at, sku] of items.entries()) shop.event(`u${user}`, sku, items.slice(0, at).reverse());
  });
  shop.publish();
}

test('what leave one out measures is what a learner with SHOP_REPEATS=false learns', () => {
  const users = histories(40);
  const shop = new TestShop(never);
  watched(shop, users);
  const measured = recommenderNamed('fusion', false);
  const index = itemIndex.init();
  for (const items of users) {
    const numbers = Int32Array.from(items, (sku) => itemIndex.learn(index, sku));
    for (let at = 0; at < numbers.length; at++) {
      const had = new Set(numbers.subarray(0, at));
      measured.learnEvent(clicksBefore(numbers, at), numbers[at]!, (item) => had.has(item));
    }
  }
  const work = fusion.workspace();
  for (const items of users.slice(0, 10)) {
    const asked = (of: itemIndex.ItemIndex): Int32Array => Int32Array.from(items.slice(0, 8).reverse(), (sku) => itemIndex.predict(of, sku));
    const [count, served] = [measured.rank(asked(index)), fusion.rank(shop.learner.model, asked(shop.learner.index), work)];
    const named = (of: itemIndex.ItemIndex, numbers: Int32Array, scores: Float32Array, many: number): [string | undefined, number][] => Array.from(numbers.subarray(0, many), (item, at) => [itemIndex.skuOf(of, item), scores[at]!]);
    expect(named(shop.learner.index, work.items, work.scores, served)).toEqual(named(index, measured.items, measured.scores, count));
  }
});

test('a scorer recommends by all that a shopper had, across visits, and none of it', async () => {
  const users = histories(60);
  const shop = new TestShop(never);
  watched(shop, users);
  const mine = ['F0', 'F3', 'F6', 'F9', 'F12', 'F15', 'F18', 'F21', 'F24', 'F27', 'F30', 'F33'];
  // The visit began with the last item only.
  shop.profile('a', mine, { sessionStart: Date.UTC(2030, 0, 1) });
  const best = await shop.skus('a', { limit: 8 });
  expect(best.filter((sku) => mine.includes(sku))).toEqual([]);
  expect(best.filter((sku) => Number(sku.slice(1)) % 3 === 0).length).toBeGreaterThanOrEqual(6);
  const again = new TestShop();
  watched(again, users);
  again.profile('a', mine);
  expect((await again.skus('a', { limit: 8 })).some((sku) => mine.includes(sku))).toBe(true);
});

test('an item that no transition leads to is found by its vector, as learned elsewhere and given to the scorer', async () => {
  const shop = new TestShop(never);
  watched(shop, histories(60));
  const { model, index } = shop.neighbours;
  shop.profile('a', ['F0', 'F3', 'F6']);
  const near = await shop.skus('a', { limit: 1 });
  const item = itemIndex.predict(index, near[0]!);
  fusion.forgetGiven({ ...model, embedding: fusion.init().embedding }, Int32Array.of(item));
  expect(await shop.skus('a', { limit: 60 })).toContain(near[0]);
});

test('a snapshot that was made with the other setting is refused with a sentence', () => {
  const users = histories(3);
  for (const [made, read] of [[true, false], [false, true]] as const) {
    const shop = new TestShop({ repeats: made });
    watched(shop, users);
    const learner = [...recommenderIn({ repeats: made }).snapshot(shop.learner)];
    const scorer = [...itemNeighboursIn({ repeats: made }).snapshot(shop.neighbours)];
    expect(() => recommenderIn({ repeats: read }).restore(learner)).toThrow(`learned with SHOP_REPEATS=${made}`);
    expect(() => itemNeighboursIn({ repeats: read }).restore(scorer)).toThrow(`learned with SHOP_REPEATS=${made}`);
    const copy = itemNeighboursIn({ repeats: made }).restore(scorer);
    expect(Buffer.compare(Buffer.concat([...itemNeighboursIn({ repeats: made }).snapshot(copy)]), Buffer.concat(scorer))).toBe(0);
    expect(recommenderIn({ repeats: made }).restore(learner).model.settings).toEqual(shop.learner.model.settings);
  }
});
