import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isZero, negativeBinomialQuantiles, normalQuantile, settle, unitOf, walkedDispersion, walkedMean } from '../../../models/forecast/negative-binomial.js';
import { workspaceOf } from '../../../models/forecast/quantile-workspace.js';

const NINE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

function quantiles(mean: number, dispersion: number, probabilities: readonly number[] = NINE): number[] {
  const out: number[] = [];
  negativeBinomialQuantiles(mean, dispersion, probabilities, out);
  return out;
}

test('a geometric count (φ = 1) has the quantiles of its closed form', () => {
  // P(y ≤ k) = 1 − (μ / (1 + μ))^(k + 1)
  const mean = 3;
  const expected = NINE.map((p) => Math.max(0, Math.ceil(Math.log(1 - p) / Math.log(mean / (1 + mean)) - 1 - 1e-12)));
  expect(quantiles(mean, 1)).toEqual(expected);
});

test('a Poisson count of mean 2 has the textbook quantiles', () => {
  expect(quantiles(2, 0, [0.1, 0.5, 0.9, 0.99])).toEqual([0, 2, 4, 6]);
});

test('the walk and the cube agree where they meet', () => {
  for (const dispersion of [0, 0.05, 0.15, 0.5, 2]) {
    const below = quantiles(64, dispersion);
    const above = quantiles(64.001, dispersion);
    below.forEach((count, i) => expect(Math.abs(count - (above[i] ?? NaN))).toBeLessThanOrEqual(1.2));
  }
});

test('normal quantiles are those of the tables', () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 5);
  expect(normalQuantile(0.1)).toBeCloseTo(-1.281552, 5);
  expect(normalQuantile(0.001)).toBeCloseTo(-3.090232, 5);
});

test('quantiles are never negative, NaN or crossing, whatever the mean and dispersion', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true }), fc.constant(NaN)),
      fc.oneof(fc.double({ min: -5, max: 1e9, noNaN: true }), fc.double({ min: 0, max: 3, noNaN: true }), fc.constant(NaN)),
      (mean, dispersion) => {
        const found = quantiles(mean, dispersion, [0.001, ...NINE, 0.999]);
        found.forEach((count, i) => {
          expect(Number.isFinite(count)).toBe(true);
          expect(count).toBeGreaterThanOrEqual(i === 0 ? 0 : (found[i - 1] ?? NaN));
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('walks that are taken together end where each would alone', () => {
  const probabilities = [...NINE, 0.999];
  const mean = fc.oneof(fc.double({ min: 1e-3, max: 64, noNaN: true }), fc.double({ min: 64, max: 1e5, noNaN: true }));
  const dispersion = fc.oneof(fc.constant(0), fc.double({ min: -1, max: 20, noNaN: true }));
  fc.assert(fc.property(fc.array(fc.tuple(mean, dispersion), { minLength: 1, maxLength: 9 }), (walks) => {
    const n = probabilities.length;
    const workspace = workspaceOf(Float64Array.from(probabilities), walks.length, 1, 1);
    walks.forEach(([mu, phi], i) => {
      workspace.walkMeans[i] = walkedMean(mu);
      workspace.walkDispersions[i] = walkedDispersion(mu, phi);
      workspace.walkUnits[i] = unitOf(mu);
      workspace.walkOuts[2 * i] = workspace.firstAddress + 8 * n * i;
    });
    workspace.walk(walks.length);
    walks.forEach(([mu, phi], i) => {
      if (!isZero(mu, 0.999)) settle(mu, phi, probabilities, workspace.quantiles, i * n);
      expect([...workspace.quantiles.subarray(i * n, (i + 1) * n)]).toEqual(quantiles(mu, phi, probabilities));
    });
  }));
});
