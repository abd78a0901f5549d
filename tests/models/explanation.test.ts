import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compare, explain, featuresOf, gameOf, GROUPS, outcomeOf } from '../../models/explanation.js';
import { FEATURES, PRIOR } from '../../models/features.js';
import { HIDDEN, UNITS } from '../../models/kernels/network.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { init, learn, predict, STRIDE, type Ranker } from '../../models/ranker.js';

const COUNT = 12;

/** A ranker that has learned something, with candidates in its matrix. */
function trained(seed: number): { ranker: Ranker; scores: Float32Array } {
  const ranker = init(FEATURES.length, PRIOR, { seed });
  const random = randomness(seed);
  for (let n = 0; n < 60; n++) {
    for (let f = 0; f < FEATURES.length; f++) for (let c = 0; c < COUNT; c++) ranker.x[f * STRIDE + c] = f === FEATURES.length - 1 ? 1 : 2 * uniform(random) - 1;
    learn(ranker, COUNT, n % COUNT);
  }
  const scores = new Float32Array(STRIDE);
  predict(ranker, COUNT, scores);
  return { ranker, scores };
}

test('baseline and contributions sum to the score', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(COUNT - 2), (seed, c) => {
    const { ranker, scores } = trained(seed);
    const unknown = featuresOf(ranker, COUNT - 1);
    const { baseline, contributions } = explain(ranker, c, scores[c], unknown);
    expect(contributions.length).toBe(GROUPS.length);
    expect(Math.abs(contributions.reduce((sum, value) => sum + value, baseline) - scores[c])).toBeLessThan(1e-12);
    // The baseline is the other candidate's score but for the rounding of the kernels.
    expect(Math.abs(baseline - outcomeOf(gameOf(ranker, c, unknown), 0))).toBeLessThan(1e-4);
  }), { numRuns: 20 });
});

test('where the network says nothing, contributions are the linear part\'s, exactly', () => {
  const { ranker } = trained(4);
  ranker.network.averaged.fill(0, FEATURES.length * UNITS);
  const scores = new Float32Array(STRIDE);
  predict(ranker, COUNT, scores);
  const unknown = featuresOf(ranker, COUNT - 1);
  const { contributions } = explain(ranker, 3, scores[3], unknown);
  const linear = FEATURES.map((_, f) => ranker.network.averaged[f * UNITS + HIDDEN] * (ranker.x[f * STRIDE + 3] - unknown[f]));
  const age = GROUPS.indexOf('age');
  expect(contributions[age]).toBeCloseTo(linear[FEATURES.indexOf('age')], 8);
  expect(compare(ranker, 3, unknown).weights[age]).toBeCloseTo(contributions[age], 4);
  expect(contributions.reduce((a, b) => a + b)).toBeCloseTo(linear.reduce((a, b) => a + b), 6);
});

test('a group as on the baseline contributes nothing', () => {
  const { ranker, scores } = trained(9);
  const age = FEATURES.indexOf('age');
  for (let c = 0; c < COUNT; c++) ranker.x[age * STRIDE + c] = 0.25;
  predict(ranker, COUNT, scores);
  const { contributions } = explain(ranker, 0, scores[0], featuresOf(ranker, COUNT - 1));
  expect(Math.abs(contributions[GROUPS.indexOf('age')])).toBeLessThan(1e-9);
});

test('a contribution is what the group adds on average, in whatever order the groups become known', () => {
  const { ranker, scores } = trained(5);
  const unknown = featuresOf(ranker, COUNT - 1);
  const { contributions } = explain(ranker, 1, scores[1], unknown);
  const game = gameOf(ranker, 1, unknown);
  const random = randomness(2);
  const gains = GROUPS.map((): number[] => []);
  for (let n = 0; n < 400; n++) {
    const order = GROUPS.map((_, group) => ({ group, at: uniform(random) })).sort((a, b) => a.at - b.at);
    let set = 0;
    for (const { group } of order) {
      gains[group].push(outcomeOf(game, set | (1 << group)) - outcomeOf(game, set));
      set |= 1 << group;
    }
  }
  contributions.forEach((value, g) => {
    const mean = gains[g].reduce((sum, gain) => sum + gain, 0) / gains[g].length;
    const error = Math.sqrt(gains[g].reduce((sum, gain) => sum + (gain - mean) ** 2, 0)) / gains[g].length;
    expect(Math.abs(value - mean)).toBeLessThan(5 * error + 1e-9);
  });
});

test('against itself all of a candidate\'s score is baseline', () => {
  const { ranker, scores } = trained(6);
  const { baseline, contributions } = explain(ranker, 0, scores[0], featuresOf(ranker, 0));
  // But for the rounding of the kernels.
  expect(baseline).toBeCloseTo(scores[0], 6);
  contributions.forEach((value) => expect(Math.abs(value)).toBeLessThan(1e-6));
});
