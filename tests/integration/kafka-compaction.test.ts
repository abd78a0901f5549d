import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import type { LogRecord, NewRecord } from '../../pipeline/core/log.js';
import { describeWith } from '../support/services/describe-with.js';
import { copierTopics, installation } from './kafka-copier.js';

await describeWith(['kafka'], 'a compacted table on Kafka', ({ kafka: { brokers } }) => {
  test('is read to its end although compaction has emptied batches and whole stretches of it', async () => {
    const { join, close, prefix } = installation(brokers, 1);
    const { log } = await join();
    await log.ensureTopics(copierTopics.filter(({ kind }) => kind !== 'table'));
    const admin = new Kafka({ clientId: 'admin', brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const eager = { 'cleanup.policy': 'compact', 'segment.ms': '200', 'min.cleanable.dirty.ratio': '0.001', 'delete.retention.ms': '0' };
    await admin.createTopics({ topics: [{ topic: `${prefix}progress`, numPartitions: 1, configEntries: Object.entries(eager).map(([name, value]) => ({ name, value })) }] });
    await admin.disconnect();

    let written: (end: number) => void = () => {};
    const finished = new Promise<number>((resolve) => (written = resolve));
    let go: () => void = () => {};
    const compacted = new Promise<void>((resolve) => (go = resolve));
    const rows: LogRecord[] = [];
    let restored: (next: number) => void = () => {};
    const read = new Promise<number>((resolve) => (restored = resolve));
    const membership = log.own({ name: 'compacted', inputs: ['in'], table: 'progress' }, async (lease) => {
      await lease.fence();
      let end = 0;
      for (let i = 0; i < 40; i++) {
        const slice = Array.from({ length: 200 }, (_, j): NewRecord => ({ topic: 'progress', partition: 0, key: `k${j % 20}`, value: Buffer.from(`${i}`) }));
        end = await lease.commit([], slice);
        if (i % 5 === 4) await sleep(250); // a new segment, so that the one before may be compacted
      }
      written(end);
      await compacted;
      const range = await lease.tableRange();
      let next = range.start;
      await lease.readTable(range.start, range.end, (more, after) => {
        rows.push(...more);
        next = after;
      });
      restored(next - range.end);
    });
    const end = await Promise.race([finished, membership.failed]);
    // The cleaner works in its own time.
    for (let left = Infinity, tries = 0; left > end / 4 && tries < 30; tries++) {
      await sleep(500);
      const reader = log.reader([{ topic: 'progress', partition: 0, offset: 0 }]);
      left = 0;
      for (let more = await reader.poll(5_000, 1_000); more.length > 0; more = await reader.poll(5_000, 300)) left += more.length;
      await reader.close();
    }
    go();
    expect(await Promise.race([read, membership.failed])).toBe(0);
    expect(rows.length).toBeLessThan(end / 2);
    expect(new Map(rows.map(({ key, value }) => [key, String(value)]))).toEqual(new Map(Array.from({ length: 20 }, (_, j) => [`k${j}`, '39'])));
    await membership.stop();
    await close();
  });
});
