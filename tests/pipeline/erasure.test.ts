import { expect, test, vi } from 'vitest';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { erase } from '../../pipeline/door-answers.js';
import { LostRecords, Unavailable } from '../../pipeline/core/errors.js';
import type { Lease, NewRecord } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal, type Metrics } from '../../pipeline/core/metrics.js';
import { runErasures } from '../../pipeline/erasure.js';
import { allTopics, clickstream, erasures } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';

test('what can be nobody’s id erases nobody, and says so: an empty variable in a shell was told as done', async () => {
  const written: NewRecord[] = [];
  const engine = { log: { partitions: 1, append: (records: readonly NewRecord[]) => { written.push(...records); return Promise.resolve([]); } } } as unknown as Parameters<typeof erase>[0];
  for (const id of ['', ' ', 'undefined', 'guest', '0', 'a\u001fb', 'x'.repeat(300)]) await expect(erase(engine, id)).rejects.toThrow(/nobody's id.*Nothing was erased/);
  expect(written).toEqual([]);
  await erase(engine, 'u1');
  expect(written.map(({ key, value }) => [key, clickstream.codec.decode(value!).event])).toEqual([['u1', 'User Erased']]);
});

test('an erasure is done once, and again in tables that were made anew: filled from the log, they named who had been erased', async () => {
  const directory = folderForTest();
  const log = await openEmbeddedLog({ directory, clock: 'wall' });
  await log.ensureTopics(allTopics);
  const erased: string[] = [];
  const append = (id: string, orderId: string | null): Promise<unknown> =>
    log.append([{ topic: erasures.name, partition: 0, key: id, value: erasures.codec.encode({ ids: [id], orderId, time: 0 }) }]);
  /** One life of the process, until all that the topic holds is done. */
  const live = async (made: string): Promise<void> => {
    let away = true;
    const rowSink = {
      ensure: () => Promise.resolve(),
      tableId: (table: string) => {
        if (table === 'sales') return Promise.reject(new Error('There is no table sales.'));
        if (!away) return Promise.resolve(`${table} ${made}`);
        away = false;
        return Promise.reject(new Unavailable('not yet'));
      },
      erase: ([id]: readonly string[]) => Promise.resolve(void erased.push(id!)),
    } as unknown as Parameters<typeof runErasures>[2];
    const { end } = (await log.ranges(erasures.name))[0]!;
    let lease: Lease | undefined;
    const membership = log.own({ name: 'erasures', inputs: [erasures.name] }, (its) => runErasures(lease = its, { log, metrics: noMetrics, journal: silentJournal }, rowSink));
    await vi.waitFor(async () => expect((await lease?.storedOffset(erasures.name))?.offset).toBe(end), { timeout: 5_000 });
    await membership.stop();
  };
  await append('u1', null);
  await append('O-1', 'O-1');
  await live('at first');
  expect(erased).toEqual(['u1']);
  await append('u2', null);
  await live('at first');
  expect(erased).toEqual(['u1', 'u2']);
  await append('u3', null);
  await live('anew');
  expect(erased).toEqual(['u1', 'u2', 'u1', 'u2', 'u3']);
  await log.close();
});

test('where the log has lost its end all erasures that it holds are done again, and it is said', async () => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  await log.ensureTopics(allTopics);
  await log.append(['u1', 'u2'].map((id) => ({ topic: erasures.name, partition: 0, key: id, value: erasures.codec.encode({ ids: [id], orderId: null, time: 0 }) })));
  const erased: string[] = [];
  const warn = vi.fn();
  const rowSink = {
    ensure: () => Promise.resolve(), tableId: (table: string) => Promise.resolve(table), erase: ([id]: readonly string[]) => Promise.resolve(void erased.push(id!)),
  } as unknown as Parameters<typeof runErasures>[2];
  const live = async (before: (lease: Lease) => void): Promise<void> => {
    const membership = log.own({ name: 'erasures', inputs: [erasures.name] }, (lease) => {
      before(lease);
      return runErasures(lease, { log, metrics: noMetrics, journal: { ...silentJournal, warn } }, rowSink);
    });
    const wanted = erased.length + 2;
    await vi.waitFor(() => expect(erased).toHaveLength(wanted), { timeout: 5_000 });
    await membership.stop();
  };
  await live(() => {});
  let asked = 0;
  await live((lease) => vi.spyOn(lease, 'seek').mockImplementationOnce(() => {
    asked++;
    return Promise.reject(new LostRecords([{ topic: erasures.name, partition: 0, offset: 2, next: 1, problem: 'The log has lost its end from 1 on.' }]));
  }));
  await log.close();
  expect([asked, erased]).toEqual([1, ['u1', 'u2', 'u1', 'u2']]);
  expect(warn.mock.calls).toEqual([[{ partition: 0, problem: 'The log has lost its end from 1 on.' }, expect.stringContaining('all that it has are done again')]]);
});

