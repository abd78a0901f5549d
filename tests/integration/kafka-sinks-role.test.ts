import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startChild, type Child } from '../../pipeline/faults/child.js';
import type { Log } from '../../pipeline/core/log.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { allTopics, marketingTriggers } from '../../schemas/topics.js';
import { entry } from '../faults/millrace-entry.js';
import { trigger } from '../infra/webhook-world.js';
import { folderForTest } from '../support/folder.js';
import { describeWith } from '../support/services/describe-with.js';
import { Receiver, secret } from '../support/webhook-receiver.js';
import { installation } from './kafka-copier.js';

const PARTITIONS = 2;
const SOON = { timeout: 60_000, interval: 100 };

await describeWith(['kafka'], 'a process of the role sinks on Kafka', ({ kafka: { brokers } }) => {
  const keeping = <T extends { close(): Promise<unknown> }>(one: T): T => {
    onTestFinished(() => one.close().then(() => undefined));
    return one;
  };
  const sinksWith = (environment: NodeJS.ProcessEnv): Child => {
    const child = startChild({ entry, role: 'sinks', environment: { PATH: process.env['PATH'], HOME: process.env['HOME'], HOST: '127.0.0.1', PORT: '0', KAFKA_BROKERS: brokers.join(','), TOPIC_PARTITIONS: String(PARTITIONS), ...environment } });
    keeping({ close: () => child.kill() });
    return child;
  };
  const write = (log: Log, from: number, to: number) => log.append(Array.from({ length: to - from }, (_, i) => trigger(`t${from + i}`)).map((one) => (
    { topic: marketingTriggers.name, partition: partitionOf(one.shopper, PARTITIONS), key: one.shopper, value: marketingTriggers.codec.encode(one) })));

  test('without ClickHouse sends webhooks alone: it says so, makes no ClickHouse of its own, and goes on where it stood', async () => {
    const receiver = keeping(await new Receiver().listen());
    const here = keeping(installation(brokers, PARTITIONS));
    const { log } = await here.join();
    await log.ensureTopics(allTopics);
    const directory = folderForTest();
    const environment = { TOPIC_PREFIX: here.prefix, DATA_DIR: directory, ADMIN_TOKENS: 'at_1', WEBHOOK_URLS: receiver.url, WEBHOOK_SECRETS: secret };
    const child = sinksWith(environment);
    const end = await Promise.race([child.listening, child.gone]);
    expect(child.tail()).toContain('No CLICKHOUSE_URL: this process sends webhooks alone.');
    const url = `http://127.0.0.1:${end}`;
    const metrics = async (): Promise<string> => await (await fetch(`${url}/metrics`)).text();
    await expect.poll(async () => (await metrics()).match(/millrace_webhook_lag_records\{.*partition="\d"\}/g)?.length, SOON).toBe(PARTITIONS);
    await write(log, 0, 20);
    await expect.poll(() => new Set(receiver.ids).size, SOON).toBe(20);
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ ready: true, parts: { sql: null, stoppedSinks: [] } });
    const sql = await fetch(`${url}/v1/sql`, { method: 'POST', headers: { authorization: 'Bearer at_1' }, body: 'SELECT 1' });
    expect([sql.status, await sql.text()]).toEqual([404, expect.stringContaining('no ClickHouse at hand')]);
    expect(await metrics()).toMatch(/millrace_webhook_deliveries_total\{.*outcome="delivered"\} 20/);
    expect([await child.stop(30_000), existsSync(join(directory, 'clickhouse'))]).toEqual([0, false]);

    await write(log, 20, 25);
    const again = sinksWith(environment);
    await expect.poll(() => new Set(receiver.ids).size, SOON).toBe(25);
    expect(receiver.ids).toHaveLength(25);
    expect(await again.stop(30_000)).toBe(0);
  }, 180_000);

  test('that would have nothing to do is refused', async () => {
    const child = sinksWith({ DATA_DIR: folderForTest() });
    expect([await child.gone, child.tail()]).toEqual([78, '--role sinks needs CLICKHOUSE_URL, WEBHOOK_URLS or both.']);
  });
});
