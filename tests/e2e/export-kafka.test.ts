import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openKafkaLog } from '../../infra/kafka-log/index.js';
import { exportCommand } from '../../pipeline/cli/export.js';
import { replayCommand } from '../../pipeline/cli/replay.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { clickstream } from '../../schemas/topics.js';
import { said } from '../support/command.js';
import { shopEvent } from '../support/events.js';
import { describeWith } from '../support/services/describe-with.js';

const EVENTS = 2_400;
const SHOPPERS = 60;

await describeWith(['kafka'], 'an export from a cluster', ({ kafka: { brokers } }) => {
  const on = said();
  const kafka = new Kafka({ clientId: 'export', brokers, logLevel: logLevel.NOTHING });

  /** An installation of its own: a prefix and a data directory. */
  function installation(): string {
    const prefix = `export-${randomBytes(4).toString('hex')}-`;
    for (const [name, value] of Object.entries({ KAFKA_BROKERS: brokers.join(','), TOPIC_PREFIX: prefix, TOPIC_PARTITIONS: '12', DATA_DIR: join(on.folder, prefix) })) vi.stubEnv(name, value);
    return prefix;
  }
  const replay = (file: string, format: string): Promise<unknown> => replayCommand().parseAsync([file, '--format', format, '--speed', 'max'], { from: 'user' });
  const exported = async (name: string): Promise<{ report: { events: number; erased: number; unreadable: number; since: string }; lines: string[] }> => {
    on.out = '';
    await exportCommand().parseAsync(['events', '--out', join(on.folder, name), '--json'], { from: 'user' });
    return { report: JSON.parse(on.out) as never, lines: readFileSync(join(on.folder, name), 'utf8').trimEnd().split('\n') };
  };
  interface Line { topic: string; value: { messageId: string; anonymousId: string; restored: { name: string; ordinal: number } } }
  const told = (lines: readonly string[]): Line['value'][] => lines.map((line) => (JSON.parse(line) as Line).value);

  test('holds every event once, each shopper\'s in their order, though the log goes on and partitions end with markers of transactions; read into another cluster it is the same', { timeout: 120_000 }, async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    const prefix = installation();
    const line = (n: number): string => JSON.stringify({ type: 'track', anonymousId: `a${n % SHOPPERS}`, event: 'Product Viewed', messageId: `m${String(n).padStart(5, '0')}`, timestamp: new Date(1_780_000_000_000 + n * 1_000).toISOString(), properties: { product_id: 'P1' } });
    await replay(on.file('views.ndjson', Array.from({ length: EVENTS }, (_, n) => line(n)).join('\n')), 'segment-ndjson');
    // As tasks that forward a misplaced record do: what is aborted was never there, and its marker is the last offset.
    const aborting = kafka.producer({ transactionalId: `${prefix}aborts`, idempotent: true, maxInFlightRequests: 1, createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 20 } });
    await aborting.connect();
    const transaction = await aborting.transaction();
    for (let partition = 0; partition < 12; partition += 2) await transaction.send({ topic: `${prefix}clickstream`, messages: [{ partition, key: 'a', value: 'never' }] });
    await transaction.abort();
    // And a log that is written to goes on.
    const log = await openKafkaLog({ brokers, clientId: 'export', prefix, partitions: 12, replicationFactor: 1, stateDirectory: on.folder, metrics: noMetrics, journal: silentJournal });
    const ticking = setInterval(() => void log.append(Array.from({ length: 12 }, (_, partition) => ({ topic: 'clickstream', partition, key: null, value: null, tick: { writer: 'source', time: Date.now() } }))), 200);
    const { report, lines } = await exported('shop.ndjson').finally(() => clearInterval(ticking));
    await Promise.all([log.close(), aborting.disconnect()]);

    expect(report).toMatchObject({ events: EVENTS, erased: 0, unreadable: 0 });
    const values = told(lines);
    expect(values.map(({ messageId }) => messageId).sort()).toEqual(Array.from({ length: EVENTS }, (_, n) => `m${String(n).padStart(5, '0')}`));
    for (let shopper = 0; shopper < SHOPPERS; shopper++) {
      const theirs = values.filter(({ anonymousId }) => anonymousId === `a${shopper}`).map(({ messageId }) => messageId);
      expect(theirs).toEqual([...theirs].sort());
    }

    installation();
    await replay(join(on.folder, 'shop.ndjson'), 'millrace-ndjson');
    const again = await exported('again.ndjson');
    // A batch that a busy broker did not take whole is sent again; consumers know its lines by their place.
    expect([...new Set(again.lines)].sort()).toEqual([...lines].sort());
  });

  test('holds what lies in partitions that somebody has added, on which no process starts', { timeout: 120_000 }, async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    const prefix = installation();
    await replay(on.file('one.ndjson', JSON.stringify({ type: 'track', anonymousId: 'a1', event: 'Product Viewed', messageId: 'm1', timestamp: '2026-06-01T00:00:00Z', properties: { product_id: 'P1' } })), 'segment-ndjson');
    const [admin, producer] = [kafka.admin(), kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, retry: { retries: 20 } })];
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createPartitions({ topicPartitions: [{ topic: `${prefix}clickstream`, count: 13 }] });
    // A broker hears of them a moment later, and kafkajs drops what is for partitions that it does not know.
    await expect.poll(async () => (await admin.fetchTopicMetadata({ topics: [`${prefix}clickstream`] })).topics[0]!.partitions.length).toBe(13);
    await producer.send({ topic: `${prefix}clickstream`, messages: [{ partition: 12, key: 'u2', value: clickstream.codec.encode(shopEvent('Product Viewed', { messageId: 'm2', userId: 'u2' })) }] });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    const { report, lines } = await exported('added.ndjson');
    expect(report).toMatchObject({ events: 2, unreadable: 0 });
    expect(told(lines).map(({ messageId }) => messageId).sort()).toEqual(['m1', 'm2']);
  });
});
