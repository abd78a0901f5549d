import { expect } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { HORIZON_DAYS } from '../../consumers/demand/forecast.js';
import { live } from '../../consumers/demand/publication.js';
import { demandRows } from '../../consumers/demand/rows.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { forecasts, sales } from '../../schemas/topics.js';
import type { Forecast } from '../../schemas/types.js';
import { Driver, type DriverOptions } from './driver.js';
import { DAY, MINUTE, NINE } from './events.js';
import { sale } from './sales.js';

/** A shop whose forecasts are told live, at most once a minute a SKU. */
export const shop = (timeZone = 'UTC', options: DriverOptions = {}, plan: Plan = new Map()): Driver => {
  const days = shopDays(timeZone);
  return new Driver([demandForecasts({ days, publication: live(days, MINUTE), plan })], options);
};

/** The same with so many hours of each SKU. */
export const hourly = (timeZone: string, hours: number, options: DriverOptions = {}): Driver => {
  const days = shopDays(timeZone);
  return new Driver([demandForecasts({ days, publication: live(days, MINUTE), hours })], options);
};

/** Days on which OLD sells five, from one on and before another; the first is 0. */
export function sellOld(driver: Driver, from: number, to: number): void {
  for (let day = from; day < to; day++) {
    driver.tick(NINE + day * DAY);
    driver.send(sales, 'OLD', sale('OLD', 5, NINE + day * DAY));
  }
}

/** The last forecast told of a SKU. */
export const latest = (driver: Driver, sku: string): Forecast => forecasts.codec.decode(driver.records(forecasts.name).findLast(({ key }) => key === sku)!.value!);

/** Units of all its days. */
export const total = ({ mean }: Forecast): number => mean.reduce((sum, units) => sum + units, 0);

/** The series of a SKU that is known. */
export const row = (driver: Driver, sku: string) => driver.row('demand-forecasts', demandRows, sku)!;

/** Every day has a mean and quantiles that do not cross, none below zero. */
export function expectSound({ mean, quantiles, low, high }: Forecast): void {
  expect([mean.length, quantiles.length, low.length, high.length]).toEqual([HORIZON_DAYS, HORIZON_DAYS, HORIZON_DAYS, HORIZON_DAYS]);
  const all = [...mean, ...quantiles.flat(), ...low, ...high];
  expect(all.every((units) => units >= 0 && Number.isFinite(units))).toBe(true);
  for (const day of quantiles) expect([...day].sort((a, b) => a - b)).toEqual(day);
  expect(low.every((units, i) => units <= high[i]!)).toBe(true);
}
