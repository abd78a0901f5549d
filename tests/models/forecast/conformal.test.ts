import { expect, test } from 'vitest';
import { ends, init, learn, learnOverall, unitsAt, type Tails } from '../../../models/forecast/conformal.js';

const NINE = Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9);

const intervalOf = (tails: Tails, quantiles: Float64Array) => {
  const { low, high } = ends(tails, 0, NINE);
  return { low: unitsAt(low, quantiles, 0), high: unitsAt(high, quantiles, 0) };
};

/** Uniform on [0, 1), dense and without chance. */
function weyl(i: number): number {
  return (i * 0.6180339887498949) % 1;
}

function livedCoverage(stretch: number): number {
  const tails = init(1, 0.8);
  let covered = 0;
  const rounds = 4_000;
  for (let i = 0; i < rounds; i++) {
    const quantiles = NINE.map((p) => 100 + stretch * (p - 0.5));
    const { low, high } = intervalOf(tails, quantiles);
    const y = 100 + weyl(i) - 0.5;
    const hit = y >= low && y <= high;
    if (i >= rounds / 4 && hit) covered++;
    learn(tails, 0, hit ? 0 : 1, 1);
  }
  return covered / (rounds * 0.75);
}

test('coverage holds in the long run, be the quantiles right, half or double as wide', () => {
  for (const stretch of [1, 0.5, 2]) expect(Math.abs(livedCoverage(stretch) - 0.8)).toBeLessThan(0.02);
});

test('untrained, the interval is that of the outer quantiles', () => {
  expect(intervalOf(init(1, 0.8), NINE)).toEqual({ low: expect.closeTo(0.1, 9), high: expect.closeTo(0.9, 9) });
});

test('an interval is never negative or reversed', () => {
  const tails = init(1, 0.8);
  for (let i = 0; i < 1_000; i++) learn(tails, 0, 1, 1);
  const wide = intervalOf(tails, NINE.map((p) => p * 10));
  expect(wide.low).toBe(0);
  expect(wide.high).toBeGreaterThan(9);
  for (let i = 0; i < 5_000; i++) learn(tails, 0, 0, 1);
  const narrow = intervalOf(tails, NINE.map((p) => p * 10));
  expect(narrow.high).toBeGreaterThanOrEqual(narrow.low);
});

test('the groups make up for one that cannot miss, by a few points at most', () => {
  const tails = init(2, 0.8);
  for (let i = 0; i < 10_000; i++) learnOverall(tails, 5, 100);
  expect(tails.target).toBeCloseTo(0.76, 6);
});
