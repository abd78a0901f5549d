import { expect, test } from 'vitest';
import { learnShown, noneShown } from '../../consumers/shown-items.js';
import * as fatigue from '../../models/fatigue.js';
import * as itemIndex from '../../models/item-index.js';
import { NINE } from '../support/events.js';
import { shopOfPairs } from '../serving/shop.js';

test('what is dismissed was shown in vain all the same; what is viewed was not', () => {
  const shop = shopOfPairs();
  const { index, shown } = shop.neighbours;
  for (let n = 0; n < 3; n++) learnShown(shown, index, { shopper: 'a', placement: null, time: NINE, items: [{ sku: 'P1' }, { sku: 'P2' }] });
  const vain = (sku: string): number => fatigue.timesShown(shown.fatigue, 'a', itemIndex.predict(index, sku));
  expect(['P1', 'P2'].map(vain)).toEqual([3, 3]);
  shop.event('a', 'P1', [], { event: 'Recommendation Dismissed' });
  shop.event('a', 'P2', [], { event: 'Product Viewed' });
  expect(['P1', 'P2'].map(vain)).toEqual([3, 0]);
});

test('who asks a thousand times at once is counted for sixty answers in click rates; each tires them', () => {
  const shown = noneShown();
  const index = itemIndex.init();
  const skus = Array.from({ length: 1_000 }, (_, n) => `P${n}`);
  for (const sku of skus) {
    itemIndex.learn(index, sku);
    learnShown(shown, index, { shopper: 'a', placement: null, time: NINE, items: [{ sku }] });
  }
  expect([...shown.exploration.placements.values()].reduce((sum, { allShown }) => sum + allShown, 0)).toBe(60);
  expect(skus.slice(-100).every((sku) => fatigue.timesShown(shown.fatigue, 'a', itemIndex.predict(index, sku)) === 1)).toBe(true);
});
