import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  init,
  learn,
  predict,
  RECENT_DAYS,
  revise,
  type SeasonalSmoothing,
} from '../../../models/forecast/seasonal-smoothing.js';

const QUANTILES = [0.1, 0.5, 0.9, 0.99];
const START = 20_000;

function fit(units: readonly number[], state: SeasonalSmoothing = init(), from = START): SeasonalSmoothing {
  units.forEach((value, i) => learn(state, { day: from + i, units: value }));
  return state;
}

const series = fc.array(fc.oneof(fc.constant(0), fc.nat(20), fc.nat(2_000)), { minLength: 1, maxLength: 200 });

test('learning a series in two parts equals learning it at once', () => {
  fc.assert(
    fc.property(series, fc.nat(200), (units, cut) => {
      const parts = fit(units.slice(0, cut));
      fit(units.slice(cut), parts, START + Math.min(cut, units.length));
      expect(parts).toEqual(fit(units));
    }),
  );
});

test('days that were skipped are zero days', () => {
  const skipped = init();
  learn(skipped, { day: START, units: 3 });
  learn(skipped, { day: START + 90, units: 2 });
  expect(skipped).toEqual(fit([3, ...Array<number>(89).fill(0), 2]));
});

test('a correction within the window equals having known it', () => {
  fc.assert(
    fc.property(series, fc.nat(RECENT_DAYS - 1), fc.integer({ min: -50, max: 50 }), (units, age, delta) => {
      const index = Math.max(0, units.length - 1 - age);
      const corrected = fit(units);
      expect(revise(corrected, START + index, delta)).toBe('exact');
      expect(corrected).toEqual(fit(units.map((value, i) => (i === index ? value + delta : value))));
    }),
  );
});

test('a late line before the first day of a young series equals having known it', () => {
  const young = fit([4, 0, 1]);
  expect(revise(young, START - 100, 6)).toBe('exact');
  expect(young).toEqual(fit([6, ...Array<number>(99).fill(0), 4, 0, 1], init(), START - 100));
});

test('a correction older than the window moves the level only, and says so', () => {
  const units = Array.from({ length: 120 }, (_, i) => (i % 3) + 1);
  const known = fit(units);
  const corrected = fit(units);
  expect(revise(corrected, START + 10, 500)).toBe('level-only');
  expect(corrected.level).toBeGreaterThan(known.level);
  expect({ ...corrected, level: 0 }).toEqual({ ...known, level: 0 });
  expect(revise(corrected, START + 10, -1e9)).toBe('level-only');
  expect(corrected.level).toBe(0);
});

test('a cancellation before its order cancels it', () => {
  const state = init();
  learn(state, { day: START, units: -5 });
  learn(state, { day: START, units: 5 });
  expect(predict(state, 28, QUANTILES)).toEqual(predict(fit([0]), 28, QUANTILES));
});

test('quantiles are never negative, NaN or crossing', () => {
  const odd = fc.array(
    fc.oneof(fc.integer({ min: -100, max: 100 }), fc.double({ min: -5, max: 5, noNaN: true }), fc.constant(1e9)),
    { maxLength: 90 },
  );
  fc.assert(
    fc.property(odd, (units) => {
      for (const { mean, quantiles } of predict(fit(units), 28, QUANTILES)) {
        expect(Number.isFinite(mean) && mean >= 0).toBe(true);
        quantiles.forEach((value, i) => {
          expect(Number.isFinite(value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(i === 0 ? 0 : (quantiles[i - 1] ?? NaN));
        });
      }
    }),
  );
});

test('no history and ten years of zeros answer zero', () => {
  for (const state of [init(), fit(Array<number>(3_650).fill(0))]) {
    for (const { mean, quantiles } of predict(state, 28, QUANTILES)) expect([mean, ...quantiles]).toEqual([0, 0, 0, 0, 0]);
  }
});

test('one sale of two in sixty days has a mean between 0 and 0.5', () => {
  const once = fit([...Array<number>(40).fill(0), 2, ...Array<number>(19).fill(0)]);
  for (const { mean } of predict(once, 7, QUANTILES)) {
    expect(mean).toBeGreaterThan(0);
    expect(mean).toBeLessThan(0.5);
  }
});

test('a weekly pattern is followed', () => {
  const weekly = fit(Array.from({ length: 140 }, (_, i) => ((START + i) % 7 === 2 ? 0 : 10)));
  for (const { day, mean } of predict(weekly, 7, QUANTILES)) {
    expect(Math.abs(mean - (day % 7 === 2 ? 0 : 10))).toBeLessThan(1);
  }
});

test('days without stock are not days without demand', () => {
  const soldOut = init();
  const unsold = init();
  for (let i = 0; i < 28; i++) {
    learn(soldOut, { day: START + i, units: i < 14 ? 5 : 0, censored: i >= 14 });
    learn(unsold, { day: START + i, units: i < 14 ? 5 : 0 });
  }
  const meanOf = (state: SeasonalSmoothing): number =>
    predict(state, 7, QUANTILES).reduce((sum, { mean }) => sum + mean / 7, 0);
  expect(soldOut.censored).toHaveLength(14);
  expect(meanOf(soldOut)).toBeGreaterThanOrEqual(4);
  expect(meanOf(soldOut)).toBeLessThanOrEqual(6);
  expect(meanOf(unsold)).toBeLessThan(0.7 * meanOf(soldOut));
});

test('predicting leaves the state equal, and a running day can be left out', () => {
  const state = fit(Array.from({ length: 80 }, (_, i) => i % 4));
  const before = structuredClone(state);
  const yesterday = predict(state, 28, QUANTILES);
  expect(state).toEqual(before);
  learn(state, { day: state.lastDay + 1, units: 1 });
  expect(predict(state, 28, QUANTILES, state.lastDay - 1)).toEqual(yesterday);
});

test('a day that is no day and units that are no number are refused by name', () => {
  expect(() => learn(init(), { day: 1.5, units: 1 })).toThrow('whole number of days');
  expect(() => learn(init(), { day: 1, units: NaN })).toThrow('finite');
  expect(() => learn(fit([1]), { day: START + 1e6, units: 1 })).toThrow('century');
});
