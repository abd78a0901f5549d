import { expect, test } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { replayed } from '../../consumers/demand/publication.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import { isoDay, shopDays } from '../../pipeline/core/shop-day.js';
import { forecasts, sales, supplies } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

const days = shopDays('UTC');
const today = Math.floor(NINE / DAY);
const skus = Array.from({ length: 16 }, (_, i) => `P${i}`);

/** A shop in which all sell four a day but as is said, and of which the last eight SKUs are on sale on the days given; answers what is forecast of a day on the evening before. */
function shop(unitsOf: (sku: string, day: number) => number, plan: Plan, onSale: readonly number[], length: number): (sku: string) => number {
  const driver = new Driver([demandForecasts({ days, publication: replayed(days), plan })], { clock: 'file' });
  for (let day = 0; day < length; day++) {
    driver.tick(NINE + day * DAY);
    for (const sku of skus) {
      if (skus.indexOf(sku) > 7 && onSale.includes(day)) {
        driver.send(supplies, sku, supply(sku, null, NINE + day * DAY, { sale: `${isoDay(today + day)}/${isoDay(today + day + 2)}` }));
      }
      driver.send(sales, sku, sale(sku, unitsOf(sku, day), NINE + day * DAY));
    }
  }
  driver.tick(NINE + (length - 1) * DAY + 14 * HOUR + 30 * MINUTE);
  const made = driver.read(forecasts);
  return (sku) => {
    const forecast = made.findLast((one) => one.sku === sku)!;
    return forecast.mean[today + length - forecast.firstDay]!;
  };
}

const party = [60, 90];
const plan: Plan = new Map(party.map((day) => [today + day, { kind: 'promotion', name: 'Party' }]));

test('a planned day that sold five times as much is expected at nearly that when it comes again', () => {
  const forecast = shop((_, day) => (party.includes(day) ? 20 : 4), plan, [], 90);
  for (const sku of ['P0', 'P9']) {
    expect(forecast(sku)).toBeGreaterThan(15);
    expect(forecast(sku)).toBeLessThan(24);
  }
});

test('a promotion of five times as much is forecast at nearly that after the second one', () => {
  const starts = [40, 60, 80];
  const isOn = (day: number): boolean => starts.some((start) => day >= start && day < start + 3);
  const forecast = shop((sku, day) => (skus.indexOf(sku) > 7 && isOn(day) ? 20 : 4), new Map(), starts, 81);
  expect(forecast('P13')).toBeGreaterThan(16);
  expect(forecast('P13')).toBeLessThan(24);
  expect(forecast('P0')).toBeCloseTo(4, 0);
});

test('one bulk order on a planned day, or of a SKU on sale, is neither what the day is worth nor the promotion', () => {
  const bulk = (sku: string, day: number): number => (day === 60 && (sku === 'P3' || sku === 'P15') ? 4_000 : 4);
  const onDay = shop(bulk, plan, [], 90);
  expect(onDay('P0')).toBeCloseTo(4, 0);
  const onSale = shop(bulk, new Map(), [60, 88], 89);
  expect(onSale('P13')).toBeLessThan(1.2 * onSale('P0'));
});
