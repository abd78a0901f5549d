import { expect, test } from 'vitest';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { sales, supplies } from '../../schemas/topics.js';
import { latest, shop } from '../support/demand.js';
import type { Driver } from '../support/driver.js';
import { DAY, HOUR } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

const BERLIN = shopDays('Europe/Berlin');
/** 2026-03-29, of 23 hours: ten in the morning UTC is noon, eleven hours after its midnight. */
const SHORT = Date.UTC(2026, 2, 29) / DAY;
const at = (day: number, hour: number): number => (SHORT + day) * DAY + hour * HOUR;

/** A shop in Berlin that has sold TEA, and has told on how many units there are. */
function stocked(): Driver {
  const driver = shop('Europe/Berlin');
  driver.send(supplies, 'TEA', supply('TEA', 5, at(-8, 8)));
  driver.send(sales, 'TEA', sale('TEA', 2, at(-8, 9)));
  driver.tick(at(-8, 10));
  return driver;
}

function told(driver: Driver, units: number, time: number): void {
  driver.send(supplies, 'TEA', supply('TEA', units, time));
  driver.tick(time + HOUR);
}

/** What the last forecast tells: days from SHORT, and the part of each on sale. */
const shortDays = (driver: Driver) => latest(driver, 'TEA').shortDays.map(({ day, onSale }) => [day - SHORT, onSale]);

test('a forecast tells which days were short, and of an empty shelf those to come while it stands', () => {
  const driver = stocked();
  expect(shortDays(driver)).toEqual([]);
  told(driver, 0, at(0, 10));
  expect(shortDays(driver)).toEqual([[0, 0.4783], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [6, 0]]);
  told(driver, 10, at(1, 10));
  expect(shortDays(driver)).toEqual([[0, 0.4783], [1, 0.5]]);
});

test('a line that comes late says that it was there until then', () => {
  const driver = stocked();
  told(driver, 0, at(0, 10));
  told(driver, 10, at(1, 10));
  driver.send(sales, 'TEA', sale('TEA', 1, at(0, 13)), at(1, 12));
  driver.tick(at(1, 12));
  expect(shortDays(driver)).toEqual([[0, 0.6087], [1, 0.5]]);
});

test('a day is told for the four weeks after it, each in its last forecast', () => {
  const driver = stocked();
  told(driver, 0, at(0, 10));
  told(driver, 10, at(1, 10));
  for (let day = 2; day <= 28; day++) {
    driver.tick(BERLIN.startOf(SHORT + day) + 2 * HOUR);
    expect(latest(driver, 'TEA').firstDay).toBe(SHORT + day + 1);
    expect(shortDays(driver)).toEqual(day === 28 ? [[1, 0.5]] : [[0, 0.4783], [1, 0.5]]);
  }
});

test('a day of which more than 95 % was on sale is none, as where accuracy is watched', () => {
  const driver = stocked();
  told(driver, 0, at(0, 21.5));
  told(driver, 10, at(0, 22));
  expect(shortDays(driver)).toEqual([]);
});

test('a forecast tells the category of its SKU as the catalogue has it then', () => {
  const driver = stocked();
  expect(latest(driver, 'TEA').category).toBeNull();
  for (const [i, category] of ['Home > Kitchen', 'Drinks', null].entries()) {
    driver.send(supplies, 'TEA', supply('TEA', 5, at(-7, 8 + i), { category }));
    driver.tick(at(-7, 8.5 + i));
    expect(latest(driver, 'TEA').category).toBe(category);
  }
});
