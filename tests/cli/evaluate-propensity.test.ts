import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { evaluatePropensityCommand } from '../../pipeline/cli/evaluate-propensity.js';
import { said } from '../support/command.js';

const command = said();

async function run(text: string | Buffer, ...args: string[]): Promise<void> {
  const file = command.file('data.csv', text);
  await evaluatePropensityCommand().parseAsync(['--data', file, '--label', 'Revenue', '--folds', '3', ...args], { from: 'user' });
}

const ROWS = Array.from({ length: 120 }, (_, i) => `${i % 12};${i % 2 ? 'May' : 'Nov'};${i % 12 > 8 ? 'TRUE' : 'FALSE'}`);
const TEXT = ['PageValues;Month;Revenue', ...ROWS].join('\n');

test('a gzipped file with semicolons gives one JSON array on stdout and the protocol on stderr', async () => {
  await run(gzipSync(TEXT), '--json');
  const scores: unknown = JSON.parse(command.out);
  expect(scores).toHaveLength(2);
  expect(scores).toEqual(
    expect.arrayContaining([
      { model: 'boosted-trees', auc: expect.any(Number), auprc: expect.any(Number), logloss: expect.any(Number) },
    ]),
  );
  expect(command.err).toContain('Stratified 3-fold');
  expect(process.exitCode).toBeUndefined();
});

test.each([
  ['', 'is empty'],
  ['PageValues;Month;Revenue\n', 'no rows'],
  ['PageValues;Month\n1;May\n', 'no column Revenue'],
  ['PageValues;Revenue\n1;TRUE\n2;perhaps\n', 'Line 3'],
  ['PageValues;Revenue\n1;TRUE\n2\n', 'Line 3'],
  ['PageValues;Revenue\n1;TRUE\n2;FALSE\n', '3 folds need'],
])('%j is refused in one sentence with exit code 1', async (text, sentence) => {
  await run(text);
  expect(command.err.trim().split('\n')).toHaveLength(1);
  expect(command.err).toContain(sentence);
  expect(command.out).toBe('');
  expect(process.exitCode).toBe(1);
});

test('a missing file is refused in one sentence', async () => {
  await evaluatePropensityCommand().parseAsync(['--data', join(command.folder, 'none.csv'), '--label', 'Revenue'], { from: 'user' });
  expect(command.err).toContain('does not exist');
  expect(process.exitCode).toBe(1);
});

const shoppers = join(process.env['MILLRACE_DATA'] ?? join(import.meta.dirname, '../../../shared/data'), 'online-shoppers-intention.csv.gz');
if (!existsSync(shoppers)) process.stderr.write(`Skipped the Online Shoppers test: ${shoppers} is absent (set MILLRACE_DATA).\n`);

test.skipIf(!existsSync(shoppers))('Online Shoppers: both models beat their published anchors', { timeout: 900_000 }, async () => {
  await evaluatePropensityCommand().parseAsync(['--data', shoppers, '--label', 'Revenue', '--folds', '2', '--json'], { from: 'user' });
  const scores: { model: string; auc: number }[] = JSON.parse(command.out);
  const auc = Object.fromEntries(scores.map((one) => [one.model, one.auc]));
  expect(auc['ftrl-logistic']).toBeGreaterThan(0.9);
  expect(auc['boosted-trees']).toBeGreaterThan(0.922);
});
