/**
 * Item embedding: one table for what was clicked and for what comes next, learned from sampled negatives.
 *
 *   u = Σ_j p_j·I[x_j] over the last 10 clicks, latest first      logit(c) = 10·cos(u, I[c])
 *   learn event b: softmax cross-entropy of b against 64 negatives, each logit corrected by −log(proposal probability)
 *
 * Rows have 64 dimensions and unit length; p_j starts at 0.5^j and is learned. Negatives: 70 % from the last 200,000
 * events, 30 % from all items seen. A row moves along the sphere's tangent, AdaGrad per row on the *sum* of squares,
 * rate 0.3 (on the mean it learns far worse), and its new length is known in closed form.
 * Untrained: an item has a random direction that depends on (seed, item) only, so its logits are noise around 0 with
 * a standard deviation of 10/8; a shopper without known clicks has the zero vector and every logit 0.
 * Source: sampled softmax with logQ correction (Bengio & Senécal 2008); tied cosine form measured on public click data.
 */
import { capacityFor, checkItem, grownFloat32, grownInt32 } from './kernels/growth.js';
import { exp, log, randomness, uniform, type Randomness } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';

export const DIMENSIONS = 64;
export const CONTEXT = 10;
const SCALE = 10;
const RECENT_EVENTS = 200_000;
const RECENT_SHARE = 0.7;
const VERSION = 1;

export interface Settings {
  readonly seed: number;
  readonly negatives: number;
  readonly rate: number;
}

export const defaults: Settings = { seed: 1, negatives: 64, rate: 0.3 };

export interface Embedding {
  readonly settings: Settings;
  readonly random: Randomness;
  /** By item: unit row, sum of squared gradients, path moved since `published` was last called. */
  vectors: Float32Array;
  sumSquares: Float32Array;
  drift: Float32Array;
  items: number;
  /** By item: place among `seen`, −1 if never seen; and how often it is among the recent events. */
  place: Int32Array;
  recentCount: Int32Array;
  seen: Int32Array;
  seenCount: number;
  /** Ring of recent items; −1 where one was forgotten. */
  ring: Int32Array;
  ringLength: number;
  ringNext: number;
  /** p_j and the sum of its squared gradients. */
  readonly pooling: Float32Array;
  readonly poolingSquares: Float32Array;
}

export function init(settings: Partial<Settings> = {}): Embedding {
  const chosen = { ...defaults, ...settings };
  return {
    settings: chosen,
    random: randomness(chosen.seed),
    vectors: new Float32Array(0),
    sumSquares: new Float32Array(0),
    drift: new Float32Array(0),
    items: 0,
    place: new Int32Array(0),
    recentCount: new Int32Array(0),
    seen: new Int32Array(0),
    seenCount: 0,
    ring: new Int32Array(0),
    ringLength: 0,
    ringNext: 0,
    pooling: Float32Array.from({ length: CONTEXT }, (_, j) => 1 / 2 ** j),
    poolingSquares: new Float32Array(CONTEXT),
  };
}

/** The unit vector of a shopper with these clicks (latest first), into `out`. Zero if none of them is known. */
export function userVector(state: Embedding, recent: Int32Array, out: Float32Array): void {
  out.fill(0, 0, DIMENSIONS);
  const clicks = Math.min(recent.length, CONTEXT);
  for (let j = 0; j < clicks; j++) {
    const item = recent[j];
    if (item >= 0 && item < state.items) addScaled(out, state.vectors, item * DIMENSIONS, state.pooling[j]);
  }
  normalize(out, 0);
}

/** 10·cos(user, item); 0 for an unknown item or a zero user. */
export function predict(state: Embedding, user: Float32Array, item: number): number {
  if (item < 0 || item >= state.items) return 0;
  return SCALE * dot(user, 0, state.vectors, item * DIMENSIONS);
}

export const logit = predict;

