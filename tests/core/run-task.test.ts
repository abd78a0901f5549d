import { expect, test, vi } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openEmbeddedLog } from '../../infra/embedded-log/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { runConsumer } from '../../pipeline/core/runner.js';
import { allTopics } from '../../schemas/topics.js';
import { folderForTest } from '../support/folder.js';

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
