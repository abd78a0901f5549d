import { expect, test } from 'vitest';
import { evaluateColdStartCommand } from '../../pipeline/cli/evaluate-cold-start.js';
import { said } from '../support/command.js';

const command = said();
const DAY = 86_400;

/** Visits of five items of one of two kinds; items 40 and 41 come in the last week. */
function files(newFrom = 380): { catalog: string; train: string } {
  const rows = Array.from({ length: 400 }, (_, at) => {
    const items = Array.from({ length: 4 }, (_, n) => `P${(at % 2) + 2 * ((at * 7 + n * 3) % 20)}`);
    if (at >= newFrom) items.push(`P${40 + (at % 2)}`);
    return items.map((item, n) => `s${at},${item},${1_700_000_000 + Math.floor(at / 10) * DAY + 60 * (at % 10) + n}`);
  });
  const products = Array.from({ length: 42 }, (_, item) => `P${item},${item % 2 === 0 ? 'Tent' : 'Mug'} No ${item},all,${5 + item} EUR`);
  return {
    catalog: command.file('catalog.csv', ['product_id,title,category,price', ...products, ''].join('\n')),
    train: command.file('clicks.csv', ['session_id,item_id,timestamp', ...rows.flat(), ''].join('\n')),
  };
}

const run = (...args: string[]): Promise<unknown> => evaluateColdStartCommand().parseAsync(['--steps', '2', ...args], { from: 'user' });

test('items that came in the last days of a file are cold, and found by what the catalogue says', async () => {
  const { catalog, train } = files();
  await run('--catalog', catalog, '--train', train, '--test-days', '2', '--json');
  const report = JSON.parse(command.out) as { items: number; cold: number; questions: number; recall: Record<string, { amongCold: number; amongAll: number }> };
  expect(report).toMatchObject({ items: 42, cold: 2, questions: 20 });
  expect(report.recall['content']!.amongAll).toBeGreaterThan(report.recall['category']!.amongAll);
  expect(report.recall).not.toHaveProperty('truth');
  expect(command.out).not.toMatch(/\d\.\d{6}/);
});

test('one file without the other, and a price that is none, are a sentence and exit 1', async () => {
  const { train } = files();
  await run('--train', train);
  expect(command.err).toContain('Give --catalog and --train');
  await run('--train', train, '--test-days', '2', '--catalog', command.file('odd.csv', 'sku,price\nP1,cheap\n'));
  expect(command.err).toContain('has the price "cheap", which is no number');
  await run('--train', train, '--test-days', '2', '--catalog', command.file('endless.csv', 'sku,price\nP1,Infinity\n'));
  expect(command.err).toContain('has the price "Infinity", which is no number');
  await run('--train', train, '--test-days', '2', '--catalog', command.file('nobody.csv', 'sku,price\nP1,1\n ,2\n'));
  expect(command.err).toMatch(/Line 3 of .*nobody.csv has an empty sku/);
  expect(process.exitCode).toBe(1);
});

test('files in which no item is new in the last days: a sentence, and no recall of nothing', async () => {
  const { catalog, train } = files(0);
  await run('--catalog', catalog, '--train', train, '--test-days', '2');
  expect(command.out).toBe('');
  expect(command.err).toContain('there is nothing to ask');
  expect(process.exitCode).toBe(1);
});
