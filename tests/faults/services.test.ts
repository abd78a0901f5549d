import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startClickHouse } from '../support/services/clickhouse.js';
import { describeWith } from '../support/services/describe-with.js';
import { startKafka } from '../support/services/kafka.js';
import { startSecureKafka } from '../support/services/kafka-secure.js';
import { faultyProxy } from '../support/services/proxy.js';
import type { ChildProcess } from 'node:child_process';
import type { RunningClickHouse } from '../support/services/clickhouse.js';
import type { RunningKafka } from '../support/services/kafka.js';
import type { RunningSecureKafka } from '../support/services/kafka-secure.js';

// Brokers and whole test runs are started here, on machines that are busy with the rest of the suite.
vi.setConfig({ testTimeout: 120_000 });

await describeWith(['kafka'], 'a broker of one’s own', () => {
  let broker: RunningKafka;
  beforeAll(async () => {
    broker = given(await startKafka());
  });
  afterAll(() => broker.stop());

  test('keeps acknowledged records through kill -9, at the same address', async () => {
    const kafka = new Kafka({ clientId: 'kill', brokers: broker.brokers, logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept' }], waitForLeaders: true });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: 'kept', acks: -1, messages: Array.from({ length: 100 }, (_, i) => ({ value: String(i) })) });
    await Promise.all([producer.disconnect(), admin.disconnect()]);

    await broker.kill();
    await broker.restart();

    await admin.connect();
    expect(await admin.fetchTopicOffsets('kept')).toMatchObject([{ partition: 0, high: '100' }]);
    await admin.disconnect();
  });
});

await describeWith(['kafka'], 'a broker with TLS and SASL', () => {
  let broker: RunningSecureKafka;
  beforeAll(async () => {
    broker = given(await startSecureKafka());
  });
  afterAll(() => broker.stop());

  const connecting = async (ca: string | undefined, password: string) => {
    const { brokers, username } = broker.secure;
    const ssl = ca === undefined ? {} : { ssl: { ca: [ca] } };
    const kafka = new Kafka({ brokers, ...ssl, sasl: { mechanism: 'plain', username, password }, logLevel: logLevel.NOTHING, retry: { retries: 0 } });
    const admin = kafka.admin();
    await admin.connect().finally(() => admin.disconnect());
  };

  test('lets in whoever trusts its certificate and knows the password, and nobody else', async () => {
    await expect(connecting(broker.secure.ca, broker.secure.password)).resolves.toBeUndefined();
    await expect(connecting(broker.secure.ca, 'guessed')).rejects.toThrow(/authentication/i);
    await expect(connecting(undefined, broker.secure.password)).rejects.toThrow(Error);
  });
});

await describeWith(['clickhouse'], 'a ClickHouse of one’s own', () => {
  let server: RunningClickHouse;
  beforeAll(async () => {
    server = given(await startClickHouse());
    const client = createClient({ url: server.url });
    await client.command({ query: 'CREATE DATABASE faults ENGINE = Atomic' });
    await client.command({ query: 'CREATE TABLE faults.numbers (n UInt64) ENGINE = MergeTree ORDER BY n' });
    await client.close();
  });
  afterAll(() => server.stop());

  test('keeps its rows through an outage and refuses connections meanwhile', async () => {
    const client = createClient({ url: server.url, log: quiet });
    await client.insert({ table: 'faults.numbers', values: [{ n: 1 }, { n: 2 }], format: 'JSONEachRow' });
    const before = await count(server.url);
    await server.kill();
    await expect(client.query({ query: 'SELECT 1' })).rejects.toThrow(/ECONNREFUSED|socket hang up/);
    await server.restart();
    expect(await count(server.url)).toBe(before);
    await client.close();
  });

  test('behind the proxy takes an insert whose answer is lost', async () => {
    const proxy = await faultyProxy(server.url);
    const client = createClient({ url: proxy.url, log: quiet });
    const before = await count(proxy.url);
    proxy.loseAnswers(1);
    await expect(client.insert({ table: 'faults.numbers', values: [{ n: 3 }], format: 'JSONEachRow' })).rejects.toThrow(/ECONNRESET|socket hang up/);
    expect(await count(proxy.url)).toBe(before + 1);
    await client.close();
    await proxy.stop();
  });
});

describe('a worker that is killed without warning', () => {
  test('takes the services that it started along, data included', async () => {
    const { child: run } = vitestRun(['killed'], { MILLRACE_KILL_THIS_WORKER: '1' });
    const line = await new Promise<string>((resolve) => run.stderr?.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    const { worker, child, directory }: { worker: number; child: number; directory: string } = JSON.parse(line);
    expect(alive(child) && existsSync(directory)).toBe(true);
    process.kill(worker, 'SIGKILL');
    await expect.poll(() => alive(child) || existsSync(directory)).toBe(false);
    run.kill('SIGKILL');
  });
});

describe('a run on a machine where Kafka cannot be had', () => {
  // A cache that cannot be created stands for a machine without network.
  const nowhere = { MILLRACE_CACHE: '/dev/null/cache', DOCKER_HOST: 'tcp://127.0.0.1:1', CI: '', KAFKA_BROKERS: '' };

  test('skips the suite and says why', async () => {
    const { code, output } = await vitestRun(['needs-kafka'], nowhere).ended;
    expect(output).toMatch(/NOT TESTED: Kafka is not available: .*\/dev\/null/);
    expect(output).toContain('1 skipped');
    expect(code).toBe(0);
  });

  test('fails in CI', async () => {
    const { code, output } = await vitestRun(['needs-kafka'], { ...nowhere, CI: 'true' }).ended;
    expect(output).toMatch(/Kafka is not available: .*\/dev\/null/);
    expect(code).toBe(1);
  });

  test('fails when it was told an address that does not answer', async () => {
    const { code, output } = await vitestRun(['needs-kafka'], { ...nowhere, KAFKA_BROKERS: '127.0.0.1:1' }).ended;
    expect(output).toContain('Kafka at KAFKA_BROKERS is not available');
    expect(code).toBe(1);
  });
});

const quiet = { level: ClickHouseLogLevel.OFF };

function given<S extends object>(service: S | { unavailable: string }): S {
  if ('unavailable' in service) throw new Error(String(service.unavailable));
  return service;
}

async function count(url: string): Promise<number> {
  const answer = await fetch(`${url}/?query=${encodeURIComponent('SELECT count() FROM faults.numbers')}`);
  return Number(await answer.text());
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function vitestRun(files: string[], env: NodeJS.ProcessEnv): { child: ChildProcess; ended: Promise<{ code: number; output: string }> } {
  const config = path.join(import.meta.dirname, '../support/services/fixture/vitest.config.ts');
  const args = [path.resolve('node_modules/vitest/vitest.mjs'), 'run', '--config', config, ...files];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, output }))) };
}
