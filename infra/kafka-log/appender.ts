import kafkajs from 'kafkajs';
import type { Kafka, Producer } from 'kafkajs';
import type { NewRecord, Position } from '../../pipeline/core/log.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { Journal, Metrics } from '../../pipeline/core/metrics.js';
import { toldOnce } from '../../pipeline/core/told-once.js';
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
  let producer: Promise<Producer> | undefined;
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let closed = false;
  const told = toldOnce(journal, {}, 'Kafka does not take records; who sent them is asked to send them again.', 'Kafka takes records again.');
  let failed: string | undefined;
  let probe: NodeJS.Timeout | undefined;

  async function connect(): Promise<Producer> {
    const fresh = kafka.producer({ idempotent: true, allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner, retry });
    await fresh.connect();
    return fresh;
  }

  /** Nobody may send anything for hours, which must not be told as a failure for hours. */
  function lookAgain(): void {
    clearTimeout(probe);
    if (closed) return;
    probe = setTimeout(() => {
      const trying = (producer ??= connect());
      trying.then(() => { failed = undefined; }, () => {
        if (producer === trying) producer = undefined;
        lookAgain();
      });
    }, LOOK_MS).unref();
  }

  async function write(records: readonly NewRecord[], positions: Position[]): Promise<void> {
    const ready = await (producer ??= connect());
    for (const round of rounds(prefix, records)) {
      place(round, await ready.sendBatch({ acks: -1, topicMessages: round.topicMessages }), records, positions);
    }
  }

  async function send(batch: readonly Waiting[]): Promise<void> {
    const records = batch.flatMap((one) => [...one.records]);
    const positions: Position[] = [];
    const started = performance.now();
    try {
      await answeredWithin(SEND_MS, write(records, positions));
    } catch (error) {
      // A producer whose send failed gives its sequence numbers out again: were the lost batch written after all, the
      // broker would take the next one for its repetition, acknowledge it and drop it.
      producer?.then((old) => old.disconnect()).catch(() => {});
      producer = undefined;
      failed = `Kafka does not take records (${failureCodes(error).join(' < ')})`;
      const failure = asFailure('It is not known whether Kafka wrote the records.', error, failed);
      told.failed(failure.message, { topics: [...new Set(records.map(({ topic }) => topic))].join(', ') });
      lookAgain();
      metrics.count('millrace_kafka_append_failures_total');
      for (const one of batch) one.reject(failure);
      return;
    }
    failed = undefined;
    clearTimeout(probe);
    told.worked();
    metrics.observe('millrace_kafka_append_seconds', (performance.now() - started) / 1_000);
    let from = 0;
    for (const { records: { length }, resolve } of batch) resolve(positions.slice(from, (from += length)));
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      let size = 0;
      const end = waiting.findIndex(({ records }) => (size += records.length) > MOST_AT_ONCE);
      const batch = waiting.slice(0, end < 0 ? undefined : Math.max(1, end));
      waiting = waiting.slice(batch.length);
      await send(batch);
    }
    running = undefined;
  }

  return {
    append: (records) => {
      if (closed) return Promise.reject(new Unavailable('The log is closed.'));
      if (records.length === 0) return Promise.resolve([]);
      const large = tooLarge(records);
      if (large) return Promise.reject(large);
      return new Promise((resolve, reject) => {
        waiting.push({ records, resolve, reject });
        running ??= drain();
      });
    },
    failure: () => failed,
    close: async () => {
      closed = true;
      await running;
      clearTimeout(probe);
      await producer?.then((open) => open.disconnect()).catch(() => {});
    },
  };
}
