import { expect, test } from 'vitest';
import * as metrics from '../../../models/evaluate/forecast-metrics.js';

const NINE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

function flat(actual: number[], value: number, scale: metrics.Scale): metrics.ScoredSeries {
  return {
    scale,
    actual,
    quantiles: actual.flatMap(() => NINE.map(() => value)),
    means: actual.map(() => value),
    low: actual.map(() => value - 1),
    high: actual.map(() => value + 1),
    open: actual.map(() => true),
  };
}

function scored(...series: metrics.ScoredSeries[]): metrics.ForecastScores {
  const sums = metrics.init();
  for (const one of series) metrics.add(sums, one, NINE);
  return metrics.scores(sums);
}

test('the scale is that of the seasonal naive forecast on the history', () => {
  expect(metrics.seasonalScale([1, 2, 3, 4, 6], 2)).toEqual({ absolute: 7 / 3, square: 17 / 3 });
  expect(metrics.seasonalScale([1, 2], 7)).toEqual({ absolute: 1, square: 1 });
});

test('a point forecast has SQL equal to MASE and WQL equal to its weighted absolute error', () => {
  const scores = scored(flat([4, 8], 5, { absolute: 2, square: 4 }));
  expect(scores.sql).toBeCloseTo((1 + 3) / 2 / 2, 12);
  expect(scores.mase).toBeCloseTo(1, 12);
  expect(scores.wql).toBeCloseTo(4 / 12, 12);
  expect(scores.rmsse).toBeCloseTo(Math.sqrt(5 / 4), 12);
  expect(scores.bias).toBeCloseTo(-2 / 12, 12);
  expect(scores.coverage_80).toBe(0.5);
});

test('quantile loss weighs a miss above by p and below by 1 − p, doubled', () => {
  const one = { ...flat([10], 0, { absolute: 1, square: 1 }), quantiles: NINE.map((p) => 10 * p + 5) };
  const expected = NINE.reduce((sum, p) => {
    const q = 10 * p + 5;
    return sum + (2 * (10 <= q ? (1 - p) * (q - 10) : p * (10 - q))) / 9;
  }, 0);
  expect(scored(one).sql).toBeCloseTo(expected, 12);
});

test('zero everywhere has WQL 1 and bias −1', () => {
  const scores = scored(flat([0, 3, 1], 0, { absolute: 1, square: 1 }), flat([0, 0, 9], 0, { absolute: 3, square: 9 }));
  expect(scores.wql).toBeCloseTo(1, 12);
  expect(scores.bias).toBe(-1);
});

test('RMSSE is the mean over series, the pooled one their root mean square', () => {
  const scores = scored(flat([1], 0, { absolute: 1, square: 1 }), flat([3], 0, { absolute: 1, square: 1 }));
  expect(scores.rmsse).toBeCloseTo(2, 12);
  expect(scores.rmsse_pooled).toBeCloseTo(Math.sqrt(5), 12);
});

test('a series without a scale is left out of the scaled scores, not of the weighted ones', () => {
  const scores = scored(flat([1], 0, { absolute: 0, square: 0 }), flat([2], 0, { absolute: 1, square: 1 }));
  expect(scores.mase).toBe(2);
  expect(scores.wql).toBeCloseTo(1, 12);
  expect(scores.series).toBe(2);
});

test('closed periods do not count as covered', () => {
  const one = { ...flat([5, 0], 5, { absolute: 1, square: 1 }), open: [true, false] };
  expect(scored(one).coverage_80).toBe(1);
});

test('the mean over cut-offs passes over those that had nothing to score', () => {
  const some = scored(flat([2], 0, { absolute: 1, square: 1 }));
  expect(metrics.meanScores([some, metrics.scores(metrics.init())]).mase).toBe(2);
});
