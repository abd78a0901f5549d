/**
 * Sequence encoder: the direction a shopper is heading for, from the order of their last clicks (one attention block).
 *
 *   e_j = I[x_j]                                  the embedding's vector of the j-th last click, j < 10; x_0 the latest
 *   a   = softmax_j( (Q·e_0)·(K·e_j + p_j) / 8 )  what of the past matters now
 *   h   = Σ_j 0.5^j·e_j + V·Σ_j a_j·e_j           the embedding's own pooling, and what attention adds
 *   u   = (h + W₂·leaky(W₁·h + b)) / |…|          logit(c) = 10·u·I[c]
 *   learn target c: softmax cross-entropy against the other targets of the batch, logits corrected by −log(their share)
 *
 * Untrained, V and W₂ are zero: u is the embedding's pooled direction. 64 dimensions, 64 hidden units: 24,000 weights.
 * Item vectors are inputs, they are not changed. Slopes come through a port (TensorFlow at the edge), steps are taken here.
 * A shopper without known clicks has the zero vector.
 * Source: self-attentive sequential recommendation (Kang & McAuley, ICDM 2018), with one query and fixed items.
 */
import { DIMENSIONS } from './embedding.js';
import { adamRate, adamStep } from './kernels/adam.js';
import { randomness, uniform } from './kernels/numbers.js';

export const CLICKS = 10;
export const LEAK = 0.1;
export const SCALE = 10;
const D = DIMENSIONS;

/** [in][out] of each; positions [click][64]. */
export interface Weights {
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly positions: Float32Array;
  readonly value: Float32Array;
  readonly first: Float32Array;
  readonly bias: Float32Array;
  readonly second: Float32Array;
}

const SIZES: Readonly<Record<keyof Weights, number>> = {
  query: D * D, key: D * D, positions: CLICKS * D, value: D * D, first: D * D, bias: D, second: D * D,
};
const NAMES = ['query', 'key', 'positions', 'value', 'first', 'bias', 'second'] as const;

/** Sequences as matrices: clicks [sequence][click][64], zeros where there is none; targets [sequence][64]. */
export interface Batch {
  readonly sequences: number;
  readonly clicks: Float32Array;
  readonly isClick: Float32Array;
  readonly targets: Float32Array;
  readonly targetItems: Int32Array;
  /** log of each target's share of all events. */
  readonly logShares: Float32Array;
}

export interface Slopes extends Weights {
  readonly loss: number;
}

export type SlopesOf = (weights: Weights, batch: Batch) => Slopes;

export interface SequenceEncoder {
  readonly rate: number;
  readonly weights: Weights;
  readonly momentum: Weights;
  readonly squares: Weights;
  steps: number;
}

const zeros = (): Weights => ({
  query: new Float32Array(SIZES.query), key: new Float32Array(SIZES.key), positions: new Float32Array(SIZES.positions), value: new Float32Array(SIZES.value),
  first: new Float32Array(SIZES.first), bias: new Float32Array(SIZES.bias), second: new Float32Array(SIZES.second),
});

export function init({ seed = 1, rate = 1e-3 }: { readonly seed?: number; readonly rate?: number } = {}): SequenceEncoder {
  const weights = zeros();
  const random = randomness(seed);
  for (const name of ['query', 'key', 'first'] as const) for (let i = 0; i < SIZES[name]; i++) weights[name][i] = (uniform(random) - 0.5) * 0.4;
  return { rate, weights, momentum: zeros(), squares: zeros(), steps: 0 };
}

/** The unit direction after these clicks (latest first; `vectorOf` gives undefined for unknown items), into `out`. */
export function predict({ weights }: SequenceEncoder, recent: Int32Array, vectorOf: (item: number) => Float32Array | undefined, out: Float32Array): void {
  const { query, key, positions, value, first, bias, second } = weights;
  out.fill(0, 0, D);
  const known: Float32Array[] = [];
  for (let j = 0; j < recent.length && known.length < CLICKS; j++) {
    const vector = vectorOf(recent[j]);
    if (vector !== undefined) known.push(vector);
  }
  if (known.length === 0) return;
  // (Q·e_0)·(K·e_j + p_j) = (Kᵀ·Q·e_0)·e_j + (Q·e_0)·p_j: one product for all clicks.
  const asked = times(known[0], query);
  const askedOfItems = timesTransposed(asked, key);
  const attention = known.map((vector, j) => Math.exp((dot(askedOfItems, vector, 0) + dot(asked, positions, j * D)) / 8));
  const total = attention.reduce((sum, part) => sum + part, 0);
  const attended = new Float64Array(D);
  const h = new Float64Array(D);
  known.forEach((vector, j) => {
    for (let d = 0; d < D; d++) {
      attended[d] += (attention[j] / total) * vector[d];
      h[d] += vector[d] / 2 ** j;
    }
  });
  times(attended, value).forEach((moved, d) => { h[d] += moved; });
  const hidden = times(h, first).map((z, k) => (z + bias[k] > 0 ? z + bias[k] : LEAK * (z + bias[k])));
  times(hidden, second).forEach((moved, d) => { h[d] += moved; });
  const length = Math.sqrt(h.reduce((sum, part) => sum + part * part, 1e-12));
  for (let d = 0; d < D; d++) out[d] = h[d] / length;
}

/** One step. Returns the loss before it. A loss that is no number changes nothing. */
export function learn(state: SequenceEncoder, batch: Batch, slopesOf: SlopesOf): number {
  const slopes = slopesOf(state.weights, batch);
  if (!Number.isFinite(slopes.loss)) return slopes.loss;
  state.steps++;
  const rate = adamRate(state.rate, state.steps);
  for (const name of NAMES) adamStep(state.weights[name], state.momentum[name], state.squares[name], slopes[name], rate);
  return slopes.loss;
}

function times(vector: ArrayLike<number>, matrix: Float32Array): Float64Array {
  const out = new Float64Array(D);
  for (let i = 0; i < D; i++) for (let k = 0, at = i * D, v = vector[i]; k < D; k++) out[k] += v * matrix[at + k];
  return out;
}

function timesTransposed(vector: ArrayLike<number>, matrix: Float32Array): Float64Array {
  return Float64Array.from({ length: D }, (_, i) => dot(vector, matrix, i * D));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>, from: number): number {
  let sum = 0;
  for (let d = 0; d < D; d++) sum += a[d] * b[from + d];
  return sum;
}
