import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import type { Connection, Session, TopicPartition } from './connection.js';
import { asFailure, backOff } from './failures.js';
import { OFFSET_OUT_OF_RANGE } from './fetch-answer.js';
import type { PartitionAnswer } from './fetch-answer.js';
import { outsideLog } from './fetcher.js';

const LIMITS = { waitMs: 100, bytes: 4 << 20, partitionBytes: 4 << 20 };
const ATTEMPTS = 30;
/** An open transaction times out after 10 s and is aborted within 10 more: what is undecided for longer stays so. */
const UNDECIDED_MS = 60_000;

type Fetching = Pick<Connection, 'open' | 'drop' | 'leader' | 'learn' | 'ranges' | 'fetch'>;

/** Read committed rows [from, to) of a table's partition, slice by slice, until `alive` says otherwise. */
export async function readTable(
  connection: Fetching, table: TopicPartition, from: number, to: number,
  alive: () => boolean, apply: (rows: readonly LogRecord[], next: number) => void, undecidedMs = UNDECIDED_MS,
): Promise<void> {
  let movedAt = performance.now();
  for (let position = from, attempt = 0; position < to; ) {
    if (!alive()) throw new Unavailable(`The lease of ${table.topic}, partition ${table.partition}, was revoked while its table was read.`);
    const answer = await fetchOnce(connection, table, position).catch((error: unknown) => {
      if (error instanceof ConfigError || attempt >= ATTEMPTS) throw asFailure(`Table ${table.topic} cannot be read.`, error);
      return undefined;
    });
    if (answer === undefined) {
      await backOff(attempt++);
    } else if (answer.next > position) {
      attempt = 0;
      movedAt = performance.now();
      position = Math.min(answer.next, to);
      apply(answer.records.filter(({ offset }) => offset < to), position);
      // Else nothing new: the markers of the last transaction are under way, and the next fetch waits for them.
    } else if (performance.now() - movedAt > undecidedMs) throw new Unavailable(hanging(table, position));
  }
}

const hanging = ({ topic, partition }: TopicPartition, at: number): string =>
  `A transaction at offset ${at} of ${topic}, partition ${partition}, is neither committed nor aborted: kafka-transactions.sh find-hanging names it.`;

async function fetchOnce(connection: Fetching, table: TopicPartition, from: number): Promise<PartitionAnswer> {
  let session: Session | undefined;
  try {
    session = await connection.open();
    if (connection.leader(table) === undefined) await connection.learn([table.topic]);
    const leader = connection.leader(table);
    if (leader === undefined) throw new Error(`Partition ${table.partition} of ${table.topic} has no leader.`);
    const [answer] = await connection.fetch(session, leader, [{ ...table, from }], LIMITS);
    if (answer === undefined) throw new Error(`Kafka said nothing about ${table.topic}.`);
    if (answer.unreadable) throw answer.unreadable;
    if (answer.error === OFFSET_OUT_OF_RANGE) {
      const [range] = await connection.ranges([table]);
      throw (range && outsideLog(table, from, range)) ?? new Error(`Offset ${from} of ${table.topic} is back in the log.`);
    }
    if (answer.error !== 0) throw new Error(`Kafka answered error ${answer.error} for ${table.topic}.`);
    return answer;
  } catch (error) {
    if (!(error instanceof ConfigError)) connection.drop(session);
    throw error;
  }
}
