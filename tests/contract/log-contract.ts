import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { GroupSpec, Lease, Log, LogRecord, NewRecord, Reader } from '../../pipeline/core/log.js';
import { codec } from '../../schemas/codec.js';
import type { Topic, TopicKind } from '../../schemas/topics.js';

/** A log under test and what a suite does to it from outside. */
export interface LogHarness {
  log: Log;
  /** Close the log and open it again over the same data. */
  reopen(): Promise<Log>;
  close(): Promise<void>;
  /** Fence a partition of a group as its next owner elsewhere would, while the earlier owner does not notice. */
  fenceElsewhere(group: GroupSpec, partition: number): Promise<void>;
}

const DEADLINE_MS = 40_000;
const NONE: ReadonlySet<string> = new Set();

const unique = (name: string): string => `contract-${name}-${randomBytes(5).toString('hex')}`;

const topicNamed = (name: string, kind: TopicKind = 'stream'): Topic => ({
  name: unique(name), kind, key: 'id', codec: codec<unknown>('Timer'), retentionMs: 86_400_000,
});

const record = (topic: Topic, key: string | null, value: string | null, partition = 0): NewRecord => ({
  topic: topic.name, partition, key, value: value === null ? null : Buffer.from(value),
});

const text = ({ key, value }: LogRecord): [string | null, string | null] => [key, value && value.toString()];

/** Read until `count` records have come. */
async function take(poll: () => Promise<readonly LogRecord[]>, count: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const deadline = Date.now() + DEADLINE_MS;
  while (records.length < count && Date.now() < deadline) records.push(...(await poll()));
  expect(records).toHaveLength(count);
  return records;
}

const takeFrom = (reader: Reader, count: number): Promise<LogRecord[]> => take(() => reader.poll(1_000, 500), count);

const untilRevoked = ({ revoked }: Lease): Promise<void> =>
  new Promise((resolve) => {
    if (revoked.aborted) resolve();
    else revoked.addEventListener('abort', () => resolve(), { once: true });
  });

/** Join a group, run `use` as the owner of partition 0, leave again. */
async function owning<T>(log: Log, group: GroupSpec, use: (lease: Lease) => Promise<T>): Promise<T> {
  let done: (value: T) => void = () => {};
  const result = new Promise<T>((resolve) => (done = resolve));
  const membership = log.own(group, async (lease) => {
    if (lease.partition === 0) done(await use(lease));
    await untilRevoked(lease);
  });
  try {
    return await Promise.race([result, membership.failed]);
  } finally {
    await membership.stop();
  }
}

