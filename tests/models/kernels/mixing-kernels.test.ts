import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mixingKernels, type MixingKernels } from '../../../models/kernels/mixing-kernels.js';

const size = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true }));
/** Groups, experts and probabilities, odd and even, and a number for each place of a matrix. */
const round = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }), fc.array(size, { minLength: 200, maxLength: 200 }));

/** Filled with these numbers, and a forecast that begins behind another one. */
function filled([groups, experts, n, numbers]: [number, number, number, number[]]): { kernels: MixingKernels; quantiles: Float64Array; at: number; probabilities: Float64Array } {
  const kernels = mixingKernels(groups, experts, n);
  const probabilities = Float64Array.from({ length: n }, (_, p) => (p + 1) / (n + 1));
  kernels.start(probabilities);
  kernels.weights.forEach((_, i) => { kernels.weights[i] = numbers[i % 199]; });
  const at = experts * n;
  return { kernels, quantiles: Float64Array.from({ length: 3 * at }, (_, i) => numbers[(7 * i) % 200]), at, probabilities };
}

test('forecasts are mixed as a loop would, in the order of the experts, and never cross', () => {
  fc.assert(fc.property(round, (given) => {
    const [groups, experts, n] = given;
    const { kernels, quantiles, at } = filled(given);
    for (let group = 0; group < groups; group++) {
      for (const from of [at, 2 * at, 0]) {
        kernels.mix(group, quantiles, from);
        let most = 0;
        for (let p = 0; p < n; p++) {
          let sum = 0;
          for (let k = 0; k < experts; k++) sum += kernels.weights[(group * experts + k) * n + p] * quantiles[from + k * n + p];
          most = Math.max(most, sum);
          expect(kernels.mixture[p]).toBe(most);
        }
      }
    }
  }));
});

test('what experts are told is what a loop would tell them, and other groups are told nothing', () => {
  fc.assert(fc.property(round, size, (given, actual) => {
    const [groups, experts, n] = given;
    const { kernels, quantiles, at, probabilities } = filled(given);
    const group = groups - 1;
    kernels.mix(group, quantiles, at);
    kernels.gradients.fill(0.5);
    kernels.teach(group, actual, 0.7);
    const right = Float64Array.from(kernels.gradients, (_, i) => {
      const [k, p] = [Math.floor(i / n) - group * experts, i % n];
      const slope = ((actual <= kernels.mixture[p] ? 1 : 0) - probabilities[p]) / 0.7;
      return k < 0 ? 0.5 : 0.5 + slope * (quantiles[at + k * n + p] - kernels.mixture[p]);
    });
    expect([...kernels.gradients]).toEqual([...right]);
  }));
});

test('a round reads what stands there now, not what did in the one before', () => {
  const kernels = mixingKernels(1, 1, 2);
  kernels.weights.set([1, 1]);
  const quantiles = Float64Array.of(1, 2);
  kernels.mix(0, quantiles, 0);
  quantiles.set([3, 4]);
  kernels.start(Float64Array.of(0.2, 0.8));
  kernels.mix(0, quantiles, 0);
  expect([...kernels.mixture]).toEqual([3, 4]);
});
