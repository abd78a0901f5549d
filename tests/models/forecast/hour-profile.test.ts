import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeShop, HOURS, hourShares, noHours, noShopHours, predictHour, sell, shopProfile, spread, type ShopHours, type SkuHours } from '../../../models/forecast/hour-profile.js';

interface Line {
  readonly sku: number;
  readonly day: number;
  readonly hour: number;
  readonly units: number;
}

interface State {
  readonly skus: readonly SkuHours[];
  readonly lastDays: readonly number[];
  readonly shop: ShopHours;
}

const untrained: State = { skus: [noHours, noHours, noHours], lastDays: [0, 0, 0], shop: noShopHours };

const fit = (lines: readonly Line[], from: State = untrained): State =>
  lines.reduce<State>(({ skus, lastDays, shop }, { sku, day, hour, units }) => {
    const lastDay = Math.max(lastDays[sku]!, day);
    const { hours, change } = sell(skus[sku]!, day, hour, units, lastDay);
    return { skus: skus.with(sku, hours), lastDays: lastDays.with(sku, lastDay), shop: changeShop(shop, day, hour, change) };
  }, from);

const sharesOf = ({ skus, shop }: State, day: number): number[][] => skus.map((sku) => [...hourShares(shopProfile(shop), sku, day)]);
/** How far two states part in any share. */
const distance = (a: State, b: State, day: number): number => {
  const [one, other] = [sharesOf(a, day).flat(), sharesOf(b, day).flat()];
  return Math.max(...one.map((share, i) => Math.abs(share - other[i]!)));
};

const line = fc.record({ sku: fc.integer({ min: 0, max: 2 }), day: fc.integer({ min: 20_000, max: 20_060 }), hour: fc.integer({ min: 0, max: 23 }), units: fc.constantFrom(1, 2, 12, 0.3) });
const inOrder = (lines: readonly Line[]): Line[] => lines.toSorted((a, b) => a.day * HOURS + a.hour - b.day * HOURS - b.hour);

describe('a profile', () => {
  test('of a shop that never sold is flat', () => {
    for (const share of sharesOf(untrained, 20_000)[0]!) expect(share).toBeCloseTo(1 / 24, 12);
  });

  test('is a fold: what was learned in two parts was learned in one', () => {
    fc.assert(fc.property(fc.array(line, { maxLength: 60 }), fc.nat(60), (lines, cut) => {
      const ordered = inOrder(lines);
      expect(fit(ordered.slice(cut), fit(ordered.slice(0, cut)))).toEqual(fit(ordered));
    }), { seed: 1, numRuns: 60 });
  });

  test('of a correction within four weeks is as if it had been known: late lines, refunds of a part or of all, in any order', () => {
    const late = fc.record({ sku: fc.integer({ min: 0, max: 2 }), day: fc.integer({ min: 20_033, max: 20_060 }), hour: fc.integer({ min: 0, max: 23 }), units: fc.constantFrom(1, 5, -1, -2, -0.1) });
    fc.assert(fc.property(fc.array(line, { maxLength: 60 }), fc.array(late, { maxLength: 8 }), (lines, corrections) => {
      const newest = [0, 1, 2].map((sku) => ({ sku, day: 20_060, hour: 23, units: 1 }));
      const known = fit(inOrder([...lines, ...newest, ...corrections]));
      const corrected = fit(corrections, fit([...inOrder(lines), ...newest]));
      expect(corrected.skus).toEqual(known.skus);
      expect(distance(corrected, known, 20_061)).toBeLessThan(1e-12);
    }), { seed: 2, numRuns: 60 });
  });

  test('forgets an hour that was taken back altogether', () => {
    const sold = fit([{ sku: 0, day: 20_000, hour: 9, units: 3 }]);
    const returned = fit([{ sku: 0, day: 20_000, hour: 15, units: 2 }, { sku: 0, day: 20_000, hour: 15, units: -2 }], sold);
    expect(returned.skus).toEqual(sold.skus);
    expect(distance(returned, sold, 20_001)).toBeLessThan(1e-12);
  });

  test('counts hours, not units: a bulk order is one hour', () => {
    const [small, bulk] = [1, 80_000].map((units) => fit([{ sku: 0, day: 20_000, hour: 9, units: 3 }, { sku: 0, day: 20_000, hour: 15, units }]));
    expect(sharesOf(small!, 20_001)).toEqual(sharesOf(bulk!, 20_001));
  });

  test('is the shop\'s by weekday; a SKU parts from it as it sells', () => {
    const lines: Line[] = [];
    for (let day = 20_000; day < 20_400; day++) {
      const isShort = day % 7 === 3;
      for (let hour = 9; hour < (isShort ? 13 : 18); hour++) lines.push({ sku: 0, day, hour, units: 1 }, { sku: 1, day, hour, units: 1 });
      if (!isShort) for (const hour of [16, 17]) lines.push({ sku: 2, day, hour, units: 1 });
    }
    const state = fit(lines);
    const [ordinary, short] = [20_402, 20_401].map((day) => sharesOf(state, day));
    const evening = (shares: readonly number[]): number => shares[16]! + shares[17]!;
    expect(evening(ordinary![0]!)).toBeLessThan(0.3);
    expect(evening(ordinary![2]!)).toBeGreaterThan(0.4);
    expect(evening(ordinary![2]!)).toBeLessThan(0.9);
    short!.forEach((shares, sku) => expect(evening(shares)).toBeLessThan(0.8 * evening(ordinary![sku]!)));
  });

  test('halves in 60 days what it knows', () => {
    const { shop } = fit([{ sku: 0, day: 20_000, hour: 9, units: 1 }, { sku: 0, day: 20_060, hour: 10, units: 1 }]);
    expect(shop.hits.filter((n) => n > 0).toSorted((a, b) => a - b)).toEqual([expect.closeTo(0.5, 12), 1]);
  });
});

