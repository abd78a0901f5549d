import { setTimeout as delay } from 'node:timers/promises';
import type { Topic } from '../../schemas/topics.js';
import { ConfigError, Unavailable } from './errors.js';
import type { Log, LogRecord, Position } from './log.js';
import type { Journal, Metrics } from './metrics.js';
import { partitionOf } from './partition.js';
import { ReadingLag } from './reading-lag.js';
import { recordsBetween } from './records-between.js';
import { inSlices } from './slices.js';
import { untilAvailable } from './until-available.js';

const RECORDS_A_POLL = 2_000;
const POLL_MS = 250;
/** Records may wait for others, since no shopper waits for what a learner makes of them. */
const PATIENCE_MS = 250;

/** Among the pieces of a snapshot: none, only a moment for others, as the next one takes longer. */
export const PAUSE = new Uint8Array(0);

/** A learner. It has no transactions: after a restart it goes on from its last snapshot, and learns again what came after that. */
export interface Fold<S> {
  readonly name: string;
  readonly inputs: readonly Topic[];
  init(): S;
  /** Learns a record of one of the inputs. A record that cannot be learned is passed over; it still reaches ClickHouse by its sink. */
  learn(state: S, topic: string, value: unknown, key: string): void;
  /** The state in pieces, each made when it is asked for: a shop's state has a hundred megabytes, and requests are answered between two pieces. Nothing is learned meanwhile. */
  snapshot(state: S): Iterable<Uint8Array>;
  /** @throws Error when the pieces are of another version: the fold then learns from the start of the log. */
  restore(pieces: readonly Uint8Array[]): S;
  /** Rows that the learner writes for others, where its state has changed enough. */
  readonly publishes?: Publishing<S> | undefined;
  /** Lessons that take too long to be learned with an event. They are begun every `everyMs`, and events are learned meanwhile. */
  readonly study?: { readonly everyMs: number; run(state: S): Promise<unknown> } | undefined;
  /** What the metrics show of the state. */
  gauges?(state: S): readonly Gauge[];
}

export interface Publishing<S> {
  readonly tables: readonly Topic[];
  readonly everyMs: number;
  changes(state: S, time: number): Upsert[];
  /** Whether rows that an earlier run published are still of use. Then a learner that starts anew does not replace them until it knows as much. */
  isUsable(topic: string, value: unknown): boolean;
}

