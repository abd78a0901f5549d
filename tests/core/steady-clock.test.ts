import { expect, test } from 'vitest';
import { SteadyClock } from '../../pipeline/core/steady-clock.js';

const SECOND = 1_000;
const DAY = 86_400_000;

/** A clock read each second for `seconds`, while the wall clock is off by `off` ms. */
function clockwork(): { readonly run: (seconds: number, off?: number) => number; readonly clock: SteadyClock; readonly right: () => number } {
  let [elapsed, error] = [0, 0];
  const clock = new SteadyClock(() => 1e12 + elapsed + error, () => elapsed);
  const run = (seconds: number, off = 0): number => {
    error = off;
    let now = clock.now();
    for (let second = 0; second < seconds; second++) {
      elapsed += SECOND;
      now = clock.now();
    }
    return now;
  };
  return { run, clock, right: () => 1e12 + elapsed };
}

test('it follows the wall clock, corrections and small steps of it included', () => {
  const { run, clock, right } = clockwork();
  for (const off of [0, 20, -300, 4_000, 29_000, 0]) expect(run(10, off)).toBe(right() + off);
  expect(clock.doubtedMs).toBe(0);
});

test('a leap ahead that does not last is not followed, and is told', () => {
  const { run, clock, right } = clockwork();
  run(10);
  expect(run(40, 40 * DAY)).toBe(right());
  expect(clock.doubtedMs).toBe(40 * DAY);
  expect(run(1)).toBe(right());
  expect(clock.doubtedMs).toBe(0);
  // A second one begins anew.
  expect(run(40, 40 * DAY)).toBe(right());
});

test('one that lasts a minute is believed, and one that changes meanwhile waits from there', () => {
  const { run, clock, right } = clockwork();
  run(59, DAY);
  expect(run(59, 2 * DAY)).toBe(right());
  expect(run(2, 2 * DAY)).toBe(right() + 2 * DAY);
  expect(clock.doubtedMs).toBe(0);
});

test('a leap back is followed at once', () => {
  const { run, right } = clockwork();
  run(100, DAY);
  expect(run(1)).toBe(right());
});
