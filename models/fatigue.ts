/**
 * Fatigue: an item shown again and again without a click is worth less to that shopper.
 *
 *   damping = −strength·log(1 + showings without a click)       added to the score, which is log odds; strength 0 = off
 *
 * Remembered of a shopper: the 24 items shown last, each with its showings (at most 255) since the last click on it.
 * Shoppers share a table of 2^14 places by the hash of their id; whoever comes later to a place takes it over, so that
 * memory is fixed (2 MB) and what is lost is only a little patience. Untrained: nothing is damped.
 * Source: impression discounting (Lee et al., KDD 2014), its logarithmic form.
 */
import { marksOf } from './kernels/marks.js';
import { log } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';

const ITEMS = 24;
const VERSION = 1;

export interface Settings {
  readonly strength: number;
  /** Binary logarithm of the places for shoppers. */
  readonly bits: number;
}

export const defaults: Settings = { strength: 1, bits: 14 };

export interface Fatigue {
  readonly settings: Settings;
  /** By place: hash of the shopper there, 0 for nobody. */
  readonly shoppers: Uint32Array;
  /** [place][0…23], the latest shown first; −1 for none. */
  readonly items: Int32Array;
  readonly times: Uint8Array;
}

export function init(settings: Partial<Settings> = {}): Fatigue {
  const chosen = { ...defaults, ...settings };
  const places = 2 ** chosen.bits;
  return { settings: chosen, shoppers: new Uint32Array(places), items: new Int32Array(places * ITEMS).fill(-1), times: new Uint8Array(places * ITEMS) };
}

/** How often the item was shown to the shopper since their last click on it, as far as is remembered. */
export function timesShown(state: Fatigue, shopper: string, item: number): number {
  const hash = hashOf(shopper);
  const place = placeOf(state, hash);
  const at = state.shoppers[place] === hash ? find(state, place, item) : -1;
  return at < 0 ? 0 : state.times[at];
}

/** What to add to the item's score; 0 or less, finite. */
export function predict(state: Fatigue, shopper: string, item: number): number {
  const times = timesShown(state, shopper, item);
  return times === 0 || state.settings.strength === 0 ? 0 : -state.settings.strength * log(1 + times);
}

export function learnShown(state: Fatigue, shopper: string, item: number): void {
  if (!(item >= 0)) return;
  const hash = hashOf(shopper);
  const place = placeOf(state, hash);
  const from = place * ITEMS;
  if (state.shoppers[place] !== hash) {
    state.shoppers[place] = hash;
    state.items.fill(-1, from, from + ITEMS);
    state.times.fill(0, from, from + ITEMS);
  }
  const found = find(state, place, item);
  const at = found < 0 ? from + ITEMS - 1 : found;
  const times = found < 0 ? 1 : Math.min(255, state.times[at] + 1);
  state.items.copyWithin(from + 1, from, at);
  state.times.copyWithin(from + 1, from, at);
  state.items[from] = item;
  state.times[from] = times;
}

export function learnClicked(state: Fatigue, shopper: string, item: number): void {
  const hash = hashOf(shopper);
  const place = placeOf(state, hash);
  const at = state.shoppers[place] === hash ? find(state, place, item) : -1;
  if (at >= 0) state.times[at] = 0;
}

/** Erases what is kept of a shopper. */
export function forgetShopper(state: Fatigue, shopper: string): void {
  const hash = hashOf(shopper);
  const place = placeOf(state, hash);
  if (state.shoppers[place] !== hash) return;
  state.shoppers[place] = 0;
  state.items.fill(-1, place * ITEMS, (place + 1) * ITEMS);
  state.times.fill(0, place * ITEMS, (place + 1) * ITEMS);
}

/** Takes the items out of what anybody has seen; a pass through the whole table. */
export function forget({ items, times }: Fatigue, gone: Int32Array): void {
  const marks = marksOf(gone, 0);
  for (let at = 0; at < items.length; at++) {
    if (items[at] < 0 || items[at] >= marks.length || marks[items[at]] !== 1) continue;
    items[at] = -1;
    times[at] = 0;
  }
}

function find({ items }: Fatigue, place: number, item: number): number {
  for (let at = place * ITEMS; at < (place + 1) * ITEMS; at++) if (items[at] === item) return at;
  return -1;
}

const placeOf = ({ shoppers }: Fatigue, hash: number): number => hash & (shoppers.length - 1);

/** FNV-1a with its bits mixed; never 0, which means nobody. */
function hashOf(shopper: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < shopper.length; i++) hash = Math.imul(hash ^ shopper.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  return (Math.imul(hash, 0x85ebca6b) >>> 0) || 1;
}

export function snapshot({ settings, shoppers, items, times }: Fatigue): Uint8Array {
  return pack('fatigue', VERSION, { settings: Float64Array.of(settings.strength, settings.bits), shoppers, items, times });
}

export function restore(bytes: Uint8Array): Fatigue {
  const from = unpack('fatigue', VERSION, bytes);
  const [strength, bits] = from.f64('settings');
  return { settings: { strength, bits }, shoppers: from.u32('shoppers'), items: from.i32('items'), times: from.u8('times') };
}
