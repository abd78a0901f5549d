import { expect, onTestFinished, test } from 'vitest';
import { replayed } from '../../consumers/demand/publication.js';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { itemWatch } from '../../consumers/item-watch.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import type { Row, RowSink } from '../../pipeline/core/row-sink.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { forecasts, inventory, orders, sales } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, orderEvent, orderLine, stock } from '../support/events.js';
import { blockOf, recordOf } from './clickhouse-records.js';
import { folderForTest } from '../support/folder.js';

const ZONE = 'Europe/Berlin';
/** Local days: the clocks go forward on the 29th. */
const FIRST = Date.UTC(2026, 2, 1) / DAY;
const LAST = Date.UTC(2026, 3, 20) / DAY;
const days = shopDays(ZONE);
/** Two of TEA and three of CUP are sold each day at ten. TEA is gone from the 28th at six in the evening until noon of the 31st, CUP since April 17th. */
function live(driver: Driver): void {
  const order = (sku: string, units: number, time: number): void =>
    driver.send(orders, `${sku}-${time}`, orderEvent('completed', `${sku}-${time}`, { messageId: `${sku}-${time}`, time, lines: [orderLine(sku, units, 10_000n)] }));
  const inventories: readonly (readonly [date: number, hour: number, sku: string, units: number])[] =
    [[1, 0, 'TEA', 1_000], [1, 0, 'CUP', 1_000], [28, 18, 'TEA', 0], [31, 12, 'TEA', 1_000], [48, 0, 'CUP', 0]];
  for (let date = 1; FIRST + date - 1 <= LAST; date++) {
    const start = days.startOf(FIRST + date - 1);
    for (let time = start; time < days.startOf(FIRST + date); time += HOUR) {
      const hour = new Date(time + days.offsetAt(time)).getUTCHours();
      driver.tick(time);
      for (const [, , sku, units] of inventories.filter(([on, at]) => on === date && at === hour)) driver.send(inventory, sku, stock(sku, units, time));
      if (hour === 10 && (date < 29 || date > 31)) order('TEA', 2, time);
      if (hour === 10 && date < 48) order('CUP', 3, time);
    }
  }
}

async function analysed(driver: Driver): Promise<RowSink> {
  const directory = folderForTest();
  const sink = (await openChdb({ directory, shopTimeZone: ZONE }, { metrics: noMetrics, journal: silentJournal }))!;
  onTestFinished(() => sink.close());
  await sink.ensure();
  const forecast = blockOf(driver.read(forecasts).map((value, offset) => recordOf(forecasts, offset, value)));
  const sold = blockOf(driver.read(sales).map((value, offset) => recordOf(sales, offset, value)));
  await sink.insert('forecasts', forecast.columns, forecast.lines, 'forecasts');
  await sink.insert('sales', sold.columns, sold.lines, 'sales');
  return sink;
}

test('what the inventory of a replayed file told is known day by day, and days without stock judge no forecast; the file a second time changes nothing', async () => {
  const driver = new Driver([orderLedger(), itemWatch(), demandForecasts({ days, publication: replayed(days) })], { clock: 'file' });
  live(driver);
  const before = driver.read(sales).length;
  live(driver);
  expect(driver.read(sales)).toHaveLength(before);
  const sink = await analysed(driver);
  const ask = async (sql: string): Promise<readonly Row[]> => sink.query(sql);
  const out = (sku: string, day: string, on_sale: number) => ({ sku, day, on_sale });
  // A quarter of the 28th was left at six, half of the 31st at noon. CUP was gone before the doors opened, and nothing was told of it since.
  expect(await ask(`SELECT sku, day, on_sale FROM short_days WHERE day <= (SELECT toDate32(max(time), '${ZONE}') FROM sales) ORDER BY sku DESC, day`)).toEqual([
    out('TEA', '2026-03-28', 0.75), out('TEA', '2026-03-29', 0), out('TEA', '2026-03-30', 0), out('TEA', '2026-03-31', 0.5),
    ...['17', '18', '19', '20'].map((day) => out('CUP', `2026-04-${day}`, 0)),
  ]);
  const counted = (day: string, skus: number, short_skus: number, actual_units: number) => ({ day, skus: String(skus), short_skus: String(short_skus), actual_units });
  expect(await ask("SELECT day, skus, short_skus, actual_units FROM forecast_accuracy_between(since = '2026-03-27', until = '2026-04-01') WHERE ahead = 1 ORDER BY day")).toEqual([
    counted('2026-03-27', 2, 0, 5), ...['28', '29', '30', '31'].map((day) => counted(`2026-03-${day}`, 1, 1, 3)), counted('2026-04-01', 2, 0, 5),
  ]);
  expect(await ask("SELECT day, skus, short_skus, actual_units FROM forecast_accuracy_between(since = '2026-04-16', until = '2026-04-18') WHERE ahead = 1 ORDER BY day")).toEqual([
    counted('2026-04-16', 2, 0, 5), counted('2026-04-17', 1, 1, 2), counted('2026-04-18', 1, 1, 2),
  ]);
});
