/**
 * Session kNN: what shoppers with sessions like this one clicked.
 *
 *   sim(s) = Σ_{x ∈ s ∩ recent} 0.8^(j(x)) / √|s|       over the 500 most recent sessions that share a click
 *   score(c) = Σ_{s among the 100 most similar, c ∈ s} sim(s)·idf(c)        idf(c) = log(1 + N/n(c))
 *
 * Untrained: no candidates. Bounded: 64 sessions an item, 100,000 sessions in a ring of at most 30 items each.
 * Alone it is a strong baseline; blended with the other sources it adds nothing measurable, so the fusion leaves it out.
 * Source: V-SKNN and STAN (Ludewig & Jannach 2018; Garg et al., SIGIR 2019), simplified.
 */
import { begin, slot, top, type Scratch } from './kernels/candidates.js';
import { capacityFor, checkItem, grownFloat32, grownFloat64, grownInt32, grownUint8 } from './kernels/growth.js';
import { log } from './kernels/numbers.js';

const SESSIONS = 100_000;
const LENGTH = 30;
const PER_ITEM = 64;
const LOOKED_AT = 500;
const NEIGHBOURS = 100;

export interface SessionKnn {
  /** By place in the ring: items of the session, its length and its number. */
  items: Int32Array;
  lengths: Uint8Array;
  numbers: Float64Array;
  sessions: number;
  /** By item: numbers of the last sessions with it (a ring), how many there were in all. */
  recent: Float64Array;
  count: Float32Array;
  known: number;
}

export function init(): SessionKnn {
  return {
    items: new Int32Array(0),
    lengths: new Uint8Array(0),
    numbers: new Float64Array(0),
    sessions: 0,
    recent: new Float64Array(0),
    count: new Float32Array(0),
    known: 0,
  };
}

const chosen = new Int32Array(NEIGHBOURS);
const similarity = new Float32Array(LOOKED_AT);
const places = new Int32Array(LOOKED_AT);

/** Scores into the scratch's `forward`; `recent` is latest first. */
export function predict(state: SessionKnn, recent: Int32Array, scratch: Scratch): void {
  const found = new Map<number, number>();
  let weight = 1;
  for (let j = 0; j < Math.min(recent.length, 10); j++, weight *= 0.8) {
    const item = recent[j];
    if (item < 0 || item >= state.known || recent.indexOf(item) !== j) continue;
    const many = Math.min(state.count[item], PER_ITEM);
    for (let i = 0; i < many; i++) {
      const number = state.recent[item * PER_ITEM + i];
      const place = number % SESSIONS;
      // The ring has gone round and that session is no more, or it was emptied by deletions.
      if (state.numbers[place] !== number || state.lengths[place] === 0) continue;
      const before = found.get(place);
      if (before === undefined && found.size === LOOKED_AT) continue;
      found.set(place, (before ?? 0) + weight / Math.sqrt(state.lengths[place]));
    }
  }
  let n = 0;
  for (const [place, value] of found) {
    places[n] = place;
    similarity[n++] = value;
  }
  const near = top(similarity, n, NEIGHBOURS, chosen);
  begin(scratch);
  for (let i = 0; i < near; i++) {
    const place = places[chosen[i]];
    for (let k = 0; k < state.lengths[place]; k++) {
      const item = state.items[place * LENGTH + k];
      scratch.forward[slot(scratch, item)] += similarity[chosen[i]] * log(1 + state.sessions / (state.count[item] + 1));
    }
  }
}

/** Learns a finished session (oldest first); only its last 30 different items are kept. */
export function learn(state: SessionKnn, session: Int32Array): void {
  const place = state.sessions % SESSIONS;
  makeRoom(state, place + 1);
  let length = 0;
  for (let i = session.length - 1; i >= 0 && length < LENGTH; i--) {
    const item = session[i];
    checkItem(item);
    if (session.lastIndexOf(item) !== i) continue;
    ensure(state, item + 1);
    state.items[place * LENGTH + length++] = item;
    state.recent[item * PER_ITEM + (state.count[item] % PER_ITEM)] = state.sessions;
    state.count[item]++;
  }
  state.lengths[place] = length;
  state.numbers[place] = state.sessions++;
}

function ensure(state: SessionKnn, items: number): void {
  if (items <= state.known) return;
  if (items > state.count.length) {
    const capacity = capacityFor(items, state.count.length);
    state.recent = grownFloat64(state.recent, capacity * PER_ITEM);
    state.count = grownFloat32(state.count, capacity);
  }
  state.known = items;
}

function makeRoom(state: SessionKnn, sessions: number): void {
  if (sessions <= state.lengths.length) return;
  const capacity = Math.min(SESSIONS, capacityFor(sessions, state.lengths.length));
  state.items = grownInt32(state.items, capacity * LENGTH);
  state.lengths = grownUint8(state.lengths, capacity);
  state.numbers = grownFloat64(state.numbers, capacity);
}
