import { expect, test } from 'vitest';
import { clicksOf, init, learn, predict } from '../../models/repeats.js';

test('the rate of an item clicked millions of times still follows its shoppers, and all rates stay consistent', () => {
  const state = init();
  const [none, own] = [new Int32Array(0), Int32Array.of(0)];
  const clicks = 5_000_000;
  for (let n = 0; n < clicks; n++) learn(state, n % 4 === 0 ? own : none, 0);
  expect(predict(state, 0)).toBeCloseTo(0.25, 3);
  expect(clicksOf(state, 0)).toBeLessThan(2 ** 23);
  // As a float would have stopped at 2^24: one more habit, and the rate moves on.
  for (let n = 0; n < clicks; n++) learn(state, own, 0);
  expect(predict(state, 0)).toBeGreaterThan(0.6);
  expect(state.allFirst + state.allAgain).toBe(clicksOf(state, 0));
});
