import { describe, expect, test } from 'vitest';
import { HORIZON_DAYS } from '../../consumers/demand/forecast.js';
import { hourRows } from '../../consumers/demand/hours.js';
import { demandRows } from '../../consumers/demand/rows.js';
import { deadLetters, forecasts, reorderSuggestions, sales, supplies } from '../../schemas/topics.js';
import type { Supply } from '../../schemas/types.js';
import { expectSound, hourly, latest, row, sellOld, shop, total } from '../support/demand.js';
import { DAY, HOUR, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

describe('one SKU in the place of another', () => {
  const replacing = (sku: string, old: string | null, time: number, more: Partial<Supply> = {}): [typeof supplies, string, Supply] => [supplies, sku, supply(sku, null, time, { replaces: old, ...more })];

  test.each([1, 3])('the new one starts from the level of the old one, whose forecast falls to nothing (%s partitions)', (partitions) => {
    const driver = shop('UTC', { partitions });
    driver.send(supplies, 'OLD', supply('OLD', 1, NINE));
    sellOld(driver, 0, 40);
    const level = total(latest(driver, 'OLD'));
    driver.send(...replacing('NEW', 'OLD', NINE + 39 * DAY, { stock: 2 }));
    driver.tick(NINE + 39 * DAY + HOUR);
    expect(total(latest(driver, 'NEW'))).toBeGreaterThan(0.9 * level);
    expect(total(latest(driver, 'NEW'))).toBeLessThan(1.1 * level);
    expect(total(latest(driver, 'OLD'))).toBe(0);
    const suggested = (sku: string) => driver.read(reorderSuggestions).findLast((one) => one.sku === sku)!;
    expect([suggested('OLD').units, suggested('NEW').units > 0]).toEqual([0, true]);
    const told = driver.read(forecasts).filter(({ sku }) => sku === 'OLD').length;
    for (let day = 40; day < 50; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'NEW', sale('NEW', 5, NINE + day * DAY));
    }
    expect(driver.read(forecasts).filter(({ sku }) => sku === 'OLD')).toHaveLength(told);
    expect(total(latest(driver, 'NEW')) / HORIZON_DAYS).toBeGreaterThan(4);
    expectSound(latest(driver, 'NEW'));
  });

  test.each([1, 3])('the new one goes on from the hours of the old one, with its own (%s partitions)', (partitions) => {
    const driver = hourly('UTC', 12, { partitions });
    sellOld(driver, 0, 40);
    const old = driver.row('demand-forecasts', hourRows, 'OLD')!;
    driver.send(sales, 'NEW', sale('NEW', 1, NINE + 39 * DAY + HOUR));
    driver.send(...replacing('NEW', 'OLD', NINE + 39 * DAY + HOUR));
    driver.tick(NINE + 39 * DAY + 2 * HOUR);
    const own = { at: Math.floor(NINE / DAY + 39) * 24 + 10, units: 1 };
    expect(driver.row('demand-forecasts', hourRows, 'NEW')).toEqual({ ...old, cells: [...old.cells, own] });
    expect(old.folded).toHaveLength(96);
  });

  test('what was said before history was loaded counts at the first sale, and that sale as well', () => {
    const driver = shop();
    driver.tick(NINE - HOUR);
    driver.send(...replacing('NEW', 'OLD', NINE - HOUR));
    sellOld(driver, 0, 40);
    expect(total(latest(driver, 'OLD'))).toBe(0);
    driver.send(sales, 'NEW', sale('NEW', 7, NINE + 39 * DAY));
    driver.tick(NINE + 39 * DAY + HOUR);
    expect(row(driver, 'NEW').units.at(-1)).toBe(5 + 7);
    expect(total(latest(driver, 'NEW')) / HORIZON_DAYS).toBeGreaterThan(4);
    const before = row(driver, 'NEW').units;
    driver.send(...replacing('NEW', 'OLD', NINE + 39 * DAY + 2 * HOUR, { stock: 3 }));
    expect(row(driver, 'NEW').units).toEqual(before);
  });

  test('who has a month of its own keeps it; taking back what was said brings the old one back', () => {
    const driver = shop();
    for (let day = 0; day < 40; day++) {
      driver.tick(NINE + day * DAY);
      for (const [sku, units] of [['OLD', 5], ['NEW', 1]] as const) driver.send(sales, sku, sale(sku, units, NINE + day * DAY));
    }
    const own = row(driver, 'NEW').units;
    driver.send(...replacing('NEW', 'OLD', NINE + 39 * DAY));
    driver.tick(NINE + 39 * DAY + HOUR);
    expect(row(driver, 'NEW').units).toEqual(own);
    expect(total(latest(driver, 'OLD'))).toBe(0);
    driver.send(...replacing('NEW', null, NINE + 39 * DAY + 2 * HOUR));
    driver.tick(NINE + 40 * DAY);
    expect(total(latest(driver, 'OLD')) / HORIZON_DAYS).toBeGreaterThan(4);
  });

  test('of two that replace each other the first one does; a SKU nobody knows is replaced by nobody', () => {
    const driver = shop();
    sellOld(driver, 0, 40);
    driver.send(...replacing('NEW', 'OLD', NINE + 39 * DAY));
    driver.send(...replacing('OLD', 'NEW', NINE + 39 * DAY + 1));
    driver.send(...replacing('OTHER', 'old', NINE + 39 * DAY));
    driver.tick(NINE + 39 * DAY + HOUR);
    expect([total(latest(driver, 'OLD')), total(latest(driver, 'NEW')) > 100]).toEqual([0, true]);
    expect(driver.row('demand-forecasts', demandRows, 'OTHER')).toBeUndefined();
    expect(driver.read(deadLetters).map(({ code, message }) => [code, message])).toEqual([
      ['replaces_ring', 'OLD cannot take the place of NEW, which takes that of OLD. Change the attribute "replaces" of one of them.'],
    ]);
  });

  const RING = [['A', 'B'], ['B', 'C'], ['C', 'A']] as const;
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] as const;
  test.each([1, 3].flatMap((partitions) => [true, false].map((atOnce) => ({ partitions, atOnce }))))(
    'what closes a ring is refused, in whatever order it is said, so that some of it is forecast ($partitions partitions, at once: $atOnce)', ({ partitions, atOnce }) => {
      for (const order of orders) {
        const driver = shop('UTC', { partitions });
        for (let day = 0; day < 10; day++) {
          driver.tick(NINE + day * DAY);
          for (const [sku] of RING) driver.send(sales, sku, sale(sku, 5, NINE + day * DAY));
        }
        // D leads into the ring, without being of it.
        const said = [...order.map((i) => RING[i]!), ['D', 'A'] as const].map(([sku, old]) => replacing(sku, old, NINE + 9 * DAY));
        for (const [topic, sku, value] of said) {
          driver.write(topic.name, sku, topic.codec.encode(value));
          if (!atOnce) driver.run();
        }
        driver.tick(NINE + 9 * DAY + HOUR);
        const forecast = ['A', 'B', 'C', 'D'].map((sku) => (driver.row('demand-forecasts', demandRows, sku) ? total(latest(driver, sku)) : 0));
        expect(forecast.some((units) => units > 0)).toBe(true);
        expect(driver.read(deadLetters).every(({ code }) => code === 'replaces_ring')).toBe(true);
        expect(driver.read(deadLetters).length).toBeGreaterThan(0);
      }
    });

  test.each([1, 3])('in a line of SKUs each of which replaces the one before, the newest has the demand (%s partitions)', (partitions) => {
    const driver = shop('UTC', { partitions });
    sellOld(driver, 0, 40);
    for (const [sku, old] of [['V2', 'OLD'], ['V3', 'V2'], ['V4', 'V3']] as const) driver.send(...replacing(sku, old, NINE + 39 * DAY));
    driver.tick(NINE + 39 * DAY + HOUR);
    expect(total(latest(driver, 'V4')) / HORIZON_DAYS).toBeGreaterThan(4);
    expect(['OLD', 'V2', 'V3'].map((sku) => total(latest(driver, sku)))).toEqual([0, 0, 0]);
    expect(driver.read(deadLetters)).toEqual([]);
  });

  test('who asks to be told, while others are asked, and changes its mind is not followed', () => {
    const driver = shop('UTC', { partitions: 3 });
    sellOld(driver, 0, 40);
    driver.send(...replacing('OLD', 'OLDER', NINE + 39 * DAY));
    for (const old of ['OLD', null]) {
      const [topic, sku, value] = replacing('NEW', old, NINE + 39 * DAY + 1);
      driver.write(topic.name, sku, topic.codec.encode(value));
    }
    driver.run();
    driver.tick(NINE + 39 * DAY + HOUR);
    expect(total(latest(driver, 'OLD')) / HORIZON_DAYS).toBeGreaterThan(4);
  });
});
