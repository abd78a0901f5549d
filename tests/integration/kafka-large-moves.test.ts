import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { shoppers } from '../../consumers/shoppers.js';
import { openKafkaLog } from '../../infra/kafka-log/index.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { rowRange } from '../../pipeline/core/rows.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { allTopics, clickstream } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { folderForTest } from '../support/folder.js';
import { describeWith } from '../support/services/describe-with.js';
import { shopEvent } from '../support/events.js';

await describeWith(['kafka'], 'a login of a shopper with 1.5 MB of orders', ({ kafka: { brokers } }) => {
  test('moves all of them, and the partitions go on', async () => {
    const log = await openKafkaLog({
      brokers, clientId: 'moves', prefix: `moves-${randomUUID().slice(0, 8)}-`, partitions: 2, replicationFactor: 1, stateDirectory: folderForTest(), sessionTimeoutMs: 6_000,
      metrics: noMetrics, journal: silentJournal,
    });
    onTestFinished(() => log.close());
    await log.ensureTopics(allTopics);
    const stores = [memoryStore(), memoryStore()];
    const consumer = shoppers();
    const membership = runConsumer(consumer, { consumers: [consumer], learners: [], sinks: [], views: [] }, { log, openStore: (_, partition) => stores[partition]!, metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
    onTestFinished(() => membership.stop());
    const write = (key: string, events: readonly ShopEvent[]) => log.append(events.map((event) => ({ topic: clickstream.name, partition: partitionOf(key, 2), key, value: clickstream.codec.encode(event) })));
    const ordersOf = (key: string): number => {
      const { start, end } = rowRange(key, 'order');
      return stores.flatMap((store) => [...store.range(start, end)]).length;
    };
    const time = Date.now();
    await write('device', Array.from({ length: 5_600 }, (_, i) => shopEvent('Order Completed', { messageId: `o${i}`, anonymousId: 'device', time: time + i, orderId: `${i}-`.padEnd(256, 'x') })));
    await expect.poll(() => ordersOf('device'), { timeout: 40_000 }).toBe(5_600);
    await write('device', [shopEvent('', { messageId: 'login', type: 'identify', anonymousId: 'device', userId: 'user-1', time: time + 8_000 })]);
    await expect.poll(() => [ordersOf('device'), ordersOf('user-1')], { timeout: 40_000 }).toEqual([0, 5_600]);
    await write('user-1', [shopEvent('Order Completed', { messageId: 'more', userId: 'user-1', time: time + 9_000, orderId: 'O-1' })]);
    await expect.poll(() => ordersOf('user-1'), { timeout: 40_000 }).toBe(5_601);
  }, 180_000);
});
