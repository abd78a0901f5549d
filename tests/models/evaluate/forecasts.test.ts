import { expect, test } from 'vitest';
import { evaluateForecasts, type ForecastEvaluation, type SalesTable } from '../../../models/evaluate/forecasts.js';

const DAYS = 200;
const SKUS = 16;

function table(units: (day: number, sku: number) => number, days = DAYS): SalesTable {
  const cells: [number, number, number][] = [];
  for (let day = 0; day < days; day++) {
    for (let sku = 0; sku < SKUS; sku++) {
      const sold = units(day, sku);
      if (sold !== 0) cells.push([sku, day, sold]);
    }
  }
  return {
    skus: SKUS,
    periods: days,
    sku: Int32Array.from(cells, ([sku]) => sku),
    period: Int32Array.from(cells, ([, day]) => day),
    units: Float64Array.from(cells, ([, , sold]) => sold),
  };
}

function noise(day: number, sku: number): number {
  let x = Math.imul(day * 101 + sku * 7919 + 13, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return (x ^ (x >>> 13)) >>> 27;
}

function shop(day: number, sku: number): number {
  const wave = noise(day, sku);
  return sku % 2 === 0 ? Math.max(0, wave - 22) : 40 + wave + (day % 7 === 2 ? 30 : 0);
}

function evaluate(sales: SalesTable, cutoffs: number[], minSelling = 1, minHistory = 0): ForecastEvaluation {
  const protocol = { cutoffs, horizon: 14, daysAPeriod: 1, season: 7, minHistory, minSelling };
  return evaluateForecasts(sales, protocol, () => 0, () => {});
}

test('a seasonal shop is forecast better than by any baseline that ignores its season or its noise', () => {
  const result = evaluate(table(shop), [170]);
  const baseline = Object.fromEntries(result.baselines.map((one) => [one.model, one.sql]));
  expect(result.overall.series).toBe(SKUS);
  expect(result.overall.sql).toBeLessThan(baseline['seasonal naive'] ?? NaN);
  expect(result.overall.sql).toBeLessThan(baseline['SBA + NB'] ?? NaN);
  expect(baseline['zero']).toBeGreaterThan(1);
});

test('nothing sold after a cut-off changes the forecasts made at it', () => {
  const plain = evaluate(table(shop), [150]);
  const later = evaluate(table((day, sku) => (day > 164 ? 1_000 : shop(day, sku))), [150]);
  expect(later.overall).toEqual(plain.overall);
  expect(later.cutoffs).toEqual(plain.cutoffs);
});

test('an earlier cut-off in the same run changes nothing at a later one', () => {
  const alone = evaluate(table(shop), [170]);
  const both = evaluate(table(shop), [140, 170]);
  expect(both.cutoffs[1]).toEqual(alone.cutoffs[0]);
  expect(both.overall.sql).toBeCloseTo(((both.cutoffs[0]?.sql ?? NaN) + (both.cutoffs[1]?.sql ?? NaN)) / 2, 12);
});

test('only series with enough history and selling days before the cut-off are scored', () => {
  const sales = table((day, sku) => (sku === 0 ? (day > 160 ? 5 : 0) : sku === 1 ? (day === 10 ? 1 : 0) : shop(day, sku)));
  expect(evaluate(sales, [170]).overall.series).toBe(SKUS);
  expect(evaluate(sales, [170], 2).overall.series).toBe(SKUS - 1);
  expect(evaluate(sales, [170], 2, 56).overall.series).toBe(SKUS - 2);
  expect(evaluate(sales, [155]).overall.series).toBe(SKUS - 1);
});

test('the classes add to the whole', () => {
  const result = evaluate(table(shop), [170]);
  expect(result.classes.reduce((sum, one) => sum + (Number.isFinite(one.series) ? one.series : 0), 0)).toBe(SKUS);
});

test('returns on a day without sales are no negative demand', () => {
  const result = evaluate(table((day, sku) => (day % 10 === 3 ? -5 : shop(day, sku))), [170]);
  expect(result.overall.sql).toBeGreaterThan(0);
  expect(Number.isFinite(result.overall.wql)).toBe(true);
});

test('totals of the shop and of categories are judged beside textbook methods that see them alone, and mean biases agree', () => {
  const sales = { ...table(shop), category: Int32Array.from({ length: SKUS }, (_, sku) => (sku < 12 ? sku % 3 : -1)) };
  const { totals, overall } = evaluate(sales, [150, 170]);
  const ours = totals.filter(({ model }) => model === 'millrace');
  expect(ours.map(({ of, series }) => [of, series])).toEqual([['shop', 1], ['categories', 3]]);
  // All SKUs are scored, and sums of means are the means of sums.
  expect(ours[0]?.bias).toBeCloseTo(overall.bias, 2);
  expect(ours[0]?.wql).toBeLessThan(totals.find(({ of, model }) => of === 'shop' && model === 'seasonal naive')?.wql ?? NaN);
});

test('which days count for coverage is told by the sales, not by what the forecaster took for closed', () => {
  // Closed on Sundays until the cut-off, open since; then a Monday on which nobody sold anything.
  const until = (day: number): boolean => day % 7 === 6 && day <= 170;
  const { overall, baselines, totals } = evaluate(table((day, sku) => (until(day) || day === 171 ? 0 : 30 + noise(day, sku))), [170]);
  const zero = baselines.find(({ model }) => model === 'zero')!;
  expect(zero.coverage_80).toBe(0);
  expect(overall.coverage_80).toBeLessThan(11.5 / 13);
  expect(totals.find(({ of, model }) => of === 'shop' && model === 'zero')!.coverage_80).toBe(0);
  // Sundays on which nothing sells are not counted as covered.
  const weekly = evaluate(table((day, sku) => (day % 7 === 6 ? 0 : 30 + noise(day, sku))), [170]);
  expect(weekly.baselines.find(({ model }) => model === 'zero')!.coverage_80).toBe(0);
});

test('of a file with few sales a day every day counts: a quiet one looks like a closed one', () => {
  const few = evaluate(table((day, sku) => (sku < 2 && noise(day, sku) > 24 ? 3 : 0)), [170]);
  expect(few.baselines.find(({ model }) => model === 'zero')!.coverage_80).toBeGreaterThan(0.5);
});
