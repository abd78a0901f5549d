import fc from 'fast-check';
import { expect, test } from 'vitest';
import { correlationOf, learn, unlearned, type SharedError, type Stretch } from '../../../models/inventory/shared-error.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

/** A fortnight of days with a mean of `rate` and a deviation of its root, as what is sold at a steady rate has. */
const fortnight = (rate: number): Stretch => ({ days: 14, mean: 14 * rate, squares: 14 * rate, products: 14 * 13 * rate });

/** What fortnights came to whose days err together so far: normal, with that correlation. */
function taught(rate: number, correlation: number, count = 2_000): SharedError {
  const random = randomness(3);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
  const stretch = fortnight(rate);
  const deviation = Math.sqrt(stretch.squares + correlation * stretch.products);
  return Array.from({ length: count }).reduce<SharedError>((state) => learn(state, stretch, [stretch.mean + deviation * normal()]), unlearned);
}

test('the correlation of days is found, within its bounds, and 0.1 before anything is known', () => {
  expect(correlationOf(unlearned, 2)).toBeCloseTo(0.1, 12);
  expect(Math.abs(correlationOf(taught(2, 0), 2))).toBeLessThan(0.01);
  expect(Math.abs(correlationOf(taught(2, 0.07), 2) - 0.07)).toBeLessThan(0.02);
  expect(correlationOf(taught(2, 0.5), 2)).toBe(0.15);
});

test('what is learned of SKUs that sell two a day says nothing of those that sell one a week or twenty a day', () => {
  const state = taught(2, 0);
  expect([1 / 7, 20].map((rate) => correlationOf(state, rate))).toEqual([0.1, 0.1].map((rho) => expect.closeTo(rho, 12) as number));
  expect(correlationOf(state, 2.5)).toBe(correlationOf(state, 2));
});

test('one order of a million counts as one fortnight of bad luck, and is forgotten', () => {
  const steady = taught(2, 0, 200);
  let state = learn(steady, fortnight(2), [1e6]);
  expect(correlationOf(state, 2) - correlationOf(steady, 2)).toBeLessThan(0.15);
  for (let i = 0; i < 500; i++) state = learn(state, fortnight(2), [28 + (i % 2 === 0 ? 5 : -5)]);
  expect(correlationOf(state, 2)).toBeLessThan(0.01);
});

test('years of steady sales do not keep a shop from finding that its days err together now', () => {
  let state = taught(2, 0, 10_000);
  expect(correlationOf(state, 2)).toBeLessThan(0.01);
  const { mean, squares, products } = fortnight(2);
  const off = Math.sqrt(squares + 0.12 * products);
  for (let i = 0; i < 3_000; i++) state = learn(state, fortnight(2), [mean + (i % 2 === 0 ? off : -off)]);
  expect(correlationOf(state, 2)).toBeGreaterThan(0.1);
});

test('a single day, or no demand, says nothing of how days err together', () => {
  expect(learn(unlearned, { days: 1, mean: 2, squares: 2, products: 0 }, [9])).toBe(unlearned);
  expect(learn(unlearned, { days: 14, mean: 0, squares: 0, products: 0 }, [9])).toBe(unlearned);
  expect(learn(unlearned, { days: 14, mean: 0, squares: 0, products: Number.MIN_VALUE }, [0])).toBe(unlearned);
});

test('it is a number from 0 to 0.15, whatever came', () => {
  const stretch = fc.record({ days: fc.integer({ min: 1, max: 28 }), mean: fc.double({ min: 0, max: 1e9, noNaN: true }), squares: fc.double({ min: 0, max: 1e12, noNaN: true }), products: fc.double({ min: 0, max: 1e12, noNaN: true }) });
  fc.assert(fc.property(fc.array(fc.tuple(stretch, fc.double({ min: 0, max: 1e12, noNaN: true }))), fc.double({ min: 0, max: 1e12, noNaN: true }), (lived, rate) => {
    const state = lived.reduce<SharedError>((known, [one, came]) => learn(known, one, [came]), unlearned);
    const rho = correlationOf(state, rate);
    expect(rho >= 0 && rho <= 0.15).toBe(true);
  }));
});