test('an erasure that ClickHouse refuses ends nothing: the next ones are done, it is tried again, told in a metric, and not forgotten by a restart', async () => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  await log.ensureTopics(allTopics);
  const attempts: string[] = [];
  const refused: number[] = [];
  let refuses = true;
  const rowSink = {
    ensure: () => Promise.resolve(),
    tableId: (table: string) => Promise.resolve(table),
    erase: ([id]: readonly string[]) => {
      attempts.push(id!);
      return id === 'u2' && refuses ? Promise.reject(new Error('ClickHouse: too many patterns')) : Promise.resolve();
    },
  } as unknown as Parameters<typeof runErasures>[2];
  const metrics: Metrics = { ...noMetrics, gauge: (name, value) => { if (name === 'millrace_erasures_refused') refused.push(value); } };
  let lease: Lease | undefined;
  const live = (againMs: number) => log.own({ name: 'erasures', inputs: [erasures.name] }, (its) => runErasures(lease = its, { log, metrics, journal: silentJournal }, rowSink, againMs));
  for (const id of ['u1', 'u2', 'u3']) await log.append([{ topic: erasures.name, partition: 0, key: id, value: erasures.codec.encode({ ids: [id], orderId: null, time: 0 }) }]);
  const first = live(1_000_000);
  await vi.waitFor(() => expect(attempts).toEqual(['u1', 'u2', 'u3']), { timeout: 20_000 });
  await vi.waitFor(async () => expect((await lease?.storedOffset(erasures.name))?.offset).toBe(1), { timeout: 20_000 });
  expect(refused.at(-1)).toBe(1);
  await first.stop();
  expect(refused.at(-1)).toBe(0);
  attempts.length = 0;
  const second = live(10);
  await vi.waitFor(() => expect(attempts.filter((id) => id === 'u2').length).toBeGreaterThan(1), { timeout: 20_000 });
  refuses = false;
  await vi.waitFor(async () => expect((await lease?.storedOffset(erasures.name))?.offset).toBe(3), { timeout: 20_000 });
  expect(attempts).not.toContain('u1');
  expect(refused.at(-1)).toBe(0);
  await second.stop();
  await log.close();
});

test('whoever stops while ClickHouse does not answer leaves the erasure to the next owner: it is neither refused nor done, and no failure', async () => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  await log.ensureTopics(allTopics);
  await log.append([{ topic: erasures.name, partition: 0, key: 'u1', value: erasures.codec.encode({ ids: ['u1'], orderId: null, time: 0 }) }]);
  const said: string[] = [];
  const hear = (_: object, sentence: string): void => void said.push(sentence);
  let attempts = 0;
  const rowSink = {
    ensure: () => Promise.resolve(),
    tableId: (table: string) => Promise.resolve(table),
    erase: () => Promise.reject(new Unavailable(`no answer ${++attempts}`)),
  } as unknown as Parameters<typeof runErasures>[2];
  let lease: Lease | undefined;
  const membership = log.own({ name: 'erasures', inputs: [erasures.name] }, (its) => runErasures(lease = its, { log, metrics: noMetrics, journal: { ...silentJournal, warn: hear, info: hear, error: hear } }, rowSink));
  let failure: unknown;
  membership.failed.catch((error: unknown) => { failure = error; });
  await vi.waitFor(() => expect(attempts).toBeGreaterThan(1), { timeout: 20_000 });
  await membership.stop();
  expect(failure).toBeUndefined();
  expect(said.filter((sentence) => !sentence.startsWith('An erasure waits'))).toEqual([]);
  expect(await lease?.storedOffset(erasures.name)).toBeUndefined();
  await log.close();
});
