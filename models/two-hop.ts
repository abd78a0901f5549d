/**
 * 2-hop transitions: what follows the things that go with the last clicks. Nothing is learned here; it is a second
 * look through co-visitation's rows, which finds items that no shopper has seen right after this one.
 *
 *   a(y) = F[x][y] + β·B[x][y] for the 16 strongest neighbours y of a click x
 *   hop(c) = Σ_j q^j·n(x_j)^−α Σ_y a(y)·(F[y][c] + β·B[y][c])·n(y)^−0.8     over the last 3 clicks
 *
 * Untrained: no candidates. Units as in co-visitation.ts. `gather` walks some 48 rows a query; `gatherCached` keeps the
 * 128 best of each click's sum in a cache of the caller's, filled anew once the click's own rows changed by 6 %, so an
 * answer may lag the rows by that much. Learning uses `gather`: a state may not depend on what was asked of it.
 */
import { begin, COLUMN, slot, top, type Scratch } from './kernels/candidates.js';
import { largest } from './kernels/columns.js';
import { power } from './kernels/numbers.js';
import type { CoVisitation } from './co-visitation.js';
import type { TransitionRows } from './kernels/transition-rows.js';

const CLICKS = 3;
const NEIGHBOURS = 16;
const KEPT = 128;
const BACKWARD_SHARE = 0.5;
const HUB_PENALTY = 0.8;

const neighbourItems = new Int32Array(192);
const neighbourWeights = new Float32Array(192);
const best = new Int32Array(NEIGHBOURS);

/** Adds the 2-hop evidence of `recent` (latest first) to the scratch's `hop`. */
export function gather(state: CoVisitation, recent: Int32Array, scratch: Scratch): void {
  let factor = 1;
  for (let j = 0; j < recent.length && j < CLICKS; j++, factor *= state.settings.queryStep) walk(state, recent[j], factor, scratch);
}

/** Adds one click's 2-hop evidence, times `factor`. */
function walk(state: CoVisitation, item: number, factor: number, scratch: Scratch): void {
  if (item < 0 || item >= state.items) return;
  let count = neighbours(state.forward, item, 1, 0);
  count = neighbours(state.backward, item, BACKWARD_SHARE, count);
  const strongest = top(neighbourWeights, count, NEIGHBOURS, best);
  for (let i = 0; i < strongest; i++) {
    const at = best[i];
    const middle = neighbourItems[at];
    if (!(state.count[middle] > 0)) continue;
    const weight = factor * state.norm[item] * neighbourWeights[at] * hubWeight(state, middle);
    spread(state.forward, middle, weight, scratch);
    spread(state.backward, middle, weight * BACKWARD_SHARE, scratch);
  }
}

/** n^−0.8, from n^−α that is kept. */
function hubWeight(state: CoVisitation, item: number): number {
  return power(state.norm[item], HUB_PENALTY / state.settings.normalization);
}

function neighbours(rows: TransitionRows, item: number, share: number, from: number): number {
  const first = rows.offset[item];
  const length = rows.length[item];
  for (let i = 0; i < length; i++) {
    neighbourItems[from + i] = rows.ids[first + i];
    neighbourWeights[from + i] = share * rows.weights[first + i];
  }
  return from + length;
}

function spread(rows: TransitionRows, item: number, weight: number, scratch: Scratch): void {
  const { ids, weights } = rows;
  const { hop } = scratch;
  const first = rows.offset[item];
  const end = first + rows.length[item];
  for (let at = first; at < end; at++) hop[slot(scratch, ids[at])] += weight * weights[at];
}

/** Sums of single clicks, direct-mapped by item number: bounded, and a clash only costs a refill. */
export interface HopCache {
  readonly rows: number;
  /** The state the rows are of; of another state all are void. */
  of: CoVisitation | undefined;
  readonly item: Int32Array;
  readonly changes: Int32Array;
  readonly length: Uint8Array;
  readonly ids: Int32Array;
  readonly weights: Float32Array;
  /** Where a row is summed, apart from the query that needs it. */
  readonly scratch: Scratch;
  fills: number;
}

/** `rows` is a power of two; a row takes 1 KB. */
export function hopCache(scratch: Scratch, rows = 16_384): HopCache {
  return {
    rows,
    of: undefined,
    item: new Int32Array(rows).fill(-1),
    changes: new Int32Array(rows),
    length: new Uint8Array(rows),
    ids: new Int32Array(rows * KEPT),
    weights: new Float32Array(rows * KEPT),
    scratch,
    fills: 0,
  };
}

/** `gather` from the cache. Fills what is missing first, so that the query's own scratch is touched only after. */
export function gatherCached(state: CoVisitation, recent: Int32Array, scratch: Scratch, cache: HopCache): void {
  if (cache.of !== state) {
    cache.item.fill(-1);
    cache.of = state;
  }
  let factor = 1;
  for (let j = 0; j < recent.length && j < CLICKS; j++, factor *= state.settings.queryStep) {
    const item = recent[j];
    if (item < 0 || item >= state.items) continue;
    const row = item & (cache.rows - 1);
    const changed = state.changes[item] - cache.changes[row];
    if (cache.item[row] !== item || changed * 16 > state.changes[item]) fill(state, item, row, cache);
    add(cache, row, factor, scratch);
  }
}

function add({ ids, weights, length }: HopCache, row: number, factor: number, scratch: Scratch): void {
  const { hop } = scratch;
  const first = row * KEPT;
  const end = first + length[row];
  for (let at = first; at < end; at++) hop[slot(scratch, ids[at])] += factor * weights[at];
}

function fill(state: CoVisitation, item: number, row: number, cache: HopCache): void {
  const own = cache.scratch;
  begin(own);
  walk(state, item, 1, own);
  const count = largest(own.evidence, COLUMN.hop, own.slots, KEPT);
  const { places } = own.evidence;
  const first = row * KEPT;
  for (let i = 0; i < count; i++) {
    cache.ids[first + i] = own.items[places[i]];
    cache.weights[first + i] = own.hop[places[i]];
  }
  cache.item[row] = item;
  cache.length[row] = count;
  cache.changes[row] = state.changes[item];
  cache.fills++;
}
