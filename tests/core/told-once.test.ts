import { beforeEach, expect, test, vi } from 'vitest';
import { Unavailable } from '../../pipeline/core/errors.js';
import { silentJournal, type Journal } from '../../pipeline/core/metrics.js';
import { toldOnce } from '../../pipeline/core/told-once.js';
import { untilAvailable } from '../../pipeline/core/until-available.js';

const waits = vi.hoisted((): number[] => []);
vi.mock('node:timers/promises', () => ({ setTimeout: (ms: number) => Promise.resolve(void waits.push(ms)) }));
beforeEach(() => void waits.splice(0));

function heard(): { journal: Journal; lines: { sentence: string; fields: object }[]; sentences: () => string[] } {
  const lines: { sentence: string; fields: object }[] = [];
  const hear = (fields: object, sentence: string): void => void lines.push({ sentence, fields });
  return { journal: { ...silentJournal, info: hear, warn: hear }, lines, sentences: () => lines.map(({ sentence }) => sentence) };
}

test('a failure is told once for each reason, and that it works once after it; what never failed says nothing', () => {
  const { journal, lines } = heard();
  const told = toldOnce(journal, { partition: 3 }, 'No water.', 'Water again.');
  told.worked();
  for (const reason of ['dry', 'dry', 'frozen', 'frozen']) told.failed(reason, { depth: 0 });
  told.worked();
  told.worked();
  told.failed('dry');
  const warning = 'No water. The same is not told again until it works.';
  expect(lines).toEqual([
    { fields: { partition: 3, depth: 0, error: 'dry' }, sentence: warning },
    { fields: { partition: 3, depth: 0, error: 'frozen' }, sentence: warning },
    { fields: { partition: 3 }, sentence: 'Water again.' },
    { fields: { partition: 3, error: 'dry' }, sentence: warning },
  ]);
});

test('what waits for the world says so once, and once that it goes on, however often it tries', async () => {
  const { journal, sentences } = heard();
  let attempts = 0;
  const answer = await untilAvailable(async () => {
    if (++attempts < 5) throw new Unavailable('Nobody answers.');
    return 'there';
  }, new AbortController().signal, journal, 'Start');
  expect([answer, attempts, waits, sentences()]).toEqual(['there', 5, [100, 200, 400, 800], ['Start waits for what does not answer. The same is not told again until it works.', 'Start goes on.']]);
});

test('what goes on for as long as the process tells each outage, and waits as briefly in the next one', async () => {
  const { journal, sentences } = heard();
  let tried = 0;
  await untilAvailable(async (works) => {
    if (++tried === 4) works();
    if (tried < 6) throw new Unavailable('Nobody answers.');
  }, new AbortController().signal, journal, 'A view');
  const outage = ['A view waits for what does not answer. The same is not told again until it works.', 'A view goes on.'];
  expect(sentences()).toEqual([...outage, ...outage]);
  // The fourth attempt worked for a while: the fifth comes 0.1 s after it, not 0.8 s.
  expect(waits).toEqual([100, 200, 400, 100, 200]);
});
