import { expect, test } from 'vitest';
import type { SalesTable } from '../../../models/evaluate/forecasts.js';
import { leadsOf, prequential, type Prequential } from '../../../models/evaluate/prequential.js';

const SKUS = 12;

function table(days: number, units: (day: number, sku: number) => number): SalesTable {
  const cells = Array.from({ length: days * SKUS }, (_, i) => [i % SKUS, Math.floor(i / SKUS), units(Math.floor(i / SKUS), i % SKUS)] as const).filter(([, , sold]) => sold !== 0);
  return {
    skus: SKUS, periods: days, sku: Int32Array.from(cells, ([sku]) => sku), period: Int32Array.from(cells, ([, day]) => day), units: Float64Array.from(cells, ([, , sold]) => sold),
    category: Int32Array.from({ length: SKUS }, (_, sku) => (sku < 8 ? sku % 2 : -1)),
  };
}

function noise(day: number, sku: number): number {
  let x = Math.imul(day * 101 + sku * 7919 + 13, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x85ebca6b);
  return (x ^ (x >>> 13)) >>> 27;
}

const judge = (sales: SalesTable, warmUp: number, minHistory = 0): Prequential =>
  prequential(sales, { cutoffs: [], horizon: 14, daysAPeriod: 1, season: 7, minHistory, minSelling: 1 }, warmUp, () => {});

test('each open day after the warm-up is judged once by each lead, in one class, and closed ones by none', () => {
  const { overall, leads, classes, totals } = judge(table(160, (day, sku) => (day % 7 === 6 ? 0 : sku % 3 === 0 ? Math.max(0, noise(day, sku) - 24) : 30 + noise(day, sku))), 60);
  // Forecasts are made in the evenings of day 59 and after.
  const open = (lead: number): number => Array.from({ length: 160 }, (_, day) => day).filter((day) => day >= 59 + lead && day % 7 !== 6).length;
  expect(leads.map(({ ahead, forecasts }) => [ahead, forecasts])).toEqual([1, 4, 7, 14].map((lead) => [lead, SKUS * open(lead)]));
  expect(classes.reduce((sum, { forecasts }) => sum + forecasts, 0)).toBe(overall.forecasts);
  expect(classes.flatMap((one) => one.leads).reduce((sum, { forecasts }) => sum + forecasts, 0)).toBe(overall.forecasts);
  expect(totals.map(({ of, ahead, forecasts }) => [of, ahead, forecasts])).toEqual([
    ...[1, 4, 7, 14].map((lead) => ['shop', lead, open(lead)]), ...[1, 4, 7, 14].map((lead) => ['categories', lead, 2 * open(lead)]),
  ]);
  const daily = classes.find((one) => one.class === 'daily')!;
  expect(Math.abs(daily.coverage_80 - 0.8)).toBeLessThan(0.05);
  expect(Math.abs(daily.coverage_80_shared - 0.8)).toBeLessThan(0.05);
});

test('nothing of a day has touched what was said of it: a level that nobody could know is missed for as long as forecasts are old', () => {
  const jump = 130;
  const { leads, totals } = judge(table(jump + 14, (day, sku) => (day < jump ? 1 : 20) * (30 + noise(day, sku))), jump - 13);
  const held = Object.fromEntries(leads.map(({ ahead, coverage_80 }) => [ahead, coverage_80]));
  expect(held[14]).toBe(0);
  expect(held[1]).toBeGreaterThan(0.35);
  expect(totals.filter(({ ahead }) => ahead === 14).map(({ coverage_80 }) => coverage_80)).toEqual([0, 0]);
});

test('SKUs are judged by the rules of the cut-offs, as of the day on which the forecast was made', () => {
  const sales = table(120, (day, sku) => (sku > 0 || day >= 100 ? 5 + noise(day, sku) : 0));
  const [all, old] = [judge(sales, 60), judge(sales, 60, 10)];
  // Of a SKU first sold on day 100 forecasts are made from then on, of one that must be ten days old from day 110 on: ten fewer of each lead that has a day to come.
  expect(all.leads.map(({ forecasts }, i) => forecasts - old.leads[i]!.forecasts)).toEqual([10, 10, 10, 6]);
});

test('leads are a quarter, half and the whole of the horizon, each once', () => {
  expect([28, 8, 2, 1].map(leadsOf)).toEqual([[1, 7, 14, 28], [1, 2, 4, 8], [1, 2], [1]]);
});
