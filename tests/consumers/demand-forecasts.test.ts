import { expect, test } from 'vitest';
import { demandForecasts, demandStates, HORIZON_DAYS, LEVELS } from '../../consumers/demand-forecasts.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { forecasts, sales } from '../../schemas/topics.js';
import type { Sale } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, MINUTE, NINE } from '../support/events.js';

const sale = (sku: string, quantity: number, time: number): Sale => ({
  sku, orderId: 'O', line: 0, kind: quantity < 0 ? 'refund' : 'sale', time, reportedAt: time, receivedAt: time, quantity, price: 10_000n, amount: 0n, currency: 'EUR', shopper: null, country: null, source: null,
});
const shop = (timeZone = 'UTC'): Driver => new Driver([demandForecasts({ days: shopDays(timeZone), publishEveryMs: MINUTE })]);

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
  expect(together.get('C')).toEqual(run(['C']).get('C'));
});

test('a forecast has every day and level, nowhere negative or crossing', () => {
  const driver = shop();
  driver.tick(NINE - MINUTE);
  for (let day = 0; day < 40; day++) {
    driver.tick(NINE + day * DAY);
    driver.send(sales, 'P', sale('P', 3 + (day % 7), NINE + day * DAY));
  }
  const forecast = driver.read(forecasts).at(-1)!;
  expect(forecast.mean).toHaveLength(HORIZON_DAYS);
  for (const quantiles of forecast.quantiles) {
    expect(quantiles).toHaveLength(LEVELS.length);
    expect([...quantiles].sort((a, b) => a - b)).toEqual(quantiles);
    expect(quantiles.every((units) => units >= 0 && Number.isFinite(units))).toBe(true);
  }
  expect(forecast.mean.reduce((sum, units) => sum + units, 0)).toBeGreaterThan(0);
});

test('a SKU is published at most once a minute, and the last sale is not forgotten', () => {
  const driver = shop();
  driver.tick(NINE);
  for (let i = 0; i < 20; i++) driver.send(sales, 'P', sale('P', 1, NINE + i));
  expect(driver.read(forecasts)).toHaveLength(1);
  driver.tick(NINE + MINUTE);
  driver.tick(NINE + 10 * MINUTE);
  expect(driver.read(forecasts)).toHaveLength(2);
});

test('a refund corrects the day of its order: the state is as if the units had never been sold', () => {
  const [sold, returned] = [shop(), shop()];
  for (let day = 0; day < 10; day++) for (const driver of [sold, returned]) driver.send(sales, 'P', sale('P', 2, NINE + day * DAY));
  returned.send(sales, 'P', sale('P', 5, NINE + 4 * DAY));
  returned.send(sales, 'P', sale('P', -5, NINE + 4 * DAY));
  expect(returned.row('demand-forecasts', demandStates, 'P')!.recent).toEqual(sold.row('demand-forecasts', demandStates, 'P')!.recent);
});

test('an evening sale counts for the day of the shop, not of UTC (D02)', () => {
  const evening = Date.UTC(2026, 0, 1, 5, 50);
  const [chicago, utc] = [shop('America/Chicago'), shop('UTC')];
  for (const driver of [chicago, utc]) driver.send(sales, 'P1', sale('P1', 1, evening));
  const day = (driver: Driver): string => new Date(driver.row('demand-forecasts', demandStates, 'P1')!.lastDay * DAY).toISOString().slice(0, 10);
  expect([day(chicago), day(utc)]).toEqual(['2025-12-31', '2026-01-01']);
});

test('ten years without a sale cost no more than two, and forecast next to nothing', () => {
  const driver = shop();
  driver.send(sales, 'P', sale('P', 4, NINE));
  driver.tick(NINE + 3_653 * DAY);
  driver.send(sales, 'Q', sale('Q', 4, NINE));
  const { mean } = driver.read(forecasts).at(-1)!;
  expect(Math.max(...mean)).toBeLessThan(0.01);
});
