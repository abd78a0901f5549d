import { expect, test } from 'vitest';
import { drop, droppedItems, forget, init, learn, list, predict, restore, size, skuOf, snapshot, unlisted, unlistedItems } from '../../models/item-index.js';

test('skus are numbered in order of first sight and read back', () => {
  const index = init();
  expect([learn(index, 'a'), learn(index, 'b'), learn(index, 'a')]).toEqual([0, 1, 0]);
  expect(skuOf(index, 1)).toBe('b');
  expect(predict(index, 'never')).toBe(-1);
});

test('a forgotten number is given again, the last one first, also after a restart; what followed is told', () => {
  const index = init();
  const told: string[] = [];
  for (const sku of ['a', 'b', 'c']) learn(index, sku);
  index.followers.push({ given: (sku, item) => void told.push(`${sku}=${item}`), freed: (items, skus) => void told.push(`${[...items].join()} free of ${skus.join()}`) });
  forget(index, Int32Array.of(0, 1, 1_000));
  expect([predict(index, 'a'), skuOf(index, 1), size(index)]).toEqual([-1, undefined, 3]);
  const again = restore(snapshot(index));
  for (const one of [index, again]) expect(['d', 'e', 'f', 'c'].map((sku) => learn(one, sku))).toEqual([1, 0, 3, 2]);
  expect(told).toEqual(['0,1 free of a,b', 'd=1', 'e=0', 'f=3']);
});

test('what the catalogue has, had and never had is told apart, and outlives a restart', () => {
  const index = init();
  list(index, 'had');
  list(index, 'has');
  learn(index, 'clicked');
  drop(index, 'had');
  drop(index, 'never seen');
  const again = restore(snapshot(index));
  for (const one of [index, again]) expect([one.listed, unlisted(one), droppedItems(one), unlistedItems(one)]).toEqual([1, 1, [0], [2]]);
  list(again, 'had');
  list(again, 'clicked');
  expect([again.listed, unlisted(again), droppedItems(again)]).toEqual([3, 0, []]);
});

test('names of object properties are ordinary skus', () => {
  const index = init();
  expect(predict(index, '__proto__')).toBe(-1);
  expect(learn(index, '__proto__')).toBe(0);
  expect(learn(index, 'constructor')).toBe(1);
});
