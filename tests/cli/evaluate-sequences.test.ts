import { expect, test } from 'vitest';
import { evaluateSequencesCommand } from '../../pipeline/cli/evaluate-sequences.js';
import { said } from '../support/command.js';

const command = said();

/** Visits of two items, of which the second follows from the first. */
const visits = (count: number): string => Array.from({ length: count }, (_, at) => JSON.stringify([`a${at % 50}`, `b${at % 50}`])).join('\n');

const run = (...args: string[]): Promise<unknown> => evaluateSequencesCommand().parseAsync(args, { from: 'user' });

test('a report says how often the network learned each block, and by which seed', async () => {
  const train = command.file('train.jsonl', visits(4_400));
  const asked = command.file('test.jsonl', JSON.stringify([['a1'], 'b1']));
  await run('--train', train, '--test', asked, '--passes', '3', '--seed', '7', '--json');
  const report = JSON.parse(command.out) as { n: number; passes: number; seed: number; steps: number; protocol: string };
  // The second block has 304 visits, two batches.
  expect(report).toMatchObject({ n: 1, passes: 3, seed: 7, steps: 6 });
  expect(report.protocol).toContain('each block 3 times by the network (seed 7)');
});

test('a file of one block teaches the network nothing, which is a sentence', async () => {
  await run('--train', command.file('small.jsonl', visits(100)));
  expect(command.err).toContain('has too few sessions');
  expect(process.exitCode).toBe(1);
});

test('a last tenth of single clicks leaves nothing to ask, which is a sentence', async () => {
  const train = command.file('short.jsonl', '["a"]\n'.repeat(20));
  await run('--train', train);
  expect(command.err).toBe(`The last tenth of ${train} has no sessions of two clicks.\n`);
});
