/**
 * Returns: what purchases gave to the popularity of their items, until the goods come back.
 *
 *   purchase of (order, item):  units += quantity, gifts += 1, at = event count now
 *   goods back:                 units −= quantity; at 0 or less: the gifts are to be taken back, and the entry is gone
 *
 * 65,536 slots by the hash of order and item; a later purchase takes over the slot of an earlier one, so of those that lie far back a
 * return finds none. Untrained: nothing is to be taken back. Neither ids nor shoppers are kept, only hashes: 1.6 MB.
 */
import { hashOf } from './kernels/hash.js';
import { pack, unpack } from './kernels/snapshot.js';

const SLOTS = 65_536;
const VERSION = 1;

export interface Returns {
  /** By slot: hash of order and item, 0 for none; units that are kept; how often it was given for them; and at which event last. */
  readonly owner: Uint32Array;
  readonly units: Float64Array;
  readonly gifts: Float32Array;
  readonly at: Float64Array;
}

/** What is to be taken back: so many gifts, the last of them at this event count. */
export interface Gifts {
  readonly gifts: number;
  readonly at: number;
}

export function init(): Returns {
  return { owner: new Uint32Array(SLOTS), units: new Float64Array(SLOTS), gifts: new Float32Array(SLOTS), at: new Float64Array(SLOTS) };
}

/** What was given for this order's item and not taken back. Changes nothing. */
export function predict({ owner, gifts, at }: Returns, orderId: string, sku: string): Gifts | undefined {
  const hash = hashOfLine(orderId, sku);
  const slot = hash % SLOTS;
  return owner[slot] === hash ? { gifts: gifts[slot], at: at[slot] } : undefined;
}

/** A purchase of so many units has given once, at this event count. */
export function learn({ owner, units, gifts, at }: Returns, orderId: string, sku: string, quantity: number, event: number): void {
  const hash = hashOfLine(orderId, sku);
  const slot = hash % SLOTS;
  const isSame = owner[slot] === hash;
  owner[slot] = hash;
  units[slot] = quantity + (isSame ? units[slot] : 0);
  gifts[slot] = 1 + (isSame ? gifts[slot] : 0);
  at[slot] = event;
}

/** So many units came back. With the last of them: what is to be taken back; before that, or where nothing is known, undefined. */
export function giveBack(state: Returns, orderId: string, sku: string, quantity: number): Gifts | undefined {
  const given = predict(state, orderId, sku);
  if (!given) return undefined;
  const slot = hashOfLine(orderId, sku) % SLOTS;
  state.units[slot] -= quantity;
  if (state.units[slot] > 0) return undefined;
  state.owner[slot] = 0;
  return given;
}

const hashOfLine = (orderId: string, sku: string): number => hashOf(`${orderId}\u001f${sku}`);

export function snapshot({ owner, units, gifts, at }: Returns): Uint8Array {
  return pack('returns', VERSION, { owner, units, gifts, at });
}

export function restore(bytes: Uint8Array): Returns {
  const from = unpack('returns', VERSION, bytes);
  return { owner: from.u32('owner'), units: from.f64('units'), gifts: from.f32('gifts'), at: from.f64('at') };
}
