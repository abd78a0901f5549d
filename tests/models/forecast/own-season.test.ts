import { expect, test } from 'vitest';
import * as demand from '../../../models/forecast/demand-forecaster.js';
import * as expertBank from '../../../models/forecast/expert-bank.js';
import { asProven, prove, turn, unproven } from '../../../models/forecast/own-season.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const SKUS = 60;

/** A shop of `rate` units of a SKU in a week, moved by a third of chance, lived for so many weeks. */
function lived(weeks: number, rate: (week: number, sku: number) => number): demand.DemandForecaster {
  const model = demand.init({ skus: SKUS, seasonPeriods: 52, daysAPeriod: 7, horizon: 8, probabilities: [0.1, 0.5, 0.9] });
  const random = randomness(5);
  for (let week = 0; week < weeks; week++) demand.learn(model, Float64Array.from({ length: SKUS }, (_, sku) => Math.round(rate(week, sku) * (2 / 3 + (2 / 3) * uniform(random)))));
  return model;
}

/** Error of the means of the eight weeks after so many, over what is sold of them. */
function errorAfter(weeks: number, rate: (week: number, sku: number) => number): number {
  const model = lived(weeks, rate);
  const forecast = demand.blankForecast(model);
  let [error, sold] = [0, 0];
  for (let sku = 0; sku < SKUS; sku++) {
    demand.predict(model, sku, forecast);
    forecast.means.forEach((mean, ahead) => { error += Math.abs(mean - rate(weeks + ahead, sku)); sold += rate(weeks + ahead, sku); });
  }
  return error / sold;
}

const wave = (week: number, begins: number): number => 1 + 0.6 * Math.sin(2 * Math.PI * (week / 52 + begins));

test('what each SKU has a season of its own in is known after two years', () => {
  expect(errorAfter(124, (week, sku) => 30 * wave(week, sku / SKUS))).toBeLessThan(0.17);
});

test('what all have in common is known, too', () => {
  expect(errorAfter(104, (week) => 30 * wave(week, 0))).toBeLessThan(0.11);
});

test('SKUs that come and go at random times are not thought to do so again a year later', () => {
  const random = randomness(9);
  const turns = Array.from({ length: SKUS }, () => Array.from({ length: 20 }, () => (uniform(random) < 0.5 ? 15 : 45)));
  const { proven } = lived(156, (week, sku) => turns[sku]![Math.floor(week / 13)]!).bank;
  expect(proven!.cameTrue / proven!.said).toBeLessThan(0.4);
});

test('of what SKUs said of a period so much is believed as came true in others, and what they share entirely', () => {
  const [true_, half, untrue] = [1, 0.5, 0].map((part) => {
    const proven = unproven(4);
    for (let round = 0; round < 20; round++) {
      turn(proven, 1);
      for (let sku = 0; sku < 40; sku++) {
        const told = 2 * (sku % 2 === 0 ? 1.4 : 0.6);
        prove(proven, { told, worth: 1 + part * (told / 2 - 1), next: told, expected: 100, phi: 0 });
      }
      turn(proven, 2);
    }
    return proven;
  });
  // The common 2 is itself believed by 40 of 45 SKUs.
  const common = 1 + 40 / 45;
  expect(true_!.common[1]).toBeCloseTo(common);
  expect(asProven(true_, 1, 2.8)).toBeGreaterThan(2.4);
  expect(asProven(untrue, 1, 2.8)).toBeLessThan(2);
  expect(asProven(half, 1, 2.8)).toBeGreaterThan(asProven(untrue, 1, 2.8));
  expect(asProven(half, 1, 2.8)).toBeLessThan(asProven(true_, 1, 2.8));
  expect(asProven(undefined, 1, 2.8)).toBe(2.8);
});

test('what a SKU learns does not hang on which SKUs are learned before it in a period', () => {
  const order = Array.from({ length: SKUS }, (_, sku) => sku);
  const [forward, backward] = [order, order.toReversed()].map((skus) => {
    const bank = expertBank.init(SKUS, 52, 7);
    const random = randomness(3);
    for (let week = 0; week < 130; week++) {
      const units = order.map((sku) => Math.round(30 * wave(week, sku / SKUS) * (2 / 3 + (2 / 3) * uniform(random))));
      for (const sku of skus) expertBank.learn(bank, sku, units[sku]!, 1, week % 52);
    }
    return bank;
  });
  expect(forward!.proven!.belief).toBeGreaterThan(0.5);
  forward!.rows.forEach((value, i) => expect(Math.abs(backward!.rows[i]! - value)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(value))));
});
