import { expect, test } from 'vitest';
import { evaluateReorderCommand } from '../../pipeline/cli/evaluate-reorder.js';
import { said } from '../support/command.js';

const command = said();

async function run(days: number, ...args: string[]): Promise<void> {
  const lines = Array.from({ length: days }, (_, day) => `A,${new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10)},${(day * 7) % 5}`);
  const file = command.file('sales.csv', ['sku,date,units', ...lines, ''].join('\n'));
  await evaluateReorderCommand().parseAsync(['--sales', file, ...args], { from: 'user' });
}

test('the costs of all levels come with the protocol', async () => {
  await run(150, '--service', '90', '--from', '2024-04-01', '--json');
  const report = JSON.parse(command.out) as { cycles: number; cost: Record<string, number>; protocol: object };
  expect(report.cycles).toBe(3);
  expect(Object.keys(report.cost)).toEqual(['served', 'learned', 'textbook', 'simple', 'hindsight']);
  expect(report.protocol).toEqual({ lead_time_days: 7, review_days: 7, service: 0.9, from: '2024-04-01', warm_up_days: 56, least_selling_days: 10 });
});

test('people get a table in which everything stands beside the textbook', async () => {
  await run(150);
  expect(command.out).toMatch(/textbook +\d+ +1\.000/);
  expect(command.err).toContain('Cycles of 14 days');
});

test.each([
  [['--lead-time-days', '0', '--review-days', '0'], 150, 'then no stock is needed'],
  [[], 40, 'has sold for long enough'],
])('%s of %s days: a sentence and exit 1', async (args, days, sentence) => {
  await run(days, ...args);
  expect(command.err).toContain(sentence);
  expect(process.exitCode).toBe(1);
});
