import { expect, test } from 'vitest';
import * as conformal from '../../../models/forecast/conformal.js';
import { learnRound } from '../../../models/forecast/judging.js';
import * as mixing from '../../../models/forecast/mixing.js';

const PROBABILITIES = Float64Array.of(0.1, 0.5, 0.9);

/** The tail of a class's interval after a round of so many forecasts that were all wrong. */
function tailAfterMisses(count: number): number {
  const mixer = mixing.init(PROBABILITIES.length, [[1, 1]]);
  const tails = conformal.init(1, 0.8);
  const sample = { group: 0, scale: 10, actual: 30, quantiles: [10, 11, 12, 20, 21, 22], at: 0 };
  learnRound(mixer, tails, PROBABILITIES, Array.from({ length: count }, () => sample));
  return tails.tail[0]!;
}

test('a handful of SKUs moves what a class shares a little, a hundred move it by a full step', () => {
  const [none, one, hundred] = [0, 1, 100].map(tailAfterMisses) as [number, number, number];
  expect(none).toBeCloseTo(0.1, 12);
  expect(one).toBeLessThan(none);
  // One counts as an eleventh of a step, a hundred as ten elevenths.
  expect((none - one) / (none - hundred)).toBeLessThan(0.15);
});
