/**
 * Affinity: items that the same shoppers take, whatever comes first and however far apart.
 *
 *   event b of weight w after the clicks a_1 (latest) … a_30:
 *     S[a_d][b] and S[b][a_d] += w·g·0.95^(d−1)    n[b] += w·g        g = 2^age, age += 1/halfLife
 *   query x_1 (latest) … x_50:  affinity(c) = Σ_j 0.97^(j−1)·S[x_j][c]/√n(x_j)
 *
 * What transitions are to a visit, this is to a history of months, where the last eight items say little of the next.
 * Untrained: no evidence. Weights are in units of g, and the half-life follows the catalogue, as in co-visitation.ts.
 * At most 96 neighbours an item (transition-rows.ts).
 * Source: decayed item-to-item co-occurrence (Linden et al. 2003; Deshpande & Karypis 2004), one event at a time.
 */
import { slot, type Scratch } from './kernels/candidates.js';
import { capacityFor, checkItem, grownFloat32 } from './kernels/growth.js';
import { exp2 } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';
import * as rows from './kernels/transition-rows.js';

const LINKED = 30;
const LINK_STEP = 0.95;
const LOOK_BACK = 50;
const LOOK_BACK_STEP = 0.97;
const HALF_LIFE_PER_ITEM = 19;
const LEAST_HALF_LIFE = 50_000;
/** As in co-visitation.ts: floats end at 2^127. */
const MOST_AGE = 40;
const VERSION = 1;

export interface Affinity {
  readonly rows: rows.TransitionRows;
  /** By item: decayed number of events n. */
  count: Float32Array;
  /** Items below this number are known. */
  items: number;
  /** log2 of g. */
  age: number;
}

export function init(): Affinity {
  return { rows: rows.init(), count: new Float32Array(0), items: 0, age: 0 };
}

/** The evidence of `recent` (latest first) into the scratch's `long`, instead of what stands there. */
export function gather({ rows: { ids, weights, offset, length }, count, items, age }: Affinity, recent: Int32Array, scratch: Scratch): void {
  const { long } = scratch;
  long.fill(0, 0, scratch.slots);
  // Takes the growing unit out, of which √n leaves a half in each term.
  let factor = exp2(-age / 2);
  for (let j = 0; j < recent.length && j < LOOK_BACK; j++, factor *= LOOK_BACK_STEP) {
    const item = recent[j];
    if (item < 0 || item >= items || !(count[item] > 0)) continue;
    const scale = factor / Math.sqrt(count[item]);
    const end = offset[item] + length[item];
    for (let at = offset[item]; at < end; at++) long[slot(scratch, ids[at])] += scale * weights[at];
  }
}

/** Learns that `item` followed `recent` (latest first, without `item` itself). A weight of 0 or less teaches nothing. */
export function learn(state: Affinity, recent: Int32Array, item: number, weight = 1): void {
  if (!(weight > 0)) return;
  checkItem(item);
  ensure(state, item + 1);
  state.age += 1 / Math.max(LEAST_HALF_LIFE, HALF_LIFE_PER_ITEM * state.items);
  if (state.age > MOST_AGE) rebase(state);
  const unit = weight * exp2(state.age);
  let link = unit;
  for (let d = 0; d < recent.length && d < LINKED; d++, link *= LINK_STEP) {
    const before = recent[d];
    if (before < 0 || before === item) continue;
    ensure(state, before + 1);
    // Known only as what came before (its own event was not counted): as if it had been seen once.
    if (state.count[before] === 0) state.count[before] = unit;
    rows.add(state.rows, before, item, link);
    rows.add(state.rows, item, before, link);
  }
  state.count[item] += unit;
}

function ensure(state: Affinity, items: number): void {
  if (items <= state.items) return;
  if (items > state.count.length) {
    const capacity = capacityFor(items, state.count.length);
    state.count = grownFloat32(state.count, capacity);
    rows.ensure(state.rows, capacity);
  }
  state.items = items;
}

function rebase(state: Affinity): void {
  const factor = exp2(-state.age);
  rows.rescale(state.rows, factor);
  for (let item = 0; item < state.items; item++) state.count[item] *= factor;
  state.age = 0;
}

export function forget(state: Affinity, items: Int32Array): void {
  rows.forget(state.rows, items);
  for (const item of items) if (item >= 0 && item < state.items) state.count[item] = 0;
}

export function snapshot(state: Affinity): Uint8Array {
  const { length, ids, weights } = rows.packed(state.rows);
  return pack('affinity', VERSION, {
    scalars: Float64Array.of(state.items, state.age),
    count: state.count.slice(0, state.items),
    length: length.slice(0, state.items),
    ids,
    weights,
  });
}

export function restore(bytes: Uint8Array): Affinity {
  const from = unpack('affinity', VERSION, bytes);
  const [items, age] = from.f64('scalars');
  return { rows: rows.unpacked({ length: from.u8('length'), ids: from.i32('ids'), weights: from.f32('weights') }), count: from.f32('count'), items, age };
}
