import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { Lease, NewRecord } from '../../pipeline/core/log.js';
import { startKafka } from '../support/services/kafka.js';
import { appendSurely, copierTopics, installation, readAll, runCopier, values } from './kafka-copier.js';

let kafka: Awaited<ReturnType<typeof startKafka>>;
beforeAll(async () => { kafka = await startKafka(); });
afterAll(async () => {
  if (!('unavailable' in kafka)) await kafka.stop();
});

test('a broker that is killed and comes back mid-stream costs time, not records', async (context) => {
  if ('unavailable' in kafka) return context.skip(kafka.unavailable);
  const { join, close } = installation(kafka.brokers, 2);
  try {
    const { log } = await join();
    await log.ensureTopics(copierTopics);
    const leases: Lease[] = [];
    const membership = runCopier(log, (lease) => leases.push(lease));
    const reader = log.reader([0, 1].map((partition) => ({ topic: 'out', partition, offset: 0 })));
    const live: string[] = [];
    const reading = new AbortController();
    const following = (async () => {
      while (!reading.signal.aborted) live.push(...values(await reader.poll(1_000, 100)));
    })();

    const sent = new Set<string>();
    const sending = new AbortController();
    let failures = 0;
    const producing = (async () => {
      for (let i = 0; !sending.signal.aborted; i++) {
        const records = Array.from({ length: 20 }, (_, j): NewRecord => ({ topic: 'in', partition: j % 2, key: 'k', value: Buffer.from(`${i}-${j}`) }));
        await log.append(records).catch(async () => {
          failures++;
          await appendSurely(log, records);
        });
        for (const { value } of records) sent.add(String(value));
        await sleep(10);
      }
    })();
    await sleep(1_500);
    for (let kill = 0; kill < 2; kill++) {
      await kafka.kill();
      await sleep(1_000);
      await kafka.restart();
      await sleep(2_000);
    }
    sending.abort();
    await producing;

    // An append of unknown outcome may be in the log twice: exactly once is counted from the input on.
    const input = values(await readAll(log, 'in', (records) => new Set(values(records)).size >= sent.size));
    expect(new Set(input)).toEqual(sent);
    const copied = values(await readAll(log, 'out', (records) => records.length >= input.length, 1_000));
    expect(copied.sort()).toEqual(input.sort());
    await expect.poll(() => [...live].sort()).toEqual(copied);
    context.annotate(`${sent.size} events, ${failures} appends of unknown outcome, ${leases.length} leases granted`);
    reading.abort();
    await following;
    await membership.stop();
  } finally {
    await close();
  }
}, 120_000);

test('a process that nobody sends anything says no longer than the outage that Kafka takes no records', async (context) => {
  if ('unavailable' in kafka) return context.skip(kafka.unavailable);
  const { join, close } = installation(kafka.brokers, 1);
  try {
    const { log } = await join();
    await log.ensureTopics(copierTopics);
    const record: NewRecord = { topic: 'in', partition: 0, key: 'k', value: Buffer.from('1') };
    await log.append([record]);
    await kafka.kill();
    await expect(log.append([record])).rejects.toThrow(Unavailable);
    await sleep(7_000);
    expect(log.failure()).toContain('Kafka does not take records');
    await kafka.restart();
    await expect.poll(() => log.failure(), { timeout: 30_000 }).toBeUndefined();
    await log.append([record]);
  } finally {
    await close();
  }
}, 120_000);
