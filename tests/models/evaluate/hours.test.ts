import { expect, test } from 'vitest';
import { evaluateHours, type HourSales } from '../../../models/evaluate/hours.js';

interface Line {
  readonly sku: number;
  readonly day: number;
  readonly hour: number;
  readonly units: number;
}

const salesOf = (skus: number, lines: readonly Line[]): HourSales =>
  ({ skus, sku: lines.map(({ sku }) => sku), day: lines.map(({ day }) => day), hour: lines.map(({ hour }) => hour), units: lines.map(({ units }) => units) });

const FIRST = 20_000;
/** Twenty SKUs that sell at nine on most days, the last four at five; something sells at each hour from eight to seven. */
const lines: Line[] = [];
for (let day = FIRST; day < FIRST + 200; day++) {
  const ofDay: Line[] = [];
  for (let sku = 0; sku < 20; sku++) {
    const isOdd = (day * 7 + sku * 3) % 11 === 0;
    ofDay.push({ sku, day, hour: isOdd ? 8 + ((day + sku) % 12) : sku < 16 ? 9 : 17, units: 3 });
  }
  lines.push(...ofDay.toSorted((a, b) => a.hour - b.hour));
}
const protocol = { cutoffs: [FIRST + 150, FIRST + 160], horizon: 7, minHistory: 56, minSelling: 10 };

test('a shop of its own hours is told better by them than by an even day, and its SKUs by theirs', () => {
  const { series, sold, profiles: [even, shop, sku] } = evaluateHours(salesOf(20, lines), protocol);
  expect([series, sold]).toEqual([40, 2 * 7 * 20]);
  for (const score of ['log_loss', 'wql', 'shop_wape'] as const) expect(shop![score]).toBeLessThan(even![score]);
  expect(sku!.log_loss).toBeLessThan(shop!.log_loss);
  expect(sku!.wql).toBeLessThan(shop!.wql);
  expect(Math.abs(even!.log_loss - Math.log(12))).toBeLessThan(0.01);
});

test('what comes after a cut-off is not known at it', () => {
  const until = FIRST + 157;
  const known = lines.filter(({ day }) => day <= until);
  const later = lines.map((line) => (line.day > until ? { ...line, hour: 3, units: 500 } : line));
  const [cut] = protocol.cutoffs;
  expect(evaluateHours(salesOf(20, later), { ...protocol, cutoffs: [cut!] })).toEqual(evaluateHours(salesOf(20, known), { ...protocol, cutoffs: [cut!] }));
});
