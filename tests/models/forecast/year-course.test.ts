import { describe, expect, test } from 'vitest';
import * as calendar from '../../../models/forecast/calendar-index.js';
import * as forecaster from '../../../models/forecast/demand-forecaster.js';
import { normalQuantile } from '../../../models/forecast/negative-binomial.js';
import { learn as learnPlanned } from '../../../models/forecast/planned-days.js';
import * as yearCourse from '../../../models/forecast/year-course.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

/** New Year's Day of 2021. */
const START = 18_628;
const SELLERS = 500;
const placeOf = (day: number): calendar.Place => ({ phase: day % 7, monthDay: calendar.monthDayOf(START + day), year: yearCourse.yearPlaceOf(START + day) });
const normal = (seed: number): (() => number) => {
  const random = randomness(seed);
  return () => normalQuantile(uniform(random));
};
const wave = (day: number): number => 0.4 * Math.sin((2 * Math.PI * day) / 365.25);

/** A shop whose ordinary SKU sells exp(level) of its usual, each day off by 5 % by chance. */
function lived(days: number, level: (day: number) => number, made = (day: number): number => SELLERS * Math.exp(level(day))): calendar.CalendarIndex {
  const index = calendar.init(7);
  const chance = normal(3);
  for (let day = 0; day < days; day++) calendar.learn(index, placeOf(day), made(day) * Math.exp(0.05 * chance()), SELLERS);
  return index;
}

/** What is forecast of the 28th day, over what it will be. */
const over = (index: calendar.CalendarIndex, days: number, level: (day: number) => number): number => calendar.exposure(index, placeOf(days + 27), 28) / Math.exp(level(days + 27));

test('a day of the year is counted from New Year, in leap years, too', () => {
  const dayOf = (date: string): number => yearCourse.yearPlaceOf(Date.parse(date) / 86_400_000).day;
  expect(['2021-01-01', '2021-12-31', '2024-12-31'].map(dayOf)).toEqual([0, 364, 365]);
});

test('an untrained course expects nothing', () => {
  expect(yearCourse.growthOver(yearCourse.init(), { day: 40, days: 1 }, 28)).toBe(0);
});

describe('a wave of the year', () => {
  test('is expected to come again from its second year on, four weeks ahead within 6 %', () => {
    for (const days of [480, 560, 640, 800, 900, 1000]) expect(Math.abs(over(lived(days, wave), days, wave) - 1)).toBeLessThan(0.06);
  });

  test('was off by a seventh in its first', () => {
    expect(over(lived(200, wave), 200, wave)).toBeGreaterThan(1.1);
    expect(yearCourse.believed(lived(390, wave).year)).toBe(0);
  });

  test('is kept by the end of a year, and by planned days on which nothing of it is learned', () => {
    expect(Math.abs(over(lived(1_090, wave), 1_090, wave) - 1)).toBeLessThan(0.06);
    const index = lived(800, wave);
    const before = index.level;
    const grown = yearCourse.growthOver(index.year, yearCourse.yearPlaceOf(START + 800), 1);
    expect(learnPlanned({}, { kind: 'closed', name: 'Inventory' }, index, placeOf(800), SELLERS, { made: 0, beyond3: 0, beyond6: 0 }, 0)).toEqual({ closed: true });
    expect(grown).not.toBe(0);
    expect(index.level).toBe(before + grown);
  });

  test('comes again in a shop that grows by a third a year', () => {
    const growing = (day: number): number => wave(day) + (0.3 * day) / 365;
    for (const days of [560, 640, 900]) expect(Math.abs(over(lived(days, growing), days, growing) - 1)).toBeLessThan(0.08);
  });
});

test.each([1, 2, 3, 4, 5])('a shop that wanders has no course of the year (%s)', (seed) => {
  const step = normal(seed);
  let at = 0;
  const walk = Array.from({ length: 1_100 }, () => (at = 0.998 * at + 0.02 * step()));
  expect(yearCourse.believed(lived(1_100, (day) => walk[day]!).year)).toBeLessThan(0.35);
});

test('a week in which next to nothing was sold a year ago is no sign that it comes again', () => {
  const isOut = (day: number): boolean => day >= 420 && day < 427;
  const level = (day: number): number => wave(day);
  const index = lived(785, level, (day) => SELLERS * Math.exp(level(day)) * (isOut(day) ? 0.05 : 1));
  expect(calendar.exposure(index, placeOf(787), 3) / Math.exp(level(787))).toBeGreaterThan(0.75);
});

test('weeks that are missing part what was before from what comes', () => {
  const course = yearCourse.init();
  const weekly = (week: number, made: number): void => yearCourse.learn(course, { day: 7 * (week % 52), days: 7 }, made, 100, 1);
  for (let week = 0; week < 10; week++) weekly(week, 100);
  for (let week = 14; week < 20; week++) weekly(week, 190);
  weekly(20, 100);
  expect(Math.max(...course.growth)).toBe(0);
  weekly(21, 100);
  expect(course.growth[20]).toBeCloseTo(Math.log(100 / 190), 9);
});

test('a shop of a few SKUs that is closed once a week has a course of the year, too', () => {
  const index = calendar.init(7);
  for (let day = 0; day < 800; day++) calendar.learn(index, placeOf(day), day % 7 === 6 ? 0 : 9 * Math.exp(wave(day)), 9);
  expect(calendar.exposure(index, placeOf(804))).toBe(0);
  expect(yearCourse.believed(index.year)).toBeGreaterThan(0.8);
});

describe('the forecaster', () => {
  const WEEKS = 52 * 3;
  const at = (week: number): number => Math.exp(0.5 * Math.sin((2 * Math.PI * week) / 52));

  function overSold(season: number, skus: number): number {
    const model = forecaster.init({ skus, seasonPeriods: season, daysAPeriod: 7, horizon: 8, probabilities: [0.1, 0.5, 0.9] });
    for (let week = 0; week < WEEKS; week++) forecaster.learn(model, new Float64Array(skus).fill(Math.round(40 * at(week))));
    const forecast = forecaster.blankForecast(model);
    forecaster.predict(model, 0, forecast);
    return forecast.means[7]! / (40 * at(WEEKS + 7));
  }

  test.each([1, 4, 7])('knows the year of a weekly file, whatever season of %s weeks it was given', (season) => {
    expect(Math.abs(overSold(season, 60) - 1)).toBeLessThan(0.1);
  });

  test('knows that of a single series, too', () => {
    expect(Math.abs(overSold(1, 1) - 1)).toBeLessThan(0.15);
  });
});
