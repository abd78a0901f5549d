import { fdatasync, ftruncateSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Disk } from '../../infra/embedded-log/files.js';
import { openEmbeddedLog, type EmbeddedLog, type EmbeddedLogOptions } from '../../infra/embedded-log/log.js';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import type { Lease, Membership, NewRecord } from '../../pipeline/core/log.js';
import { codec } from '../../schemas/codec.js';
import type { Topic } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';
import { everythingIn } from '../support/records.js';

const topic = (name: string, kind: Topic['kind'] = 'stream', retentionMs = 1_000): Topic => ({ name, kind, key: 'id', codec: codec<unknown>('Timer'), retentionMs });
const clicks = topic('clicks', 'source');
const carts = topic('carts', 'table');
const record = (to: Topic, value: string, key = 'k'): NewRecord => ({ topic: to.name, partition: 0, key, value: Buffer.from(value) });

async function openLog(options: Partial<EmbeddedLogOptions> = {}): Promise<EmbeddedLog> {
  const log = await openEmbeddedLog({ directory: options.directory ?? folderForTest(), clock: 'wall', ...options });
  await log.ensureTopics([clicks, carts]);
  return log;
}

const valuesOf = async (log: EmbeddedLog, of: Topic): Promise<string[]> => (await everythingIn(log, of.name)).map(({ value }) => String(value));

/** Own partition 0 until the membership stops. */
function lease(log: EmbeddedLog, group = { name: 'task', inputs: [clicks.name], table: carts.name }): Promise<{ lease: Lease; membership: Membership }> {
  return new Promise((resolve) => {
    const membership = log.own(group, async (held) => {
      await held.fence();
      resolve({ lease: held, membership });
      await new Promise<void>((done) => held.revoked.addEventListener('abort', () => done()));
    });
  });
}

/** A disk that fails where it is told to. */
function faultyDisk(): { disk: Disk; fail: { write?: 'none' | 'part'; sync?: boolean; truncate?: boolean } } {
  const fail: { write?: 'none' | 'part'; sync?: boolean; truncate?: boolean } = {};
  const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  return {
    fail,
    disk: {
      writeSync(fd, bytes, offset, length, position) {
        if (fail.write === 'part' && length > 20) return writeSync(fd, bytes, offset, 20, position);
        if (fail.write) throw full();
        return writeSync(fd, bytes, offset, length, position);
      },
      fdatasync(fd, done) {
        if (fail.sync) setImmediate(() => done(new Error('EIO: i/o error, fdatasync')));
        else fdatasync(fd, done);
      },
      ftruncateSync(fd, length) {
        if (fail.truncate) throw new Error('EIO: i/o error, ftruncate');
        ftruncateSync(fd, length);
      },
    },
  };
}

test('the clock belongs to the log: another one is a ConfigError, and so are other partitions', async () => {
  const directory = folderForTest();
  await (await openLog({ directory, clock: 'file' })).close();
  await expect(openEmbeddedLog({ directory, clock: 'wall' })).rejects.toThrow('was created with clock "file"');
  await expect(openEmbeddedLog({ directory, clock: 'file', partitions: 4 })).rejects.toThrow(ConfigError);
  const log = await openLog({ directory, clock: 'file' });
  expect([log.clock, log.partitions]).toEqual(['file', 1]);
  await log.close();
});

test('a log that another version wrote is refused with what to do, and one whose catalogue is damaged too', async () => {
  const directory = folderForTest();
  await (await openLog({ directory })).close();
  const catalogue = join(directory, 'log', 'log.json');
  const text = readFileSync(catalogue, 'utf8');
  const refusalOf = async (contents: string): Promise<unknown> => {
    writeFileSync(catalogue, contents);
    return openEmbeddedLog({ directory, clock: 'wall' }).catch((error: unknown) => error);
  };
  const ours = JSON.parse(text) as { format: number };
  for (const format of [1, ours.format - 1, ours.format + 1]) {
    const refusal = await refusalOf(JSON.stringify({ ...ours, format }));
    expect(refusal).toBeInstanceOf(ConfigError);
    expect(String(refusal)).toContain('is of another version of Millrace, whose records this one does not read: start it with that version, or carry the shop over into a fresh DATA_DIR (docs/runbook.md).');
  }
  for (const contents of ['', '{}', 'null', text.slice(0, 40)]) expect(String(await refusalOf(contents))).toContain('is damaged: restore it from a copy');
  writeFileSync(catalogue, text);
  await (await openLog({ directory })).close();
});

