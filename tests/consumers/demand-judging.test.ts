import { describe, expect, test } from 'vitest';
import { live } from '../../consumers/demand/publication.js';
import { nothing } from '../../consumers/demand/forecast.js';
import { withHours } from '../../consumers/demand/hours.js';
import { partOf } from '../../consumers/demand/members.js';
import { demandRows, mixtureRows, panelKey, panelRows, shopOf } from '../../consumers/demand/rows.js';
import { cycleRows, stockScoreRows } from '../../consumers/demand/stock-cycle.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { forecasts, reorderSuggestions, sales, supplies } from '../../schemas/topics.js';
import type { Forecast } from '../../schemas/types.js';
import { latest, shop as shopIn, total } from '../support/demand.js';
import type { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE } from '../support/events.js';
import { sale, supply } from '../support/sales.js';

const FIRST = Math.floor(NINE / DAY);
/** Day of the test on which the first forecasts to be judged are left: every seventh day, of SKUs of two weeks. */
const ORIGIN = Math.ceil((FIRST + 16) / 7) * 7 - FIRST;
/** SKUs whose turn it is so many weeks later: each has its turn once in four weeks. */
const ofWeek = (week: number): string[] =>
  Array.from({ length: 40 }, (_, i) => `P${i}`).filter((sku) => Math.floor(partOf(sku) / 16) === ((FIRST + ORIGIN) / 7 + week) % 4);
const [P, S] = ofWeek(0) as [string, string];
const [LATER] = ofWeek(1) as [string];

const shop = (plan?: Plan): Driver => shopIn('UTC', {}, plan);
const sell = (driver: Driver, sku: string, from: number, to: number): void => {
  for (let day = from; day < to; day++) driver.send(sales, sku, sale(sku, 3 + (day % 2), NINE + day * DAY));
};
const samples = (driver: Driver): number => (driver.row('demand-forecasts', mixtureRows, '')?.scores ?? []).reduce((sum, score) => sum + score.samples, 0);
const isWaiting = (driver: Driver, sku: string, origin: number): boolean => driver.row('demand-forecasts', panelRows, panelKey(FIRST + origin), sku) !== undefined;

