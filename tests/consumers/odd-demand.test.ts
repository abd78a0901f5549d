import { describe, expect, test } from 'vitest';
import { demandRows, mixtureRows, panelKey, panelRows } from '../../consumers/demand/rows.js';
import { deadLetters, demandForecasts as table, forecasts, sales } from '../../schemas/topics.js';
import { observedStores, Views } from '../../pipeline/serving/views.js';
import type { Forecast } from '../../schemas/types.js';
import { expectSound, latest, row, shop } from '../support/demand.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale } from '../support/sales.js';

describe('odd series', () => {
  test('a SKU that sold once neither breaks nor disturbs the others; one that never sold has no forecast (D09)', () => {
    const run = (skus: readonly string[]): Map<string, { mean: readonly number[]; quantiles: readonly (readonly number[])[] }> => {
      const driver = shop();
      driver.tick(NINE - MINUTE);
      for (let day = 0; day < 60; day++) {
        driver.tick(NINE + day * DAY);
        if (skus.includes('C')) driver.send(sales, 'C', sale('C', 3 + (day % 2), NINE + day * DAY));
        if (skus.includes('B') && day === 40) driver.send(sales, 'B', sale('B', 2, NINE + day * DAY));
      }
      return new Map(driver.read(forecasts).map(({ sku, mean, quantiles }) => [sku, { mean, quantiles }]));
    };
    const together = run(['A', 'B', 'C']);
    expect([...together.keys()].sort()).toEqual(['B', 'C']);
    const units = [...together.values()].flatMap(({ mean, quantiles }) => [...mean, ...quantiles.flat()]);
    expect(units.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
    for (const mean of together.get('B')!.mean) expect(mean).toBeLessThanOrEqual(0.5);
    expect(Math.max(...together.get('B')!.mean)).toBeGreaterThan(0);
    expect(together.get('C')).toEqual(run(['C']).get('C'));
  });

  test('in a shop of many SKUs the first sale of a day waits for some hundreds of forecasts that are left to be judged, not for thousands', () => {
    const driver = shop();
    const [SKUS, DAYS] = [28_000, 35];
    for (let i = 0; i < SKUS; i++) driver.put(sales, `S${i}`, sale(`S${i}`, 1, NINE));
    driver.run();
    const start = Math.floor(NINE / DAY);
    const views = new Views(observedStores(driver.openStore), 1);
    for (let day = 1; day <= DAYS; day++) driver.send(sales, 'S0', sale('S0', 1 + (day % 2), NINE + day * DAY));
    const left = Array.from({ length: DAYS }, (_, day) => views.subs(table, 0, panelRows, panelKey(start + day), '', SKUS).length).filter((count) => count > 0);
    expect(left.length).toBeGreaterThan(1);
    for (const count of left) {
      expect(count).toBeGreaterThan(100);
      expect(count).toBeLessThan(400);
    }
  });

  test('one order of a million units does not drown what the accuracy of its class says of the others', () => {
    const driver = shop();
    for (let day = 0; day < 110; day++) {
      for (let i = 0; i < 24; i++) {
        const sku = `S${i}`;
        // Twice a week each, on other days.
        if ((day + i) % 7 >= 2) continue;
        driver.send(sales, sku, sale(sku, i === 0 && day === 77 ? 1_000_000 : 1 + (day % 3), NINE + day * DAY));
      }
    }
    const { scores } = driver.row('demand-forecasts', mixtureRows, '')!;
    const { samples, forecast, actual } = scores.reduce((most, score) => (score.samples > most.samples ? score : most));
    expect(samples).toBeGreaterThan(100);
    expect(Math.abs((forecast - actual) / actual)).toBeLessThan(0.5);
  });

  test('ten years without a sale are forecast as next to nothing, in no time', () => {
    const driver = shop();
    driver.send(sales, 'P', sale('P', 4, NINE));
    driver.tick(NINE + 3_653 * DAY);
    driver.send(sales, 'Q', sale('Q', 4, NINE));
    // By processor time, which what else runs on the machine does not lengthen.
    const began = process.cpuUsage();
    driver.send(sales, 'P', sale('P', 0, NINE + 3_653 * DAY));
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1_000).toBeLessThan(1_000);
    expectSound(latest(driver, 'P'));
    expect(Math.max(...latest(driver, 'P').mean)).toBeLessThan(0.1);
  });

  test.each([['a billion units', [1e9]], ['fractions', [0.1, 0.2, -0.3, 0.7]], ['a negative quantity', [3, -10, 4]], ['more than was ever sold', [1, 1e12, -1e12, 2]]])('%s give sound quantiles', (_, quantities) => {
    const driver = shop();
    driver.tick(NINE);
    for (let day = 0; day < 30; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', 2, NINE + day * DAY));
      if (day === 20) for (const quantity of quantities) driver.send(sales, 'P', sale('P', quantity, NINE + day * DAY));
    }
    driver.tick(NINE + 40 * DAY);
    expect(driver.read(forecasts).length).toBeGreaterThan(20);
    for (const forecast of driver.read(forecasts)) expectSound(forecast);
  });

  test('a day on which more came back than was sold is one without demand, not one of less', () => {
    const forecastOf = (...ofDay20: number[]): Forecast => {
      const driver = shop();
      for (let day = 0; day < 60; day++) {
        driver.tick(NINE + day * DAY);
        for (const quantity of day === 20 || day === 50 ? ofDay20 : [2]) driver.send(sales, 'P', sale('P', quantity, NINE + day * DAY));
      }
      return latest(driver, 'P');
    };
    const [less, none] = [forecastOf(3, -10), forecastOf(3, -3)];
    expectSound(less);
    expect([less.mean, less.quantiles]).toEqual([none.mean, none.quantiles]);
  });

  test.each([NaN, Infinity, 1e13])('a sale of %s units is refused', (quantity) => {
    const driver = shop();
    driver.send(sales, 'P', sale('P', quantity, NINE));
    expect(driver.read(deadLetters)).toMatchObject([{ code: 'bad_quantity' }]);
    expect(driver.row('demand-forecasts', demandRows, 'P')).toBeUndefined();
  });

  test.each([['tomorrow', 13 * HOUR, NINE], ['the day after tomorrow', 2 * DAY, NINE], ['tomorrow, by a clock of a writer that stood still meanwhile', DAY, NINE - DAY]])('a sale dated %s is of the day on which it is written: no day opens before it begins', (_, ahead, writtenAt) => {
    const live = (told: (driver: Driver) => void): Driver => {
      const driver = shop();
      for (let day = -30; day <= 0; day++) {
        driver.tick(NINE + day * DAY);
        for (const sku of ['P', 'Q']) driver.send(sales, sku, sale(sku, 4, NINE + day * DAY));
      }
      told(driver);
      driver.tick(NINE + HOUR);
      driver.send(sales, 'Q', sale('Q', 2, NINE + HOUR));
      driver.tick(NINE + 2 * HOUR);
      return driver;
    };
    const driver = live((open) => open.send(sales, 'P', sale('P', 1, NINE + ahead), writtenAt));
    const honest = live((open) => open.send(sales, 'P', sale('P', 1, NINE)));
    for (const sku of ['P', 'Q']) expect(latest(driver, sku)).toEqual(latest(honest, sku));
    expect(latest(driver, 'Q').firstDay).toBe(Math.floor(NINE / DAY) + 1);
    expect(row(driver, 'P').lastDay).toBe(Math.floor(NINE / DAY));
    expect(driver.read(deadLetters)).toEqual([]);
    expect(driver.count('millrace_times_clamped_total')).toBe(1);
  });

  test('sales of days on which no task ran, and time stood still, count on their days', () => {
    const driver = shop();
    driver.tick(NINE);
    for (let day = 0; day < 5; day++) driver.send(sales, 'P', sale('P', day + 1, NINE + day * DAY));
    driver.tick(NINE + 4 * DAY + MINUTE);
    expect(row(driver, 'P').units).toEqual([1, 2, 3, 4, 5]);
    expect(driver.read(deadLetters)).toEqual([]);
  });

  test('the first sales of a day come a moment before its tick', () => {
    const driver = shop();
    const midnight = NINE + 15 * HOUR;
    driver.tick(midnight - MINUTE);
    driver.send(sales, 'P', sale('P', 1, midnight - MINUTE));
    driver.tick(midnight - 1);
    driver.send(sales, 'P', sale('P', 2, midnight));
    expect(row(driver, 'P').units).toEqual([1, 2]);
  });

  test('SKUs that differ by case, or by a space within, are different SKUs', () => {
    const driver = shop();
    for (const [i, sku] of ['p1', 'P1', 'P 1'].entries()) driver.send(sales, sku, sale(sku, i + 1, NINE));
    expect(['p1', 'P1', 'P 1'].map((sku) => row(driver, sku).units)).toEqual([[1], [2], [3]]);
  });

  test('on a closed day nothing is forecast, and nothing is learned of it', () => {
    const christmas = Math.floor(NINE / DAY) + 30;
    const driver = shop('UTC', {}, new Map([[christmas, { kind: 'closed', name: 'closed' }]]));
    driver.tick(NINE);
    for (let day = 0; day < 30; day++) {
      driver.tick(NINE + day * DAY);
      if (day < 29) driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
    }
    const { mean, firstDay } = latest(driver, 'P');
    expect(mean[christmas - firstDay]).toBe(0);
    expect(mean[christmas - firstDay + 1]).toBeGreaterThan(3);
  });
});
