import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { evaluateHoursCommand } from '../../pipeline/cli/evaluate-hours.js';
import { said } from '../support/command.js';

const command = said();

async function run(text: string | Buffer, cutoffs: string, ...args: string[]): Promise<void> {
  const file = command.file('sales.csv', text);
  await evaluateHoursCommand().parseAsync(['--sales', file, '--cutoffs', cutoffs, ...args], { from: 'user' });
}

/** Latest first: the file need not be in order. */
const rows = Array.from({ length: 400 }, (_, i) => `S${i % 4},${new Date(Date.UTC(2024, 3, 10) - i * 6 * 3_600_000).toISOString().slice(0, 16)},2`);
const text = ['sku,date,units', ...rows].join('\n');

test('a gzipped file of sales with times gives one JSON object, and the protocol on stderr', async () => {
  await run(gzipSync(text), '2024-03-20,2024-03-10', '--json');
  expect(JSON.parse(command.out)).toMatchObject({ series: 8, sold: 56, seconds: expect.any(Number) as number });
  expect((JSON.parse(command.out) as { profiles: { profile: string }[] }).profiles.map(({ profile }) => profile)).toEqual(['even', 'shop', 'shop and SKU']);
  expect(command.err).toContain('7 days after each cut-off');
  command.out = '';
  await run(text, '2024-03-20');
  expect(command.out).toMatch(/^profile +log loss +WQL +shop WAPE +shop WQL +coverage\neven /);
});

test.each([
  ['a day without its time', 'sku,date,units\nA,2024-01-01,1', '2024-03-20', 'no time written as YYYY-MM-DDThh:mm'],
  ['an hour that no clock shows', 'sku,date,units\nA,2024-01-01T24:00,1', '2024-03-20', 'Line 2'],
  ['a cut-off at the end of the file', text, '2024-04-09', 'needs a day before and 7 days after it'],
  ['sales too few to be scored', 'sku,date,units\nA,2024-01-01T08:00,1\nA,2024-06-01T08:00,1', '2024-03-20', 'can be scored'],
])('%s ends with a sentence', async (_, content, cutoffs, sentence) => {
  await run(content, cutoffs);
  expect(process.exitCode).toBe(1);
  expect(command.err).toContain(sentence);
});
