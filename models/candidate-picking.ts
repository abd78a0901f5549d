/**
 * Which items are ranked at all: the shopper's own, then the best of each kind of evidence, then popular ones while few.
 *
 *   candidates = listed ∪ own ∪ 24 second order ∪ top 40 latest ∪ 60 forward ∪ 40 backward ∪ 60 2-hop ∪ 30 long (∪ 80 within) (∪ 40 near)
 *                ∪ 5 trending (∪ popular)
 *
 * 128 in all at most. What one source took counts towards the next one's quota. A refused item is looked past, up to twice the
 * quota, and where there is a filter up to 16 times: few of the best pass it. Where fewer than 64 are found then, the nearest by embedding
 * of all that pass join, up to 104: what speaks for most of them is likeness alone.
 */
import { COLUMN, isHeld, MOST_CANDIDATES, slot, top, type Scratch } from './kernels/candidates.js';
import { largest } from './kernels/columns.js';

/** Candidates taken from each source. */
const QUOTA = { latest: 40, forward: 60, backward: 40, hop: 60, long: 30 } as const;
/** How many of the nearest by embedding join. */
export const NEAR = 40;
/** How many of what trends join whoever asks: in a flash sale all want what went with nothing before. */
const HOT = 5;
/** Where evidence names fewer that pass a filter, the nearest of those that do join, some places left for what trends and is popular. */
const ENOUGH = 64;
const WITHIN = 80;
const LEFT = 24;
/** How many times its quota a source is looked through where a filter refuses most of it. */
const FURTHEST = 16;
/** Below this many candidates (or as many as are wanted) the most popular items join. */
const FEW = 40;

/** What is to be refused and what to be ranked beside what the evidence names. */
export interface Asked {
  readonly exclude?: ((item: number) => boolean) | undefined;
  /** Of what a filter lets through, the items nearest by embedding; asked for where there is a filter, which makes evidence be looked through further. */
  readonly within?: (() => Int32Array) | undefined;
  /** How many there should be at least, if there are so many items. */
  readonly least?: number | undefined;
  /** Items to fill up with when few others are left; asked for only then. */
  readonly more?: (() => Int32Array) | undefined;
  /** Items to rank with the others, whatever speaks for them. */
  readonly also?: Int32Array | undefined;
}

export interface Others {
  /** Whether own clicks may be candidates. */
  readonly repeats: boolean;
  /** The items nearest by embedding. */
  readonly near: Int32Array | undefined;
  readonly trending: Int32Array;
  readonly popular: Int32Array;
}

/** Chooses candidates from the gathered evidence: their slots into `picked`. Returns how many. */
export function pick(space: Scratch, { exclude, within, least = 0, more, also }: Asked, { repeats, near, trending, popular }: Others, picked: Int32Array): number {
  // First, while there is room for certain.
  let count = also ? takeListed(space, also, also.length, picked, 0, exclude) : 0;
  for (let at = 0; at < space.own; at++) {
    if (space.marked[at] !== 0) continue;
    const isTaken = repeats && exclude?.(space.items[at]) !== true;
    space.marked[at] = isTaken ? TAKEN : REFUSED;
    if (isTaken) picked[count++] = at;
  }
  for (let k = 0; k < space.after.count; k++) if (joins(space, space.after.slots[k], exclude)) picked[count++] = space.after.slots[k];
  const reach = within ? FURTHEST : 2;
  count = take(space, COLUMN.latest, space.near, QUOTA.latest, picked, count, exclude, reach);
  count = take(space, COLUMN.forward, space.direct, QUOTA.forward, picked, count, exclude, reach);
  count = take(space, COLUMN.backward, space.direct, QUOTA.backward, picked, count, exclude, reach);
  count = take(space, COLUMN.hop, space.slots, QUOTA.hop, picked, count, exclude, reach);
  count = take(space, COLUMN.long, space.direct, QUOTA.long, picked, count, exclude, reach);
  if (within && count < ENOUGH) count = takeListed(space, within(), Math.min(MOST_CANDIDATES - LEFT, count + WITHIN), picked, count, exclude);
  if (near) count = takeListed(space, near, Math.min(MOST_CANDIDATES, count + NEAR), picked, count, exclude);
  count = takeListed(space, trending.subarray(0, HOT), MOST_CANDIDATES, picked, count, exclude);
  const enough = Math.min(Math.max(FEW, least), MOST_CANDIDATES);
  if (count < enough) count = takeListed(space, trending, enough, picked, count, exclude);
  if (count < enough) count = takeListed(space, popular, enough, picked, count, exclude);
  if (count < enough && more) count = takeListed(space, more(), enough, picked, count, exclude);
  return count;
}

/**
 * Whether an item may be picked where own clicks are and one item at most is refused, told before picking: of own clicks with
 * second order, and three kinds of evidence, one names a quarter of all slots, and where that is enough, no item joins that has no slot, but what trends.
 */
export const mayBePicked = (space: Scratch, item: number, trending: Int32Array): boolean =>
  space.slots < 4 * (FEW + 1) || isHeld(space, item) || trending.subarray(0, HOT).includes(item);

/** What became of a slot: taken by this or an earlier source, or refused. */
const TAKEN = 1;
const REFUSED = 2;

const sorted = new Int32Array(1_024);

/** Adds the best `quota` by one source's evidence, those already there included in the quota. */
function take(
  space: Scratch, column: number, slots: number, quota: number, picked: Int32Array, from: number, exclude: ((item: number) => boolean) | undefined, reach: number,
): number {
  const { places } = space.evidence;
  const found = largest(space.evidence, column, slots, quota);
  let [count, taken] = [from, 0];
  for (let looked = 0; looked < found && count < MOST_CANDIDATES; looked++) {
    const at = places[looked];
    if (joins(space, at, exclude)) picked[count++] = at;
    if (space.marked[at] === TAKEN) taken++;
  }
  if (found < quota || taken * 2 > quota || count === MOST_CANDIDATES) return count;
  // Much was refused: further, best first.
  const reached = top(space.evidence.columns[column], slots, reach * quota, sorted);
  for (let looked = quota; looked < reached && taken < quota && count < MOST_CANDIDATES; looked++) {
    const at = sorted[looked];
    if (joins(space, at, exclude)) picked[count++] = at;
    if (space.marked[at] === TAKEN) taken++;
  }
  return count;
}

/** Whether a slot is a candidate that was none before. */
function joins(space: Scratch, at: number, exclude?: (item: number) => boolean): boolean {
  if (space.marked[at] !== 0) return false;
  const isRefused = exclude?.(space.items[at]) === true;
  space.marked[at] = isRefused ? REFUSED : TAKEN;
  return !isRefused;
}

function takeListed(
  space: Scratch, listed: Int32Array, until: number, picked: Int32Array, from: number, exclude?: (item: number) => boolean,
): number {
  let count = from;
  for (const item of listed) {
    if (count >= until) break;
    const at = slot(space, item);
    if (space.marked[at] !== 0 || exclude?.(item) === true) continue;
    space.marked[at] = TAKEN;
    picked[count++] = at;
  }
  return count;
}
