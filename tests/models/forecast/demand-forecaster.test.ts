import { expect, test } from 'vitest';
import * as demand from '../../../models/forecast/demand-forecaster.js';
import type { Plan } from '../../../models/forecast/planned-days.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const NINE = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

function start(skus: number, horizon = 28): demand.DemandForecaster {
  return demand.init({ skus, seasonPeriods: 7, horizon, probabilities: NINE });
}

function live(model: demand.DemandForecaster, days: number, units: (day: number, sku: number) => number): void {
  const row = new Float64Array(model.skus);
  for (let day = 0; day < days; day++) {
    for (let sku = 0; sku < model.skus; sku++) row[sku] = units(day, sku);
    demand.learn(model, row);
  }
}

function ask(model: demand.DemandForecaster, sku: number): demand.SkuForecast {
  const out = demand.blankForecast(model);
  demand.predict(model, sku, out);
  return out;
}

/** A small shop with a bit of everything, and no chance. */
function shop(day: number, sku: number): number {
  const wave = Math.imul(day * 31 + sku * 17 + 1, 0x9e3779b1) >>> 28;
  if (sku === 0) return 0;
  if (sku === 1) return day === 40 ? 2 : 0;
  if (sku === 2) return day < 30 ? NaN : wave;
  return sku % 3 === 0 ? (wave > 12 ? wave : 0) : wave + (day % 7 === 5 ? 10 : 0);
}

test('a forecaster stopped, copied and continued equals one that never stopped', () => {
  const whole = start(40);
  live(whole, 160, shop);
  const first = start(40);
  live(first, 90, shop);
  const second = structuredClone(first);
  live(second, 70, (day, sku) => shop(day + 90, sku));
  expect(second).toEqual(whole);
});

test('a shop that renames all its SKUs is open: the new ones are forecast in the first week, and what comes after is learned', () => {
  const model = start(80);
  const random = randomness(3);
  const renamed = 120;
  const means = (): number => Array.from({ length: 40 }, (_, i) => ask(model, 40 + i).means.reduce((sum, mean) => sum + mean / 28, 0)).reduce((sum, mean) => sum + mean / 40, 0);
  const units = (day: number, sku: number): number => {
    const isNew = sku >= 40;
    const sold = day >= renamed === isNew ? Math.floor(6.999 * uniform(random)) : 0;
    return day < renamed && isNew ? NaN : sold;
  };
  live(model, renamed + 7, units);
  expect(means()).toBeGreaterThan(1.8);
  // While the shop, which nobody told, still expects the old ones it takes its days for bad ones.
  live(model, 21, (day, sku) => units(renamed + 7 + day, sku));
  expect(Math.abs(means() / 3 - 1)).toBeLessThan(0.25);
  live(model, 70, (day, sku) => units(renamed + 28 + day, sku));
  expect(Math.abs(means() / 3 - 1)).toBeLessThan(0.1);
});

test('a mean is never below what its own quantiles leave for it', () => {
  // One that has just sold by the dozen for a week: the levels of the mean follow slowly, hurdles have seen its sizes.
  const model = start(40);
  live(model, 70, (day, sku) => (sku === 0 ? (day > 55 ? 60 + (day % 5) : 1) : shop(day, sku)));
  let met = 0;
  for (let sku = 0; sku < 40; sku++) {
    const { quantiles, means } = ask(model, sku);
    means.forEach((mean, t) => {
      const least = NINE.reduce((sum, _, p) => sum + 0.1 * (quantiles[t * 9 + p] ?? NaN), 0);
      expect(mean).toBeGreaterThanOrEqual(least - 1e-9);
      if (least > 0 && mean < least + 1e-9) met++;
    });
  }
  expect(met).toBeGreaterThan(0);
});

test('a shop that has good and bad days as a whole learns that its SKUs share them, and one that has none that they do not', () => {
  const chance = (day: number, sku: number): number => (Math.imul(Math.imul(day * 64 + sku + 1, 0x9e3779b1) ^ (day * 64 + sku), 0x85ebca6b) >>> 0) / 2 ** 32;
  const shared = (weather: (day: number) => number): number => {
    const model = start(60);
    live(model, 500, (day, sku) => Math.floor((4 + 8 * chance(day, sku)) * weather(day)));
    return model.shared.level;
  };
  const [fair, stormy] = [shared(() => 1), shared((day) => 0.4 + 1.2 * chance(day, 63))];
  expect([fair < 0.01, stormy > 0.1]).toEqual([true, true]);
});