test('two logs cannot stand in one directory', async () => {
  const directory = folderForTest();
  const log = await openLog({ directory });
  await expect(openEmbeddedLog({ directory, clock: 'wall' })).rejects.toThrow(`${directory} is in use`);
  await log.close();
});

test.each(['none', 'part'] as const)('a full disk (%s of a frame written) refuses appends and loses nothing; the log goes on when there is room', async (write) => {
  const directory = folderForTest();
  const { disk, fail } = faultyDisk();
  const log = await openLog({ directory, disk });
  await log.append([record(clicks, 'before')]);
  fail.write = write;
  const results = await Promise.allSettled([log.append([record(clicks, 'lost 1'), record(clicks, 'lost 2')]), log.append([record(clicks, 'lost 3')])]);
  expect(results.every((result) => result.status === 'rejected' && result.reason instanceof Unavailable && result.reason.told === log.failure())).toBe(true);
  expect(log.failure()).toBe('The log cannot be written (ENOSPC: no space left on device)');
  await expect(log.append([record(clicks, 'lost 4')])).rejects.toThrow('no space left');
  expect((await log.ranges(clicks.name))[0]).toEqual({ start: 0, end: 1 });

  delete fail.write;
  const [position] = await log.append([record(clicks, 'after')]);
  expect([position!.offset, log.failure()]).toEqual([1, undefined]);
  await log.close();
  const again = await openLog({ directory });
  expect(await valuesOf(again, clicks)).toEqual(['before', 'after']);
  expect(again.cutBytes).toBe(0);
  await again.close();
});

test.each([false, true])('a failed fdatasync fails the frames it covered (file repairable at once: %s)', async (later) => {
  const directory = folderForTest();
  const { disk, fail } = faultyDisk();
  const log = await openLog({ directory, disk });
  await log.append([record(clicks, 'before')]);
  Object.assign(fail, { sync: true, truncate: later });
  const { lease: held, membership } = await lease(log);
  await expect(held.commit([record(clicks, 'lost')], [record(carts, 'lost')])).rejects.toThrow(Unavailable);
  await expect(log.append([record(clicks, 'lost too')])).rejects.toThrow(Unavailable);
  Object.assign(fail, { sync: false, truncate: false });
  expect(await held.commit([record(clicks, 'after')], [record(carts, 'row')])).toBe(1);
  await membership.stop();
  await log.close();
  const again = await openLog({ directory });
  expect([await valuesOf(again, clicks), await valuesOf(again, carts)]).toEqual([['before', 'after'], ['row']]);
  await again.close();
});

test('a record wakes its reader within a turn or two of the event loop', async () => {
  const log = await openLog();
  const reader = log.reader([{ topic: clicks.name, partition: 0, offset: 0 }]);
  const afterAck: number[] = [];
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns++;
    if (!isOver) setImmediate(turn);
  };
  turn();
  for (let i = 0; i < 50; i++) {
    const seen = reader.poll(10, 20_000).then(() => turns);
    await sleep(2);
    await log.append([record(clicks, `${i}`)]);
    const acknowledged = turns;
    afterAck.push((await seen) - acknowledged);
  }
  isOver = true;
  expect(afterAck.sort((a, b) => a - b)[25]).toBeLessThanOrEqual(2);
  await reader.close();
  await log.close();
});

