/**
 * 2-hop transitions: what follows the things that go with the last clicks. Nothing is learned here; it is a second
 * look through co-visitation's rows, which finds items that no shopper has seen right after this one.
 *
 *   a(y) = F[x][y] + β·B[x][y] for the 16 strongest neighbours y of a click x
 *   hop(c) = Σ_j q^j·n(x_j)^−α Σ_y a(y)·(F[y][c] + β·B[y][c])·n(y)^−0.8     over the last 3 clicks, each item once
 *
 * Untrained: no candidates. Units as in co-visitation.ts. `gather` walks some 48 rows a query; `gatherCached` keeps the
 * 128 best of each click's sum in a cache of the caller's, filled anew once the click's own rows changed by 6 %, so an
 * answer may lag the rows by that much. Learning uses `gather`: a state may not depend on what was asked of it.
 */
import { slot, type Scratch } from './kernels/candidates.js';
import { largest, largestAbout, SLACK, sumAndMost } from './kernels/columns.js';
import { different } from './kernels/different.js';
import { hold, placeOf, release } from './kernels/held-places.js';
import { power } from './kernels/numbers.js';
import { addScaled, drain, ensure, sums, type Sums } from './kernels/sums.js';
import type { CoVisitation } from './co-visitation.js';
import type { TransitionRows } from './kernels/transition-rows.js';

const CLICKS = 3;
const NEIGHBOURS = 16;
const KEPT = 128;
const BACKWARD_SHARE = 0.5;
const HUB_PENALTY = 0.8;

/** Where one query at a time is summed, and one row of the cache. */
const sum = sums();
const filled = sums();

/** The 2-hop evidence of `recent` (latest first) into the scratch's `hop`, of the items there and of the 116 to 128 best; their slots come last. */
export function gather(state: CoVisitation, recent: Int32Array, scratch: Scratch): void {
  let factor = 1;
  for (const item of different(recent, CLICKS)) {
    walk(state, item, factor, sum);
    factor *= state.settings.queryStep;
  }
  collect(scratch);
}

/** What was summed into the scratch. A slot for each of a thousand items would cost more than the sums, and few of them are ever looked at. */
function collect(scratch: Scratch): void {
  const { hop, items, hops } = scratch;
  const { values, touched, drained } = sum;
  for (let at = 0; at < scratch.slots; at++) if (items[at] < values.length) hop[at] = values[items[at]];
  const count = drain(sum);
  hops.set(sumAndMost(drained, 0, count));
  const found = largestAbout(drained, 0, count, KEPT - SLACK);
  const [column] = drained.columns;
  for (let i = 0; i < found; i++) {
    const place = drained.places[i];
    hop[slot(scratch, touched[place])] = column[place];
  }
}

/** Adds one click's 2-hop evidence, times `factor`. */
function walk(state: CoVisitation, item: number, factor: number, to: Sums): void {
  if (item < 0 || item >= state.items) return;
  const { forward, backward, count, norm } = state;
  ensure(to, state.items);
  // Both rows have their strongest first: merged until there are enough.
  let ahead = forward.offset[item];
  let back = backward.offset[item];
  const aheadEnd = ahead + forward.length[item];
  const backEnd = back + backward.length[item];
  for (let n = 0; n < NEIGHBOURS && (ahead < aheadEnd || back < backEnd); n++) {
    const before = back < backEnd ? BACKWARD_SHARE * backward.weights[back] : -1;
    const isAhead = ahead < aheadEnd && forward.weights[ahead] >= before;
    const middle = isAhead ? forward.ids[ahead] : backward.ids[back];
    const strength = isAhead ? forward.weights[ahead++] : BACKWARD_SHARE * backward.weights[back++];
    if (!(count[middle] > 0) || !(strength > 0)) continue;
    const weight = factor * norm[item] * strength * hubWeight(state, middle);
    spread(forward, middle, weight, to);
    spread(backward, middle, weight * BACKWARD_SHARE, to);
  }
}

/** n^−0.8, from n^−α that is kept. */
function hubWeight(state: CoVisitation, item: number): number {
  return power(state.norm[item], HUB_PENALTY / state.settings.normalization);
}

