import { createRequire } from 'node:module';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test, vi } from 'vitest';
import { kafkaClient, rawClient } from '../../infra/kafka-log/client.js';
import { Connection } from '../../infra/kafka-log/connection.js';
import type { KafkaLogOptions } from '../../infra/kafka-log/options.js';
import { fencingProducer } from '../../infra/kafka-log/task-producer.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { describeWith } from '../support/services/describe-with.js';

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

await describeWith(['kafka'], 'what is asked of Kafka', ({ kafka: { brokers } }) => {
  const options: KafkaLogOptions = {
    brokers, clientId: 'requests', prefix: 'requests-', partitions: 1, replicationFactor: 1, stateDirectory: '/nowhere', metrics: noMetrics, journal: silentJournal,
  };

  async function topic(name: string): Promise<void> {
    const admin = new Kafka({ clientId: 'requests', brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: `requests-${name}`, numPartitions: 1, replicationFactor: 1 }] });
    await admin.disconnect();
  }

  test('offsets, asked for by many at once, take one socket a broker; closing frees it', async () => {
    await topic('ranges');
    const before = sockets();
    const connection = new Connection(rawClient(options), 'requests-');
    const asked = Array.from({ length: 30 }, () => connection.ranges([{ topic: 'ranges', partition: 0 }]));
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 30 }, () => [{ start: 0, end: 0 }]));
    // The address that was given, and the broker by the name it gives itself.
    expect(sockets() - before).toBeLessThanOrEqual(2);
    await connection.close();
    await expect.poll(sockets).toBe(before);
  });

  test('the coordinator of transactions is asked for once a fence, and by all again after it has refused one', async () => {
    await topic('out');
    const lookUp = vi.spyOn(createRequire(import.meta.url)('kafkajs/src/broker/index.js').prototype, 'findGroupCoordinator');
    const record = { topic: 'out', partition: 0, key: 'k', value: Buffer.from('v') };
    const kafka = kafkaClient(options);
    const first = await fencingProducer(kafka, 'requests-', 'requests-task');
    const bystander = await fencingProducer(kafka, 'requests-', 'requests-bystander');
    await bystander.commit([record]);
    for (let commit = 0; commit < 3; commit++) await first.commit([record]);
    expect(lookUp).toHaveBeenCalledTimes(2);

    const second = await fencingProducer(kafka, 'requests-', 'requests-task');
    await expect(first.commit([record])).rejects.toBeInstanceOf(Error);
    await second.commit([record]);
    await second.commit([record]);
    await bystander.commit([record]);
    // The fence of the second, and each of the two after the refusal.
    expect(lookUp).toHaveBeenCalledTimes(5);
    for (const producer of [first, second, bystander]) producer.drop();
    lookUp.mockRestore();
  });
});
