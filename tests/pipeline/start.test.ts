import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDoor } from '../../infra/embedded-log/door.js';
import { prometheusMetrics } from '../../infra/metrics/prometheus.js';
import { addressSentence, consoleSentence, demoConfig } from '../../pipeline/cli/start.js';
import { destinationOf } from '../../pipeline/cli/replay-destinations.js';
import { readConfig } from '../../pipeline/config.js';
import type { RowSink } from '../../pipeline/core/row-sink.js';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { startChild } from '../../pipeline/faults/child.js';
import { openEngine } from '../../pipeline/engine.js';
import { readinessOf } from '../../pipeline/http-doors.js';
import { ended, listen, startMillrace } from '../../pipeline/main.js';
import { entry } from '../faults/millrace-entry.js';
import { shopMade } from '../../pipeline/shop-of-log.js';
import { folderForTest } from '../support/folder.js';

test('a process that only scores is ready once it has caught up, one that only runs consumers once all have restored what they own; one that takes events is from the start', () => {
  let caughtUp = false;
  const atWork = new Set<string>();
  let failure: string | undefined;
  const consumers = ['shoppers', 'order-ledger'].map((name) => ({ name, isReady: () => atWork.has(name) }));
  const parts = { consumers, scorer: { isReady: () => caughtUp }, sql: null, log: 'embedded', logFailure: () => failure };
  const metrics = prometheusMetrics({ withProcess: false });
  const [scoring, all, collecting] = [readinessOf('scorer', parts, metrics), readinessOf('all', parts, metrics), readinessOf('collector', { ...parts, scorer: undefined }, metrics)];
  expect([scoring(), all(), collecting()]).toMatchObject([{ ready: false, parts: { scorer: false } }, { ready: true, parts: { scorer: false } }, { ready: true, parts: { scorer: null } }]);
  const consuming = readinessOf('consumers', { ...parts, scorer: undefined }, metrics);
  atWork.add('shoppers');
  expect([consuming(), all()]).toMatchObject([{ ready: false, parts: { restoring: ['order-ledger'] } }, { ready: true, parts: { restoring: ['order-ledger'] } }]);
  atWork.add('order-ledger');
  expect(consuming()).toMatchObject({ ready: true, parts: { restoring: [] } });
  caughtUp = true;
  expect(scoring()).toMatchObject({ ready: true, parts: { scorer: true, logFailure: null } });
  failure = 'The log cannot be written (ENOSPC: no space left on device)';
  expect(all()).toMatchObject({ ready: true, parts: { logFailure: failure } });
});

test('the demo has triggers within minutes, unless it is set otherwise', () => {
  expect(demoConfig({ DATA_DIR: 'd' })).toMatchObject({ CART_ABANDONED_AFTER_SECONDS: 20, BROWSE_ABANDONED_AFTER_SECONDS: 60, VIP_SPEND: 500, DATA_DIR: join('d', 'demo') });
  expect(demoConfig({ VIP_SPEND: '0', CART_ABANDONED_AFTER_SECONDS: '3600' })).toMatchObject({ CART_ABANDONED_AFTER_SECONDS: 3_600, BROWSE_ABANDONED_AFTER_SECONDS: 60, VIP_SPEND: 0 });
});

test('a start says who may open the console, and that nobody may where no admin token is set', () => {
  expect(consoleSentence(readConfig({ ADMIN_TOKENS: 'at_1' }))).toBe('The console there asks for one of ADMIN_TOKENS.');
  expect(consoleSentence(readConfig({}))).toContain('ADMIN_TOKENS is not set');
});

test('a start says where it listens: localhost alone is what it said where the whole network was let in', () => {
  const told = (host: string): string => addressSentence({ host, port: 80 });
  expect(told('0.0.0.0')).toBe('listens on http://localhost:80/ (0.0.0.0: every address of this machine; HOST names one)');
  expect([told('::'), told('127.0.0.1')]).toEqual([expect.stringContaining('every address'), expect.stringContaining('this machine alone')]);
  expect([told('192.0.2.7'), told('2001:db8::1')]).toEqual(['listens on http://192.0.2.7:80/', 'listens on http://[2001:db8::1]:80/']);
});

