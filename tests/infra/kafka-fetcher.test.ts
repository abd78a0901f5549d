import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { PAUSE_ABOVE, RESUME_BELOW } from '../../infra/kafka-log/backlog.js';
import type { Connection, Session } from '../../infra/kafka-log/connection.js';
import type { Asked, PartitionAnswer } from '../../infra/kafka-log/fetch-answer.js';
import { Fetcher, patiently } from '../../infra/kafka-log/fetcher.js';
import type { Cursor } from '../../infra/kafka-log/fetcher.js';
import { Inputs } from '../../infra/kafka-log/inputs.js';
import { ConfigError, LostRecords } from '../../pipeline/core/errors.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import { silentJournal } from '../../pipeline/core/metrics.js';

const LIMITS = { waitMs: 10, bytes: 1, partitionBytes: 1 };
const NONE: ReadonlySet<string> = new Set();

const recordAt = ({ topic, partition }: Asked, offset: number): LogRecord =>
  ({ topic, partition, offset, key: 'k', value: null, tick: null, writtenAt: 0 });

function answerOf(asked: Asked, count: number, more: Partial<PartitionAnswer> = {}): PartitionAnswer {
  const records = Array.from({ length: count }, (_, i) => recordAt(asked, asked.from + i));
  return { ...asked, error: 0, lastStableOffset: asked.from + count, records, next: asked.from + count, ...more };
}

/** A cluster of one broker that answers as the test says. */
class ScriptedConnection implements Pick<Connection, 'open' | 'drop' | 'leader' | 'learn' | 'fetch' | 'describe' | 'ranges' | 'epochEnds' | 'close'> {
  readonly fetches: Asked[][] = [];
  leaders = 1;
  learned = 0;
  answer: (asked: readonly Asked[]) => Promise<PartitionAnswer[]> = async (asked) => asked.map((one) => answerOf(one, 0));
  range = { start: 0, end: 1_000_000 };
  async open(): Promise<Session> {
    return { cluster: JSON.parse('null'), topics: new Set(), sockets: new Map() }; // the fetcher only hands it back
  }
  drop(): void {}
  leader(): number {
    return this.leaders;
  }
  async learn(): Promise<void> {
    this.learned++;
  }
  async fetch(_: Session, __: number, asked: readonly Asked[]): Promise<PartitionAnswer[]> {
    this.fetches.push([...asked]);
    await sleep(1); // a broker is never as fast as a microtask; without it nothing else would run
    return this.answer(asked);
  }
  async ranges(wanted: readonly unknown[]) {
    return wanted.map(() => this.range);
  }
  topicId = 'a1';
  epochEnd = 1_000_000;
  async describe(topics: readonly string[]) {
    return new Map(topics.map((topic) => [topic, { id: this.topicId, partitions: 1 }]));
  }
  async epochEnds(wanted: readonly unknown[]) {
    return wanted.map(() => this.epochEnd);
  }
  async close(): Promise<void> {}
}

const fetchers: Fetcher[] = [];
afterEach(async () => {
  await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.close()));
});

function fetching(connection: ScriptedConnection, lookMs?: number): Fetcher {
  const fetcher = new Fetcher(connection, LIMITS, silentJournal, lookMs);
  fetchers.push(fetcher);
  return fetcher;
}

function cursorAt(position: number): Cursor & { got: LogRecord[]; failures: Error[] } {
  const got: LogRecord[] = [];
  const failures: Error[] = [];
  return {
    topic: 'clicks', partition: 0, position, end: undefined, paused: false, got, failures,
    arrived: (records) => void got.push(...records),
    failed: (error) => void failures.push(error),
  };
}

