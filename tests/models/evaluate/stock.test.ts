import { expect, test } from 'vitest';
import type { SalesTable } from '../../../models/evaluate/forecasts.js';
import { evaluateStock } from '../../../models/evaluate/stock.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

function table(skus: number, periods: number, unitsOn: () => number): SalesTable {
  const cells = Array.from({ length: skus * periods }, (_, i) => ({ sku: i % skus, period: Math.floor(i / skus) }));
  return { skus, periods, sku: Int32Array.from(cells, ({ sku }) => sku), period: Int32Array.from(cells, ({ period }) => period), units: Float64Array.from(cells, unitsOn) };
}

function poisson(rate: number): () => number {
  const random = randomness(11);
  return () => {
    let [units, product] = [0, uniform(random)];
    while (product > Math.exp(-rate)) [units, product] = [units + 1, product * uniform(random)];
    return units;
  };
}

const steady = table(20, 220, poisson(4));
const weekly = { kind: 'periodic', reviewDays: 7 } as const;
const order = { leadTime: { days: 7 } };

test.each([0.8, 0.95])('what sells steadily is covered as was promised, %s, by stock for little more than the review', (service) => {
  const { skus, forecast } = evaluateStock(steady, { policy: weekly, order, service, scoredFrom: 100 });
  expect(skus).toBe(20);
  expect(Math.abs(forecast.covered - service)).toBeLessThan(0.06);
  expect(forecast.fill).toBeGreaterThan(0.96);
  // Half of a week's sales and a margin for two: 14 + z √56 at the most.
  expect(forecast.stock).toBeGreaterThan(14);
  expect(forecast.stock).toBeLessThan(14 + 2.2 * Math.sqrt(56));
  expect(forecast.orders).toBeCloseTo(4, 0);
});

test('packs and minima are paid for in stock, and lead times that differ where nothing is kept against them in service', () => {
  const plain = evaluateStock(steady, { policy: weekly, order, service: 0.9, scoredFrom: 100 }).forecast;
  const packed = evaluateStock(steady, { policy: weekly, order: { ...order, packSize: 60, minimumUnits: 30 }, service: 0.9, scoredFrom: 100 }).forecast;
  expect(packed.stock).toBeGreaterThan(plain.stock + 10);
  expect(packed.orders).toBeLessThan(0.8 * plain.orders);
  const uncertain = evaluateStock(steady, { policy: weekly, order: { leadTime: { days: 7, deviationDays: 3 } }, service: 0.9, scoredFrom: 100 }).forecast;
  expect(uncertain.stock).toBeGreaterThan(plain.stock);
  expect(uncertain.covered).toBeGreaterThan(0.8);
});

test('a reorder point orders less often the longer an order lasts; a newsvendor throws away what is left', () => {
  const [short, long] = [7, 21].map((orderDays) => evaluateStock(steady, { policy: { kind: 'reorder-point', orderDays }, order, service: 0.9, scoredFrom: 100 }).forecast);
  expect(long!.orders).toBeLessThan(0.6 * short!.orders);
  expect(long!.stock).toBeGreaterThan(short!.stock);
  const once = evaluateStock(steady, { policy: { kind: 'newsvendor', sellingDays: 7 }, order, service: 0.8, scoredFrom: 100 }).forecast;
  expect(Math.abs(once.covered - 0.8)).toBeLessThan(0.08);
  expect(once.left).toBeGreaterThan(0.05);
  expect([short!.left, long!.left]).toEqual([0, 0]);
});

test('a newsvendor who orders nothing has covered no season, and has never ordered', () => {
  const daily = table(20, 110, () => 3);
  const { covered, cycles, orders, fill } = evaluateStock(daily, { policy: { kind: 'newsvendor', sellingDays: 14 }, order, service: 0, scoredFrom: 0 }).forecast;
  expect(cycles).toBeGreaterThan(0);
  expect([covered, orders, fill]).toEqual([0, 0, 0]);
});
