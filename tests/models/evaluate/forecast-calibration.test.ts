import { expect, test } from 'vitest';
import * as calibration from '../../../models/evaluate/forecast-calibration.js';
import { negativeBinomialQuantiles } from '../../../models/forecast/negative-binomial.js';

const probabilities = Float64Array.from({ length: 9 }, (_, i) => (i + 1) / 10);

const series = (actual: number[], quantiles: number[], open = true) => ({
  actual, quantiles, scale: { absolute: 1, square: 1 }, means: actual, low: actual, high: actual, open: actual.map(() => open),
});

/** Nine quantiles tell the mass of a count to some 0.05. Every count by its own quantile, so often as it is likely: evenly spread probabilities turned into counts. */
function judged(mean: number, dispersion: number, claimed: number): calibration.Counts {
  const counts = calibration.init(probabilities);
  const quantiles: number[] = [];
  negativeBinomialQuantiles(claimed, dispersion, probabilities, quantiles);
  const drawn: number[] = [];
  negativeBinomialQuantiles(mean, dispersion, Float64Array.from({ length: 1_000 }, (_, i) => (i + 0.5) / 1_000), drawn);
  for (const y of drawn) calibration.add(counts, series([y], quantiles));
  return counts;
}

test.each([[0.05, 1], [0.4, 2], [3, 0.5], [40, 0.3], [500, 0.1]])('counts of mean %d drawn from the forecast are covered as promised', (mean, dispersion) => {
  const counts = judged(mean, dispersion, mean);
  expect(Math.abs(calibration.sharedCoverage(counts) - 0.8)).toBeLessThan(0.06);
  for (const { probability, below, atMost } of calibration.calibration(counts)) {
    expect(below).toBeLessThanOrEqual(probability + 1e-3);
    expect(atMost).toBeGreaterThanOrEqual(probability - 0.01);
  }
});

test.each([[0.4, 0.05], [3, 12], [12, 3]])('of counts of mean %d forecasts of %d cover less', (mean, claimed) => {
  expect(calibration.sharedCoverage(judged(mean, 0.5, claimed))).toBeLessThan(0.72);
});

test('a closed period says nothing, and nothing at all has no coverage', () => {
  const counts = calibration.init(probabilities);
  calibration.add(counts, series([0], Array.from(probabilities, () => 0), false));
  expect(counts.counted).toBe(0);
  expect(calibration.sharedCoverage(counts)).toBeNaN();
});

test('fractions of units count where they are', () => {
  const counts = calibration.init(probabilities);
  for (let i = 0; i < 100; i++) calibration.add(counts, series([0.005 + i / 100], [...probabilities]));
  expect(calibration.sharedCoverage(counts)).toBeCloseTo(0.8, 6);
});
