import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factorOf, isPromoted, learn, noSales, promoted, told, type Promotion } from '../../../models/forecast/promotions.js';

test('the factor is what promoted SKUs sold over what they would have; little evidence leaves it near 1', () => {
  expect(factorOf(noSales)).toBe(1);
  expect(factorOf(learn(noSales, 3, 1))).toBeLessThan(1.2);
  let sums = noSales;
  for (let day = 0; day < 300; day++) sums = learn(sums, 25, 10);
  expect(factorOf(sums)).toBeGreaterThan(2.4);
  expect(factorOf(sums)).toBeLessThan(2.5);
});

test('the factor stays between a half and six, and a day without promotions teaches nothing', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.double({ min: -10, max: 1e6, noNaN: true }), fc.double({ min: 0, max: 1e6, noNaN: true }))), (days) => {
    const factor = factorOf(days.reduce((sums, [made, expected]) => learn(sums, made, expected), noSales));
    expect(factor >= 0.5 && factor <= 6).toBe(true);
  }));
  expect(learn(noSales, 5, 0)).toBe(noSales);
});

test('closed days stay closed, others are worth the factor more', () => {
  const worth = promoted([{ from: 10, to: 12 }], 2, (day) => (day === 11 ? -1 : 1));
  expect([9, 10, 11, 12, 13].map(worth)).toEqual([1, 2, -1, 2, 1]);
});

test('what the feed says now replaces what was still to come, and leaves what is over', () => {
  const over: Promotion = { from: 1, to: 3 };
  const coming: Promotion = { from: 20, to: 25 };
  expect(told([over], coming, 10)).toEqual([over, coming]);
  expect(told([over, coming], { from: 30, to: 31 }, 10)).toEqual([over, { from: 30, to: 31 }]);
  expect(told([over, coming], undefined, 10)).toEqual([over]);
  expect(told([over, coming], undefined, 22)).toEqual([over, { from: 20, to: 21 }]);
  expect(told([over, coming], { from: 20, to: 28 }, 22)).toEqual([over, { from: 20, to: 28 }]);
});

test('one without an end lasts as long as it is said', () => {
  const since = told([], { from: 5, to: null }, 5);
  expect(told(since, { from: 9, to: null }, 9)).toEqual([{ from: 5, to: null }]);
  expect(told(since, undefined, 9)).toEqual([{ from: 5, to: 8 }]);
});

test('however often a feed changes its mind, a SKU keeps twelve promotions at most, none overlapping', () => {
  const said = fc.option(fc.tuple(fc.nat(60), fc.option(fc.nat(10), { nil: null })), { nil: undefined });
  fc.assert(fc.property(fc.array(said, { maxLength: 40 }), (feed) => {
    let [promotions, today]: [readonly Promotion[], number] = [[], 0];
    for (const one of feed) {
      promotions = told(promotions, one && { from: one[1] === null ? today : one[0], to: one[1] === null ? null : one[0] + one[1] }, today++);
      expect(promotions.length).toBeLessThanOrEqual(12);
      for (let day = 0; day < 80; day++) expect(promotions.filter((promotion) => isPromoted([promotion], day)).length).toBeLessThanOrEqual(1);
    }
  }));
});
