import { expect, test, vi } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import { runTask } from '../../pipeline/core/run-task.js';
import { allTopics, orders, sales } from '../../schemas/topics.js';
import { orderEvent, orderLine } from '../support/events.js';
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
