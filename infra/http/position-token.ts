import type { Position } from '../../pipeline/core/log.js';

/** More places than an event can be written to; a longer token was not made here. */
const MAX_POSITIONS = 256;

/** The highest position in each partition written to: whoever has read that far has read everything. */
export function highest(positions: readonly Position[]): Position[] {
  // Few places, many positions: looking through a short list is quicker than naming each place.
  const last: Position[] = [];
  for (const position of positions) {
    const at = last.findIndex(({ topic, partition }) => partition === position.partition && topic === position.topic);
    if (at < 0) last.push(position);
    else if (last[at]!.offset < position.offset) last[at] = position;
  }
  return last;
}

/** Positions as an opaque token for `after`: read-your-writes for whoever holds it. */
export function encodeToken(positions: readonly Position[]): string {
  const places = highest(positions).map(({ topic, partition, offset }) => [topic, partition, offset]);
  return Buffer.from(JSON.stringify(places)).toString('base64url');
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** Positions of a token, or undefined when it is none. A token is a hint, not a right: it may name any position. */
export function decodeToken(token: string): Position[] | undefined {
  if (token.length > 65_536 || !/^[\w-]+$/.test(token)) return undefined;
  let places: unknown;
  try {
    places = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(places) || places.length > MAX_POSITIONS) return undefined;
  const positions: Position[] = [];
  for (const place of places) {
    if (!Array.isArray(place) || place.length !== 3) return undefined;
    const [topic, partition, offset] = place as unknown[];
    if (typeof topic !== 'string' || !isCount(partition) || !isCount(offset)) return undefined;
    positions.push({ topic, partition, offset });
  }
  return positions;
}
