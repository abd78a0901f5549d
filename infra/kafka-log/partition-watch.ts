import type { Journal, Metrics } from '../../pipeline/core/metrics.js';
import type { Connection } from './connection.js';

const LOOK_MS = 30_000;
export const RUNBOOK = 'docs/runbook.md#partitionsunread';

/** Looks now and then whether partitions were added to topics. */
export interface PartitionWatch {
  add(topics: readonly string[]): void;
  stop(): void;
}

/**
 * Says once of each topic that it has more partitions than the `partitions` that are read. It does not end the process: keys are where they were,
 * nobody can take partitions back, and what comes to the others is no reason to refuse events.
 */
export function watchPartitions(connection: Pick<Connection, 'describe'>, partitions: number, { metrics, journal }: { readonly metrics: Metrics; readonly journal: Journal }, lookMs = LOOK_MS): PartitionWatch {
  const watched = new Set<string>();
  const told = new Map<string, number>();
  let isBlind = false;
  const look = async (): Promise<void> => {
    const topics = await connection.describe([...watched]);
    if (topics.size === 0 && !isBlind) journal.warn({}, 'The brokers give topics no ids, as those before 2.8: a topic that is deleted and made again, or given more partitions, is not noticed.');
    isBlind = topics.size === 0;
    for (const [topic, { partitions: found }] of topics) {
      if (found <= partitions || told.get(topic) === found) continue;
      told.set(topic, found);
      metrics.gauge('millrace_kafka_unread_partitions', found - partitions, { topic });
      journal.error({ topic, partitions: found, read: partitions, runbook: RUNBOOK }, `Topic ${topic} was given ${found} partitions: nobody reads those from ${partitions} on, and no process will start again; see ${RUNBOOK}.`);
    }
  };
  // Where nobody answers, or a topic is missing, others say so; the next look makes up for it.
  const looking = setInterval(() => { if (watched.size > 0) void look().catch(() => undefined); }, lookMs);
  looking.unref();
  return {
    add: (topics) => { for (const topic of topics) watched.add(topic); },
    stop: () => clearInterval(looking),
  };
}
