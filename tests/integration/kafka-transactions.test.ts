import { Kafka, KafkaJSProtocolError, logLevel, Partitioners } from 'kafkajs';
import type { Message, Producer, Transaction } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kafkaClient } from '../../infra/kafka-log/client.js';
import { Connection } from '../../infra/kafka-log/connection.js';
import { Fetcher } from '../../infra/kafka-log/fetcher.js';
import { openLease } from '../../infra/kafka-log/lease.js';
import { fencingProducer } from '../../infra/kafka-log/task-producer.js';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Log, NewRecord } from '../../pipeline/core/log.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { describeWith } from '../support/services/describe-with.js';
import { copierTopics, installation, readAll, topicOf, values } from './kafka-copier.js';

await describeWith(['kafka'], 'transactions on Kafka', ({ kafka: { brokers } }) => {
  const { join, close, prefix } = installation(brokers, 1);
  const retry = { initialRetryTime: 2, maxRetryTime: 200, retries: 20, factor: 0.2 };
  const kafka = new Kafka({ clientId: 'writers', brokers, logLevel: logLevel.NOTHING, retry });
  let log: Log;

  beforeAll(async () => {
    ({ log } = await join());
    await log.ensureTopics([...copierTopics, topicOf('mixed'), topicOf('zeros'), topicOf('cut')]);
  });
  afterAll(close);

  /** Transactions of several sends; half of them are aborted. What was committed is answered. */
  async function write(topic: string, id: string, random: () => number, key: Buffer | null): Promise<string[]> {
    const connected = async (): Promise<Producer> => {
      const fresh = kafka.producer({ transactionalId: prefix + topic + id, idempotent: true, maxInFlightRequests: 1, createPartitioner: Partitioners.DefaultPartitioner });
      await fresh.connect();
      return fresh;
    };
    let producer = await connected();
    const committed: string[] = [];
    const end = async (transaction: Transaction, commits: boolean): Promise<boolean> => {
      try {
        await (commits ? transaction.commit() : transaction.abort());
        return commits;
      } catch (error) {
        // A coordinator that is loading, or has lost the partition, as on a broker that was too busy for its controller, has ended nothing, and kafkajs does not ask again.
        // As a task does: another producer of the id, whose first transaction aborts what is open.
        if (!(error instanceof KafkaJSProtocolError && error.retriable)) throw error;
        await producer.disconnect();
        producer = await connected();
        await (await producer.transaction()).abort();
        return false;
      }
    };
    for (let round = 0; round < 60; round++) {
      const transaction = await producer.transaction();
      const sent: string[] = [];
      for (let send = Math.ceil(random() * 3); send > 0; send--) {
        const messages = Array.from({ length: Math.ceil(random() * 4) }, (_, i): Message => ({ partition: 0, key, value: `${id} ${round} ${send} ${i}` }));
        await transaction.send({ topic: prefix + topic, messages });
        sent.push(...messages.map(({ value }) => String(value)));
      }
      if (await end(transaction, random() >= 0.5)) committed.push(...sent);
    }
    await producer.disconnect();
    return committed;
  }

  function seeded(seed: number): () => number {
    let state = seed;
    return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  }

  test('interleaved aborted transactions are never delivered, whether read live, again or in a group', async () => {
    const live = log.reader([{ topic: 'mixed', partition: 0, offset: 0 }]);
    const lively: string[] = [];
    const reading = new AbortController();
    const following = (async () => {
      while (!reading.signal.aborted) lively.push(...values(await live.poll(1_000, 50)));
    })();
    const committed = (await Promise.all(['a', 'b', 'c', 'd'].map((id, i) => write('mixed', id, seeded(i + 1), null)))).flat().sort();
    const again = values(await readAll(log, 'mixed', (records) => records.length >= committed.length)).sort();
    expect(again).toEqual(committed);
    await expect.poll(() => [...lively].sort()).toEqual(committed);
    reading.abort();
    await following;
    await live.close();

    const grouped: string[] = [];
    const membership = log.own({ name: 'mixed', inputs: ['mixed'] }, async (lease) => {
      await lease.seek({});
      while (!lease.revoked.aborted) grouped.push(...values(await lease.poll(1_000, 50, new Set())));
    });
    await expect.poll(() => [...grouped].sort()).toEqual(committed);
    await membership.stop();
  });

  test('aborted keys of four zero bytes are no markers', async () => {
    const committed = await write('zeros', 'z', seeded(9), Buffer.alloc(4));
    expect(values(await readAll(log, 'zeros', (records) => records.length >= committed.length))).toEqual(committed);
  });

  describe('two owners of one task', () => {
    const group = { name: 'copier', inputs: ['in'], table: 'progress' };
    const out = (value: string): NewRecord => ({ topic: 'out', partition: 0, key: 'k', value: Buffer.from(value) });
    const row = (value: string): NewRecord => ({ topic: 'progress', partition: 0, key: '_progress', value: Buffer.from(value) });
    const client = kafkaClient({ brokers, clientId: 'owners', prefix, partitions: 12, replicationFactor: 1, stateDirectory: '', metrics: noMetrics, journal: silentJournal });

    /** A lease whose group is asleep: nobody tells its owner that the partition has moved. */
    function unwarned() {
      const connection = new Connection(client, prefix);
      const fetcher = new Fetcher(new Connection(client, prefix), { waitMs: 50, bytes: 1 << 20, partitionBytes: 1 << 20 }, silentJournal);
      const offsets = { stored: async () => undefined, store: async () => {} };
      const lease = openLease({ kafka: client, prefix, group, connection, fetcher, offsets, metrics: noMetrics, confirmedAfter: () => new Promise(() => {}) }, 0);
      const end = async () => {
        lease.revoke();
        lease.release();
        await Promise.all([connection.close(), fetcher.close()]);
      };
      return { lease, end };
    }

    test('a paused zombie that wakes cannot write', async () => {
      const [zombie, owner] = [unwarned(), unwarned()];
      await zombie.lease.fence();
      await zombie.lease.commit([out('1')], [row('1')]);
      await owner.lease.fence();
      await expect(zombie.lease.commit([out('2 of the zombie')], [row('2')])).rejects.toThrow(/not known whether/);
      await owner.lease.commit([out('2')], [row('2')]);
      await expect(zombie.lease.commit([out('3 of the zombie')], [row('3')])).rejects.toThrow(/must be fenced/);
      expect(values(await readAll(log, 'out', (records) => records.length >= 2))).toEqual(['1', '2']);
      await Promise.all([zombie.end(), owner.end()]);
    });

    test('what a zombie had sent before it froze is never committed, and the table ends where its next owner saw it end', async () => {
      const before = (await readAll(log, 'out', () => true)).length;
      const id = `${prefix}copier-0`;
      const zombie = kafka.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1, createPartitioner: Partitioners.DefaultPartitioner });
      await zombie.connect();
      const transaction = await zombie.transaction();
      await transaction.sendBatch({ topicMessages: ['out', 'progress'].map((topic) => ({ topic: prefix + topic, messages: [{ partition: 0, key: 'k', value: 'frozen' }] })) });

      const owner = unwarned();
      await owner.lease.fence();
      const { end } = await owner.lease.tableRange();
      const seen: string[] = [];
      await owner.lease.readTable(0, end, (rows) => seen.push(...values(rows)));
      expect(seen.at(-1)).toBe('2');
      await expect(transaction.commit()).rejects.toThrow(Error);
      await owner.lease.commit([out('after the freeze')], [row('4')]);
      expect(values(await readAll(log, 'out', (records) => records.length > before)).slice(before)).toEqual(['after the freeze']);
      await Promise.all([owner.end(), zombie.disconnect()]);
    });

    test('a fence does not wait for the time-out of the transaction it breaks', async () => {
      const id = `${prefix}patience-0`;
      const first = kafka.producer({ transactionalId: id, idempotent: true, maxInFlightRequests: 1, transactionTimeout: 120_000, createPartitioner: Partitioners.DefaultPartitioner });
      await first.connect();
      const open = await first.transaction();
      await open.send({ topic: `${prefix}cut`, messages: [{ partition: 0, key: 'k', value: 'never committed' }] });
      // Longer than a test may take.
      const second = await fencingProducer(client, prefix, id);
      await expect(open.commit()).rejects.toThrow(Error);
      await first.disconnect();
      second.drop();
    });
  });

  test('a commit larger than a batch is split and stays one transaction in order', async () => {
    const group = { name: 'large', inputs: ['in'], table: 'progress' };
    const before = (await log.ranges('cut'))[0]!.end;
    let done: (end: number) => void = () => {};
    const finished = new Promise<number>((resolve) => (done = resolve));
    const membership = log.own(group, async (lease) => {
      await lease.fence();
      const oversized: NewRecord = { topic: 'cut', partition: 0, key: 'k', value: Buffer.alloc(1_100_000) };
      await expect(lease.commit([oversized], [])).rejects.toThrow(RangeError);
      const rows = Array.from({ length: 3_000 }, (_, i): NewRecord => ({ topic: 'progress', partition: 0, key: `k${i}`, value: Buffer.alloc(1_000, 'x') }));
      done(await lease.commit(rows.map((row, i) => ({ ...row, topic: 'cut', value: Buffer.from(String(i)) })), rows));
    });
    const end = await Promise.race([finished, membership.failed]);
    const table = await readAll(log, 'progress', (records) => records.some(({ key }) => key === 'k2999'));
    expect(end).toBe(table.at(-1)!.offset + 1);
    expect(table.slice(-3_000).map(({ key }) => key)).toEqual(Array.from({ length: 3_000 }, (_, i) => `k${i}`));
    const cut = (await readAll(log, 'cut', (records) => records.some(({ value }) => String(value) === '2999'))).filter(({ offset }) => offset >= before);
    expect(values(cut)).toEqual(Array.from({ length: 3_000 }, (_, i) => String(i)));
    await membership.stop();
  });

  test('an offset that retention has dropped is a ConfigError, never a silent jump', async () => {
    await log.ensureTopics([topicOf('dropped')]);
    await log.append(Array.from({ length: 100 }, (_, i) => ({ topic: 'dropped', partition: 0, key: 'k', value: Buffer.from(String(i)) })));
    const admin = kafka.admin();
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [`${prefix}dropped`] });
    await admin.fetchTopicOffsets(`${prefix}dropped`); // deleteTopicRecords looks no leader up by itself
    await admin.deleteTopicRecords({ topic: `${prefix}dropped`, partitions: [{ partition: 0, offset: '50' }] });
    await admin.disconnect();
    const reader = log.reader([{ topic: 'dropped', partition: 0, offset: 10 }]);
    await expect(reader.poll(10, 40_000)).rejects.toThrow(ConfigError);
    await reader.close();
    let outcome: (value: unknown) => void = () => {};
    const sought = new Promise((resolve) => (outcome = resolve));
    const membership = log.own({ name: 'dropped', inputs: ['dropped'] }, async (lease) => {
      outcome(await lease.seek({ dropped: 10 }).catch((error: unknown) => error));
    });
    expect(await sought).toBeInstanceOf(ConfigError);
    await membership.stop();
  });
});
