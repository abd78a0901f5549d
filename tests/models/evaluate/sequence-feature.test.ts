import { expect, test } from 'vitest';
import { loadBackend } from '../../../infra/tensorflow/backend.js';
import { sequenceSlopes } from '../../../infra/tensorflow/sequence-encoder.js';
import { testSessions, type TestSession } from '../../../models/evaluate/recommendations.js';
import { defaults, evaluateSequenceFeature } from '../../../models/evaluate/sequence-feature.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';

const GOALS = 30;
const observer = { now: () => 0, progress: () => {} };

/** Item 0 then 1 leads to one of the first goals, 1 then 0 to one of the others. Every second session stays among goals of one kind, so that their vectors lie together. */
function sessions(count: number, seed: number): Int32Array[] {
  const random = randomness(seed);
  return Array.from({ length: count }, (_, at) => {
    const isForward = uniform(random) < 0.5;
    const goal = (): number => 2 + (isForward ? 0 : GOALS) + Math.floor(uniform(random) * GOALS);
    return at % 2 === 0 ? Int32Array.of(...(isForward ? [0, 1] : [1, 0]), goal()) : Int32Array.of(goal(), goal(), goal());
  });
}

const asked: TestSession[] = testSessions(sessions(320, 9).filter(([first]) => first! < 2).map((session) => ({ prefix: session.subarray(0, 2), target: session[2]! })));

test('where order decides, the network finds what comes next, and so does a ranker that has its columns', async () => {
  const slopesOf = sequenceSlopes(await loadBackend('wasm'));
  const scores = evaluateSequenceFeature(sessions(600, 5), asked, slopesOf, { ...defaults, block: 150, rate: 2e-2, passes: 20 }, observer);
  expect(scores.steps).toBe(120);
  // Twenty of 62 items by chance; two in three with the kind of goal known.
  expect(scores.alone.hitRate).toBeGreaterThan(0.55);
  expect(scores.with.hitRate).toBeGreaterThan(scores.without.hitRate + 0.04);
  expect(scores.hitGain).toBeCloseTo(scores.with.hitRate - scores.without.hitRate, 9);
  expect(scores.hitGainError).toBeGreaterThan(0);
});

test('a network that learns nothing takes no step, and the same seed gives the same figures', () => {
  const run = (seed: number): ReturnType<typeof evaluateSequenceFeature> =>
    evaluateSequenceFeature(sessions(120, 5), asked, (weights) => ({ ...weights, loss: Number.NaN }), { ...defaults, block: 60, seed }, observer);
  const [once, again, other] = [run(1), run(1), run(2)];
  expect(once.steps).toBe(0);
  expect(again).toEqual(once);
  expect(other.without).not.toEqual(once.without);
});
