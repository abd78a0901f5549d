import { expect, test } from 'vitest';
import { addRank, addShown, rankingTotals, rankOf, recallAt, summarize } from '../../../models/evaluate/ranking-metrics.js';

test('measures of four queries, worked out by hand', () => {
  const totals = rankingTotals(20);
  for (const rank of [1, 4, 0, 21]) addRank(totals, rank);
  const metrics = summarize(totals, 10);
  expect(metrics.hitRate).toBe(0.5);
  expect(metrics.mrr).toBeCloseTo((1 + 1 / 4) / 4, 10);
  expect(metrics.ndcg).toBeCloseTo((1 + 1 / Math.log2(5)) / 4, 10);
  expect(metrics.f1).toBeCloseTo((2 * 0.025 * 0.5) / 0.525, 10);
});

test('recall at any k is the share of ranks within it', () => {
  const ranks = Int32Array.of(1, 4, 0, 21, 5, 10);
  expect([5, 10, 20].map((k) => recallAt(ranks, k))).toEqual([3 / 6, 4 / 6, 4 / 6]);
  expect(recallAt(new Int32Array(0), 5)).toBe(0);
});

test('ties and NaN count against the target', () => {
  const items = Int32Array.of(7, 8, 9, 10);
  expect(rankOf(8, items, Float32Array.of(1, 1, 1, 0), 4)).toBe(3);
  expect(rankOf(8, items, Float32Array.of(Number.NaN, 1, 0, 0), 4)).toBe(2);
  expect(rankOf(8, items, Float32Array.of(1, Number.NaN, 0, 0), 4)).toBe(4);
  expect(rankOf(10, items, Float32Array.of(1, 1, 1, 0), 3)).toBe(0);
});

test('coverage and novelty count what was shown', () => {
  const totals = rankingTotals(2);
  addRank(totals, 1);
  addShown(totals, 1, 0.5);
  addShown(totals, 2, 0.125);
  // Something new that a shopper clicked before the catalogue knew it: shown, but no part of the catalogue.
  addShown(totals, 99, 0);
  const metrics = summarize(totals, 8);
  expect(metrics.coverage).toBe(0.25);
  expect(metrics.novelty).toBeGreaterThan(2);
});

test('intervals hold the figure, and nothing asked gives zeros', () => {
  const totals = rankingTotals(10);
  for (let n = 0; n < 50; n++) addRank(totals, n % 3);
  const { hitRate, hitRateInterval, mrr, mrrInterval } = summarize(totals, 1);
  expect(hitRateInterval[0]).toBeLessThan(hitRate);
  expect(hitRateInterval[1]).toBeGreaterThan(hitRate);
  expect(mrrInterval[0]).toBeLessThan(mrr);
  expect(Object.values(summarize(rankingTotals(10), 0)).flat().every((value) => value === 0)).toBe(true);
});
