/**
 * Scratch for one query: sparse sums over a few thousand items, without allocating and without clearing.
 *
 * An item gets a dense slot at its first touch; its mark tells whether that is of this query or of an earlier one, and
 * which slot. Both in one word: items are touched at random, and each look at another column would miss the cache.
 * The scratch belongs to the caller, so that a prediction leaves the model's state alone; one scratch serves any number
 * of models over the same item numbers, but only one query at a time.
 */
import { columns, type Columns } from './columns.js';
import { capacityFor, grownInt32 } from './growth.js';

/** Slots of a query. What does not fit is left out, which only the weakest neighbours of the oldest clicks meet. */
const SLOT_BITS = 14;
export const MOST_SLOTS = 2 ** SLOT_BITS;
/** Slots that are given out: the last four, which the kernels look at together, hold what came too late and strangers. */
const OPEN_SLOTS = MOST_SLOTS - 4;
const SLOT_MASK = MOST_SLOTS - 1;
/** As many are ranked in one go. */
export const MOST_CANDIDATES = 128;
/** After so many queries the marks would come round and call old slots new: they are wiped. */
const MOST_QUERIES = 2 ** (31 - SLOT_BITS) - 1;

export interface Scratch {
  /** By item: the query that touched it last, times MOST_SLOTS, and its slot there. */
  marks: Int32Array;
  query: number;
  /** By slot. */
  readonly items: Int32Array;
  /** The columns of evidence, in the order of COLUMN; below by name. */
  readonly evidence: Columns;
  readonly latest: Float32Array;
  readonly forward: Float32Array;
  readonly backward: Float32Array;
  readonly hop: Float32Array;
  /** Forward evidence of many clicks, nearly equal ones. */
  readonly long: Float32Array;
  /** Evidence of single clicks: after the one before the latest, before the latest; and how many clicks speak for it. */
  readonly previous: Float32Array;
  readonly before: Float32Array;
  readonly support: Float32Array;
  /** Of the shopper's own recent clicks: how often, how many clicks back, and how often right after the latest item. */
  readonly times: Uint8Array;
  readonly back: Uint8Array;
  readonly followed: Uint8Array;
  readonly marked: Uint8Array;
  slots: number;
  /** Slots of the shopper's own clicks, which come first, of those with what follows the latest, with all direct transitions. */
  own: number;
  near: number;
  direct: number;
}

/** Places of the columns of evidence. */
export const COLUMN = { latest: 0, forward: 1, backward: 2, hop: 3, previous: 4, before: 5, long: 6, support: 7 } as const;

export function scratch(): Scratch {
  const evidence = columns(8, MOST_SLOTS);
  const [latest, forward, backward, hop, previous, before, long, support] = evidence.columns;
  return {
    marks: new Int32Array(0),
    query: 0,
    items: new Int32Array(MOST_SLOTS),
    evidence, latest, forward, backward, hop, long, previous, before, support,
    times: new Uint8Array(MOST_SLOTS),
    back: new Uint8Array(MOST_SLOTS),
    followed: new Uint8Array(MOST_SLOTS),
    marked: new Uint8Array(MOST_SLOTS),
    slots: 0,
    own: 0,
    near: 0,
    direct: 0,
  };
}

/** Starts a query over item numbers below `items`. */
export function begin(scratch: Scratch, items: number): void {
  if (items > scratch.marks.length) scratch.marks = grownInt32(scratch.marks, capacityFor(items, scratch.marks.length));
  if (scratch.query === MOST_QUERIES) {
    scratch.marks.fill(0);
    scratch.query = 0;
  }
  scratch.query++;
  // All slots that the last query touched, and where they did not suffice the one that those share which came too late.
  clear(scratch, 0, scratch.slots);
  if (scratch.slots === OPEN_SLOTS) clear(scratch, OPEN_SLOTS, MOST_SLOTS);
  scratch.slots = 0;
  scratch.own = 0;
  scratch.near = 0;
  scratch.direct = 0;
}

/** The slot of `item` in this query. The last slot is shared by all that came too late; it is never ranked. */
export function slot(scratch: Scratch, item: number): number {
  const mark = scratch.marks[item];
  if (mark >> SLOT_BITS === scratch.query) return mark & SLOT_MASK;
  const at = scratch.slots;
  if (at === OPEN_SLOTS) return MOST_SLOTS - 1;
  scratch.slots = at + 1;
  scratch.marks[item] = (scratch.query << SLOT_BITS) | at;
  scratch.items[at] = item;
  return at;
}

/** A slot without evidence for an item that no model knows: the last one, which no query fills. */
export function strangerSlot(scratch: Scratch): number {
  clear(scratch, MOST_SLOTS - 1, MOST_SLOTS);
  scratch.items[MOST_SLOTS - 1] = -1;
  return MOST_SLOTS - 1;
}

function clear(scratch: Scratch, from: number, to: number): void {
  scratch.latest.fill(0, from, to);
  scratch.forward.fill(0, from, to);
  scratch.backward.fill(0, from, to);
  scratch.hop.fill(0, from, to);
  scratch.long.fill(0, from, to);
  scratch.previous.fill(0, from, to);
  scratch.before.fill(0, from, to);
  scratch.support.fill(0, from, to);
  scratch.times.fill(0, from, to);
  scratch.back.fill(0, from, to);
  scratch.followed.fill(0, from, to);
  scratch.marked.fill(0, from, to);
}

const heapSlots = new Int32Array(1024);
const heapValues = new Float64Array(1024);

/**
 * The `limit` (at most 1,024) slots with the largest positive values among the first `slots`, best first, into `out`.
 * Equal values keep the order of first touch. Returns how many there were.
 */
export function top(values: Float32Array, slots: number, limit: number, out: Int32Array): number {
  const most = Math.min(limit, heapSlots.length);
  let count = 0;
  if (most <= 0) return 0;
  for (let at = 0; at < slots; at++) {
    const value = values[at];
    if (!(value > 0)) continue;
    if (count < most) siftUp(count++, at, value);
    else if (value > heapValues[0]) siftDown(count, at, value);
  }
  // Taking the least again and again leaves them sorted from the back.
  for (let left = count; left > 0; left--) {
    out[left - 1] = heapSlots[0];
    const moved = heapSlots[left - 1];
    const movedValue = heapValues[left - 1];
    if (left > 1) siftDown(left - 1, moved, movedValue);
  }
  return count;
}

/** Whether (value a, slot x) is ranked behind (value b, slot y). */
function behind(a: number, x: number, b: number, y: number): boolean {
  return a < b || (a === b && x > y);
}

function siftUp(from: number, at: number, value: number): void {
  let here = from;
  while (here > 0) {
    const parent = (here - 1) >> 1;
    if (!behind(value, at, heapValues[parent], heapSlots[parent])) break;
    heapValues[here] = heapValues[parent];
    heapSlots[here] = heapSlots[parent];
    here = parent;
  }
  heapValues[here] = value;
  heapSlots[here] = at;
}

function siftDown(count: number, at: number, value: number): void {
  let here = 0;
  for (;;) {
    let child = 2 * here + 1;
    if (child >= count) break;
    if (child + 1 < count && behind(heapValues[child + 1], heapSlots[child + 1], heapValues[child], heapSlots[child])) child++;
    if (!behind(heapValues[child], heapSlots[child], value, at)) break;
    heapValues[here] = heapValues[child];
    heapSlots[here] = heapSlots[child];
    here = child;
  }
  heapValues[here] = value;
  heapSlots[here] = at;
}
