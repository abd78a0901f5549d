import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openKafkaLog, type KafkaLog } from '../../infra/kafka-log/index.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import type { BenchSetting } from './bench.js';
import { deleteTopics } from './peers/kafka.js';

/** Topics of their own for a bench, removed when it is over. */
export function kafkaTopics({ config: { KAFKA_BROKERS: brokers }, folder }: BenchSetting) {
  const prefix = `bench-${randomBytes(4).toString('hex')}-`;
  const partitions = 4;
  return {
    prefix, partitions,
    /** The log of these topics; `name` tells those apart that are open at once. */
    open: (name: string): Promise<KafkaLog> => openKafkaLog({
      brokers, clientId: 'millrace-bench', prefix, partitions, replicationFactor: 1, stateDirectory: join(folder, name), metrics: noMetrics, journal: silentJournal,
    }),
    // Left-over topics do no harm to anyone: a broker that refuses must not hide the figures.
    remove: (): Promise<void> => deleteTopics(brokers, prefix).catch(() => {}),
  };
}
