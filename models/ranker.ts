/**
 * Ranker: which of the candidates comes next, from their features.
 *
 *   score(c) = v·x_c + Σ_k o_k·leaky(W_k·x_c)      leaky(z) = z for z > 0, 0.01·z otherwise
 *   learn target y: cross-entropy of softmax(score) over all candidates; Adam 3e-3, one step for each 4 lists
 *   predict uses the weights' running average over the last steps (up to 1,000), which is less noisy than the last ones
 *
 * x_c has `features` entries, centred and about unit size; the last one is 1 (the bias). 16 hidden units.
 * Untrained: the hidden weights are small and random (seeded), the linear part is the `prior` given to `init`, by which
 * a new shop ranks sensibly from its first event.
 * The caller writes features into the ranker's own matrix `x`, column-major with a stride of 128: x[f·128 + c].
 * Small softmax gradients are never skipped: that once pushed the blend below its best source.
 * Source: listwise softmax loss (Cao et al., ICML 2007), Adam (Kingma & Ba 2015).
 */
import * as network from './kernels/network.js';
import { HIDDEN, UNITS } from './kernels/network.js';
import { exp, log, randomness, uniform } from './kernels/numbers.js';
import { pack, unpack, UnreadableSnapshot } from './kernels/snapshot.js';

export { STRIDE } from './kernels/network.js';
const BATCH = 4;
const AVERAGED_STEPS = 1_000;
const VERSION = 1;

export interface Settings {
  readonly seed: number;
  readonly rate: number;
}

const defaults: Settings = { seed: 1, rate: 3e-3 };

export interface Ranker {
  readonly settings: Settings;
  readonly network: network.Network;
  /** Where the features of the next `predict` or `learn` go; every value must be finite. */
  readonly x: Float32Array;
  /** Lists in the batch so far; products of Adam's two decays over the steps taken. */
  pending: number;
  fastDecay: number;
  slowDecay: number;
  steps: number;
}

function shaped(features: number, settings: Settings): Ranker {
  const net = network.network(features);
  return {
    settings,
    network: net,
    x: net.x,
    pending: 0,
    fastDecay: 1,
    slowDecay: 1,
    steps: 0,
  };
}

export function init(features: number, prior: readonly number[], settings: Partial<Settings> = {}): Ranker {
  const chosen = { ...defaults, ...settings };
  const state = shaped(features, chosen);
  const { weights } = state.network;
  const random = randomness(chosen.seed);
  const spread = 1 / Math.sqrt(features);
  for (let f = 0; f < features; f++) {
    for (let k = 0; k < HIDDEN; k++) weights[f * UNITS + k] = (2 * uniform(random) - 1) * spread;
    weights[f * UNITS + HIDDEN] = prior[f] ?? 0;
  }
  for (let k = 0; k < HIDDEN; k++) weights[features * UNITS + k] = (2 * uniform(random) - 1) * 0.02;
  state.network.averaged.set(weights);
  return state;
}

/** Takes the natural logarithm, times `factor`, of `many` places of `x` (a multiple of four) from one on. */
export function logarithms(state: Ranker, from: number, many: number, factor: number): void {
  network.logarithms(state.network, from, many, factor);
}

/** Each of the first `count` values of each feature in `x` becomes (value − mean)·factor, by `scales`: mean, factor, mean, … */
export function centre(state: Ranker, count: number, scales: Float32Array): void {
  if (count > 0) network.centre(state.network, count, scales);
}

/** Scores of the first `count` (≤ 128) candidates in `x`, into `out`. */
export function predict(state: Ranker, count: number, out: Float32Array): void {
  if (count === 0) return;
  network.forwardAveraged(state.network, count);
  out.set(state.network.scores.subarray(0, count));
}

/** What `predict` ranks by: a view that later learning changes. */
export function weightsOf(state: Ranker): Float32Array {
  return state.network.averaged;
}

/** Ranks by the weights that another copy of this model learned, from now on. False for weights of other features. */
export function useWeights(state: Ranker, weights: Float32Array): boolean {
  const { averaged } = state.network;
  if (weights.length !== averaged.length || !weights.every((weight) => Number.isFinite(weight))) return false;
  averaged.set(weights);
  return true;
}

/**
 * Learns that candidate `target` of the `count` in `x` was the one. `offsets` is what is known to favour each of them and is not to be
 * learned, in units of the score. Returns the loss before the step, in nats.
 */
export function learn(state: Ranker, count: number, target: number, weight = 1, offsets?: Float32Array): number {
  const { scores } = state.network;
  network.forwardLearning(state.network, count);
  if (offsets) for (let c = 0; c < count; c++) scores[c] += offsets[c];
  let largest = -Infinity;
  for (let c = 0; c < count; c++) if (scores[c] > largest) largest = scores[c];
  let sum = 0;
  for (let c = 0; c < count; c++) {
    const part = exp(scores[c] - largest);
    scores[c] = part;
    sum += part;
  }
  const chosen = scores[target] / sum;
  for (let c = 0; c < count; c++) scores[c] *= weight / sum;
  scores[target] -= weight;
  network.backpropagate(state.network, count);
  if (++state.pending === BATCH) adam(state);
  return -log(chosen);
}

function adam(state: Ranker): void {
  state.fastDecay *= 0.9;
  state.slowDecay *= 0.999;
  const rate = (state.settings.rate * Math.sqrt(1 - state.slowDecay)) / (1 - state.fastDecay);
  // The window of the average grows with what was learned, to some thousand steps.
  state.steps++;
  network.descend(state.network, BATCH, rate, 1 / Math.min(AVERAGED_STEPS, 1 + state.steps / 10));
  state.pending = 0;
}

export function snapshot(state: Ranker): Uint8Array {
  const { settings, network: net } = state;
  return pack('ranker', VERSION, {
    scalars: Float64Array.of(settings.seed, settings.rate, net.features, state.pending, state.fastDecay, state.slowDecay, state.steps),
    weights: net.weights,
    gradient: net.gradient,
    averaged: net.averaged,
    momentum: net.means,
    squares: net.squares,
  });
}

/** `features` is what this code computes; a ranker of other features cannot be used and must be learned anew. */
export function restore(bytes: Uint8Array, features: number): Ranker {
  const from = unpack('ranker', VERSION, bytes);
  const [seed, rate, had, pending, fastDecay, slowDecay, steps] = from.f64('scalars');
  if (had !== features) throw new UnreadableSnapshot(`The ranker snapshot has ${had} features; this code has ${features}.`);
  const state = shaped(features, { seed, rate });
  state.network.weights.set(from.f32('weights'));
  state.network.gradient.set(from.f32('gradient'));
  state.network.averaged.set(from.f32('averaged'));
  state.network.means.set(from.f32('momentum'));
  state.network.squares.set(from.f32('squares'));
  state.pending = pending;
  state.fastDecay = fastDecay;
  state.slowDecay = slowDecay;
  state.steps = steps;
  return state;
}
