import { randomBytes } from 'node:crypto';
import type { BenchSetting } from './bench.js';
import { deleteTopics } from './peers/kafka.js';

/** Topics of their own for a bench, removed when it is over. */
export function kafkaTopics({ config }: BenchSetting): { prefix: string; partitions: number; remove(): Promise<void> } {
  const prefix = `bench-${randomBytes(4).toString('hex')}-`;
  // Left-over topics do no harm to anyone: a broker that refuses must not hide the figures.
  return { prefix, partitions: 4, remove: () => deleteTopics(config.KAFKA_BROKERS, prefix).catch(() => {}) };
}
