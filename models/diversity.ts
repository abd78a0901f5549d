/**
 * Diversity: which of the ranked items to show, so that the list does not say the same thing ten times.
 *
 *   next = argmax_c  (1 − s)·relevance(c) − s·max_{d shown} similarity(c, d)          (maximal marginal relevance)
 *   relevance: scores scaled to 0…1 over the list         similarity: max(0, cosine)·(1 − w) + w·[same category], w = 0.5
 *
 * The strength s is 0…1: 0 leaves the ranking as it is, 1 looks at the first item's score only. The best item always
 * comes first. An item without vector or category is like none. O(limit·n) similarities. Ties keep the ranking's order.
 * Source: Carbonell & Goldstein, SIGIR 1998.
 */
const SAME_CATEGORY = 0.5;

export interface Candidates {
  /** Best first, descending. */
  readonly scores: ArrayLike<number>;
  /** By candidate: unit vector, where there is one. */
  readonly vectorOf: (candidate: number) => ArrayLike<number> | undefined;
  readonly categoryOf: (candidate: number) => string | undefined;
}

/** The candidates to show, in order: at most `limit` of them, each once. */
export function diversify(candidates: Candidates, limit: number, strength: number): number[] {
  const { scores } = candidates;
  const size = Math.max(0, Math.min(Math.floor(limit), scores.length));
  const s = strength > 0 ? Math.min(1, strength) : 0;
  if (s === 0 || size < 2) return Array.from({ length: size }, (_, at) => at);
  const spread = scores[0] - scores[scores.length - 1];
  const left = Array.from({ length: scores.length }, (_, candidate) => ({
    candidate, relevance: spread > 0 ? (scores[candidate] - scores[scores.length - 1]) / spread : 1, nearest: 0,
  }));
  const shown: number[] = [];
  for (;;) {
    let best = 0;
    if (shown.length > 0) left.forEach((one, at) => { if (gain(one, s) > gain(left[best], s)) best = at; });
    const [{ candidate }] = left.splice(best, 1);
    shown.push(candidate);
    if (shown.length === size) return shown;
    for (const one of left) one.nearest = Math.max(one.nearest, similarity(candidates, one.candidate, candidate));
  }
}

const gain = ({ relevance, nearest }: { relevance: number; nearest: number }, s: number): number => (1 - s) * relevance - s * nearest;

export function similarity({ vectorOf, categoryOf }: Candidates, a: number, b: number): number {
  const category = categoryOf(a);
  const isSame = category !== undefined && category === categoryOf(b) ? 1 : 0;
  return (1 - SAME_CATEGORY) * Math.max(0, cosine(vectorOf(a), vectorOf(b))) + SAME_CATEGORY * isSame;
}

function cosine(a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined): number {
  if (a === undefined || b === undefined || a.length !== b.length) return 0;
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return Number.isFinite(sum) ? sum : 0;
}
