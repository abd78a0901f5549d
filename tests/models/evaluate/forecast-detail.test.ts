import { expect, test } from 'vitest';
import * as detail from '../../../models/evaluate/forecast-detail.js';

const series = (actual: number[], quantiles: number[], absolute = 1) => ({
  actual, quantiles, scale: { absolute, square: 1 }, means: actual, low: actual, high: actual, open: actual.map(() => true),
});

test('the error of a lead is that of its period, in units of the scale', () => {
  const sums = detail.init(2, Float64Array.of(0.5));
  detail.add(sums, series([3, 4], [3, 2], 2));
  expect(detail.byHorizon(sums)).toEqual([0, 1]);
});

test('a series that never moved has no scale and no part in the error', () => {
  const sums = detail.init(1, Float64Array.of(0.5));
  detail.add(sums, series([3], [1], 0));
  expect(detail.byHorizon(sums)).toEqual([0]);
});

test('the gallery finds one series of each kind', () => {
  const gallery = detail.gallery();
  const of = (make: (t: number) => number): Float64Array => Float64Array.from({ length: 70 }, (_, t) => make(t));
  const histories = [of((t) => 20 + (t % 2)), of((t) => (t % 7 === 0 ? 2 : 0)), of((t) => (t > 45 ? 30 : 4)), of((t) => (t < 40 ? 9 : 0))];
  histories.forEach((history, sku) => detail.consider(gallery, { sku, history, actual: of(() => 1), quantiles: of(() => 1) }, 7));
  expect(detail.examples(gallery).map(({ kind, sku }) => [kind, sku]).sort()).toEqual([['dead', 3], ['intermittent', 1], ['steady', 0], ['trending', 2]]);
});
