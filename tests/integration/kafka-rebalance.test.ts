import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AssignerProtocol, Kafka, logLevel } from 'kafkajs';
import { afterEach, expect, test, vi } from 'vitest';
import { kafkaClient } from '../../infra/kafka-log/client.js';
import { createCluster } from '../../infra/kafka-log/pinned.js';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Lease, NewRecord } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { describeWith } from '../support/services/describe-with.js';
import { appendSurely, copies, copierTopics, installation, readAll, runCopier, topicOf, values } from './kafka-copier.js';
import type { Installation } from './kafka-copier.js';

const PARTITIONS = 4;
/** Of a member that crashed: longer than a test waits. */
const SESSION_MS = 120_000;
const SOON = { timeout: 30_000 };

const untilRevoked = (lease: Lease) => new Promise<void>((resolve) => lease.revoked.addEventListener('abort', () => resolve()));

await describeWith(['kafka'], 'a group on Kafka', ({ kafka: { brokers } }) => {
  const opened: Installation[] = [];
  const install = (): Installation => {
    const one = installation(brokers, PARTITIONS);
    opened.push(one);
    return one;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  test('partitions that move between members lose nothing and double nothing', async () => {
    const { join } = install();
    const { log } = await join();
    await log.ensureTopics(copierTopics);
    const owned = new Map<string, Set<number>>();
    const owning = (name: string) => (lease: Lease) => {
      const mine = owned.get(name) ?? new Set();
      owned.set(name, mine.add(lease.partition));
      lease.revoked.addEventListener('abort', () => mine.delete(lease.partition));
    };
    const sent: string[] = [];
    const sending = new AbortController();
    const producing = (async () => {
      for (let i = 0; !sending.signal.aborted; i++) {
        const records = Array.from({ length: 40 }, (_, j): NewRecord => ({ topic: 'in', partition: j % PARTITIONS, key: 'k', value: Buffer.from(`${i}-${j}`) }));
        await appendSurely(log, records);
        sent.push(...records.map(({ value }) => String(value)));
        await sleep(10);
      }
    })();

    const first = runCopier(log, owning('first'));
    await expect.poll(() => owned.get('first')?.size).toBe(PARTITIONS);
    const second = runCopier((await join()).log, owning('second'));
    await expect.poll(() => [owned.get('first')?.size, owned.get('second')?.size]).toEqual([2, 2]);
    await sleep(500);
    const third = runCopier((await join()).log, owning('third'));
    await expect.poll(() => owned.get('third')?.size).toBe(1);
    await first.stop();
    await expect.poll(() => (owned.get('second')?.size ?? 0) + (owned.get('third')?.size ?? 0)).toBe(PARTITIONS);
    // Enough has gone through each of these changes, however slowly.
    await expect.poll(() => sent.length).toBeGreaterThan(1_000);
    sending.abort();
    await producing;

    const copied = values(await readAll(log, 'out', (records) => records.length >= sent.length));
    expect(copied.sort()).toEqual(sent.sort());
    await Promise.all([second.stop(), third.stop()]);
  });

  test('a partition keeps its lease, its place and its order when another member comes and goes', async () => {
    const { join } = install();
    const { log } = await join();
    await log.ensureTopics(copierTopics);
    const leases: Lease[] = [];
    const got: number[] = [];
    const membership = log.own({ name: 'watcher', inputs: ['in'] }, async (lease) => {
      leases.push(lease);
      await lease.seek({});
      while (!lease.revoked.aborted) {
        for (const { value } of await lease.poll(100, 100, new Set())) if (lease === leases[0]) got.push(Number(value));
      }
    });
    await expect.poll(() => leases).toHaveLength(PARTITIONS);
    const kept = leases[0]!.partition;
    const write = async (from: number) => {
      for (let i = from; i < from + 50; i++) await log.append([{ topic: 'in', partition: kept, key: 'k', value: Buffer.from(String(i)) }]);
    };
    await write(0);
    const other = (await join()).log.own({ name: 'watcher', inputs: ['in'] }, untilRevoked);
    await write(50);
    await expect.poll(() => leases.filter(({ revoked }) => revoked.aborted)).toHaveLength(2);
    await other.stop();
    await expect.poll(() => leases.filter(({ revoked }) => !revoked.aborted)).toHaveLength(PARTITIONS);
    await write(100);
    expect(leases[0]!.revoked.aborted).toBe(false);
    await expect.poll(() => got).toEqual(Array.from({ length: 150 }, (_, i) => i));
    await membership.stop();
  });

  test('a process that comes back does not wait for the session of the one that crashed', async () => {
    const { join, prefix } = install();
    const { log, stateDirectory } = await join({ sessionTimeoutMs: SESSION_MS });
    await log.ensureTopics(copierTopics);
    // A member that joined and was killed: no heartbeat, no goodbye.
    const kafka = kafkaClient({ brokers, clientId: 'crashed', prefix, partitions: 12, replicationFactor: 1, stateDirectory, metrics: noMetrics, journal: silentJournal });
    const cluster = createCluster(kafka);
    await cluster.connect();
    const coordinator = await cluster.findGroupCoordinator({ groupId: `${prefix}copier` });
    const metadata = AssignerProtocol.MemberMetadata.encode({ version: 0, topics: [`${prefix}in`], userData: Buffer.from('[]') });
    const { memberId } = await Reflect.get(coordinator, 'joinGroup').call(coordinator, {
      groupId: `${prefix}copier`, sessionTimeout: SESSION_MS, rebalanceTimeout: SESSION_MS, groupProtocols: [{ name: 'millrace-co-partition', metadata }],
    });
    writeFileSync(path.join(stateDirectory, `member-${encodeURIComponent(`${prefix}copier`)}-0`), memberId);
    await cluster.disconnect();

    let granted = 0;
    const membership = runCopier(log, () => granted++);
    await expect.poll(() => granted).toBe(PARTITIONS);
    await membership.stop();
  });

  test('topics with too few partitions are refused, by the topics and by the group', async () => {
    const { join } = install();
    const { log } = await join({ partitions: 2 });
    await log.ensureTopics([topicOf('in'), topicOf('other')]);
    const { log: wider } = await join({ partitions: 3 });
    const ensured = wider.ensureTopics([topicOf('in'), topicOf('other'), topicOf('fresh')]);
    await expect(ensured).rejects.toThrow(ConfigError);
    await expect(ensured).rejects.toThrow(/in has 2(.|\n)*other has 2/);
    // All alike: the setting is what is wrong. It was a line for each of thirty topics, none of which said what to do.
    await expect(wider.ensureTopics([topicOf('in'), topicOf('other')])).rejects.toThrow(/^TOPIC_PARTITIONS is 3, and the topics of this cluster have 2 partitions each\. Set that:/);
    const membership = wider.own({ name: 'both', inputs: ['in', 'fresh'] }, untilRevoked);
    await expect(membership.failed).rejects.toThrow(/3 partitions each, but in has 2/);
    await membership.stop();
  });

  test('partitions that are added while processes run are said to be nobody\u2019s, once; all go on, through rebalances too, and who only reads finds them', async () => {
    const { join, prefix } = install();
    const [error, gauge] = [vi.fn(), vi.fn()];
    const { log } = await join({ partitions: 2, lookMs: 50, journal: { ...silentJournal, error }, metrics: { ...noMetrics, gauge } });
    await log.ensureTopics(copierTopics);
    const granted: number[] = [];
    const first = runCopier(log, ({ partition }) => granted.push(partition));
    await expect.poll(() => granted.length, SOON).toBe(2);
    const admin = new Kafka({ clientId: 'operator', brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: `${prefix}in`, count: 3 }] });
    await expect.poll(() => error.mock.calls, SOON).toEqual([[expect.objectContaining({ topic: 'in', partitions: 3, read: 2 }), expect.stringContaining('nobody reads those from 2 on')]]);
    expect(gauge.mock.calls).toContainEqual(['millrace_kafka_unread_partitions', 1, { topic: 'in' }]);
    await admin.disconnect();

    const { log: other } = await join({ partitions: 2 });
    await expect(other.ensureTopics(copierTopics)).rejects.toThrow(/in has 3 partitions; all topics need 2/);
    await expect((await join({ partitions: 2, allowsMore: true })).log.ensureTopics(copierTopics)).resolves.toBeUndefined();
    const second = runCopier(other, ({ partition }) => granted.push(partition));
    await expect.poll(() => granted.length, SOON).toBe(3);
    await log.append([0, 1].map((partition): NewRecord => ({ topic: 'in', partition, key: 'k', value: Buffer.from(`to ${partition}`) })));
    expect(values(await readAll(log, 'out', ({ length }) => length >= 2)).sort()).toEqual(['to 0', 'to 1']);
    await Promise.all([first.stop(), second.stop()]);
    expect(Math.max(...granted)).toBe(1);
    expect(error).toHaveBeenCalledTimes(1);
  });

  test('a table that is not compacted is refused', async () => {
    const { join } = install();
    const { log } = await join();
    await log.ensureTopics([topicOf('rows')]);
    await expect(log.ensureTopics([topicOf('rows', 'table')])).rejects.toThrow(/rows is not compacted/);
  });

  test('a lease that the group has taken away stores no offset', async () => {
    const { join } = install();
    const { log } = await join();
    await log.ensureTopics(copierTopics);
    let held: Lease | undefined;
    const membership = log.own({ name: copies.name, inputs: ['in'] }, (lease) => {
      held = lease;
      return untilRevoked(lease);
    });
    await expect.poll(() => held).toBeDefined();
    await held!.storeOffset('in', 0, 'mine');
    await membership.stop();
    await expect(held!.storeOffset('in', 1, 'too late')).rejects.toThrow(/taken away/);
  });
});
