/**
 * Item embedding: one table for what was clicked and for what comes next, learned from sampled negatives.
 *
 *   u = Σ_j p_j·I[x_j] over the last 10 clicks, latest first      logit(c) = 10·cos(u, I[c])
 *   learn event b: softmax cross-entropy of b against 32 negatives, each logit corrected by −log(proposal probability)
 *
 * Rows have 64 dimensions and unit length; p_j starts at 0.5^j and is learned. Negatives: 22 from the last 200,000
 * events, 10 from all items seen. A row moves along the sphere's tangent, AdaGrad per row on the *sum* of squares,
 * rate 0.5 (on the mean it learns far worse), and its new length is known in closed form. Each event is followed by
 * `replays` more steps on events drawn from the recent ones, each with the clicks it followed: one pass over a stream
 * teaches a table too little, and what was learned of rare items is else worn away by their part as negatives.
 * Who comes back to one of these clicks teaches nothing: that is no matter of likeness, it is counted elsewhere, and on
 * click data it is a third of the steps.
 * Untrained: an item has a random direction that depends on (seed, item) only, so its logits are noise around 0 with
 * a standard deviation of 10/8; a shopper without known clicks has the zero vector and every logit 0.
 * Source: sampled softmax with logQ correction (Bengio & Senécal 2008); tied cosine form measured on public click data.
 */
import { dot, loadUser, normalize, SCALE, step } from './embedding-step.js';
import { top } from './kernels/candidates.js';
import { capacityFor, checkItem } from './kernels/growth.js';
import { randomness, uniform, type Randomness } from './kernels/numbers.js';
import { CONTEXT, contextAt, drop, ensureItems, recentEvents, remember, type RecentEvents } from './kernels/recent-events.js';
import * as rows from './kernels/rows.js';
import * as seenItems from './kernels/seen-items.js';
import type { SeenItems } from './kernels/seen-items.js';
import { pack, unpack } from './kernels/snapshot.js';

export const DIMENSIONS = rows.DIMENSIONS;
const VERSION = 5;

export interface Settings {
  readonly seed: number;
  /** At most 255. */
  readonly negatives: number;
  readonly rate: number;
  /** At most 16. */
  readonly replays: number;
  /** Rows of int8 take a quarter of the memory and can only be placed and asked, as a scorer does. */
  readonly precision: rows.Precision;
}

const defaults: Settings = { seed: 1, negatives: 32, rate: 0.5, replays: 3, precision: 'float32' };

export interface Embedding {
  readonly settings: Settings;
  readonly random: Randomness;
  /** By item: unit vector, sum of squared gradients, path moved since `published` was last called. */
  readonly rows: rows.Rows;
  items: number;
  /** Those that were clicked or given a vector. */
  readonly seen: SeenItems;
  readonly recent: RecentEvents;
  /** p_j and the sum of its squared gradients. */
  readonly pooling: Float32Array;
  readonly poolingSquares: Float32Array;
}

export function init(settings: Partial<Settings> = {}): Embedding {
  const chosen = { ...defaults, ...settings };
  return {
    settings: chosen,
    random: randomness(chosen.seed),
    rows: rows.table(0, chosen.precision),
    items: 0,
    seen: seenItems.none(),
    recent: recentEvents(),
    pooling: Float32Array.from({ length: CONTEXT }, (_, j) => 1 / 2 ** j),
    poolingSquares: new Float32Array(CONTEXT),
  };
}

/** The unit vector of a shopper with these clicks (latest first), into `out`. Zero if none of them is known. */
export function userVector(state: Embedding, recent: Int32Array, out: Float32Array): void {
  loadUser(state, recent);
  out.set(state.rows.user);
}

/** 10·cos(user, item); 0 for an unknown item or a zero user. */
export function predict(state: Embedding, user: Float32Array, item: number): number {
  const vector = vectorOf(state, item);
  return vector === undefined ? 0 : SCALE * dot(user, vector);
}

/** 10·cos of the shopper with these clicks and each of the first `count` (≤ 256) items; 0 for unknown ones. */
export function predictMany(state: Embedding, recent: Int32Array, items: Int32Array, count: number, out: Float32Array): void {
  loadUser(state, recent);
  const { ids, out: products } = state.rows;
  // An id outside the table would read what lies behind it, or trap.
  for (let i = 0; i < count; i++) ids[i] = items[i] >= 0 && items[i] < state.items ? items[i] : 0;
  rows.dotsWithUser(state.rows, count);
  for (let i = 0; i < count; i++) out[i] = items[i] >= 0 && items[i] < state.items ? SCALE * products[i] : 0;
}

