import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as liveQuality from '../../models/live-quality.js';

const after = (...ranks: number[]): ReturnType<typeof liveQuality.predict> => {
  const state = liveQuality.init();
  for (const rank of ranks) liveQuality.learn(state, rank);
  return liveQuality.predict(state);
};

test('the first events give a plain mean', () => {
  const { recall_at_20, mrr_at_20, ndcg_at_20 } = after(1, 2, 0, 40);
  expect(recall_at_20).toBeCloseTo(0.5, 9);
  expect(mrr_at_20).toBeCloseTo(1.5 / 4, 9);
  expect(ndcg_at_20).toBeCloseTo((1 + 1 / Math.log2(3)) / 4, 4);
});

test('what is long ago fades', () => {
  expect(after(...Array.from({ length: 3_000 }, () => 1), ...Array.from({ length: 20_000 }, () => 0)).recall_at_20).toBeLessThan(0.01);
});

test('every measure lies within 0 and 1, and untrained at 0', () => {
  expect(after()).toEqual({ recall_at_20: 0, mrr_at_20: 0, ndcg_at_20: 0 });
  fc.assert(fc.property(fc.array(fc.nat({ max: 128 })), (ranks) => {
    for (const value of Object.values(after(...ranks))) expect(value >= 0 && value <= 1.0001).toBe(true);
  }));
});
