/**
 * Rows of (item, weight) slots, one row an item, at most 96 slots each: bounded memory whatever the stream does.
 *
 * Rows live in one arena and grow through a few sizes, so that an item seen twice costs 48 bytes and not 768.
 * A full row gives up its smallest slot: in a forward-decayed row that is the oldest and rarest neighbour. Slots of a row
 * stand by weight, the heaviest first (equal ones as they came): who wants only those looks no further.
 */
import { grownFloat32, grownInt32, grownUint8 } from './growth.js';
import { ensure as ensureIds, itemArena, placeOf, type ItemArena } from './item-arena.js';
import { marksOf } from './marks.js';
import { columnsOf as snapshotColumns, type WrittenColumn } from './snapshot.js';

export const SLOTS = 96;
/** Slots that are packed at once: a millisecond or two. */
const SLOTS_A_PART = 1 << 16;
const SIZES = [6, 12, 24, 48, SLOTS] as const;

export interface TransitionRows {
  /** By item: first slot of its row (−1: no row), slots in use, index into SIZES. */
  offset: Int32Array;
  length: Uint8Array;
  size: Uint8Array;
  /** The arena, and its numbers once more. */
  readonly arena: ItemArena;
  ids: Int32Array;
  weights: Float32Array;
  used: number;
  /** By size: offsets of rows given back by items that moved to a larger one. */
  readonly free: number[][];
}

export function init(): TransitionRows {
  const arena = itemArena();
  return {
    offset: new Int32Array(0),
    length: new Uint8Array(0),
    size: new Uint8Array(0),
    arena,
    ids: arena.ids,
    weights: new Float32Array(arena.ids.length),
    used: 0,
    free: SIZES.map(() => []),
  };
}

export function ensure(rows: TransitionRows, items: number): void {
  const before = rows.offset.length;
  if (items <= before) return;
  rows.offset = grownInt32(rows.offset, items).fill(-1, before);
  rows.length = grownUint8(rows.length, items);
  rows.size = grownUint8(rows.size, items);
}

/** Adds `weight` to the slot of `neighbour` in the row of `item`, which must lie below the ensured length. */
export function add(rows: TransitionRows, item: number, neighbour: number, weight: number): void {
  let first = rows.offset[item];
  if (first < 0) first = move(rows, item, 0);
  const length = rows.length[item];
  const place = placeOf(rows.arena, first, length, neighbour);
  if (place >= 0) return rise(rows, first, first + place, neighbour, rows.weights[first + place] + weight);
  const room = SIZES[rows.size[item]];
  if (length < SLOTS) {
    if (length === room) first = move(rows, item, rows.size[item] + 1);
    rows.length[item]++;
    return rise(rows, first, first + length, neighbour, weight);
  }
  // Never below the slot it replaces: a newcomer would else be the next to go, whatever it was.
  const last = first + length - 1;
  const least = rows.weights[last];
  rise(rows, first, last, neighbour, weight > least ? weight : least);
}

/** Loads whose values nobody needs might be left out. */
const spare = new Float64Array(1);

/** Asks memory for the rows of these items, which lie far apart, side by side: `add` would wait for one after the other. Negative ones are none. */
export function fetch({ ids, weights, offset, length }: TransitionRows, items: Int32Array): void {
  let sum = 0;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (!(length[item] > 0)) continue;
    const first = offset[item];
    const last = first + length[item] - 1;
    sum += ids[first] + ids[last] + weights[last];
  }
  spare[0] = sum;
}

/** Puts a neighbour where it belongs, from a free slot towards the first. */
function rise({ ids, weights }: TransitionRows, first: number, free: number, neighbour: number, weight: number): void {
  // As it will stand there: a weight of double precision would pass equal ones.
  const rounded = Math.fround(weight);
  let slot = free;
  for (; slot > first && weights[slot - 1] < rounded; slot--) {
    ids[slot] = ids[slot - 1];
    weights[slot] = weights[slot - 1];
  }
  ids[slot] = neighbour;
  weights[slot] = rounded;
}

/** Gives `item` a row of the given size, moves its slots there and returns the row's first slot. */
function move(rows: TransitionRows, item: number, size: number): number {
  const from = rows.offset[item];
  const first = rows.free[size].pop() ?? extend(rows, SIZES[size]);
  if (from >= 0) {
    rows.ids.copyWithin(first, from, from + rows.length[item]);
    rows.weights.copyWithin(first, from, from + rows.length[item]);
    rows.free[rows.size[item]].push(from);
  }
  rows.offset[item] = first;
  rows.size[item] = size;
  return first;
}

function extend(rows: TransitionRows, slots: number): number {
  const first = rows.used;
  rows.used += slots;
  if (rows.used > rows.ids.length) {
    ensureIds(rows.arena, rows.used);
    rows.ids = rows.arena.ids;
    rows.weights = grownFloat32(rows.weights, rows.ids.length);
  }
  return first;
}

