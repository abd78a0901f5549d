import { describe, expect, test } from 'vitest';
import { hourRows, shopHourRows } from '../../consumers/demand/hours.js';
import { demandRows, memberKey, memberRows, mixtureRows, panelRows, PARTS, seasonRows, shopOf, windowRows } from '../../consumers/demand/rows.js';
import { cycleRows } from '../../consumers/demand/stock-cycle.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import * as itemIndex from '../../models/item-index.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { demandForecasts as table, reorderSuggestions, sales, supplies } from '../../schemas/topics.js';
import { ForecastDoor } from '../../pipeline/serving/forecast-door.js';
import { Items } from '../../pipeline/serving/items.js';
import { observedStores, Views } from '../../pipeline/serving/views.js';
import type { Supply } from '../../schemas/types.js';
import { hourly, latest, total } from '../support/demand.js';
import type { Driver, DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

const shop = (options: DriverOptions = {}, hours = 0): Driver => hourly('UTC', hours, options);
const row = (driver: Driver, sku: string) => driver.row('demand-forecasts', demandRows, sku);
const members = (driver: Driver): number => driver.row('demand-forecasts', seasonRows, '')!.members;
const isMember = (driver: Driver, sku: string): boolean =>
  Array.from({ length: PARTS }, (_, part) => driver.row('demand-forecasts', memberRows, memberKey(part), sku)).some((member) => member !== undefined);

/** Each SKU sells two a day. */
const sellDaily = (driver: Driver, skus: readonly string[], from: number, to: number): void => {
  for (let day = from; day < to; day++) {
    driver.tick(NINE + day * DAY);
    for (const sku of skus) driver.send(sales, sku, sale(sku, 2, NINE + day * DAY));
  }
};

describe('a SKU that is sold no more', () => {
  const LIVE = ['A', 'B', 'C', 'D', 'E'];
  const DEAD = ['X', 'Y', 'Z'];

  test('is no member any more, and one again when it comes back', () => {
    const driver = shop();
    sellDaily(driver, [...LIVE, ...DEAD], 0, 20);
    expect(members(driver)).toBe(8);
    driver.send(supplies, 'X', supply('X', null, NINE + 19 * DAY, { deleted: true }));
    driver.send(supplies, 'Y', supply('Y', null, NINE + 19 * DAY, { discontinued: true }));
    driver.send(supplies, 'A', supply('A', null, NINE + 19 * DAY, { replaces: 'Z' }));
    driver.tick(NINE + 19 * DAY + HOUR);
    expect([members(driver), ...DEAD.map((sku) => isMember(driver, sku))]).toEqual([5, false, false, false]);
    // What is left of it may be sold yet; nobody forecasts that.
    driver.send(sales, 'Y', sale('Y', 2, NINE + 19 * DAY + HOUR));
    expect(members(driver)).toBe(5);
    driver.send(supplies, 'X', supply('X', null, NINE + 20 * DAY));
    driver.send(supplies, 'Y', supply('Y', null, NINE + 20 * DAY));
    driver.tick(NINE + 20 * DAY);
    expect([members(driver), ...DEAD.map((sku) => isMember(driver, sku))]).toEqual([7, true, true, false]);
    expect(total(latest(driver, 'X'))).toBeGreaterThan(0);
  });

  describe('or many at once', () => {
    const named = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
    /** Expected of the partition's SKUs on an ordinary day, in sales. */
    const sellers = (driver: Driver, day: number): number =>
      shopOf((kind) => driver.row('demand-forecasts', kind, ''), new Map()).outlook(Math.floor(NINE / DAY) + day).sellers;
    const sellTogether = (driver: Driver, skus: readonly string[], from: number, to: number): void => {
      for (let day = from; day < to; day++) {
        for (const sku of skus) driver.put(sales, sku, sale(sku, 2, NINE + day * DAY));
        driver.run();
        driver.tick(NINE + day * DAY + 12 * HOUR);
      }
    };
    const twoADay = (driver: Driver, skus: readonly string[]): number => skus.reduce((sum, sku) => sum + total(latest(driver, sku)), 0) / (2 * 28 * skus.length);

    test.each([{ isTold: true, within: 0.12 }, { isTold: false, within: 0.3 }])('leaves those that take its place to be forecast from the first week on (told: $isTold)', ({ isTold, within }) => {
      const driver = shop();
      sellTogether(driver, named('OLD', 14), 0, 30);
      if (isTold) for (const sku of named('OLD', 14)) driver.send(supplies, sku, supply(sku, 0, NINE + 30 * DAY, { deleted: true }));
      sellTogether(driver, named('NEW', 14), 30, 38);
      driver.tick(NINE + 38 * DAY);
      expect(twoADay(driver, named('NEW', 14))).toBeGreaterThan(0.5);
      sellTogether(driver, named('NEW', 14), 38, 60);
      driver.tick(NINE + 60 * DAY);
      expect(Math.abs(twoADay(driver, named('NEW', 14)) - 1)).toBeLessThan(within);
    }, 120_000);

    test('leaves the forecasts of those that stay as they were', () => {
      const driver = shop();
      const [stay, go] = [named('STAY', 14), named('GO', 14)];
      sellTogether(driver, [...stay, ...go], 0, 30);
      driver.tick(NINE + 30 * DAY);
      go.forEach((sku, i) => driver.send(supplies, sku, supply(sku, 0, NINE + 30 * DAY, i % 2 === 0 ? { deleted: true } : { discontinued: true })));
      for (const day of [44, 51]) {
        sellTogether(driver, stay, day === 44 ? 30 : 44, day);
        driver.tick(NINE + day * DAY);
        expect({ day, isRight: Math.abs(twoADay(driver, stay) - 1) < 0.1 }).toEqual({ day, isRight: true });
      }
    }, 120_000);

    test('is expected no more, and all of it again where it comes back; what another one has taken over stays expected when the old one is deleted', () => {
      const driver = shop();
      sellTogether(driver, named('S', 20), 0, 30);
      const all = sellers(driver, 30);
      for (const sku of named('S', 5)) driver.send(supplies, sku, supply(sku, 0, NINE + 29 * DAY, { deleted: true }));
      expect(sellers(driver, 30) / all).toBeCloseTo(0.75, 1);
      // Said again it leaves no second time.
      for (const sku of named('S', 5)) driver.send(supplies, sku, supply(sku, 0, NINE + 30 * DAY, { deleted: true }));
      expect(sellers(driver, 30) / all).toBeCloseTo(0.75, 1);
      for (const sku of named('S', 5)) driver.send(supplies, sku, supply(sku, 9, NINE + 30 * DAY));
      expect(sellers(driver, 30)).toBeCloseTo(all, 9);
      for (const sku of named('S', 5)) driver.send(supplies, `N-${sku}`, supply(`N-${sku}`, 9, NINE + 30 * DAY, { replaces: sku }));
      for (const sku of named('S', 5)) driver.send(supplies, sku, supply(sku, 0, NINE + 30 * DAY, { deleted: true }));
      expect(sellers(driver, 30)).toBeCloseTo(all, 9);
      // The other way round: deleted first, then replaced.
      driver.send(supplies, 'S9', supply('S9', 0, NINE + 30 * DAY, { deleted: true }));
      expect(sellers(driver, 30)).toBeLessThan(all - 0.5);
      driver.send(supplies, 'N-S9', supply('N-S9', 9, NINE + 30 * DAY, { replaces: 'S9' }));
      expect(sellers(driver, 30)).toBeCloseTo(all, 9);
    });
  });

  test('teaches nobody: what is judged, and how well, is as if it had never been', () => {
    const run = (dead: readonly string[], isTold: boolean): Driver => {
      const driver = shop();
      sellDaily(driver, [...LIVE, ...dead], 0, 30);
      if (isTold) for (const sku of dead) driver.send(supplies, sku, supply(sku, null, NINE + 29 * DAY, { deleted: true }));
      sellDaily(driver, LIVE, 30, 72);
      return driver;
    };
    const judged = (driver: Driver): number => driver.row('demand-forecasts', mixtureRows, '')!.scores.reduce((sum, { samples }) => sum + samples, 0);
    const [without, told, untold] = [run([], false), run(DEAD, true), run(DEAD, false)].map(judged);
    expect(told! / without!).toBeLessThan(1.1);
    expect(untold! / without!).toBeGreaterThan(1.4);
  });

  test('is forgotten after sixty days, with all that was learned of it; a late refund of it is late, and it begins anew like any other', () => {
    const driver = shop({}, 12);
    sellDaily(driver, [...LIVE, ...DEAD], 0, 40);
    driver.send(supplies, 'X', supply('X', 5, NINE + 40 * DAY));
    driver.tick(NINE + 40 * DAY);
    const kinds = [demandRows, hourRows, cycleRows];
    const known = () => kinds.filter((kind) => driver.row<unknown>('demand-forecasts', kind, 'X') !== undefined).length;
    expect(known()).toBe(3);
    driver.send(supplies, 'X', supply('X', 5, NINE + 40 * DAY, { deleted: true }));
    sellDaily(driver, LIVE, 41, 100);
    expect(known()).toBe(3);
    sellDaily(driver, LIVE, 100, 103);
    expect(known()).toBe(0);
    expect(driver.dump('demand-forecasts').filter((line) => line.includes('"X') && !line.includes('supply'))).toEqual([]);
    expect(driver.row('demand-forecasts', panelRows, '', 'X')).toBeUndefined();
    driver.send(sales, 'X', sale('X', -2, NINE + 39 * DAY));
    expect([driver.count('millrace_late_sales_total'), known(), members(driver)]).toEqual([1, 0, 7]);
    driver.send(supplies, 'X', supply('X', 5, NINE + 102 * DAY));
    driver.send(sales, 'X', sale('X', 1, NINE + 102 * DAY));
    driver.tick(NINE + 102 * DAY + HOUR);
    expect(row(driver, 'X')!.units).toEqual([1]);
    expect([members(driver), isMember(driver, 'X')]).toEqual([8, true]);
  });

  test('begins anew, once forgotten, by a line of the last four weeks: an older one is late', () => {
    const driver = shop();
    sellDaily(driver, [...LIVE, ...DEAD], 0, 40);
    driver.send(supplies, 'X', supply('X', null, NINE + 40 * DAY, { deleted: true }));
    sellDaily(driver, LIVE, 40, 103);
    driver.send(sales, 'X', sale('X', 1, NINE + 74 * DAY));
    expect([driver.count('millrace_late_sales_total'), row(driver, 'X')]).toEqual([1, undefined]);
    driver.send(sales, 'X', sale('X', 1, NINE + 75 * DAY));
    expect([driver.count('millrace_late_sales_total'), row(driver, 'X')?.units]).toEqual([1, [1]]);
  });

  test('is kept while what is left of it sells, and when it comes back in time', () => {
    const driver = shop();
    sellDaily(driver, [...LIVE, ...DEAD], 0, 40);
    for (const sku of DEAD) driver.send(supplies, sku, supply(sku, null, NINE + 40 * DAY, { discontinued: true }));
    sellDaily(driver, [...LIVE, 'X'], 40, 80);
    driver.send(supplies, 'Y', supply('Y', null, NINE + 80 * DAY));
    sellDaily(driver, LIVE, 80, 120);
    expect(DEAD.map((sku) => row(driver, sku) !== undefined)).toEqual([true, true, false]);
    sellDaily(driver, LIVE, 120, 142);
    expect(DEAD.map((sku) => row(driver, sku) !== undefined)).toEqual([false, true, false]);
  });
});

describe('what was learned of a level', () => {
  const cycle = (driver: Driver) => driver.row('demand-forecasts', cycleRows, 'P')!;
  const reasons = (driver: Driver): string[] => driver.read(reorderSuggestions).findLast(({ sku }) => sku === 'P')!.reasons.map(({ code }) => code);
  /** Five a day; the terms of each day. */
  const days = (driver: Driver, from: number, to: number, terms: (day: number) => Partial<Supply>): void => {
    for (let day = from; day < to; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(supplies, 'P', supply('P', 1, NINE + day * DAY, terms(day)));
      driver.send(sales, 'P', sale('P', 5, NINE + day * DAY));
    }
  };
  const SHORT: Partial<Supply> = { leadTimeDays: 2, reviewDays: 1, shortageCost: 1, excessCost: 3 };
  const learned = (): Driver => {
    const driver = shop();
    days(driver, 0, 80, () => SHORT);
    expect(reasons(driver)).toContain('learned');
    return driver;
  };
  const doorCodes = (driver: Driver, now: number): string[] => {
    const views = new Views(observedStores((name, partition) => (name === table.name ? driver.openStore(name, partition) : memoryStore())), 1);
    const reorder = { policy: 'periodic', leadTimeDays: 7, leadTimeDeviationDays: 0, reviewDays: 7, coverDays: 14, packSize: 1, minimumUnits: 0, serviceLevel: 0.95 } as const;
    const door = new ForecastDoor({ views, items: new Items(views, itemIndex.init(), 'EUR'), days: shopDays('UTC'), plan: new Map(), reorder, hours: 0, now, freshness: () => ({ readUntil: 0, caughtUp: true }) });
    return (door.one('P') as { reorder: { reasons: { code: string }[] } }).reorder.reasons.map(({ code }) => code);
  };

  test.each<[string, Partial<Supply>]>([
    ['another service level', { shortageCost: 98, excessCost: 2 }], ['another policy', { policy: 'reorder-point', leadTimeDays: 3, coverDays: 5 }], ['a longer review', { reviewDays: 5 }],
    ['an uncertain lead time', { leadTimeDeviationDays: 2 }], ['a season of its own', { policy: 'newsvendor', sellUntil: Math.floor(NINE / DAY) + 95 }],
  ])('is used for no other demand: %s begins anew, at once', (_, change) => {
    const driver = learned();
    const now = NINE + 79 * DAY + 10_000;
    driver.tick(now);
    driver.send(supplies, 'P', supply('P', 1, now, { ...SHORT, ...change }));
    // Nothing was published yet: the last publication is not a minute old.
    expect(doorCodes(driver, now)).not.toContain('learned');
    driver.tick(now + MINUTE);
    expect(reasons(driver)).not.toContain('learned');
    expect(cycle(driver)).toMatchObject({ cycles: 0, shift: 0, from: Math.floor(NINE / DAY) + 80 });
    days(driver, 80, 90, () => ({ ...SHORT, ...change }));
    expect(cycle(driver).cycles).toBeLessThan(4);
  });

  test('is kept while costs and lead times only tremble; what wanders off little by little is another demand', () => {
    const driver = shop();
    days(driver, 0, 80, (day) => ({ ...SHORT, leadTimeDays: 2 + (day % 3) / 10, leadTimeDeviationDays: (day % 2) / 10, shortageCost: 1 + (day % 5) / 100 }));
    expect(reasons(driver)).toContain('learned');
    const { cycles } = cycle(driver);
    expect(cycles).toBeGreaterThan(15);
    days(driver, 80, 110, (day) => ({ ...SHORT, shortageCost: 1.02 ** (day - 80) }));
    expect(cycle(driver).cycles).toBeLessThan(cycles);
  });

  test('of terms under which no cycle can be judged is nothing, and nothing is lost by them', () => {
    const driver = learned();
    const { cycles } = cycle(driver);
    days(driver, 80, 84, () => ({ ...SHORT, leadTimeDays: 60 }));
    expect(reasons(driver)).not.toContain('learned');
    days(driver, 84, 90, () => SHORT);
    expect(reasons(driver)).toContain('learned');
    expect(cycle(driver).cycles).toBeGreaterThan(cycles);
  });
});

describe('what comes for a SKU whose place another one has taken', () => {
  const told = (driver: Driver, sku: string, old: string | null, day: number, more: Partial<Supply> = {}): void =>
    driver.send(supplies, sku, supply(sku, null, NINE + day * DAY, { replaces: old, ...more }));
  /** The old one sells five a day, and three of a day ten days ago come back. */
  const sellOld = (driver: Driver, from: number, to: number, sku = 'OLD'): void => {
    for (let day = from; day < to; day++) {
      driver.tick(NINE + day * DAY);
      driver.send(sales, sku, sale(sku, 5, NINE + day * DAY));
      if (day > 10) driver.send(sales, sku, sale(sku, -3, NINE + (day - 10) * DAY));
    }
  };
  const series = (driver: Driver, sku: string) => {
    const { units, lastDay, firstDay, folded, shortages } = row(driver, sku)!;
    return { units, lastDay, firstDay, folded: folded.toString('hex'), shortages };
  };
  const split = [1, 3].map((partitions) => ({ partitions }));

  test.each(split)('counts for the new one as if it had come before, sale or refund, once, hours and all ($partitions partitions)', ({ partitions }) => {
    const [early, late] = [shop({ partitions }, 12), shop({ partitions }, 12)];
    sellOld(early, 0, 20);
    told(early, 'NEW', 'OLD', 20);
    sellOld(early, 20, 40);
    sellOld(late, 0, 40);
    told(late, 'NEW', 'OLD', 39);
    for (const driver of [early, late]) driver.tick(NINE + 40 * DAY);
    expect(series(early, 'NEW').units).toEqual(series(early, 'OLD').units);
    // Of other partitions' shops a day is worth something else.
    const exact = ({ folded, ...rest }: ReturnType<typeof series>) => ({ ...rest, folded: partitions === 1 ? folded : '' });
    expect(exact(series(early, 'NEW'))).toEqual(exact(series(late, 'NEW')));
    expect(early.row('demand-forecasts', hourRows, 'NEW')).toEqual(late.row('demand-forecasts', hourRows, 'NEW'));
    // Classes have judged one forecast in the one shop and four in the other.
    expect(Math.abs(total(latest(early, 'NEW')) / total(latest(late, 'NEW')) - 1)).toBeLessThan(0.1);
    expect(total(latest(early, 'OLD'))).toBe(0);
    // The shop has heard of it once.
    for (const kind of [windowRows, shopHourRows]) expect(early.row<unknown>('demand-forecasts', kind, '')).toEqual(late.row<unknown>('demand-forecasts', kind, ''));
  });

  test.each(split)('is all there is of it where the old one begins to sell after that was said, and goes on down a line of them ($partitions partitions)', ({ partitions }) => {
    const driver = shop({ partitions });
    driver.tick(NINE - HOUR);
    told(driver, 'NEW', 'OLD', 0);
    told(driver, 'NEWER', 'NEW', 0);
    sellOld(driver, 0, 40);
    driver.tick(NINE + 39 * DAY + HOUR);
    for (const sku of ['NEW', 'NEWER']) expect(series(driver, sku).units).toEqual(series(driver, 'OLD').units);
    expect(['OLD', 'NEW'].map((sku) => total(latest(driver, sku)))).toEqual([0, 0]);
    expect(total(latest(driver, 'NEWER')) / 28).toBeGreaterThan(1.8);
    driver.send(sales, 'NEWER', sale('NEWER', 4, NINE + 39 * DAY));
    driver.send(sales, 'NEW', sale('NEW', 2, NINE + 39 * DAY));
    expect(['OLD', 'NEW', 'NEWER'].map((sku) => row(driver, sku)!.units.at(-1))).toEqual([5, 7, 11]);
  });

  test('is taken over down the line, whichever of them is told first', () => {
    const driver = shop();
    sellOld(driver, 0, 20);
    told(driver, 'NEWER', 'NEW', 19);
    told(driver, 'NEW', 'OLD', 19);
    expect(row(driver, 'NEWER')!.units).toEqual(row(driver, 'OLD')!.units);
  });

  test('is not of the new one that has just taken back what it said, though it was on its way', () => {
    const partitions = 3;
    const inPartition = (partition: number): string => Array.from({ length: 20 }, (_, i) => `K${i}`).find((sku) => partitionOf(sku, partitions) === partition)!;
    const [fresh, old] = [inPartition(0), inPartition(2)];
    const driver = shop({ partitions });
    sellOld(driver, 0, 5, old);
    told(driver, fresh, old, 4);
    expect(row(driver, fresh)!.units.at(-1)).toBe(5);
    driver.write(sales.name, old, sales.codec.encode(sale(old, 9, NINE + 4 * DAY)));
    driver.write(supplies.name, fresh, supplies.codec.encode(supply(fresh, null, NINE + 4 * DAY)));
    driver.run();
    expect([old, fresh].map((sku) => row(driver, sku)?.units.at(-1))).toEqual([14, undefined]);
  });

  test('is demand, though the new one is not there yet; once the old one is gone the shelf is empty', () => {
    const driver = shop();
    sellOld(driver, 0, 20);
    told(driver, 'NEW', 'OLD', 19, { stock: 0 });
    for (let day = 20; day < 40; day += 4) {
      sellOld(driver, day, day + 1);
      driver.send(supplies, 'NEW', supply('NEW', 0, NINE + day * DAY, { replaces: 'OLD', stock: 0 }));
    }
    driver.tick(NINE + 60 * DAY);
    // 5 in four days, less what came back: not five a day, nor nothing.
    const daily = total(latest(driver, 'NEW')) / 28;
    expect(daily).toBeGreaterThan(0.6);
    expect(daily).toBeLessThan(2.2);
    expect(series(driver, 'NEW').shortages).toEqual([{ from: Math.floor(NINE / DAY) + 37, to: null }]);
  });

  test('is nothing to one that has kept its own, nor to one that says so no more', () => {
    const driver = shop();
    for (let day = 0; day < 40; day++) {
      sellOld(driver, day, day + 1);
      driver.send(sales, 'OWN', sale('OWN', 1, NINE + day * DAY));
    }
    const own = row(driver, 'OWN')!.units;
    told(driver, 'OWN', 'OLD', 39);
    sellOld(driver, 39, 40);
    expect(row(driver, 'OWN')!.units).toEqual(own);
    told(driver, 'OWN', null, 39);
    told(driver, 'NEW', 'OLD', 39);
    expect(row(driver, 'NEW')!.units).toEqual(row(driver, 'OLD')!.units);
    told(driver, 'NEW', null, 40);
    sellOld(driver, 40, 43);
    expect(row(driver, 'NEW')).toBeUndefined();
    driver.tick(NINE + 43 * DAY);
    expect(total(latest(driver, 'OLD'))).toBeGreaterThan(50);
    // Said again it holds again, with what came in between.
    told(driver, 'NEW', 'OLD', 43);
    driver.tick(NINE + 43 * DAY + HOUR);
    expect([total(latest(driver, 'OLD')), row(driver, 'NEW')!.units]).toEqual([0, row(driver, 'OLD')!.units]);
    sellOld(driver, 44, 45);
    expect(row(driver, 'NEW')!.units.at(-1)).toBe(5);
  });

  test('goes to the one that took its place last, whatever the one before takes back', () => {
    const driver = shop();
    sellOld(driver, 0, 5);
    told(driver, 'NEW', 'OLD', 5);
    told(driver, 'OTHER', 'OLD', 5);
    told(driver, 'NEW', null, 5);
    driver.tick(NINE + 5 * DAY + HOUR);
    expect(total(latest(driver, 'OLD'))).toBe(0);
    driver.send(sales, 'OLD', sale('OLD', 9, NINE + 5 * DAY));
    expect(['NEW', 'OTHER'].map((sku) => row(driver, sku)?.units.at(-1))).toEqual([undefined, 9]);
  });

  test('is added to what is known of the new one: when its own shelf was empty, and what only pages have reported of it, as that', () => {
    const driver = shop();
    const today = Math.floor(NINE / DAY);
    driver.send(supplies, 'NEW', supply('NEW', 3, NINE));
    driver.send(supplies, 'OLD', supply('OLD', 3, NINE));
    sellOld(driver, 0, 11);
    const stocks = (sku: string, from: number, to: number): void => [[from, 0], [to, 3]].forEach(([day, units]) => driver.send(supplies, sku, supply(sku, units!, NINE + day! * DAY)));
    stocks('OLD', 2, 4);
    driver.send(sales, 'NEW', { ...sale('NEW', 300, NINE + 10 * DAY), claimed: 300 });
    stocks('NEW', 6, 8);
    told(driver, 'NEW', 'OLD', 10, { stock: 3 });
    const { shortages, claims, units } = row(driver, 'NEW')!;
    expect(shortages).toEqual([{ from: today + 6 + 9 / 24, to: today + 8 + 9 / 24 }]);
    expect(claims).toEqual([{ day: today + 10, sure: 5, claimed: 300 }]);
    expect(units.at(-1)).toBeCloseTo(5 + 5 * 5, 6);
  });

  test('is taken over anew by one that was forgotten in between', () => {
    const driver = shop();
    sellOld(driver, 0, 20);
    told(driver, 'NEW', 'OLD', 19);
    driver.send(supplies, 'NEW', supply('NEW', null, NINE + 19 * DAY, { replaces: 'OLD', deleted: true }));
    for (const day of [20, 90]) driver.tick(NINE + day * DAY);
    expect(['NEW', 'OLD'].map((sku) => row(driver, sku))).toEqual([undefined, undefined]);
    told(driver, 'NEW', 'OLD', 90);
    for (const [sku, units] of [['NEW', 1], ['OLD', 5]] as const) driver.send(sales, sku, sale(sku, units, NINE + 90 * DAY));
    expect(row(driver, 'NEW')!.units).toEqual([6]);
  });

  test('counts for the new one still when the old one is forgotten', () => {
    const driver = shop();
    sellOld(driver, 0, 20);
    told(driver, 'NEW', 'OLD', 19);
    sellDaily(driver, ['NEW'], 20, 90);
    expect(row(driver, 'OLD')).toBeUndefined();
    driver.send(sales, 'OLD', sale('OLD', 7, NINE + 85 * DAY));
    expect(row(driver, 'NEW')!.units.at(-5)).toBe(9);
    driver.send(sales, 'OLD', sale('OLD', -1, NINE + 19 * DAY));
    expect(driver.count('millrace_late_sales_total')).toBe(1);
  });
});
