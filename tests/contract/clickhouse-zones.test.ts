import { expect, test } from 'vitest';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { folderForTest } from '../support/folder.js';
import { blockOf, saleRecord } from './clickhouse-records.js';

test("a zone is one under the name that its people use, and a misspelt one is told how it is spelt", async () => {
  const directory = folderForTest();
  const open = async (shopTimeZone: string) => (await openChdb({ directory, shopTimeZone }, { metrics: noMetrics, journal: silentJournal }))!;
  for (const [zone, told] of [['asia/kolkata', 'is spelt Asia/Kolkata.'], ['Asia/Atlantis', 'is not an IANA time zone'], ["UTC' OR 1", 'is not an IANA time zone']] as const) {
    await expect(async () => { const sink = await open(zone); await sink.ensure().finally(() => sink.close()); }).rejects.toMatchObject({ message: expect.stringContaining(told) });
  }
  // Intl.supportedValuesOf('timeZone') has Asia/Calcutta and not this one.
  const sink = await open('Asia/Kolkata');
  await sink.ensure();
  const times = ['2026-03-31T18:29:59Z', '2026-03-31T18:30:00Z'].map((time) => Date.parse(time));
  const { columns, lines } = blockOf(times.map((time, offset) => saleRecord(offset, { time, quantity: offset + 1 })));
  await sink.insert('sales', columns, lines, 'one');
  expect(await sink.query('SELECT day, units FROM revenue_by_shop_day ORDER BY day')).toEqual([{ day: '2026-03-31', units: 1 }, { day: '2026-04-01', units: 2 }]);
  const newer = ['Europe/Kyiv', 'Asia/Kathmandu', 'Asia/Ho_Chi_Minh', 'America/Argentina/Buenos_Aires', 'Asia/Yangon', 'America/Nuuk', 'US/Pacific', 'Etc/GMT+5', 'GMT', 'UTC'];
  expect(await sink.query(`SELECT count() AS known FROM system.time_zones WHERE time_zone IN (${newer.map((zone) => `'${zone}'`).join(', ')})`)).toEqual([{ known: String(newer.length) }]);
  await sink.close();
  // The same zone by its other name, and another one.
  const renamed = await open('Asia/Calcutta');
  await renamed.ensure();
  await renamed.close();
  const other = await open('Asia/Dhaka');
  await expect(other.ensure()).rejects.toThrow('those of Asia/Kolkata, SHOP_TIMEZONE is Asia/Dhaka');
  await other.close();
});