/** Multiplies every weight: forward decay needs it when its growing unit nears the end of a float. */
export function rescale(rows: TransitionRows, factor: number): void {
  for (let slot = 0; slot < rows.used; slot++) rows.weights[slot] *= factor;
}

/** Slots of the arena that are looked at together. */
const BLOCK_BITS = 5;

/** Drops the rows of the items and their slots in every other row. Looks at each slot once, however many items there are. */
export function forget(rows: TransitionRows, items: Int32Array): void {
  const { ids, offset, length, size, free, used } = rows;
  const gone = marksOf(items, offset.length);
  for (const item of items) {
    if (!(offset[item] >= 0)) continue;
    free[size[item]].push(offset[item]);
    offset[item] = -1;
    length[item] = 0;
    size[item] = 0;
  }
  // The arena from one end to the other: row by row it would be a walk through memory in no order, ten times as long.
  const hit = new Uint8Array((used >> BLOCK_BITS) + 1);
  for (let slot = 0; slot < used; slot++) if (gone[ids[slot]] === 1) hit[slot >> BLOCK_BITS] = 1;
  for (let item = 0; item < offset.length; item++) {
    if (length[item] === 0) continue;
    const last = (offset[item] + length[item] - 1) >> BLOCK_BITS;
    let block = offset[item] >> BLOCK_BITS;
    while (block <= last && hit[block] === 0) block++;
    if (block <= last) thin(rows, item, gone);
  }
}

/** Takes what is marked out of a row. */
function thin({ ids, weights, offset, length }: TransitionRows, item: number, gone: Uint8Array): void {
  const first = offset[item];
  let kept = first;
  for (let slot = first; slot < first + length[item]; slot++) {
    if (gone[ids[slot]] === 1) continue;
    ids[kept] = ids[slot];
    weights[kept++] = weights[slot];
  }
  length[item] = kept - first;
}

/** Rows end to end, without the unused slots and without the order of the arena. */
export interface PackedRows {
  readonly length: Uint8Array;
  readonly ids: Int32Array;
  readonly weights: Float32Array;
}

export function packed(rows: TransitionRows): PackedRows {
  const total = slotsIn(rows);
  const [ids, weights] = [new Int32Array(total), new Float32Array(total)];
  drain(packInto(rows, rows.ids, ids));
  drain(packInto(rows, rows.weights, weights));
  return { length: rows.length.slice(), ids, weights };
}

/** The same of the first `items` as columns of a snapshot: `…Length`, `…Ids` and `…Weights`. */
export function columnsOf(name: string, rows: TransitionRows, items: number): WrittenColumn[] {
  const total = slotsIn(rows);
  return [
    ...snapshotColumns({ [`${name}Length`]: rows.length.slice(0, items) }),
    { name: `${name}Ids`, type: 'i32', length: total, write: (bytes, at) => packInto(rows, rows.ids, new Int32Array(bytes.buffer, at, total)) },
    { name: `${name}Weights`, type: 'f32', length: total, write: (bytes, at) => packInto(rows, rows.weights, new Float32Array(bytes.buffer, at, total)) },
  ];
}

const drain = (parts: Iterator<unknown>): void => { while (!parts.next().done); };

function slotsIn({ length: lengths }: TransitionRows): number {
  let total = 0;
  for (const length of lengths) total += length;
  return total;
}

/** Writes a column of the arena row by row, and pauses every so many slots: ten million take a fifth of a second. */
function* packInto<Slots extends Int32Array | Float32Array>({ offset, length }: TransitionRows, from: Slots, into: Slots): Generator<undefined, void> {
  let at = 0;
  let pauseAt = SLOTS_A_PART;
  for (let item = 0; item < length.length; item++) {
    const first = offset[item];
    if (first < 0) continue;
    // By hand: most rows are short, and a view of each of a hundred thousand took longer than what is in them.
    for (let slot = first; slot < first + length[item]; slot++) into[at++] = from[slot];
    if (at < pauseAt) continue;
    pauseAt = at + SLOTS_A_PART;
    yield;
  }
}

export function unpacked(columns: PackedRows): TransitionRows {
  const rows = init();
  ensure(rows, columns.length.length);
  let at = 0;
  for (let item = 0; item < columns.length.length; item++) {
    const length = columns.length[item];
    if (length === 0) continue;
    const size = SIZES.findIndex((slots) => slots >= length);
    const first = move(rows, item, size);
    rows.ids.set(columns.ids.subarray(at, at + length), first);
    rows.weights.set(columns.weights.subarray(at, at + length), first);
    rows.length[item] = length;
    at += length;
  }
  return rows;
}
