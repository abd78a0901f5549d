import { describe, expect, test } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { hourRows } from '../../consumers/demand/hours.js';
import { live } from '../../consumers/demand/publication.js';
import { demandRows, memberKey, memberRows, mixtureRows, panelRows, PARTS, seasonRows } from '../../consumers/demand/rows.js';
import { cycleRows } from '../../consumers/demand/stock-cycle.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { forecasts, sales, supplies } from '../../schemas/topics.js';
import type { Forecast } from '../../schemas/types.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

const shop = (options: DriverOptions = {}, hours = 0): Driver => {
  const days = shopDays('UTC');
  return new Driver([demandForecasts({ days, publication: live(days, MINUTE), hours })], options);
};
const latest = (driver: Driver, sku: string): Forecast => driver.read(forecasts).findLast((forecast) => forecast.sku === sku)!;
const total = ({ mean }: Forecast): number => mean.reduce((sum, units) => sum + units, 0);
const row = (driver: Driver, sku: string) => driver.row('demand-forecasts', demandRows, sku);
const members = (driver: Driver): number => driver.row('demand-forecasts', seasonRows, '')!.members;
const isMember = (driver: Driver, sku: string): boolean =>
  Array.from({ length: PARTS }, (_, part) => driver.row('demand-forecasts', memberRows, memberKey(part), sku)).some((member) => member !== undefined);

/** Each SKU sells two a day. */
const sellDaily = (driver: Driver, skus: readonly string[], from: number, to: number): void => {
  for (let day = from; day < to; day++) {
    driver.tick(NINE + day * DAY);
    for (const sku of skus) driver.send(sales, sku, sale(sku, 2, NINE + day * DAY));
  }
};

describe('a SKU that is sold no more', () => {
  const LIVE = ['A', 'B', 'C', 'D', 'E'];
  const DEAD = ['X', 'Y', 'Z'];

  test('is no member any more, and one again when it comes back', () => {
    const driver = shop();
    sellDaily(driver, [...LIVE, ...DEAD], 0, 20);
    expect(members(driver)).toBe(8);
    driver.send(supplies, 'X', supply('X', null, NINE + 19 * DAY, { deleted: true }));
    driver.send(supplies, 'Y', supply('Y', null, NINE + 19 * DAY, { discontinued: true }));
    driver.send(supplies, 'A', supply('A', null, NINE + 19 * DAY, { replaces: 'Z' }));
    driver.tick(NINE + 19 * DAY + HOUR);
    expect([members(driver), ...DEAD.map((sku) => isMember(driver, sku))]).toEqual([5, false, false, false]);
    // What is left of it may be sold yet; nobody forecasts that.
    driver.send(sales, 'Y', sale('Y', 2, NINE + 19 * DAY + HOUR));
    expect(members(driver)).toBe(5);
    driver.send(supplies, 'X', supply('X', null, NINE + 20 * DAY));
    driver.send(supplies, 'Y', supply('Y', null, NINE + 20 * DAY));
    driver.tick(NINE + 20 * DAY);
    expect([members(driver), ...DEAD.map((sku) => isMember(driver, sku))]).toEqual([7, true, true, false]);
    expect(total(latest(driver, 'X'))).toBeGreaterThan(0);
  });

  test('teaches nobody: what is judged, and how well, is as if it had never been', () => {
    const run = (dead: readonly string[], isTold: boolean): Driver => {
      const driver = shop();
      sellDaily(driver, [...LIVE, ...dead], 0, 30);
      if (isTold) for (const sku of dead) driver.send(supplies, sku, supply(sku, null, NINE + 29 * DAY, { deleted: true }));
      sellDaily(driver, LIVE, 30, 72);
      return driver;
    };
    const judged = (driver: Driver): number => driver.row('demand-forecasts', mixtureRows, '')!.scores.reduce((sum, { samples }) => sum + samples, 0);
    const [without, told, untold] = [run([], false), run(DEAD, true), run(DEAD, false)].map(judged);
    expect(told! / without!).toBeLessThan(1.1);
    expect(untold! / without!).toBeGreaterThan(1.4);
  });

  test('is forgotten after sixty days, with all that was learned of it; a late refund of it is late, and it begins anew like any other', () => {
    const driver = shop({}, 12);
    sellDaily(driver, [...LIVE, ...DEAD], 0, 40);
    driver.send(supplies, 'X', supply('X', 5, NINE + 40 * DAY));
    driver.tick(NINE + 40 * DAY);
    const kinds = [demandRows, hourRows, cycleRows];
    const known = () => kinds.filter((kind) => driver.row<unknown>('demand-forecasts', kind, 'X') !== undefined).length;
    expect(known()).toBe(3);
    driver.send(supplies, 'X', supply('X', 5, NINE + 40 * DAY, { deleted: true }));
    sellDaily(driver, LIVE, 41, 100);
    expect(known()).toBe(3);
    sellDaily(driver, LIVE, 100, 103);
    expect(known()).toBe(0);
    expect(driver.dump('demand-forecasts').filter((line) => line.includes('"X') && !line.includes('supply'))).toEqual([]);
    expect(driver.row('demand-forecasts', panelRows, '', 'X')).toBeUndefined();
    driver.send(sales, 'X', sale('X', -2, NINE + 39 * DAY));
    expect([driver.count('millrace_late_sales_total'), known(), members(driver)]).toEqual([1, 0, 7]);
    driver.send(supplies, 'X', supply('X', 5, NINE + 102 * DAY));
    driver.send(sales, 'X', sale('X', 1, NINE + 102 * DAY));
    driver.tick(NINE + 102 * DAY + HOUR);
    expect(row(driver, 'X')!.units).toEqual([1]);
    expect([members(driver), isMember(driver, 'X')]).toEqual([8, true]);
  });

  test('is kept while what is left of it sells, and when it comes back in time', () => {
    const driver = shop();
    sellDaily(driver, [...LIVE, ...DEAD], 0, 40);
    for (const sku of DEAD) driver.send(supplies, sku, supply(sku, null, NINE + 40 * DAY, { discontinued: true }));
    sellDaily(driver, [...LIVE, 'X'], 40, 80);
    driver.send(supplies, 'Y', supply('Y', null, NINE + 80 * DAY));
    sellDaily(driver, LIVE, 80, 120);
    expect(DEAD.map((sku) => row(driver, sku) !== undefined)).toEqual([true, true, false]);
    sellDaily(driver, LIVE, 120, 142);
    expect(DEAD.map((sku) => row(driver, sku) !== undefined)).toEqual([false, true, false]);
  });
});
