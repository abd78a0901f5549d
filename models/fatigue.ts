/**
 * Fatigue: an item shown again and again without a click is worth less to that shopper.
 *
 *   damping = −log(1 + showings without a click)       added to the score, which is log odds, by a strength that each request may name
 *
 * Remembered are pairs of a shopper and an item, with the showings (at most 255) since the last click on it, in 2^21 places: 19 MB for 2 M
 * pairs, which are 40,000 shoppers with 50 items each or 200,000 with ten. A shopper has a region of 4,096 places by the hash of their id, and
 * in it an item has a row of 16, the latest shown first. A pair that finds its row full takes the place of the one that was not shown for
 * longest: a list of 100 does not drive out its own head, and who asks for everything drives out only what stands in the same region, one
 * shopper in 512. Untrained: nothing is damped.
 * Source: impression discounting (Lee et al., KDD 2014), its logarithmic form; rows as in a set-associative cache.
 */
import { marksOf } from './kernels/marks.js';
import { log } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';

const ROW = 16;
const REGION = 256 * ROW;
const VERSION = 3;

export interface Settings {
  /** Binary logarithm of the pairs that are remembered; at least 12. */
  readonly bits: number;
}

const defaults: Settings = { bits: 21 };

export interface Fatigue {
  readonly settings: Settings;
  /** By place: hash of the shopper, 0 for nobody; then the item and its showings. */
  readonly shoppers: Uint32Array;
  readonly items: Int32Array;
  readonly times: Uint8Array;
}

export function init(settings: Partial<Settings> = {}): Fatigue {
  const chosen = { ...defaults, ...settings };
  const places = 2 ** chosen.bits;
  return { settings: chosen, shoppers: new Uint32Array(places), items: new Int32Array(places), times: new Uint8Array(places) };
}

/** How often the item was shown to the shopper since their last click on it, as far as is remembered. */
export function timesShown(state: Fatigue, shopper: string, item: number): number {
  const at = find(state, hashOf(shopper), item);
  return at < 0 ? 0 : state.times[at];
}

/** What to add to the item's score; 0 or less, finite. */
export function predict(state: Fatigue, shopper: string, item: number): number {
  const times = timesShown(state, shopper, item);
  return times === 0 ? 0 : -log(1 + times);
}

export function learnShown(state: Fatigue, shopper: string, item: number): void {
  if (item >= 0) add(state, hashOf(shopper), item, 1);
}

/** Showings more of a pair, which is the latest of its row then. */
function add(state: Fatigue, hash: number, item: number, showings: number): void {
  const { shoppers, items, times } = state;
  const row = rowOf(state, hash, item);
  const found = find(state, hash, item);
  const showed = found < 0 ? 0 : times[found];
  // By hand: so few are moved faster than copyWithin is called.
  for (let at = found < 0 ? row + ROW - 1 : found; at > row; at--) {
    shoppers[at] = shoppers[at - 1];
    items[at] = items[at - 1];
    times[at] = times[at - 1];
  }
  shoppers[row] = hash;
  items[row] = item;
  times[row] = Math.min(255, showings + showed);
}

export function learnClicked(state: Fatigue, shopper: string, item: number): void {
  const at = find(state, hashOf(shopper), item);
  if (at >= 0) state.times[at] = 0;
}

/** Two ids are one shopper: what was shown to the one was shown to the other. */
export function join(state: Fatigue, from: string, to: string): void {
  if (from === to) return;
  const hash = hashOf(from);
  const region = regionOf(state, hash);
  const pairs: [item: number, showings: number][] = [];
  for (let at = region; at < region + REGION; at++) if (state.shoppers[at] === hash) pairs.push([state.items[at], state.times[at]]);
  forgetShopper(state, from);
  for (const [item, showings] of pairs) add(state, hashOf(to), item, showings);
}

/** Erases what is kept of a shopper. */
export function forgetShopper(state: Fatigue, shopper: string): void {
  const hash = hashOf(shopper);
  const region = regionOf(state, hash);
  // From the last one on, since what follows moves up.
  for (let at = region + REGION - 1; at >= region; at--) if (state.shoppers[at] === hash) remove(state, at);
}

/** Takes the items out of what anybody has seen; a pass through the whole table. */
export function forget(state: Fatigue, gone: Int32Array): void {
  const { shoppers, items } = state;
  const marks = marksOf(gone, 0);
  for (let at = items.length - 1; at >= 0; at--) if (shoppers[at] !== 0 && items[at] < marks.length && marks[items[at]] === 1) remove(state, at);
}

/** What follows in the row moves up, so that a row has no holes. */
function remove(state: Fatigue, at: number): void {
  const end = at - (at % ROW) + ROW;
  for (const column of [state.shoppers, state.items, state.times]) {
    column.copyWithin(at, at + 1, end);
    column[end - 1] = 0;
  }
}

function find(state: Fatigue, hash: number, item: number): number {
  const { shoppers, items } = state;
  const row = rowOf(state, hash, item);
  for (let at = row; at < row + ROW; at++) if (items[at] === item && shoppers[at] === hash) return at;
  return -1;
}

const regionOf = ({ shoppers }: Fatigue, hash: number): number => (hash % (shoppers.length / REGION)) * REGION;
/** By both, or the row of an item that everybody is shown would be full. */
const rowOf = (state: Fatigue, hash: number, item: number): number =>
  regionOf(state, hash) + (Math.imul(Math.imul(item, 0x9e3779b1) ^ hash, 0x85ebca6b) >>> 24) * ROW;

/** FNV-1a with its bits mixed; never 0, which means nobody. */
function hashOf(shopper: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < shopper.length; i++) hash = Math.imul(hash ^ shopper.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  return (Math.imul(hash, 0x85ebca6b) >>> 0) || 1;
}

/** Of the places that are taken alone: a small shop's snapshot is small. */
export function snapshot({ settings, shoppers, items, times }: Fatigue): Uint8Array {
  let taken = 0;
  for (let place = 0; place < shoppers.length; place++) if (shoppers[place] !== 0) taken++;
  const kept = { at: new Int32Array(taken), shoppers: new Uint32Array(taken), items: new Int32Array(taken), times: new Uint8Array(taken) };
  for (let place = 0, n = 0; n < taken; place++) {
    if (shoppers[place] === 0) continue;
    kept.at[n] = place;
    kept.shoppers[n] = shoppers[place];
    kept.items[n] = items[place];
    kept.times[n++] = times[place];
  }
  return pack('fatigue', VERSION, { settings: Float64Array.of(settings.bits), ...kept });
}

export function restore(bytes: Uint8Array): Fatigue {
  const from = unpack('fatigue', VERSION, bytes);
  const [bits] = from.f64('settings');
  const state = init({ bits });
  const [shoppers, items, times] = [from.u32('shoppers'), from.i32('items'), from.u8('times')];
  from.i32('at').forEach((place, n) => {
    state.shoppers[place] = shoppers[n];
    state.items[place] = items[n];
    state.times[place] = times[n];
  });
  return state;
}
