import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { shoppers } from '../../consumers/shoppers.js';
import { interests } from '../../consumers/shoppers/interests.js';
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
import { product, shopEvent } from '../support/events.js';

await describeWith(['kafka'], 'a login of a shopper with 1.5 MB of wishes', ({ kafka: { brokers } }) => {
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
    const wishesOf = (key: string): number => {
      const { start, end } = rowRange(key, interests.name);
      return stores.flatMap((store) => [...store.range(start, end)]).length;
    };
    const time = Date.now();
    await write('device', Array.from({ length: 100 }, (_, i) => shopEvent('Product Added to Wishlist', { messageId: `w${i}`, anonymousId: 'device', time: time + i, products: Array.from({ length: 26 }, (_, of) => product(`${i}-${of}-`.padEnd(256, 'x'))) })));
    await expect.poll(() => wishesOf('device'), { timeout: 40_000 }).toBe(2_600);
    await write('device', [shopEvent('', { messageId: 'login', type: 'identify', anonymousId: 'device', userId: 'user-1', time: time + 1_000 })]);
    await expect.poll(() => [wishesOf('device'), wishesOf('user-1')], { timeout: 40_000 }).toEqual([0, 2_600]);
    await write('user-1', [shopEvent('Product Added to Wishlist', { messageId: 'more', userId: 'user-1', time: time + 2_000, products: [product('P1')] })]);
    await expect.poll(() => wishesOf('user-1'), { timeout: 40_000 }).toBe(2_601);
  }, 180_000);
});
