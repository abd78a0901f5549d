import type { Kafka } from 'kafkajs';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { GroupSpec, Lease, NewRecord, OffsetRange } from '../../pipeline/core/log.js';
import type { Metrics } from '../../pipeline/core/metrics.js';
import type { Connection } from './connection.js';
import { answeredWithin } from './answered-within.js';
import { asFailure, isFenced } from './failures.js';
import type { Fetcher } from './fetcher.js';
import { Inputs } from './inputs.js';
import type { GroupOffsets } from './group-offsets.js';
import { tooLarge } from './rounds.js';
import { readTable } from './table.js';
import { fencingProducer } from './task-producer.js';
import type { TaskProducer } from './task-producer.js';

/** Beyond all retries and the transaction's time-out: kafkajs has lost the answer, and would let the partition wait for ever. */
const PATIENCE_MS = 30_000;

/** What a lease needs of its membership. */
export interface Membered {
  readonly kafka: Kafka;
  readonly prefix: string;
  readonly group: GroupSpec;
  readonly fetcher: Fetcher;
  /** For short reads beside the long polls. */
  readonly connection: Connection;
  readonly offsets: GroupOffsets;
  readonly metrics: Metrics;
  /** Resolves when the group has answered a heartbeat or a join that was sent after `since`. */
  confirmedAfter(since: number, given: AbortSignal): Promise<void>;
}

/** A lease and how its membership ends it. */
export interface OwnLease extends Lease {
  revoke(): void;
  /** Close what the owner may have left open; only after the owner has ended. */
  release(): void;
}

export function openLease(member: Membered, partition: number): OwnLease {
  const { kafka, prefix, group, connection, metrics } = member;
  const labels = { consumer: group.name };
  const revoking = new AbortController();
  const inputs = new Inputs(group.inputs, partition, member.fetcher, connection, (buffered) =>
    metrics.observe('millrace_kafka_buffered_records', buffered, labels));
  let producer: TaskProducer | undefined;

  const held = (): void => {
    if (revoking.signal.aborted) throw new Unavailable(`Partition ${partition} of ${group.name} was taken away.`);
  };
  const table = (): { topic: string; partition: number } => {
    if (group.table === undefined) throw new TypeError(`${group.name} has no table, so nothing to fence or commit.`);
    return { topic: group.table, partition };
  };
  const dropProducer = (): void => {
    producer?.drop();
    producer = undefined;
  };

  async function tableRange(): Promise<OffsetRange> {
    const [range] = await connection.ranges([table()]);
    return range;
  }

  async function commit(outputs: readonly NewRecord[], rows: readonly NewRecord[]): Promise<number> {
    const { topic } = table();
    held();
    if (producer === undefined) throw new Unavailable(`Partition ${partition} of ${group.name} must be fenced before it commits.`);
    const records = [...outputs, ...rows];
    // The task would repeat the same commit for ever.
    const large = tooLarge(records);
    if (large) throw large;
    const started = performance.now();
    try {
      const ends = await answeredWithin(PATIENCE_MS, producer.commit(records));
      metrics.observe('millrace_kafka_commit_seconds', (performance.now() - started) / 1_000, labels);
      const end = ends.get(`${prefix}${topic}/${partition}`);
      return end ?? (await tableRange()).end;
    } catch (error) {
      // Whether it was committed is unknown, and a producer that goes on could join a delayed write to its next transaction.
      dropProducer();
      metrics.count('millrace_kafka_commit_failures_total', { ...labels, reason: isFenced(error) ? 'fenced' : 'unavailable' });
      throw asFailure(`It is not known whether partition ${partition} of ${group.name} committed.`, error);
    }
  }

  return {
    partition,
    revoked: revoking.signal,
    fence: async () => {
      const id = `${prefix}${group.name}-${partition}`;
      table();
      held();
      dropProducer();
      try {
        const fenced = await answeredWithin(PATIENCE_MS, fencingProducer(kafka, prefix, id));
        if (revoking.signal.aborted) fenced.drop();
        held();
        producer = fenced;
      } catch (error) {
        throw asFailure(`Partition ${partition} of ${group.name} could not be fenced.`, error);
      }
    },
    tableRange,
    readTable: async (from, to, apply) => readTable(connection, table(), from, to, () => !revoking.signal.aborted, apply),
    seek: (offsets, lineages) => inputs.seek(offsets, lineages),
    lineages: () => inputs.lineages(),
    poll: (max, waitMs, except) => inputs.poll(max, waitMs, except),
    lag: () => inputs.lag(),
    commit,
    confirmed: () => member.confirmedAfter(Date.now(), revoking.signal),
    storedOffset: async (topic) => {
      const stored = await member.offsets.stored(topic, partition);
      return stored && { offset: stored.offset, ...parted(stored.metadata) };
    },
    storeOffset: async (topic, offset, metadata) => {
      await member.offsets.store(topic, partition, offset, joined(metadata, inputs.lineages()[topic]), held);
      // A commit that was repeated through a rebalance may have been the next owner's turn already.
      held();
    },
    revoke: () => {
      revoking.abort();
      inputs.close();
    },
    release: dropProducer,
  };
}

const LINEAGE = '|lineage=';

const joined = (metadata: string, lineage: string | undefined): string => (lineage === undefined ? metadata : `${metadata}${LINEAGE}${lineage}`);

function parted(stored: string): { metadata: string; lineage?: string } {
  const at = stored.lastIndexOf(LINEAGE);
  return at < 0 ? { metadata: stored } : { metadata: stored.slice(0, at), lineage: stored.slice(at + LINEAGE.length) };
}
