import { expect, test } from 'vitest';
import { forget, init, learn, predict, restore, size, skuOf, snapshot } from '../../models/item-index.js';

test('skus are numbered in order of first sight and read back', () => {
  const index = init();
  expect([learn(index, 'a'), learn(index, 'b'), learn(index, 'a')]).toEqual([0, 1, 0]);
  expect(skuOf(index, 1)).toBe('b');
  expect(predict(index, 'never')).toBe(-1);
});

test('a number is never given twice, not even after its sku was forgotten and the index restored', () => {
  const index = init();
  learn(index, 'a');
  learn(index, 'b');
  expect(forget(index, 'b')).toBe(1);
  const again = restore(snapshot(index));
  expect(learn(again, 'b')).toBe(2);
  expect(size(again)).toBe(3);
  expect(skuOf(again, 1)).toBeUndefined();
});

test('names of object properties are ordinary skus', () => {
  const index = init();
  expect(predict(index, '__proto__')).toBe(-1);
  expect(learn(index, '__proto__')).toBe(0);
  expect(learn(index, 'constructor')).toBe(1);
});