/** Cosines of the shopper with these clicks and every item, by number, into `out`: a scan in the order of memory, three quarters of what `predictMany` takes. */
export function cosines(state: Embedding, recent: Int32Array, out: Float32Array): void {
  loadUser(state, recent);
  rows.dotsOfAll(state.rows, state.items, out);
}

/**
 * `predictMany` of the clicks as they are weighed by what was learned, of the latest click alone, and as `alike` weighs
 * as many of them as it is long (≤ 256), in one pass. The answers are views that the next call overwrites.
 */
export function predictThree(state: Embedding, recent: Int32Array, alike: Float32Array, items: Int32Array, count: number): readonly Float32Array[] {
  const { ids, user, users, outs } = state.rows;
  loadUser(state, recent);
  users.set(user);
  loadUser(state, recent, state.pooling, 1);
  users.set(user, DIMENSIONS);
  loadUser(state, recent, alike);
  users.set(user, 2 * DIMENSIONS);
  let known = 0;
  // An id outside the table would read what lies behind it, or trap.
  for (let i = 0; i < count; i++) {
    const isKnown = items[i] >= 0 && items[i] < state.items;
    ids[i] = isKnown ? items[i] : 0;
    known += isKnown ? 1 : 0;
  }
  rows.dotsWithUsers(state.rows, count, SCALE);
  if (known < count) for (const out of outs) for (let i = 0; i < count; i++) if (!(items[i] >= 0 && items[i] < state.items)) out[i] = 0;
  return outs;
}

/** The `limit` (≤ 1,024) items, clicked or given a vector, that lie nearest to the shopper, best first, into `out`: a scan of all items. */
export function nearest(state: Embedding, recent: Int32Array, limit: number, out: Int32Array): number {
  if (loadUser(state, recent) === 0) return 0;
  if (nearness.length < state.items) nearness = new Float32Array(capacityFor(state.items, nearness.length));
  rows.dotsOfAll(state.rows, state.items, nearness);
  // `top` takes positive values only, which 1 + cosine is but for the very opposite.
  for (let item = 0; item < state.items; item++) nearness[item] = seenItems.has(state.seen, item) ? nearness[item] + 1 : 0;
  return top(nearness, state.items, limit, out);
}

/** The item's unit vector: a view that later learning changes and a growing table voids (of int8 a copy). Undefined for an unknown item. */
export function vectorOf(state: Embedding, item: number): Float32Array | undefined {
  if (item < 0 || item >= state.items) return undefined;
  return rows.rowOf(state.rows, item);
}

/** How far, in radians at most, the item's vector has moved since it was last published. */
export function driftOf(state: Embedding, item: number): number {
  return item >= 0 && item < state.items ? rows.movedOf(state.rows, item) : 0;
}

export function published(state: Embedding, item: number): void {
  if (item >= 0 && item < state.items) rows.setMoved(state.rows, item, 0);
}

/** What was published of the item is of no use any more. */
export function unpublished(state: Embedding, item: number): void {
  if (item >= 0 && item < state.items) rows.setMoved(state.rows, item, Math.PI);
}

/** Gives an item without clicks a vector, from its content for example; an item with clicks keeps what it learned. */
export function seed(state: Embedding, item: number, vector: Float32Array): void {
  checkItem(item);
  ensure(state, item + 1);
  if (seenItems.has(state.seen, item) || !(dot(vector, vector) > 1e-12)) return;
  const row = vector.slice(0, DIMENSIONS);
  normalize(row);
  rows.setRow(state.rows, item, row);
  rows.setMoved(state.rows, item, Math.PI);
}

/**
 * Gives an item the vector that another copy of this model learned for it: how a scorer holds vectors without learning
 * any. Items below it without one stay zero, and every logit with them 0. False for a vector that is none.
 */
export function place(state: Embedding, item: number, vector: Float32Array): boolean {
  checkItem(item);
  if (vector.length !== DIMENSIONS || !(Math.abs(dot(vector, vector) - 1) < 1e-3)) return false;
  ensure(state, item + 1, () => {});
  rows.setRow(state.rows, item, vector);
  seenItems.add(state.seen, item);
  return true;
}

/** Takes over the weights of the clicks that another copy of this model learned. */
export function usePooling(state: Embedding, pooling: Float32Array): boolean {
  if (pooling.length !== CONTEXT || !pooling.every((weight) => Number.isFinite(weight))) return false;
  state.pooling.set(pooling);
  return true;
}