/** The item's unit vector, a view into the state that later learning changes. Undefined for an unknown item. */
export function vectorOf(state: Embedding, item: number): Float32Array | undefined {
  return item >= 0 && item < state.items ? state.vectors.subarray(item * DIMENSIONS, (item + 1) * DIMENSIONS) : undefined;
}

/** How far, in radians at most, the item's vector has moved since it was last published. */
export function driftOf(state: Embedding, item: number): number {
  return item >= 0 && item < state.items ? state.drift[item] : 0;
}

export function published(state: Embedding, item: number): void {
  if (item >= 0 && item < state.items) state.drift[item] = 0;
}

/** Gives an item without clicks a vector, from its content for example; an item with clicks keeps what it learned. */
export function seed(state: Embedding, item: number, vector: Float32Array): void {
  checkItem(item);
  ensure(state, item + 1);
  if (state.place[item] >= 0) return;
  if (!(dot(vector, 0, vector, 0) > 1e-12)) return;
  state.vectors.set(vector.subarray(0, DIMENSIONS), item * DIMENSIONS);
  normalize(state.vectors, item * DIMENSIONS);
  state.drift[item] = Math.PI;
}

const context = new Int32Array(CONTEXT);
const contextPlace = new Int32Array(CONTEXT);
const user = new Float32Array(DIMENSIONS);
const userGradient = new Float32Array(DIMENSIONS);
const gradient = new Float32Array(DIMENSIONS);
let negativeItems = new Int32Array(defaults.negatives);
let negativeLogits = new Float64Array(defaults.negatives);

/** Learns that `item` followed `recent` (latest first, without `item`). The weight scales the gradient. */
export function learn(state: Embedding, recent: Int32Array, item: number, weight = 1): void {
  if (!(weight > 0)) return;
  checkItem(item);
  ensure(state, item + 1);
  if (state.place[item] < 0) {
    state.place[item] = state.seenCount;
    state.seen[state.seenCount++] = item;
  }
  const clicks = knownContext(state, recent);
  if (clicks > 0 && state.seenCount > 1) step(state, clicks, item, Math.min(weight, 10));
  remember(state, item);
}

/** The known clicks of `recent` into `context`, with their places for p_j. */
function knownContext(state: Embedding, recent: Int32Array): number {
  let clicks = 0;
  for (let j = 0; j < recent.length && j < CONTEXT; j++) {
    const item = recent[j];
    if (item < 0 || item >= state.items || state.place[item] < 0) continue;
    context[clicks] = item;
    contextPlace[clicks++] = j;
  }
  return clicks;
}

function step(state: Embedding, clicks: number, item: number, weight: number): void {
  const { vectors, pooling, poolingSquares, settings } = state;
  user.fill(0);
  for (let j = 0; j < clicks; j++) addScaled(user, vectors, context[j] * DIMENSIONS, pooling[contextPlace[j]]);
  const length = normalize(user, 0);
  if (length < 1e-6) return;

  drawNegatives(state);
  const { negatives } = settings;
  const own = SCALE * dot(user, 0, vectors, item * DIMENSIONS) - logProposal(state, item);
  let largest = own;
  for (let i = 0; i < negatives; i++) {
    const other = negativeItems[i];
    // A negative that is the target itself would push it away from where the loss pulls it.
    const value = other === item ? -Infinity : SCALE * dot(user, 0, vectors, other * DIMENSIONS) - logProposal(state, other);
    negativeLogits[i] = value;
    if (value > largest) largest = value;
  }
  const ownPart = exp(own - largest);
  let sum = ownPart;
  for (let i = 0; i < negatives; i++) sum += negativeLogits[i] = exp(negativeLogits[i] - largest);

  const unit = (SCALE * weight) / sum;
  const ownGradient = unit * (ownPart - sum);
  userGradient.fill(0);
  addScaled(userGradient, vectors, item * DIMENSIONS, ownGradient);
  for (let i = 0; i < negatives; i++) addScaled(userGradient, vectors, negativeItems[i] * DIMENSIONS, unit * negativeLogits[i]);
  const along = dot(userGradient, 0, user, 0);
  for (let k = 0; k < DIMENSIONS; k++) userGradient[k] = (userGradient[k] - along * user[k]) / length;

  scaledInto(gradient, user, ownGradient);
  move(state, item);
  for (let j = 0; j < clicks; j++) {
    const at = contextPlace[j];
    const slope = dot(userGradient, 0, vectors, context[j] * DIMENSIONS);
    scaledInto(gradient, userGradient, pooling[at]);
    move(state, context[j]);
    // p_0 stays 1: only the ratios matter to a direction.
    if (at === 0) continue;
    poolingSquares[at] += slope * slope;
    pooling[at] -= (0.02 * slope) / Math.sqrt(poolingSquares[at] + 1);
  }
  for (let i = 0; i < negatives; i++) {
    if (negativeLogits[i] === 0) continue;
    scaledInto(gradient, user, unit * negativeLogits[i]);
    move(state, negativeItems[i]);
  }
}