/** What every log owes to the runtime. Offsets may have gaps (transaction markers): the suite never counts on dense ones. */
export function logContract(name: string, open: () => Promise<LogHarness>): void {
  describe(`log contract: ${name}`, () => {
    let harness: LogHarness;
    let log: Log;

    beforeAll(async () => {
      harness = await open();
      log = harness.log;
    });
    afterAll(() => harness.close());

    const create = async (...topics: Topic[]): Promise<void> => log.ensureTopics(topics);

    async function readerOfAll(...topics: Topic[]): Promise<Reader> {
      const from = await Promise.all(
        topics.map(async (topic) => (await log.ranges(topic.name)).map(({ start }, partition) => ({ topic: topic.name, partition, offset: start }))),
      );
      return log.reader(from.flat());
    }

    async function contentOf(topic: Topic, count: number): Promise<[string | null, string | null][]> {
      const reader = await readerOfAll(topic);
      const records = await takeFrom(reader, count);
      expect(await reader.poll(10, 50)).toEqual([]);
      await reader.close();
      return records.map(text);
    }

    test('records come back as they were written, in order, at the positions that append answered', async () => {
      const topic = topicNamed('order');
      await create(topic);
      const before = Date.now();
      const sent = Array.from({ length: 250 }, (_, i) => record(topic, `k${i % 7}`, `value ${i}`));
      const positions = await log.append(sent);
      const reader = await readerOfAll(topic);
      const records = await takeFrom(reader, 250);
      await reader.close();

      expect(records.map(text)).toEqual(sent.map(({ key, value }) => [key, value?.toString()]));
      expect(records.map(({ offset, partition }) => ({ topic: topic.name, partition, offset }))).toEqual(positions);
      expect(records.every(({ topic: from, tick, writtenAt }) => from === topic.name && tick === null && Math.abs(writtenAt - before) < 60_000)).toBe(true);
      expect(positions.every(({ offset }, i) => i === 0 || offset > positions[i - 1]!.offset)).toBe(true);
    });

    test('concurrent appends all land, each in one piece', async () => {
      const topic = topicNamed('concurrent');
      await create(topic);
      const appends = Array.from({ length: 20 }, (_, i) => [record(topic, `a${i}`, 'first'), record(topic, `a${i}`, 'second')]);
      await Promise.all(appends.map((records) => log.append(records)));
      const content = await contentOf(topic, 40);
      for (let i = 0; i < 20; i++) {
        expect(content.filter(([key]) => key === `a${i}`).map(([, value]) => value)).toEqual(['first', 'second']);
      }
    });

    test('a record stays in the partition that its writer chose', async () => {
      const topic = topicNamed('partition');
      await create(topic);
      const all = Array.from({ length: log.partitions }, (_, partition) => partition);
      const positions = await log.append(all.map((partition) => record(topic, 'same key', `in ${partition}`, partition)));
      expect(positions.map(({ partition }) => partition)).toEqual(all);
      const reader = await readerOfAll(topic);
      const records = await takeFrom(reader, all.length);
      await reader.close();
      expect(records.map(({ partition, value }) => `${partition}: ${value}`).sort()).toEqual(all.map((p) => `${p}: in ${p}`).sort());
      expect(await log.ranges(topic.name)).toHaveLength(log.partitions);
    });

    test('ticks, tombstones, empty and foreign keys, and large values keep their shape', async () => {
      const topic = topicNamed('shapes');
      await create(topic);
      const large = randomBytes(900_000);
      const sent: NewRecord[] = [
        { topic: topic.name, partition: 0, key: null, value: null, tick: { writer: 'source', time: 1_700_000_000_123 } },
        { topic: topic.name, partition: 0, key: null, value: null, tick: { writer: 'order-ledger/11', time: 1 } },
        record(topic, 'gone', null),
        record(topic, '', 'empty key'),
        record(topic, 'empty value', ''),
        record(topic, null, 'no key'),
        record(topic, 'schlüssel-🛒-\u001f-ключ', 'unicode ✓'),
        { topic: topic.name, partition: 0, key: 'large', value: large },
        { topic: topic.name, partition: 0, key: '\u0000\u0000\u0000\u0000', value: Buffer.from([0, 0, 0, 0]) },
      ];
      await log.append(sent);
      const reader = await readerOfAll(topic);
      const records = await takeFrom(reader, sent.length);
      await reader.close();
      expect(records.map(({ key, tick }) => ({ key, tick }))).toEqual(sent.map(({ key, tick = null }) => ({ key, tick })));
      expect(records.map(({ value }) => value?.toString('base64'))).toEqual(sent.map(({ value }) => value?.toString('base64')));
    });

    test('a reader starts in the middle, at the end, and takes at most what it asked for', async () => {
      const topic = topicNamed('middle');
      await create(topic);
      const positions = await log.append(Array.from({ length: 10 }, (_, i) => record(topic, 'k', `${i}`)));
      const reader = log.reader([positions[6]!]);
      const first = await take(() => reader.poll(1, 500), 1);
      expect(first.map(text)).toEqual([['k', '6']]);
      await vi.waitFor(() => expect(reader.lag()).toBe(3), { timeout: DEADLINE_MS });
      expect((await takeFrom(reader, 3)).map(text)).toEqual([['k', '7'], ['k', '8'], ['k', '9']]);
      expect(reader.lag()).toBe(0);
      await reader.close();

      const { end } = (await log.ranges(topic.name))[0]!;
      const tail = log.reader([{ topic: topic.name, partition: 0, offset: end }]);
      expect(await tail.poll(10, 50)).toEqual([]);
      await log.append([record(topic, 'k', 'new')]);
      expect((await takeFrom(tail, 1)).map(text)).toEqual([['k', 'new']]);
      await tail.close();
    });

    test('it is told which record was the first to be written after a time, by partition', async () => {
      const topic = topicNamed('after');
      await create(topic);
      const last = log.partitions - 1;
      const early = await log.append(Array.from({ length: 40 }, (_, i) => record(topic, 'k', `early ${i}`)));
      await sleep(30);
      const between = Date.now();
      await sleep(30);
      const late = await log.append([...Array.from({ length: 40 }, (_, i) => record(topic, 'k', `late ${i}`)), ...(last > 0 ? [record(topic, 'k', 'late', last)] : [])]);
      const ends = (await log.ranges(topic.name)).map(({ end }) => end);
      const after = async (time: number) => (await log.writtenAfter(topic.name, time))[0];
      expect(await after(0)).toBe(early[0]!.offset);
      expect(await log.writtenAfter(topic.name, between)).toEqual(ends.map((_, partition) => (partition === 0 ? late[0]!.offset : 0)));
      expect(await log.writtenAfter(topic.name, Date.now() + 60_000)).toEqual(ends);

      const reader = log.reader([late[0]!]);
      const [first] = await take(() => reader.poll(1, 500), 1);
      await reader.close();
      expect(await after(first!.writtenAt - 1)).toBe(late[0]!.offset);
      expect(await after(first!.writtenAt)).toBeGreaterThan(late[0]!.offset);
    });

    test('a waiting poll wakes when a record arrives, answers [] in time, and ends when its reader closes', async () => {
      const topic = topicNamed('wake');
      await create(topic);
      const reader = await readerOfAll(topic);
      const started = Date.now();
      expect(await reader.poll(10, 60)).toEqual([]);
      expect(Date.now() - started).toBeGreaterThanOrEqual(50);

      // Longer than the test may take: it does not wake by itself.
      const waiting = reader.poll(10, 600_000);
      await sleep(30);
      await log.append([record(topic, 'k', 'wake up')]);
      expect((await waiting).map(text)).toEqual([['k', 'wake up']]);

      const pending = reader.poll(10, 600_000);
      await reader.close();
      expect(await pending).toEqual([]);
    });

    test('an offset outside the log is a ConfigError, for a reader and for a lease', async () => {
      const topic = topicNamed('outside');
      await create(topic);
      await log.append([record(topic, 'k', 'v')]);
      const { end } = (await log.ranges(topic.name))[0]!;
      const reader = log.reader([{ topic: topic.name, partition: 0, offset: end + 1_000 }]);
      await expect(reader.poll(1, DEADLINE_MS)).rejects.toThrow(ConfigError);
      await reader.close();
      await owning(log, { name: unique('outside'), inputs: [topic.name] }, async (lease) => {
        await expect(lease.seek({ [topic.name]: end + 1_000 })).rejects.toThrow(ConfigError);
      });
    });

    test('own, fence, commit: outputs of several topics and table rows appear together', async () => {
      const [input, one, two, table] = [topicNamed('in'), topicNamed('one'), topicNamed('two'), topicNamed('table', 'table')];
      await create(input, one, two, table);
      const group = { name: unique('commit'), inputs: [input.name], table: table.name };
      await owning(log, group, async (lease) => {
        await lease.fence();
        expect(await lease.tableRange()).toMatchObject({ start: 0 });
        await lease.seek({});
        const first = await lease.commit(
          [record(one, 'a', '1'), record(two, 'b', '2'), record(one, 'a', '3')],
          [record(table, 'row', 'x'), record(table, '_progress', 'p')],
        );
        const rows: LogRecord[] = [];
        await lease.readTable(0, first, (slice) => rows.push(...slice));
        expect(rows.map(text)).toEqual([['row', 'x'], ['_progress', 'p']]);
        expect(first).toBe(rows.at(-1)!.offset + 1);

        const second = await lease.commit([], [record(table, 'row', null)]);
        expect(second).toBeGreaterThan(first);
        const later: LogRecord[] = [];
        await lease.readTable(first, second, (slice) => later.push(...slice));
        expect(later.map(text)).toEqual([['row', null]]);
      });
      expect(await contentOf(one, 2)).toEqual([['a', '1'], ['a', '3']]);
      expect(await contentOf(two, 1)).toEqual([['b', '2']]);
    });

    test('a table reads back in slices that say where they end, up to the range after the fence', async () => {
      const [input, table] = [topicNamed('in'), topicNamed('table', 'table')];
      await create(input, table);
      const group = { name: unique('restore'), inputs: [input.name], table: table.name };
      await owning(log, group, async (lease) => {
        await lease.fence();
        for (let i = 0; i < 5; i++) await lease.commit([], Array.from({ length: 200 }, (_, j) => record(table, `k${j}`, `${i} ${'x'.repeat(100)}`)));
      });
      await owning(log, group, async (lease) => {
        await lease.fence();
        const { start, end } = await lease.tableRange();
        const rows: LogRecord[] = [];
        let next = start;
        await lease.readTable(start, end, (slice, after) => {
          for (const row of slice) expect(row.offset).toBeGreaterThanOrEqual(next);
          expect(after).toBeGreaterThan(slice.at(-1)?.offset ?? -1);
          rows.push(...slice);
          next = after;
        });
        expect(rows).toHaveLength(1_000);
        expect(next).toBe(end);
        await lease.readTable(end, end, () => expect.unreachable('There is nothing after the end.'));
      });
    });

    test('a lease reads its inputs from where it sought, without those that are paused, and loses nothing by a pause', async () => {
      const [a, b] = [topicNamed('a'), topicNamed('b')];
      await create(a, b);
      const ofA = await log.append(Array.from({ length: 4 }, (_, i) => record(a, 'a', `${i}`)));
      await log.append(Array.from({ length: 3 }, (_, i) => record(b, 'b', `${i}`)));
      await owning(log, { name: unique('inputs'), inputs: [a.name, b.name] }, async (lease) => {
        await lease.seek({ [a.name]: ofA[2]!.offset });
        const onlyB = await take(() => lease.poll(100, 500, new Set([a.name])), 3);
        expect(onlyB.map(text)).toEqual([['b', '0'], ['b', '1'], ['b', '2']]);
        expect(await lease.poll(100, 50, new Set([a.name, b.name]))).toEqual([]);
        expect((await take(() => lease.poll(1, 500, NONE), 1)).map(text)).toEqual([['a', '2']]);
        await vi.waitFor(() => expect(lease.lag()).toEqual({ [a.name]: 1, [b.name]: 0 }), { timeout: DEADLINE_MS });
        expect((await take(() => lease.poll(100, 500, NONE), 1)).map(text)).toEqual([['a', '3']]);
        await vi.waitFor(() => expect(lease.lag()).toEqual({ [a.name]: 0, [b.name]: 0 }), { timeout: DEADLINE_MS });

        // A second seek goes back: a task restored after a failed commit reads its inputs again.
        await lease.seek({ [a.name]: ofA[3]!.offset });
        expect((await take(() => lease.poll(100, 500, NONE), 4)).map(text).sort()).toEqual([['a', '3'], ['b', '0'], ['b', '1'], ['b', '2']]);
      });
    });

    test('a lease wakes for a new record of an input that is not paused', async () => {
      const [a, b] = [topicNamed('a'), topicNamed('b')];
      await create(a, b);
      await owning(log, { name: unique('wake'), inputs: [a.name, b.name] }, async (lease) => {
        await lease.seek({});
        const waiting = lease.poll(100, 600_000, new Set([b.name]));
        await sleep(30);
        await log.append([record(b, 'b', 'paused')]);
        await log.append([record(a, 'a', 'read')]);
        expect((await waiting).map(text)).toEqual([['a', 'read']]);
      });
    });

    test('a stored offset and its metadata survive the member', async () => {
      const input = topicNamed('offsets');
      await create(input);
      const [position] = await log.append([record(input, 'k', '1'), record(input, 'k', '2')]);
      const group = { name: unique('offsets'), inputs: [input.name] };
      await owning(log, group, async (lease) => {
        expect(await lease.storedOffset(input.name)).toBeUndefined();
        await lease.storeOffset(input.name, position!.offset, 'pending:17');
        await lease.storeOffset(input.name, position!.offset + 1, 'späť');
        expect(await lease.storedOffset(input.name)).toEqual({ offset: position!.offset + 1, metadata: 'späť' });
      });
      await owning(log, group, async (lease) => {
        expect(await lease.storedOffset(input.name)).toEqual({ offset: position!.offset + 1, metadata: 'späť' });
      });
    });

    test('every partition number has one owner, and a confirmed lease is one that still holds', async () => {
      const input = topicNamed('owners');
      await create(input);
      const owned: number[] = [];
      const membership = log.own({ name: unique('owners'), inputs: [input.name] }, async (lease) => {
        await lease.confirmed();
        if (!lease.revoked.aborted) owned.push(lease.partition);
        await untilRevoked(lease);
      });
      await vi.waitFor(() => expect(owned.sort((a, b) => a - b)).toEqual(Array.from({ length: log.partitions }, (_, p) => p)), { timeout: DEADLINE_MS });
      await membership.stop();
    });

    test('stop revokes, and waits for the owners to end; a waiting poll answers []', async () => {
      const input = topicNamed('stop');
      await create(input);
      let ended = false;
      let polled: readonly LogRecord[] | undefined;
      let started: () => void = () => {};
      const running = new Promise<void>((resolve) => (started = resolve));
      const membership = log.own({ name: unique('stop'), inputs: [input.name] }, async (lease) => {
        if (lease.partition !== 0) return untilRevoked(lease);
        await lease.seek({});
        started();
        polled = await lease.poll(10, 600_000, NONE);
        await sleep(100);
        ended = true;
        expect(lease.revoked.aborted).toBe(true);
      });
      await running;
      await membership.stop();
      expect(polled).toEqual([]);
      expect(ended).toBe(true);
    });

    test('a lease that was revoked cannot commit', async () => {
      const [input, output, table] = [topicNamed('in'), topicNamed('out'), topicNamed('table', 'table')];
      await create(input, output, table);
      const old = await owning(log, { name: unique('revoked'), inputs: [input.name], table: table.name }, async (lease) => {
        await lease.fence();
        await lease.commit([record(output, 'k', 'in time')], []);
        return lease;
      });
      await expect(old.commit([record(output, 'k', 'too late')], [])).rejects.toThrow(Error);
      expect(await contentOf(output, 1)).toEqual([['k', 'in time']]);
    });

    test('an owner that was fenced elsewhere cannot commit, until it fences again', async () => {
      const [input, output, table] = [topicNamed('in'), topicNamed('out'), topicNamed('table', 'table')];
      await create(input, output, table);
      const group = { name: unique('fenced'), inputs: [input.name], table: table.name };
      await owning(log, group, async (lease) => {
        await lease.fence();
        await lease.commit([record(output, 'k', 'before')], [record(table, 'r', '1')]);
        await harness.fenceElsewhere(group, lease.partition);
        await expect(lease.commit([record(output, 'k', 'zombie')], [record(table, 'r', '2')])).rejects.toThrow(Error);
        // The outcome of the failed commit was unknown: a task drops everything, and asks whether it still is the owner.
        await lease.confirmed();
        await lease.fence();
        await lease.commit([record(output, 'k', 'after')], [record(table, 'r', '3')]);
      });
      expect(await contentOf(output, 2)).toEqual([['k', 'before'], ['k', 'after']]);
      expect(await contentOf(table, 2)).toEqual([['r', '1'], ['r', '3']]);
    });

    test('an owner that fails ends the membership', async () => {
      const input = topicNamed('fails');
      await create(input);
      const membership = log.own({ name: unique('fails'), inputs: [input.name] }, async (lease) => {
        if (lease.partition === 0) throw new Error('The owner broke.');
        await untilRevoked(lease);
      });
      await expect(membership.failed).rejects.toThrow('The owner broke.');
      await membership.stop();
    });

    test('ensuring topics that exist changes nothing', async () => {
      const topic = topicNamed('ensure');
      await create(topic);
      await create(topic);
      await log.append([record(topic, 'k', 'still here')]);
      await create(topic);
      expect(await contentOf(topic, 1)).toEqual([['k', 'still here']]);
    });

    // Last, since it replaces the log.
    test('a log opened again has all its records and continues their offsets', async () => {
      const [topic, table] = [topicNamed('reopen'), topicNamed('table', 'table')];
      await create(topic, table);
      const group = { name: unique('reopen'), inputs: [topic.name], table: table.name };
      const before = await log.append([record(topic, 'k', '1'), record(topic, 'k', '2')]);
      await owning(log, group, async (lease) => {
        await lease.fence();
        await lease.commit([], [record(table, 'r', 'kept')]);
        await lease.storeOffset(topic.name, before[1]!.offset, 'm');
      });
      const { engine, clock, partitions } = log;
      log = await harness.reopen();
      expect([log.engine, log.clock, log.partitions]).toEqual([engine, clock, partitions]);
      await create(topic, table);
      const [after] = await log.append([record(topic, 'k', '3')]);
      expect(after!.offset).toBeGreaterThan(before[1]!.offset);
      expect(await contentOf(topic, 3)).toEqual([['k', '1'], ['k', '2'], ['k', '3']]);
      await owning(log, group, async (lease) => {
        await lease.fence();
        expect(await lease.storedOffset(topic.name)).toEqual({ offset: before[1]!.offset, metadata: 'm' });
        const { start, end } = await lease.tableRange();
        const rows: LogRecord[] = [];
        await lease.readTable(start, end, (slice) => rows.push(...slice));
        expect(rows.map(text)).toEqual([['r', 'kept']]);
      });
    });
  });
}
