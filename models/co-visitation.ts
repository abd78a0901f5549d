/**
 * Co-visitation: decayed transitions between items, forward and backward.
 *
 *   event b of weight w after the clicks a_1 (latest), a_2, …, a_8:
 *     F[a_d][b] += w·g·f^(d−1)    B[b][a_d] += w·g·r^(d−1)    n[b] += w·g        g = 2^age, age += 1/halfLife
 *     with 0.3·w for F and B where a view's b is among the clicks
 *   query x_1 (latest) … x_10:
 *     latest(c) = F[x_1][c]/n(x_1)^α   forward(c) = Σ_j q^(j−1)·F[x_j][c]/n(x_j)^α   backward(c) likewise from B
 *     long(c) = forward(c) with 0.95 for q and 30 clicks: what a shopper likes rather than what comes next
 *
 * Untrained: no candidates. Weights are in units of g, which grows instead of the past shrinking: only ratios mean
 * something. The half-life is counted in events and follows the catalogue: `halfLifePerItem` events for each item
 * known, so that a small shop forgets as slowly, per item, as a large one. Who goes to and fro between two items says
 * little more than who looked at each once, or one shopper would outweigh ten: of equal clicks among the last 8, 10 or 30 the
 * latest is looked at, and coming back counts 0.3. Carts and purchases, which follow a view of the same item, keep their weight.
 * At most 96 neighbours an item and direction (transition-rows.ts).
 * Source: decayed item-to-item co-occurrence (Linden et al. 2003), forward decay after Cormode et al., ICDE 2009.
 */
import { begin, slot, top, type Scratch } from './kernels/candidates.js';
import { different, isAmong } from './kernels/different.js';
import { capacityFor, checkItem, grownFloat32, grownInt32 } from './kernels/growth.js';
import { exp2, power } from './kernels/numbers.js';
import { columnsOf, packParts, unpack } from './kernels/snapshot.js';
import * as rows from './kernels/transition-rows.js';
import type { TransitionRows } from './kernels/transition-rows.js';

/** Clicks that one event is linked to, and clicks that one query looks back at. */
const LINKED = 8;
export const LOOK_BACK = 10;
const LONG_LOOK_BACK = 30;
const LONG_STEP = 0.95;
/** When g reaches 2^40 everything is scaled down: floats end at 2^127, and weights and sums need their room. */
const MOST_AGE = 40;
/** Of an item last seen four such ages ago n^−α is more than this; its weights have become 0, and twice later the product would be no number. */
const MOST_NORM = 2 ** 91;
const VERSION = 3;

export interface Settings {
  readonly halfLifePerItem: number;
  readonly leastHalfLife: number;
  readonly forwardStep: number;
  readonly backwardStep: number;
  readonly queryStep: number;
  readonly normalization: number;
  /** What a transition counts by a view of an item that is among the shopper's clicks already, beside one of a new item. */
  readonly repeatWeight: number;
}

const defaults: Settings = {
  halfLifePerItem: 19,
  leastHalfLife: 50_000,
  forwardStep: 0.6,
  backwardStep: 0.6,
  queryStep: 0.7,
  normalization: 0.65,
  repeatWeight: 0.3,
};

export interface CoVisitation {
  readonly settings: Settings;
  readonly forward: TransitionRows;
  readonly backward: TransitionRows;
  /** By item: decayed number of events n, and n^−α, kept so that a query takes no power. */
  count: Float32Array;
  norm: Float32Array;
  /** By item: how often its rows have changed, by which caches of them tell that they are stale. */
  changes: Int32Array;
  /** How often items were forgotten since this copy was made: their numbers may mean others now, in caches of rows as well. */
  forgets: number;
  /** Items below this number are known. */
  items: number;
  /** log2 of g. */
  age: number;
}

export interface Scored {
  readonly item: number;
  readonly score: number;
}

