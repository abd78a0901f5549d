/**
 * Fair share: how much one shopper may teach, so that a machine that clicks all day moves nothing for others.
 *
 *   level(key) += elapsed/refillMs, at most `burst`;   an event is taken while level ≥ 1, and costs 1
 *
 * By default 60 events at once and six a minute after that: more than anybody browses for long. Time is the caller's, and must
 * not be what a shopper says: who may date events back lives through as many minutes as they like. Untrained: everybody has a
 * full level. A time that lies further back than a level takes to fill is of another clock: the level lay in a future that is not to come, and
 * is full again, as it would be so much later. Levels stand in `slots` slots by hash. A slot belongs to whoever drained it; each event of another key that hashes
 * there gives it one back, until it is full and free: so what comes often keeps its slot, and a crowd cannot hide a machine, which
 * gets one in `slots` of the crowd's events back. Who has no slot is taken without being counted. Keys are not kept, only hashes.
 * Source: token buckets of traffic policing, slots after the frequent-elements count of Misra & Gries (1982).
 */
import { pack, unpack } from './kernels/snapshot.js';

const VERSION = 1;

export interface Settings {
  readonly burst: number;
  readonly refillMs: number;
  readonly slots: number;
}

export const defaults: Settings = { burst: 60, refillMs: 10_000, slots: 8_192 };

export interface FairShare {
  readonly settings: Settings;
  /** By slot: hash of its shopper (0: nobody), level, and the time at which it was that. */
  readonly owner: Uint32Array;
  readonly level: Float32Array;
  readonly at: Float64Array;
}

export function init(settings: Partial<Settings> = {}): FairShare {
  const chosen = { ...defaults, ...settings };
  return { settings: chosen, owner: new Uint32Array(chosen.slots), level: new Float32Array(chosen.slots), at: new Float64Array(chosen.slots) };
}

/** What is left to a key at a time, in events. */
export function predict(state: FairShare, key: string, time: number): number {
  const hash = hashOf(key);
  const slot = hash % state.settings.slots;
  return state.owner[slot] === hash ? levelAt(state, slot, time) : state.settings.burst;
}

/** Whether one more event of the key is to be learned from. */
export function learn(state: FairShare, key: string, time: number): boolean {
  const { owner, level, at, settings } = state;
  const hash = hashOf(key);
  const slot = hash % settings.slots;
  const left = levelAt(state, slot, time);
  if (owner[slot] !== hash) {
    if (left < settings.burst) {
      level[slot]++;
      return true;
    }
    owner[slot] = hash;
    at[slot] = time;
    level[slot] = settings.burst - 1;
    return true;
  }
  if (left < 1) return false;
  level[slot] = left - 1;
  // Events come out of order: time that was counted once is not counted again.
  at[slot] = isOfAnotherClock(settings, time - at[slot]) ? time : Math.max(at[slot], time);
  return true;
}

const isOfAnotherClock = ({ burst, refillMs }: Settings, elapsed: number): boolean => elapsed < -burst * refillMs;

function levelAt({ owner, level, at, settings }: FairShare, slot: number, time: number): number {
  if (owner[slot] === 0) return settings.burst;
  const elapsed = time - at[slot];
  if (isOfAnotherClock(settings, elapsed)) return settings.burst;
  return Math.min(settings.burst, level[slot] + Math.max(0, elapsed) / settings.refillMs);
}

/** FNV-1a with a final mix; never 0. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) || 1;
}

export function snapshot({ settings, owner, level, at }: FairShare): Uint8Array {
  return pack('fair-share', VERSION, { settings: Float64Array.of(settings.burst, settings.refillMs, settings.slots), owner, level, at });
}

export function restore(bytes: Uint8Array): FairShare {
  const from = unpack('fair-share', VERSION, bytes);
  const [burst, refillMs, slots] = from.f64('settings');
  return { settings: { burst, refillMs, slots }, owner: from.u32('owner'), level: from.f32('level'), at: from.f64('at') };
}
