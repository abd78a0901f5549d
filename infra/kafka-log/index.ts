import { Unavailable } from '../../pipeline/core/errors.js';
import type { Log, Membership, Reader } from '../../pipeline/core/log.js';
import { openAppender } from './appender.js';
import { kafkaClient, rawClient } from './client.js';
import { Connection } from './connection.js';
import { asFailure } from './failures.js';
import { Fetcher, patiently } from './fetcher.js';
import { KafkaMembership } from './membership.js';
import { DEFAULT_SESSION_TIMEOUT_MS } from './options.js';
import type { KafkaLogOptions } from './options.js';
import { memberFile } from './predecessor.js';
import { watchPartitions } from './partition-watch.js';
import { openReader } from './reader.js';
import { ensureTopics } from './topics.js';

export type { KafkaLogOptions } from './options.js';

const READER = { waitMs: 500, bytes: 1 << 20, partitionBytes: 1 << 20 };

/** A log on a Kafka cluster. */
export interface KafkaLog extends Log {
  /** Tells this cluster and prefix from any other: a table store of another one must be wiped. */
  readonly id: string;
  /** Why it does not take records now, if it does not. */
  failure(): string | undefined;
}

/** The log on a Kafka cluster. @throws Unavailable when no broker answers, ConfigError when they refuse us */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const { prefix, replicationFactor, stateDirectory, metrics, journal, partitions, allowsMore = false, sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS } = options;
  const kafka = kafkaClient(options);
  const raw = rawClient(options);
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch (error) {
    throw asFailure(`No broker of ${options.brokers.join(', ')} answers.`, error);
  }
  // kafkajs has null for an answer where its broker went away in between, and fails over it with a TypeError: nobody's bug here.
  const { clusterId } = await admin.describeCluster().catch(async (cause: unknown) => {
    await admin.disconnect().catch(() => undefined);
    throw asFailure(`No broker of ${options.brokers.join(', ')} says whose cluster it is.`, cause);
  });
  const connection = new Connection(raw, prefix);
  const appender = openAppender(kafka, prefix, metrics, journal);
  const watch = watchPartitions(connection, partitions, options, options.lookMs);
  const readers = new Set<Reader>();
  const memberships = new Map<string, Set<number>>();
  const running = new Set<Membership>();
  let closing: Promise<void> | undefined;

  const open = (): void => {
    if (closing) throw new Unavailable('The log is closed.');
  };

  /** Members of one group in this process have member files of their own, else each would evict the other. */
  const takeSlot = (group: string): { slot: number; free: () => void } => {
    const taken = memberships.get(group) ?? new Set();
    memberships.set(group, taken);
    let slot = 0;
    while (taken.has(slot)) slot++;
    taken.add(slot);
    return { slot, free: () => taken.delete(slot) };
  };

  async function close(): Promise<void> {
    watch.stop();
    await Promise.all([...running].map((membership) => membership.stop()));
    await Promise.all([...readers].map((reader) => reader.close()));
    await appender.close();
    await connection.close();
    await admin.disconnect().catch(() => {});
  }

  return {
    id: `kafka ${clusterId} ${prefix}`,
    engine: 'kafka',
    clock: 'wall',
    partitions,
    ensureTopics: async (topics) => {
      await ensureTopics(admin, topics, { prefix, partitions, allowsMore, replicationFactor }, journal);
      watch.add(topics.map(({ name }) => name));
    },
    append: (records) => appender.append(records),
    failure: () => appender.failure(),
    ranges: async (topic) => {
      const numbers = await connection.partitions(topic);
      return connection.ranges(numbers.map((partition) => ({ topic, partition })));
    },
    writtenAfter: async (topic, time) => {
      const numbers = await connection.partitions(topic);
      return connection.writtenAfter(numbers.map((partition) => ({ topic, partition })), time);
    },
    reader: (from, patienceMs) => {
      open();
      const reader = openReader(new Fetcher(new Connection(raw, prefix), patiently(READER, patienceMs), journal), from);
      const known: Reader = { ...reader, close: () => (readers.delete(known), reader.close()) };
      readers.add(known);
      return known;
    },
    own: (group, owner) => {
      open();
      const { slot, free } = takeSlot(group.name);
      const file = memberFile(stateDirectory, prefix + group.name, slot, connection, journal);
      const membership = new KafkaMembership({ kafka, raw, admin, connection, prefix, partitions, group, owner, file, sessionTimeoutMs, metrics, journal });
      running.add(membership);
      return {
        joined: membership.joined,
        failed: membership.failed,
        stop: async () => {
          await membership.stop();
          running.delete(membership);
          free();
        },
      };
    },
    close: () => (closing ??= close()),
  };
}
