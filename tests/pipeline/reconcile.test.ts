import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openEmbeddedLog, type EmbeddedLog } from '../../infra/embedded-log/log.js';
import type { RowSink } from '../../pipeline/core/row-sink.js';
import { reconcile } from '../../pipeline/reconcile.js';
import { MAX_MONEY } from '../../schemas/money.js';
import { allTopics, sales } from '../../schemas/topics.js';
import { sale } from '../contract/clickhouse-records.js';
import { folderForTest, folderForTests } from '../support/folder.js';

const directory = folderForTests();
const value = (amount: bigint): Buffer => sales.codec.encode(sale({ amount }));
let log: EmbeddedLog;
beforeAll(async () => {
  log = await openEmbeddedLog({ directory, clock: 'wall' });
  await log.ensureTopics(allTopics);
  await log.append([value(100_000n), value(25_000n), value(-5_000n), Buffer.from([9, 9])].map((bytes) => ({ topic: sales.name, partition: 0, key: 'P1', value: bytes })));
});
afterAll(() => log.close());

/** A ClickHouse whose table sales answers this, and whose other tables are empty. */
const holding = (answer: { rows: number; distinct: number; sum: string }): RowSink => {
  const unused = () => Promise.reject(new Error('Nobody asks this.'));
  return {
    engine: 'clickhouse', ensure: unused, tableId: unused, insert: unused, countRows: unused, erase: unused, close: unused, look: unused,
    lastOffset: async () => Number.MAX_SAFE_INTEGER,
    query: async (sql) => [sql.includes('FROM sales') ? answer : { rows: 0, distinct: 0, sum: '0' }],
  };
};
const ofSales = async (sink: RowSink, of: EmbeddedLog = log) => (await reconcile(of, sink)).find(({ table }) => table === 'sales');

test('equal is what has a row for each record that can be read, and the same sum to the last place', async () => {
  const compared = await reconcile(log, holding({ rows: 3, distinct: 3, sum: '12' }));
  expect(compared.every(({ equal }) => equal)).toBe(true);
  expect(compared.find(({ table }) => table === 'sales')).toMatchObject({ records: 3, rows: 3, missing: 0, doubled: 0, logged: '12.00', stored: '12.00' });
});

test('a missing row, a doubled row and a changed amount are told apart', async () => {
  expect(await ofSales(holding({ rows: 2, distinct: 2, sum: '12.5' }))).toMatchObject({ equal: false, missing: 1, doubled: 0, stored: '12.50' });
  expect(await ofSales(holding({ rows: 4, distinct: 3, sum: '12' }))).toMatchObject({ equal: false, missing: 0, doubled: 1 });
  expect(await ofSales(holding({ rows: 3, distinct: 3, sum: '12.0001' }))).toMatchObject({ equal: false, missing: 0, doubled: 0, stored: '12.0001' });
});

test('sums may be larger than an amount may be', async () => {
  const large = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
  onTestFinished(() => large.close());
  await large.ensureTopics(allTopics);
  await large.append([MAX_MONEY, MAX_MONEY, -5_000n].map((amount) => ({ topic: sales.name, partition: 0, key: 'P1', value: value(amount) })));
  expect(await ofSales(holding({ rows: 3, distinct: 3, sum: '199999999999999.4998' }), large)).toMatchObject({ equal: true, stored: '199999999999999.4998' });
  expect(await ofSales(holding({ rows: 3, distinct: 3, sum: '-0.5' }), large)).toMatchObject({ equal: false, stored: '-0.50' });
});
