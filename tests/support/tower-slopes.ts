import { HIDDEN, LEAK, type SlopesOf } from '../../models/content-tower.js';
import { DIMENSIONS } from '../../models/embedding.js';

/** The content tower's slopes in plain double precision, by the chain rule written out: what TensorFlow must agree with. */
export const plainSlopes: SlopesOf = ({ first, firstBias, second, secondBias }, { items, slots, inputs, bases, targets, weights }) => {
  const width = slots.length;
  const slopes = { first: new Float64Array(first.length), firstBias: new Float64Array(HIDDEN), second: new Float64Array(second.length), secondBias: new Float64Array(DIMENSIONS) };
  let loss = 0;
  for (let i = 0; i < items; i++) {
    const present = Array.from({ length: width }, (_, s) => s).filter((s) => inputs[i * width + s] !== 0);
    const z = Float64Array.from({ length: HIDDEN }, (_, k) => present.reduce((total, s) => total + inputs[i * width + s] * first[s * HIDDEN + k], firstBias[k]));
    const h = z.map((value) => (value > 0 ? value : LEAK * value));
    const said = Float64Array.from({ length: DIMENSIONS }, (_, d) => bases[i * DIMENSIONS + d] + secondBias[d] + sum(HIDDEN, (k) => h[k] * second[k * DIMENSIONS + d]));
    const length = Math.sqrt(sum(DIMENSIONS, (d) => said[d] ** 2) + 1e-12);
    const t = said.map((value) => value / length);
    const cosine = sum(DIMENSIONS, (d) => t[d] * targets[i * DIMENSIONS + d]);
    const share = weights[i] / items;
    loss += share * (1 - cosine);
    // By the direction, by what was said, by the hidden units, by the slots.
    const byDirection = Float64Array.from({ length: DIMENSIONS }, (_, d) => -share * targets[i * DIMENSIONS + d]);
    const along = sum(DIMENSIONS, (d) => byDirection[d] * t[d]);
    const bySaid = byDirection.map((slope, d) => (slope - along * t[d]) / length);
    for (let d = 0; d < DIMENSIONS; d++) slopes.secondBias[d] += bySaid[d];
    for (let k = 0; k < HIDDEN; k++) {
      const back = sum(DIMENSIONS, (d) => bySaid[d] * second[k * DIMENSIONS + d]) * (z[k] > 0 ? 1 : LEAK);
      for (let d = 0; d < DIMENSIONS; d++) slopes.second[k * DIMENSIONS + d] += h[k] * bySaid[d];
      slopes.firstBias[k] += back;
      for (const s of present) slopes.first[s * HIDDEN + k] += back * inputs[i * width + s];
    }
  }
  return {
    loss, first: Float32Array.from(slopes.first), firstBias: Float32Array.from(slopes.firstBias),
    second: Float32Array.from(slopes.second), secondBias: Float32Array.from(slopes.secondBias),
  };
};

function sum(count: number, of: (at: number) => number): number {
  let total = 0;
  for (let at = 0; at < count; at++) total += of(at);
  return total;
}
