import fc from 'fast-check';
import { expect, test } from 'vitest';
import { init, learn, replay } from '../../../models/inventory/base-stock-learning.js';

const COSTS = { shortage: 4, excess: 1 };

test('a level that is wrong learns its way to the newsvendor quantile', () => {
  const state = init(0);
  for (let i = 0; i < 5_000; i++) learn(state, (i * 37) % 100, COSTS, 50);
  // Demand is uniform on 0 … 99; the quantile 4/5 is 80.
  expect(Math.abs(state.level - 80)).toBeLessThan(5);
});

test('learning costs less than a textbook level that is far off, and no less than hindsight', () => {
  const demands = Array.from({ length: 300 }, (_, i) => 40 + ((i * 37) % 21));
  const costs = replay(demands, 10, COSTS, 20);
  expect(costs.learned).toBeLessThan(0.5 * costs.textbook);
  expect(costs.learned).toBeGreaterThanOrEqual(costs.hindsight);
});

test('the level stays between zero and its bound, whatever the demand and the costs', () => {
  const cost = fc.oneof(fc.constant(0), fc.constant(Infinity), fc.double({ min: 0, max: 1e6, noNaN: true }));
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), cost, cost, (demands, shortage, excess) => {
      const state = init(5);
      for (const demand of demands) learn(state, demand, { shortage, excess }, 10, 300);
      expect(state.level >= 0 && state.level <= 300).toBe(true);
    }),
  );
});
