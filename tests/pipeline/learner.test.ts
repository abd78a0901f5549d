import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recommender, type Recommender } from '../../consumers/recommender.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../infra/embedded-log/log.js';
import { snapshotFiles } from '../../infra/snapshots/files.js';
import * as embedding from '../../models/embedding.js';
import * as itemIndex from '../../models/item-index.js';
import { interactionsOf } from '../../pipeline/bench/events.js';
import { readConfig } from '../../pipeline/config.js';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { startFold, type FoldSurroundings } from '../../pipeline/core/fold.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal, type Metrics } from '../../pipeline/core/metrics.js';
import { received, sent } from '../../pipeline/learner/messages.js';
import { handedOver, pack, unpack } from '../../pipeline/learner/parcel.js';
import { learnOnThread, spawnLearner } from '../../pipeline/learner/thread.js';
import { allTopics, interactions, itemVectors, recommenderModels } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';
import '../support/threads-from-source.mjs';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const record: fc.Arbitrary<LogRecord> = fc.record({
  topic: fc.constantFrom('interactions', 'purchases', 'catalog'), partition: fc.nat(11), offset: fc.nat(2 ** 40), key: fc.option(fc.string()), value: fc.option(bytes),
  tick: fc.constant(null), writtenAt: fc.nat(2 ** 42),
});

test('records cross as they were, and nothing else of their memory', () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 20 }), (records) => {
    const parcel = pack(records);
    const there = structuredClone(parcel, { transfer: handedOver(parcel) });
    expect(unpack(there)).toEqual(records);
    expect(there.values.buffer.byteLength).toBe(records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0));
  }));
});

test('an error keeps who must act on it', () => {
  const problems = ['Offset 7 lies outside the log.'];
  expect(received(structuredClone(sent(new ConfigError(problems))))).toEqual(new ConfigError(problems));
  expect(received(structuredClone(sent(new Unavailable('The log is full.'))))).toBeInstanceOf(Unavailable);
  expect(received(structuredClone(sent(new RangeError('off by one'))))).toMatchObject({ name: 'RangeError', message: 'off by one' });
});

describe('a learner on a thread of its own', { timeout: 180_000 }, () => {
  let directory: string;
  let log: EmbeddedLog;
  beforeEach(async () => {
    directory = folderForTest();
    log = await openEmbeddedLog({ directory, clock: 'wall' });
    await log.ensureTopics(allTopics);
    await log.append(interactionsOf(3_000, 50, 60).map((event) => ({ topic: interactions.name, partition: 0, key: event.shopper, value: interactions.codec.encode(event) })));
  });
  afterEach(() => log.close());

  /** Metrics that say when a fold has caught up. */
  const untilCaughtUp = (): { metrics: Metrics; caughtUp: Promise<void> } => {
    let tell = (): void => {};
    const caughtUp = new Promise<void>((resolve) => { tell = resolve; });
    return { metrics: { ...noMetrics, gauge: (name, value) => { if (name === 'millrace_consumer_lag_records' && value === 0) tell(); } }, caughtUp };
  };
  const assignment = () => ({
    fold: recommender.name, config: readConfig({ DATA_DIR: directory }), clock: log.clock, partitions: log.partitions,
    snapshots: { directory: join(directory, 'thread'), log: log.id, everyMs: 60_000 },
  });

  /** What a saved snapshot knows, whatever of it was told to others before: that goes by the clock. */
  const learnedIn = async (place: string): Promise<Buffer> => {
    const state = recommender.restore((await snapshotFiles(join(directory, place), log.id).load(recommender.name))!.pieces);
    for (let item = 0; item < itemIndex.size(state.index); item++) embedding.published(state.model.embedding, item);
    state.told.isTold = new Uint8Array(0);
    return Buffer.concat([...recommender.snapshot(state)]);
  };

  test('learns, publishes and saves what it would have learned here', async () => {
    const here = new AbortController();
    const running = await startFold<Recommender>(recommender, { snapshots: snapshotFiles(join(directory, 'here'), log.id), snapshotEveryMs: 60_000, stop: here.signal }, { log, metrics: noMetrics, journal: silentJournal });
    await running.caughtUp;
    here.abort();
    await running.done;

    const there = new AbortController();
    const { metrics, caughtUp } = untilCaughtUp();
    const done = learnOnThread(spawnLearner(assignment()), { log, metrics, journal: silentJournal }, there.signal);
    await caughtUp;
    there.abort();
    await done;
    expect(running.state.events).toBeGreaterThan(1_500);
    expect((await learnedIn('thread')).equals(await learnedIn('here'))).toBe(true);

    // It goes on from there, and publishes once something has come.
    await log.append(interactionsOf(50, 50, 20).map((event) => ({ topic: interactions.name, partition: 0, key: event.shopper, value: interactions.codec.encode(event) })));
    const again = new AbortController();
    const published = learnOnThread(spawnLearner(assignment()), { log, metrics: noMetrics, journal: silentJournal }, again.signal);
    const ends = async (): Promise<number[]> => Promise.all([itemVectors, recommenderModels].map(async ({ name }) => (await log.ranges(name))[0]!.end));
    await expect.poll(ends).toEqual([expect.toSatisfy((end) => end > 0), expect.toSatisfy((end) => end > 0)]);
    again.abort();
    await published;
  });

  test('fails as one here would: what the log refuses, and a thread that dies, end it', async () => {
    const refusing: FoldSurroundings = { log: { clock: 'wall', partitions: 1, ranges: () => Promise.reject(new ConfigError(['No such topic.'])), append: log.append.bind(log), reader: log.reader.bind(log) }, metrics: noMetrics, journal: silentJournal };
    await expect(learnOnThread(spawnLearner(assignment()), refusing, new AbortController().signal)).rejects.toBeInstanceOf(ConfigError);
    const dead = new Worker('process.exit(3)', { eval: true });
    await expect(learnOnThread(dead, refusing, new AbortController().signal)).rejects.toThrow('ended with 3');
  });
});
