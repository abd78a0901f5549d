/**
 * Scratch for one query: sparse sums over a few thousand items, without allocating and without clearing.
 *
 * An item gets a dense slot at its first touch, which a small hash table finds again: items are touched at random, and
 * a column over all of them would miss the cache at each touch. Any number may be an item; none needs to be known.
 * The scratch belongs to the caller, so that a prediction leaves the model's state alone; one scratch serves any number
 * of models over the same item numbers, but only one query at a time.
 */
import { columns, type Columns } from './columns.js';

/** Slots of a query. What does not fit is left out, which only the weakest neighbours of the oldest clicks meet. */
const MOST_SLOTS = 2 ** 14;
/** Slots that are given out: the last four, which the kernels look at together, hold what came too late and strangers. */
const OPEN_SLOTS = MOST_SLOTS - 4;
/** Bits of the places of a table at first and at last; it is never more than half full. */
const FEWEST_BITS = 12;
const MOST_BITS = 15;
/** As many are ranked in one go. */
export const MOST_CANDIDATES = 128;
/** Second order: by place the slot of what may follow and its chance, and the part that is left to transitions. */
export interface After {
  readonly slots: Int32Array;
  readonly chances: Float32Array;
  count: number;
  rest: number;
}

export interface Scratch {
  /** By hash of the item: its slot plus one, 0 for none. Of its places 2^bits are in use. */
  readonly table: Int16Array;
  bits: number;
  /** By slot. */
  readonly items: Int32Array;
  /** The columns of evidence, in the order of COLUMN; below by name. */
  readonly evidence: Columns;
  readonly latest: Float32Array;
  readonly forward: Float32Array;
  readonly backward: Float32Array;
  readonly hop: Float32Array;
  /** Sum and largest of the 2-hop evidence of all items, of which only the best have slots. */
  readonly hops: Float32Array;
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
  readonly after: After;
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
    table: new Int16Array(2 ** MOST_BITS),
    bits: FEWEST_BITS,
    items: new Int32Array(MOST_SLOTS),
    evidence, latest, forward, backward, hop, hops: new Float32Array(2), long, previous, before, support,
    times: new Uint8Array(MOST_SLOTS),
    back: new Uint8Array(MOST_SLOTS),
    followed: new Uint8Array(MOST_SLOTS),
    marked: new Uint8Array(MOST_SLOTS),
    after: { slots: new Int32Array(24), chances: new Float32Array(24), count: 0, rest: 1 },
    slots: 0,
    own: 0,
    near: 0,
    direct: 0,
  };
}

/** Starts a query. */
export function begin(scratch: Scratch): void {
  scratch.table.fill(0, 0, 1 << scratch.bits);
  scratch.bits = FEWEST_BITS;
  // All slots that the last query touched, and where they did not suffice the one that those share which came too late.
  clear(scratch, 0, scratch.slots);
  if (scratch.slots === OPEN_SLOTS) clear(scratch, OPEN_SLOTS, MOST_SLOTS);
  scratch.hops.fill(0);
  scratch.after.count = 0;
  scratch.after.rest = 1;
  scratch.slots = 0;
  scratch.own = 0;
  scratch.near = 0;
  scratch.direct = 0;
}

/** The slot of `item` in this query. The last slot is shared by all that came too late; it is never ranked. */
export function slot(scratch: Scratch, item: number): number {
  const { table, items, bits } = scratch;
  const last = (1 << bits) - 1;
  let place = hashOf(item, bits);
  for (let found = table[place]; found !== 0; found = table[place]) {
    if (items[found - 1] === item) return found - 1;
    place = (place + 1) & last;
  }
  const at = scratch.slots;
  if (at === OPEN_SLOTS) return MOST_SLOTS - 1;
  scratch.slots = at + 1;
  items[at] = item;
  table[place] = at + 1;
  if (2 * (at + 1) > last && bits < MOST_BITS) widen(scratch);
  return at;
}

/** Whether the item has a slot in this query. */
export function isHeld({ table, items, bits }: Scratch, item: number): boolean {
  const last = (1 << bits) - 1;
  let place = hashOf(item, bits);
  while (table[place] !== 0 && items[table[place] - 1] !== item) place = (place + 1) & last;
  return table[place] !== 0;
}

/** Fibonacci hashing: neighbouring numbers, as items of one category often have, lie far apart. */
function hashOf(item: number, bits: number): number {
  return Math.imul(item, 0x9e3779b1) >>> (32 - bits);
}

function widen(scratch: Scratch): void {
  const { table, items, slots } = scratch;
  table.fill(0, 0, 1 << scratch.bits);
  const bits = ++scratch.bits;
  for (let at = 0; at < slots; at++) {
    let place = hashOf(items[at], bits);
    while (table[place] !== 0) place = (place + 1) & ((1 << bits) - 1);
    table[place] = at + 1;
  }
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
