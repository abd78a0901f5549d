/**
 * Pruning: a network without its smallest weights, and what is left of it in memory.
 *
 *   w ← 0  where |w| is among the smallest share of those given          kept: (index, value) pairs of 2 + 4 bytes
 *
 * Magnitudes are compared as they are: the ranker's features are about unit size, so a weight's size is its say. Equal
 * magnitudes are dropped from the front, so that exactly the share goes. The share 0 drops nothing, 1 everything.
 * A network dropped this way ranks without being taught again; 6 bytes a weight pay once a third is gone.
 * Source: Han et al., NIPS 2015.
 */

/** Drops the smallest `share` of the weights, in place; returns how many were dropped (zeros included). */
export function prune(weights: Float32Array, share: number): number {
  const dropped = Math.floor(Math.min(1, Math.max(0, share)) * weights.length);
  const order = Array.from(weights.keys()).sort((a, b) => Math.abs(weights[a]) - Math.abs(weights[b]) || a - b);
  for (const at of order.slice(0, dropped)) weights[at] = 0;
  return dropped;
}

export interface Sparse {
  readonly length: number;
  readonly places: Uint16Array;
  readonly values: Float32Array;
}

/** What is not zero, at most 65,536 weights. */
export function sparse(weights: Float32Array): Sparse {
  if (weights.length > 65_536) throw new RangeError(`Places have 16 bits; got ${weights.length} weights.`);
  const places = Uint16Array.from(weights.keys()).filter((at) => weights[at] !== 0);
  return { length: weights.length, places, values: Float32Array.from(places, (at) => weights[at]) };
}

export function bytesOf({ places, values }: Sparse): number {
  return places.byteLength + values.byteLength;
}