test('every quantile of every SKU is finite, not negative and not crossing, and asking changes nothing', () => {
  const model = start(40);
  live(model, 120, shop);
  const before = structuredClone(model);
  for (let sku = 0; sku < 40; sku++) {
    const { quantiles, means, low, high } = ask(model, sku);
    quantiles.forEach((q, i) => {
      expect(Number.isFinite(q)).toBe(true);
      expect(q).toBeGreaterThanOrEqual(i % 9 === 0 ? 0 : (quantiles[i - 1] ?? NaN));
    });
    means.forEach((mean, t) => {
      expect(Number.isFinite(mean) && mean >= 0).toBe(true);
      expect((high[t] ?? NaN) >= (low[t] ?? NaN) && (low[t] ?? NaN) >= 0).toBe(true);
    });
  }
  expect(model).toEqual(before);
});

test('a SKU that never sold, one that sold once, and one that sells daily, in one run', () => {
  const series = (day: number, sku: number): number => [0, day === 40 ? 2 : 0, 3 + (day % 2)][sku] ?? 0;
  const together = start(3, 7);
  live(together, 60, series);
  const alone = start(1, 7);
  live(alone, 60, (day) => series(day, 2));
  expect(new Set([...ask(together, 0).quantiles, ...ask(together, 0).means])).toEqual(new Set([0]));
  for (const mean of ask(together, 1).means) {
    expect(mean).toBeGreaterThan(0);
    expect(mean).toBeLessThan(0.5);
  }
  expect(ask(together, 2).quantiles).toEqual(ask(alone, 0).quantiles);
  expect(ask(together, 2).means).toEqual(ask(alone, 0).means);
});

test('a day without stock is not a day without demand', () => {
  const model = start(2, 7);
  live(model, 28, (day, sku) => (day < 14 ? 5 : sku === 0 ? NaN : 0));
  const perDay = (sku: number): number => ask(model, sku).means.reduce((sum, mean) => sum + mean / 7, 0);
  expect(perDay(0)).toBeGreaterThanOrEqual(4);
  expect(perDay(0)).toBeLessThanOrEqual(6);
  expect(perDay(1)).toBeLessThan(0.7 * perDay(0));
});

test('a weekday on which the whole shop is closed is forecast as closed', () => {
  const model = start(60);
  live(model, 140, (day) => (day % 7 === 6 ? 0 : 4));
  const { quantiles, means } = ask(model, 7);
  for (let t = 0; t < 28; t++) {
    expect(means[t] === 0).toBe((140 + t) % 7 === 6);
    expect(quantiles[t * 9 + 8] === 0).toBe((140 + t) % 7 === 6);
  }
});

test('a shop that is closed two days a week is forecast without bias, though nobody knew it of its first weeks', () => {
  const model = start(60);
  live(model, 210, (day, sku) => (day % 7 > 4 ? 0 : 3 + ((day + sku) % 3)));
  const units = ask(model, 7).means.reduce((sum, mean) => sum + mean, 0);
  // 20 open days of 4 each.
  expect(units / 80).toBeGreaterThan(0.97);
  expect(units / 80).toBeLessThan(1.03);
});

test('a shop of one SKU that sells three a day and nothing on Sundays has intervals that say so', () => {
  const model = start(1);
  live(model, 140, (day) => (day % 7 === 6 ? 0 : 3));
  const { low, high } = ask(model, 0);
  for (let h = 0; h < 28; h++) {
    expect(Math.round(low[h] ?? NaN)).toBeGreaterThanOrEqual(h % 7 === 6 ? 0 : 2);
    expect(Math.round(high[h] ?? NaN)).toBeLessThanOrEqual(h % 7 === 6 ? 0 : 4);
  }
});