describe('a fetcher', () => {
  test('ignores what was fetched from an offset that is not the expected one', async () => {
    const connection = new ScriptedConnection();
    const cursor = cursorAt(0);
    // While the first fetch is under way the task seeks elsewhere.
    connection.answer = async (asked) => {
      if (connection.fetches.length > 1) return asked.map((one) => answerOf(one, one.from === 500 ? 2 : 0));
      cursor.position = 500;
      return asked.map((one) => answerOf(one, 3));
    };
    fetching(connection).follow(cursor);
    await expect.poll(() => cursor.position).toBe(502);
    expect(cursor.got.map(({ offset }) => offset)).toEqual([500, 501]);
  });

  test('does not go on elsewhere when its offset is gone', async () => {
    const connection = new ScriptedConnection();
    connection.range = { start: 50, end: 100 };
    connection.answer = async (asked) => asked.map((one) => answerOf(one, 0, { error: 1 }));
    const cursor = cursorAt(10);
    fetching(connection).follow(cursor);
    await expect.poll(() => cursor.failures).toHaveLength(1);
    expect(cursor.failures[0]).toBeInstanceOf(ConfigError);
    expect(cursor.failures[0]?.message).toContain('[50, 100)');
    expect(cursor.got).toEqual([]);
  });

  test('notices at its next look a topic that was made again without an error in between', async () => {
    const connection = new ScriptedConnection();
    const cursor = { ...cursorAt(10), lineage: { topicId: 'a1', epoch: 0 } };
    fetching(connection, 5).follow(cursor);
    await expect.poll(() => connection.fetches.length).toBeGreaterThan(10);
    expect(cursor.failures).toEqual([]);
    connection.topicId = 'b2';
    await expect.poll(() => cursor.failures).toHaveLength(1);
    expect(cursor.failures[0]).toBeInstanceOf(LostRecords);
    expect(cursor.failures[0]?.message).toContain('a topic that was deleted');
  });

  test('notices it, too, where records come while it is asked', async () => {
    const connection = new ScriptedConnection();
    connection.answer = async (asked) => asked.map((one) => answerOf(one, 1));
    const describing = connection.describe.bind(connection);
    connection.describe = async (topics) => {
      await sleep(20);
      return describing(topics);
    };
    const ranges = connection.ranges.bind(connection);
    connection.ranges = async (wanted) => {
      await sleep(20);
      return ranges(wanted);
    };
    const cursor = { ...cursorAt(10), lineage: { topicId: 'a1', epoch: 0 } };
    fetching(connection, 5).follow(cursor);
    connection.topicId = 'b2';
    await expect.poll(() => cursor.failures.length).toBe(1);
    const { length } = cursor.got;
    await sleep(50);
    expect(cursor.got).toHaveLength(length);
  });

  test.each([[80, [], 5], [100, [100, 101], 6]])('of another leader takes what follows on what was read: where the epoch before it ends at %i', async (epochEnd, got, epoch) => {
    const connection = new ScriptedConnection();
    connection.epochEnd = epochEnd;
    connection.answer = async (asked) => asked.map((one) => answerOf(one, one.from === 100 ? 2 : 0, one.from === 100 ? { epochs: { first: 6, last: 6 } } : {}));
    const cursor = { ...cursorAt(100), lineage: { topicId: 'a1', epoch: 5 } };
    fetching(connection).follow(cursor);
    await expect.poll(() => cursor.got.length + cursor.failures.length).toBeGreaterThan(0);
    expect(cursor.got.map(({ offset }) => offset)).toEqual(got);
    expect(cursor.failures.map(({ message }) => /the log has lost its end from 80 on/.test(message))).toEqual(got.length === 0 ? [true] : []);
    expect(cursor.lineage.epoch).toBe(epoch);
  });

  test('asks once what the log is now, and fetches nothing meanwhile, however often the task looks for records', async () => {
    const connection = new ScriptedConnection();
    let asked = 0;
    let answered = (): void => {};
    const patience = new Promise<void>((resolve) => { answered = resolve; });
    connection.answer = async (wanted) => wanted.map((one) => answerOf(one, one.from === 0 ? 2 : 0, one.from === 0 ? { epochs: { first: 6, last: 6 } } : {}));
    const inputs = new Inputs(['clicks'], 0, fetching(connection), connection, () => {});
    await inputs.seek({ clicks: 0 }, { clicks: 'a1:5' });
    connection.epochEnds = async (wanted) => {
      asked++;
      await patience;
      return wanted.map(() => 1_000_000);
    };
    for (let looks = 0; looks < 20; looks++) expect(await inputs.poll(10, 10, NONE)).toEqual([]);
    expect([asked, connection.fetches.length]).toEqual([1, 1]);
    answered();
    expect((await inputs.poll(10, 20_000, NONE)).map(({ offset }) => offset)).toEqual([0, 1]);
    inputs.close();
  });

  test('looks the leader up again when it has moved, and goes on where it was', async () => {
    const connection = new ScriptedConnection();
    connection.answer = async (asked) => asked.map((one) => (connection.learned === 0 ? answerOf(one, 0, { error: 6 }) : answerOf(one, one.from < 2 ? 1 : 0)));
    const cursor = cursorAt(0);
    fetching(connection).follow(cursor);
    await expect.poll(() => cursor.got.map(({ offset }) => offset)).toEqual([0, 1]);
  });

  test('connects again after a failure, without losing its place', async () => {
    const connection = new ScriptedConnection();
    connection.answer = async (asked) => {
      if (connection.fetches.length % 2 === 1) throw new Error('The socket closed.');
      return asked.map((one) => answerOf(one, one.from < 3 ? 1 : 0));
    };
    const cursor = cursorAt(0);
    fetching(connection).follow(cursor);
    await expect.poll(() => cursor.got.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  });
});

describe('the inputs of a lease', () => {
  async function followed(): Promise<{ inputs: Inputs; connection: ScriptedConnection; fetched: (topic: string) => number }> {
    const connection = new ScriptedConnection();
    connection.answer = async (asked) => asked.map((one) => answerOf(one, 1_000));
    const inputs = new Inputs(['clicks', 'orders'], 0, fetching(connection), connection, () => {});
    await inputs.seek({});
    const fetched = (topic: string): number => Math.max(0, ...connection.fetches.flat().filter((one) => one.topic === topic).map(({ from }) => from + 1_000));
    return { inputs, connection, fetched };
  }

  test('stop above 10,000 records and go on below 3,000', async () => {
    const { inputs, fetched } = await followed();
    await expect.poll(() => fetched('clicks')).toBe(PAUSE_ABOVE + 1_000);
    await sleep(100);
    expect(fetched('clicks')).toBe(PAUSE_ABOVE + 1_000);
    const taken = (max: number) => inputs.poll(max, 0, new Set(['orders']));
    expect(await taken(PAUSE_ABOVE + 1_000 - RESUME_BELOW)).toHaveLength(PAUSE_ABOVE + 1_000 - RESUME_BELOW);
    await sleep(50);
    expect(fetched('clicks')).toBe(PAUSE_ABOVE + 1_000);
    await taken(1);
    await expect.poll(() => fetched('clicks')).toBeGreaterThan(PAUSE_ABOVE + 1_000);
    inputs.close();
  });

  test('an input that is held back never keeps another from arriving', async () => {
    const { inputs } = await followed();
    let last = -1;
    for (let i = 0; i < 30; i++) {
      for (const { topic, offset } of await inputs.poll(1_000, 20_000, new Set(['clicks']))) {
        expect([topic, offset]).toEqual(['orders', last + 1]);
        last = offset;
      }
    }
    expect(last).toBeGreaterThan(2 * PAUSE_ABOVE);
    inputs.close();
  });

  test('a seek forgets what had arrived before it', async () => {
    const { inputs } = await followed();
    expect((await inputs.poll(5, 20_000, new Set(['orders']))).map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
    await inputs.seek({ clicks: 700_000 });
    expect((await inputs.poll(1, 20_000, new Set(['orders'])))[0]?.offset).toBe(700_000);
    inputs.close();
  });

  test('a seek outside the log names every wrong offset', async () => {
    const { inputs, connection } = await followed();
    connection.range = { start: 50, end: 100 };
    const seek = inputs.seek({ clicks: 49, orders: 101 });
    await expect(seek).rejects.toThrow(ConfigError);
    await expect(seek).rejects.toThrow(/clicks(.|\n)*orders/);
    expect(await inputs.poll(10, 20, NONE)).toEqual([]);
    inputs.close();
  });
});

test('what may lie waits at the broker for company, and no longer than it may', () => {
  expect(patiently(LIMITS, 250)).toEqual({ ...LIMITS, waitMs: 250, leastBytes: 65_536 });
  expect(patiently(LIMITS)).toBe(LIMITS);
});
