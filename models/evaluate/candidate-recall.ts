/**
 * What ranking a few candidates instead of all items costs. For each question all items that may come are scored by the
 * same ranker, and the best 20 of them held beside the 20 that are served:
 *
 *   recall       share of the exact 20 (or of as many as there are) that were served
 *   score lost   mean score of the exact 20 less that of the served ones, in log odds
 *   hit rate     share of questions whose next item is among the served ones; among the exact ones
 *
 * A filter lets a share of the items through, drawn by their number; asked are questions whose next item it lets through.
 * The ranker has learned among candidates only, so that the exact 20 need not hit more.
 */
export const K = 20;

export interface Question {
  /** Clicks, latest first. */
  readonly recent: Int32Array;
  readonly target: number;
}

/** What is served under a filter: items, best first; and the scores of given items, in their order. */
export interface Served {
  serve(recent: Int32Array, passing: Int32Array, isFiltered: boolean): Int32Array;
  score(recent: Int32Array, items: Int32Array): Float32Array;
}

export interface CandidateRecall {
  /** The share of the items that the filter lets through, and how many these are. */
  readonly share: number;
  readonly items: number;
  readonly n: number;
  readonly recall: number;
  readonly scoreLost: number;
  readonly hitRate: number;
  readonly exactHitRate: number;
}

/** As many questions as asked for, evenly from all that there are. Items: those that may come at all, in ascending order. */
export function evaluateCandidates(served: Served, items: Int32Array, questions: readonly Question[], share: number, most: number): CandidateRecall {
  const passing = items.filter((item) => passes(item, share));
  const open = questions.filter(({ recent, target }) => target !== recent[0] && passes(target, share));
  const step = Math.max(1, open.length / most);
  const totals = { n: 0, recall: 0, scoreLost: 0, hits: 0, exactHits: 0 };
  for (let at = 0; at < open.length && totals.n < most; at += step) {
    const { recent, target } = open[Math.floor(at)];
    const shown = served.serve(recent, passing, share < 1);
    // What was clicked just now never comes.
    const others = passing.filter((item) => item !== recent[0]);
    const scores = served.score(recent, others);
    const exact = Array.from(others.keys()).sort((a, b) => scores[b] - scores[a]).slice(0, K);
    const best = new Set(exact.map((place) => others[place]));
    const places = new Map(Array.from(others, (item, place) => [item, place]));
    const scoreOf = (item: number): number => scores[places.get(item) ?? -1] ?? Number.NaN;
    totals.n++;
    totals.recall += shown.filter((item) => best.has(item)).length / Math.max(1, best.size);
    totals.scoreLost += meanOf([...best], scoreOf) - meanOf([...shown], scoreOf);
    totals.hits += shown.includes(target) ? 1 : 0;
    totals.exactHits += best.has(target) ? 1 : 0;
  }
  const mean = (sum: number): number => (totals.n > 0 ? sum / totals.n : 0);
  return { share, items: passing.length, n: totals.n, recall: mean(totals.recall), scoreLost: mean(totals.scoreLost), hitRate: mean(totals.hits), exactHitRate: mean(totals.exactHits) };
}

/** Drawn by number, the same each time; who passes a narrow filter passes a wide one. */
export const passes = (item: number, share: number): boolean => (Math.imul(item + 7, 0x9e3779b1) >>> 0) / 2 ** 32 < share;

function meanOf(items: readonly number[], scoreOf: (item: number) => number): number {
  return items.length > 0 ? items.reduce((sum, item) => sum + scoreOf(item), 0) / items.length : 0;
}
