import { expect, onTestFinished, test } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { orders, sales } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { MINUTE, NINE, orderEvent, orderLine } from '../support/events.js';
import { folderForTest } from '../support/folder.js';
import { blockOf, recordOf } from './clickhouse-records.js';

test('an order that is updated to another currency leaves nothing behind in the old one, and is an order of the new one', async () => {
  const driver = new Driver([orderLedger()]);
  let minutes = 0;
  const say = (id: string, kind: 'completed' | 'updated' | 'refunded', currency: string, units: number, price: bigint): void => {
    driver.send(orders, id, orderEvent(kind, id, { currency, messageId: `m${minutes}`, time: NINE + minutes++ * MINUTE, lines: [orderLine('TEA', units, price)] }));
  };
  say('kept', 'completed', 'EUR', 1, 100_000n);
  say('moved', 'completed', 'EUR', 2, 100_000n);
  say('moved', 'updated', 'USD', 2, 120_000n);
  say('back', 'completed', 'EUR', 1, 50_000n);
  say('back', 'updated', 'USD', 1, 60_000n);
  say('back', 'updated', 'EUR', 1, 50_000n);
  // One of three came back while the order was in EUR, and one afterwards.
  say('returned', 'completed', 'EUR', 3, 100_000n);
  say('returned', 'refunded', 'EUR', 1, 100_000n);
  say('returned', 'updated', 'USD', 3, 120_000n);
  say('returned', 'refunded', 'USD', 1, 120_000n);

  const sink = (await openChdb({ directory: folderForTest(), shopTimeZone: 'UTC' }, { metrics: noMetrics, journal: silentJournal }))!;
  onTestFinished(() => sink.close());
  await sink.ensure();
  const { columns, lines } = blockOf(driver.read(sales).map((sale, offset) => recordOf(sales, offset, sale)));
  await sink.insert('sales', columns, lines, 'one');
  const day = { day: '2026-03-02', source: '', adjusted: '0', claimed: 0 };
  expect(await sink.query('SELECT * FROM revenue_by_shop_day ORDER BY currency')).toEqual([
    { ...day, currency: 'EUR', gross: '25', refunded: '10', net: '15', units_sold: 3, units: 2, orders: '3' },
    { ...day, currency: 'USD', gross: '48', refunded: '12', net: '36', units_sold: 4, units: 3, orders: '2' },
  ]);
});
