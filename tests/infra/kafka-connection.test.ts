import { setImmediate } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import { expect, test } from 'vitest';
import { Connection } from '../../infra/kafka-log/connection.js';

/** A broker as kafkajs has it: each request that finds no open socket opens one, and the pool knows only the last. */
function lazyBroker() {
  const pool: boolean[] = [];
  const opened: number[] = [];
  const getConnection = async (index: number): Promise<void> => {
    if (pool[index]) return;
    opened.push(index);
    await setImmediate();
    pool[index] = true;
  };
  const listOffsets = async ({ topics }: { topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[] }) => {
    await getConnection(0);
    return { responses: topics.map(({ topic, partitions }) => ({ topic, partitions: partitions.map(({ partition, timestamp }) => ({ partition, offset: timestamp === -2 ? '3' : '7' })) })) };
  };
  return { opened, broker: { nodeId: 1, connectionPool: { getConnection }, listOffsets } };
}

const connectionTo = (over: object): Connection => {
  const cluster = { connect: async () => {}, disconnect: async () => {}, addMultipleTargetTopics: async () => {}, refreshMetadata: async () => {}, findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }], ...over };
  return new Connection({ [Symbol('private:Kafka:createCluster')]: () => cluster } as unknown as Kafka, 'shop-');
};

test('offsets that many ask for at once take one socket of the broker', async () => {
  const { opened, broker } = lazyBroker();
  const connection = connectionTo({ findBroker: async () => broker });
  const answers = await Promise.all(Array.from({ length: 20 }, () => connection.ranges([{ topic: 'sales', partition: 0 }])));
  expect(answers).toEqual(Array.from({ length: 20 }, () => [{ start: 3, end: 7 }]));
  expect(opened).toEqual([0]);
});

// It ended the process: no partitions beside some are unequal counts, which only an operator can mend.
test('a topic that is missing from what the cluster last said is asked for again, not taken for one without partitions', async () => {
  let isComplete = false;
  const connection = connectionTo({
    refreshMetadata: async () => void (isComplete = true),
    findTopicPartitionMetadata: () => (isComplete ? [{ partitionId: 1, leader: 1 }, { partitionId: 0, leader: 1 }] : []),
  });
  expect(await connection.partitions('sales')).toEqual([0, 1]);
});
