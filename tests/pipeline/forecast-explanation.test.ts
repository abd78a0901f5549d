import { expect, test } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { replayed } from '../../consumers/demand/publication.js';
import { shopOf, type Shop } from '../../consumers/demand/rows.js';
import * as bank from '../../models/forecast/expert-bank.js';
import { stocked } from '../../models/forecast/shortages.js';
import * as skuSeries from '../../models/forecast/sku-series.js';
import * as yearCourse from '../../models/forecast/year-course.js';
import * as itemIndex from '../../models/item-index.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { accuracyOf, driversOf } from '../../pipeline/serving/forecast-explanation.js';
import { ForecastDoor } from '../../pipeline/serving/forecast-door.js';
import { Items } from '../../pipeline/serving/items.js';
import { observedStores, Views } from '../../pipeline/serving/views.js';
import { demandForecasts as table, sales } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { DAY, NINE } from '../support/events.js';
import { sale } from '../support/sales.js';

const TODAY = 20_000;

/** A shop that grows by `slope` a day, on whose days `level` times as much is sold as usual. */
function shop(level = 1, slope = 0): Shop {
  const plain = shopOf(() => undefined, new Map());
  const outlook: Shop['outlook'] = (today) => {
    const known = plain.outlook(today);
    return { ...known, index: { ...known.index, level: Math.log(level), slope } };
  };
  return { season: plain.season, window: plain.window, taught: plain.taught, outlook };
}

/** A SKU that has sold so many units a day, in turn. */
function lived(...spans: readonly { days: number; units: number }[]): bank.Bank {
  const rows = bank.init(1, skuSeries.SEASON_DAYS);
  let day = 0;
  for (const { days, units } of spans) for (let i = 0; i < days; i++) bank.learn(rows, 0, units, 1, day++ % skuSeries.SEASON_DAYS);
  return rows;
}

interface Drivers {
  readonly unitsADay: number;
  readonly sellsOnShareOfDays: number;
  readonly trend: { readonly shopPercentAWeek: number; readonly yearPercent: number; readonly skuAgainstUsualPercent: number };
}
const drivers = (of: Shop, rows: bank.Bank): Drivers => driversOf(of, skuSeries.init(TODAY), rows, TODAY, new Map()) as Drivers;

test('the trend of the shop is told by the week: one percent a day is 7.25 % a week', () => {
  expect(drivers(shop(1, 0.01), lived({ days: 30, units: 2 })).trend.shopPercentAWeek).toBeCloseTo(100 * (Math.exp(0.07) - 1), 2);
});

test('what the year is to bring in four weeks is told, where the shop is believed to have one', () => {
  const rows = lived({ days: 30, units: 2 });
  expect(drivers(shop(), rows).trend.yearPercent).toBe(0);
  const rising = shop();
  const outlook: Shop['outlook'] = (today) => {
    const known = rising.outlook(today);
    return { ...known, index: { ...known.index, year: { ...yearCourse.init(), growth: Array.from({ length: yearCourse.WEEKS }, () => 0.05), agreed: 1, said: 1, moved: 1, weeks: 10 } } };
  };
  expect(drivers({ ...rising, outlook }, rows).trend.yearPercent).toBeCloseTo(100 * (Math.exp(0.2) - 1), 1);
});

test('units a day are those of the shop\'s days as they are now', () => {
  const rows = lived({ days: 200, units: 6 });
  expect(drivers(shop(), rows).unitsADay).toBeCloseTo(6, 2);
  expect(drivers(shop(1.5), rows).unitsADay).toBeCloseTo(9, 2);
});

test('what sells seven a day at weekends only sells two a day, on two days of seven', () => {
  const rows = bank.init(1, skuSeries.SEASON_DAYS);
  for (let day = 0; day < 280; day++) bank.learn(rows, 0, day % 7 > 4 ? 7 : 0, 1, day % 7);
  const told = drivers(shop(), rows);
  expect(told.unitsADay).toBeGreaterThan(1.9);
  expect(told.unitsADay).toBeLessThan(2.1);
  expect(told.sellsOnShareOfDays).toBeCloseTo(2 / 7, 1);
});

test('what sells more than usual is above, what sells less below', () => {
  const against = (before: number, lately: number): number => drivers(shop(), lived({ days: 200, units: before }, { days: 21, units: lately })).trend.skuAgainstUsualPercent;
  expect(against(2, 8)).toBeGreaterThan(15);
  expect(against(8, 2)).toBeLessThan(-15);
  expect(Math.abs(against(5, 5))).toBeLessThan(1);
});

test('a day with an empty shelf is no forecast that failed', () => {
  let series = skuSeries.init(TODAY - 60);
  for (let day = TODAY - 60; day < TODAY; day++) {
    const isShort = day > TODAY - 12 && day <= TODAY - 7;
    if (day === TODAY - 12) series = stocked(series, day + 0.5, false);
    if (day === TODAY - 7) series = stocked(series, day + 0.98, true);
    series = skuSeries.sell(series, day, day === TODAY - 12 ? 2 : isShort ? 0 : 4, () => 1) ?? series;
  }
  // Of the 27 days before the running one, five were short, and half of another one.
  const { forecasts, bias } = accuracyOf(series, shop(), { today: TODAY, isOver: true });
  expect(forecasts).toBe(21);
  expect(Math.abs(bias!)).toBeLessThan(0.02);
});

test('a total begins on the day on which the last of its SKUs does: sales of the next day may come before its tick', async () => {
  const days = shopDays('UTC');
  const driver = new Driver([demandForecasts({ days, publication: replayed(days) })], { partitions: 2 });
  const ofPartition = (partition: number): string => ['A', 'B', 'C', 'D', 'E', 'F'].find((sku) => partitionOf(sku, 2) === partition)!;
  const [ahead, behind] = [ofPartition(0), ofPartition(1)];
  for (let day = 0; day < 30; day++) {
    driver.tick(NINE + day * DAY);
    for (const sku of [ahead, behind]) driver.send(sales, sku, sale(sku, 3, NINE + day * DAY));
  }
  driver.send(sales, ahead, sale(ahead, 3, NINE + 30 * DAY));
  const views = new Views(observedStores((name, partition) => (name === table.name ? driver.openStore(name, partition) : memoryStore())), 2);
  const reorder = { policy: 'periodic', leadTimeDays: 7, leadTimeDeviationDays: 0, reviewDays: 7, coverDays: 14, packSize: 1, minimumUnits: 0, serviceLevel: 0.95 } as const;
  const now = NINE + 29 * DAY;
  const door = new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days, plan: new Map(), reorder, hours: 0, now, freshness: () => ({ readUntil: now, caughtUp: true }) });
  const dates = (answer: object): string => (answer as { days: { date: string }[] }).days[0]!.date;
  expect([dates(door.one(ahead)!), dates(door.one(behind)!)]).toEqual([31, 30].map((day) => new Date(NINE + day * DAY).toISOString().slice(0, 10)));
  expect(dates(await door.ofShop())).toBe(dates(door.one(ahead)!));
});