export function init(settings: Partial<Settings> = {}): CoVisitation {
  return {
    settings: { ...defaults, ...settings },
    forward: rows.init(),
    backward: rows.init(),
    count: new Float32Array(0),
    norm: new Float32Array(0),
    changes: new Int32Array(0),
    forgets: 0,
    items: 0,
    age: 0,
  };
}

/** The best `limit` (≤ 1,024) items to follow `recent` (latest first): forward evidence plus half the backward. */
export function predict(state: CoVisitation, recent: Int32Array, scratch: Scratch, limit: number): Scored[] {
  begin(scratch);
  gather(state, recent, scratch);
  const { forward, backward, slots } = scratch;
  for (let at = 0; at < slots; at++) forward[at] += 0.5 * backward[at];
  const best = new Int32Array(Math.max(0, Math.min(limit, 1024)));
  const count = top(forward, slots, best.length, best);
  return Array.from(best.subarray(0, count), (at) => ({ item: scratch.items[at], score: forward[at] }));
}

/** Adds the evidence of `recent` to the scratch's `latest`, `forward`, `long`, `backward` and their parts. Unknown items add nothing. */
export function gather(state: CoVisitation, recent: Int32Array, scratch: Scratch): void {
  const { forward, backward, settings, norm } = state;
  const clicks = different(recent, LONG_LOOK_BACK);
  // Takes the growing unit out: n^−α leaves g^(1−α) in each weight, and scores would rise with the age of the stream.
  const unit = exp2((settings.normalization - 1) * state.age);
  let factor = unit;
  let longFactor = unit;
  for (let j = 0; j < clicks.length; j++, factor *= settings.queryStep, longFactor *= LONG_STEP) {
    const item = clicks[j];
    if (item >= 0 && item < state.items) {
      const scale = j < LOOK_BACK ? factor * norm[item] : 0;
      addForward(forward, item, scale, longFactor * norm[item], j, scratch);
    }
    if (j === 0) scratch.near = scratch.slots;
  }
  factor = unit;
  for (let j = 0; j < clicks.length && j < LOOK_BACK; j++, factor *= settings.queryStep) {
    const item = clicks[j];
    if (item >= 0 && item < state.items) addBackward(backward, item, factor * norm[item], j, scratch);
  }
}

function addForward({ ids, weights, offset, length }: TransitionRows, item: number, scale: number, longScale: number, j: number, scratch: Scratch): void {
  const { forward, long, support } = scratch;
  const single = j === 0 ? scratch.latest : j === 1 ? scratch.previous : undefined;
  const first = offset[item];
  const end = first + length[item];
  for (let at = first; at < end; at++) {
    const weight = weights[at];
    const to = slot(scratch, ids[at]);
    forward[to] += scale * weight;
    long[to] += longScale * weight;
    support[to]++;
    if (single !== undefined) single[to] = scale * weight;
  }
}

function addBackward({ ids, weights, offset, length }: TransitionRows, item: number, scale: number, j: number, scratch: Scratch): void {
  const { backward, before } = scratch;
  const first = offset[item];
  const end = first + length[item];
  for (let at = first; at < end; at++) {
    const weight = scale * weights[at];
    const to = slot(scratch, ids[at]);
    backward[to] += weight;
    if (j === 0) before[to] = weight;
  }
}

/** Learns that `item` followed `recent` (latest first, without `item` itself). A weight of 0 or less teaches nothing. */
export function learn(state: CoVisitation, recent: Int32Array, item: number, weight = 1): void {
  if (!(weight > 0)) return;
  checkItem(item);
  ensure(state, item + 1);
  const { settings } = state;
  state.age += 1 / Math.max(settings.leastHalfLife, settings.halfLifePerItem * state.items);
  if (state.age > MOST_AGE) rebase(state);
  const unit = weight * exp2(state.age);
  let ahead = weight <= 1 && isAmong(recent, item) ? unit * settings.repeatWeight : unit;
  let back = ahead;
  const linked = different(recent, LINKED);
  rows.fetch(state.forward, linked);
  for (const before of linked) {
    if (before >= 0) {
      ensure(state, before + 1);
      // Known only as what came before (its own event was not counted): as if it had been seen once.
      if (state.count[before] === 0) state.norm[before] = power(unit, -settings.normalization);
      rows.add(state.forward, before, item, ahead);
      rows.add(state.backward, item, before, back);
      state.changes[before]++;
    }
    ahead *= settings.forwardStep;
    back *= settings.backwardStep;
  }
  state.changes[item]++;
  state.count[item] += unit;
  state.norm[item] = power(state.count[item], -settings.normalization);
}

