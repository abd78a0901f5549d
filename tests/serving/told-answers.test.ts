import { expect, test } from 'vitest';
import type { NewRecord } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { toldAnswers } from '../../pipeline/serving/told-answers.js';

const record: NewRecord = { topic: 'recommendations', partition: 0, key: 'u', value: Buffer.from('x') };

function world(): { told: NewRecord[][]; answer: (error?: Error) => void; untold: () => number; said: string[]; of: ReturnType<typeof toldAnswers> } {
  const told: NewRecord[][] = [];
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const said: string[] = [];
  let untold = 0;
  const append = (records: readonly NewRecord[]): Promise<readonly never[]> => {
    told.push([...records]);
    return new Promise((resolve, reject) => { waiting.push({ resolve: () => resolve([]), reject }); });
  };
  const answer = (error?: Error): void => { for (const { resolve, reject } of waiting.splice(0)) if (error) reject(error); else resolve(); };
  const metrics = { ...noMetrics, count: (_: string, __?: object, by = 1) => { untold += by; } };
  const journal = { ...silentJournal, warn: (_: object, message: string) => void said.push(message) };
  return { told, answer, untold: () => untold, said, of: toldAnswers({ append }, metrics, journal) };
}

test('a log that does not answer is told of so many answers at most, however long it takes; when it answers, of the next ones again', async () => {
  const { told, answer, untold, of } = world();
  for (let n = 0; n < 25_000; n++) of.tell(record);
  expect(untold()).toBe(15_000);
  await expect.poll(() => told.flat().length).toBe(10_000);
  answer();
  await new Promise(setImmediate);
  of.tell(record);
  expect(untold()).toBe(15_000);
  const stopped = of.stop();
  answer();
  await stopped;
});

test('answers are told after a moment, all of it at once, and whoever stops waits for all', async () => {
  const { told, answer, untold, said, of } = world();
  of.tell(record);
  expect(told).toHaveLength(0);
  await expect.poll(() => told.length).toBe(1);
  for (let n = 0; n < 150; n++) of.tell(record);
  expect(told).toHaveLength(1);
  let isStopped = false;
  const stopped = of.stop().then(() => { isStopped = true; });
  expect(told.map(({ length }) => length)).toEqual([1, 150]);
  await Promise.resolve();
  expect(isStopped).toBe(false);
  answer(new Error('gone'));
  await stopped;
  expect(untold()).toBe(151);
  expect(said).toHaveLength(1);
});
