import { expect, test } from 'vitest';
import { liveStockedShop, outsideCount, toldBy } from '../support/stocked-shop.js';

/** Of 56 units in seven days, which is what half of all such weeks stay below. */
const TERMS = { skus: 2, days: 110, unitsADay: 8, leadTimeDays: 3, reviewDays: 4, service: 0.5 };
const MEDIAN = 56;

test.each([['all', 1], ['seven tenths', 0.7]])('a shop that orders %s of what it is told to, and whose shelves are often empty, is told how many cycles its levels cover, and they stay right', (_, follows) => {
  const terms = { ...TERMS, follows };
  const { driver, shelves } = liveStockedShop(terms);
  const [told, outside] = [toldBy(driver), outsideCount(shelves, terms, 40)];
  expect(Math.abs(told.covered - outside.covered)).toBeLessThan(0.1);
  expect(told.cycles).toBeGreaterThan(20);
  expect(told.unseen).toBeGreaterThan(0.05);
  expect(Math.abs(outside.level / MEDIAN - 1)).toBeLessThan(0.08);
});
