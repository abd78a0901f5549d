import { expect, test, vi } from 'vitest';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { erase } from '../../pipeline/door-answers.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { Lease, NewRecord } from '../../pipeline/core/log.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
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
    const membership = log.own({ name: 'erasures', inputs: [erasures.name] }, (its) => runErasures(lease = its, log, rowSink, silentJournal));
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
