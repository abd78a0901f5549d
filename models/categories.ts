/**
 * Categories: how much of a visit lies in the category of an item.
 *
 *   share(c) = clicks in the category of c / clicks whose category is known      over the last 10 clicks
 *
 * 0 where the shop says no category. Nothing is learned from events, so that an item which nobody has touched has its share as well.
 * Names are hashed to 15 bits, 2 bytes an item: of 400 categories two or three pairs are taken for one.
 * Untrained: 0 for everything.
 */
import { capacityFor, checkItem } from './kernels/growth.js';
import { hashOf } from './kernels/hash.js';
import { pack, unpack } from './kernels/snapshot.js';

/** Clicks that are looked at. */
const CLICKS = 10;
const NAMES = 2 ** 15;
const VERSION = 1;

export interface Categories {
  /** By item: its category's number, 0 for none. */
  numbers: Uint16Array;
  /** Items below this number may have one. */
  items: number;
}

export function init(): Categories {
  return { numbers: new Uint16Array(0), items: 0 };
}

/** The shop says that an item is of this category, or of none, and no longer what it said before. */
export function learn(state: Categories, item: number, category: string | null): void {
  put(state, item, numberOf(category));
}

/** The item `taken` is from now on what `own` was, which is of no category any more. */
export function takeOver(state: Categories, taken: number, own: number): void {
  put(state, taken, categoryOf(state, own));
  put(state, own, 0);
}

function put(state: Categories, item: number, category: number): void {
  checkItem(item);
  if (item >= state.numbers.length) {
    const grown = new Uint16Array(capacityFor(item + 1, state.numbers.length));
    grown.set(state.numbers);
    state.numbers = grown;
  }
  state.items = Math.max(state.items, item + 1);
  state.numbers[item] = category;
}

export function forget({ numbers, items: known }: Categories, items: Int32Array): void {
  for (const item of items) if (item >= 0 && item < known) numbers[item] = 0;
}

const numberOf = (category: string | null): number => (category === null || category === '' ? 0 : 1 + (hashOf(category) % (NAMES - 1)));

/** By number of a category, its share of the clicks asked about; 0 between two questions. */
const shares = new Float32Array(NAMES);

/** The shares of the first `count` items after the clicks `recent`, into `out` from a place on. */
export function predictMany(state: Categories, recent: Int32Array, items: Int32Array, count: number, out: Float32Array, from: number): void {
  const { numbers, items: known } = state;
  const clicks = Math.min(recent.length, CLICKS);
  let named = 0;
  for (let j = 0; j < clicks; j++) if (categoryOf(state, recent[j]) !== 0) named++;
  for (let j = 0; j < clicks; j++) shares[categoryOf(state, recent[j])] += 1 / named;
  shares[0] = 0;
  for (let c = 0; c < count; c++) {
    const item = items[c];
    out[from + c] = item >= 0 && item < known ? shares[numbers[item]] : 0;
  }
  for (let j = 0; j < clicks; j++) shares[categoryOf(state, recent[j])] = 0;
}

const categoryOf = ({ numbers, items }: Categories, item: number): number => (item >= 0 && item < items ? numbers[item] : 0);

export function snapshot({ numbers, items }: Categories): Uint8Array {
  return pack('categories', VERSION, { numbers: Int32Array.from(numbers.subarray(0, items)) });
}

export function restore(bytes: Uint8Array): Categories {
  const numbers = Uint16Array.from(unpack('categories', VERSION, bytes).i32('numbers'));
  return { numbers, items: numbers.length };
}
