import { describe, expect, test } from 'vitest';
import { windowRows } from '../../consumers/demand/rows.js';
import { isoDay } from '../../pipeline/core/shop-day.js';
import { sales, supplies } from '../../schemas/topics.js';
import { expectSound, latest, shop } from '../support/demand.js';
import { Driver } from '../support/driver.js';
import { DAY, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

describe('promotions', () => {
  const skus = Array.from({ length: 6 }, (_, i) => `S${i}`);
  const date = (day: number): string => isoDay(Math.floor(NINE / DAY) + day);
  const window = (driver: Driver) => driver.row('demand-forecasts', windowRows, '')!;
  const LAST = 84;
  /** Sellers of four a day; each is on sale for three days in 14, and sells three times as much then. */
  const weeks = (driver: Driver, isTold: boolean): void => {
    for (let day = 0; day < LAST; day++) {
      driver.tick(NINE + day * DAY);
      for (const [i, sku] of skus.entries()) {
        const since = (day + 2 * i) % 14;
        if (isTold && since === 5) driver.send(supplies, sku, supply(sku, null, NINE + day * DAY, { sale: `${date(day + 5)}/${date(day + 7)}` }));
        driver.send(sales, sku, sale(sku, since >= 10 && since < 13 && day >= 10 ? 12 : 4, NINE + day * DAY));
      }
    }
  };

  test('what a promotion is worth is learned by the shop, forecast where it comes again, and not taken for the level', () => {
    const [told, untold] = [shop(), shop()];
    weeks(told, true);
    weeks(untold, false);
    told.send(supplies, 'S0', supply('S0', null, NINE + LAST * DAY, { sale: `${date(LAST + 3)}/${date(LAST + 4)}` }));
    for (const driver of [told, untold]) driver.tick(NINE + (LAST + 1) * DAY);
    const on = (driver: Driver, day: number): number => latest(driver, 'S0').mean[Math.floor(NINE / DAY) + day - latest(driver, 'S0').firstDay]!;
    const lift = on(told, LAST + 3) / on(told, LAST + 10);
    expect(lift).toBeGreaterThan(1.8);
    expect(lift).toBeLessThan(3.2);
    expectSound(latest(told, 'S0'));
    // Who was not told takes the promotions for a higher level.
    expect(Math.abs(on(told, LAST + 10) - 4)).toBeLessThan(Math.abs(on(untold, LAST + 10) - 4));
    expect(window(untold).saleExpected.every((sum) => sum === 0)).toBe(true);
  });

  test('sales that come late on promoted days leave the shop as having known them, and quiet days of a promotion count', () => {
    const [known, late] = [shop(), shop()];
    for (let day = 0; day < 40; day++) {
      for (const driver of [known, late]) {
        driver.tick(NINE + day * DAY);
        if (day === 28) driver.send(supplies, 'P', supply('P', null, NINE + day * DAY, { sale: `${date(30)}/${date(36)}` }));
        driver.send(sales, 'Q', sale('Q', 2, NINE + day * DAY));
        if (day < 30) driver.send(sales, 'P', sale('P', 2, NINE + day * DAY));
      }
      if (day === 33) known.send(sales, 'P', sale('P', 6, NINE + day * DAY));
    }
    late.send(sales, 'P', sale('P', 6, NINE + 33 * DAY));
    for (const driver of [known, late]) driver.tick(NINE + 40 * DAY);
    const [a, b] = [window(known), window(late)];
    for (const name of ['made', 'hits', 'saleMade', 'saleExpected'] as const) b[name].forEach((sum, i) => expect(sum).toBeCloseTo(a[name][i]!, 9));
    expect(a.saleExpected.filter((sum) => sum > 0)).toHaveLength(7);
    expect(a.saleMade.filter((sum) => sum > 0)).toHaveLength(1);
  });
});
