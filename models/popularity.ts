/**
 * Popularity: decayed event counts at two half-lives, and the age of an item.
 *
 *   event of weight w:  fast[item] += w·2^ageFast,  slow[item] += w·2^ageSlow;  age += 1/halfLife each event
 *   predict: the items with the largest fast (trending) or slow (popular) share
 *
 * A return takes back what is left of what its purchase gave. Untrained: nobody is popular, the list is empty. Half-lives are
 * counted in events and follow the catalogue: half an event an item for the fast one and eight for the slow one, with floors so
 * that a shop's first hundred events do not forget each other. Shares are fractions of all decayed weight. `predict` scans all
 * items; `listed` is its top 64, which each event keeps in order: nobody falls but by another's rise or a return.
 * Source: exponentially decayed counts, kept as forward decay (Cormode et al., ICDE 2009).
 */
import { top } from './kernels/candidates.js';
import { capacityFor, checkItem, grownFloat32, grownFloat64, grownInt32 } from './kernels/growth.js';
import { exp2 } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';

const MOST_AGE = 40;
const LISTED = 64;
const VERSION = 3;

export interface Settings {
  readonly fastPerItem: number;
  readonly slowPerItem: number;
  readonly leastFast: number;
  readonly leastSlow: number;
}

const defaults: Settings = { fastPerItem: 0.55, slowPerItem: 8, leastFast: 1_000, leastSlow: 10_000 };

export interface Popularity {
  readonly settings: Settings;
  fast: Float32Array;
  slow: Float32Array;
  /** By item: the event at which it was first seen, −1 if never. Not of 32 bits: a busy shop has two billion events within a month. */
  born: Float64Array;
  items: number;
  /** Items seen so far, of all numbers below `items`. */
  seen: number;
  events: number;
  ageFast: number;
  ageSlow: number;
  /** Decayed weight of all items together, in the same units as the columns. */
  totalFast: number;
  totalSlow: number;
  /** Most popular items, best first: fast, then slow. */
  listedFast: Int32Array;
  listedSlow: Int32Array;
}

export type Horizon = 'trending' | 'popular';

export function init(settings: Partial<Settings> = {}): Popularity {
  return {
    settings: { ...defaults, ...settings },
    fast: new Float32Array(0),
    slow: new Float32Array(0),
    born: new Float64Array(0),
    items: 0,
    seen: 0,
    events: 0,
    ageFast: 0,
    ageSlow: 0,
    totalFast: 0,
    totalSlow: 0,
    listedFast: new Int32Array(0),
    listedSlow: new Int32Array(0),
  };
}

/** The `limit` (≤ 1,024) most popular items, best first, equal ones by number; a scan over all items. */
export function predict(state: Popularity, horizon: Horizon, limit: number): { item: number; share: number }[] {
  const [values, total] = horizon === 'trending' ? [state.fast, state.totalFast] : [state.slow, state.totalSlow];
  const best = new Int32Array(Math.max(0, limit));
  const count = top(values, state.items, limit, best);
  return Array.from(best.subarray(0, count), (item) => ({ item, share: values[item] / total }));
}

/** Items of the top 64, best first. A view: later learning changes it. */
export function listed(state: Popularity, horizon: Horizon): Int32Array {
  return horizon === 'trending' ? state.listedFast : state.listedSlow;
}

/** The item's share of recent events; 0 for an item never seen. */
export function trendingShare(state: Popularity, item: number): number {
  return item >= 0 && item < state.items && state.totalFast > 0 ? state.fast[item] / state.totalFast : 0;
}

/** The item's share of events over the long half-life. */
export function popularShare(state: Popularity, item: number): number {
  return item >= 0 && item < state.items && state.totalSlow > 0 ? state.slow[item] / state.totalSlow : 0;
}

export function learn(state: Popularity, item: number, weight = 1): void {
  if (!(weight > 0)) return;
  checkItem(item);
  ensure(state, item + 1);
  const { settings } = state;
  state.events++;
  state.ageFast += 1 / Math.max(settings.leastFast, settings.fastPerItem * state.seen);
  state.ageSlow += 1 / Math.max(settings.leastSlow, settings.slowPerItem * state.seen);
  if (state.ageFast > MOST_AGE) {
    state.totalFast *= scaled(state.fast, state.ageFast);
    state.ageFast = 0;
  }
  if (state.ageSlow > MOST_AGE) {
    state.totalSlow *= scaled(state.slow, state.ageSlow);
    state.ageSlow = 0;
  }
  const fast = weight * exp2(state.ageFast);
  const slow = weight * exp2(state.ageSlow);
  state.fast[item] += fast;
  state.slow[item] += slow;
  state.totalFast += fast;
  state.totalSlow += slow;
  if (state.born[item] < 0) {
    state.born[item] = state.events;
    state.seen++;
  }
  state.listedFast = raised(state.listedFast, state.fast, item);
  state.listedSlow = raised(state.listedSlow, state.slow, item);
}

