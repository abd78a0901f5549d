import fc from 'fast-check';
import { expect, test } from 'vitest';
import { init, learn } from '../../../models/forecast/expert-bank.js';
import { ALL, EXPERTS, predict } from '../../../models/forecast/expert-quantiles.js';
import { hurdleQuantiles, sizeWeights, sortSizes, weighSizes } from '../../../models/forecast/sale-sizes.js';

const NINE = Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9);

/** The row of a SKU that sold so much in each of these periods. */
function sold(units: readonly number[]): ReturnType<typeof init> {
  const bank = init(1, 7);
  units.forEach((each, period) => learn(bank, 0, each, 1, period % 7));
  return bank;
}

test('a SKU that always sells three has three at every quantile that is no zero', () => {
  const count = sortSizes(sold(Array.from({ length: 60 }, () => 3)), 0);
  expect(weighSizes(sizeWeights(0.9), count)).toBeCloseTo(3, 5);
  const out = new Float64Array(18);
  hurdleQuantiles(2, Float64Array.of(0.45, 1), Float64Array.of(1, 2), NINE, out, 0, 9);
  expect(Array.from(out, (q) => Number(q.toFixed(5)))).toEqual([0, 0, 0, 0, 0, 3, 3, 3, 3, 6, 6, 6, 6, 6, 6, 6, 6, 6]);
});

test('between the mid-points of their weights sizes are interpolated', () => {
  const count = sortSizes(sold([8, 4]), 0);
  // Of a weight of 1.5 the newer one, four, has 1 with its middle at 1/3, the older one 0.5 with its middle at 5/6; sold every day, sizes are what was sold.
  const mean = weighSizes(sizeWeights(0.5), count);
  const out = new Float64Array(3);
  hurdleQuantiles(1, Float64Array.of(1), Float64Array.of(1), Float64Array.of(1 / 3, 7 / 12, 5 / 6), out, 0, 3);
  const [low = NaN, middle = NaN, high = NaN] = out;
  expect(high / low).toBeCloseTo(2, 1);
  expect(middle).toBeCloseTo((low + high) / 2, 9);
  expect(mean).toBeCloseTo((2 * low + high) / 3, 9);
});

test('a SKU that never sold has zeros, whatever its chance', () => {
  expect(weighSizes(sizeWeights(0.9), sortSizes(init(1, 7), 0))).toBe(0);
  const out = new Float64Array(9).fill(NaN);
  hurdleQuantiles(1, Float64Array.of(0.5), Float64Array.of(1), NINE, out, 0, 9);
  expect([...out]).toEqual([...new Float64Array(9)]);
});

test('an expert says the same whoever else is asked', () => {
  const days = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 })), { minLength: 20, maxLength: 120 });
  const periods = [1, 6, 9].map((ahead) => ({ exposure: 0.8 + ahead / 20, phase: ahead % 7, ahead }));
  fc.assert(fc.property(days, fc.subarray([...ALL], { minLength: 1 }), (units, asked) => {
    const bank = sold(units);
    const answers = (experts: readonly number[]): Float64Array => {
      const out = new Float64Array(periods.length * EXPERTS.length * 9);
      predict(bank, 0, periods, NINE, out, new Float64Array(periods.length * EXPERTS.length), experts);
      return out;
    };
    const [all, some] = [answers(ALL), answers(asked)];
    const of = (said: Float64Array): number[] => [...said].filter((_, i) => asked.includes(Math.floor(i / 9) % EXPERTS.length));
    expect(of(some)).toEqual(of(all));
  }));
});
