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

test('an order that a page has claimed for one day and the shop reports of another is an order of that day alone, under the source that told of it first', async () => {
  const driver = new Driver([orderLedger()]);
  const LATE = NINE + 15 * 60 * MINUTE - 1;
  const say = (id: string, kind: OrderEvent['kind'], confirmed: boolean, units: number, time: number, more: Partial<OrderEvent> = {}): void =>
    driver.send(orders, id, orderEvent(kind, id, { confirmed, time, lines: [orderLine('TEA', units, 100_000n), orderLine('CUP', 1, 50_000n)], ...more }));
  say('moved', 'completed', false, 3, LATE);
  say('moved', 'completed', true, 2, LATE + MINUTE);
  say('returned', 'completed', false, 1, LATE);
  say('returned', 'refunded', true, 1, LATE);
  say('returned', 'completed', true, 2, LATE + MINUTE, { source: { name: 'file', ordinal: 0 } });
  say('corrected', 'completed', false, 3, LATE);
  say('corrected', 'completed', true, 2, LATE - MINUTE);
  say('updated', 'completed', false, 3, LATE);
  say('updated', 'updated', true, 2, LATE + MINUTE);
  say('confirmed', 'completed', false, 3, LATE);
  say('confirmed', 'completed', true, 3, LATE + MINUTE);
  say('claimed', 'completed', false, 3, LATE);
  say('own', 'completed', true, 3, LATE);
  // A topic may say so: of what was sold a part is given back at once.
  say('odd', 'completed', true, 3, LATE, { lines: [orderLine('TEA', 3, 100_000n), orderLine('CUP', -1, 50_000n)] });

  const directory = folderForTest();
  const sink = (await openChdb({ directory, shopTimeZone: 'UTC' }, { metrics: noMetrics, journal: silentJournal }))!;
  onTestFinished(() => sink.close());
  await sink.ensure();
  // In blocks of two: an order's rows come in several, and what takes a claim back in one of its own.
  const records = driver.read(sales).map((sale, offset) => recordOf(sales, offset, sale));
  for (let at = 0; at < records.length; at += 2) {
    const { columns, lines } = blockOf(records.slice(at, at + 2));
    await sink.insert('sales', columns, lines, `block ${at}`);
  }
  expect(await sink.query('SELECT day, source, orders, net FROM revenue_by_shop_day ORDER BY day')).toEqual([
    { day: '2026-03-02', source: '', orders: '6', net: '180' }, { day: '2026-03-03', source: '', orders: '2', net: '35' },
  ]);
});
