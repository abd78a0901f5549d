import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openEmbeddedLog, type EmbeddedLog } from '../../infra/embedded-log/log.js';
import { exportEvents } from '../../pipeline/export-events.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { keyOf } from '../../producers/collect.js';
import { formats } from '../../producers/formats/index.js';
import { fileText } from '../../producers/formats/format.js';
import { allTopics, clickstream, erasures, orders, type Topic } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { MINUTE, NINE, orderEvent, orderLine, shopEvent } from '../support/events.js';
import { folderForTest } from '../support/folder.js';

const PARTITIONS = 3;

async function shop(): Promise<{ log: EmbeddedLog; folder: string; tell<T>(topic: Topic<T>, key: string, value: T): Promise<void>; export(name: string): ReturnType<typeof exportEvents> }> {
  const folder = folderForTest();
  const log = await openEmbeddedLog({ directory: folder, clock: 'wall', partitions: PARTITIONS });
  onTestFinished(() => log.close());
  await log.ensureTopics(allTopics);
  return {
    log, folder,
    tell: async (topic, key, value) => void (await log.append([{ topic: topic.name, partition: partitionOf(key, PARTITIONS), key, value: topic.codec.encode(value) }])),
    export: (name) => exportEvents({ log, snapshotPlace: { directory: folder, log: 'l' }, learnSchemas: () => Promise.resolve() }, join(folder, name)),
  };
}

async function read(path: string): Promise<{ key: string; value: ShopEvent }[]> {
  const { records, summary } = formats['millrace-ndjson'](fileText(path), { source: 's', receivedAt: NINE, shop: { currency: 'EUR', timezone: 'UTC' } });
  const found: { key: string; value: ShopEvent }[] = [];
  for await (const some of records) for (const { key, value } of some) found.push({ key, value: value as ShopEvent });
  expect(summary.refused).toBe(0);
  return found;
}

test('who used the device of somebody who was erased keeps their visit there, under their own name', async () => {
  const { tell, folder, ...own } = await shop();
  const event = shopEvent('Product Viewed', { anonymousId: 'a', userId: 'u1', time: NINE, login: { messageId: 'm', time: NINE - MINUTE, claim: { provenUser: 'u1' } } });
  await tell(clickstream, keyOf(event), event);
  await tell(erasures, 'u2', { ids: ['u2', 'a'], orderId: null, time: NINE });
  expect(await own.export('shop')).toMatchObject({ events: 1, erased: 0 });
  expect(await read(join(folder, 'shop'))).toMatchObject([{ key: 'u1', value: { userId: 'u1', anonymousId: null } }]);
});

test('of a cluster, whose hosts\' clocks may differ, an order that seems to be written a moment after an erasure is nobody\'s', async () => {
  const { log, tell, folder } = await shop();
  await tell(erasures, 'u1', { ids: ['u1'], orderId: null, time: NINE });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await tell(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', lines: [orderLine('P1', 1, 10_000n)], time: NINE }));
  const told: unknown[] = [];
  for (const engine of ['embedded', 'kafka'] as const) {
    await exportEvents({ log: { ...log, engine }, snapshotPlace: { directory: folder, log: 'l' }, learnSchemas: () => Promise.resolve() }, join(folder, engine));
    told.push(...(await read(join(folder, engine))).map(({ value }) => value.userId));
  }
  expect(told).toEqual(['u1', null]);
});

test('a file that exists stays, whatever becomes of the export', async () => {
  const { log, folder } = await shop();
  const path = join(folder, 'mine');
  writeFileSync(path, 'earlier');
  const broken = { log: { ...log, ranges: () => Promise.reject(new Error('The log is gone.')) }, snapshotPlace: { directory: folder, log: 'l' }, learnSchemas: () => Promise.resolve() };
  await expect(exportEvents(broken, path)).rejects.toThrow(`${path} exists`);
  expect(readFileSync(path, 'utf8')).toBe('earlier');
  await expect(exportEvents(broken, join(folder, 'half'))).rejects.toThrow('The log is gone.');
  expect(existsSync(join(folder, 'half'))).toBe(false);
});

test('a line that is no record of its topic names what is wrong in it, by a path that can be followed', async () => {
  const lines = [{ topic: 'orders' }, { topic: 'orders', value: null }, { topic: 'catalog', value: { sku: 7 } }].map((line) => JSON.stringify(line));
  const { records, summary } = formats['millrace-ndjson']((async function* () { yield lines.join('\n'); })(), { source: 's', receivedAt: NINE, shop: { currency: 'EUR', timezone: 'UTC' } });
  for await (const some of records) expect(some).toEqual([]);
  expect(summary.examples.map(({ errors }) => errors[0])).toEqual([
    { path: 'value', code: 'wrong_type', message: 'This is not what the schema OrderEvent has here.' },
    { path: 'value', code: 'wrong_type', message: 'This is not what the schema OrderEvent has here.' },
    { path: 'value.sku', code: 'wrong_type', message: 'This is not what the schema CatalogChange has here.' },
  ]);
});
