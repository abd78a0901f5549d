import { expect, test } from 'vitest';
import { ageOf, forget, init, learn, popularShare, predict } from '../../models/popularity.js';

test('what sells now leads the trend while the old favourite still leads the long run', () => {
  const state = init({ leastFast: 20, leastSlow: 2_000, fastPerItem: 0, slowPerItem: 0 });
  for (let n = 0; n < 500; n++) learn(state, 1);
  for (let n = 0; n < 100; n++) learn(state, 2);
  expect(predict(state, 'trending', 2).map(({ item }) => item)).toEqual([2, 1]);
  expect(predict(state, 'popular', 2).map(({ item }) => item)).toEqual([1, 2]);
});

test('shares of all items sum to one', () => {
  const state = init();
  for (let n = 0; n < 300; n++) learn(state, n % 11, 1 + (n % 3));
  const sum = predict(state, 'popular', 100).reduce((total, { share }) => total + share, 0);
  expect(sum).toBeCloseTo(1, 4);
});

test('the age of an item counts events since its first, and an unknown item has none', () => {
  const state = init();
  learn(state, 3);
  for (let n = 0; n < 5; n++) learn(state, 4);
  expect([ageOf(state, 3), ageOf(state, 4), ageOf(state, 99)]).toEqual([5, 4, 0]);
});

test('an unknown item is rarer than the rarest known one', () => {
  const state = init();
  learn(state, 3);
  for (let n = 0; n < 1_000; n++) learn(state, 4);
  expect(popularShare(state, 77)).toBeLessThan(popularShare(state, 3));
});

test('a forgotten item leaves the list', () => {
  const state = init();
  learn(state, 3);
  learn(state, 4);
  forget(state, 3);
  expect(predict(state, 'trending', 10).map(({ item }) => item)).toEqual([4]);
});
