import { ConfigError, LostRecords } from '../../pipeline/core/errors.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import type { Journal } from '../../pipeline/core/metrics.js';
import type { Connection, FetchLimits, Session } from './connection.js';
import { backOff, failureCodes, isMissingTopic } from './failures.js';
import { OFFSET_OUT_OF_RANGE, TOPIC_AUTHORIZATION_FAILED } from './fetch-answer.js';
import type { PartitionAnswer } from './fetch-answer.js';
import { compared } from './lineage.js';
import type { Lineage } from './lineage.js';

/** One partition that is being read. */
export interface Cursor {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to be fetched. */
  position: number;
  /** Offset after the last decided record, once an answer has said it. */
  end: number | undefined;
  /** Of which log the position is; absent where the reader does not ask. */
  lineage?: Lineage;
  /** Nothing is asked for while this is set; call `wake` after clearing it. */
  paused: boolean;
  arrived(records: readonly LogRecord[]): void;
  failed(error: Error): void;
}

const MISSING_ATTEMPTS = 12;
const ENOUGH_BYTES = 64 << 10;
/** A topic that was deleted and made again is noticed by the errors in between, and by a reader that slept meanwhile at the next look. */
const LOOK_MS = 30_000;

/** Limits of a fetch that answers after `patienceMs` or with plenty, rather than with the first record. */
export const patiently = (limits: FetchLimits, patienceMs = 0): FetchLimits =>
  patienceMs > 0 ? { ...limits, waitMs: patienceMs, leastBytes: ENOUGH_BYTES } : limits;

/**
 * Follows many partitions: one fetch in flight for each broker that leads some of them, asking for all at once.
 * A fetch is a long poll, so a partition that joins or wakes waits for the one in flight, at most `limits.waitMs`.
 */
export class Fetcher {
  readonly #cursors = new Set<Cursor>();
  /** Those of which it is asked what the log is now: until then nothing is fetched for them, whoever wakes them. */
  readonly #comparing = new Set<Cursor>();
  readonly #busy = new Set<number>();
  #learning = false;
  #closed = false;
  #turn = 0;
  #failures = 0;
  readonly #looking: NodeJS.Timeout;

  constructor(
    private readonly connection: Pick<Connection, 'open' | 'drop' | 'leader' | 'learn' | 'fetch' | 'describe' | 'ranges' | 'epochEnds' | 'close'>,
    private readonly limits: FetchLimits,
    private readonly journal: Journal,
    lookMs = LOOK_MS,
  ) {
    // A look that finds nobody is made up for by the next one.
    this.#looking = setInterval(() => void this.#lookForTopics().catch(() => undefined), lookMs);
    this.#looking.unref();
  }

  follow(cursor: Cursor): void {
    this.#cursors.add(cursor);
    this.wake();
  }

  drop(cursor: Cursor): void {
    this.#cursors.delete(cursor);
  }

