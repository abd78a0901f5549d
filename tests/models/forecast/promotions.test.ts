import fc from 'fast-check';
import { expect, test } from 'vitest';
import { capped } from '../../../models/forecast/capped-sales.js';
import { factorOf, isPromoted, isUsual, learn, noSales, promoted, told, usualDays, type Promotion, type SaleSums } from '../../../models/forecast/promotions.js';

/** So many SKUs sell so many typical sales each, and one of each was expected. */
const day = (skus: number, times: number): SaleSums => {
  const { made, beyond3, beyond6 } = capped(times);
  return { saleMade: skus * made, saleBeyond3: skus * beyond3, saleBeyond6: skus * beyond6, saleExpected: skus };
};

test('the factor is what promoted SKUs sold over what they would have; little evidence leaves it near 1', () => {
  expect(factorOf(noSales)).toBe(1);
  expect(factorOf(learn(noSales, day(1, 3)))).toBeLessThan(1.2);
  let sums = noSales;
  for (let i = 0; i < 300; i++) sums = learn(sums, day(10, 2.5));
  expect(factorOf(sums)).toBeGreaterThan(2.4);
  expect(factorOf(sums)).toBeLessThan(2.5);
});

test('a promotion that sells five times as much is told from one of three times, and a bulk order is no promotion', () => {
  const after = (times: number): number => factorOf(Array.from({ length: 20 }, () => day(10, times)).reduce(learn, noSales));
  expect([after(3), after(4), after(5)]).toEqual([3, 4, 5].map((times) => expect.closeTo(times, 0)));
  expect(after(5)).toBeGreaterThan(4.5);
  const bulk = [day(1, 1), day(1, 1_000), day(1, 1)].reduce(learn, noSales);
  expect(factorOf(bulk)).toBeGreaterThan(1);
  expect(factorOf(bulk)).toBeLessThan(1.15);
});

test('what a SKU usually sells shows on days without a promotion, or with one that has no end', () => {
  const promotions: readonly Promotion[] = [{ from: 3, to: 5 }, { from: 9, to: null }];
  expect([2, 3, 5, 6, 9, 20].map((of) => isUsual(promotions, of))).toEqual([true, false, false, true, true, true]);
  fc.assert(fc.property(fc.nat(12), fc.nat(12), (from, more) => {
    expect(usualDays(promotions, from, from + more)).toBe(Array.from({ length: more }, (_, i) => from + i).filter((of) => isUsual(promotions, of)).length);
  }));
});

const some = fc.double({ min: -10, max: 1e6, noNaN: true });
const sums: fc.Arbitrary<SaleSums> = fc.record({ saleMade: some, saleBeyond3: some, saleBeyond6: some, saleExpected: fc.double({ min: 0, max: 1e6, noNaN: true }) });

test('the factor stays between a half and six, and a day without promotions teaches nothing', () => {
  fc.assert(fc.property(fc.array(sums), (days) => {
    const factor = factorOf(days.reduce(learn, noSales));
    expect(factor >= 0.5 && factor <= 6).toBe(true);
  }));
  expect(learn(noSales, { ...day(1, 5), saleExpected: 0 })).toBe(noSales);
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
