/**
 * What speaks for an item of the last question, and which of the shopper's clicks it lies with: a reason names a click only
 * where there is something between the two.
 *
 *   own         the item is one of the clicks
 *   transition  argmax_j q^j·n(x_j)^−α·(F[x_j][c] + B[x_j][c]/2) > 0      somebody went from one to the other
 *   two hops    argmax_j of the 2-hop sums of the last 3, where the item's share of that sum is above its share of all events
 *   likeness    argmax_j cos(I[x_j], I[c]) ≥ 0.6
 *
 * The first that holds, in this order. Two hops reach what is popular from anywhere, hence the comparison with what chance
 * gives. 0.6 is nearly five standard deviations of the cosine of random directions in 64 dimensions; of learned vectors of a click
 * log's items (YooChoose) two pairs in a thousand are as near.
 * Untrained: nothing speaks for anything but own clicks.
 */
import type { CoVisitation } from './co-visitation.js';
import * as embedding from './embedding.js';
import { dot } from './embedding-step.js';
import * as popularity from './popularity.js';
import * as transitions from './transition-evidence.js';
import * as twoHop from './two-hop.js';

export type Kind = 'own' | 'transition' | 'two_hop' | 'likeness';

/** Which click speaks for an item, and by what. */
export interface Evidence {
  readonly click: number;
  readonly by: Kind;
}

interface Sources {
  readonly coVisitation: CoVisitation;
  readonly popularity: popularity.Popularity;
  readonly embedding: embedding.Embedding;
}

/** Where the last question was worked out: asked before the next one. */
interface Asked {
  readonly cache: twoHop.HopCache;
}

/** Clicks that are compared by likeness, as many as the embedding learns from. */
const LOOK_BACK = 10;
/** From here on two items are called alike. */
export const LEAST_COSINE = 0.6;

/** By item: the click that speaks for it, undefined where none does. `recent` is the last question's, latest first. */
export function predict(sources: Sources, recent: Int32Array, items: Int32Array, asked: Asked): (Evidence | undefined)[] {
  const direct = transitions.because(sources.coVisitation, recent, items);
  const others = items.slice();
  for (let at = 0; at < items.length; at++) if (direct[at] >= 0 || recent.includes(items[at])) others[at] = -1;
  const hops = byTwoHops(sources, recent, others, asked);
  const found: (Evidence | undefined)[] = [];
  for (let at = 0; at < items.length; at++) found.push(items[at] < 0 ? undefined : strongest(sources.embedding, recent, items[at], direct[at], hops[at]));
  return found;
}

function strongest(vectors: embedding.Embedding, recent: Int32Array, item: number, direct: number, hops: number): Evidence | undefined {
  if (recent.includes(item)) return { click: item, by: 'own' };
  if (direct >= 0) return { click: direct, by: 'transition' };
  if (hops >= 0) return { click: hops, by: 'two_hop' };
  const like = byLikeness(vectors, recent, item);
  return like < 0 ? undefined : { click: like, by: 'likeness' };
}

/** By item: the click with the most 2-hop evidence for it, −1 where the last question has none or no more than chance gives. */
export function byTwoHops({ coVisitation, popularity: counts }: Sources, recent: Int32Array, items: Int32Array, { cache }: Asked): Int32Array {
  const { clicks, shares } = twoHop.because(coVisitation, recent, items, cache);
  for (let at = 0; at < items.length; at++) if (shares[at] <= popularity.popularShare(counts, items[at])) clicks[at] = -1;
  return clicks;
}

/** The click nearest to an item, −1 if none is near. */
export function byLikeness(state: embedding.Embedding, recent: Int32Array, item: number): number {
  const vector = embedding.vectorOf(state, item);
  if (!vector) return -1;
  let click = -1;
  let most = LEAST_COSINE;
  for (const before of recent.subarray(0, LOOK_BACK)) {
    const other = before === item ? undefined : embedding.vectorOf(state, before);
    const cosine = other ? dot(vector, other) : 0;
    if (cosine < most || (cosine === most && click >= 0)) continue;
    click = before;
    most = cosine;
  }
  return click;
}
