/** A seeded source of chance: the same seed tells the same story on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  readonly uniform: () => number;
  /** Whole number from 0 to n − 1. */
  readonly below: (n: number) => number;
  readonly between: (low: number, high: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(list: readonly T[]) => T;
  /** Index drawn with these weights, which need not sum to one. */
  readonly weighted: (weights: ArrayLike<number>) => number;
  /** Looks like a UUID. */
  readonly id: () => string;
}

/** Mulberry32 over a hash of the seed, so that seeds 1 and 2 share nothing. */
export function random(seed: string | number): Random {
  let state = hash(String(seed));
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n: number): number => Math.floor(uniform() * n);
  const hex = (digits: number): string => Array.from({ length: digits }, () => below(16).toString(16)).join('');
  return {
    uniform,
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (probability) => uniform() < probability,
    pick: (list) => list[below(list.length)]!,
    weighted: (weights) => draw(weights, uniform()),
    id: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  };
}

function draw(weights: ArrayLike<number>, at: number): number {
  let total = 0;
  for (let index = 0; index < weights.length; index++) total += weights[index];
  let left = at * total;
  let last = 0;
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index];
    if (weight <= 0) continue;
    last = index;
    left -= weight;
    if (left < 0) return index;
  }
  // Rounding may leave a crumb: it belongs to the last one that could be drawn at all.
  return last;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value;
}