/** One AdaGrad step of a unit row against `gradient`, along the sphere. */
function move(state: Embedding, item: number): void {
  const { vectors } = state;
  const first = item * DIMENSIONS;
  const along = dot(gradient, 0, vectors, first);
  const tangent = Math.max(0, dot(gradient, 0, gradient, 0) - along * along);
  const squares = state.sumSquares[item] + tangent;
  state.sumSquares[item] = squares;
  const rate = state.settings.rate / Math.sqrt(squares + 1e-8);
  // row − rate·tangent has length √(1 + rate²·|tangent|²), since row and tangent are perpendicular.
  const shrink = 1 / Math.sqrt(1 + rate * rate * tangent);
  const keep = shrink * (1 + rate * along);
  const take = shrink * rate;
  for (let k = 0; k < DIMENSIONS; k++) vectors[first + k] = keep * vectors[first + k] - take * gradient[k];
  state.drift[item] += rate * Math.sqrt(tangent);
}

function drawNegatives(state: Embedding): void {
  const { negatives } = state.settings;
  if (negativeItems.length < negatives) {
    negativeItems = new Int32Array(negatives);
    negativeLogits = new Float64Array(negatives);
  }
  for (let i = 0; i < negatives; i++) {
    let drawn = -1;
    if (state.ringLength > 0 && uniform(state.random) < RECENT_SHARE) {
      drawn = state.ring[Math.floor(uniform(state.random) * state.ringLength)];
    }
    negativeItems[i] = drawn >= 0 ? drawn : state.seen[Math.floor(uniform(state.random) * state.seenCount)];
  }
}

function logProposal(state: Embedding, item: number): number {
  const recent = state.ringLength > 0 ? (RECENT_SHARE * state.recentCount[item]) / state.ringLength : 0;
  return log(recent + (1 - RECENT_SHARE) / state.seenCount);
}

function remember(state: Embedding, item: number): void {
  if (state.ringLength < RECENT_EVENTS) {
    if (state.ringLength === state.ring.length) {
      state.ring = grownInt32(state.ring, Math.min(RECENT_EVENTS, capacityFor(state.ringLength + 1, state.ring.length)));
    }
    state.ring[state.ringLength++] = item;
  } else {
    const oldest = state.ring[state.ringNext];
    if (oldest >= 0) state.recentCount[oldest]--;
    state.ring[state.ringNext] = item;
    state.ringNext = (state.ringNext + 1) % RECENT_EVENTS;
  }
  state.recentCount[item]++;
}

function ensure(state: Embedding, items: number): void {
  if (items <= state.items) return;
  if (items > state.place.length) {
    const before = state.place.length;
    const capacity = capacityFor(items, before);
    state.vectors = grownFloat32(state.vectors, capacity * DIMENSIONS);
    state.sumSquares = grownFloat32(state.sumSquares, capacity);
    state.drift = grownFloat32(state.drift, capacity);
    state.place = grownInt32(state.place, capacity).fill(-1, before);
    state.recentCount = grownInt32(state.recentCount, capacity);
    state.seen = grownInt32(state.seen, capacity);
  }
  for (let item = state.items; item < items; item++) setRandomly(state, item);
  state.items = items;
}

