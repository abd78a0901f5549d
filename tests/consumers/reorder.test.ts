import { describe, expect, test } from 'vitest';
import { HORIZON_DAYS } from '../../consumers/demand/forecast.js';
import { cycleRows, stockScoreRows } from '../../consumers/demand/stock-cycle.js';
import { reorderSuggestions, sales, supplies } from '../../schemas/topics.js';
import type { Supply } from '../../schemas/types.js';
import { latest, row, shop, total } from '../support/demand.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

describe('stock', () => {
  const days14 = (driver: Driver, sku: string): void => {
    for (let day = 0; day < 14; day++) driver.send(sales, sku, sale(sku, 5, NINE + day * DAY));
  };

  test('days without stock are not days without demand (D23)', () => {
    const driver = shop();
    driver.send(supplies, 'S', supply('S', 1000, NINE));
    driver.send(supplies, 'Z', supply('Z', 1000, NINE));
    for (const sku of ['S', 'Z']) days14(driver, sku);
    driver.send(supplies, 'S', supply('S', 0, NINE + 13 * DAY + 14 * HOUR));
    driver.send(supplies, 'S', supply('S', 100, NINE + 27 * DAY + 14 * HOUR));
    driver.tick(NINE + 27 * DAY + 14.5 * HOUR);
    const short = row(driver, 'S').shortages;
    expect(short.map(({ from, to }) => to! - from)).toEqual([expect.closeTo(14, 9)]);
    const [s, z] = [latest(driver, 'S'), latest(driver, 'Z')].map(total).map((units) => units / HORIZON_DAYS);
    expect(s).toBeGreaterThan(4);
    expect(s).toBeLessThan(6);
    expect(z).toBeLessThan(0.7 * s!);
    expect(z).toBeGreaterThanOrEqual(0);
  });

  test('and so it is where stock is read before the sales, or between them: they come by other ways', () => {
    const told = [supply('S', 1000, NINE), supply('S', 0, NINE + 13 * DAY + 14 * HOUR), supply('S', 100, NINE + 27 * DAY + 14 * HOUR)] as const;
    const read = [14, 0, 3, 13].map((before) => {
      const driver = shop();
      for (let day = 0; day < 14; day++) {
        if (day === before) for (const one of told) driver.send(supplies, 'S', one);
        driver.send(sales, 'S', sale('S', 5, NINE + day * DAY));
      }
      if (before === 14) for (const one of told) driver.send(supplies, 'S', one);
      driver.tick(NINE + 27 * DAY + 14.5 * HOUR);
      return { shortages: row(driver, 'S').shortages, units: total(latest(driver, 'S')) };
    });
    expect(read[0]!.units).toBeGreaterThan(4 * HORIZON_DAYS);
    for (const one of read) expect(one).toEqual(read[0]);
  });

  test('what is sold out at ten each morning is not forecast as what it sold', () => {
    const driver = shop();
    const midnight = NINE - 9 * HOUR;
    for (let day = 0; day < 60; day++) {
      driver.send(supplies, 'S', supply('S', 8, midnight + day * DAY));
      driver.send(sales, 'S', sale('S', 8, midnight + day * DAY + 9 * HOUR));
      driver.send(supplies, 'S', supply('S', 0, midnight + day * DAY + 10 * HOUR));
    }
    driver.tick(midnight + 60 * DAY);
    const aDay = total(latest(driver, 'S')) / HORIZON_DAYS;
    expect(aDay).toBeGreaterThan(16);
    expect(aDay).toBeLessThan(24);
  });

  test('what to order covers lead time and review at the service level, in whole packs, and says so', () => {
    const driver = shop();
    driver.tick(NINE);
    driver.send(supplies, 'P', supply('P', 10, NINE, { leadTimeDays: 7, reviewDays: 7, serviceLevel: 0.95, packSize: 12 }));
    for (let day = 0; day < 21; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
    }
    const suggestion = driver.read(reorderSuggestions).at(-1)!;
    expect(suggestion.units % 12).toBe(0);
    expect(suggestion.units).toBeGreaterThan(40);
    expect(suggestion.reasons[0]!.text).toMatch(/^Covers 14 days at 95 %/);
    expect(suggestion).toMatchObject({ stock: 10, leadTimeDays: 7, reviewDays: 7, serviceLevel: 0.95 });
  });

  test('a suggestion is made once a day, again when it changes, and taken back when the goods come', () => {
    const driver = shop();
    driver.tick(NINE);
    driver.send(supplies, 'P', supply('P', 0, NINE));
    for (let i = 0; i < 30; i++) {
      driver.send(sales, 'P', sale('P', 3, NINE));
      driver.tick(NINE + i * MINUTE);
    }
    const today = driver.read(reorderSuggestions);
    expect(new Set(today.map(({ units }) => units)).size).toBe(today.length);
    driver.tick(NINE + HOUR);
    driver.send(supplies, 'P', supply('P', 10_000, NINE + HOUR));
    expect(driver.read(reorderSuggestions).at(-1)).toMatchObject({ units: 0, reasons: [{ code: 'enough' }] });
    const told = driver.read(reorderSuggestions).length;
    for (let day = 1; day < 4; day++) driver.tick(NINE + day * DAY);
    expect(driver.read(reorderSuggestions)).toHaveLength(told);
  });

  test.each([
    ['a lead time of 0', { leadTimeDays: 0, reviewDays: 0 }, false], ['a shortage that costs nothing', { shortageCost: 0, excessCost: 1 }, false],
    ['a shortage that must not be', { shortageCost: Infinity, excessCost: 1 }, true], ['costs of nothing', { shortageCost: 0, excessCost: 0 }, true],
  ])('%s has a clear answer', (_, terms, orders) => {
    const driver = shop();
    driver.tick(NINE);
    driver.send(supplies, 'P', supply('P', 0, NINE, terms));
    for (let day = 0; day < 21; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
    }
    const suggested = driver.read(reorderSuggestions).at(-1);
    const ordered = suggested?.units ?? 0;
    expect([Number.isFinite(ordered), ordered > 0]).toEqual([true, orders]);
  });
});

