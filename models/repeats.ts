/**
 * Repeats: how often an item, once clicked, is clicked again by the same shopper.
 *
 *   rate(item) = (again + k·ρ)/(first + again + k)      ρ = the same ratio over all items, k = 5
 *
 * `first` counts clicks on an item that is not among the shopper's recent ones, `again` those on one that is.
 * Untrained: 0.2 for everything. Counts are plain: a habit changes slower than a fashion. An item's are halved when they
 * come to four million, long before a float can no longer be counted up by one.
 */
import { isAmong } from './kernels/different.js';
import { capacityFor, checkItem, grownFloat32 } from './kernels/growth.js';
import { pack, unpack } from './kernels/snapshot.js';

const PRIOR = 5;
const UNTRAINED = 0.2;
const MOST = 2 ** 22;
const VERSION = 1;

export interface Repeats {
  first: Float32Array;
  again: Float32Array;
  items: number;
  allFirst: number;
  allAgain: number;
}

export function init(): Repeats {
  return { first: new Float32Array(0), again: new Float32Array(0), items: 0, allFirst: 0, allAgain: 0 };
}

export function predict(state: Repeats, item: number): number {
  return rateOf(state, item, overallOf(state));
}

/** `predict` of the first `count` items, into `out` from a place on. */
export function predictMany(state: Repeats, items: Int32Array, count: number, out: Float32Array, from: number): void {
  const overall = overallOf(state);
  for (let i = 0; i < count; i++) out[from + i] = rateOf(state, items[i], overall);
}

const overallOf = ({ allFirst, allAgain }: Repeats): number => (allAgain + UNTRAINED * PRIOR) / (allFirst + allAgain + PRIOR);

function rateOf({ first, again, items }: Repeats, item: number, overall: number): number {
  if (item < 0 || item >= items) return overall;
  return (again[item] + PRIOR * overall) / (first[item] + again[item] + PRIOR);
}

/** Clicks counted for the item. */
export function clicksOf(state: Repeats, item: number): number {
  return item >= 0 && item < state.items ? state.first[item] + state.again[item] : 0;
}

export function learn(state: Repeats, recent: Int32Array, item: number): void {
  checkItem(item);
  if (item >= state.items) {
    if (item >= state.first.length) {
      const capacity = capacityFor(item + 1, state.first.length);
      state.first = grownFloat32(state.first, capacity);
      state.again = grownFloat32(state.again, capacity);
    }
    state.items = item + 1;
  }
  if (state.first[item] + state.again[item] >= MOST) halve(state, item);
  if (isAmong(recent, item)) {
    state.again[item]++;
    state.allAgain++;
  } else {
    state.first[item]++;
    state.allFirst++;
  }
}

function halve(state: Repeats, item: number): void {
  state.first[item] /= 2;
  state.again[item] /= 2;
  state.allFirst -= state.first[item];
  state.allAgain -= state.again[item];
}

export function forget(state: Repeats, items: Int32Array): void {
  for (const item of items) {
    if (item < 0 || item >= state.items) continue;
    state.allFirst -= state.first[item];
    state.allAgain -= state.again[item];
    state.first[item] = 0;
    state.again[item] = 0;
  }
}

export function snapshot(state: Repeats): Uint8Array {
  return pack('repeats', VERSION, {
    scalars: Float64Array.of(state.items, state.allFirst, state.allAgain),
    first: state.first.slice(0, state.items),
    again: state.again.slice(0, state.items),
  });
}

export function restore(bytes: Uint8Array): Repeats {
  const from = unpack('repeats', VERSION, bytes);
  const [items, allFirst, allAgain] = from.f64('scalars');
  return { first: from.f32('first'), again: from.f32('again'), items, allFirst, allAgain };
}
