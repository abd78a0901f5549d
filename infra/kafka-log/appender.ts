import kafkajs from 'kafkajs';
import type { Kafka, Producer } from 'kafkajs';
import type { NewRecord, Position } from '../../pipeline/core/log.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { Journal, Metrics } from '../../pipeline/core/metrics.js';
import { toldOnce, type ToldOnce } from '../../pipeline/core/told-once.js';
import { answeredWithin } from './answered-within.js';
import { asFailure, failureCodes } from './failures.js';
import { place, rounds, tooLarge } from './rounds.js';

const { Partitioners } = kafkajs;

interface Waiting {
  readonly records: readonly NewRecord[];
  resolve(positions: readonly Position[]): void;
  reject(error: Error): void;
}

export interface Appender {
  append(records: readonly NewRecord[]): Promise<readonly Position[]>;
  /** Why the last records were not written; undefined when they were, or when a broker has answered since. */
  failure(): string | undefined;
  close(): Promise<void>;
}

const MOST_AT_ONCE = 10_000;
/** A broker that is frozen or cut off answers nothing, and kafkajs would ask it for more than a minute: who sent the records is asked sooner to send them again. */
const SEND_MS = 10_000;
/** After a failure a broker is looked for so often, while nobody sends anything. */
const LOOK_MS = 5_000;
const retry = { initialRetryTime: 5, maxRetryTime: 300, retries: 16, factor: 0.2, multiplier: 2 };

/** Group commit: while one send is under way the next one collects. One producer, in order, acknowledged by all replicas. */
export function openAppender(kafka: Pick<Kafka, 'producer'>, prefix: string, metrics: Metrics, journal: Journal): Appender {
  return new GroupAppender(kafka, prefix, metrics, journal);
}

class GroupAppender implements Appender {
  readonly #kafka: Pick<Kafka, 'producer'>;
  readonly #prefix: string;
  readonly #metrics: Metrics;
  readonly #told: ToldOnce;
  /** Connected, or on its way; undefined before the first send and after a failure. */
  #producer: Promise<Producer> | undefined;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #failure: string | undefined;
  #probe: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(kafka: Pick<Kafka, 'producer'>, prefix: string, metrics: Metrics, journal: Journal) {
    this.#kafka = kafka;
    this.#prefix = prefix;
    this.#metrics = metrics;
    this.#told = toldOnce(journal, {}, 'Kafka does not take records; who sent them is asked to send them again.', 'Kafka takes records again.');
  }

  append(records: readonly NewRecord[]): Promise<readonly Position[]> {
    if (this.#closed) return Promise.reject(new Unavailable('The log is closed.'));
    if (records.length === 0) return Promise.resolve([]);
    const large = tooLarge(records);
    if (large) return Promise.reject(large);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  failure(): string | undefined {
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    clearTimeout(this.#probe);
    await this.#producer?.then((open) => open.disconnect()).catch(() => {});
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#send(this.#takeBatch());
    this.#running = undefined;
  }

  /** The oldest that wait, as many as go out at once; one by itself may have more records. */
  #takeBatch(): readonly Waiting[] {
    let size = 0;
    const end = this.#waiting.findIndex(({ records }) => (size += records.length) > MOST_AT_ONCE);
    const batch = this.#waiting.slice(0, end < 0 ? undefined : Math.max(1, end));
    this.#waiting = this.#waiting.slice(batch.length);
    return batch;
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const records = batch.flatMap((one) => [...one.records]);
    const positions: Position[] = [];
    const started = performance.now();
    try {
      await answeredWithin(SEND_MS, this.#write(records, positions));
    } catch (error) {
      return this.#fail(batch, error);
    }
    this.#failure = undefined;
    clearTimeout(this.#probe);
    this.#told.worked();
    this.#metrics.observe('millrace_kafka_append_seconds', (performance.now() - started) / 1_000);
    let from = 0;
    for (const { records: { length }, resolve } of batch) resolve(positions.slice(from, (from += length)));
  }

  async #write(records: readonly NewRecord[], positions: Position[]): Promise<void> {
    const ready = await (this.#producer ??= this.#connect());
    for (const round of rounds(this.#prefix, records)) {
      place(round, await ready.sendBatch({ acks: -1, topicMessages: round.topicMessages }), records, positions);
    }
  }

  #fail(batch: readonly Waiting[], error: unknown): void {
    // A producer whose send failed gives its sequence numbers out again: were the lost batch written after all, the
    // broker would take the next one for its repetition, acknowledge it and drop it.
    this.#producer?.then((old) => old.disconnect()).catch(() => {});
    this.#producer = undefined;
    this.#failure = `Kafka does not take records (${failureCodes(error).join(' < ')})`;
    const failure = asFailure('It is not known whether Kafka wrote the records.', error, this.#failure);
    const topics = new Set(batch.flatMap(({ records }) => records.map(({ topic }) => topic)));
    this.#told.failed(failure.message, { topics: [...topics].join(', ') });
    this.#lookAgain();
    this.#metrics.count('millrace_kafka_append_failures_total');
    for (const one of batch) one.reject(failure);
  }

  async #connect(): Promise<Producer> {
    const fresh = this.#kafka.producer({ idempotent: true, allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner, retry });
    await fresh.connect();
    return fresh;
  }

  /** Nobody may send anything for hours, which must not be told as a failure for hours. */
  #lookAgain(): void {
    clearTimeout(this.#probe);
    if (this.#closed) return;
    this.#probe = setTimeout(() => {
      const trying = (this.#producer ??= this.#connect());
      trying.then(() => { this.#failure = undefined; }, () => {
        if (this.#producer === trying) this.#producer = undefined;
        this.#lookAgain();
      });
    }, LOOK_MS).unref();
  }
}
