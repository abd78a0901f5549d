import { describe, expect, test } from 'vitest';
import { hourRows, shopHourRows } from '../../consumers/demand/hours.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { sales, supplies } from '../../schemas/topics.js';
import { hourly, latest, row, shop } from '../support/demand.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

describe('hours', () => {
  /** Sells at some hours of UTC on each of so many days before one. */
  const sellBefore = (driver: Driver, day: number, count: number, hours: readonly number[]): void => {
    for (let d = day - count; d < day; d++) {
      for (const hour of hours) {
        driver.tick(d * DAY + hour * HOUR);
        driver.send(sales, 'P', sale('P', 2, d * DAY + hour * HOUR));
      }
    }
  };
  const dayOf = (date: string): number => Date.parse(`${date}T00:00Z`) / DAY;
  const sumOf = (units: readonly { mean: number }[]): number => units.reduce((sum, { mean }) => sum + mean, 0);

  test('are not kept, and not published, unless they are asked for', () => {
    const driver = shop();
    sellBefore(driver, 20_000, 3, [9, 15]);
    expect(latest(driver, 'P').hours).toEqual([]);
    expect(driver.dump('demand-forecasts').filter((line) => line.includes('hours'))).toEqual([]);
  });

  test('of the shop tell what part of a day\'s demand came before the shelf was empty; without them its clock does', () => {
    const [known, clock] = [hourly('UTC', 24), shop()].map((driver) => {
      sellBefore(driver, 20_000, 40, [9, 15]);
      driver.send(supplies, 'P', supply('P', 0, 20_000 * DAY + 18 * HOUR));
      return row(driver, 'P').shortages[0]!.from - 20_000;
    });
    expect(clock).toBeCloseTo(0.75, 9);
    expect(known).toBeGreaterThan(0.95);
    expect(known).toBeLessThan(1);
  });

  test('that hardly ever sell are the end of their day: what is sold in them was not sold out before', () => {
    const driver = hourly('UTC', 24);
    sellBefore(driver, 20_000, 60, Array.from({ length: 10 }, (_, i) => 8 + i));
    driver.send(supplies, 'P', supply('P', 0, 20_000 * DAY + 12 * HOUR));
    driver.send(sales, 'P', sale('P', 1, 20_001 * DAY - 1));
    expect(row(driver, 'P').shortages).toEqual([{ from: 20_001, to: null }]);
  });

  test.each([
    ['Europe/London', '2011-03-27', 23, 22], ['Europe/London', '2011-10-30', 25, 22], ['Australia/Lord_Howe', '2011-04-03', 25, 12], ['Australia/Lord_Howe', '2011-10-02', 24, 12], ['Europe/London', '2011-06-01', 24, 22],
  ])('of a day whose clocks change add up to it: %s, %s has %s', (timeZone, date, count, evening) => {
    const day = dayOf(date);
    const days = shopDays(timeZone);
    const driver = hourly(timeZone, 60);
    sellBefore(driver, day - 1, 40, [1, 5, 6]);
    // The evening before, in the last hour but one or the last.
    driver.tick((day - 1) * DAY + evening * HOUR + 40 * MINUTE);
    driver.send(sales, 'P', sale('P', 1, (day - 1) * DAY + evening * HOUR));
    const { mean, firstDay, hours } = latest(driver, 'P');
    const ofDay = hours.filter(({ start }) => days.dayOf(start) === day);
    expect(ofDay).toHaveLength(count);
    expect(sumOf(ofDay)).toBeCloseTo(mean[day - firstDay]!, 3);
    expect(new Set(hours.map(({ start }) => start)).size).toBe(60);
  });

  test('that are left of the running day share what is left of it', () => {
    const driver = hourly('UTC', 24);
    sellBefore(driver, 20_000, 60, [9, 15]);
    const leftAt = (hour: number): number => {
      driver.tick(20_000 * DAY + hour * HOUR);
      driver.send(sales, 'P', sale('P', 2, 20_000 * DAY + hour * HOUR - MINUTE));
      return sumOf(latest(driver, 'P').hours.filter(({ start }) => start < 20_001 * DAY));
    };
    const [morning, noon, evening] = [leftAt(8), leftAt(12), leftAt(17)];
    expect(morning).toBeGreaterThan(2.5);
    expect(noon / morning).toBeGreaterThan(0.35);
    expect(noon / morning).toBeLessThan(0.8);
    expect(evening / morning).toBeLessThan(0.2);
  });

  test('are those of the order: a refund, a cancellation and a late line leave what knowing them would have left', () => {
    const [known, corrected] = [hourly('Europe/London', 12), hourly('Europe/London', 12)];
    for (const driver of [known, corrected]) sellBefore(driver, 20_000, 40, [9, 15]);
    const at = 20_000 * DAY;
    for (const [driver, late] of [[known, true], [corrected, false]] as const) {
      driver.tick(at + 8 * HOUR);
      driver.send(sales, 'P', sale('P', late ? 1 : 5, at + 8 * HOUR));
      if (!late) driver.send(sales, 'P', sale('P', 3, at - 20 * DAY + 11 * HOUR));
      driver.send(sales, 'P', sale('P', 2, at - 9 * DAY + 13 * HOUR));
    }
    corrected.send(sales, 'P', sale('P', -3, at - 20 * DAY + 11 * HOUR));
    corrected.send(sales, 'P', sale('P', -4, at + 8 * HOUR));
    expect(corrected.row('demand-forecasts', hourRows, 'P')).toEqual(known.row('demand-forecasts', hourRows, 'P'));
    const [a, b] = [known, corrected].map((driver) => driver.row('demand-forecasts', shopHourRows, '')!);
    b!.hits.forEach((hits, i) => expect(hits).toBeCloseTo(a!.hits[i]!, 9));
    // A forecast made from then on knows no difference.
    for (const driver of [known, corrected]) driver.tick(at + 9 * HOUR + 30 * MINUTE);
    expect(latest(corrected, 'P')).toEqual(latest(known, 'P'));
  });
});
