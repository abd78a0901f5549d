import { expect, test } from 'vitest';
import { evaluateReorder } from '../../../models/evaluate/reorder.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';
import type { SalesTable } from '../../../models/evaluate/forecasts.js';

/** `unitsOn(sku, day)` of a few SKUs. */
function table(skus: number, periods: number, unitsOn: (sku: number, day: number) => number): SalesTable {
  const cells = Array.from({ length: skus * periods }, (_, i) => ({ sku: i % skus, period: Math.floor(i / skus) }));
  return {
    skus, periods, sku: Int32Array.from(cells, ({ sku }) => sku), period: Int32Array.from(cells, ({ period }) => period),
    units: Float64Array.from(cells, ({ sku, period }) => unitsOn(sku, period)),
  };
}
const steady = table(3, 200, (sku, day) => (day * 7 + sku * 3) % 5);

test('hindsight costs least, and every level is counted over the same cycles', () => {
  const { skus, cycles, cost, covered } = evaluateReorder(steady, { cycleDays: 14, service: 0.9, scoredFrom: 0 });
  // One of them sells a day later: its first cycle comes too early.
  expect([skus, cycles]).toEqual([3, 3 * 10 - 1]);
  for (const name of ['served', 'learned', 'textbook', 'simple'] as const) expect(cost[name]).toBeGreaterThanOrEqual(cost.hindsight);
  expect(covered.textbook).toBeGreaterThan(0.8);
});

test('what is scored from a day on is what it is without the days after a cycle: nothing of it was known before', () => {
  const whole = evaluateReorder(steady, { cycleDays: 14, service: 0.9, scoredFrom: 0 });
  const late = evaluateReorder(steady, { cycleDays: 14, service: 0.9, scoredFrom: 126 });
  const early = evaluateReorder(table(3, 126, (sku, day) => (day * 7 + sku * 3) % 5), { cycleDays: 14, service: 0.9, scoredFrom: 0 });
  expect(late.cycles + early.cycles).toBe(whole.cycles);
  for (const name of ['served', 'learned', 'textbook', 'simple'] as const) expect(late.cost[name] + early.cost[name]).toBeCloseTo(whole.cost[name], 6);
});

test('a service of nothing costs nothing where nothing is kept, and cycles that never end are not scored', () => {
  expect(evaluateReorder(steady, { cycleDays: 14, service: 0, scoredFrom: 0 }).cost.textbook).toBe(0);
  expect(evaluateReorder(table(1, 40, () => 1), { cycleDays: 14, service: 0.9, scoredFrom: 0 }).cycles).toBe(0);
});

/** A shop of SKUs that sell so many a day, independently each day. */
function poisson(rate: number, skus: number, periods: number): SalesTable {
  const random = randomness(11);
  return table(skus, periods, () => {
    let [units, product] = [0, uniform(random)];
    while (product > Math.exp(-rate)) [units, product] = [units + 1, product * uniform(random)];
    return units;
  });
}

test.each([[2, 0.95, 0.025], [20, 0.95, 0.025], [2, 0.8, 0.05]])('levels of what sells steadily, %d a day, cover %d as was asked and cost what a spreadsheet\'s cost', (rate, service, off) => {
  const { cost, covered } = evaluateReorder(poisson(rate, 60, 300), { cycleDays: 14, service, scoredFrom: 150 });
  expect(Math.abs(covered.textbook - service)).toBeLessThan(off);
  expect(cost.textbook / cost.simple).toBeLessThan(1.05);
});

test('levels are priced as they can be bought: whole units, but of what was sold by parts of one', () => {
  const pieces = poisson(20, 4, 200);
  const costs = (sales: SalesTable): number[] => {
    const { served, textbook, simple, learned } = evaluateReorder(sales, { cycleDays: 14, service: 0.5, scoredFrom: 0 }).cost;
    return [served, learned, textbook, simple];
  };
  expect(costs(pieces).map((cost) => cost % 0.5)).toEqual([0, 0, 0, 0]);
  const metres = { ...pieces, units: pieces.units.map((units, cell) => units + (cell < 4 ? 0.5 : 0)) };
  for (const cost of costs(metres)) expect(Math.abs((2 * cost) % 1 - 0.5)).toBeLessThan(0.4999);
});