  /** Ask every broker that leads a wanted partition and is not being asked already. */
  wake(): void {
    if (this.#closed) return;
    const wanted = new Map<number, Cursor[]>();
    for (const cursor of this.#cursors) {
      if (cursor.paused || this.#comparing.has(cursor)) continue;
      const leader = this.connection.leader(cursor);
      if (leader === undefined) void this.#learn();
      else wanted.set(leader, [...(wanted.get(leader) ?? []), cursor]);
    }
    for (const [node, cursors] of wanted) if (!this.#busy.has(node)) void this.#fetch(node, cursors);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#cursors.clear();
    await this.connection.close();
  }

  async #fetch(node: number, cursors: readonly Cursor[]): Promise<void> {
    this.#busy.add(node);
    let session: Session | undefined;
    try {
      session = await this.connection.open();
      // An answer is filled in the order asked: without turns one busy partition would starve the others.
      const first = this.#turn++ % cursors.length;
      const wanted = [...cursors.slice(first), ...cursors.slice(0, first)].map(({ topic, partition, position }) => ({ topic, partition, from: position }));
      const answers = await this.connection.fetch(session, node, wanted, this.limits);
      if (this.#take(answers, cursors)) await this.#recover();
      else this.#failures = 0;
    } catch (error) {
      if (!this.#closed) {
        this.journal.debug({ node, codes: failureCodes(error) }, 'A fetch failed; connecting again.');
        this.connection.drop(session);
        await this.#recover();
      }
    } finally {
      this.#busy.delete(node);
      this.wake();
    }
  }

  /** Hand records to their cursors; answers whether a leader must be looked up again. */
  #take(answers: readonly PartitionAnswer[], cursors: readonly Cursor[]): boolean {
    const asked = new Map(cursors.map((cursor) => [`${cursor.topic}/${cursor.partition}`, cursor]));
    let stale = false;
    for (const answer of answers) {
      const cursor = asked.get(`${answer.topic}/${answer.partition}`);
      // A cursor that was moved or dropped meanwhile: these records belong to a position that nobody holds any more.
      if (!cursor || !this.#cursors.has(cursor) || cursor.position !== answer.from) continue;
      if (answer.unreadable) this.#fail(cursor, answer.unreadable);
      // Another leader may have begun elsewhere than this reader stands: then what was there before is not what was read.
      else if (answer.error === OFFSET_OUT_OF_RANGE || isOfOthers(cursor, answer)) void this.#compare(cursor, answer.epochs?.first);
      else if (answer.error === TOPIC_AUTHORIZATION_FAILED) this.#fail(cursor, new ConfigError([`Kafka refuses to let us read ${cursor.topic}.`]));
      else if (answer.error !== 0) stale = true;
      else {
        cursor.end = answer.lastStableOffset;
        cursor.position = answer.next;
        if (cursor.lineage && answer.epochs) cursor.lineage.epoch = answer.epochs.last;
        if (answer.records.length > 0) cursor.arrived(answer.records);
      }
    }
    return stale;
  }

  /** Whether the log is still the one that was read up to the cursor. kafkajs would go on at its start or end without a word: records lost or read twice. */
  async #compare(cursor: Cursor, epoch = cursor.lineage?.epoch): Promise<void> {
    if (this.#comparing.has(cursor)) return;
    this.#comparing.add(cursor);
    const { topic, partition, position: offset, lineage: was } = cursor;
    try {
      const { lost } = await compared(this.connection, [{ topic, partition, offset, was }]);
      if (!this.#cursors.has(cursor)) return;
      if (lost.length > 0) return this.#fail(cursor, new LostRecords(lost));
      // What was under way when it was asked may have come, and have said its own.
      if (cursor.lineage && epoch !== undefined && cursor.position === offset) cursor.lineage.epoch = epoch;
    } catch (error) {
      if (error instanceof ConfigError) return this.#fail(cursor, error);
    } finally {
      await backOff(3);
      this.#comparing.delete(cursor);
      this.wake();
    }
  }

  /** Fails readers of topics that are not any more those that they began to read. */
  async #lookForTopics(): Promise<void> {
    const asked = [...this.#cursors].filter(({ lineage }) => lineage);
    if (asked.length === 0) return;
    const topics = await this.connection.describe([...new Set(asked.map(({ topic }) => topic))]);
    for (const cursor of asked) {
      const { id = '' } = topics.get(cursor.topic) ?? {};
      if (this.#cursors.has(cursor) && id !== '' && id !== cursor.lineage?.topicId) void this.#compare(cursor);
    }
  }

  #fail(cursor: Cursor, error: Error): void {
    this.#cursors.delete(cursor);
    cursor.failed(error);
  }

  async #recover(): Promise<void> {
    await backOff(this.#failures++);
    await this.#learn();
  }

  async #learn(): Promise<void> {
    if (this.#learning) return;
    this.#learning = true;
    try {
      for (let attempt = 0; !this.#closed && this.#cursors.size > 0; attempt++) {
        try {
          if (attempt > 0) await backOff(attempt);
          await this.connection.learn([...this.#cursors].map(({ topic }) => topic));
          await this.#lookForTopics();
          if ([...this.#cursors].every((cursor) => this.connection.leader(cursor) !== undefined)) return;
        } catch (error) {
          if (isMissingTopic(error) && attempt >= MISSING_ATTEMPTS) return this.#failAll(error);
          this.journal.debug({ attempt, codes: failureCodes(error) }, 'Kafka does not say who leads the partitions; asking again.');
          if (attempt > 0) this.connection.drop(await this.connection.open().catch(() => undefined));
        }
      }
    } finally {
      this.#learning = false;
      this.wake();
    }
  }

  #failAll(cause: unknown): void {
    const topics = [...new Set([...this.#cursors].map(({ topic }) => topic))].join(', ');
    for (const cursor of this.#cursors) this.#fail(cursor, new ConfigError([`One of these topics is missing: ${topics}.`], { cause }));
  }
}

const isOfOthers = ({ lineage }: Cursor, { epochs }: PartitionAnswer): boolean =>
  epochs !== undefined && lineage !== undefined && lineage.epoch >= 0 && lineage.epoch !== epochs.first;

/** The error that says that `offset` is not in the log. */
export function outsideLog(of: { topic: string; partition: number }, offset: number, { start, end }: { start: number; end: number }): ConfigError | undefined {
  if (offset >= start && offset <= end) return undefined;
  return new ConfigError([`Offset ${offset} of ${of.topic}, partition ${of.partition}, lies outside the log, which has [${start}, ${end}).`]);
}
