import { expect, test } from 'vitest';
import * as conformal from '../../../models/forecast/conformal.js';
import { learnRound } from '../../../models/forecast/judging.js';
import * as mixing from '../../../models/forecast/mixing.js';
import type { Mixture } from '../../../models/forecast/sku-forecast.js';
import { SHARED } from '../../../models/forecast/totals.js';

const PROBABILITIES = Float64Array.of(0.1, 0.5, 0.9);

const untrained = (): Mixture => ({ probabilities: PROBABILITIES, mixer: mixing.init(PROBABILITIES.length, [[1, 1]]), tails: conformal.init(1, 0.8), shared: SHARED });
const SAMPLE = { group: 0, scale: 10, actual: 30, onSale: 1, quantiles: Float64Array.of(10, 11, 12, 20, 21, 22), at: 0, mean: 16, far: 0.5 };

/** The tail of a class's interval after a round of so many forecasts that were all wrong. */
function tailAfterMisses(count: number): number {
  const taught = untrained();
  learnRound(taught, Array.from({ length: count }, () => SAMPLE));
  return taught.tails.tail[0]!;
}

test('a handful of SKUs moves what a class shares a little, a hundred move it by a full step', () => {
  const [none, one, hundred] = [0, 1, 100].map(tailAfterMisses) as [number, number, number];
  expect(none).toBeCloseTo(0.1, 12);
  expect(one).toBeLessThan(none);
  // One counts as an eleventh of a step, a hundred as ten elevenths.
  expect((none - one) / (none - hundred)).toBeLessThan(0.15);
});

test('SKUs that stray together say that they share something, those that stray apart that they do not, lead by lead', () => {
  const after = (actuals: readonly number[], leads: readonly number[]): number => {
    const taught = untrained();
    learnRound(taught, actuals.map((actual, i) => ({ ...SAMPLE, actual, far: (leads[i]! + 1) / 2 })));
    return taught.shared.level;
  };
  const leads = Array.from({ length: 40 }, (_, i) => i % 2);
  const together = after(leads.map(() => 24), leads);
  const apart = after(leads.map((_, i) => (i % 4 < 2 ? 8 : 24)), leads);
  expect([apart < SHARED.level, together > SHARED.level]).toEqual([true, true]);
  // Of two leads one strays up and one down: of all together nothing would be seen.
  expect(after(leads.map((lead) => (lead === 0 ? 8 : 24)), leads)).toBeCloseTo(together, 12);
});

test('an expert without weight is heard all the same: where the mixture says nothing it may be right', () => {
  const taught = untrained();
  taught.mixer.weights.set([1, 0, 1, 0, 1, 0]);
  learnRound(taught, [{ ...SAMPLE, actual: 5, quantiles: Float64Array.of(0, 0, 0, 0, 5, 5) }]);
  // Of the lowest probability both say zero, and none is better.
  expect(taught.mixer.loss[0]).toBe(0);
  expect(taught.mixer.loss[1]).toBe(0);
  expect(taught.mixer.loss[5]).toBeLessThan(0);
});

test('forecasts whose quantiles would cross by their weights are judged as they are served', () => {
  const taught = untrained();
  taught.mixer.weights.set([0, 1, 1, 0, 1, 0]);
  const misses: boolean[] = [];
  // Of ten in nine cases out of ten, and twenty in one: twenty it is throughout.
  learnRound(taught, [{ ...SAMPLE, actual: 15 }], ({ covered }) => misses.push(!covered));
  expect(misses).toEqual([true]);
});

test('an interval holds its median, as it is served: where nine experts say 0 and one says 10, 0 is no miss', () => {
  const taught = untrained();
  const covered: boolean[] = [];
  const zeroOften = { ...SAMPLE, quantiles: Float64Array.of(0, 0, 10, 2, 2, 10) };
  taught.mixer.weights.set([0.9, 0.1, 0.9, 0.1, 1, 0]);
  learnRound(taught, [0, 5, 11].map((actual) => ({ ...zeroOften, actual })), (score) => covered.push(score.covered));
  expect(covered).toEqual([true, true, false]);
});
