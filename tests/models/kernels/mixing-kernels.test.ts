import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mixingKernels } from '../../../models/kernels/mixing-kernels.js';

const size = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true }));
/** Groups, experts and probabilities, odd and even, and a number for each place of a matrix. */
const round = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }), fc.array(size, { minLength: 200, maxLength: 200 }));

test('forecasts are mixed as a loop would, in the order of the experts, and never cross', () => {
  fc.assert(fc.property(round, ([groups, experts, n, numbers]) => {
    const kernels = mixingKernels(groups, experts, n);
    kernels.weights.forEach((_, i) => { kernels.weights[i] = numbers[i % 199]; });
    kernels.quantiles.forEach((_, i) => { kernels.quantiles[i] = numbers[(7 * i) % 200]; });
    for (let group = 0; group < groups; group++) {
      kernels.mix(group);
      let most = 0;
      for (let p = 0; p < n; p++) {
        let sum = 0;
        for (let k = 0; k < experts; k++) sum += kernels.weights[(group * experts + k) * n + p] * kernels.quantiles[k * n + p];
        most = Math.max(most, sum);
        expect(kernels.mixture[p]).toBe(most);
      }
    }
  }));
});

test('what experts are told is what a loop would tell them, and other groups are told nothing', () => {
  fc.assert(fc.property(round, ([groups, experts, n, numbers]) => {
    const kernels = mixingKernels(groups, experts, n);
    kernels.gradients.fill(0.5);
    kernels.quantiles.forEach((_, i) => { kernels.quantiles[i] = numbers[(7 * i) % 200]; });
    kernels.mixture.forEach((_, p) => { kernels.mixture[p] = numbers[p]; });
    kernels.slopes.forEach((_, p) => { kernels.slopes[p] = 0.3 - p / 7; });
    const group = groups - 1;
    kernels.teach(group);
    const right = Float64Array.from(kernels.gradients, (_, i) => {
      const [k, p] = [Math.floor(i / n), i % n];
      return k < group * experts ? 0.5 : 0.5 + kernels.slopes[p] * (kernels.quantiles[(k - group * experts) * n + p] - kernels.mixture[p]);
    });
    expect([...kernels.gradients]).toEqual([...right]);
  }));
});
