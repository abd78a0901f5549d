import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { LogRecord } from '../../pipeline/core/log.js';
import type { RowSink } from '../../pipeline/core/row-sink.js';
import { forecasts } from '../../schemas/topics.js';
import type { Forecast } from '../../schemas/types.js';
import { blockOf, recordOf, saleRecord } from './clickhouse-records.js';

const DAY = 86_400_000;
/** The day that is judged, and an hour of it in America/Chicago. */
const JUDGED = Date.UTC(2026, 0, 1) / DAY;
const NOON = Date.UTC(2026, 0, 1, 18);
const DAYS = "(since = '2026-01-01', until = '2026-01-01')";

/** Forecast as the median, with two more at 90 %, and one more or less at the ends of the interval. */
const forecastOf = (offset: number, madeAt: number, sku: string, mean: number[], more: Partial<Forecast> = {}): LogRecord => recordOf(forecasts, offset, {
  sku, madeAt, firstDay: Math.floor(madeAt / DAY) + 1, levels: [0.5, 0.9], mean, quantiles: mean.map((units) => [units, units + 2]), low: mean.map((units) => units - 1),
  high: mean.map((units) => units + 1), model: 'm', demandClass: 'slow', hours: [], category: null, shortDays: [], ...more,
});

/** What an analyst asks of how good forecasts were, on every engine of rows. */
export function forecastAccuracy(sinkOf: () => RowSink): void {
  const insert = async (records: readonly LogRecord[], token: string = randomUUID()): Promise<void> => {
    const { columns, lines } = blockOf(records);
    await sinkOf().insert(records[0]!.topic, columns, lines, token);
  };
  const ask = (sql: string) => sinkOf().query(sql);
  const sold = (units: Readonly<Record<string, number>>): Promise<void> => insert(Object.entries(units).map(([sku, quantity], offset) => saleRecord(offset, { sku, quantity, time: NOON })));

  test('can be asked for any past day, by how far ahead they were made', async () => {
    const forecast = (offset: number, madeAt: number, sku: string, mean: number[]): LogRecord => forecastOf(offset, madeAt, sku, mean, { demandClass: sku === 'P2' ? 'daily' : 'slow' });
    await insert([
      forecast(1, Date.UTC(2025, 11, 30, 8), 'P1', [0, 50]), forecast(2, Date.UTC(2025, 11, 30, 12), 'P1', [0, 2]), forecast(3, Date.UTC(2025, 11, 31, 12), 'P1', [3]), forecast(4, Date.UTC(2025, 11, 31, 12), 'P2', [1]),
    ]);
    await insert([saleRecord(1, { quantity: 5 }), saleRecord(2, { quantity: -1, kind: 'refund' })]);
    expect(await ask("SELECT ahead, skus, forecast_units, actual_units, absolute_error, round(pinball, 6) AS pinball, coverage, bias FROM forecast_accuracy WHERE day = '2026-01-01' ORDER BY ahead")).toEqual([
      // P1 sold 4; the day before it was forecast as 3 with 5 at 90 %, P2 as 1 with 3.
      { ahead: 1, skus: '2', forecast_units: 4, actual_units: 4, absolute_error: 2, pinball: 1.4, coverage: 1, bias: 0 },
      { ahead: 2, skus: '1', forecast_units: 2, actual_units: 4, absolute_error: 2, pinball: 1, coverage: 0, bias: -0.5 },
    ]);
    expect(await ask("SELECT ahead, demand_class, skus, actual_units, with_interval, covered, coverage, bias FROM forecast_accuracy_by_class_between(since = '2026-01-01', until = '2026-01-01') ORDER BY ahead, demand_class")).toEqual([
      { ahead: 1, demand_class: 'daily', skus: '1', actual_units: 0, with_interval: '1', covered: '1', coverage: 1, bias: null },
      { ahead: 1, demand_class: 'slow', skus: '1', actual_units: 4, with_interval: '1', covered: '1', coverage: 1, bias: -0.25 },
      { ahead: 2, demand_class: 'slow', skus: '1', actual_units: 4, with_interval: '1', covered: '0', coverage: 0, bias: -0.5 },
    ]);
    // On a day without any sale the shop was closed: nobody's interval was put to the test.
    await insert([forecast(21, Date.UTC(2026, 0, 4, 12), 'P1', [0, 4])]);
    await insert([saleRecord(21, { sku: 'P9', time: Date.UTC(2026, 0, 6, 12) })]);
    expect(await ask("SELECT day, skus, covered, coverage, bias FROM forecast_accuracy WHERE day >= '2026-01-05' ORDER BY day, ahead")).toEqual([
      { day: '2026-01-05', skus: '1', covered: '0', coverage: null, bias: null },
      { day: '2026-01-06', skus: '1', covered: '0', coverage: 0, bias: null },
    ]);
    // Where a SKU was not forecast every day, the last forecast stands: until the next one, for a week, and never after the newest of all.
    await insert([forecast(11, Date.UTC(2025, 11, 20, 23), 'Q', Array.from({ length: 14 }, (_, i) => i)), forecast(12, Date.UTC(2025, 11, 29, 23), 'Q', [0, 70, 80])]);
    expect(await ask("SELECT ahead, forecast_units, toDate(made_at) AS made FROM forecast_days WHERE sku = 'Q' AND day = '2026-01-01' ORDER BY ahead")).toEqual([
      { ahead: 1, forecast_units: 80, made: '2025-12-29' }, { ahead: 2, forecast_units: 80, made: '2025-12-29' }, { ahead: 3, forecast_units: 80, made: '2025-12-29' },
      ...[6, 7, 8, 9, 10, 11, 12].map((ahead) => ({ ahead, forecast_units: 11, made: '2025-12-20' })),
    ]);
  });

  test('is that of SKUs that are still sold, whenever they were forecast; one that comes back counts again', async () => {
    const on = (day: number): number => NOON + day * DAY;
    const week = Array.from({ length: 8 }, () => 5);
    const over = { demandClass: '' };
    await insert([
      forecastOf(1, on(-3), 'STAYS', week), forecastOf(2, on(-3), 'GONE', week), forecastOf(3, on(0), 'GONE', week.map(() => 0), over),
      forecastOf(4, on(-3), 'BACK', week), forecastOf(5, on(-1), 'BACK', week.map(() => 0), over), forecastOf(6, on(1), 'BACK', week), forecastOf(7, on(-8), 'LONG GONE', week.map(() => 0), over),
      forecastOf(8, on(1), 'LAST', week, over), forecastOf(9, on(1) + 1, 'LAST', week),
    ]);
    await insert([-1, 0, 1, 2].flatMap((day, at) => ['STAYS', 'GONE'].map((sku, i) => saleRecord(2 * at + i, { sku, quantity: 5, time: on(day) }))));
    const judged = "arraySort(groupUniqArray(sku)) AS skus FROM forecast_errors_between(since = '2025-12-31', until = '2026-01-03') GROUP BY day ORDER BY day";
    const wanted = [
      { day: '2025-12-31', skus: ['GONE', 'STAYS'] }, { day: '2026-01-01', skus: ['STAYS'] }, { day: '2026-01-02', skus: ['BACK', 'STAYS'] }, { day: '2026-01-03', skus: ['BACK', 'LAST', 'STAYS'] },
    ];
    expect(await ask(`SELECT day, ${judged}`)).toEqual(wanted);
    expect(await ask("SELECT day, max(skus) AS skus FROM forecast_accuracy WHERE day BETWEEN '2025-12-31' AND '2026-01-03' GROUP BY day ORDER BY day")).toEqual(
      [['2025-12-31', '2'], ['2026-01-01', '1'], ['2026-01-02', '2'], ['2026-01-03', '3']].map(([day, skus]) => ({ day, skus })));
    expect(await ask("SELECT DISTINCT demand_class FROM forecast_accuracy_by_class_between(since = '2025-12-31', until = '2026-01-03')")).toEqual([{ demand_class: 'slow' }]);
    expect(await ask("SELECT forecast_units FROM forecast_days WHERE sku = 'GONE' AND day = '2026-01-02' AND ahead = 1")).toEqual([{ forecast_units: 0 }]);
  });

  test('is that of SKUs that were on sale all day, as their stock is known in the end; the others are counted', async () => {
    const evening = NOON - DAY;
    const short = (...days: (readonly [ahead: number, onSale: number])[]): Partial<Forecast> => ({ shortDays: days.map(([ahead, onSale]) => ({ day: JUDGED + ahead, onSale })) });
    const block = [
      forecastOf(1, evening, 'WHOLE', [3]), forecastOf(2, evening, 'EMPTY', [8], { demandClass: 'daily' }), forecastOf(3, evening, 'MOVED', [1]), forecastOf(4, evening, 'LATER', [5]),
      // Its shelf is empty, and nothing is told any more.
      forecastOf(5, evening, 'STILL', [6], short([-1, 0.5], [0, 0], [1, 0])),
      forecastOf(6, NOON, 'EMPTY', [8], short([0, 0.7])), forecastOf(7, NOON + 1, 'EMPTY', [8], short([0, 0.25])),
      // A line that came late showed that it was there.
      forecastOf(8, NOON, 'MOVED', [1], short([0, 0.5])), forecastOf(9, NOON + 27 * DAY, 'MOVED', [1], short([1, 0.5])),
      // A stock that was told late showed that it was not.
      forecastOf(10, NOON + DAY, 'LATER', [5]), forecastOf(11, NOON + 27 * DAY, 'LATER', [5], short([0, 0.9])),
      // The first that no more reaches the day.
      forecastOf(12, NOON + 28 * DAY, 'EMPTY', [8]), forecastOf(13, NOON + 28 * DAY, 'LATER', [5]),
    ];
    await insert(block, 'once');
    await insert(block, 'once');
    await sold({ WHOLE: 4, EMPTY: 2, MOVED: 1, LATER: 1 });
    const short_days = [{ sku: 'EMPTY', on_sale: 0.25 }, { sku: 'LATER', on_sale: 0.9 }, { sku: 'STILL', on_sale: 0 }];
    expect(await ask(`SELECT sku, on_sale FROM short_days_between${DAYS} ORDER BY sku`)).toEqual(short_days);
    expect(await ask("SELECT sku, on_sale FROM short_days WHERE day = '2026-01-01' ORDER BY sku")).toEqual(short_days);
    // WHOLE sold 4 of 3 and at most 5 at 90 %: losses of 1 and 0.2. MOVED sold 1 of 1 and 3: 0 and 0.4.
    const all = { ahead: 1, skus: '2', short_skus: '3', forecast_units: 4, actual_units: 5, absolute_error: 1, pinball: 0.8, with_interval: '2', covered: '2', coverage: 1, bias: -0.2 };
    expect(await ask(`SELECT * EXCEPT day REPLACE round(pinball, 6) AS pinball FROM forecast_accuracy_between${DAYS}`)).toEqual([all]);
    expect(await ask("SELECT * EXCEPT day REPLACE round(pinball, 6) AS pinball FROM forecast_accuracy WHERE day = '2026-01-01'")).toEqual([all]);
    expect(await ask(`SELECT demand_class, skus, short_skus, actual_units, with_interval, covered, coverage, bias FROM forecast_accuracy_by_class_between${DAYS} ORDER BY demand_class`)).toEqual([
      { demand_class: 'daily', skus: '0', short_skus: '1', actual_units: 0, with_interval: '0', covered: '0', coverage: null, bias: null },
      { demand_class: 'slow', skus: '2', short_skus: '2', actual_units: 5, with_interval: '2', covered: '2', coverage: 1, bias: -0.2 },
    ]);
    expect(await ask(`SELECT sku, forecast_units, actual_units, round(pinball, 6) AS pinball, covered, on_sale FROM forecast_errors_between${DAYS} ORDER BY sku`)).toEqual([
      { sku: 'EMPTY', forecast_units: 8, actual_units: 2, pinball: 3.8, covered: false, on_sale: 0.25 },
      { sku: 'LATER', forecast_units: 5, actual_units: 1, pinball: 2.6, covered: false, on_sale: 0.9 },
      { sku: 'MOVED', forecast_units: 1, actual_units: 1, pinball: 0.2, covered: true, on_sale: 1 },
      { sku: 'STILL', forecast_units: 6, actual_units: 0, pinball: 3.8, covered: false, on_sale: 0 },
      { sku: 'WHOLE', forecast_units: 3, actual_units: 4, pinball: 0.6, covered: true, on_sale: 1 },
    ]);
    expect(await ask("SELECT sku, on_sale FROM forecasts_beside_actuals WHERE day = '2026-01-01' ORDER BY sku")).toEqual(
      [['EMPTY', 0.25], ['LATER', 0.9], ['MOVED', 1], ['STILL', 0], ['WHOLE', 1]].map(([sku, on_sale]) => ({ sku, on_sale })));
  });

  test('can be told apart by category, in which a SKU counts as in its first one and in what lies above it, and the top adds up to the shop', async () => {
    const evening = NOON - DAY;
    await insert([
      forecastOf(1, evening, 'CUP', [3], { category: 'Home > Kitchen > Cups' }), forecastOf(2, evening, 'POT', [2], { category: 'Home > Kitchen' }), forecastOf(3, evening, 'SOFA', [7], { category: 'Home' }),
      forecastOf(4, evening, 'BOOK', [1]), forecastOf(5, evening, 'BALL', [4], { category: 'Toys' }), forecastOf(6, evening - DAY, 'BALL', [9, 5], { category: 'Home > Kitchen' }),
      forecastOf(7, evening, 'LAMP', [6], { category: 'Home', shortDays: [{ day: JUDGED, onSale: 0.1 }] }),
    ]);
    await sold({ CUP: 4, POT: 2, SOFA: 9, BOOK: 2, BALL: 4, LAMP: 1 });
    const columns = 'level, category, skus, short_skus, forecast_units, actual_units, absolute_error, round(pinball, 6) AS pinball, with_interval, covered, coverage, bias';
    // Losses: CUP 0.6, POT 0.2, SOFA (2 + 0) / 2, BOOK 0.6, BALL 0.2 and, the day before, (1 + 0.6) / 2.
    const row = (level: number, category: string, skus: number, short_skus: number, forecast_units: number, actual_units: number, absolute_error: number, pinball: number, covered: number) => ({
      level, category, skus: String(skus), short_skus: String(short_skus), forecast_units, actual_units, absolute_error, pinball, with_interval: String(skus), covered: String(covered),
      coverage: covered / skus, bias: (forecast_units - actual_units) / actual_units,
    });
    expect(await ask(`SELECT ${columns} FROM forecast_accuracy_by_category_between${DAYS} WHERE ahead = 1 ORDER BY level, category`)).toEqual([
      row(1, '', 1, 0, 1, 2, 1, 0.6, 1), row(1, 'Home', 3, 1, 12, 15, 3, 1.8, 2), row(1, 'Toys', 1, 0, 4, 4, 0, 0.2, 1),
      row(2, 'Home > Kitchen', 2, 0, 5, 6, 1, 0.8, 2), row(3, 'Home > Kitchen > Cups', 1, 0, 3, 4, 1, 0.6, 1),
    ]);
    // In which it was when it was forecast.
    expect(await ask(`SELECT ${columns} FROM forecast_accuracy_by_category_between${DAYS} WHERE ahead = 2 ORDER BY level, category`)).toEqual(
      [row(1, 'Home', 1, 0, 5, 4, 1, 0.8, 1), row(2, 'Home > Kitchen', 1, 0, 5, 4, 1, 0.8, 1)]);
    const sums = 'ahead, sum(skus) AS skus, sum(short_skus) AS short_skus, sum(actual_units) AS actual_units, sum(covered) AS covered, round(sum(pinball), 6) AS pinball';
    expect(await ask(`SELECT ${sums} FROM forecast_accuracy_by_category_between${DAYS} WHERE level = 1 GROUP BY ahead ORDER BY ahead`)).toEqual(
      await ask(`SELECT ${sums} FROM forecast_accuracy_between${DAYS} GROUP BY ahead ORDER BY ahead`));
    expect(await ask("SELECT sku, categories FROM forecast_days WHERE day = '2026-01-01' AND ahead = 1 AND sku IN ('CUP', 'BOOK') ORDER BY sku")).toEqual([
      { sku: 'BOOK', categories: [] }, { sku: 'CUP', categories: ['Home', 'Home > Kitchen', 'Home > Kitchen > Cups'] },
    ]);
  });

  test('of a replayed file counts as far ahead as forecasts of all SKUs reach, of a live shop to their end', async () => {
    const month = (offset: number, sku: string, madeAt: number): LogRecord => forecastOf(offset, madeAt, sku, Array.from({ length: 28 }, () => 1));
    await insert([month(1, 'replayed', Date.UTC(2025, 10, 14, 12)), month(2, 'live', Date.UTC(2026, 0, 14, 12))]);
    expect(await ask('SELECT sku, max(ahead) AS farthest FROM forecast_days GROUP BY sku ORDER BY sku')).toEqual([
      { sku: 'live', farthest: 28 }, { sku: 'replayed', farthest: 21 },
    ]);
  });
}
