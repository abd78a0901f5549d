/** What a ranking answers: the best of the candidates, each with what spoke for it. */
import type { Scratch } from './kernels/candidates.js';

export interface Recommendations {
  readonly items: Int32Array;
  /** Log odds between items of the same answer; larger is better. */
  readonly scores: Float32Array;
  /** What spoke for the item: a sum of SOURCE bits. */
  readonly sources: Uint8Array;
  /** Its row among the features of this query, which stay in the ranker's `x` until the next one. */
  readonly places: Uint8Array;
}

export const SOURCE = { own: 1, latest: 2, forward: 4, backward: 8, hop: 16, popular: 32 } as const;

interface Scored {
  readonly scratch: Scratch;
  readonly picked: Int32Array;
  readonly items: Int32Array;
  readonly scores: Float32Array;
}

/** The best `limit` of the first `count` candidates, best first; of equal ones the earlier. */
export function best({ scratch, picked, items: candidates, scores: all }: Scored, count: number, limit: number): Recommendations {
  const size = Math.max(0, Math.min(Math.floor(limit), count));
  const items = new Int32Array(size);
  const scores = new Float32Array(size);
  const sources = new Uint8Array(size);
  const places = new Uint8Array(size);
  let filled = 0;
  for (let c = 0; c < count; c++) {
    const score = all[c];
    if (filled === size && !(filled > 0 && score > scores[filled - 1])) continue;
    let at = filled < size ? filled++ : size - 1;
    for (; at > 0 && scores[at - 1] < score; at--) {
      scores[at] = scores[at - 1];
      items[at] = items[at - 1];
      sources[at] = sources[at - 1];
      places[at] = places[at - 1];
    }
    scores[at] = score;
    items[at] = candidates[c];
    sources[at] = sourcesOf(scratch, picked[c]);
    places[at] = c;
  }
  return { items, scores, sources, places };
}

/** What speaks for a slot: a sum of SOURCE bits. */
export function sourcesOf(space: Scratch, at: number): number {
  const sources =
    (space.times[at] > 0 ? SOURCE.own : 0) |
    (space.latest[at] > 0 ? SOURCE.latest : 0) |
    (space.forward[at] > 0 ? SOURCE.forward : 0) |
    (space.backward[at] > 0 ? SOURCE.backward : 0) |
    (space.hop[at] > 0 ? SOURCE.hop : 0);
  return sources === 0 ? SOURCE.popular : sources;
}
