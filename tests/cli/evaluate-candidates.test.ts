import { expect, test } from 'vitest';
import { evaluateCandidatesCommand } from '../../pipeline/cli/evaluate-candidates.js';
import { said } from '../support/command.js';

const command = said();

/** Sessions that go round in one of twenty rings of ten. */
const sessions = (count: number, shift: number): number[][] => Array.from({ length: count }, (_, at) => Array.from({ length: 5 }, (_, n) => 10 * (at % 20) + (Math.floor(at / 20) + shift + n) % 10));

async function run(...args: string[]): Promise<void> {
  const train = command.file('train.jsonl', sessions(400, 0).map((session) => JSON.stringify(session)).join('\n'));
  const test = command.file('test.jsonl', sessions(40, 1).map((session) => JSON.stringify([session.slice(0, 4), session[4]])).join('\n'));
  await evaluateCandidatesCommand().parseAsync(['--train', train, '--test', test, '--questions', '20', ...args], { from: 'user' });
}

test('what is served is held beside the best of all items, with a filter and without', async () => {
  await run('--filters', '100,30', '--json');
  const { filters } = JSON.parse(command.out) as { filters: { share: number; items: number; n: number; recall_at_20: number; score_lost: number; hit_rate_at_20: number }[] };
  expect(filters.map(({ share, n }) => [share, n > 5])).toEqual([[1, true], [0.3, true]]);
  for (const { recall_at_20: recall, score_lost: lost, hit_rate_at_20: hits } of filters) {
    expect(recall > 0 && recall <= 1 && lost > -1e-6 && lost < 2).toBe(true);
    expect(hits).toBeGreaterThan(0.8);
  }
  expect(command.out).not.toMatch(/\d\.\d{6}/);
});

test('a filter is named by the percent that was asked for', async () => {
  await run('--filters', '7');
  expect(command.out).toMatch(/^ +7 % /m);
});

test('a share that is none is refused', async () => {
  const refused = evaluateCandidatesCommand().exitOverride().parseAsync(['--train', 'a', '--test', 'b', '--filters', '0'], { from: 'user' });
  await expect(refused).rejects.toThrow('percents from 0 to 100');
});

test('a filter that lets through nothing that is asked for: a sentence, and no recall of nothing', async () => {
  await run('--filters', '100,0.0001');
  expect(command.out).toBe('');
  expect(command.err).toContain('none asks for an item that 0.0001 % of all items let through');
  expect(process.exitCode).toBe(1);
});
