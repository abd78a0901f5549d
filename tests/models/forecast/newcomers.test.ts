import fc from 'fast-check';
import { expect, test } from 'vitest';
import { imaginedPeriods, learn, noNewcomers, type Newcomers } from '../../../models/forecast/newcomers.js';

const after = (days: readonly (readonly [newcomers: number, hits: number])[]): Newcomers => days.reduce((known, [newcomers, hits]) => learn(known, newcomers, hits), noNewcomers);
const chance = (known: Newcomers): number => 1 / (imaginedPeriods(known) + 1);

test('until something is known a new SKU sells every fourth day; then as those before it, and a few say little', () => {
  expect(imaginedPeriods(noNewcomers)).toBe(3);
  expect(chance(after(Array.from({ length: 200 }, () => [1, 6.5] as const)))).toBeCloseTo(0.49, 2);
  expect(chance(after(Array.from({ length: 200 }, () => [1, 0] as const)))).toBeLessThan(0.015);
  expect(chance(after([[1, 13]]))).toBeLessThan(0.4);
});

test('a shop that changes is known after some hundred new SKUs, and one that begins with thousands has not learned its last word', () => {
  const began = after([[5_000, 5_000 * 13]]);
  expect(chance(began)).toBeGreaterThan(0.9);
  expect(chance(after([[5_000, 5_000 * 13], ...Array.from({ length: 300 }, () => [1, 1.3] as const)]))).toBeCloseTo(0.14, 1);
});

test('whatever is learned stays within bounds', () => {
  const day = fc.integer({ min: 0, max: 3_000 }).chain((newcomers) => fc.tuple(fc.constant(newcomers), fc.integer({ min: 0, max: 13 * newcomers })));
  fc.assert(fc.property(fc.array(day, { maxLength: 60 }), (days) => {
    const periods = imaginedPeriods(after(days));
    expect(periods > 0 && periods < 84).toBe(true);
  }));
});
