import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { HORIZON_DAYS } from '../../consumers/demand/forecast.js';
import { live, replayed } from '../../consumers/demand/publication.js';
import { LEVELS, windowRows } from '../../consumers/demand/rows.js';
import { isoDay, shopDays } from '../../pipeline/core/shop-day.js';
import { deadLetters, forecasts, reorderSuggestions, sales, supplies } from '../../schemas/topics.js';
import { expectSound, hourly, latest, row, shop, total } from '../support/demand.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

describe('publication', () => {
  test('a forecast has every day and level, nowhere negative or crossing', () => {
    const driver = shop();
    driver.tick(NINE - MINUTE);
    for (let day = 0; day < 40; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', 3 + (day % 7), NINE + day * DAY));
    }
    const forecast = latest(driver, 'P');
    expectSound(forecast);
    expect(forecast.quantiles[0]).toHaveLength(LEVELS.length);
    expect(total(forecast) / HORIZON_DAYS).toBeGreaterThan(4);
    expect(total(forecast) / HORIZON_DAYS).toBeLessThan(8);
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

  test('a SKU that does not sell is published once a day, until nothing is left to tell', () => {
    const driver = shop();
    driver.tick(NINE);
    driver.send(sales, 'P', sale('P', 1, NINE));
    for (let hour = 1; hour <= 72; hour++) driver.tick(NINE + hour * HOUR);
    const made = driver.read(forecasts).map(({ madeAt, firstDay }) => [isoDay(Math.floor(madeAt / DAY)), isoDay(firstDay)]);
    expect(made).toEqual([['2026-03-02', '2026-03-03'], ['2026-03-03', '2026-03-04'], ['2026-03-04', '2026-03-05'], ['2026-03-05', '2026-03-06']]);
    for (let day = 3; day < 120; day++) driver.tick(NINE + day * DAY);
    const told = driver.read(forecasts).length;
    expect(told).toBeLessThan(70);
    for (let day = 120; day < 140; day++) driver.tick(NINE + day * DAY);
    expect(driver.read(forecasts)).toHaveLength(told);
    driver.send(sales, 'P', sale('P', 1, NINE + 139 * DAY));
    expect(driver.read(forecasts)).toHaveLength(told + 1);
  });

  test('on a file\'s clock a SKU is told about in the evening of the days on which it sold, with all that they sold, and else once a week', () => {
    const days = shopDays('UTC');
    const driver = new Driver([demandForecasts({ days, publication: replayed(days) })], { clock: 'file' });
    driver.tick(NINE);
    for (let i = 0; i < 5; i++) {
      driver.tick(NINE + i * HOUR);
      driver.send(sales, 'P', sale('P', 1, NINE + i * HOUR));
    }
    driver.tick(NINE + 2 * DAY);
    driver.send(sales, 'P', sale('P', 4, NINE + 2 * DAY));
    for (let day = 3; day < 20; day++) driver.tick(NINE + day * DAY);
    const made = driver.read(forecasts);
    expect(made.map(({ madeAt, firstDay }) => [isoDay(Math.floor(madeAt / DAY)), isoDay(firstDay)])).toEqual([
      ['2026-03-02', '2026-03-03'], ['2026-03-04', '2026-03-05'], ['2026-03-11', '2026-03-12'], ['2026-03-18', '2026-03-19'],
    ]);
    const evenings = made.map(({ madeAt }) => madeAt % DAY >= 23 * HOUR);
    expect(evenings).toEqual([true, true, true, true]);
    const whole = shop();
    whole.tick(made[0]!.madeAt);
    whole.send(sales, 'P', sale('P', 5, NINE));
    expect(made[0]!.mean).toEqual(latest(whole, 'P').mean);
  });

  test('a product taken out of the catalogue is forecast as nothing once, and no more', () => {
    const driver = shop();
    driver.tick(NINE);
    driver.send(sales, 'P', sale('P', 5, NINE));
    driver.tick(NINE + HOUR);
    driver.send(supplies, 'P', supply('P', null, NINE + HOUR, { deleted: true }));
    const told = driver.read(forecasts).length;
    expect(total(latest(driver, 'P'))).toBe(0);
    for (let day = 1; day < 5; day++) driver.tick(NINE + day * DAY);
    expect(driver.read(forecasts)).toHaveLength(told);
  });
});

describe('days', () => {
  test('an evening sale counts for the day of the shop, not of UTC (D02)', () => {
    const evening = Date.UTC(2026, 0, 1, 5, 50);
    const [chicago, utc] = [shop('America/Chicago'), shop('UTC')];
    for (const driver of [chicago, utc]) driver.send(sales, 'P1', sale('P1', 1, evening));
    expect([chicago, utc].map((driver) => isoDay(row(driver, 'P1').lastDay))).toEqual(['2025-12-31', '2026-01-01']);
  });

  test('days of 23 and of 25 hours are days like others', () => {
    const driver = shop('Europe/London');
    // Noon in London on the days around both changes of the clocks of 2026.
    for (const time of [Date.UTC(2026, 2, 28, 12), Date.UTC(2026, 2, 29, 0, 30), Date.UTC(2026, 2, 29, 22, 59), Date.UTC(2026, 2, 29, 23, 1)]) driver.send(sales, 'P', sale('P', 1, time));
    expect(row(driver, 'P').units).toEqual([1, 2, 1]);
    for (const time of [Date.UTC(2026, 9, 24, 23, 30), Date.UTC(2026, 9, 25, 23, 30), Date.UTC(2026, 9, 26, 0, 30)]) driver.send(sales, 'Q', sale('Q', 1, time));
    expect(row(driver, 'Q').units).toEqual([2, 1]);
  });

  test('another time zone from one day to the next moves no day that was counted', () => {
    const [before, after] = [shopDays('Asia/Tokyo'), shopDays('America/New_York')];
    const time = NINE + 12 * HOUR;
    let days = before;
    const changing = { dayOf: (at: number) => days.dayOf(at), startOf: (day: number) => days.startOf(day), offsetAt: (at: number) => days.offsetAt(at) };
    const driver = new Driver([demandForecasts({ days: changing, publication: live(changing, MINUTE) })]);
    driver.send(sales, 'P', sale('P', 1, time));
    days = after;
    driver.send(sales, 'P', sale('P', 1, time));
    expect(row(driver, 'P').units).toEqual([1, 1]);
    expect(before.dayOf(time)).toBe(after.dayOf(time) + 1);
  });
});

describe('corrections', () => {
  const soldOverWeeks = (driver: Driver, skus: readonly string[], weeks: number): void => {
    for (let day = 0; day < weeks * 7; day++) for (const [i, sku] of skus.entries()) if ((day * 7 + i * 3) % 4 < 2) driver.send(sales, sku, sale(sku, 1 + (day % 3), NINE + day * DAY));
  };

  test('a refund corrects the day of its order: the state is as if the units had never been sold', () => {
    const [sold, returned] = [shop(), shop()];
    for (let day = 0; day < 10; day++) for (const driver of [sold, returned]) driver.send(sales, 'P', sale('P', 2, NINE + day * DAY));
    returned.send(sales, 'P', sale('P', 5, NINE + 4 * DAY));
    returned.send(sales, 'P', sale('P', -5, NINE + 4 * DAY));
    expect(row(returned, 'P')).toEqual(row(sold, 'P'));
  });

  test('one unit of three comes back: the series is net, never four (D13), and the next day keeps its own (D07)', () => {
    const driver = shop();
    driver.send(sales, 'P1', sale('P1', 3, NINE));
    driver.send(sales, 'P1', sale('P1', -1, NINE));
    expect(row(driver, 'P1').units).toEqual([2]);
  });

  test('a cancellation before its order waits, and only cancellations forecast nothing', () => {
    const [first, only, plain] = [shop(), shop(), shop()];
    first.send(sales, 'P', sale('P', -2, NINE));
    first.send(sales, 'P', sale('P', 5, NINE));
    plain.send(sales, 'P', sale('P', 3, NINE));
    expect(row(first, 'P')).toEqual(row(plain, 'P'));
    for (let day = 0; day < 60; day++) only.send(sales, 'P', sale('P', -2, NINE + day * DAY));
    only.tick(NINE + 60 * DAY);
    expectSound(latest(only, 'P'));
    expect(total(latest(only, 'P'))).toBe(0);
  });

  test('a line two years late changes nothing, and is counted', () => {
    const driver = shop();
    soldOverWeeks(driver, ['P'], 8);
    const before = row(driver, 'P');
    driver.send(sales, 'P', sale('P', 100, NINE - 730 * DAY));
    expect(row(driver, 'P')).toEqual(before);
    expect(driver.count('millrace_late_sales_total')).toBe(1);
  });

  test('a correction within four weeks equals having known it, for the SKU, for the shop and for the forecast', () => {
    const skus = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];
    fc.assert(fc.property(
      fc.array(fc.record({ sku: fc.integer({ min: 0, max: 7 }), daysAgo: fc.integer({ min: 0, max: 27 }), units: fc.constantFrom(1, 2, 7) }), { minLength: 3, maxLength: 8 }),
      (late) => {
        const [known, corrected] = [shop(), shop()];
        const end = 56;
        for (let day = 0; day < end; day++) {
          skus.forEach((sku, i) => {
            if ((day * 7 + i * 3) % 4 >= 2 && day !== end - 1) return;
            for (const driver of [known, corrected]) driver.send(sales, sku, sale(sku, 1 + (day % 3), NINE + day * DAY));
          });
          for (const { sku, daysAgo, units } of late) if (end - 1 - daysAgo === day) known.send(sales, skus[sku]!, sale(skus[sku]!, units, NINE + day * DAY));
        }
        for (const { sku, daysAgo, units } of late) corrected.send(sales, skus[sku]!, sale(skus[sku]!, units, NINE + (end - 1 - daysAgo) * DAY));
        for (const driver of [known, corrected]) driver.tick(NINE + end * DAY);
        for (const sku of skus) {
          expect({ ...row(corrected, sku), publishedAt: 0 }).toEqual({ ...row(known, sku), publishedAt: 0 });
          const [a, b] = [latest(known, sku), latest(corrected, sku)];
          // What classes had learned of the days by then is not taken back: it moves weights, by a hair.
          b.mean.forEach((units, i) => expect(Math.abs(units - a.mean[i]!)).toBeLessThan(0.005 * (1 + a.mean[i]!)));
        }
        const [a, b] = [known, corrected].map((driver) => driver.row('demand-forecasts', windowRows, '')!);
        b!.made.forEach((made, i) => expect(made).toBeCloseTo(a!.made[i]!, 6));
        expect(b!.hits).toEqual(a!.hits);
      },
    ), { numRuns: 4, seed: 5 });
  });
});

test('crash anywhere equals no crash, and any batching equals one batch', () => {
  const steps = fc.array(fc.record({
    kind: fc.constantFrom('sale', 'sale', 'sale', 'stock', 'replace', 'tick'), sku: fc.integer({ min: 0, max: 9 }), hours: fc.integer({ min: 0, max: 40 }), units: fc.integer({ min: -2, max: 6 }), ago: fc.constantFrom(0, 0, 0, 3, 40),
  }), { maxLength: 60 });
  const play = (plan: readonly { kind: string; sku: number; hours: number; units: number; ago: number }[], options: DriverOptions): unknown => {
    const driver = hourly('Europe/London', 30, options);
    let time = NINE;
    driver.tick(time);
    for (const { kind, sku, hours, units, ago } of plan) {
      time += hours * HOUR;
      if (kind === 'tick') driver.tick(time);
      if (kind === 'stock') driver.send(supplies, `P${sku}`, supply(`P${sku}`, units, time, { sale: ago === 3 ? `${isoDay(Math.floor(time / DAY) - 1)}/${isoDay(Math.floor(time / DAY) + units + 2)}` : ago === 40 ? '' : null, leadTimeDays: units + 2 }));
      if (kind === 'replace') driver.send(supplies, `P${sku}`, supply(`P${sku}`, null, time, { replaces: units < 0 ? null : `P${units}`, deleted: ago === 40 }));
      if (kind === 'sale') {
        driver.tick(time);
        driver.send(sales, `P${sku}`, sale(`P${sku}`, units, time - ago * DAY));
      }
    }
    driver.tick(time + 8 * DAY);
    return [
      [forecasts, reorderSuggestions, deadLetters].map((topic) => driver.records(topic.name).filter(({ tick }) => !tick).map(({ key, value, partition }) => [partition, key, value?.toString('hex')])),
      driver.dump('demand-forecasts').filter((line) => !line.includes('_progress')),
    ];
  };
  fc.assert(fc.property(steps, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), fc.infiniteStream(fc.integer({ min: 1, max: 5 })), fc.constantFrom(1, 3), (plan, dice, sizes, partitions) => {
    const smooth = play(plan, { partitions });
    const crashing = play(plan, { partitions, crash: () => { const die = dice.next().value; return die === 0 ? 'lost' : die === 1 ? 'kept' : undefined; } });
    expect(crashing).toEqual(smooth);
    expect(play(plan, { partitions, batch: () => sizes.next().value })).toEqual(smooth);
  }), { numRuns: process.env['CI'] ? 20 : 6 });
});
