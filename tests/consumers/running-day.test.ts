import { describe, expect, test } from 'vitest';
import { HORIZON_DAYS } from '../../consumers/demand/forecast.js';
import { sales } from '../../schemas/topics.js';
import { hourly, latest, shop, total } from '../support/demand.js';
import type { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale } from '../support/sales.js';

const RATES = [1, 2, 5, 50] as const;
/** Over what it sells a day, in the four weeks ahead. */
const overRate = (driver: Driver, sku: string, rate: number): number => total(latest(driver, sku)) / HORIZON_DAYS / rate - 1;

describe('what sells the same every day', () => {
  test.each([[1, 'by the clock'], [3, 'by the clock'], [10, 'by the clock'], [3, 'by hours']] as const)('is forecast as that, whenever it is asked for: a shop of %s SKUs, %s', (count, how) => {
    const driver = how === 'by hours' ? hourly('UTC', 24) : shop();
    const skus = Array.from({ length: count }, (_, i) => ({ sku: `P${i}`, rate: RATES[(i + 2) % RATES.length]!, hours: [[0], [0, 9], [3, 4, 5, 6]][i % 3]! }));
    const off: number[] = [];
    for (let day = 0; day < 41; day++) {
      for (let hour = 0; hour < 10; hour++) {
        const time = NINE + day * DAY + hour * HOUR;
        driver.tick(time);
        for (const { sku, rate, hours } of skus) {
          const order = hours.indexOf(hour);
          // By whole units where it can be.
          const units = Math.floor((rate * (order + 1)) / hours.length) - Math.floor((rate * order) / hours.length);
          if (order >= 0 && units > 0) driver.send(sales, sku, sale(sku, units, time));
          if (day === 40) off.push(overRate(driver, sku, rate));
        }
      }
    }
    expect(off).toHaveLength(10 * count);
    expect(Math.max(...off.map(Math.abs))).toBeLessThan(0.03);
  }, 120_000);
});

describe('the running day', () => {
  const lived = (days: number): Driver => {
    const driver = shop();
    for (let day = 0; day < days; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
    }
    return driver;
  };

  test('counts at once if it has sold more than a whole one usually does', () => {
    const driver = lived(40);
    const usual = total(latest(driver, 'P'));
    driver.tick(NINE + 40 * DAY);
    driver.send(sales, 'P', sale('P', 30, NINE + 40 * DAY));
    expect(total(latest(driver, 'P'))).toBeGreaterThan(1.2 * usual);
  });

  test('counts as a whole when it is over: one without a sale lowers what is expected then, not before', () => {
    const driver = lived(40);
    const usual = total(latest(driver, 'P'));
    const at = (hours: number): number => {
      driver.tick(NINE + 39 * DAY + hours * HOUR);
      return total(latest(driver, 'P'));
    };
    // 16 hours on is the first hour of the next day, and 40 of the one after.
    expect(at(16)).toBe(usual);
    expect(at(40)).toBeLessThan(0.95 * usual);
  });

  test('a first sale is one of a day, however early: of the next days no more is expected than as many again', () => {
    const driver = shop();
    const midnight = NINE - 9 * HOUR;
    driver.tick(midnight + 5 * MINUTE);
    driver.send(sales, 'P', sale('P', 352, midnight + 5 * MINUTE));
    expect(Math.max(...latest(driver, 'P').mean)).toBeLessThan(352);
  });
});