export interface Gauge {
  readonly name: string;
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** A row that a learner publishes; null takes it back. Written twice it changes nothing. */
export interface Upsert {
  readonly table: Topic;
  readonly key: string;
  readonly value: Buffer | null;
}

/** What a fold needs of its surroundings. They may belong to another thread. */
export interface FoldSurroundings {
  readonly log: Pick<Log, 'clock' | 'partitions' | 'ranges' | 'append' | 'reader'>;
  readonly metrics: Metrics;
  readonly journal: Journal;
}

/** Where snapshots of folds are kept, each with the positions up to which it has learned. */
export interface Snapshots {
  /** undefined: there is none. @throws Error that names the file when it is damaged, of another log or cannot be read */
  load(name: string): Promise<{ pieces: readonly Uint8Array[]; positions: readonly Position[] } | undefined>;
  save(name: string, pieces: Iterable<Uint8Array>, positions: readonly Position[]): Promise<void>;
}

export interface FoldOptions {
  readonly snapshots: Snapshots;
  readonly snapshotEveryMs: number;
  readonly stop: AbortSignal;
}

/** A running fold: its state, which the request path may read at any time, and its end. */
export interface RunningFold<S> {
  readonly state: S;
  /** Resolves when it first has caught up with the log. */
  readonly caughtUp: Promise<void>;
  readonly done: Promise<void>;
}

/** Start a fold over all partitions of its inputs. */
export async function startFold<S>(fold: Fold<S>, options: FoldOptions, around: FoldSurroundings): Promise<RunningFold<S>> {
  // Begun before the first answer of the log: a learner that never gets one is behind, too.
  const lag = new ReadingLag(around.metrics, fold.name, around.log.clock === 'wall');
  const { state, positions } = await untilAvailable(() => resume(fold, options.snapshots, around), options.stop, around.journal, fold.name)
    .catch((error: unknown) => {
      lag.stop();
      throw error;
    });
  let announce = (): void => {};
  const caughtUp = new Promise<void>((resolve) => { announce = resolve; });
  // Outlasts outages: so a run that follows one learns nothing twice, and leaves nothing unpublished.
  const progress: Progress = { positions, untold: [], isNew: true, isUnsaved: false };
  const done = untilAvailable((works) => new Run(fold, state, progress, options, around).learn(lag, announce, works), options.stop, around.journal, fold.name);
  // Not waited for at the end: a lesson in work may take longer than a stop should.
  void studyOn(fold, state, options.stop, around.journal);
  return { state, caughtUp, done: done.finally(() => lag.stop()).finally(announce) };
}

async function studyOn<S>({ name, study }: Fold<S>, state: S, stop: AbortSignal, journal: Journal): Promise<void> {
  if (!study) return;
  while (!stop.aborted) {
    // Being stopped is how a wait ends early, not a failure.
    await delay(study.everyMs, undefined, { signal: stop, ref: false }).catch(() => undefined);
    if (stop.aborted) return;
    // What is learned beside the events is an extra: without it the events' own lessons stand.
    await study.run(state).catch((error: Error) => journal.warn({ fold: name, error: error.message }, 'Lessons beside the events failed; they are tried again.'));
  }
}

async function resume<S>(fold: Fold<S>, snapshots: Snapshots, { log, journal }: FoldSurroundings): Promise<{ state: S; positions: Map<string, Position> }> {
  const starts = new Map<string, Position>();
  const ends = new Map<string, number>();
  for (const { name } of fold.inputs) {
    for (const [partition, { start, end }] of (await log.ranges(name)).entries()) {
      starts.set(`${name}/${partition}`, { topic: name, partition, offset: start });
      ends.set(`${name}/${partition}`, end);
    }
  }
  try {
    const saved = await snapshots.load(fold.name);
    if (saved) {
      const fits = saved.positions.length === starts.size && saved.positions.every(({ topic, partition, offset }) =>
        offset >= (starts.get(`${topic}/${partition}`)?.offset ?? Infinity) && offset <= (ends.get(`${topic}/${partition}`) ?? -1));
      if (!fits) throw new Error('its positions lie outside the log');
      return { state: fold.restore(saved.pieces), positions: new Map(saved.positions.map((position) => [`${position.topic}/${position.partition}`, position])) };
    }
  } catch (error) {
    journal.warn({ fold: fold.name, reason: (error as Error).message }, 'Snapshot cannot be used; learning from the start of the log.');
  }
  return { state: fold.init(), positions: starts };
}

/** What one run hands to the next, when the log did not answer. */
interface Progress {
  readonly positions: Map<string, Position>;
  /** Rows that the state counts as published, and that the log has not taken yet. */
  untold: readonly Upsert[];
  /** Something was learned since changes were last asked for, and since the last snapshot. */
  isNew: boolean;
  isUnsaved: boolean;
}

/** One run of a fold: from where it stands until it is stopped, or the log does not answer. */
class Run<S> {
  #savedAt = performance.now();
  #publishedAt = performance.now();
  /** Whether nothing is published for now: a learner that learns everything again knows less than what stands published, until it has caught up. */
  #isWithholding = false;

  constructor(readonly fold: Fold<S>, readonly state: S, readonly progress: Progress, readonly options: FoldOptions, readonly around: FoldSurroundings) {}

