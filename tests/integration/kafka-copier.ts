import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openKafkaLog } from '../../infra/kafka-log/index.js';
import type { KafkaLog, KafkaLogOptions } from '../../infra/kafka-log/index.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { GroupSpec, Lease, Log, LogRecord, Membership, NewRecord } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { codec } from '../../schemas/codec.js';
import type { Topic, TopicKind } from '../../schemas/topics.js';

/** A task at its smallest: copies its input to its output, and keeps where it stands in its table, in one transaction. */
export const copies: GroupSpec = { name: 'copier', inputs: ['in'], table: 'progress' };

export const topicOf = (name: string, kind: TopicKind = 'stream'): Topic => ({ name, kind, key: 'id', codec: codec<unknown>('Timer'), retentionMs: 86_400_000 });

export const copierTopics: readonly Topic[] = [topicOf('in', 'source'), topicOf('out'), topicOf('progress', 'table')];

/** Logs over one fresh prefix, each with a state directory of its own, like processes of one installation. */
export interface Installation {
  readonly prefix: string;
  /** Open the log as another process would. */
  join(more?: Partial<KafkaLogOptions>): Promise<{ log: KafkaLog; stateDirectory: string }>;
  close(): Promise<void>;
}

export function installation(brokers: readonly string[], partitions: number): Installation {
  const prefix = `it-${randomUUID().slice(0, 8)}-`;
  const opened: { log: KafkaLog; stateDirectory: string }[] = [];
  return {
    prefix,
    join: async (more = {}) => {
      const stateDirectory = mkdtempSync(path.join(tmpdir(), 'millrace-kafka-log-'));
      const log = await openKafkaLog({
        brokers, clientId: 'integration', prefix, partitions, replicationFactor: 1, stateDirectory, sessionTimeoutMs: 6_000,
        metrics: noMetrics, journal: silentJournal, ...more,
      });
      opened.push({ log, stateDirectory });
      return { log, stateDirectory };
    },
    close: async () => {
      for (const { log, stateDirectory } of opened) {
        await log.close();
        rmSync(stateDirectory, { recursive: true, force: true });
      }
    },
  };
}

/** Own the copier's partitions; `granted` is called with each lease that starts. */
export function runCopier(log: Log, granted: (lease: Lease) => void = () => {}): Membership {
  return log.own(copies, async (lease) => {
    granted(lease);
    while (!lease.revoked.aborted) {
      try {
        await copyUntilRevoked(lease);
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        await lease.confirmed();
      }
    }
  });
}

async function copyUntilRevoked(lease: Lease): Promise<void> {
  await lease.fence();
  let next = 0;
  const { start, end } = await lease.tableRange();
  await lease.readTable(start, end, (rows) => {
    for (const { value } of rows) next = Number(value);
  });
  await lease.seek(next === 0 ? {} : { in: next });
  while (!lease.revoked.aborted) {
    const records = await lease.poll(500, 200, new Set());
    if (records.length === 0) continue;
    next = records.at(-1)!.offset + 1;
    const { partition } = lease;
    await lease.commit(
      records.map(({ key, value }): NewRecord => ({ topic: 'out', partition, key, value })),
      [{ topic: 'progress', partition, key: '_progress', value: Buffer.from(String(next)) }],
    );
  }
}

/** Append and repeat until it is known to be written; what is written twice is told apart by its value. */
export async function appendSurely(log: Log, records: readonly NewRecord[]): Promise<void> {
  for (;;) {
    try {
      await log.append(records);
      return;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }
}

/** Everything committed to a topic until nothing has come for `quietMs`, and at least until `enough`. */
export async function readAll(log: Log, topic: string, enough: (records: readonly LogRecord[]) => boolean, quietMs = 500, deadlineMs = 40_000): Promise<LogRecord[]> {
  const ranges = await log.ranges(topic);
  const reader = log.reader(ranges.map(({ start }, partition) => ({ topic, partition, offset: start })));
  const records: LogRecord[] = [];
  const deadline = Date.now() + deadlineMs;
  for (let quietSince = Date.now(); Date.now() < deadline && (!enough(records) || Date.now() - quietSince < quietMs); ) {
    const more = await reader.poll(5_000, 200);
    if (more.length > 0) quietSince = Date.now();
    records.push(...more);
  }
  await reader.close();
  return records;
}

export const values = (records: readonly LogRecord[]): string[] => records.map(({ value }) => String(value));
