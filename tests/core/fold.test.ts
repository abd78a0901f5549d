import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openEmbeddedLog, type EmbeddedLog } from '../../infra/embedded-log/log.js';
import { itemWatch } from '../../consumers/item-watch.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { interactionsOf } from '../../pipeline/bench/events.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import { startFold, type Fold, type Snapshots } from '../../pipeline/core/fold.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal, type Journal, type Metrics } from '../../pipeline/core/metrics.js';
import type { Surroundings } from '../../pipeline/core/run-task.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { allTopics, catalog, interactions, inventory, itemVectors } from '../../schemas/topics.js';
import { NINE, stock } from '../support/events.js';
import { folderForTest } from '../support/folder.js';
import { everythingIn } from '../support/records.js';

const EVENTS = 9_000;
/** The learner of these tests counts events, and publishes its count whenever it may. */
const counting = (isUsable = true): Fold<{ events: number }> => ({
  name: 'counting',
  inputs: [interactions],
  init: () => ({ events: 0 }),
  learn: (state) => void state.events++,
  *snapshot({ events }) { yield Uint8Array.of(events); },
  restore: () => { throw new Error('it is of another version'); },
  publishes: {
    tables: [itemVectors], everyMs: 0, isUsable: () => isUsable,
    changes: ({ events }) => [{ table: itemVectors, key: 'count', value: itemVectors.codec.encode({ sku: 'count', dimensions: 0, vector: Buffer.alloc(0), learnedAt: 0, events }) }],
  },
});

let directory: string;
let log: EmbeddedLog;
beforeEach(async () => {
  directory = folderForTest();
  log = await openEmbeddedLog({ directory, clock: 'wall' });
  await log.ensureTopics(allTopics);
  await happen(EVENTS);
});
afterEach(() => log.close());

const happen = (events: number): Promise<unknown> => log.append(interactionsOf(events, 50, 20).map((event) => ({ topic: interactions.name, partition: 0, key: event.shopper, value: interactions.codec.encode(event) })));
/** Of a version that is refused. */
const refused: Snapshots = { load: async () => ({ pieces: [], positions: [{ topic: interactions.name, partition: 0, offset: 5 }] }), save: async () => {} };

/** Runs the learner until it has learned all there is; the counts that it published. */
async function run(fold: Fold<{ events: number }>, metrics: Metrics = noMetrics, journal: Journal = silentJournal, around: Pick<EmbeddedLog, 'clock' | 'partitions' | 'ranges' | 'append' | 'reader'> = log): Promise<number[]> {
  const from = (await log.ranges(itemVectors.name))[0]!.end;
  const stop = new AbortController();
  const { caughtUp, done } = await startFold(fold, { snapshots: refused, snapshotEveryMs: 60_000, stop: stop.signal }, { log: around, metrics, journal });
  await caughtUp;
  await expect.poll(async () => (await log.ranges(itemVectors.name))[0]!.end).toBeGreaterThan(from);
  stop.abort();
  await done;
  return (await everythingIn(log, itemVectors.name, from)).flatMap(({ value }) => (value ? [itemVectors.codec.decode(value).events] : []));
}

test('a learner tells what it has learned from the first lesson on', async () => {
  expect((await run(counting()))[0]).toBeLessThan(EVENTS);
});

test('one that learns again tells nothing until it knows what was known before', async () => {
  await run(counting());
  const withheld: number[] = [];
  const counts = await run(counting(), { ...noMetrics, gauge: (name, value) => { if (name === 'millrace_learner_withholding') withheld.push(value); } });
  expect(counts.length).toBeGreaterThan(0);
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(EVENTS);
  expect([withheld[0], withheld.at(-1)]).toEqual([1, 0]);
});

test('nor does one whose log is slow to answer what was published', async () => {
  await run(counting());
  const slow: Pick<EmbeddedLog, 'clock' | 'partitions' | 'ranges' | 'append' | 'reader'> = {
    clock: log.clock, partitions: log.partitions, append: log.append.bind(log), ranges: log.ranges.bind(log),
    reader(from, patienceMs) {
      const reader = log.reader(from, patienceMs);
      let polls = 0;
      return { lag: () => reader.lag(), close: () => reader.close(), poll: async (max, waitMs) => (polls++ === 0 && from[0]!.topic === itemVectors.name ? [] : reader.poll(max, waitMs)) };
    },
  };
  expect(Math.min(...await run(counting(), noMetrics, silentJournal, slow))).toBeGreaterThanOrEqual(EVENTS);
});

