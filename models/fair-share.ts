/**
 * Fair share: how much one shopper may teach, so that a machine that clicks all day moves nothing for others.
 *
 *   level(key) += min(elapsed/refillMs, part·taken since) + elapsed·burst/restMs, at most `burst`
 *   an event is taken while level ≥ 1, and costs 1
 *
 * By default 60 events at once: of 17,795 visits in YooChoose's training sample none is longer, of RetailRocket's sessions 0.2 %. After that one for every
 * twenty that the shop is taught by whomever, at most six a minute, and all of it in a week whatever the shop does: in a small shop
 * a machine of a day is a visit, in a large one six a minute are few. Where `part` is infinite time alone gives back.
 * Time is the caller's, and must not be what a shopper says: who may date events back lives through as many minutes as they like.
 * Untrained: everybody has a full level. A time that lies further back than a level takes to fill is of another clock: the level lay in a
 * future that is not to come, and is full again, as it would be so much later.
 *
 * Levels that are not full stand in a table of sets of eight, by hash, latest asked first. Where a set is full the key that was asked for
 * longest ago is forgotten, and has a full level when it comes again. Once that has happened to one in eight of the table it doubles, up to
 * `most` levels, 20 bytes each; it never shrinks. So who comes again before some `most` others have keeps their level, whatever the crowd,
 * and one who waits that long is one of so many. Keys are not kept, only hashes.
 * Source: token buckets of traffic policing; set-associative caches with the least recently used leaving.
 */
import { hashOf } from './kernels/hash.js';
import { pack, unpack } from './kernels/snapshot.js';

const VERSION = 2;
const WAYS = 8;
/** Levels that a table begins with. */
const FIRST = 1_024;

export interface Settings {
  readonly burst: number;
  readonly refillMs: number;
  /** Of what all teach, the part that one is given back at most. */
  readonly part: number;
  /** In this time a level is full again whatever others do. */
  readonly restMs: number;
  /** Levels that are kept at most: a power of two. */
  readonly most: number;
}

export const defaults: Settings = { burst: 60, refillMs: 10_000, part: 1 / 20, restMs: 7 * 86_400_000, most: 1_048_576 };

/** By time alone. */
export const byTime = (burst: number, refillMs: number): Partial<Settings> => ({ burst, refillMs, part: Infinity, restMs: Infinity });

export interface FairShare {
  readonly settings: Settings;
  /** By place: hash of its key (0: nobody), level, and the time and the count of events at which it was that. */
  owner: Uint32Array;
  level: Float32Array;
  at: Float64Array;
  since: Uint32Array;
  /** Events taken of anybody, modulo 2³². */
  taken: number;
  /** Levels that were not full and had to leave, since the table was last made larger. */
  crowdedOut: number;
}

export function init(settings: Partial<Settings> = {}): FairShare {
  return { settings: { ...defaults, ...settings }, ...empty(FIRST), taken: 0, crowdedOut: 0 };
}

const empty = (size: number): Pick<FairShare, 'owner' | 'level' | 'at' | 'since'> => ({
  owner: new Uint32Array(size), level: new Float32Array(size), at: new Float64Array(size), since: new Uint32Array(size),
});

/** What is left to a key at a time, in events. */
export function predict(state: FairShare, key: string, time: number): number {
  const place = find(state, hashOf(key));
  return place < 0 ? state.settings.burst : levelAt(state, place, time);
}

/** Whether one more event of the key is to be learned from. */
export function learn(state: FairShare, key: string, time: number): boolean {
  const { settings } = state;
  const hash = hashOf(key);
  const found = find(state, hash);
  const left = found < 0 ? settings.burst : levelAt(state, found, time);
  const first = firstOf(state, hash);
  // Also who has nothing left was asked for, and stays.
  moveToFront(state, first, found < 0 ? roomIn(state, first, time) : found);
  if (found >= 0 && left < 1) return false;
  const goesOn = found >= 0 && !isOfAnotherClock(settings, time - state.at[first]);
  // Events come out of order: time that was counted once is not counted again.
  state.at[first] = goesOn ? Math.max(state.at[first], time) : time;
  state.owner[first] = hash;
  state.level[first] = left - 1;
  state.since[first] = state.taken;
  state.taken = (state.taken + 1) >>> 0;
  if (state.crowdedOut > state.owner.length / WAYS && state.owner.length < settings.most) widen(state);
  return true;
}

const firstOf = ({ owner }: FairShare, hash: number): number => (hash & (owner.length / WAYS - 1)) * WAYS;

function find(state: FairShare, hash: number): number {
  const first = firstOf(state, hash);
  for (let place = first; place < first + WAYS; place++) if (state.owner[place] === hash) return place;
  return -1;
}

/** Where in a set there is room: at the last whose level is full, or of who was asked for longest ago. */
function roomIn(state: FairShare, first: number, time: number): number {
  for (let place = first + WAYS - 1; place >= first; place--) {
    if (state.owner[place] === 0 || levelAt(state, place, time) >= state.settings.burst) return place;
  }
  state.crowdedOut++;
  return first + WAYS - 1;
}

function moveToFront({ owner, level, at, since }: FairShare, first: number, place: number): void {
  const moved = { owner: owner[place], level: level[place], at: at[place], since: since[place] };
  // By hand: so few are moved faster than copyWithin is called.
  for (let to = place; to > first; to--) {
    owner[to] = owner[to - 1];
    level[to] = level[to - 1];
    at[to] = at[to - 1];
    since[to] = since[to - 1];
  }
  owner[first] = moved.owner;
  level[first] = moved.level;
  at[first] = moved.at;
  since[first] = moved.since;
}

/** Twice the sets: of each set half go to one that is as much further on as there were. */
function widen(state: FairShare): void {
  const { owner, level, at, since } = state;
  Object.assign(state, empty(owner.length * 2));
  for (let place = owner.length - 1; place >= 0; place--) {
    if (owner[place] === 0) continue;
    const first = firstOf(state, owner[place]);
    moveToFront(state, first, first + WAYS - 1);
    state.owner[first] = owner[place];
    state.level[first] = level[place];
    state.at[first] = at[place];
    state.since[first] = since[place];
  }
  state.crowdedOut = 0;
}

const isOfAnotherClock = ({ burst, refillMs }: Settings, elapsed: number): boolean => elapsed < -burst * refillMs;

function levelAt({ level, at, since, taken, settings }: FairShare, place: number, time: number): number {
  const { burst, refillMs, part, restMs } = settings;
  const elapsed = time - at[place];
  if (isOfAnotherClock(settings, elapsed)) return burst;
  const passed = Math.max(0, elapsed);
  return Math.min(burst, level[place] + Math.min(passed / refillMs, part * ((taken - since[place]) >>> 0)) + (passed * burst) / restMs);
}

export function snapshot({ settings: { burst, refillMs, part, restMs, most }, owner, level, at, since, taken, crowdedOut }: FairShare): Uint8Array {
  return pack('fair-share', VERSION, { settings: Float64Array.of(burst, refillMs, part, restMs, most), counts: Float64Array.of(taken, crowdedOut), owner, level, at, since });
}

export function restore(bytes: Uint8Array): FairShare {
  const from = unpack('fair-share', VERSION, bytes);
  const [burst, refillMs, part, restMs, most] = from.f64('settings');
  const [taken, crowdedOut] = from.f64('counts');
  return { settings: { burst, refillMs, part, restMs, most }, owner: from.u32('owner'), level: from.f32('level'), at: from.f64('at'), since: from.u32('since'), taken, crowdedOut };
}