test('a reader far behind reads every record once while writers go on, across memory, files and segments', async () => {
  const directory = folderForTest();
  const log = await openLog({ directory, segmentBytes: 50_000, tailBytes: 20_000 });
  const write = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) await log.append([record(i % 7 === 0 ? carts : clicks, `${i} ${'x'.repeat(200)}`)]);
  };
  await write(0, 700);
  const reader = log.reader([{ topic: clicks.name, partition: 0, offset: 0 }, { topic: carts.name, partition: 0, offset: 0 }]);
  const writing = write(700, 1_400);
  const seen: number[] = [];
  while (seen.length < 1_400) seen.push(...(await reader.poll(37, 20_000)).map(({ value }) => Number(String(value).split(' ')[0])));
  await writing;
  const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);
  expect(sorted(seen)).toEqual(Array.from({ length: 1_400 }, (_, i) => i));
  for (const ofCarts of [true, false]) {
    const ofTopic = seen.filter((i) => (i % 7 === 0) === ofCarts);
    expect(ofTopic).toEqual(sorted(ofTopic));
  }
  expect(reader.lag()).toBe(0);
  await reader.close();
  await log.close();

  // Without their indexes sealed segments are scanned once more.
  for (const file of readdirSync(join(directory, 'log'))) if (file.endsWith('.index')) rmSync(join(directory, 'log', file));
  const again = await openLog({ directory });
  expect(await valuesOf(again, clicks)).toHaveLength(1_200);
  await again.close();
});

test('old segments go when nothing needs them: a reader, a group and a table without a floor each hold them back', async () => {
  const directory = folderForTest();
  let now = 1_000_000;
  const log = await openLog({ directory, segmentBytes: 2_000, now: () => now });
  const write = async (to: Topic, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await log.append([record(to, 'x'.repeat(100))]);
  };
  await write(clicks, 60);
  expect(await log.sweep()).toBe(0);
  now += 2_000;

  const reader = log.reader([{ topic: clicks.name, partition: 0, offset: 0 }]);
  expect(await log.sweep()).toBe(0);
  await reader.close();
  const { lease: held, membership } = await lease(log);
  await held.seek({ [clicks.name]: 60 });
  await held.storeOffset(clicks.name, 1, '');
  expect(await log.sweep()).toBe(0);
  await held.storeOffset(clicks.name, 60, '');
  expect(await log.sweep()).toBeGreaterThan(1);
  const { start, end } = (await log.ranges(clicks.name))[0]!;
  expect(start).toBeGreaterThan(0);
  expect(await valuesOf(log, clicks)).toHaveLength(end - start);
  await expect(held.seek({ [clicks.name]: 0 })).rejects.toThrow(ConfigError);

  await write(carts, 60);
  now += 2_000;
  await write(clicks, 1);
  expect(await log.sweep()).toBeLessThan(2);
  let stored = 0;
  log.holdBack(async () => [{ topic: carts.name, partition: 0, offset: stored }]);
  expect(await log.sweep()).toBe(0);
  stored = 60;
  expect(await log.sweep()).toBeGreaterThan(1);

  // What the log has dropped is in the local store alone: a store that was wiped must not look empty.
  const range = await held.tableRange();
  expect(range.start).toBeGreaterThan(0);
  await expect(held.readTable(0, range.end, () => {})).rejects.toThrow("the table's local store lacks them");
  await membership.stop();
  await log.close();

  const again = await openLog({ directory });
  expect((await again.ranges(carts.name))[0]).toEqual(range);
  const { lease: next, membership: other } = await lease(again);
  expect(await next.storedOffset(clicks.name)).toEqual({ offset: 60, metadata: '' });
  await other.stop();
  await again.close();
});

test('closing waits for what is on its way; afterwards nothing is accepted', async () => {
  const directory = folderForTest();
  const log = await openLog({ directory });
  const pending = log.append([record(clicks, 'on its way')]);
  await log.close();
  expect(await pending).toHaveLength(1);
  await expect(log.append([record(clicks, 'too late')])).rejects.toThrow('The log is closed');
});

test('a topic that was not ensured is refused before anything is written', async () => {
  const log = await openLog();
  await expect(log.append([record(clicks, 'a'), record(topic('unknown'), 'b')])).rejects.toThrow('no topic "unknown"');
  await expect(log.append([{ ...record(clicks, 'a'), partition: 1 }])).rejects.toThrow('there is no partition 1');
  expect((await log.ranges(clicks.name))[0]).toEqual({ start: 0, end: 0 });
  await log.close();
});