test('a learner says that it goes on, how many records it has learned, and how far behind it is', async () => {
  const counted = new Map<string, number>();
  const shown = new Map<string, number[]>();
  const metrics: Metrics = {
    ...noMetrics,
    count: (name, labels, by = 1) => void (labels?.['consumer'] === 'counting' && counted.set(name, (counted.get(name) ?? 0) + by)),
    gauge: (name, value, labels) => void (labels?.['consumer'] === 'counting' && shown.set(name, [...shown.get(name) ?? [], value])),
  };
  const dayOld: Pick<EmbeddedLog, 'clock' | 'partitions' | 'ranges' | 'append' | 'reader'> = {
    clock: log.clock, partitions: log.partitions, append: log.append.bind(log), ranges: log.ranges.bind(log),
    reader(from, patienceMs) {
      const reader = log.reader(from, patienceMs);
      return { lag: () => reader.lag(), close: () => reader.close(), poll: async (max, waitMs) => (await reader.poll(max, waitMs)).map((record) => ({ ...record, writtenAt: record.writtenAt - 86_400_000 })) };
    },
  };
  await run(counting(), metrics, silentJournal, dayOld);
  expect(counted.get('millrace_records_total')).toBe(EVENTS);
  expect(counted.get('millrace_commits_total')).toBeGreaterThan(EVENTS / 2_000);
  const lags = shown.get('millrace_consumer_lag_seconds')!;
  expect(lags[0]).toBeGreaterThan(86_399);
  expect(lags[0]).toBeLessThan(86_700);
});

test('one whose reader brings nothing any more says for how long', async () => {
  const seconds: number[] = [];
  const stop = new AbortController();
  const hanging = { clock: log.clock, partitions: log.partitions, append: log.append.bind(log), ranges: log.ranges.bind(log), reader: () => ({ poll: () => new Promise<never>(() => {}), lag: () => 0, close: async () => {} }) };
  await startFold(counting(), { snapshots: refused, snapshotEveryMs: 60_000, stop: stop.signal }, { log: hanging, metrics: { ...noMetrics, gauge: (name, value) => { if (name === 'millrace_consumer_lag_seconds') seconds.push(value); } }, journal: silentJournal });
  await expect.poll(() => seconds.at(-1)).toBeGreaterThan(0.9);
});

test('a task that another process takes over leaves no lag behind', async () => {
  const lags = new Map<string, number>();
  const ledger = orderLedger();
  const membership = runConsumer(ledger, { consumers: [ledger], learners: [], sinks: [], views: [] }, {
    log, openStore: () => memoryStore(), journal: silentJournal, learnSchemas: async () => {},
    metrics: { ...noMetrics, gauge: (name, value) => void lags.set(name, value) },
  });
  // What was read last had lain for a while.
  await expect.poll(() => lags.get('millrace_task_time_lag_seconds')).toBeGreaterThan(0.9);
  await membership.stop();
  expect([...lags.values()]).toEqual([0, 0, 0]);
});

