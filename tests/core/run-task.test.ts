import { expect, test, vi } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import { consumer, on } from '../../pipeline/core/consumer.js';
import { runTask } from '../../pipeline/core/run-task.js';
import { allTopics, clickstream, orders, sales, userProfiles } from '../../schemas/topics.js';
import { HOUR, NINE, orderEvent, orderLine, shopEvent } from '../support/events.js';
import { folderForTest } from '../support/folder.js';
import { everythingIn } from '../support/records.js';

test('a store that knows more rows than the log has is built again, and the log says that the log has lost its end', async () => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  await log.ensureTopics(allTopics);
  const ledger = orderLedger();
  const store = memoryStore();
  store.apply([{ key: 'O-1', value: Buffer.from('a row that was acknowledged') }], 40);
  const warn = vi.fn();
  const membership = runConsumer(ledger, { consumers: [ledger], learners: [], sinks: [], views: [] }, {
    log, openStore: () => store, metrics: noMetrics, journal: { ...silentJournal, warn }, learnSchemas: async () => {},
  });
  await expect.poll(() => store.get('O-1')).toBeUndefined();
  await membership.stop();
  await log.close();
  expect(warn.mock.calls).toEqual([[
    { table: 'order-ledger', partition: 0, position: 40, end: 0 },
    expect.stringMatching(/^The store of table order-ledger knows rows up to 40, the log only up to 0: the log has lost its end/),
  ]]);
});

test('commits that are too large for a slow log become smaller until they are taken, and nothing is missing', async () => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  await log.ensureTopics(allTopics);
  const ledger = orderLedger();
  const told = Array.from({ length: 600 }, (_, i) => ({ topic: orders.name, partition: 0, key: `O-${i}`, value: orders.codec.encode(orderEvent('completed', `O-${i}`, { userId: 'u1', lines: [orderLine('P1', 1, 100_000n)] })) }));
  await log.append(told);
  const refused: number[] = [];
  const membership = log.own({ name: ledger.name, inputs: [orders.name], table: ledger.table.name }, async (lease) => {
    const commit = lease.commit.bind(lease);
    vi.spyOn(lease, 'commit').mockImplementation(async (outputs, rows) => {
      if (rows.length <= 200) return commit(outputs, rows);
      refused.push(rows.length);
      throw new Unavailable('The transaction took too long.');
    });
    await runTask(lease, ledger, [], { log, openStore: memoryStore, metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
  });
  await expect.poll(async () => (await everythingIn(log, sales.name)).length, { timeout: 20_000 }).toBe(600);
  await membership.stop();
  await log.close();
  expect(refused.length).toBeGreaterThan(0);
});

test('timers of a pause that one tick makes due are committed a thousand at a time', async () => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  await log.ensureTopics(allTopics);
  let fired = 0;
  const reminders = consumer({
    name: 'reminders', table: userProfiles,
    inputs: [on(clickstream, ({ key, value }, ctx) => ctx.schedule('remember', key, value.time + HOUR))],
    timers: { remember: () => void fired++ },
  });
  const tick = (time: number) => ({ topic: clickstream.name, partition: 0, key: null, value: null, tick: { writer: 'source', time } });
  const views = Array.from({ length: 3_500 }, (_, i) => ({ topic: clickstream.name, partition: 0, key: `u${i}`, value: clickstream.codec.encode(shopEvent('Product Viewed', { userId: `u${i}` })) }));
  await log.append([tick(NINE), ...views, tick(NINE + 2 * HOUR)]);
  const commits: number[] = [];
  const membership = log.own({ name: reminders.name, inputs: [clickstream.name], table: reminders.table.name }, async (lease) => {
    const commit = lease.commit.bind(lease);
    vi.spyOn(lease, 'commit').mockImplementation((outputs, rows) => {
      commits.push(rows.length);
      return commit(outputs, rows);
    });
    await runTask(lease, reminders, [{ topic: clickstream.name, writers: ['source'] }], { log, openStore: memoryStore, metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
  });
  await expect.poll(() => fired, { timeout: 20_000 }).toBe(3_500);
  await membership.stop();
  await log.close();
  // With the row of the task's progress.
  expect(Math.max(...commits)).toBeLessThanOrEqual(1_001);
});
