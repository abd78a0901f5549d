import kafkajs from 'kafkajs';
import type { Kafka, Producer, Transaction } from 'kafkajs';
import type { NewRecord } from '../../pipeline/core/log.js';
import { baseOffsets, rounds } from './rounds.js';

const { Partitioners } = kafkajs;

/**
 * The transactional producer of one task, from a fence to its first failure. Its id is the task's, so that a newer
 * producer of the same id, anywhere, makes this one a zombie whose transactions are refused.
 */
export interface TaskProducer {
  /** Write all in one transaction. Answers the first offsets of the last batches, by `<full topic>/<partition>`, after their records. */
  commit(records: readonly NewRecord[]): Promise<ReadonlyMap<string, number>>;
  /** Let go without waiting: whatever its last transaction became, it is decided before the next fence answers. */
  drop(): void;
}

const TRANSACTION_TIMEOUT_MS = 10_000;
const retry = { initialRetryTime: 3, maxRetryTime: 200, retries: 14, factor: 0.2, multiplier: 2 };

/** Connect and fence: `connect()` alone fences nobody, the first transaction does. */
export async function fencingProducer(kafka: Kafka, prefix: string, transactionalId: string): Promise<TaskProducer> {
  const producer = kafka.producer({
    transactionalId, idempotent: true, maxInFlightRequests: 1, transactionTimeout: TRANSACTION_TIMEOUT_MS,
    allowAutoTopicCreation: false, createPartitioner: Partitioners.DefaultPartitioner, retry,
  });
  let under: Transaction | undefined;
  const drop = (): void => letGo(producer, under);
  try {
    await producer.connect();
    const first = await producer.transaction();
    await first.abort();
  } catch (error) {
    drop();
    throw error;
  }
  return {
    commit: async (records) => {
      const ends = new Map<string, number>();
      under = await producer.transaction();
      for (const round of rounds(prefix, records)) {
        const bases = baseOffsets(round, await under.sendBatch({ topicMessages: round.topicMessages }));
        for (const [key, count] of round.counts) ends.set(key, bases.get(key)! + count);
      }
      await under.commit();
      under = undefined;
      return ends;
    },
    drop,
  };
}

/** Abort what is open, so that readers need not wait for the transaction's time-out, and close. */
function letGo(producer: Producer, open: Transaction | undefined): void {
  const aborted = open?.isActive() ? open.abort() : Promise.resolve();
  aborted.catch(() => {}).then(() => producer.disconnect()).catch(() => {});
}
