import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { ConfigError, LostRecords } from '../../pipeline/core/errors.js';
import type { Lease, Log, Membership } from '../../pipeline/core/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { allTopics, orders, sales } from '../../schemas/topics.js';
import { orderEvent, orderLine } from '../support/events.js';
import { everythingIn } from '../support/records.js';
import { describeWith } from '../support/services/describe-with.js';
import { brokerFromJars } from '../support/services/kafka.js';
import { unavailable } from '../support/services/unavailable.js';
import { installation } from './kafka-copier.js';

const SOON = { timeout: 30_000, interval: 100 };

/** An order ledger on a topic that can lose records. */
async function shopOn(brokers: string[]) {
  const here = installation(brokers, 1);
  onTestFinished(() => here.close());
  const open = async (): Promise<Log> => {
    const { log } = await here.join();
    await log.ensureTopics(allTopics);
    return log;
  };
  let log = await open();
  const ledger = orderLedger();
  const warn = vi.fn();
  const count = vi.fn();
  const told = (id: string) => ({ topic: orders.name, partition: 0, key: id, value: orders.codec.encode(orderEvent('completed', id, { userId: 'u1', lines: [orderLine('P1', 1, 100_000n)] })) });
  const asAdmin = async (act: (admin: Admin, topic: string) => Promise<unknown>): Promise<void> => {
    const admin = new Kafka({ clientId: 'operator', brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await act(admin, here.prefix + orders.name);
    await admin.disconnect();
  };
  return {
    warn, topic: here.prefix + orders.name,
    /** Counted as told before. */
    duplicates: () => count.mock.calls.filter(([name]) => name === 'millrace_duplicates_total').length,
    order: (...ids: readonly string[]) => log.append(ids.map(told)),
    range: async () => (await log.ranges(orders.name))[0]!,
    run: (skipsLost = false): Membership => runConsumer(ledger, { consumers: [ledger], learners: [], sinks: [], views: [] }, { log, openStore: memoryStore, metrics: { ...noMetrics, count }, journal: { ...silentJournal, warn }, learnSchemas: async () => {}, skipsLost }),
    /** What `use` answers as the owner of the partition in a group without a table. */
    async own<T>(use: (lease: Lease) => Promise<T>): Promise<T> {
      let done: (value: T) => void = () => {};
      const result = new Promise<T>((resolve) => { done = resolve; });
      const membership = log.own({ name: 'sink', inputs: [orders.name] }, async (lease) => done(await use(lease)));
      return Promise.race([result, membership.failed]).finally(() => membership.stop());
    },
    sold: async () => (await everythingIn(log, sales.name)).flatMap(({ key, value, tick }) => (tick || key === null || value === null ? [] : [sales.codec.decode(value).orderId])),
    /** As retention does. */
    loseUntil: (offset: number) => asAdmin(async (admin, topic) => {
      await admin.fetchTopicOffsets(topic); // deleteTopicRecords looks no leader up by itself
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
    }),
    remake: () => asAdmin(async (admin, topic) => {
      await admin.deleteTopics({ topics: [topic] });
      await expect.poll(async () => (await admin.listTopics()).includes(topic), SOON).toBe(false);
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    }),
    /** As a process that starts. */
    reopen: async () => { log = await open(); },
  };
}

await describeWith(['kafka'], 'records that Kafka dropped before they were read', ({ kafka: { brokers } }) => {
  test('a consumer that is new begins where the log begins by now', async () => {
    const { order, loseUntil, run, sold } = await shopOn(brokers);
    await order('O-1', 'O-2', 'O-3');
    await loseUntil(2);
    const membership = run();
    await expect.poll(sold, SOON).toEqual(['O-3']);
    await membership.stop();
  });

  test('one that has not read what is gone ends and says what to do; with --skip-lost it goes on behind it, and says what is missing', async () => {
    const { order, range, loseUntil, run, sold, warn } = await shopOn(brokers);
    const before = run();
    await order('O-1');
    await expect.poll(sold, SOON).toEqual(['O-1']);
    await before.stop();
    await order('O-2', 'O-3');
    await loseUntil((await range()).end);
    await order('O-4');

    const failed = run();
    await expect(failed.failed).rejects.toThrow(ConfigError);
    await expect(failed.failed).rejects.toThrow(/of orders, partition 0, lies outside the log.*\n.*docs\/runbook\.md#records-that-the-log-has-lost/);
    await failed.stop();

    const { start } = await range();
    const going = run(true);
    await expect.poll(sold, SOON).toEqual(['O-1', 'O-4']);
    await going.stop();
    expect(warn.mock.calls).toContainEqual([expect.objectContaining({ consumer: 'order-ledger', topic: 'orders', partition: 0, next: start }), 'The log has lost records before they were read; they are skipped.']);
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

  const many = Array.from({ length: 20 }, (_, i) => `new-${i}`);

  test('a topic that was deleted and made again is not read from its middle, however many records it has; with --skip-lost it is read from its start', async () => {
    const { order, range, remake, reopen, run, sold, warn } = await shopOn(brokers);
    const before = run();
    await order('O-1', 'O-2');
    await expect.poll(sold, SOON).toEqual(['O-1', 'O-2']);
    await before.stop();
    const { end } = await range();
    await remake();
    await reopen();
    await order(...many);
    expect((await range()).end).toBeGreaterThan(end);

    const failed = run();
    await expect(failed.failed).rejects.toThrow(/of orders, partition 0, is of a topic that was deleted.*\n.*docs\/runbook\.md#records-that-the-log-has-lost/);
    await failed.stop();
    expect(await sold()).toEqual(['O-1', 'O-2']);

    const going = run(true);
    await expect.poll(sold, SOON).toEqual(['O-1', 'O-2', ...many]);
    await going.stop();
    expect(warn.mock.calls).toContainEqual([expect.objectContaining({ topic: 'orders', partition: 0, next: 0 }), 'The log has lost records before they were read; they are skipped.']);
    const after = run();
    await order('O-3');
    await expect.poll(sold, SOON).toEqual(['O-1', 'O-2', ...many, 'O-3']);
    await after.stop();
  });

  test('an offset that a sink has stored is not taken for one of the topic that was made in place of its own', async () => {
    const { order, remake, reopen, own } = await shopOn(brokers);
    await order('O-1', 'O-2');
    const stored = await own(async (lease) => {
      await lease.seek({});
      await lease.storeOffset(orders.name, 2, 'done:table');
      return lease.storedOffset(orders.name);
    });
    expect(stored).toMatchObject({ offset: 2, metadata: 'done:table' });
    await remake();
    await reopen();
    await order(...many);
    // As it was read before: brokers forget the offsets of a deleted topic, but not at once.
    const { offset, lineage } = stored!;
    await expect(own((lease) => lease.seek({ [orders.name]: offset }, { [orders.name]: lineage! }))).rejects.toThrow(LostRecords);
  });

  test('a consumer that runs while its topic is made again ends, too', async () => {
    const { order, remake, run, sold } = await shopOn(brokers);
    const running = run();
    await order('O-1');
    await expect.poll(sold, SOON).toEqual(['O-1']);
    await remake();
    await expect(running.failed).rejects.toThrow(/is of a topic that was deleted|lies outside the log/);
    await running.stop();
  });
});

describe('a topic that has lost its end', { timeout: 180_000 }, () => {
  let folder = '';
  let kafka: Awaited<ReturnType<typeof brokerFromJars>> | ReturnType<typeof unavailable>;
  beforeAll(async () => {
    kafka = await brokerFromJars((plain) => {
      folder = plain['log.dirs']!;
      return {};
    }).catch((error: unknown) => unavailable('Kafka', error));
  }, 180_000);
  afterAll(async () => {
    if (!('unavailable' in kafka)) await kafka.stop();
  });

  /** What a replica that lacks the newest records leaves behind when it becomes the leader; answers the first offset that is gone, which is not after `from`. */
  function cut(topic: string, from: number): number {
    const partition = join(folder, `${topic}-0`);
    const segment = join(partition, '00000000000000000000.log');
    const bytes = readFileSync(segment);
    let at = 0;
    const base = (): number => Number(bytes.readBigInt64BE(at));
    while (base() + bytes.readInt32BE(at + 23) < from) at += 12 + bytes.readInt32BE(at + 8);
    truncateSync(segment, at);
    for (const name of readdirSync(partition)) if (/index$|snapshot$/.test(name)) rmSync(join(partition, name));
    return base();
  }

  test.each([['fewer records than before', 1], ['more records than before', 200]])('and has %s is refused; with --skip-lost all that is new is read, and nothing twice', async (_, count) => {
    if ('unavailable' in kafka) throw new Error(kafka.unavailable);
    const { topic, order, range, reopen, run, sold, warn, duplicates } = await shopOn(kafka.brokers);
    const before = run();
    await order('O-1', 'O-2');
    const [lost] = await order('O-3', 'O-4');
    await expect.poll(sold, SOON).toEqual(['O-1', 'O-2', 'O-3', 'O-4']);
    await before.stop();
    const { end } = await range();
    await kafka.kill();
    const gone = cut(topic, lost!.offset);
    await kafka.restart();
    await reopen();
    const more = Array.from({ length: count }, (__, i) => `new-${i}`);
    const [first] = await order(...more);
    expect(first!.offset).toBe(gone);
    expect((await range()).end > end).toBe(count > 1);

    const failed = run();
    await expect(failed.failed).rejects.toThrow(/of orders, partition 0, is not what was read up to there: the log has lost its end from \d+ on/);
    await failed.stop();

    const going = run(true);
    await expect.poll(sold, SOON).toEqual(['O-1', 'O-2', 'O-3', 'O-4', ...more]);
    await going.stop();
    expect(duplicates()).toBe(0);
    expect(warn.mock.calls).toContainEqual([expect.objectContaining({ next: gone }), 'The log has lost records before they were read; they are skipped.']);
  });
});
