import { expect, test } from 'vitest';
import { HIDDEN, LEAK, UNITS } from '../../models/kernels/network.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { init, learn, predict, restore, snapshot, STRIDE, type Ranker } from '../../models/ranker.js';

const FEATURES = 7;

function filled(count: number, seed: number): Ranker {
  const state = init(FEATURES, [1]);
  const random = randomness(seed);
  for (let f = 0; f < FEATURES; f++) for (let c = 0; c < count; c++) state.x[f * STRIDE + c] = 2 * uniform(random) - 1;
  return state;
}

/** The equation at the head of the model's file, in double precision. */
function scores({ network: { weights }, x }: Ranker, count: number): number[] {
  return Array.from({ length: count }, (_, c) => {
    let sum = 0;
    for (let f = 0; f < FEATURES; f++) sum += weights[f * UNITS + HIDDEN] * x[f * STRIDE + c];
    for (let k = 0; k < HIDDEN; k++) {
      let z = 0;
      for (let f = 0; f < FEATURES; f++) z += weights[f * UNITS + k] * x[f * STRIDE + c];
      sum += weights[FEATURES * UNITS + k] * (z > 0 ? z : LEAK * z);
    }
    return sum;
  });
}

function loss(state: Ranker, count: number, target: number): number {
  const all = scores(state, count);
  return Math.log(all.reduce((sum, score) => sum + Math.exp(score), 0)) - all[target];
}

test.each([1, 2, 3, 4, 5, 96, 127, 128])('the kernel gives the equation\'s scores for %i candidates', (count) => {
  const state = filled(count, 3);
  const out = new Float32Array(STRIDE);
  predict(state, count, out);
  scores(state, count).forEach((expected, c) => expect(out[c]).toBeCloseTo(expected, 4));
});

test('the gradient is the slope of the loss, for every weight', () => {
  const state = filled(6, 9);
  learn(state, 6, 2);
  const { weights, gradient } = state.network;
  for (let i = 0; i < weights.length; i++) {
    const kept = weights[i];
    weights[i] = kept + 2e-3;
    const above = loss(state, 6, 2);
    weights[i] = kept - 2e-3;
    const below = loss(state, 6, 2);
    weights[i] = kept;
    expect(Math.abs((above - below) / 4e-3 - gradient[i])).toBeLessThan(2e-3);
  }
});

test('it learns a rule that no single feature shows: both of two signs agree', () => {
  const state = init(FEATURES, []);
  const random = randomness(4);
  let late = 0;
  for (let n = 0; n < 6_000; n++) {
    for (let c = 0; c < 4; c++) {
      for (let f = 0; f < FEATURES; f++) state.x[f * STRIDE + c] = f === FEATURES - 1 ? 1 : uniform(random) < 0.5 ? -1 : 1;
      if (c > 0) state.x[STRIDE + c] = -state.x[c];
    }
    state.x[STRIDE] = state.x[0];
    const given = learn(state, 4, 0);
    if (n >= 5_500) late += given / 500;
  }
  expect(late).toBeLessThan(0.3);
});

test('a restored ranker scores and learns on as the one it was taken from', () => {
  const state = filled(9, 5);
  for (let n = 0; n < 11; n++) learn(state, 9, n % 9);
  const again = restore(snapshot(state), FEATURES);
  again.x.set(state.x);
  learn(state, 9, 1);
  learn(again, 9, 1);
  expect(Buffer.compare(snapshot(again), snapshot(state))).toBe(0);
  expect(() => restore(snapshot(state), FEATURES + 1)).toThrow('has 7 features; this code has 8');
});
