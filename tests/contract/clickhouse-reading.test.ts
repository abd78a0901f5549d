import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import type { RowSink } from '../../pipeline/core/row-sink.js';
import { packageRoot } from '../../schemas/files.js';
import { folderForTests } from '../support/folder.js';

const SKUS = 400;
const DAYS = 200;
const directory = folderForTests();
let sink: RowSink;

// Of SKU k on day n one forecast, for 28 days: every fifth SKU every fourth day only, so that some stand for days. Of every tenth a third of all days were short.
// Every twentieth is told as gone on day 100, and forecast no more.
beforeAll(async () => {
  sink = (await openChdb({ directory, shopTimeZone: 'America/Chicago' }, { metrics: noMetrics, journal: silentJournal }))!;
  await sink.ensure();
  const means = 'arrayMap(x -> toFloat64((number * 7 + x) % 13), range(28))';
  await sink.query(`INSERT INTO forecasts (sku, first_day, levels, mean, quantiles, low, high, model, demand_class, \`short.day\`, \`short.on_sale\`, time, time_ms, received_at, _topic, _partition, _offset)
    SELECT concat('P', toString(number % ${SKUS})), addDays(toDate32('2026-01-02'), intDiv(number, ${SKUS})) AS first, [0.1, 0.9], ${means}, arrayMap(x -> [x, x + 2], ${means}), ${means}, ${means}, 'm', if(number % ${SKUS} % 20 = 7 AND intDiv(number, ${SKUS}) = 100, '', 'slow'),
      arrayFilter(x -> number % ${SKUS} % 10 = 3 AND (toInt32(x) + number % ${SKUS}) % 3 = 0, arrayMap(i -> addDays(first, i), range(-28, 6))) AS short, arrayMap(x -> 0.5, short),
      addSeconds(toDateTime64('2026-01-01 12:00:00', 3, 'UTC'), intDiv(number, ${SKUS}) * 86400 + number % ${SKUS}) AS made, toUnixTimestamp64Milli(made), made, 'forecasts', 0, number
    FROM numbers(${SKUS * DAYS}) WHERE (number % 5 != 0 OR intDiv(number, ${SKUS}) % 4 = 0) AND NOT (number % ${SKUS} % 20 = 7 AND intDiv(number, ${SKUS}) > 100)`);
  await sink.query(`INSERT INTO sales (sku, quantity, time, received_at, _offset) SELECT concat('P', toString(number % ${SKUS})), number % 3,
      addSeconds(toDateTime64('2026-01-01 12:00:00', 3, 'UTC'), intDiv(number, ${SKUS}) * 86400 + number % ${SKUS}) AS made, made, number
    FROM numbers(${SKUS * (DAYS + 10)}) WHERE intDiv(number, ${SKUS}) % 7 != 0`);
}, 120_000);
afterAll(() => sink.close());

/** Share of the granules of \`forecasts\` that each place of a statement reads. */
async function read(sql: string): Promise<number[]> {
  const lines = (await sink.query(`EXPLAIN indexes = 1 ${sql}`)).map(({ explain }) => String(explain));
  const shares: number[] = [];
  let isForecasts = false;
  for (const line of lines) {
    const table = /ReadFromMergeTree \((.+)\)/.exec(line)?.[1];
    if (table !== undefined) {
      isForecasts = table === 'by_sku' || table.endsWith('.forecasts');
      if (isForecasts) shares.push(1);
    }
    const granules = /Granules: (\d+)\/(\d+)/.exec(line);
    if (isForecasts && granules) shares[shares.length - 1]! *= Number(granules[1]) / Number(granules[2]);
  }
  return shares;
}
const digest = (sql: string) => sink.query(`SELECT count() AS n, sum(cityHash64(*)) AS hash FROM (${sql})`);

test('one SKU is read without what was forecast of the others, by its day or not', async () => {
  const asked = ["SELECT * FROM forecasts WHERE sku = 'P7'", "SELECT * FROM forecast_days WHERE sku = 'P7'", "SELECT * FROM forecast_days WHERE sku = 'P7' AND day = '2026-06-01'", "SELECT * FROM forecasts_beside_actuals WHERE sku = 'P7'"];
  const whole: string[] = [];
  for (const sql of asked) {
    const shares = await read(sql);
    if (shares.length === 0 || shares.some((share) => share > 0.6)) whole.push(`${sql}: ${String(shares)}`);
  }
  expect(whole).toEqual([]);
});

// Sums of fractions differ in their last digits by the order of what is summed.
test.each([['forecast_days', '*', 2], ['short_days', '*', 1], ['forecast_accuracy', '* REPLACE (round(pinball, 6) AS pinball)', 3]])('some days of %s are read without what was forecast in other months, and answer what all days do', async (view, columns, places) => {
  // Its first days, one in the middle, one after the last that forecasts were made on, and a week.
  for (const [since, until] of [['2026-01-03', '2026-01-03'], ['2026-05-01', '2026-05-01'], ['2026-07-25', '2026-07-25'], ['2026-04-27', '2026-05-03']] as const) {
    const known = await digest(`SELECT ${columns} FROM ${view} WHERE day BETWEEN '${since}' AND '${until}'`);
    expect(Number(known[0]!['n'])).toBeGreaterThan(0);
    expect(await digest(`SELECT ${columns} FROM ${view}_between(since = '${since}', until = '${until}')`)).toEqual(known);
  }
  const types = async (from: string): Promise<unknown[]> => (await sink.query(`DESCRIBE TABLE (SELECT * FROM ${from})`)).map(({ name, type }) => [name, type]);
  expect(await types(`${view}_between(since = '2026-05-01', until = '2026-05-01')`)).toEqual(await types(view));
  const shares = await read(`SELECT * FROM ${view}_between(since = '2026-05-01', until = '2026-05-01')`);
  expect(shares).toHaveLength(places);
  for (const share of shares) expect(share).toBeLessThan(0.6);
}, 120_000);

test('forecasts are kept, and forgotten by age only where that is asked for as the page says', async () => {
  const old = "SELECT 'OLD', '2020-01-02', [0.5], [1], [[1]], toDateTime64('2020-01-01 12:00:00', 3, 'UTC') AS at, at, 'forecasts', 1, 1";
  const fresh = "SELECT 'NEW', today(), [0.5], [1], [[1]], now64(3) AS at, at, 'forecasts', 1, 2";
  for (const row of [old, fresh]) await sink.query(`INSERT INTO forecasts (sku, first_day, levels, mean, quantiles, time, received_at, _topic, _partition, _offset) ${row}`);
  const kept = async () => {
    await sink.query('OPTIMIZE TABLE forecasts FINAL');
    return (await sink.query("SELECT sku FROM forecasts WHERE sku IN ('OLD', 'NEW') ORDER BY sku")).map(({ sku }) => sku);
  };
  expect(await kept()).toEqual(['NEW', 'OLD']);
  const page = readFileSync(join(packageRoot, 'docs', 'clickhouse.md'), 'utf8');
  await sink.query(/"(ALTER TABLE forecasts MODIFY TTL [^"]+)"/.exec(page)![1]!);
  expect(await kept()).toEqual(['NEW']);
});
