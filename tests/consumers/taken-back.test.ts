import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hourRows } from '../../consumers/demand/hours.js';
import { demandRows } from '../../consumers/demand/rows.js';
import { forecasts, sales, supplies } from '../../schemas/topics.js';
import type { Supply } from '../../schemas/types.js';
import { hourly, sellOld } from '../support/demand.js';
import type { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

const shop = (partitions: number): Driver => hourly('UTC', 12, { partitions });

const put = (driver: Driver, sku: string, replaces: string | null, time: number, more: Partial<Supply> = {}): void =>
  driver.send(supplies, sku, supply(sku, null, time, { replaces, ...more }));

/** Days on which its shelf ran empty, and was filled. */
const emptyDays = (driver: Driver, sku: string): (number | null)[][] =>
  driver.row('demand-forecasts', demandRows, sku)!.shortages.map(({ from, to }) => [from, to].map((moment) => moment && Math.floor(moment)));

/** What is known of the sales of a SKU, by day between the first and the last that is not empty, and by hour; undefined for one that never sold. */
const known = (driver: Driver, sku: string): unknown => {
  const row = driver.row('demand-forecasts', demandRows, sku);
  if (!row) return undefined;
  const isFull = (units: number): boolean => units !== 0;
  const [first, end] = row.firstDay === null ? [row.units.findIndex(isFull), row.units.findLastIndex(isFull) + 1] : [0, row.units.length];
  if (end === 0) return undefined;
  const lastDay = row.lastDay - row.units.length + end;
  return [{ ...row, lastDay, units: row.units.slice(first, end), publishedAt: 0, suggestedDay: 0, suggestedUnits: 0, suggestedOnOrder: 0 }, driver.row('demand-forecasts', hourRows, sku)];
};
const units = (driver: Driver, sku: string): number =>
  driver.read(forecasts).findLast((forecast) => forecast.sku === sku)?.mean.reduce((sum, mean) => sum + mean, 0) ?? NaN;

describe('`replaces` that is taken back', () => {
  test.each([1, 3])('demand stands once: the old one has its own again, and who never sold has none (%s partitions)', (partitions) => {
    const driver = shop(partitions);
    sellOld(driver, 0, 40);
    const all = expect.closeTo(140, -0.7);
    put(driver, 'NEW', 'OLD', NINE + 39 * DAY);
    driver.tick(NINE + 39 * DAY + HOUR);
    expect([units(driver, 'OLD'), units(driver, 'NEW')]).toEqual([0, all]);
    put(driver, 'NEW', null, NINE + 39 * DAY + 2 * HOUR);
    driver.tick(NINE + 39 * DAY + 3 * HOUR);
    expect([units(driver, 'OLD'), units(driver, 'NEW')]).toEqual([all, 0]);
  });

  test.each([1, 3])('who never sold is not forecast, as before it was named, until it sells (%s partitions)', (partitions) => {
    const [driver, never] = [shop(partitions), shop(partitions)];
    const members = (of: Driver): unknown => Array.from({ length: partitions }, (_, partition) => [...of.openStore('demand-forecasts', partition).range('', '\uffff')].map(({ key }) => key)).flat().filter((key) => key.includes('NEW') && !key.includes('supply'));
    for (const one of [driver, never]) {
      sellOld(one, 0, 40);
      put(one, 'NEW', one === driver ? 'OLD' : null, NINE + 39 * DAY);
      one.tick(NINE + 39 * DAY + HOUR);
      put(one, 'NEW', null, NINE + 39 * DAY + 2 * HOUR);
      for (let hour = 3; hour < 72; hour += 6) one.tick(NINE + 39 * DAY + hour * HOUR);
    }
    expect(units(driver, 'NEW')).toBe(0);
    // Neither a series, nor a member of what the shop sells, nor a timer.
    expect(driver.row('demand-forecasts', demandRows, 'NEW')).toBeUndefined();
    expect(members(driver)).toEqual(members(never));
    const told = driver.read(forecasts).filter(({ sku }) => sku === 'NEW').length;
    driver.tick(NINE + 50 * DAY);
    expect(driver.read(forecasts).filter(({ sku }) => sku === 'NEW')).toHaveLength(told);
    for (const one of [driver, never]) one.send(sales, 'NEW', sale('NEW', 2, NINE + 50 * DAY));
    expect(known(driver, 'NEW')).toEqual(known(never, 'NEW'));
    expect(driver.row('demand-forecasts', demandRows, 'NEW')!.units).toEqual([2]);
  });

  test.each([1, 3])('said again it has what came back meanwhile (%s partitions)', (partitions) => {
    const [driver, straight] = [shop(partitions), shop(partitions)];
    for (const one of [driver, straight]) {
      sellOld(one, 0, 40);
      if (one === driver) for (const replaces of ['OLD', null]) put(one, 'NEW', replaces, NINE + 39 * DAY);
      one.send(sales, 'OLD', sale('OLD', -4, NINE + 38 * DAY));
      put(one, 'NEW', 'OLD', NINE + 39 * DAY + HOUR);
      one.tick(NINE + 39 * DAY + 2 * HOUR);
    }
    expect(known(driver, 'NEW')).toEqual(known(straight, 'NEW'));
    expect(driver.row('demand-forecasts', demandRows, 'NEW')!.units.at(-2)).toBe(1);
  });

  test('in a line of SKUs the newest gives back, too, what it had by the one between', () => {
    const driver = shop(3);
    sellOld(driver, 0, 40);
    driver.send(sales, 'V2', sale('V2', 3, NINE + 39 * DAY));
    for (const [sku, old] of [['V2', 'OLD'], ['V3', 'V2'], ['V2', null]] as const) put(driver, sku, old, NINE + 39 * DAY);
    driver.tick(NINE + 39 * DAY + HOUR);
    expect(driver.row('demand-forecasts', demandRows, 'V3')!.units).toEqual([3]);
    expect(units(driver, 'OLD') / 28).toBeGreaterThan(4);
  });

  test('in a line of SKUs the newest has what the one between takes over afterwards, and once', () => {
    const driver = shop(3);
    sellOld(driver, 0, 40);
    driver.send(sales, 'V2', sale('V2', 3, NINE + 39 * DAY));
    for (const [sku, old] of [['V3', 'V2'], ['V2', 'OLD']] as const) put(driver, sku, old, NINE + 39 * DAY);
    for (const sku of ['V2', 'V3']) expect(driver.row('demand-forecasts', demandRows, sku)!.units).toEqual([...Array.from({ length: 27 }, () => 5), 8]);
  });

  test('the shelf of who had not sold yet was empty from when that was told', () => {
    const driver = shop(1);
    sellOld(driver, 0, 40);
    put(driver, 'NEW', 'OLD', NINE + 39 * DAY, { stock: 0 });
    driver.tick(NINE + 41 * DAY);
    driver.send(sales, 'NEW', sale('NEW', 2, NINE + 41 * DAY));
    put(driver, 'NEW', null, NINE + 42 * DAY, { stock: 3 });
    const day = Math.floor(NINE / DAY);
    expect(emptyDays(driver, 'NEW')).toEqual([[day + 39, day + 42]]);
  });

  test('what was told of its shelf before it sold is still known at its first sale', () => {
    const [driver, never] = [shop(1), shop(1)];
    for (const one of [driver, never]) {
      sellOld(one, 0, 40);
      const replaces = one === driver ? 'OLD' : null;
      put(one, 'NEW', null, NINE + 36 * DAY, { stock: 0 });
      put(one, 'NEW', null, NINE + 38 * DAY, { stock: 9 });
      for (const day of [39, 40]) put(one, 'NEW', replaces, NINE + day * DAY, { stock: 0 });
      put(one, 'NEW', null, NINE + 45 * DAY, { stock: 0 });
      one.send(sales, 'NEW', sale('NEW', 2, NINE + 46 * DAY));
      put(one, 'NEW', null, NINE + 46 * DAY + HOUR, { stock: 3 });
    }
    const day = Math.floor(NINE / DAY);
    expect(emptyDays(driver, 'NEW')).toEqual([[day + 36, day + 38], [day + 39, day + 46]]);
    expect(known(driver, 'NEW')).toEqual(known(never, 'NEW'));
  });

  test('both stand as if it had never been said', () => {
    const lines = fc.array(fc.record({
      kind: fc.constantFrom('sale', 'sale', 'sale', 'sale', 'stock'), sku: fc.constantFrom('OLD', 'NEW'), days: fc.constantFrom(0, 0, 1, 1, 2, 9), units: fc.integer({ min: -2, max: 20 }),
      ago: fc.constantFrom(0, 0, 0, 3, 20), isClaim: fc.boolean(),
    }), { minLength: 5, maxLength: 60 });
    fc.assert(fc.property(lines, fc.nat(60), fc.nat(60), fc.constantFrom(1, 3), (plan, a, b, partitions) => {
      const [said, back] = [Math.min(a, b), Math.max(a, b)];
      const play = (isSaid: boolean): unknown[] => {
        const driver = shop(partitions);
        let time = NINE;
        let stock: number | null = null;
        const tell = (replaces: string | null): void => put(driver, 'NEW', isSaid ? replaces : null, time, { stock });
        plan.forEach(({ kind, sku, days, units: quantity, ago, isClaim }, i) => {
          time += days * DAY + MINUTE;
          driver.tick(time);
          if (i === said) tell('OLD');
          if (i === back) tell(null);
          if (kind === 'stock' && sku === 'NEW') {
            stock = Math.max(0, quantity);
            tell(i >= said && i < back ? 'OLD' : null);
          }
          if (kind === 'sale') driver.send(sales, sku, { ...sale(sku, quantity, time - ago * DAY), claimed: isClaim ? quantity : 0 });
        });
        time += MINUTE;
        tell(null);
        driver.tick(time + HOUR);
        return ['OLD', 'NEW'].map((sku) => known(driver, sku));
      };
      expect(play(true)).toEqual(play(false));
    }), { numRuns: process.env['CI'] ? 60 : 15 });
  }, 120_000);
});
