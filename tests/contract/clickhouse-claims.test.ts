import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { packageRoot } from '../../schemas/files.js';
import { orders, sales } from '../../schemas/topics.js';
import type { OrderEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { MINUTE, NINE, orderEvent, orderLine } from '../support/events.js';
import { folderForTest } from '../support/folder.js';
import { blockOf, recordOf } from './clickhouse-records.js';

test('the pages\' question tells what of orders the shop has confirmed from what only a browser has claimed', async () => {
  const driver = new Driver([orderLedger()]);
  const say = (id: string, kind: OrderEvent['kind'], confirmed: boolean, units: number, later = 0): void =>
    driver.send(orders, id, orderEvent(kind, id, { confirmed, time: NINE + later, lines: [orderLine('TEA', units, 100_000n), orderLine('CUP', 1, 50_000n)] }));
  say('claimed', 'completed', false, 3);
  say('refunded', 'completed', false, 4);
  driver.send(orders, 'refunded', orderEvent('refunded', 'refunded', { time: NINE + MINUTE, lines: [orderLine('TEA', 1, 100_000n)] }));
  say('same', 'completed', false, 5);
  say('same', 'completed', true, 5, MINUTE);
  say('fewer', 'completed', false, 6);
  say('fewer', 'completed', true, 2, MINUTE);
  say('updated', 'completed', false, 7);
  say('updated', 'updated', true, 8, MINUTE);
  say('own', 'completed', true, 9);

  const directory = folderForTest();
  const sink = (await openChdb({ directory, shopTimeZone: 'UTC' }, { metrics: noMetrics, journal: silentJournal }))!;
  onTestFinished(() => sink.close());
  await sink.ensure();
  const { columns, lines } = blockOf(driver.read(sales).map((sale, offset) => recordOf(sales, offset, sale)));
  await sink.insert('sales', columns, lines, 'one');
  const page = readFileSync(join(packageRoot, 'docs', 'clickhouse.md'), 'utf8');
  const question = /sql "(SELECT order_id, [^"]+ AS unconfirmed, [^"]+)"/.exec(page)![1]!;
  expect(await sink.query(question)).toEqual([
    { order_id: 'claimed', units: 4, unconfirmed: 4, net: '35', unconfirmed_net: 35 },
    { order_id: 'refunded', units: 4, unconfirmed: 4, net: '35', unconfirmed_net: 35 },
  ]);
  expect(await sink.query('SELECT order_id, sum(quantity) AS units FROM sales GROUP BY order_id HAVING sum(claimed) = 0 ORDER BY order_id')).toEqual(
    [['fewer', 3], ['own', 10], ['same', 6], ['updated', 9]].map(([order_id, units]) => ({ order_id, units })));
});