test('a season of a year that all SKUs share is known the third time', () => {
  const model = demand.init({ skus: 60, seasonPeriods: 52, horizon: 8, probabilities: NINE });
  const wave = (week: number): number => 1 + 0.7 * Math.sin((2 * Math.PI * week) / 52);
  live(model, 156, (week, sku) => Math.round((10 + sku) * wave(week)));
  const { means } = ask(model, 30);
  means.forEach((mean, h) => expect(Math.abs(mean / (40 * wave(156 + h)) - 1)).toBeLessThan(0.25));
});

test('months that sell twice as much in the first year of a shop are expected to sell more in its second', () => {
  const model = demand.init({ skus: 40, seasonPeriods: 12, daysAPeriod: 30.4, horizon: 12, probabilities: NINE });
  live(model, 12, (month) => (month === 5 || month === 6 ? 200 : 100));
  const { means } = ask(model, 0);
  for (const month of [5, 6]) expect(means[month]! / means[8]!).toBeGreaterThan(1.3);
});

test('after one sale of a billion units quiet days are forecast as quiet', () => {
  const model = start(40);
  live(model, 20, shop);
  live(model, 25, (day, sku) => (sku === 0 ? (day === 0 ? 1e9 : 0) : shop(day + 20, sku)));
  const { quantiles, low, means } = ask(model, 0);
  expect([quantiles[4], quantiles[7], low[0]]).toEqual([0, 0, 0]);
  // It may come again: what it would be worth fades, and does not vanish.
  expect(means[0]).toBeGreaterThan(1e5);
});

test('a day known in advance is forecast as what its name was worth, a closed one as nothing, and neither moves an ordinary one', () => {
  const party: Plan = new Map([20, 50, 80, 110].map((day) => [day, { kind: 'promotion', name: 'Party' }]));
  const told = demand.init({ skus: 60, seasonPeriods: 7, horizon: 28, probabilities: NINE, plan: new Map([...party, [112, { kind: 'closed', name: 'closed' }]]) });
  const untold = start(60);
  const random = randomness(11);
  const chances = Array.from({ length: 105 * 60 }, () => uniform(random));
  for (const model of [told, untold]) live(model, 105, (day, sku) => Math.floor(6.999 * chances[day * 60 + sku]!) * (party.has(day) ? 4 : 1));
  const means = (model: demand.DemandForecaster): number[] => Array.from({ length: 28 }, (_, ahead) => Array.from({ length: 60 }, (_unused, sku) => ask(model, sku).means[ahead]!).reduce((sum, mean) => sum + mean / 60, 0));
  const [known, unknown] = [means(told), means(untold)];
  expect(Math.abs(known[110 - 105]! / 12 - 1)).toBeLessThan(0.15);
  expect(known[112 - 105]).toBe(0);
  expect(Math.abs(known[108 - 105]! / 3 - 1)).toBeLessThan(0.1);
  expect(unknown[110 - 105]).toBeLessThan(4);
});

test('what sells whole units has whole quantiles and intervals, what sells by the metre has not', () => {
  const model = start(40);
  const random = randomness(21);
  live(model, 120, (_, sku) => Math.floor(9 * uniform(random) * uniform(random)) + (sku === 7 ? 0.35 : 0));
  const parts = (sku: number): number[] => { const { quantiles, low, high } = ask(model, sku); return [...quantiles, ...low, ...high]; };
  for (const sku of [0, 6, 8, 39]) expect(parts(sku).every(Number.isInteger)).toBe(true);
  expect(parts(7).some((units) => !Number.isInteger(units))).toBe(true);
  expect(ask(model, 0).means.some((mean) => !Number.isInteger(mean))).toBe(true);
});

test('an interval holds its median: of what sells ten or none, ends that are mixed to a bit more than 0 do not leave 0 out', () => {
  const model = start(60);
  const random = randomness(5);
  live(model, 90, (day, sku) => (sku >= 50 && day < 60 + sku - 50 ? NaN : uniform(random) < 0.15 + (sku % 10) * 0.05 ? 10 : 0));
  const outside = Array.from({ length: 60 }, (_, sku) => sku).flatMap((sku) => {
    const { quantiles, low, high } = ask(model, sku);
    return Array.from(low, (least, day) => [least, quantiles[day * 9 + 4]!, high[day]!]).filter(([least, median, most]) => !(least! <= median! && median! <= most!));
  });
  expect(outside).toEqual([]);
});