test('a HOST that is none of this machine, and a PORT that another process has or that this one may not take, are told by the name of the setting', async () => {
  const http = { listen: (port: number, host?: string) => new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject).listen(port, host, () => server.close(() => resolve(0)));
  }) };
  for (const host of ['no-such-host.invalid', '203.0.113.7']) await expect(listen(http, 0, host)).rejects.toThrow(ConfigError);
  const taken = createServer();
  const port = await new Promise<number>((resolve) => taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)));
  const error = await listen(http, port, '127.0.0.1').catch((reason: unknown) => reason);
  taken.close();
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ problems: [`PORT is ${port}, which another process has (EADDRINUSE at 127.0.0.1).`] });
  const refused = { listen: () => Promise.reject(Object.assign(new Error('listen EACCES'), { code: 'EACCES' })) };
  await expect(listen(refused, 80, '0.0.0.0')).rejects.toMatchObject({ problems: ['PORT is 80, which this process may not take (EACCES at 0.0.0.0).'] });
  const odd = Object.assign(new Error('listen EMFILE'), { code: 'EMFILE' });
  await expect(listen({ listen: () => Promise.reject(odd) }, 80, '0.0.0.0')).rejects.toBe(odd);
});

test('a start that failed says so, whatever hangs or fails while it is undone', async () => {
  let isClosed = false;
  const engine = { close: async () => { isClosed = true; } };
  await ended([{ stop: async () => {} }, { stop: () => Promise.reject(new Error('Kafka is gone.')) }], engine, 60_000);
  expect(isClosed).toBe(true);
  await ended([{ stop: () => new Promise(() => {}) }], engine, 10);
  await ended([], { close: () => Promise.reject(new Error('The disk is full.')) }, 60_000);
});

