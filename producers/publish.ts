import type { NewRecord } from '../pipeline/core/log.js';
import { partitionOf } from '../pipeline/core/partition.js';
import { catalog, clickstream, inventory, orders } from '../schemas/topics.js';
import type { CollectedRecord } from './collect.js';

function encode(record: CollectedRecord): Buffer {
  switch (record.topic) {
    case 'clickstream': return clickstream.codec.encode(record.value);
    case 'orders': return orders.codec.encode(record.value);
    case 'inventory': return inventory.codec.encode(record.value);
    case 'catalog': return catalog.codec.encode(record.value);
  }
}

/** Records as the log takes them: framed Avro in the partition that the key hashes to, as any Kafka client would choose it. */
export const encodeRecords = (records: readonly CollectedRecord[], partitions: number): NewRecord[] =>
  records.map((record) => ({ topic: record.topic, partition: partitionOf(record.key, partitions), key: record.key, value: encode(record) }));