function spread({ ids, weights, offset, length }: TransitionRows, item: number, weight: number, to: Sums): void {
  const first = offset[item];
  addScaled(to, ids, weights, first, first + length[item], weight);
}

/** Sums of single clicks, direct-mapped by item number: bounded, and a clash only costs a refill. */
export interface HopCache {
  readonly rows: number;
  /** The state the rows are of, and how often it had forgotten items: of another state all are void. */
  of: CoVisitation | undefined;
  forgets: number;
  readonly item: Int32Array;
  readonly changes: Int32Array;
  readonly length: Uint8Array;
  readonly ids: Int32Array;
  readonly weights: Float32Array;
  fills: number;
}

/** `rows` is a power of two; a row takes 1 KB. */
export function hopCache(rows = 16_384): HopCache {
  return {
    rows,
    of: undefined,
    forgets: 0,
    item: new Int32Array(rows).fill(-1),
    changes: new Int32Array(rows),
    length: new Uint8Array(rows),
    ids: new Int32Array(rows * KEPT),
    weights: new Float32Array(rows * KEPT),
    fills: 0,
  };
}

/** `gather` from the cache. */
export function gatherCached(state: CoVisitation, recent: Int32Array, scratch: Scratch, cache: HopCache): void {
  if (cache.of !== state || cache.forgets !== state.forgets) {
    cache.item.fill(-1);
    cache.of = state;
    cache.forgets = state.forgets;
  }
  ensure(sum, state.items);
  const clicks = different(recent, CLICKS);
  let factor = 1;
  for (let j = 0; j < clicks.length; j++, factor *= state.settings.queryStep) {
    const item = clicks[j];
    if (item < 0 || item >= state.items) continue;
    const row = item & (cache.rows - 1);
    const changed = state.changes[item] - cache.changes[row];
    if (cache.item[row] !== item || changed * 16 > state.changes[item]) fill(state, item, row, cache);
    const first = row * KEPT;
    addScaled(sum, cache.ids, cache.weights, first, first + cache.length[row], factor);
  }
  collect(scratch);
}

function fill(state: CoVisitation, item: number, row: number, cache: HopCache): void {
  walk(state, item, 1, filled);
  const { touched, drained } = filled;
  const [column] = drained.columns;
  const count = largest(drained, 0, drain(filled), KEPT);
  const first = row * KEPT;
  for (let i = 0; i < count; i++) {
    cache.ids[first + i] = touched[drained.places[i]];
    cache.weights[first + i] = column[drained.places[i]];
  }
  cache.item[row] = item;
  cache.length[row] = count;
  cache.changes[row] = state.changes[item];
  cache.fills++;
}

/** By item: the one of the last 3 clicks whose kept 2-hop sum holds most for it, −1 if none does, and the item's share of that sum. */
export interface HopReasons {
  readonly clicks: Int32Array;
  readonly shares: Float32Array;
}

/** What of the last `gatherCached` speaks for items (none for negative ones). Of two clicks that share a place in the cache only one is there. */
export function because({ settings }: CoVisitation, recent: Int32Array, items: Int32Array, cache: HopCache): HopReasons {
  const clicks = new Int32Array(items.length).fill(-1);
  const [most, shares] = [new Float32Array(items.length), new Float32Array(items.length)];
  if (!items.some((item) => item >= 0)) return { clicks, shares };
  hold(items);
  let factor = 1;
  for (const click of different(recent, CLICKS)) {
    const row = click & (cache.rows - 1);
    const first = row * KEPT;
    const end = click >= 0 && cache.item[row] === click ? first + cache.length[row] : first;
    let sum = 0;
    for (let at = first; at < end; at++) sum += cache.weights[at];
    for (let at = first; at < end; at++) {
      const i = placeOf(items, cache.ids[at]);
      const value = factor * cache.weights[at];
      if (i >= 0 && items[i] !== click && value > most[i]) [clicks[i], most[i], shares[i]] = [click, value, cache.weights[at] / sum];
    }
    factor *= settings.queryStep;
  }
  release(items);
  return { clicks, shares };
}