/**
 * Takes back what an event of this weight gave to the item, as much of it as has not faded: `since` is the event count at which it was
 * given (`events` then), half-lives are taken as they are now. Never below nothing. A scan where the item is among the most popular.
 */
export function takeBack(state: Popularity, item: number, weight: number, since = state.events): void {
  if (!(weight > 0) || !(item >= 0) || item >= state.items) return;
  const { settings } = state;
  const passed = Math.max(0, state.events - since);
  const fast = Math.min(state.fast[item], weight * exp2(state.ageFast - passed / Math.max(settings.leastFast, settings.fastPerItem * state.seen)));
  const slow = Math.min(state.slow[item], weight * exp2(state.ageSlow - passed / Math.max(settings.leastSlow, settings.slowPerItem * state.seen)));
  state.fast[item] -= fast;
  state.slow[item] -= slow;
  state.totalFast = Math.max(0, state.totalFast - fast);
  state.totalSlow = Math.max(0, state.totalSlow - slow);
  if (state.listedFast.includes(item)) state.listedFast = list(state.fast, state.items);
  if (state.listedSlow.includes(item)) state.listedSlow = list(state.slow, state.items);
}

/** The list once an item's value has grown: the item goes before all that are worth less now. */
function raised(listed: Int32Array, values: Float32Array, item: number): Int32Array {
  const value = values[item];
  const isFull = listed.length === LISTED;
  if (isFull && !(value >= values[listed[LISTED - 1]])) return listed;
  let at = listed.indexOf(item);
  const isNew = at < 0;
  if (isNew && isFull && value === values[listed[LISTED - 1]]) return listed;
  const changed = isNew && !isFull ? grownInt32(listed, listed.length + 1) : listed;
  if (isNew) at = changed.length - 1;
  for (; at > 0 && values[changed[at - 1]] < value; at--) changed[at] = changed[at - 1];
  changed[at] = item;
  return changed;
}

const order = new Int32Array(LISTED);

function list(values: Float32Array, items: number): Int32Array {
  return order.slice(0, top(values, items, LISTED, order));
}

function scaled(column: Float32Array, age: number): number {
  const factor = exp2(-age);
  for (let item = 0; item < column.length; item++) column[item] *= factor;
  return factor;
}

function ensure(state: Popularity, items: number): void {
  if (items <= state.items) return;
  const before = state.born.length;
  if (items > before) {
    const capacity = capacityFor(items, before);
    state.fast = grownFloat32(state.fast, capacity);
    state.slow = grownFloat32(state.slow, capacity);
    state.born = grownFloat64(state.born, capacity).fill(-1, before);
  }
  state.items = items;
}

export function forget(state: Popularity, items: Int32Array): void {
  for (const item of items) {
    if (item < 0 || item >= state.items || state.born[item] < 0) continue;
    state.totalFast = Math.max(0, state.totalFast - state.fast[item]);
    state.totalSlow = Math.max(0, state.totalSlow - state.slow[item]);
    state.fast[item] = 0;
    state.slow[item] = 0;
    state.born[item] = -1;
    state.seen--;
  }
  state.listedFast = list(state.fast, state.items);
  state.listedSlow = list(state.slow, state.items);
}

export function snapshot(state: Popularity): Uint8Array {
  const { settings: s } = state;
  return pack('popularity', VERSION, {
    settings: Float64Array.of(s.fastPerItem, s.slowPerItem, s.leastFast, s.leastSlow),
    scalars: Float64Array.of(
      state.items, state.seen, state.events, state.ageFast, state.ageSlow, state.totalFast, state.totalSlow,
    ),
    fast: state.fast.slice(0, state.items),
    slow: state.slow.slice(0, state.items),
    born: state.born.slice(0, state.items),
    listedFast: state.listedFast,
    listedSlow: state.listedSlow,
  });
}

export function restore(bytes: Uint8Array): Popularity {
  const from = unpack('popularity', VERSION, bytes);
  const [fastPerItem, slowPerItem, leastFast, leastSlow] = from.f64('settings');
  const [items, seen, events, ageFast, ageSlow, totalFast, totalSlow] = from.f64('scalars');
  return {
    settings: { fastPerItem, slowPerItem, leastFast, leastSlow },
    fast: from.f32('fast'),
    slow: from.f32('slow'),
    born: from.f64('born'),
    listedFast: from.i32('listedFast'),
    listedSlow: from.i32('listedSlow'),
    items, seen, events, ageFast, ageSlow, totalFast, totalSlow,
  };
}
