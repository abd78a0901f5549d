import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { readConfig } from '../../pipeline/config.js';
import type { Log } from '../../pipeline/core/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { runConsumer, type RunningConsumer } from '../../pipeline/core/runner.js';
import { startMillrace } from '../../pipeline/main.js';
import { allTopics } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';
import { describeWith } from '../support/services/describe-with.js';
import '../support/threads-from-source.mjs';
import { installation } from './kafka-copier.js';

const SOON = { timeout: 30_000, interval: 50 };

await describeWith(['kafka'], 'a consumer on Kafka is ready', ({ kafka: { brokers } }) => {
  /** Processes that run the order ledger; each restores a partition only once the test lets it. */
  function processes(partitions: number) {
    const here = installation(brokers, partitions);
    onTestFinished(() => here.close());
    return async (): Promise<{ consumer: RunningConsumer; restoring: Map<number, () => void> }> => {
      const { log } = await here.join();
      await log.ensureTopics(allTopics);
      const restoring = new Map<number, () => void>();
      const gated: Log = {
        ...log,
        own: (group, owner) => log.own(group, (lease) => owner({
          ...lease,
          fence: () => Promise.race([
            new Promise<void>((resolve) => { restoring.set(lease.partition, resolve); }).then(() => lease.fence()),
            new Promise<void>((resolve) => { lease.revoked.addEventListener('abort', () => resolve()); }),
          ]),
        })),
      };
      const ledger = orderLedger();
      const consumer = runConsumer(ledger, { consumers: [ledger], learners: [], sinks: [], views: [] }, { log: gated, openStore: memoryStore, metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
      onTestFinished(() => consumer.stop());
      return { consumer, restoring };
    };
  }

  test('once all that it was given is restored, and stays so when partitions of another one come to it', async () => {
    const start = processes(2);
    const first = await start();
    await expect.poll(() => first.restoring.size, SOON).toBe(2);
    expect(first.consumer.isReady()).toBe(false);
    first.restoring.get(0)!();
    const second = await start();
    await expect.poll(() => second.restoring.size, SOON).toBe(1);
    // Its other partition has gone to the second one.
    await expect.poll(() => first.consumer.isReady(), SOON).toBe(true);
    expect(second.consumer.isReady()).toBe(false);
    for (const restore of second.restoring.values()) restore();
    await expect.poll(() => second.consumer.isReady(), SOON).toBe(true);

    first.restoring.clear();
    await second.consumer.stop();
    await expect.poll(() => first.restoring.size, SOON).toBe(1);
    expect(first.consumer.isReady()).toBe(true);
  });

  test('where there is no partition for it', async () => {
    const start = processes(1);
    const first = await start();
    await expect.poll(() => first.restoring.size, SOON).toBe(1);
    const second = await start();
    await expect.poll(() => [first, second].filter(({ consumer }) => consumer.isReady()).length, SOON).toBe(1);
    expect([first, second].find(({ consumer }) => consumer.isReady())!.restoring.size).toBe(0);
  });

  test('is what /readyz of its process says', async () => {
    const config = readConfig({ PORT: '0', HOST: '127.0.0.1', DATA_DIR: folderForTest(), KAFKA_BROKERS: brokers.join(','), TOPIC_PREFIX: `ready-${randomUUID().slice(0, 8)}-`, TOPIC_PARTITIONS: '1' });
    const millrace = await startMillrace({ config, role: 'consumers', demo: false, journal: silentJournal });
    onTestFinished(() => millrace.stop());
    const seen: string[] = [];
    await expect.poll(async () => {
      const answer = await fetch(`http://127.0.0.1:${millrace.port}/readyz`);
      const { parts } = await answer.json() as { parts: { restoring: string[] } };
      seen.push(`${answer.status} ${parts.restoring.length > 0 ? 'restoring' : 'at work'}`);
      return seen.at(-1);
    }, SOON).toBe('200 at work');
    expect(new Set(seen)).toEqual(new Set(['503 restoring', '200 at work']));
  });
});