describe('what is left to be judged', () => {
  test('is judged one and six days later', () => {
    const driver = shop();
    const after = Array.from({ length: ORIGIN + 8 }, (_, day) => {
      sell(driver, P, day, day + 1);
      return samples(driver);
    });
    // The first sale of a day judges the one before.
    expect(after.slice(ORIGIN)).toEqual([0, 0, 1, 1, 1, 1, 1, 1.97]);
  });

  test('is not judged by a day on which the shop was closed', () => {
    const driver = shop(new Map([[FIRST + ORIGIN + 6, { kind: 'closed', name: 'closed' }]]));
    sell(driver, P, 0, ORIGIN + 6);
    sell(driver, P, ORIGIN + 7, ORIGIN + 8);
    expect(samples(driver)).toBe(1);
  });

  test.each([['a day on which its SKU was sold out', ORIGIN + 3, Infinity], ['one on which the shelf ran empty at noon', ORIGIN + 6, ORIGIN + 7]])('is not judged by %s', (_, out, back) => {
    const driver = shop();
    for (let day = 0; day < ORIGIN + 8; day++) {
      sell(driver, P, day, day + 1);
      if (day === back) driver.send(supplies, S, supply(S, 9, NINE + day * DAY - HOUR));
      if (day <= out || day >= back) sell(driver, S, day, day + 1);
      if (day === out) driver.send(supplies, S, supply(S, 0, NINE + day * DAY + 3 * HOUR));
    }
    expect(samples(driver)).toBeCloseTo(0.97 * 2 + 1, 9);
  });

  test('teaches its interval, which is no score, by a day on which the shelf ran empty: more than it held by noon is a miss for certain', () => {
    const after = (sold: number): { tails: readonly number[]; scored: number } => {
      const driver = shop();
      for (let day = 0; day < ORIGIN + 8; day++) {
        sell(driver, P, day, day + 1);
        if (day === ORIGIN + 7) driver.send(supplies, S, supply(S, 9, NINE + day * DAY - HOUR));
        if (day === ORIGIN + 6) driver.send(sales, S, sale(S, sold, NINE + day * DAY));
        else sell(driver, S, day, day + 1);
        if (day === ORIGIN + 6) driver.send(supplies, S, supply(S, 0, NINE + day * DAY + 3 * HOUR));
      }
      return { tails: driver.row('demand-forecasts', mixtureRows, '')!.tails, scored: samples(driver) };
    };
    const [few, many] = [after(1), after(40)];
    expect(Math.min(...many.tails)).toBeLessThan(Math.min(...few.tails));
    expect(many.scored).toBe(few.scored);
  });

  test('counts thirty deviations of its SKU at most: one order of a million is no more than that', () => {
    const scored = (units: number) => {
      const driver = shop();
      sell(driver, P, 0, ORIGIN + 1);
      driver.send(sales, P, sale(P, units, NINE + (ORIGIN + 1) * DAY));
      sell(driver, P, ORIGIN + 2, ORIGIN + 3);
      return driver.row('demand-forecasts', mixtureRows, '')!.scores.find((score) => score.samples > 0)!;
    };
    expect(scored(1_000_000)).toMatchObject({ samples: 1, actual: 30, pinball: 30 });
    expect(scored(6).actual).toBeGreaterThan(2);
    expect(scored(6).actual).toBeLessThan(30);
  });

  test('goes once its days are over, and with a shop that was silent for two months', () => {
    const [busy, silent] = [shop(), shop()];
    sell(busy, P, 0, ORIGIN + 28);
    expect(isWaiting(busy, P, ORIGIN)).toBe(true);
    sell(busy, P, ORIGIN + 28, ORIGIN + 30);
    expect([0, 28].map((days) => isWaiting(busy, P, ORIGIN + days))).toEqual([false, true]);
    for (const sku of [P, LATER]) sell(silent, sku, 0, ORIGIN + 7);
    for (const sku of [P, LATER]) sell(silent, sku, ORIGIN + 7, ORIGIN + 9);
    expect([isWaiting(silent, P, ORIGIN), isWaiting(silent, LATER, ORIGIN + 7)]).toEqual([true, true]);
    sell(silent, P, ORIGIN + 80, ORIGIN + 81);
    expect([isWaiting(silent, P, ORIGIN), isWaiting(silent, LATER, ORIGIN + 7)]).toEqual([false, false]);
  });
});

test('a holiday of the shop that was folded long ago does not pass for days without demand', () => {
  const holiday = new Map(Array.from({ length: 20 }, (_, i) => [FIRST + 25 + i, { kind: 'closed', name: 'holiday' }] as const));
  const driver = shop(holiday);
  sell(driver, 'P', 0, 25);
  sell(driver, 'P', 45, 76);
  driver.tick(NINE + 76 * DAY);
  expect(total(latest(driver, 'P')) / 28).toBeGreaterThan(3.3);
});

test('what is to be ordered is said every day until it is ordered', () => {
  const driver = shop();
  driver.tick(NINE);
  driver.send(supplies, 'P', supply('P', 0, NINE, { packSize: 10_000 }));
  sell(driver, 'P', 0, 1);
  for (let day = 1; day < 5; day++) driver.tick(NINE + day * DAY);
  expect(driver.read(reorderSuggestions).map(({ day, units }) => [day - FIRST, units])).toEqual([0, 1, 2, 3, 4].map((day) => [day, 10_000]));
});