test('a learner is not behind where shoppers stand still and the catalogue\'s tasks run: their clock is heard', async () => {
  const watch = itemWatch();
  const membership = runConsumer(watch, { consumers: [watch], learners: [], sinks: [], views: [] }, { log, openStore: () => memoryStore(), metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
  const stop = new AbortController();
  let heard = 0;
  const metrics: Metrics = { ...noMetrics, count: (name, labels) => void (name === 'millrace_commits_total' && labels?.['consumer'] === 'counting' && heard++) };
  const { caughtUp, done } = await startFold({ ...counting(), inputs: [interactions, catalog] }, { snapshots: refused, snapshotEveryMs: 60_000, stop: stop.signal }, { log, metrics, journal: silentJournal });
  await caughtUp;
  heard = 0;
  await expect.poll(() => heard).toBeGreaterThan(1);
  stop.abort();
  await done;
  await membership.stop();
});

test('a task whose commits fail is tried again ever more rarely, told once, and goes on when they succeed', async () => {
  const happened: string[] = [];
  let isFull = true;
  const attempts: number[] = [];
  const watch = itemWatch();
  await log.append([{ topic: inventory.name, partition: 0, key: 'P1', value: inventory.codec.encode(stock('P1', 3, NINE)) }]);
  const full: Surroundings['log'] = {
    engine: log.engine, clock: log.clock, partitions: log.partitions, append: log.append.bind(log), ranges: log.ranges.bind(log), writtenAfter: log.writtenAfter.bind(log), reader: log.reader.bind(log),
    ensureTopics: log.ensureTopics.bind(log), close: log.close.bind(log),
    own: (group, owner) => log.own(group, (lease) => {
      const commit = lease.commit.bind(lease);
      lease.commit = async (outputs, rows) => {
        attempts.push(performance.now());
        await new Promise(setImmediate);
        if (isFull) throw new Unavailable('The log cannot be written (ENOSPC).');
        return commit(outputs, rows);
      };
      return owner(lease);
    }),
  };
  const membership = runConsumer(watch, { consumers: [watch], learners: [], sinks: [], views: [] }, {
    log: full, openStore: () => memoryStore(), metrics: noMetrics, learnSchemas: async () => {},
    journal: { ...silentJournal, info: (_, sentence) => void happened.push(sentence), warn: (_, sentence) => void happened.push(sentence) },
  });
  await expect.poll(() => attempts.length).toBeGreaterThan(4);
  // At once, then after 0.1, 0.2 and 0.4 s.
  for (const [i, leastMs] of [0, 90, 190, 390].entries()) expect(attempts[i + 1]! - attempts[i]!).toBeGreaterThan(leastMs);
  expect(happened).toEqual([expect.stringContaining('Task dropped')]);
  isFull = false;
  await expect.poll(() => happened.slice(1)).toEqual(['The task commits again.']);
  await membership.stop();
  expect(happened).toHaveLength(2);
});

test('it does not wait for the marker of a transaction either, with which a stream of Kafka ends and which is no record', async () => {
  await run(counting());
  const withMarkers = {
    clock: log.clock, partitions: log.partitions, append: log.append.bind(log), reader: log.reader.bind(log),
    ranges: async (topic: string) => (await log.ranges(topic)).map(({ start, end }) => ({ start, end: topic === interactions.name ? end + 1 : end })),
  };
  expect(Math.min(...await run(counting(), noMetrics, silentJournal, withMarkers))).toBeGreaterThanOrEqual(EVENTS);
});

test('a learner that has another input since its snapshot learns from the start of all of them', async () => {
  const end = (await log.ranges(interactions.name))[0]!.end;
  const older: Snapshots = { load: async () => ({ pieces: [Uint8Array.of(7)], positions: [{ topic: interactions.name, partition: 0, offset: end }] }), save: async () => {} };
  for (const [inputs, expected] of [[[interactions], 7], [[interactions, catalog], EVENTS]] as const) {
    const stop = new AbortController();
    const { state, caughtUp, done } = await startFold({ ...counting(), inputs, restore: () => ({ events: 7 }) }, { snapshots: older, snapshotEveryMs: 60_000, stop: stop.signal }, { log, metrics: noMetrics, journal: silentJournal });
    await caughtUp;
    expect(state.events).toBe(expected);
    stop.abort();
    await done;
  }
});

test('it does not wait where what was published is of no use any more', async () => {
  await run(counting());
  expect((await run(counting(false)))[0]).toBeLessThan(EVENTS);
});

test('a learner that throws is told once a minute, with the place of the record and the stack; each record is counted', async () => {
  const passed: string[] = [];
  const warned: object[] = [];
  const metrics: Metrics = { ...noMetrics, count: (name, labels) => void (name === 'millrace_records_passed_over_total' && passed.push(String(labels?.['code']))) };
  const journal: Journal = { ...silentJournal, warn: (fields) => void warned.push(fields) };
  await run({ ...counting(), learn: (state) => { if (state.events++ % 3 === 0) throw new TypeError('of undefined'); } }, metrics, journal);
  expect(passed).toEqual(Array.from({ length: EVENTS / 3 }, () => 'crashed'));
  expect(warned.filter((fields) => 'offset' in fields)).toEqual([{ fold: 'counting', code: 'crashed', topic: interactions.name, partition: 0, offset: 0, error: 'of undefined', stack: expect.stringContaining('fold.test.ts') }]);
});

test('a snapshot that cannot be written is told, counted and tried again, and the learner goes on; what is saved then is whole', async () => {
  let isFull = true;
  let failures = 0;
  const warned: object[] = [];
  const saved: { events: number; offset: number }[] = [];
  const snapshots: Snapshots = {
    load: async () => { throw new Error('counting.snapshot is damaged'); },
    async save(_, pieces, positions) {
      if (isFull) throw new Error('ENOSPC: no space left on device, write');
      saved.push({ events: Buffer.concat([...pieces])[0]!, offset: positions[0]!.offset });
    },
  };
  const stop = new AbortController();
  const metrics: Metrics = { ...noMetrics, count: (name, labels, by = 1) => void (name === 'millrace_snapshots_failed_total' && labels?.['learner'] === 'counting' && (failures += by)) };
  const { state, done } = await startFold(counting(), { snapshots, snapshotEveryMs: 0, stop: stop.signal }, { log, metrics, journal: { ...silentJournal, warn: (fields) => void warned.push(fields) } });
  await expect.poll(() => [state.events, failures > 3]).toEqual([EVENTS, true]);
  expect(warned[0]).toEqual({ fold: 'counting', reason: 'counting.snapshot is damaged' });
  expect(warned[1]).toEqual({ fold: 'counting', error: 'ENOSPC: no space left on device, write' });
  isFull = false;
  await expect.poll(() => saved).toEqual([{ events: EVENTS % 256, offset: EVENTS }]);
  isFull = true;
  await happen(5);
  await expect.poll(() => state.events).toBe(EVENTS + 5);
  stop.abort();
  await done;
});

test('what the log did not take of what a learner told is told once it takes it, and no snapshot counts it as told before', async () => {
  let isFull = true;
  let [asked, refusals] = [0, 0];
  const saved: number[] = [];
  const told = new Set<number>();
  /** Tells each count once, as a learner of vectors does. */
  const telling: Fold<{ events: number }> = { ...counting(), publishes: { ...counting().publishes!, everyMs: 50, changes: (state, time) => { asked++; return told.has(state.events) ? [] : (told.add(state.events), counting().publishes!.changes(state, time)); } } };
  const full = { clock: log.clock, partitions: log.partitions, ranges: log.ranges.bind(log), writtenAfter: log.writtenAfter.bind(log), reader: log.reader.bind(log), append: (records: Parameters<typeof log.append>[0]) => (isFull ? (refusals++, Promise.reject(new Unavailable('The log is full.'))) : log.append(records)) };
  const snapshots: Snapshots = { load: async () => undefined, save: async () => void saved.push(told.size) };
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const said: string[] = [];
  const { state, done } = await startFold(telling, { snapshots, snapshotEveryMs: 0, stop: stop.signal }, { log: full, metrics: noMetrics, journal: { ...silentJournal, warn: (_, sentence) => void said.push(sentence), info: (_, sentence) => void said.push(sentence) } });
  await expect.poll(() => refusals).toBeGreaterThan(2);
  const [first] = [...told];
  expect([asked, told.size, Math.max(0, ...saved), said]).toEqual([1, 1, 0, [expect.stringContaining('waits for what does not answer')]]);
  isFull = false;
  await expect.poll(async () => (await log.ranges(itemVectors.name))[0]!.end).toBeGreaterThan(0);
  await expect.poll(() => state.events).toBe(EVENTS);
  stop.abort();
  await done;
  const rows = (await everythingIn(log, itemVectors.name)).map(({ value }) => itemVectors.codec.decode(value!).events);
  expect(said.slice(1)).toEqual(['counting goes on.']);
  expect(rows[0]).toBe(first);
  expect(rows).toEqual([...told].slice(0, rows.length));
  expect(saved.length).toBeGreaterThan(0);
});

test('who shares the thread of a learner has a turn between lessons, however many are to be learned', async () => {
  let sinceTurn = 0;
  let most = 0;
  let learned = 0;
  let isOver = false;
  const others = (): void => {
    sinceTurn = 0;
    if (!isOver) setImmediate(others);
  };
  others();
  const slow: Fold<{ events: number }> = {
    ...counting(), publishes: undefined,
    learn() {
      learned++;
      most = Math.max(most, ++sinceTurn);
      for (const until = performance.now() + 0.05; performance.now() < until;);
    },
  };
  const stop = new AbortController();
  const { caughtUp, done } = await startFold(slow, { snapshots: refused, snapshotEveryMs: 60_000, stop: stop.signal }, { log, metrics: noMetrics, journal: silentJournal });
  await caughtUp;
  stop.abort();
  await done;
  isOver = true;
  expect(learned).toBe(EVENTS);
  // Some ten of them take half a millisecond; all that a reading brings took 100 ms in one piece.
  expect(most).toBeLessThan(500);
});

test('a task beside requests commits a backlog in pieces: what one changes is encoded and shown in one turn', async () => {
  const watch = itemWatch();
  await log.append(Array.from({ length: 4_000 }, (_, at) => ({ topic: inventory.name, partition: 0, key: `P${at}`, value: inventory.codec.encode(stock(`P${at}`, 3, NINE)) })));
  const counts: number[] = [];
  const membership = runConsumer(watch, { consumers: [watch], learners: [], sinks: [], views: [] }, {
    log, openStore: () => memoryStore(), learnSchemas: async () => {}, journal: silentJournal,
    metrics: { ...noMetrics, count: (name, _, by = 1) => void (name === 'millrace_records_total' && counts.push(by)) },
  });
  await expect.poll(() => counts.reduce((sum, count) => sum + count, 0)).toBe(4_000);
  await membership.stop();
  expect(Math.max(...counts)).toBeLessThanOrEqual(1_000);
});
