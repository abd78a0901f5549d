import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Log, Membership } from '../../pipeline/core/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { allTopics, orders, sales } from '../../schemas/topics.js';
import { orderEvent, orderLine } from '../support/events.js';
import { everythingIn } from '../support/records.js';
import { describeWith } from '../support/services/describe-with.js';
import { installation } from './kafka-copier.js';

const SOON = { timeout: 30_000, interval: 100 };

await describeWith(['kafka'], 'records that Kafka dropped before they were read', ({ kafka: { brokers } }) => {
  /** An order ledger with a topic that can lose its head, as retention does. */
  async function shop() {
    const here = installation(brokers, 1);
    onTestFinished(() => here.close());
    const { log } = await here.join();
    await log.ensureTopics(allTopics);
    const ledger = orderLedger();
    const warn = vi.fn();
    const told = (id: string) => ({ topic: orders.name, partition: 0, key: id, value: orders.codec.encode(orderEvent('completed', id, { userId: 'u1', lines: [orderLine('P1', 1, 100_000n)] })) });
    return {
      log, warn,
      order: (...ids: readonly string[]) => log.append(ids.map(told)),
      run: (skipsLost = false): Membership => runConsumer(ledger, { consumers: [ledger], learners: [], sinks: [], views: [] }, { log, openStore: memoryStore, metrics: noMetrics, journal: { ...silentJournal, warn }, learnSchemas: async () => {}, skipsLost }),
      sold: async () => (await everythingIn(log, sales.name)).flatMap(({ key, value, tick }) => (tick || key === null || value === null ? [] : [sales.codec.decode(value).orderId])),
      async lose(offset: number): Promise<void> {
        const admin = new Kafka({ clientId: 'retention', brokers, logLevel: logLevel.NOTHING }).admin();
        await admin.connect();
        await admin.fetchTopicOffsets(here.prefix + orders.name); // deleteTopicRecords looks no leader up by itself
        await admin.deleteTopicRecords({ topic: here.prefix + orders.name, partitions: [{ partition: 0, offset: String(offset) }] });
        await admin.disconnect();
      },
    };
  }
  const endOf = async (log: Log): Promise<number> => (await log.ranges(orders.name))[0]!.end;

  test('a consumer that is new begins where the log begins by now', async () => {
    const { order, lose, run, sold } = await shop();
    await order('O-1', 'O-2', 'O-3');
    await lose(2);
    const membership = run();
    await expect.poll(sold, SOON).toEqual(['O-3']);
    await membership.stop();
  });

  test('one that has not read what is gone ends and says what to do; with --skip-lost it goes on behind it, and says what is missing', async () => {
    const { log, order, lose, run, sold, warn } = await shop();
    const before = run();
    await order('O-1');
    await expect.poll(sold, SOON).toEqual(['O-1']);
    await before.stop();
    await order('O-2', 'O-3');
    await lose(await endOf(log));
    await order('O-4');

    const failed = run();
    await expect(failed.failed).rejects.toThrow(ConfigError);
    await expect(failed.failed).rejects.toThrow(/of orders, partition 0, lies outside the log.*\n.*docs\/runbook\.md#records-that-the-log-has-lost/);
    await failed.stop();

    const start = (await log.ranges(orders.name))[0]!.start;
    const going = run(true);
    await expect.poll(sold, SOON).toEqual(['O-1', 'O-4']);
    await going.stop();
    expect(warn.mock.calls).toContainEqual([expect.objectContaining({ consumer: 'order-ledger', topic: 'orders', partition: 0, start }), 'The log has lost records before they were read; they are skipped.']);
  });

  test('a topic that is missing among others is made, and the log says what that may mean', async () => {
    const here = installation(brokers, 1);
    onTestFinished(() => here.close());
    const warn = vi.fn();
    const { log } = await here.join({ journal: { ...silentJournal, warn } });
    await log.ensureTopics([orders]);
    await log.ensureTopics([orders]);
    expect(warn).not.toHaveBeenCalled();
    await log.ensureTopics([orders, sales]);
    expect(warn.mock.calls).toEqual([[{ topics: `${here.prefix}sales` }, expect.stringContaining('somebody has deleted them')]]);
  });
});