/** A direction that depends on (seed, item) only, so that the order of first sight leaves it alone. */
function setRandomly(state: Embedding, item: number): void {
  const random = randomness(Math.imul(state.settings.seed, 0x27d4eb2f) ^ Math.imul(item + 1, 0x9e3779b1));
  for (let k = 0; k < 8; k++) uniform(random);
  const first = item * DIMENSIONS;
  for (let k = 0; k < DIMENSIONS; k++) state.vectors[first + k] = uniform(random) + uniform(random) + uniform(random) - 1.5;
  normalize(state.vectors, first);
}

export function forget(state: Embedding, item: number): void {
  if (item < 0 || item >= state.items) return;
  setRandomly(state, item);
  state.sumSquares[item] = 0;
  state.drift[item] = 0;
  const place = state.place[item];
  if (place < 0) return;
  const last = state.seen[--state.seenCount];
  state.seen[place] = last;
  state.place[last] = place;
  state.place[item] = -1;
  for (let at = 0; at < state.ringLength; at++) if (state.ring[at] === item) state.ring[at] = -1;
  state.recentCount[item] = 0;
}

function dot(a: Float32Array, from: number, b: Float32Array, start: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let k = 0; k < DIMENSIONS; k += 4) {
    s0 += a[from + k] * b[start + k];
    s1 += a[from + k + 1] * b[start + k + 1];
    s2 += a[from + k + 2] * b[start + k + 2];
    s3 += a[from + k + 3] * b[start + k + 3];
  }
  return s0 + s1 + s2 + s3;
}

function addScaled(out: Float32Array, rows: Float32Array, first: number, factor: number): void {
  for (let k = 0; k < DIMENSIONS; k++) out[k] += factor * rows[first + k];
}

function scaledInto(out: Float32Array, vector: Float32Array, factor: number): void {
  for (let k = 0; k < DIMENSIONS; k++) out[k] = factor * vector[k];
}

/** Scales the row at `first` to length one and returns the length it had; a zero row stays zero. */
function normalize(rows: Float32Array, first: number): number {
  const length = Math.sqrt(dot(rows, first, rows, first));
  if (!(length > 1e-12)) return 0;
  for (let k = 0; k < DIMENSIONS; k++) rows[first + k] /= length;
  return length;
}

export function snapshot(state: Embedding): Uint8Array {
  const { settings: s, items } = state;
  return pack('embedding', VERSION, {
    settings: Float64Array.of(s.seed, s.negatives, s.rate),
    scalars: Float64Array.of(items, state.seenCount, state.ringLength, state.ringNext),
    random: state.random,
    vectors: state.vectors.slice(0, items * DIMENSIONS),
    sumSquares: state.sumSquares.slice(0, items),
    drift: state.drift.slice(0, items),
    place: state.place.slice(0, items),
    recentCount: state.recentCount.slice(0, items),
    seen: state.seen.slice(0, state.seenCount),
    ring: state.ring.slice(0, state.ringLength),
    pooling: state.pooling,
    poolingSquares: state.poolingSquares,
  });
}

export function restore(bytes: Uint8Array): Embedding {
  const from = unpack('embedding', VERSION, bytes);
  const [seedOf, negatives, rate] = from.f64('settings');
  const [items, seenCount, ringLength, ringNext] = from.f64('scalars');
  return {
    settings: { seed: seedOf, negatives, rate },
    random: from.u32('random'),
    vectors: from.f32('vectors'),
    sumSquares: from.f32('sumSquares'),
    drift: from.f32('drift'),
    items,
    place: from.i32('place'),
    recentCount: from.i32('recentCount'),
    // As long as the columns by item: `learn` appends without asking.
    seen: grownInt32(from.i32('seen'), items),
    seenCount,
    ring: from.i32('ring'),
    ringLength,
    ringNext,
    pooling: from.f32('pooling'),
    poolingSquares: from.f32('poolingSquares'),
  };
}
