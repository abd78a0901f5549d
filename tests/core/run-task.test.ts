import { EventEmitter, once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { consumer, on } from '../../pipeline/core/consumer.js';
import type { Log, NewRecord } from '../../pipeline/core/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { progressOf, progressOfRow } from '../../pipeline/core/progress.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { LostRecords, Unavailable } from '../../pipeline/core/errors.js';
import { runTask } from '../../pipeline/core/run-task.js';
import { allTopics, clickstream, orders, sales, userMerges, userProfiles } from '../../schemas/topics.js';
import { DAY, NINE, orderEvent, orderLine, shopEvent } from '../support/events.js';
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

test('thousands of timers of one tick are committed a thousand at a time, with turns for others in between, and the tick counts as read behind the last', async () => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'file' });
  await log.ensureTopics(allTopics);
  const shoppers = 5_000;
  const reminding = consumer({
    name: 'reminding', table: userProfiles,
    inputs: [on(clickstream, ({ key, value }, ctx) => ctx.schedule('due', key, value.time))],
    timers: { due: ({ key, due }, ctx) => {
      mostInATurn = Math.max(mostInATurn, ++sinceTurn);
      for (const until = performance.now() + 0.05; performance.now() < until;);
      ctx.emit(userMerges, key, { mergeId: 'm', from: key, to: key, time: due, erased: [], fromProven: true, toProven: true, forgotten: false });
    } },
  });
  const tickAt = (time: number): NewRecord => ({ topic: clickstream.name, partition: 0, key: null, value: null, tick: { writer: 'source', time } });
  await log.append([tickAt(NINE), ...Array.from({ length: shoppers }, (_, i) => ({ topic: clickstream.name, partition: 0, key: `u${i}`, value: clickstream.codec.encode(shopEvent('Product Viewed', { userId: `u${i}`, time: NINE + 1 })) })), tickAt(NINE + DAY)]);
  const store = memoryStore();
  const pieces: { readonly fired: number; readonly read: number }[] = [];
  let [sinceTurn, mostInATurn, isOver] = [0, 0, false];
  const others = (): void => {
    sinceTurn = 0;
    if (!isOver) setImmediate(others);
  };
  others();
  const membership = log.own({ name: reminding.name, inputs: [clickstream.name], table: userProfiles.name }, async (lease) => {
    const commit = lease.commit.bind(lease);
    vi.spyOn(lease, 'commit').mockImplementation(async (outputs, rows) => {
      pieces.push({ fired: outputs.length, read: progressOfRow(rows.at(-1)!.value!).offsets[clickstream.name]! });
      return commit(outputs, rows);
    });
    await runTask(lease, reminding, [{ topic: clickstream.name, writers: ['source'] }], { log, openStore: () => store, metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
  });
  await expect.poll(() => progressOf(store).time, { timeout: 20_000 }).toBe(NINE + DAY);
  isOver = true;
  await membership.stop();
  await log.close();
  const firing = pieces.filter(({ fired }) => fired > 0);
  expect(firing.reduce((sum, { fired }) => sum + fired, 0)).toBe(shoppers);
  expect(Math.max(...firing.map(({ fired }) => fired))).toBeLessThan(1_100);
  // Some ten of them take half a millisecond; all of one commit would take 50.
  expect(mostInATurn).toBeLessThan(500);
  expect(pieces.filter(({ read }) => read === shoppers + 2)).toHaveLength(1);
});

test('a consumer whose partition is taken away and given back while it is restored is not ready before it is restored', async () => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  await log.ensureTopics(allTopics);
  const revoking = new AbortController();
  const events = new EventEmitter();
  const own: Log['own'] = (group, owner) => log.own(group, async (lease) => {
    vi.spyOn(lease, 'fence').mockImplementation(async () => void (await once(events, 'fenced')));
    const before = new Proxy(lease, { get: (of, name) => {
      if (name === 'revoked') return revoking.signal;
      return name === 'fence' ? () => once(revoking.signal, 'abort') : Reflect.get(of, name, of);
    } });
    await owner(before);
    await owner(lease);
  });
  const ledger = orderLedger();
  const consumer = runConsumer(ledger, { consumers: [ledger], learners: [], sinks: [], views: [] }, { log: { ...log, own }, openStore: memoryStore, metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
  await turn();
  expect(consumer.isReady()).toBe(false);
  revoking.abort();
  await expect.poll(() => events.listenerCount('fenced')).toBe(1);
  expect(consumer.isReady()).toBe(false);
  events.emit('fenced');
  await expect.poll(() => consumer.isReady()).toBe(true);
  await consumer.stop();
  await log.close();
});

test.each([
  [true, /^O-2$/], [false, /lies outside the log.*\n.*docs\/runbook\.md#records-that-the-log-has-lost/],
])('what the log loses while a task runs is skipped or refused as at its start, with what to do: skipping %j', async (skipsLost, outcome) => {
  const log = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  await log.ensureTopics(allTopics);
  const ledger = orderLedger();
  await log.append(['O-1', 'O-2'].map((id) => ({ topic: orders.name, partition: 0, key: id, value: orders.codec.encode(orderEvent('completed', id, { userId: 'u1', lines: [orderLine('P1', 1, 100_000n)] })) })));
  const lost = new LostRecords([{ topic: orders.name, partition: 0, offset: 0, next: 1, problem: 'Offset 0 of orders, partition 0, lies outside the log.' }]);
  const membership = log.own({ name: ledger.name, inputs: [orders.name], table: ledger.table.name }, async (lease) => {
    const seek = lease.seek.bind(lease);
    vi.spyOn(lease, 'poll').mockRejectedValueOnce(lost);
    vi.spyOn(lease, 'seek').mockImplementationOnce(seek).mockRejectedValueOnce(lost);
    await runTask(lease, ledger, [], { log, openStore: memoryStore, metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {}, skipsLost });
  });
  let failure = '';
  membership.failed.catch((error: Error) => { failure = error.message; });
  const sold = async (): Promise<string> => (await everythingIn(log, sales.name)).map(({ value }) => sales.codec.decode(value).orderId).join();
  await expect.poll(async () => failure || sold()).toMatch(outcome);
  await membership.stop();
  await log.close();
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