test('a signal ends a start that waits for its cluster: as a container\'s first process it hears only what it listens for', async () => {
  const broker = createServer();
  onTestFinished(() => void broker.close());
  const asked = once(broker, 'connection');
  const port = await new Promise<number>((resolve) => broker.listen(0, '127.0.0.1', () => resolve((broker.address() as AddressInfo).port)));
  const child = startChild({ entry, role: 'collector', environment: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', DATA_DIR: folderForTest(), WRITE_KEYS: 'wk_1', KAFKA_BROKERS: `127.0.0.1:${port}` } });
  onTestFinished(() => child.kill());
  const [socket] = (await asked) as [Socket];
  onTestFinished(() => void socket.destroy());
  expect(await child.stop(10_000)).toBe(0);
});

test('a HOST with a port or a blank is told with all other problems', () => {
  for (const host of ['127.0.0.1:8080', 'not a host', '-']) expect(() => readConfig({ HOST: host })).toThrow('HOST must be an address or a name');
  for (const host of ['127.0.0.1', '::1', '0.0.0.0', 'localhost', 'shop-1.example']) expect(readConfig({ HOST: host }).HOST).toBe(host);
});

test('a broker without its port, and a URL without http://, are told with all other problems', () => {
  for (const brokers of ['kafka-1', 'kafka-1:9092,kafka-2', 'kafka://kafka-1:9092', 'kafka-1:']) expect(() => readConfig({ KAFKA_BROKERS: brokers })).toThrow('KAFKA_BROKERS must be a list of host:port');
  expect(readConfig({ KAFKA_BROKERS: 'kafka-1:9092, 10.0.0.2:29092,' }).KAFKA_BROKERS).toEqual(['kafka-1:9092', '10.0.0.2:29092']);
  for (const name of ['CLICKHOUSE_URL', 'SCHEMA_REGISTRY_URL']) expect(() => readConfig({ [name]: 'localhost:8123', PORT: 'x' })).toThrow(new RegExp(`PORT must be [^]*${name} must be a URL that begins with http`));
  expect(readConfig({ SCHEMA_REGISTRY_URL: 'https://user:secret@registry/' }).SCHEMA_REGISTRY_URL).toBe('https://user:secret@registry/');
});

test('a list of nothing but commas is refused with all other problems, and not taken for none: any placement, no broker, no key', () => {
  const lists = ['PLACEMENTS', 'KAFKA_BROKERS', 'WRITE_KEYS', 'SERVER_KEYS', 'ADMIN_TOKENS', 'TRIGGER_TRANSACTIONAL_RULES', 'WEBHOOK_URLS', 'WEBHOOK_SECRETS'];
  for (const name of lists) expect(() => readConfig({ [name]: ' ,, ', SHOP_CURRENCY: 'euro' })).toThrow(new RegExp(`${name} has commas and nothing between them; leave it out for none\\.`));
  expect(() => readConfig({ PLACEMENTS: ',,', SHOP_CURRENCY: 'euro' })).toThrow('SHOP_CURRENCY must be');
  expect(readConfig({ PLACEMENTS: ' home, cart,' }).PLACEMENTS).toEqual(['home', 'cart']);
  expect(readConfig({ PLACEMENTS: '' }).PLACEMENTS).toEqual([]);
});

test('a secret for tokens is as long as the signature that it makes', () => {
  expect(() => readConfig({ SHOPPER_TOKEN_SECRET: 'short' })).toThrow('SHOPPER_TOKEN_SECRET must have 32 characters');
  expect(readConfig({ SHOPPER_TOKEN_SECRET: 'x'.repeat(32) }).SHOPPER_TOKEN_SECRET).toHaveLength(32);
});

test('a DATA_DIR that is a file, lies in one or can never be made is a fault of the configuration, told in one line and at once', async () => {
  const file = join(folderForTest(), 'file');
  writeFileSync(file, '');
  for (const directory of [file, join(file, 'below'), '/proc/millrace']) {
    const error = await openEngine({ config: readConfig({ DATA_DIR: directory }), metrics: noMetrics, journal: silentJournal }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toMatch(/^DATA_DIR is [^\n]+, where nothing can be written: [^\n]+\.$/);
  }
});

test('a log goes on in the currency and the days in which it was made: others are refused, whoever makes records', async () => {
  const directory = folderForTest();
  const configOf = (settings: object) => readConfig({ DATA_DIR: directory, SHOP_CURRENCY: 'INR', SHOP_TIMEZONE: 'Asia/Kolkata', ...settings });
  const open = (settings: object, makesRecords: boolean) => openEngine({ config: configOf(settings), metrics: noMetrics, journal: silentJournal, makesRecords });
  // A log of before nothing was noted takes what comes first, and the same zone has two names.
  for (const [settings, makesRecords] of [[{ SHOP_CURRENCY: 'EUR' }, false], [{}, true], [{ SHOP_TIMEZONE: 'Asia/Calcutta' }, true], [{ SHOP_CURRENCY: 'EUR' }, false]] as const) await (await open(settings, makesRecords)).close();
  const refused = [{ settings: { SHOP_CURRENCY: 'EUR' }, told: `SHOP_CURRENCY is EUR, and the log in ${directory} was made with INR` }, { settings: { SHOP_TIMEZONE: 'UTC' }, told: `SHOP_TIMEZONE is UTC, and the log in ${directory} was made with Asia/Kolkata` }];
  for (const { settings, told } of refused) {
    const start = startMillrace({ config: configOf(settings), role: 'all', demo: false, journal: silentJournal, withoutHttp: true });
    await expect(start).rejects.toMatchObject({ name: ConfigError.name, problems: [expect.stringContaining(told)] });
  }
  const running = await open({}, true);
  try {
    running.door!.answer('log', () => ({ partitions: 1, clock: 'wall' }));
    for (const { settings, told } of refused) await expect(destinationOf(configOf(settings), {}, 'file')).rejects.toThrow(told);
    expect(await destinationOf(configOf({}), {}, 'file')).toMatchObject({ clock: 'wall' });
    // What is replayed of dead letters is what the log would have taken then.
    expect([shopMade(directory, configOf({ SHOP_CURRENCY: 'EUR' })), shopMade(folderForTest(), configOf({ SHOP_CURRENCY: 'EUR' }))]).toMatchObject([{ currency: 'INR' }, { currency: 'EUR' }]);
  } finally {
    await running.close();
  }
});

test('on Kafka, too, a second process with the same DATA_DIR is refused at once, whether its broker answers or not', async () => {
  const directory = folderForTest();
  const first = await openDoor(directory);
  try {
    const config = readConfig({ DATA_DIR: directory, KAFKA_BROKERS: '127.0.0.1:1' });
    const second = startMillrace({ config, role: 'consumers', demo: false, journal: silentJournal });
    await expect(second).rejects.toThrow(ConfigError);
    await expect(second).rejects.toThrow(`Data directory ${directory} is in use by another process`);
  } finally {
    await first.close();
  }
});

test('a ClickHouse that is away keeps no process from starting; one that refuses the password does, as a fault of the configuration', async () => {
  const refusing = createHttpServer((_, response) => void response.writeHead(403, { 'X-ClickHouse-Exception-Code': '516' }).end('Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)')).listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  const directory = folderForTest();
  const sinkAt = async (port: number): Promise<RowSink | undefined> => {
    const engine = await openEngine({ config: readConfig({ DATA_DIR: directory, CLICKHOUSE_URL: `http://127.0.0.1:${port}` }), metrics: noMetrics, journal: silentJournal });
    return engine.openRowSink().finally(() => engine.close());
  };
  try {
    const waiting = await sinkAt(1);
    await expect(waiting!.ensure()).rejects.toThrow(Unavailable);
    await expect(sinkAt((refusing.address() as AddressInfo).port)).rejects.toThrow(ConfigError);
  } finally {
    refusing.close();
  }
});