let nearness = new Float32Array(0);
/** Learns that `item` followed `recent` (latest first, without `item`). The weight scales the gradient. */
export function learn(state: Embedding, recent: Int32Array, item: number, weight = 1): void {
  if (!(weight > 0)) return;
  checkItem(item);
  ensure(state, item + 1);
  seenItems.add(state.seen, item);
  if (state.seen.count > 1) {
    const replays = drawReplays(state);
    step(state, recent, item, weight);
    for (let n = 0; n < replays; n++) if (replayed[n] >= 0) step(state, contexts[n], replayed[n], 1);
  }
  remember(state.recent, recent, item);
}

const MOST_REPLAYS = 16;
const replayed = new Int32Array(MOST_REPLAYS);
const contexts = Array.from({ length: MOST_REPLAYS }, () => new Int32Array(CONTEXT));

/** Draws recent events to step on again, with their clicks, before the first step: they are far from the processor, and so come side by side. */
function drawReplays({ settings, recent, random }: Embedding): number {
  const replays = recent.length > 0 ? Math.min(settings.replays, MOST_REPLAYS) : 0;
  for (let n = 0; n < replays; n++) {
    const at = Math.floor(uniform(random) * recent.length);
    replayed[n] = recent.items[at];
    contextAt(recent, at, contexts[n]);
  }
  return replays;
}

function ensure(state: Embedding, items: number, begin = setRandomly): void {
  if (items <= state.items) return;
  rows.ensure(state.rows, items);
  if (items > state.seen.places.length) {
    const capacity = capacityFor(items, state.seen.places.length);
    seenItems.ensure(state.seen, capacity);
    ensureItems(state.recent, capacity);
  }
  const first = state.items;
  state.items = items;
  for (let item = first; item < items; item++) begin(state, item);
}

/** A direction that depends on (seed, item) only, so that the order of first sight leaves it alone. */
function setRandomly(state: Embedding, item: number): void {
  const random = randomness(Math.imul(state.settings.seed, 0x27d4eb2f) ^ Math.imul(item + 1, 0x9e3779b1));
  for (let k = 0; k < 8; k++) uniform(random);
  for (let k = 0; k < DIMENSIONS; k++) drawn[k] = uniform(random) + uniform(random) + uniform(random) - 1.5;
  normalize(drawn);
  rows.setRow(state.rows, item, drawn);
}

const drawn = new Float32Array(DIMENSIONS);

export function forget(state: Embedding, items: Int32Array): void {
  for (const item of items) {
    if (item < 0 || item >= state.items) continue;
    setRandomly(state, item);
    seenItems.remove(state.seen, item);
  }
  drop(state.recent, items);
}

/** Takes vectors back that were placed: the items are as those that have none. */
export function unplace(state: Embedding, items: Int32Array): void {
  for (const item of items) {
    if (item < 0 || item >= state.items) continue;
    rows.setRow(state.rows, item, NOWHERE);
    seenItems.remove(state.seen, item);
  }
}

const NOWHERE = new Float32Array(DIMENSIONS);

export function snapshot(state: Embedding): Uint8Array {
  const { settings: s, items, seen, recent } = state;
  return pack('embedding', VERSION, {
    settings: Float64Array.of(s.seed, s.negatives, s.rate, s.replays),
    scalars: Float64Array.of(items, recent.length, recent.oldest),
    random: state.random,
    rows: state.rows.table.slice(0, items * rows.ROW),
    place: seen.places.slice(0, items),
    seen: seen.list.slice(0, seen.count),
    recentItems: recent.items.slice(0, recent.length),
    recentContexts: recent.contexts.slice(0, recent.length * CONTEXT),
    recentCounts: recent.counts.slice(0, items),
    pooling: state.pooling,
    poolingSquares: state.poolingSquares,
  });
}

export function restore(bytes: Uint8Array): Embedding {
  const from = unpack('embedding', VERSION, bytes);
  const [seedOf, negatives, rate, replays] = from.f64('settings');
  const [items, length, oldest] = from.f64('scalars');
  const table = rows.table(items);
  table.table.set(from.f32('rows'));
  return {
    settings: { seed: seedOf, negatives, rate, replays, precision: 'float32' },
    random: from.u32('random'),
    rows: table,
    items,
    seen: seenItems.of(from.i32('place'), from.i32('seen')),
    recent: {
      items: from.i32('recentItems'), contexts: from.i32('recentContexts'), counts: from.i32('recentCounts'), length, oldest,
    },
    pooling: from.f32('pooling'),
    poolingSquares: from.f32('poolingSquares'),
  };
}
