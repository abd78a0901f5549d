import fc from 'fast-check';
import { expect, test } from 'vitest';
import { capped, noCapped, timesExpected, type CappedSales } from '../../../models/forecast/capped-sales.js';

const sumOf = (sales: readonly number[]): CappedSales => sales.map(capped).reduce((sum, one) => ({
  made: sum.made + one.made, beyond3: sum.beyond3 + one.beyond3, beyond6: sum.beyond6 + one.beyond6,
}), noCapped);

test('where all sell so many times as much, it is so many times', () => {
  for (const times of [0, 0.3, 1, 2, 3, 5, 6]) expect(timesExpected(sumOf(Array.from({ length: 30 }, () => times)), 30)).toBeCloseTo(times, 9);
});

test('a bulk order counts for three, however large it is, and a tenth of all orders that are bulk for little more', () => {
  const ordinary = Array.from({ length: 99 }, () => 1);
  for (const units of [3.1, 5, 18, 1e9]) expect(timesExpected(sumOf([...ordinary, units]), 100)).toBeLessThan(1.022);
  expect(timesExpected(sumOf([...ordinary.slice(9), ...Array.from({ length: 10 }, () => 1_000)]), 100)).toBeLessThan(1.3);
});

test('among many that sell five times as much a bulk order counts for fifteen', () => {
  const many = Array.from({ length: 99 }, () => 5);
  expect(timesExpected(sumOf([...many, 1e6]), 100)).toBeCloseTo((99 * 5 + 15) / 100, 1);
});

test('it is no less than with a cap of three and no more than with one of eighteen, and solves its own equation where no sale lies inside a band', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom<number>(0, 0.5, 1, 3, 6, 18, 100), { minLength: 1, maxLength: 40 }), fc.double({ min: 0.1, max: 50, noNaN: true }), (sales, expected) => {
    const times = timesExpected(sumOf(sales), expected);
    const atMost = (cap: number): number => sales.reduce((sum, one) => sum + Math.min(one, cap), 0) / expected;
    expect(times).toBeGreaterThanOrEqual(atMost(3) - 1e-9);
    expect(times).toBeLessThanOrEqual(atMost(18) + 1e-9);
    expect(times > 6 || Math.abs(times - atMost(3 * Math.max(1, times))) < 1e-6).toBe(true);
  }));
});

test('sums that corrections have left below zero, or that have no bands yet, are a ratio all the same', () => {
  expect(timesExpected({ made: 8, beyond3: -2, beyond6: -1 }, 4)).toBe(2);
  expect(timesExpected({ made: -1e-9, beyond3: 0, beyond6: 0 }, 4)).toBe(0);
});
