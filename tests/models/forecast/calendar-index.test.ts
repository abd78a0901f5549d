import { expect, test } from 'vitest';
import { exposure, init, learn, type CalendarIndex } from '../../../models/forecast/calendar-index.js';

/** A shop whose sales follow `season`, told every day what it expects from the index itself. */
function live(index: CalendarIndex, days: number, sales: (day: number) => number, usual = 1_000): void {
  for (let day = 0; day < days; day++) {
    const phase = day % index.season.length;
    learn(index, phase, sales(day), usual * exposure(index, phase));
  }
}

test('an untrained index answers one', () => {
  expect(exposure(init(7), 3)).toBe(1);
});

test('a weekly pattern is learned up to its mean', () => {
  const index = init(7);
  live(index, 140, (day) => (day % 7 === 5 ? 2_000 : 1_000));
  const others = [0, 1, 2, 3, 4, 6].map((phase) => exposure(index, phase));
  for (const other of others) expect(exposure(index, 5) / other).toBeCloseTo(2, 1);
});

test('a weekday that is always closed answers zero, and opens with its first sale', () => {
  const index = init(7);
  live(index, 70, (day) => (day % 7 === 6 ? 0 : 1_000));
  expect(exposure(index, 6)).toBe(0);
  expect(exposure(index, 5)).toBeGreaterThan(0.8);
  learn(index, 6, 500, 0);
  expect(exposure(index, 6)).toBeGreaterThan(0);
});

test('new SKUs in place of old ones make no bad day, and added to them no good one', () => {
  const after = (made: number, young: number): { index: CalendarIndex; closed: number } => {
    const index = init(7);
    live(index, 70, () => 1_000);
    let closed = 0;
    for (let day = 0; day < 14; day++) if (learn(index, day % 7, made, 1_000 * 0.975 ** day * exposure(index, day % 7), young).closed) closed++;
    return { index, closed };
  };
  const replaced = after(0, 1_000);
  expect(replaced.closed).toBe(0);
  expect(exposure(replaced.index, 3)).toBeGreaterThan(0.9);
  expect(after(0, 0).closed).toBe(14);
  expect(exposure(after(500, 0).index, 3)).toBeLessThan(0.8);
  expect(after(1_000, 1_000).index).toEqual({ ...after(1_000, 0).index, young: expect.closeTo(1_000 * (1 - 0.975 ** 14), 6) });
});

test('a weekday is closed in a shop of five sales a day, too, and not in one of three', () => {
  const [few, fewer] = [5, 3].map((usual) => {
    const index = init(7);
    live(index, 42, (day) => (day % 7 === 6 ? 0 : usual), usual);
    return exposure(index, 6);
  });
  expect(few).toBe(0);
  expect(fewer).toBeGreaterThan(0.9);
});

test('a season of a year in which sales double and halve is known after three years, by a hundred sales a week', () => {
  const index = init(52);
  const season = (week: number): number => 2 ** Math.sin((2 * Math.PI * week) / 52);
  live(index, 156, (week) => 100 * season(week), 100);
  const known = (week: number): number => Math.log(exposure(index, week) / exposure(index, 0)) / Math.log(season(week) / season(0));
  expect(known(13)).toBeGreaterThan(0.85);
  expect(known(39)).toBeGreaterThan(0.93);
});

test('one closed holiday is left out and changes nothing', () => {
  const index = init(7);
  live(index, 70, () => 1_000);
  const before = structuredClone(index);
  expect(learn(index, 0, 0, 1_000)).toEqual({ closed: true });
  expect(exposure(index, 0)).toBe(exposure(before, 0));
});

test('growth of the whole shop is carried on, damped', () => {
  const index = init(7);
  live(index, 120, (day) => 1_000 * 1.01 ** day);
  expect(exposure(index, 0, 7)).toBeGreaterThan(exposure(index, 0));
  const far = exposure(index, 0, 280) / exposure(index, 0, 140);
  expect(far).toBeLessThan(1.05);
});

test('a handful of sales is no calendar', () => {
  const index = init(7);
  live(index, 140, (day) => (day % 7 === 5 ? 4 : 1), 3);
  expect(index.season.every((value) => value === 0)).toBe(true);
});
