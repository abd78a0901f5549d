/**
 * Fair share: how much one shopper may teach, so that a machine that clicks all day moves nothing for others.
 *
 *   level(shopper) += elapsed/refillMs, at most `burst`;   an event is taken while level ≥ 1, and costs 1
 *
 * By default 60 events at once and six a minute after that, by event time: more than anybody browses for long. Untrained:
 * everybody has a full level. Levels stand in 8,192 slots by hash. A slot belongs to whoever drained it: others that
 * hash there meanwhile are taken without being counted, so that a crowd cannot hide a machine. Ids are not kept.
 * Source: the token bucket of traffic policing.
 */
import { pack, unpack } from './kernels/snapshot.js';

const SLOTS = 8_192;
const VERSION = 1;

export interface Settings {
  readonly burst: number;
  readonly refillMs: number;
}

export const defaults: Settings = { burst: 60, refillMs: 10_000 };

export interface FairShare {
  readonly settings: Settings;
  /** By slot: hash of its shopper (0: nobody), level, and the event time at which it was that. */
  readonly owner: Uint32Array;
  readonly level: Float32Array;
  readonly at: Float64Array;
}

export function init(settings: Partial<Settings> = {}): FairShare {
  return { settings: { ...defaults, ...settings }, owner: new Uint32Array(SLOTS), level: new Float32Array(SLOTS), at: new Float64Array(SLOTS) };
}

/** What is left to the shopper at a time, in events. */
export function predict(state: FairShare, shopper: string, time: number): number {
  const hash = hashOf(shopper);
  const slot = hash % SLOTS;
  return state.owner[slot] === hash ? levelAt(state, slot, time) : state.settings.burst;
}

/** Whether one more event of the shopper is to be learned from. */
export function learn(state: FairShare, shopper: string, time: number): boolean {
  const hash = hashOf(shopper);
  const slot = hash % SLOTS;
  const level = levelAt(state, slot, time);
  const isFree = state.owner[slot] === hash || level >= state.settings.burst;
  if (!isFree) return true;
  const has = state.owner[slot] === hash ? level : state.settings.burst;
  if (has < 1) return false;
  state.level[slot] = has - 1;
  // Events come out of order: time that was counted once is not counted again.
  state.at[slot] = state.owner[slot] === hash ? Math.max(state.at[slot], time) : time;
  state.owner[slot] = hash;
  return true;
}

function levelAt({ owner, level, at, settings }: FairShare, slot: number, time: number): number {
  if (owner[slot] === 0) return settings.burst;
  return Math.min(settings.burst, level[slot] + Math.max(0, time - at[slot]) / settings.refillMs);
}

/** FNV-1a with a final mix; never 0. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) || 1;
}

export function snapshot({ settings, owner, level, at }: FairShare): Uint8Array {
  return pack('fair-share', VERSION, { settings: Float64Array.of(settings.burst, settings.refillMs), owner, level, at });
}

export function restore(bytes: Uint8Array): FairShare {
  const from = unpack('fair-share', VERSION, bytes);
  const [burst, refillMs] = from.f64('settings');
  return { settings: { burst, refillMs }, owner: from.u32('owner'), level: from.f32('level'), at: from.f64('at') };
}
