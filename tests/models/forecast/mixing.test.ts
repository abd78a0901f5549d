import { expect, test } from 'vitest';
import { init, learn, weightsOf } from '../../../models/forecast/mixing.js';

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

test('weights of those who are asked are listed expert by expert', () => {
  const mixer = init(2, [[1, 1, 2], [3, 1, 4]]);
  mixer.weights.set([0.1, 0.2, 0.7], 9);
  const into = new Float64Array(5).fill(NaN);
  weightsOf(mixer, 1, [0, 2], into, 1);
  expect([...into]).toEqual([NaN, 3 / 8, 0.1, 4 / 8, 0.7]);
});
