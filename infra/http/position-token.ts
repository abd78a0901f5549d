import type { Position } from '../../pipeline/core/log.js';
import type { After } from './doors.js';

/** More places than an event can be written to; a longer token was not made here. */
const MAX_POSITIONS = 256;
/** Of a batch that joins more ids, the token speaks of the last ones: it must fit into a request. */
const MAX_MERGES = 16;

/** The highest position in each partition written to: whoever has read that far has read everything. */
export function highest(positions: readonly Position[]): Position[] {
  // Few places, many positions: looking through a short list is quicker than naming each place.
  const last: Position[] = [];
  for (const position of positions) {
    const at = last.findIndex(({ topic, partition }) => partition === position.partition && topic === position.topic);
    if (at < 0) last.push(position);
    else if (last[at].offset < position.offset) last[at] = position;
  }
  return last;
}

/** Positions and merges as an opaque token for `after`: read-your-writes for whoever holds it. */
export function encodeToken(positions: readonly Position[], merges: readonly string[] = []): string {
  const places = highest(positions).map(({ topic, partition, offset }) => [topic, partition, offset]);
  const joined = merges.slice(-MAX_MERGES).map((from) => [from]);
  return Buffer.from(JSON.stringify([...places, ...joined])).toString('base64url');
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** What a token speaks of, or undefined when it is none. A token is a hint, not a right: it may name any position. */
export function decodeToken(token: string): After | undefined {
  if (token.length > 65_536 || !/^[\w-]+$/.test(token)) return undefined;
  let places: unknown;
  try {
    places = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(places) || places.length > MAX_POSITIONS + MAX_MERGES) return undefined;
  const positions: Position[] = [];
  const merges: string[] = [];
  for (const place of places) {
    if (!Array.isArray(place)) return undefined;
    const [name, second, third] = place as unknown[];
    if (typeof name !== 'string') return undefined;
    if (place.length === 1) merges.push(name);
    else if (place.length === 3 && isCount(second) && isCount(third)) positions.push({ topic: name, partition: second, offset: third });
    else return undefined;
  }
  return { positions, merges };
}
