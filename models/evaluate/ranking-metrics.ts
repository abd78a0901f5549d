/**
 * Ranking metrics for one relevant item a query, from its rank (1 is best, 0 is not ranked).
 *
 *   precision@k = recall@k = hit rate@k = mean [rank ≤ k]     MRR@k = mean [rank ≤ k]/rank
 *   NDCG@k = mean [rank ≤ k]/log2(1 + rank)                   F1@k = 2·P·R/(P + R), P = hit rate/k, R = hit rate
 *
 * `precision` is what the session literature calls P@k, a hit rate; the share of the k shown that was right is that
 * divided by k. Coverage is the share of the catalogue that was ever among the first k; novelty the mean of
 * −log2(share of events) of what was shown. All are fractions. Intervals are 95 %: Wilson's for the hit rate, normal
 * for MRR and NDCG; they take queries for independent, which prefixes of one session are not quite.
 * Of no queries, everything is 0.
 */
export interface RankingTotals {
  readonly k: number;
  n: number;
  hits: number;
  reciprocal: number;
  reciprocalSquares: number;
  gain: number;
  gainSquares: number;
  readonly shown: Set<number>;
  novelty: number;
  listed: number;
}

export interface RankingMetrics {
  readonly n: number;
  readonly hitRate: number;
  readonly hitRateInterval: readonly [number, number];
  readonly mrr: number;
  readonly mrrInterval: readonly [number, number];
  readonly ndcg: number;
  readonly ndcgInterval: readonly [number, number];
  readonly f1: number;
  readonly coverage: number;
  readonly novelty: number;
}

const Z = 1.959964;

export function rankingTotals(k: number): RankingTotals {
  return {
    k, n: 0, hits: 0, reciprocal: 0, reciprocalSquares: 0, gain: 0, gainSquares: 0, shown: new Set(), novelty: 0, listed: 0,
  };
}

/** Counts a query whose relevant item came at `rank`; 0 and everything beyond k are misses. */
export function addRank(totals: RankingTotals, rank: number): void {
  totals.n++;
  if (rank < 1 || rank > totals.k) return;
  totals.hits++;
  totals.reciprocal += 1 / rank;
  totals.reciprocalSquares += 1 / (rank * rank);
  const gain = 1 / Math.log2(1 + rank);
  totals.gain += gain;
  totals.gainSquares += gain * gain;
}

/** Counts an item among the first k of a query; `share` is its fraction of all events, 0 for one outside the catalogue. */
export function addShown(totals: RankingTotals, item: number, share: number): void {
  // A shopper's own click on something new may be shown again, and would let the coverage of the catalogue pass 1.
  if (share > 0) totals.shown.add(item);
  totals.novelty -= Math.log2(Math.max(share, 1e-9));
  totals.listed++;
}

/**
 * The rank of `target` among scored items, ties counted against it: one more than how many others score as high.
 * 0 if the target is not among them. A score that is NaN would beat nothing and hide: it counts as higher.
 */
export function rankOf(target: number, items: Int32Array, scores: Float32Array, count: number): number {
  const at = items.subarray(0, count).indexOf(target);
  if (at < 0) return 0;
  const own = scores[at];
  let rank = 1;
  for (let i = 0; i < count; i++) if (i !== at && !(scores[i] < own)) rank++;
  return rank;
}

/** The share of ranks (0: not ranked) that are among the first k: hit rate and recall at any k, of queries with one relevant item. */
export function recallAt(ranks: Int32Array, k: number): number {
  let hits = 0;
  for (const rank of ranks) if (rank >= 1 && rank <= k) hits++;
  return ranks.length > 0 ? hits / ranks.length : 0;
}

export function summarize(totals: RankingTotals, catalogue: number): RankingMetrics {
  const { n, hits, k } = totals;
  if (n === 0) {
    const none = [0, 0] as const;
    return {
      n, hitRate: 0, hitRateInterval: none, mrr: 0, mrrInterval: none, ndcg: 0, ndcgInterval: none, f1: 0, coverage: 0, novelty: 0,
    };
  }
  const hitRate = hits / n;
  const precision = hitRate / k;
  return {
    n,
    hitRate,
    hitRateInterval: wilson(hits, n),
    mrr: totals.reciprocal / n,
    mrrInterval: normal(totals.reciprocal, totals.reciprocalSquares, n),
    ndcg: totals.gain / n,
    ndcgInterval: normal(totals.gain, totals.gainSquares, n),
    f1: hitRate > 0 ? (2 * precision * hitRate) / (precision + hitRate) : 0,
    coverage: catalogue > 0 ? totals.shown.size / catalogue : 0,
    novelty: totals.listed > 0 ? totals.novelty / totals.listed : 0,
  };
}

function wilson(hits: number, n: number): readonly [number, number] {
  const p = hits / n;
  const middle = (p + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
  const half = (Z / (1 + (Z * Z) / n)) * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function normal(sum: number, squares: number, n: number): readonly [number, number] {
  const mean = sum / n;
  const half = Z * Math.sqrt(Math.max(0, squares / n - mean * mean) / n);
  return [Math.max(0, mean - half), Math.min(1, mean + half)];
}