function ensure(state: CoVisitation, items: number): void {
  if (items <= state.items) return;
  if (items > state.count.length) {
    const capacity = capacityFor(items, state.count.length);
    state.count = grownFloat32(state.count, capacity);
    state.norm = grownFloat32(state.norm, capacity);
    state.changes = grownInt32(state.changes, capacity);
    rows.ensure(state.forward, capacity);
    rows.ensure(state.backward, capacity);
  }
  state.items = items;
}

/** Every weight is divided by g, and g becomes 1. What falls below the smallest float is 40 half-lives old. */
function rebase(state: CoVisitation): void {
  const factor = exp2(-state.age);
  rows.rescale(state.forward, factor);
  rows.rescale(state.backward, factor);
  const normFactor = exp2(state.age * state.settings.normalization);
  for (let item = 0; item < state.items; item++) {
    state.count[item] *= factor;
    const norm = state.norm[item] * normFactor;
    state.norm[item] = norm < MOST_NORM ? norm : 0;
  }
  state.age = 0;
}

export function forget(state: CoVisitation, items: Int32Array): void {
  rows.forget(state.forward, items);
  rows.forget(state.backward, items);
  for (const item of items) {
    if (item < 0 || item >= state.items) continue;
    state.count[item] = 0;
    state.norm[item] = 0;
    state.changes[item] = 0;
  }
  state.forgets++;
}

/** Its bytes, made a part at a time: each undefined is a pause. Nothing may be learned or forgotten meanwhile. */
export function* snapshot({ items, age, settings, count, norm, changes, forward, backward }: CoVisitation): Generator<undefined, Uint8Array> {
  const columns = [
    ...columnsOf({
      scalars: Float64Array.of(items, age), settings: Float64Array.of(...Object.values(ordered(settings))),
      count: count.slice(0, items), norm: norm.slice(0, items), changes: changes.slice(0, items),
    }),
    ...rows.columnsOf('forward', forward, items),
    ...rows.columnsOf('backward', backward, items),
  ];
  return yield* packParts('co-visitation', VERSION, columns);
}

export function restore(bytes: Uint8Array): CoVisitation {
  const from = unpack('co-visitation', VERSION, bytes);
  const [items, age] = from.f64('scalars');
  const [halfLifePerItem, leastHalfLife, forwardStep, backwardStep, queryStep, normalization, repeatWeight] = from.f64('settings');
  return {
    settings: { halfLifePerItem, leastHalfLife, forwardStep, backwardStep, queryStep, normalization, repeatWeight },
    forward: rows.unpacked({ length: from.u8('forwardLength'), ids: from.i32('forwardIds'), weights: from.f32('forwardWeights') }),
    backward: rows.unpacked({ length: from.u8('backwardLength'), ids: from.i32('backwardIds'), weights: from.f32('backwardWeights') }),
    count: from.f32('count'),
    norm: from.f32('norm'),
    changes: from.i32('changes'),
    forgets: 0,
    items,
    age,
  };
}

function ordered(s: Settings): Settings {
  const { halfLifePerItem, leastHalfLife, forwardStep, backwardStep, queryStep, normalization, repeatWeight } = s;
  return { halfLifePerItem, leastHalfLife, forwardStep, backwardStep, queryStep, normalization, repeatWeight };
}