describe('what to order', () => {
  /** A steady seller of five a day, `count` days long. */
  const steadily = (driver: Driver, count: number, terms: Partial<Supply>, stock = 10): void => {
    driver.tick(NINE);
    driver.send(supplies, 'P', supply('P', stock, NINE, terms));
    for (let day = 0; day < count; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
    }
  };
  const last = (driver: Driver) => driver.read(reorderSuggestions).at(-1)!;

  test('a level that was too low is corrected by what the cycles cost, and the suggestion says so', () => {
    const [early, learned] = [shop(), shop()];
    steadily(early, 12, { leadTimeDays: 2, reviewDays: 1, serviceLevel: 0.25 }, 1);
    expect(last(early).reasons.map(({ code }) => code)).not.toContain('learned');
    steadily(learned, 80, { leadTimeDays: 2, reviewDays: 1, serviceLevel: 0.25 }, 1);
    const reason = last(learned).reasons.find(({ code }) => code === 'learned')!;
    expect(reason.text).toMatch(/^Raised by [\d.]+ units by what \d+ cycles have cost: [\d.]+ % less than without/);
    expect(last(learned).upTo).toBeGreaterThan(last(early).upTo);
    expect([last(learned).upTo, last(learned).demand].map((units) => Number(units.toFixed(4)))).toEqual([last(learned).upTo, last(learned).demand]);
    const score = learned.row('demand-forecasts', stockScoreRows, '')!;
    expect(score.cycles).toBeGreaterThan(15);
    expect(score.served).toBeLessThan(score.textbook);
  });

  test('a day of a cycle on which more came back than was sold counts as an empty one', () => {
    const [refunded, quiet] = [-9, 0].map((units) => {
      const driver = shop();
      driver.tick(NINE);
      driver.send(supplies, 'P', supply('P', 10, NINE, { leadTimeDays: 4, reviewDays: 2 }));
      for (let day = 0; day < 40; day++) {
        driver.tick(NINE + day * DAY);
        driver.send(sales, 'P', sale('P', day % 5 === 4 ? units : 5, NINE + day * DAY));
      }
      expect(driver.row('demand-forecasts', cycleRows, 'P')!.cycles).toBeGreaterThan(3);
      return [driver.row('demand-forecasts', cycleRows, 'P'), driver.row('demand-forecasts', stockScoreRows, '')];
    });
    expect(refunded).toEqual(quiet);
  });

  test('a newsvendor\'s days count down to the last on which it sells, and nothing is ordered after it', () => {
    const driver = shop();
    const today = Math.floor(NINE / DAY);
    steadily(driver, 20, { policy: 'newsvendor', sellUntil: today + 24, coverDays: 14, leadTimeDays: 1 }, 1);
    const daysAt = new Map(driver.read(reorderSuggestions).map(({ day, reasons }) => [day - today, Number(/^Covers (\d+) days/.exec(reasons[0]!.text)?.[1])]));
    for (const day of [1, 10, 19]) expect(daysAt.get(day)).toBe(24 - day);
    expect(driver.row('demand-forecasts', cycleRows, 'P')).toMatchObject({ from: today + 5, days: 20 });
    for (let day = 20; day < 30; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
    }
    expect(driver.read(reorderSuggestions).filter(({ day, units }) => day >= today + 24 && units > 0)).toEqual([]);
    // What the season's last cycle cost is known once it is over, though no other begins.
    expect(driver.row('demand-forecasts', cycleRows, 'P')).toMatchObject({ days: 0, cycles: 1 });
    expect(driver.row('demand-forecasts', stockScoreRows, '')!.cycles).toBe(1);
  });

  test('a reorder point learns from, and corrects, the demand of its lead time alone', () => {
    const driver = shop();
    const terms = { policy: 'reorder-point', leadTimeDays: 3, coverDays: 14, serviceLevel: 0.25 };
    steadily(driver, 100, terms, 1);
    const { textbook, deviation, shift, days } = driver.row('demand-forecasts', cycleRows, 'P')!;
    const [point, covers, learned] = ['below-reorder-point', 'covers', 'learned'].map((code) => last(driver).reasons.find((one) => one.code === code)!.text);
    expect(days).toBe(3);
    const raised = Number(/^Raised by ([\d.]+)/.exec(learned!)![1]);
    expect(raised).toBeGreaterThan(0.4 * shift * deviation);
    expect(raised).toBeLessThan(1.6 * shift * deviation);
    expect(Number(/of ([\d.]+)\.$/.exec(point!)![1]) - raised).toBeCloseTo(textbook, -1);
    expect(covers).toMatch(/^Covers 3 days at 25 % \([\d.]+ units\) and the mean demand of 14 more \([\d.]+ units\): /);
  });

  test('cycles are as long as the lead times that are told, and what none of them can judge is not corrected', () => {
    const lengths = new Set<number>();
    const driver = shop();
    driver.tick(NINE);
    driver.send(supplies, 'P', supply('P', 1_000, NINE, { leadTimeDays: 3, leadTimeDeviationDays: 2, reviewDays: 1 }));
    for (let day = 0; day < 40; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
      lengths.add(driver.row('demand-forecasts', cycleRows, 'P')!.days);
    }
    expect([...lengths].toSorted((a, b) => a - b)).toEqual([2, 4, 6]);
    const long = shop();
    steadily(long, 100, { leadTimeDays: 2, reviewDays: 1, serviceLevel: 0.25 }, 1);
    expect(last(long).reasons.map(({ code }) => code)).toContain('learned');
    long.send(supplies, 'P', supply('P', 1, NINE + 100 * DAY, { leadTimeDays: 30, leadTimeDeviationDays: 10, serviceLevel: 0.25 }));
    long.tick(NINE + 101 * DAY);
    expect(last(long)).toMatchObject({ leadTimeDays: 30 });
    expect(last(long).reasons.map(({ code }) => code)).not.toContain('learned');
  });

  test('what a cycle is judged by is no less where the lead time is told as hardly known at all', () => {
    const [known, hardly] = [0, 12].map((leadTimeDeviationDays) => {
      const driver = shop();
      driver.send(supplies, 'P', supply('P', 1_000, NINE, { leadTimeDays: 0, leadTimeDeviationDays, reviewDays: 1 }));
      for (let day = 0; day < 30; day++) {
        driver.tick(NINE + day * DAY);
        driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
      }
      return driver.row('demand-forecasts', cycleRows, 'P')!.textbook;
    });
    expect(hardly).toBeGreaterThan(known!);
  });

  test('a reorder point waits until stock is low, a newsvendor orders for the days that are left', () => {
    const [low, high, once] = [shop(), shop(), shop()];
    steadily(low, 30, { policy: 'reorder-point', leadTimeDays: 4, coverDays: 10 }, 5);
    expect(last(low)).toMatchObject({ policy: 'reorder-point', reviewDays: 0, reasons: [{ code: 'below-reorder-point' }, { code: 'covers' }] });
    steadily(high, 30, { policy: 'reorder-point', leadTimeDays: 4, coverDays: 10 }, 40);
    expect(high.read(reorderSuggestions).filter(({ units }) => units > 0)).toEqual([]);
    steadily(once, 30, { policy: 'newsvendor', coverDays: 3, shortageCost: 9, excessCost: 1, packSize: 5, minimumUnits: 20 }, 1);
    expect(last(once)).toMatchObject({ policy: 'newsvendor', serviceLevel: 0.9, units: 20 });
    expect(last(once).reasons[0]!.text).toMatch(/^Covers 3 days at 90 %/);
  });

  test('a newsvendor is told the same in the morning as in the evening: what today still sells from stock is counted', () => {
    const driver = shop();
    const midnight = NINE - 9 * HOUR;
    const today = midnight / DAY + 40;
    const terms = { policy: 'newsvendor', sellUntil: today + 2, leadTimeDays: 1, serviceLevel: 0.8 };
    for (let day = 0; day < 40; day++) {
      for (let hour = 1; hour < 24; hour += 2) {
        driver.tick(midnight + day * DAY + hour * HOUR);
        driver.send(sales, 'P', sale('P', 2, midnight + day * DAY + hour * HOUR));
      }
    }
    const start = midnight + 40 * DAY;
    const told: number[] = [];
    for (let hour = 1, stock = 60; hour < 24; hour += 2, stock -= 2) {
      driver.tick(start + hour * HOUR);
      driver.send(supplies, 'P', supply('P', stock - 2, start + hour * HOUR, terms));
      driver.send(sales, 'P', sale('P', 2, start + hour * HOUR));
      driver.tick(start + hour * HOUR + 2 * MINUTE);
      told.push(last(driver).units);
    }
    expect(Math.max(...told) - Math.min(...told)).toBeLessThanOrEqual(4);
    // 24 a day, on two days, and what has been sold by the evening: of the 60 of the morning 36 are left.
    expect(told.at(-1)).toBeGreaterThan(48 - 36);
    expect(last(driver).reasons[0]!.text).toMatch(/^Covers 2 days at 80 % and the [\d.]+ units that stock sells before them: /);
  });

  test('what today sells more or less than its mean tells a newsvendor nothing new, what was ordered does', () => {
    const driver = shop();
    const midnight = NINE - 9 * HOUR;
    const today = midnight / DAY + 30;
    const terms = { policy: 'newsvendor', sellUntil: today + 2, leadTimeDays: 1, serviceLevel: 0.8 };
    const sells = (day: number, hour: number, stock?: number): void => {
      driver.tick(midnight + day * DAY + hour * HOUR);
      if (stock !== undefined) driver.send(supplies, 'P', supply('P', stock, midnight + day * DAY + hour * HOUR, terms));
      driver.send(sales, 'P', sale('P', 1, midnight + day * DAY + hour * HOUR));
      driver.tick(midnight + day * DAY + hour * HOUR + 2 * MINUTE);
    };
    for (let day = 0; day < 30; day++) for (let hour = 0.5; hour < 24; hour += 1 + ((day * 5) % 7) / 4) sells(day, hour);
    const toldToday = () => driver.read(reorderSuggestions).filter(({ day }) => day === today);
    for (const [i, hour] of [6, 7, 8, 9, 10, 13, 16, 17, 18, 19].entries()) sells(30, hour, 20 - i);
    expect(toldToday().length).toBeGreaterThan(0);
    expect(toldToday().length).toBeLessThan(4);
    const { units, stock } = toldToday().at(-1)!;
    driver.send(supplies, 'P', supply('P', stock, midnight + 30 * DAY + 20 * HOUR, { ...terms, onOrder: 1 }));
    driver.tick(midnight + 30 * DAY + 20.1 * HOUR);
    expect(toldToday().at(-1)).toMatchObject({ onOrder: 1 });
    expect(toldToday().at(-1)!.units).toBeLessThanOrEqual(units);
  });

  test.each([[365, [], 0], [8, ['too-late'], 0], [4, ['covers'], 20]])('what a newsvendor orders is there after its lead time of %i days, and sold from then on', (leadTimeDays, codes, units) => {
    const driver = shop();
    steadily(driver, 30, { policy: 'newsvendor', sellUntil: Math.floor(NINE / DAY) + 29 + 7, leadTimeDays }, 1);
    const suggested = driver.read(reorderSuggestions).filter(({ day }) => day === Math.floor(NINE / DAY) + 29);
    // Three days are waited for it after today, and four are left.
    expect(suggested.flatMap(({ reasons }) => reasons.map(({ code }) => code))).toEqual(codes);
    expect(Math.abs((suggested.at(-1)?.demand ?? 0) - units)).toBeLessThan(3);
  });

  test('what was ever sold by fractions of a unit, or lies on the shelf by them, has levels by them; all else whole ones', () => {
    const levels = (more: { part?: number; stock?: number; onOrder?: number }): number => {
      const driver = shop();
      driver.tick(NINE);
      driver.send(supplies, 'P', supply('P', more.stock ?? 3, NINE, { onOrder: more.onOrder ?? null }));
      driver.send(sales, 'P', sale('P', more.part ?? 10, NINE));
      for (let day = 0; day < 40; day++) {
        driver.tick(NINE + day * DAY);
        driver.send(sales, 'P', sale('P', 10, NINE + day * DAY));
      }
      return last(driver).upTo;
    };
    const whole = levels({});
    expect([whole % 1, levels({ part: 9.5 }) % 1 > 0, levels({ stock: 2.5 }) % 1 > 0, levels({ onOrder: 0.5 }) % 1 > 0]).toEqual([0, true, true, true]);
  });

  test.each<[string, Partial<Supply>, number, string]>([
    ['after the last day on which it is sold', { policy: 'newsvendor', sellUntil: Math.floor(NINE / DAY) + 20 }, 7, '7 units are owed.'],
    ['of what is made no more, which nobody can order', { discontinued: true }, 0, 'No demand is forecast.'],
  ])('a stock below zero is owed, also %s', (_, more, units, reasons) => {
    const driver = shop();
    steadily(driver, 30, {}, 1);
    driver.tick(NINE + 30 * DAY);
    expect(last(driver).units).toBeGreaterThan(10);
    driver.send(supplies, 'P', supply('P', -7, NINE + 30 * DAY, more));
    driver.tick(NINE + 30 * DAY + HOUR);
    expect(last(driver)).toMatchObject({ stock: -7, units, upTo: 0 });
    expect(last(driver).reasons.map(({ text }) => text).join(' ')).toBe(reasons);
  });

  test('what is discontinued is forecast as nothing and not ordered; a policy that nobody knows is the usual one', () => {
    const [gone, unknown] = [shop(), shop()];
    steadily(gone, 30, {}, 1);
    gone.tick(NINE + 30 * DAY);
    expect(last(gone).units).toBeGreaterThan(0);
    gone.send(supplies, 'P', supply('P', 0, NINE + 30 * DAY, { discontinued: true }));
    expect([total(latest(gone, 'P')), last(gone).units]).toEqual([0, 0]);
    const told = gone.read(reorderSuggestions).length;
    for (let day = 31; day < 35; day++) gone.tick(NINE + day * DAY);
    expect(gone.read(reorderSuggestions)).toHaveLength(told);
    steadily(unknown, 10, { policy: 'astrology' });
    expect(last(unknown).policy).toBe('periodic');
  });
});
