import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chanceOfOrder, NO_OUTCOMES, withVisit } from '../../models/propensity/visit-outcomes.js';

test('nothing is said by nobody, nor by fewer than a hundred visits; by a hundred half of it is what all say', () => {
  expect(chanceOfOrder(NO_OUTCOMES, NO_OUTCOMES)).toBe(0);
  expect(chanceOfOrder({ visits: 99, orders: 99 }, { visits: 99, orders: 99 })).toBe(0);
  expect(chanceOfOrder({ visits: 100, orders: 50 }, { visits: 1_000, orders: 100 })).toBeCloseTo((0.5 + 0.1) / 2, 12);
  expect(chanceOfOrder({ visits: 9_900, orders: 4_950 }, { visits: 9_999, orders: 0 })).toBeCloseTo(0.495, 12);
});

test('a chance lies between what visits alike and what all say', () => {
  const outcomes = (least: number): fc.Arbitrary<{ visits: number; orders: number }> =>
    fc.integer({ min: least, max: 10_000 }).chain((visits) => fc.integer({ min: 0, max: visits }).map((orders) => ({ visits, orders })));
  fc.assert(fc.property(outcomes(100), outcomes(1), (alike, all) => {
    const shares = [alike.orders / alike.visits, all.orders / all.visits];
    const chance = chanceOfOrder(alike, all);
    expect(chance).toBeGreaterThanOrEqual(Math.min(...shares) - 1e-12);
    expect(chance).toBeLessThanOrEqual(Math.max(...shares) + 1e-12);
  }));
});

test('counts stay whole and below ten thousand, and follow a shop that changes', () => {
  let counts = NO_OUTCOMES;
  for (let visit = 0; visit < 50_001; visit++) counts = withVisit(counts, visit % 4 === 0);
  expect(counts.visits).toBeLessThan(10_000);
  expect(counts.orders / counts.visits).toBeCloseTo(0.25, 3);
  for (let visit = 0; visit < 30_000; visit++) counts = withVisit(counts, false);
  expect(counts.orders / counts.visits).toBeLessThan(0.05);
  expect([counts.visits, counts.orders].every(Number.isInteger)).toBe(true);
});