describe('the hours of a day', () => {
  const flat = new Float64Array(24).fill(1 / 24);

  test('share all of it, however many they are', () => {
    const ordinary = Array.from({ length: 24 }, (_, hour) => ({ hour, length: 1 }));
    expect(spread(flat, ordinary).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(spread(flat, ordinary.filter(({ hour }) => hour !== 1)).map((share) => 1 / share)).toEqual(Array.from({ length: 23 }, () => expect.closeTo(23, 9)));
    expect(spread(flat, [...ordinary, { hour: 1, length: 1 }])).toHaveLength(25);
    expect(spread(flat, [])).toEqual([]);
  });

  test('of half the length have half the share', () => {
    const [half, whole] = spread(flat, [{ hour: 2, length: 0.5 }, { hour: 3, length: 1 }]);
    expect(2 * half!).toBeCloseTo(whole!, 12);
  });

  test('have quantiles that ascend, nowhere negative or NaN, whatever the day', () => {
    const units = fc.oneof(fc.constantFrom(0, NaN, -1, 1e12), fc.double({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(fc.property(units, units, fc.double({ min: 0, max: 1, noNaN: true }), (mean, dispersion, share) => {
      const hour = predictHour({ mean: Number.isNaN(mean) ? 0 : mean, dispersion }, share, [0.1, 0.5, 0.9]);
      expect(hour.mean).toBeGreaterThanOrEqual(0);
      expect(hour.quantiles).toHaveLength(3);
      expect(hour.quantiles.every((q) => q >= 0)).toBe(true);
      expect(hour.quantiles.toSorted((a, b) => a - b)).toEqual(hour.quantiles);
    }), { seed: 3 });
  });

  test('add up to the day: sums of independent hours are as likely as the day says', () => {
    // Of 24 equal hours, by their distribution function: P(day = 0) is the product of P(hour = 0).
    const day = { mean: 3, dispersion: 0.8 };
    const zeroOf = (mean: number, dispersion: number): number => (1 + dispersion * mean) ** (-1 / dispersion);
    const [below, above] = [-1e-9, 1e-9].map((by) => predictHour(day, 1 / 24, [zeroOf(day.mean, day.dispersion) ** (1 / 24) + by]).quantiles[0]);
    expect([below, above]).toEqual([0, 1]);
  });
});
