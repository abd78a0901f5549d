import { expect, test } from 'vitest';
import { init, learn, mix } from '../../../models/forecast/mixing.js';

function weights(mixer: ReturnType<typeof init>): number[] {
  return Array.from(mixer.weights.subarray(0, mixer.experts));
}

test('untrained, the weights are the prior', () => {
  expect(weights(init(1, [[1, 3], [1, 1]]))).toEqual([0.25, 0.75]);
});

test('the expert that loses less takes over, and gives way when that turns', () => {
  const mixer = init(1, [[1, 1, 1]]);
  for (let i = 0; i < 200; i++) learn(mixer, 0, 0, Float64Array.of(-0.1, 0.05, 0.05));
  expect(weights(mixer)[0]).toBeGreaterThan(0.9);
  for (let i = 0; i < 400; i++) learn(mixer, 0, 0, Float64Array.of(0.1, -0.1, 0.05));
  expect(weights(mixer)[1]).toBeGreaterThan(0.9);
});

test('what one group learns stays there', () => {
  const mixer = init(1, [[1, 1], [1, 1]]);
  for (let i = 0; i < 50; i++) learn(mixer, 1, 0, Float64Array.of(-1, 1));
  expect(weights(mixer)).toEqual([0.5, 0.5]);
});

test('weights stay a distribution, whatever the size of the losses', () => {
  const mixer = init(1, [[1, 1]]);
  for (const size of [0, 1e-12, 1e9, -1e9, 1]) learn(mixer, 0, 0, Float64Array.of(size, -size));
  const [a = NaN, b = NaN] = weights(mixer);
  expect(a + b).toBeCloseTo(1, 12);
  expect(a >= 0 && b >= 0).toBe(true);
});

test('mixed quantiles do not cross, even where the weights differ by quantile', () => {
  const mixer = init(2, [[1, 1]]);
  for (let i = 0; i < 100; i++) {
    learn(mixer, 0, 0, Float64Array.of(-1, 1));
    learn(mixer, 0, 1, Float64Array.of(1, -1));
  }
  const out = new Float64Array(2);
  mix(mixer, 0, Float64Array.of(8, 9, 1, 2), 0, out, 0, [0, 1]);
  expect(out[1]).toBeGreaterThanOrEqual(out[0] ?? NaN);
});

test('it is told at how many of the first probabilities all say zero, and a weight of nil hides nobody', () => {
  const mixer = init(3, [[1, 1]]);
  const zerosOf = (...quantiles: number[]): number => mix(mixer, 0, Float64Array.from(quantiles), 0, new Float64Array(3), 0, [0, 1]);
  expect([zerosOf(0, 0, 0, 0, 0, 0), zerosOf(0, 0, 0, 0, 0, 2), zerosOf(0, 1, 1, 0, 0, 2), zerosOf(1, 1, 1, 0, 0, 0)]).toEqual([3, 2, 1, 0]);
  mixer.weights.set([1, 0, 1, 0, 1, 0]);
  // What it would have been worth to hear the second one is still to be learned.
  expect(zerosOf(0, 0, 0, 0, 5, 5)).toBe(1);
});
