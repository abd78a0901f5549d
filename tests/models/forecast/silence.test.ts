import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as demand from '../../../models/forecast/demand-forecaster.js';
import { init, learn, onSale, surpriseOf } from '../../../models/forecast/expert-bank.js';
import * as silence from '../../../models/forecast/silence.js';

const NINE = Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9);

/** Forty SKUs that sell as they please, and one that is silent from `last` on for as long as asked. */
function afterSilence(units: (day: number) => number, last: number, silent: number): { model: demand.DemandForecaster; forecast: demand.SkuForecast } {
  const model = demand.init({ skus: 41, seasonPeriods: 7, horizon: 28, probabilities: [...NINE] });
  const row = new Float64Array(41);
  for (let day = 0; day < last + silent; day++) {
    for (let sku = 0; sku < 40; sku++) row[sku] = (Math.imul(day * 41 + sku + 1, 0x9e3779b1) >>> 30) + 1;
    row[40] = day < last ? units(day) : 0;
    demand.learn(model, row);
  }
  const forecast = demand.blankForecast(model);
  demand.predict(model, 40, forecast);
  return { model, forecast };
}

const twentyADay = (day: number): number => 17 + ((day * 5) % 7);

test('what sold twenty a day and has sold nothing for a week is hardly expected tomorrow, and more as days go by', () => {
  const before = afterSilence(twentyADay, 200, 0).forecast;
  const { means, quantiles, low } = afterSilence(twentyADay, 200, 7).forecast;
  expect(before.means[0]).toBeGreaterThan(17);
  expect(means[0]! / before.means[0]!).toBeLessThan(0.05);
  expect([quantiles[0], quantiles[8], low[0]]).toEqual([0, 0, 0]);
  expect(means[27]! / before.means[27]!).toBeGreaterThan(0.15);
  for (let t = 7; t < 28; t++) expect(means[t]).toBeGreaterThan(means[t - 7]!);
});

test('it comes back as it went', () => {
  const before = afterSilence(twentyADay, 200, 0).forecast;
  const { model } = afterSilence(twentyADay, 200, 60);
  const row = new Float64Array(41).fill(2);
  for (let day = 260; day < 262; day++) {
    row[40] = 20;
    demand.learn(model, row);
  }
  const again = demand.blankForecast(model);
  demand.predict(model, 40, again);
  expect(Math.abs(again.means[0]! / before.means[0]! - 1)).toBeLessThan(0.25);
});

test('one empty day of a daily seller, and a month without a sale of a rare one, prove nothing', () => {
  const full = afterSilence(twentyADay, 200, 0).forecast;
  const oneDay = afterSilence(twentyADay, 200, 1).forecast;
  expect(oneDay.means[0]! / full.means[0]!).toBeGreaterThan(0.8);
  const rare = afterSilence((day) => (day % 20 === 0 ? 1 : 0), 201, 30).model;
  expect(silence.offShare(surpriseOf(rare.bank, 40))).toBeLessThan(0.05);
});

test('the longer and the less expected a silence, the surer it is off and the later it comes back', () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 1e4, noNaN: true }), fc.double({ min: 0, max: 1e4, noNaN: true }), fc.integer({ min: 1, max: 400 }), (a, b, ahead) => {
    const [less, more] = a < b ? [a, b] : [b, a];
    expect(silence.onSale(more, ahead)).toBeLessThanOrEqual(silence.onSale(less, ahead) + 1e-12);
    expect(silence.onSale(less, ahead)).toBeLessThanOrEqual(silence.onSale(less, ahead + 1) + 1e-12);
    expect(silence.offShare(less)).toBeLessThanOrEqual(1);
  }));
  expect([silence.onSale(0, 1), silence.onSale(1e4, 1) > 0]).toEqual([1, true]);
});

test('thinned quantiles are those of a mixture with zero: never crossing, never more than before', () => {
  const ascending = fc.array(fc.nat(1e6), { minLength: 9, maxLength: 9 }).map((values) => Float64Array.from(values.toSorted((a, b) => a - b), (value) => value / 1_000));
  fc.assert(fc.property(ascending, fc.double({ min: 1e-6, max: 1, noNaN: true }), (before, on) => {
    const after = before.slice();
    silence.thin(after, 0, NINE, on, [0]);
    expect(after.filter((_, p) => NINE[p]! <= 1 - on).every((q) => q === 0)).toBe(true);
    after.forEach((q, p) => {
      expect(q).toBeLessThanOrEqual(before[p]! + 1e-6);
      expect(q).toBeGreaterThanOrEqual(p === 0 ? 0 : after[p - 1]! - 1e-6);
    });
  }));
  const half = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  silence.thin(half, 0, NINE, 0.5, [0]);
  // Of a half that sells, the six-in-ten quantile is the fifth of what it sells.
  [0, 0, 0, 0, 0, 2, 4, 6, 8].forEach((q, p) => expect(half[p]).toBeCloseTo(q, 9));
});

test('experts that are thinned together are thinned as each alone, and those not named are left as they are', () => {
  const said = Float64Array.from({ length: 27 }, (_, i) => (i % 9) ** 2 * (1 + Math.floor(i / 9)));
  const together = said.slice();
  silence.thin(together, 0, NINE, 0.7, [0, 2]);
  const alone = said.slice();
  silence.thin(alone, 0, NINE, 0.7, [0]);
  silence.thin(alone, 18, NINE, 0.7, [0]);
  expect([...together]).toEqual([...alone]);
  expect([...together.subarray(9, 18)]).toEqual([...said.subarray(9, 18)]);
  expect(together[26]).toBeLessThan(said[26]!);
});

test('a surprise beyond which it is more likely off than not', () => {
  expect(silence.offShare(silence.LIKELY_OFF + 1e-9)).toBeGreaterThan(0.5);
  expect(silence.offShare(silence.LIKELY_OFF - 1e-9)).toBeLessThan(0.5);
});

test('comes back by days, whatever the length of a period: after three empty weeks four weeks bring what 28 days do', () => {
  const later = (daysAPeriod: number, ahead: number): number => {
    const bank = init(1, 7, daysAPeriod);
    for (let period = 0; period < 100; period++) learn(bank, 0, period < 97 ? 50 : 0, 1, period % 7);
    return onSale(bank, 0, ahead);
  };
  expect(later(7, 4)).toBeCloseTo(later(1, 28), 12);
  expect(later(7, 4)).toBeGreaterThan(0.2);
});
