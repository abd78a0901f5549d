/**
 * One step of the embedding (embedding.ts has its equation): an event against its negatives.
 *
 * The target stands first among the rows that are looked at, the negatives behind it. The gradient for the clicks is
 * taken before any row moves; every row moves along the sphere's tangent.
 */
import type { Embedding } from './embedding.js';
import { exp, log, uniform } from './kernels/numbers.js';
import { CONTEXT } from './kernels/recent-events.js';
import * as rows from './kernels/rows.js';

const { DIMENSIONS } = rows;
export const SCALE = 10;
const RECENT_SHARE = 0.7;

const context = new Int32Array(CONTEXT);
const contextPlace = new Int32Array(CONTEXT);
const logits = new Float64Array(rows.MOST_IDS);

/** Unit vector of the clicks into the workspace's `user`, and the length it had. */
export function loadUser(state: Embedding, recent: Int32Array, pooling = state.pooling): number {
  const { ids, weights } = state.rows;
  let clicks = 0;
  for (let j = 0; j < recent.length && j < pooling.length; j++) {
    const item = recent[j];
    if (item < 0 || item >= state.items) continue;
    ids[clicks] = item;
    weights[clicks++] = pooling[j];
  }
  rows.sumIntoUser(state.rows, clicks);
  return normalize(state.rows.user);
}

export function step(state: Embedding, recent: Int32Array, item: number, weight: number): void {
  const { rows: table, pooling, settings } = state;
  const clicks = knownContext(state, recent);
  if (clicks === 0 || context.subarray(0, clicks).includes(item)) return;
  const length = loadUser(state, recent);
  if (length < 1e-6) return;

  // The target stands first, the negatives behind it.
  const listed = 1 + Math.min(settings.negatives, rows.MOST_IDS - 1);
  drawNegatives(state, listed);
  const { ids, weights, out, user, gradient } = table;
  ids[0] = item;
  rows.dotsWithUser(table, listed);
  let largest = -Infinity;
  for (let i = 0; i < listed; i++) {
    // A negative that is the target itself would push it away from where the loss pulls it.
    const value = i > 0 && ids[i] === item ? -Infinity : SCALE * out[i] - logProposal(state, ids[i]);
    logits[i] = value;
    if (value > largest) largest = value;
  }
  let sum = 0;
  for (let i = 0; i < listed; i++) sum += logits[i] = exp(logits[i] - largest);
  for (let i = 0; i < listed; i++) weights[i] = (SCALE * weight * logits[i]) / sum;
  weights[0] -= SCALE * weight;

  rows.sumIntoGradient(table, listed);
  // The context rows see the user's gradient as it is now, before the target and negatives move.
  const along = dot(gradient, user);
  for (let k = 0; k < DIMENSIONS; k++) gradient[k] = (gradient[k] - along * user[k]) / length;
  rows.stepAgainstUser(table, listed, settings.rate);

  for (let j = 0; j < clicks; j++) {
    ids[j] = context[j];
    weights[j] = pooling[contextPlace[j]];
  }
  rows.stepAgainstGradient(table, clicks, settings.rate);
  learnPooling(state, clicks);
}

function learnPooling(state: Embedding, clicks: number): void {
  const { pooling, poolingSquares } = state;
  for (let j = 0; j < clicks; j++) {
    const at = contextPlace[j];
    // p_0 stays 1: only the ratios matter to a direction.
    if (at === 0) continue;
    const slope = state.rows.out[j];
    poolingSquares[at] += slope * slope;
    pooling[at] -= (0.02 * slope) / Math.sqrt(poolingSquares[at] + 1);
  }
}

/** The known clicks of `recent` into `context`, with their places for p_j. */
function knownContext(state: Embedding, recent: Int32Array): number {
  let clicks = 0;
  for (let j = 0; j < recent.length && j < CONTEXT; j++) {
    const item = recent[j];
    if (item < 0 || item >= state.items) continue;
    context[clicks] = item;
    contextPlace[clicks++] = j;
  }
  return clicks;
}

function drawNegatives(state: Embedding, end: number): void {
  const { ids } = state.rows;
  for (let i = 1; i < end; i++) {
    let drawn = -1;
    if (state.recent.length > 0 && uniform(state.random) < RECENT_SHARE) {
      drawn = state.recent.items[Math.floor(uniform(state.random) * state.recent.length)];
    }
    ids[i] = drawn >= 0 ? drawn : state.seen[Math.floor(uniform(state.random) * state.seenCount)];
  }
}

function logProposal(state: Embedding, item: number): number {
  const { counts, length } = state.recent;
  const recent = length > 0 ? (RECENT_SHARE * counts[item]) / length : 0;
  return log(recent + (1 - RECENT_SHARE) / state.seenCount);
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < DIMENSIONS; k++) sum += a[k] * b[k];
  return sum;
}

/** Scales to length one and returns the length it had; a zero vector stays zero. */
export function normalize(vector: Float32Array): number {
  const length = Math.sqrt(dot(vector, vector));
  if (!(length > 1e-12)) return 0;
  for (let k = 0; k < DIMENSIONS; k++) vector[k] /= length;
  return length;
}
