import { expect, test } from 'vitest';
import { exposure, init, learn, monthDayOf, type CalendarIndex, type Place } from '../../../models/forecast/calendar-index.js';
import { normalQuantile } from '../../../models/forecast/negative-binomial.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const at = (phase: number): Place => ({ phase, monthDay: -1 });

/** A shop whose sales follow `season`, and that sells `usual` of an ordinary day. */
function live(index: CalendarIndex, days: number, sales: (day: number) => number, usual = 1_000): void {
  for (let day = 0; day < days; day++) {
    const phase = day % index.season.length;
    learn(index, at(phase), sales(day), usual);
  }
}

test('an untrained index answers one', () => {
  expect(exposure(init(7), at(3))).toBe(1);
});

test('a weekly pattern is learned up to its mean', () => {
  const index = init(7);
  live(index, 140, (day) => (day % 7 === 5 ? 2_000 : 1_000));
  const others = [0, 1, 2, 3, 4, 6].map((phase) => exposure(index, at(phase)));
  for (const other of others) expect(exposure(index, at(5)) / other).toBeCloseTo(2, 1);
});

test('a weekday that is always closed answers zero, and opens with its first sale', () => {
  const index = init(7);
  live(index, 70, (day) => (day % 7 === 6 ? 0 : 1_000));
  expect(exposure(index, at(6))).toBe(0);
  expect(exposure(index, at(5))).toBeGreaterThan(0.8);
  learn(index, at(6), 500, 0);
  expect(exposure(index, at(6))).toBeGreaterThan(0);
});

test('a weekday that opens for once is closed again after its next empty one, and stays open after two', () => {
  const [once, twice] = [1, 2].map((openings) => {
    const index = init(7);
    live(index, 70, (day) => (day % 7 === 6 ? 0 : 1_000));
    for (let day = 0; day < 7 * (openings + 1); day++) learn(index, at(day % 7), day % 7 < 6 || day < 7 * openings ? 1_000 : 0, 1_000);
    return exposure(index, at(6));
  });
  expect(once).toBe(0);
  expect(twice).toBeGreaterThan(0.5);
});

test('new SKUs in place of old ones make no bad day, and added to them no good one', () => {
  const after = (made: number, young: number): { index: CalendarIndex; closed: number } => {
    const index = init(7);
    live(index, 70, () => 1_000);
    let closed = 0;
    for (let day = 0; day < 14; day++) if (learn(index, at(day % 7), made, 1_000 * 0.975 ** day, young).closed) closed++;
    return { index, closed };
  };
  const replaced = after(0, 1_000);
  expect(replaced.closed).toBe(0);
  expect(exposure(replaced.index, at(3))).toBeGreaterThan(0.9);
  expect(after(0, 0).closed).toBe(14);
  expect(exposure(after(500, 0).index, at(3))).toBeLessThan(0.8);
  expect(after(1_000, 1_000).index).toEqual({ ...after(1_000, 0).index, young: expect.closeTo(1_000 * (1 - 0.975 ** 14), 6) });
});

test('a weekday is closed in a shop of five sales a day, too, and not in one of three', () => {
  const [few, fewer] = [5, 3].map((usual) => {
    const index = init(7);
    live(index, 42, (day) => (day % 7 === 6 ? 0 : usual), usual);
    return exposure(index, at(6));
  });
  expect(few).toBe(0);
  expect(fewer).toBeGreaterThan(0.9);
});

test('a season of a year in which sales double and halve is known after three years, by a hundred sales a week', () => {
  const index = init(52);
  const season = (week: number): number => 2 ** Math.sin((2 * Math.PI * week) / 52);
  live(index, 156, (week) => 100 * season(week), 100);
  const known = (week: number): number => Math.log(exposure(index, at(week)) / exposure(index, at(0))) / Math.log(season(week) / season(0));
  expect(known(13)).toBeGreaterThan(0.85);
  expect(known(39)).toBeGreaterThan(0.93);
});

test('what twenty sales a day say of a weekday that is worth three fifths is two thirds known after ten weeks', () => {
  const index = init(7);
  live(index, 70, (day) => (day % 7 === 6 ? 12 : 20), 20);
  const share = Math.log(exposure(index, at(6)) / exposure(index, at(2))) / Math.log(0.6);
  expect(share).toBeGreaterThan(0.66);
  expect(share).toBeLessThan(1);
});

test('one closed holiday is left out and changes nothing', () => {
  const index = init(7);
  live(index, 70, () => 1_000);
  const before = structuredClone(index);
  expect(learn(index, at(0), 0, 1_000)).toEqual({ closed: true });
  expect(exposure(index, at(0))).toBe(exposure(before, at(0)));
});

test('growth of the whole shop is carried on, damped', () => {
  const index = init(7);
  live(index, 120, (day) => 1_000 * 1.01 ** day);
  expect(exposure(index, at(0), 7)).toBeGreaterThan(exposure(index, at(0)));
  const far = exposure(index, at(0), 280) / exposure(index, at(0), 140);
  expect(far).toBeLessThan(1.05);
});

test('a handful of sales is no calendar', () => {
  const index = init(7);
  live(index, 140, (day) => (day % 7 === 5 ? 4 : 1), 3);
  expect(index.season.every((value) => value === 0)).toBe(true);
});

const WAGES = (day: number): number => (monthDayOf(day) < 15 ? 0.1 : -0.1);

/** Two years of days whose logarithms are off by chance, and by the day of the month. */
function months(effect: (day: number) => number, days = 730): CalendarIndex {
  const index = init(7);
  const random = randomness(7);
  for (let day = 0; day < days; day++) {
    const place = { phase: day % 7, monthDay: monthDayOf(day) };
    learn(index, place, 1_000 * Math.exp(effect(day) + 0.08 * normalQuantile(uniform(random))), 1_000);
  }
  return index;
}

test('days of the month on which more is spent are known, within a third of what they are worth', () => {
  const index = months(WAGES);
  const worth = (monthDay: number): number => Math.log(exposure(index, { phase: 0, monthDay }) / exposure(index, at(0)));
  const [first, second] = [[...Array(15).keys()], [...Array(13).keys()].map((day) => 15 + day)].map((days) => days.reduce((sum, day) => sum + worth(day) / days.length, 0));
  expect(first! - second!).toBeGreaterThan(0.2 * (2 / 3));
  expect(first! - second!).toBeLessThan(0.2 * (4 / 3));
});

test('where days of the month differ by chance alone none is worth more than 3 %, and in a first month none anything', () => {
  const worths = (index: CalendarIndex): number[] => Array.from({ length: 31 }, (_, monthDay) => Math.abs(Math.log(exposure(index, { phase: 0, monthDay }) / exposure(index, at(0)))));
  for (const days of [60, 100, 200, 365, 730]) expect(Math.max(...worths(months(() => 0, days)))).toBeLessThan(0.03);
  expect(Math.max(...worths(months(WAGES, 27)))).toBe(0);
});