test('a cycle with an empty shelf is judged by what it sold and by what was forecast of the rest; one that nobody saw anything of is not', () => {
  const judged = (emptyFrom: number, soldThrough: number) => {
    const driver = shop();
    driver.tick(NINE);
    driver.send(supplies, 'P', supply('P', 10, NINE, { leadTimeDays: 2, reviewDays: 1 }));
    for (let day = 0; day < 5; day++) {
      driver.tick(NINE + day * DAY);
      if (day <= soldThrough) sell(driver, 'P', day, day + 1);
      // The cycle is of days 1 to 3.
      if (day === emptyFrom) driver.send(supplies, 'P', supply('P', 0, NINE + day * DAY + 3 * HOUR, { leadTimeDays: 2, reviewDays: 1 }));
    }
    return driver.row('demand-forecasts', stockScoreRows, '');
  };
  const [seen, cut] = [judged(5, 5)!, judged(3, 3)!];
  expect([seen.cycles, seen.unseen, cut.cycles]).toEqual([1, 0, 1]);
  expect(cut.unseen).toBeCloseTo(0.5 / 3, 6);
  expect(Math.abs(cut.textbook - seen.textbook)).toBeGreaterThan(0);
  // Told on day 0, after its sale: nothing was to be had on any of the three.
  expect(judged(0, 0)).toBeUndefined();
});

test('what is sold out soon after midnight is missing from the day, what sells on without stock is sold on order', () => {
  const lived = (emptyAt: number, hour: number) => {
    const driver = shop();
    const midnight = NINE - 9 * HOUR;
    driver.tick(midnight);
    driver.send(supplies, 'P', supply('P', 10, midnight, { leadTimeDays: 2, reviewDays: 1 }));
    for (let day = 0; day < 5; day++) {
      driver.tick(midnight + day * DAY);
      driver.send(sales, 'P', sale('P', 5, midnight + day * DAY + hour * HOUR));
      if (day === emptyAt) driver.send(supplies, 'P', supply('P', 0, midnight + day * DAY + 2 * HOUR, { leadTimeDays: 2, reviewDays: 1 }));
    }
    driver.tick(midnight + 5 * DAY);
    return driver.row('demand-forecasts', stockScoreRows, '')!;
  };
  // The cycle is of days 1 to 3.
  expect(lived(3, 1).unseen).toBeCloseTo(22 / 24 / 3, 6);
  expect(lived(0, 9)).toMatchObject({ cycles: 1, unseen: 0 });
});

test('the level that a cycle covers is the one that was told: whole units where they are sold by the piece', () => {
  const covered = (part: number): number => {
    const driver = shop();
    const sellOn = (day: number, units: number): void => {
      driver.tick(NINE + day * DAY);
      driver.send(sales, 'P', sale('P', units, NINE + day * DAY));
    };
    driver.send(supplies, 'P', supply('P', 10_000, NINE, { leadTimeDays: 2, reviewDays: 1 }));
    sellOn(0, 50 + part);
    let day = 1;
    const cycle = () => driver.row('demand-forecasts', cycleRows, 'P')!;
    while (day < 30 || cycle().from !== FIRST + day) sellOn(day++, 50 + (day % 7));
    const { textbook, cycles } = cycle();
    expect([textbook % 1 > 0, textbook > 150]).toEqual([true, true]);
    const before = [cycle().covered, driver.row('demand-forecasts', stockScoreRows, '')!.covered] as const;
    for (const units of [50, 50, Math.ceil(textbook) - 100, 50]) sellOn(day++, units);
    expect(cycle().cycles).toBe(cycles + 1);
    expect(driver.row('demand-forecasts', stockScoreRows, '')!.covered - 0.999 * before[1]).toBeCloseTo(cycle().covered - before[0], 9);
    return cycle().covered - before[0];
  };
  expect([covered(0), covered(0.5)]).toEqual([1, 0]);
});

