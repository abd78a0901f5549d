import { expect, test } from 'vitest';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { hourOf, hoursOf } from '../../pipeline/core/shop-hours.js';
import { folderForTest } from '../support/folder.js';
import { blockOf, saleRecord } from './clickhouse-records.js';

const DAY = 86_400_000;
const MINUTE = 60_000;

test('analysts and forecasts cut hours alike, also where the clocks change by half an hour', async () => {
  const zone = 'Australia/Lord_Howe';
  const directory = folderForTest();
  const sink = await openChdb({ directory, shopTimeZone: zone }, { metrics: noMetrics, journal: silentJournal });
  await sink!.ensure();
  const days = shopDays(zone);
  // A sale every 17 minutes of the days around both changes of the clocks.
  const changes = ['2011-04-03', '2011-10-02'].map((date) => Date.parse(`${date}T00:00Z`) / DAY);
  const times = changes.flatMap((day) => Array.from({ length: 170 }, (_, i) => days.startOf(day) - DAY / 2 + i * 17 * MINUTE));
  const { columns, lines } = blockOf(times.map((time, offset) => saleRecord(offset, { time, sku: `S${offset}`, quantity: 1 })));
  await sink!.insert('sales', columns, lines, 'one');
  const rows = await sink!.query('SELECT sku, toUnixTimestamp64Milli(hour) AS hour, toInt32(day) AS day, hour_of_day FROM sales_by_shop_hour');
  await sink!.close();
  expect(rows).toHaveLength(times.length);
  const bySku = new Map(rows.map((row) => [row['sku'], row]));
  const expected = times.map((time) => {
    const day = days.dayOf(time);
    return { hour: String(hoursOf(day, days).findLast(({ start }) => start <= time)?.start), day, hour_of_day: hourOf(time, days) };
  });
  expect(times.map((_, offset) => bySku.get(`S${offset}`))).toEqual(expected.map((row, offset) => ({ sku: `S${offset}`, ...row })));
});
