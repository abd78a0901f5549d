import { expect, test } from 'vitest';
import { evaluateStockCommand } from '../../pipeline/cli/evaluate-stock.js';
import { said } from '../support/command.js';

const command = said();

const run = (days: number, ...args: string[]): Promise<void> => runSold(Array.from({ length: days }, (_, day) => (day * 7) % 5), ...args);

async function runSold(units: readonly number[], ...args: string[]): Promise<void> {
  const lines = units.map((sold, day) => `A,${new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10)},${sold}`);
  const file = command.file('sales.csv', ['sku,date,units', ...lines, ''].join('\n'));
  await evaluateStockCommand().parseAsync(['--sales', file, ...args], { from: 'user' });
}

test('what was covered, sold and kept comes with the protocol', async () => {
  await run(150, '--service', '90', '--policy', 'reorder-point', '--pack-size', '6', '--from', '2024-04-01', '--json');
  const report = JSON.parse(command.out) as { skus: number; forecast: Record<string, number>; protocol: object };
  expect(report.skus).toBe(1);
  expect(Object.keys(report.forecast)).toEqual(['covered', 'cycles', 'fill', 'stock', 'orders', 'left']);
  expect(report.protocol).toMatchObject({ policy: { kind: 'reorder-point', orderDays: 14 }, order: { leadTime: { days: 7, deviationDays: 0 }, packSize: 6, minimumUnits: 0 }, service: 0.9, from: '2024-04-01' });
});

test('people get a table', async () => {
  await run(150);
  expect(command.out).toMatch(/forecast +[\d.]+ % +[\d.]+ % +[\d.]+/);
  expect(command.out).toContain('history');
});

test.each([[40, '2024-01-01'], [150, '2025-01-01']])('a file of %i days of which nothing is delivered since %s: a sentence that says since when, and exit 1', async (days, from) => {
  await run(days, '--from', from);
  expect(command.err).toContain(`since ${from}: its SKUs have not sold for long enough`);
  expect(process.exitCode).toBe(1);
});

test('a file of which nothing is sold any more: a sentence, and no share of nothing', async () => {
  await runSold(Array.from({ length: 150 }, (_, day) => (day < 100 ? 3 : 0)), '--from', '2024-04-13');
  expect(command.out).toBe('');
  expect(command.err).toContain('nothing is sold');
  expect(command.err).toContain('since 2024-04-13');
  expect(process.exitCode).toBe(1);
});

test('orders come on days: part of a day between them, or to sell in, is refused', () => {
  for (const option of ['--review-days', '--cover-days']) expect(() => readOption(option, '2.5')).toThrow('whole number');
  expect(readOption('--lead-time-days', '2.5')).toMatchObject({ leadTimeDays: 2.5 });
});

function readOption(name: string, value: string): object {
  const stock = evaluateStockCommand().exitOverride().configureOutput({ writeErr: () => {} });
  stock.action(() => {}).parse(['--sales', 'sales.csv', name, value], { from: 'user' });
  return stock.opts();
}