describe('one SKU in the place of another', () => {
  test('has a stock of its own: that the old one was sold out is no shortage of it', () => {
    const driver = shop();
    for (let day = 0; day < 30; day++) {
      driver.tick(NINE + day * DAY);
      sell(driver, 'OLD', day, day + 1);
    }
    driver.send(supplies, 'OLD', supply('OLD', 0, NINE + 29 * DAY));
    driver.send(supplies, 'NEW', supply('NEW', 100, NINE + 29 * DAY + HOUR, { replaces: 'OLD' }));
    driver.tick(NINE + 29 * DAY + 2 * HOUR);
    const level = total(latest(driver, 'NEW'));
    driver.tick(NINE + 45 * DAY);
    expect(total(latest(driver, 'NEW'))).toBeLessThan(0.8 * level);
  });

  test('takes over a young series once, however often that is said', () => {
    const driver = shop();
    sell(driver, 'OLD', 0, 10);
    for (const replaces of ['OLD', null, 'OLD', null, 'OLD']) driver.send(supplies, 'NEW', supply('NEW', null, NINE + 9 * DAY, { replaces }));
    const units = (sku: string) => driver.row('demand-forecasts', demandRows, sku)!.units;
    expect(units('NEW')).toEqual(units('OLD'));
  });
});

test('what sells no more is told about for sixty days, however little is expected of it, and then not until it sells', () => {
  const driver = shop();
  for (let day = 0; day < 110; day++) {
    driver.tick(NINE + day * DAY);
    sell(driver, 'BUSY', day, day + 1);
    if (day === 0 || day === 30) driver.send(sales, 'RARE', sale('RARE', 1, NINE + day * DAY));
  }
  const told = driver.read(forecasts).filter(({ sku }) => sku === 'RARE');
  const dayOf = ({ madeAt }: Forecast): number => Math.floor(madeAt / DAY) - FIRST;
  expect(told.some((forecast) => dayOf(forecast) < 60 && total(forecast) < 0.5)).toBe(true);
  expect(new Set(told.map(dayOf))).toEqual(new Set(Array.from({ length: 30 + 62 }, (_, day) => day)));
  sell(driver, 'RARE', 110, 111);
  expect(dayOf(latest(driver, 'RARE'))).toBe(109);
});

test('who is told about just before midnight has its turn of the day a minute later, or as soon as it may be told about again', () => {
  const days = shopDays('UTC');
  const midnight = days.startOf(FIRST + 1);
  const afterMidnight = (sku: string): number => live(days, MINUTE).again(sku, midnight - HOUR) - midnight;
  // Its turn is in the first seconds of the day.
  const early = Array.from({ length: 5_000 }, (_, i) => `SKU-${i}`).find((sku) => afterMidnight(sku) < 3_000)!;
  const pause = (everyMs: number): number => live(days, everyMs).again(early, midnight - 1) - (midnight - 1);
  expect([5_000, MINUTE, 10 * MINUTE].map(pause)).toEqual([5_000, MINUTE, MINUTE]);
});

test('an hour that begins as a forecast is made is forecast; one that runs already is not', () => {
  const days = shopDays('UTC');
  const ten = NINE + HOUR;
  const hoursOf = (madeAt: number) => withHours(
    { ...nothing('P', { today: FIRST, isOver: false }, madeAt), mean: Array.from({ length: 28 }, () => 24) }, () => ({ mean: 24, dispersion: 0 }), () => ({ sku: undefined, shop: undefined }), { count: 3, days },
  ).hours.map(({ start, mean }) => [(start - ten) / HOUR, mean]);
  expect(hoursOf(ten)).toEqual([[0, 1], [1, 1], [2, 1]]);
  for (const madeAt of [ten + 1, ten + HOUR - 1, ten + HOUR]) expect(hoursOf(madeAt)).toEqual([[1, 1], [2, 1], [3, 1]]);
});

test('what classes know before anything was judged is made once, not with each forecast of a young shop', () => {
  const young = (): ReturnType<typeof shopOf> => shopOf(() => undefined, new Map());
  expect(young().taught).toBe(young().taught);
  expect(young().taught.scores.every(({ samples }) => samples === 0)).toBe(true);
});