  /** `announce`: it has caught up. `works`: what may fail has succeeded. */
  async learn(lag: ReadingLag, announce: () => void, works: () => void): Promise<void> {
    const { fold, progress, options: { stop, snapshotEveryMs }, around: { log, metrics, journal } } = this;
    const { publishes } = fold;
    const { positions } = progress;
    this.#isWithholding = await standsPublished(fold, log);
    const ends = this.#isWithholding ? await endsOf(fold.inputs, log) : [];
    const reader = log.reader([...positions.values()], PATIENCE_MS);
    metrics.count('millrace_snapshots_failed_total', { learner: fold.name }, 0);
    try {
      while (!stop.aborted) {
        const records = await reader.poll(RECORDS_A_POLL, POLL_MS);
        await this.#take(records);
        lag.read(records, reader.lag());
        if (reader.lag() === 0) announce();
        // It may end with lag left: a learner that is busy to its limit is never without any.
        this.#isWithholding &&= reader.lag() > 0 && ends.some(({ topic, partition, offset }) => positions.get(`${topic}/${partition}`)!.offset < offset);
        if (!publishes || await this.#publish(publishes)) works();
        if (performance.now() - this.#savedAt >= snapshotEveryMs) await this.#save();
      }
      await this.#save();
    } catch (error) {
      if (error instanceof ConfigError || error instanceof Unavailable) throw error;
      journal.error({ fold: fold.name, error: (error as Error).message }, 'Learner stopped; its last snapshot stands.');
      throw error;
    } finally {
      await reader.close();
    }
  }

  async #take(records: readonly LogRecord[]): Promise<void> {
    const { fold, state, progress, around } = this;
    const topics = new Map(fold.inputs.map((topic) => [topic.name, topic]));
    await inSlices(records, (record) => {
      const { topic, partition, offset } = record;
      learnRecord(fold, state, topics, record, around);
      progress.positions.set(`${topic}/${partition}`, { topic, partition, offset: offset + 1 });
    });
    if (records.length === 0) return;
    progress.isNew = true;
    progress.isUnsaved = true;
  }

  /** Publishes what has changed, when it is time to. Answers whether it did. */
  async #publish(publishes: Publishing<S>): Promise<boolean> {
    const { fold, state, progress, around: { log, metrics } } = this;
    metrics.gauge('millrace_learner_withholding', this.#isWithholding ? 1 : 0, { learner: fold.name });
    if (this.#isWithholding || !(progress.isNew || progress.untold.length > 0) || performance.now() - this.#publishedAt < publishes.everyMs) return false;
    if (progress.untold.length === 0) progress.untold = publishes.changes(state, Date.now());
    progress.isNew = false;
    if (progress.untold.length > 0) await log.append(progress.untold.map(({ table, key, value }) => ({ topic: table.name, partition: partitionOf(key, log.partitions), key, value })));
    progress.untold = [];
    for (const { name, value, labels } of fold.gauges?.(state) ?? []) metrics.gauge(name, value, labels);
    this.#publishedAt = performance.now();
    return true;
  }

  async #save(): Promise<void> {
    const { fold, state, progress, options: { snapshots }, around: { metrics, journal } } = this;
    try {
      // Such a snapshot would count these rows as published: after a restart they never would be.
      if (progress.isUnsaved && progress.untold.length === 0) {
        await snapshots.save(fold.name, fold.snapshot(state), [...progress.positions.values()]);
        progress.isUnsaved = false;
      }
    } catch (error) {
      // A snapshot only saves time at the next start: the log still has everything, so learning goes on.
      metrics.count('millrace_snapshots_failed_total', { learner: fold.name });
      journal.warn({ fold: fold.name, error: (error as Error).message }, 'Snapshot not written; the earlier one stands, and it is tried again at the next time.');
    }
    this.#savedAt = performance.now();
  }
}

async function endsOf(inputs: readonly Topic[], log: FoldSurroundings['log']): Promise<Position[]> {
  const ends: Position[] = [];
  for (const { name } of inputs) for (const [partition, { end }] of (await log.ranges(name)).entries()) ends.push({ topic: name, partition, offset: end });
  return ends;
}

/** So many offsets at the end of a partition are looked through for a row: markers of transactions take offsets, too. */
const LOOKED_BACK = 8;

/** Whether what an earlier run has published is still of use. */
async function standsPublished<S>({ publishes }: Fold<S>, log: FoldSurroundings['log']): Promise<boolean> {
  if (!publishes) return false;
  let stands = false;
  for (const { name, codec } of publishes.tables) {
    for (const [partition, { start, end }] of (await log.ranges(name)).entries()) {
      let last: Buffer | null = null;
      for await (const rows of recordsBetween(log, name, partition, { start: Math.max(start, end - LOOKED_BACK), end })) last = rows.findLast(({ value }) => value !== null)?.value ?? last;
      if (last && !publishes.isUsable(name, codec.decode(last))) return false;
      stands ||= last !== null;
    }
  }
  return stands;
}

/** A record that is passed over is logged once in so long at most: with a bug it may be every record. */
const TELL_EVERY_MS = 60_000;
const toldAt = new WeakMap<object, number>();

function learnRecord<S>(fold: Fold<S>, state: S, topics: ReadonlyMap<string, Topic>, record: LogRecord, { metrics, journal }: FoldSurroundings): void {
  const topic = topics.get(record.topic);
  if (record.tick || record.value === null || !topic) return;
  try {
    fold.learn(state, record.topic, topic.codec.decode(record.value), record.key ?? '');
  } catch (error) {
    const { code = 'crashed', message, stack } = error as Error & { code?: string };
    metrics.count('millrace_records_passed_over_total', { consumer: fold.name, code });
    const now = performance.now();
    if (now - (toldAt.get(fold) ?? -Infinity) < TELL_EVERY_MS) return;
    toldAt.set(fold, now);
    const { topic: name, partition, offset } = record;
    journal.warn({ fold: fold.name, code, topic: name, partition, offset, error: message, stack }, 'A record was passed over; others may be, within this minute.');
  }
}
