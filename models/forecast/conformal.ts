/**
 * Adaptive conformal intervals: the tail that is cut on both sides moves until the promised share of periods is covered.
 *
 *   logit a ← logit a + γ (α − miss),   interval = [Q(a), Q(1 − a)],   α = 1 − coverage
 *
 * Whatever the quantiles are worth, the long-run share of misses is α up to O(1/(γ T)) wherever a can still move. On counts it
 * cannot always: where even the median interval [0, 0] is right in more than 1 − α of the periods, the interval stays there and
 * covers more. `miss` is the mean over a round of periods of one demand class. Untrained: a = α / 2.
 * Source: Gibbs and Candès 2021 (arXiv 2106.00170).
 */
export interface Tails {
  readonly coverage: number;
  /** Coverage that the groups aim at. */
  target: number;
  /** Tail on each side, by group. */
  readonly tail: Float64Array;
}

const RATE = 0.4;
const OVERALL_RATE = 0.06;
/** What a group may be off for the sake of the whole: five points are what a class is promised, a point of it for what learning lags behind. */
const GIVE = 0.04;
const MANY = 100;
const WIDEST = 0.002;
const NARROWEST = 0.499;

export function init(groups: number, coverage: number): Tails {
  return { coverage, target: coverage, tail: new Float64Array(groups).fill((1 - coverage) / 2) };
}

/** An end of an interval: so far from the quantile `before` to the next one, or beyond them. */
export interface End {
  readonly before: number;
  readonly share: number;
}

/** Where the intervals of a group end, whatever its quantiles. */
export function ends(tails: Tails, group: number, probabilities: Float64Array): { readonly low: End; readonly high: End } {
  const tail = tails.tail[group]!;
  return { low: endAt(tail, probabilities), high: endAt(1 - tail, probabilities) };
}

/** Units at an end, of the quantiles from `from` on. */
export function unitsAt({ before, share }: End, quantiles: Float64Array, from: number): number {
  const units = quantiles[from + before]!;
  return Math.max(0, units + (quantiles[from + before + 1]! - units) * share);
}

export function learn(tails: Tails, group: number, missShare: number, weight: number): void {
  // In log odds a step near the end of the scale is as large, relatively, as one in its middle: quantiles far too narrow are
  // caught up with, and no single miss throws the tail from one end to the other.
  const moved = logit(tails.tail[group] ?? NARROWEST) + RATE * weight * (1 - tails.target - missShare);
  tails.tail[group] = Math.min(NARROWEST, Math.max(WIDEST, 1 / (1 + Math.exp(-moved))));
}

/**
 * Groups that cannot help covering more than promised raise the whole; the others make up for it, by a few points at most, so that
 * the promise holds for the shop and stays close in every group.
 */
export function learnOverall(tails: Tails, misses: number, periods: number): void {
  if (periods === 0) return;
  const weight = periods / (periods + MANY);
  const moved = tails.target + OVERALL_RATE * weight * (misses / periods - (1 - tails.coverage));
  tails.target = Math.min(tails.coverage + GIVE, Math.max(tails.coverage - GIVE, moved));
}

/** Linear between the known quantiles; beyond the outermost, the last gap goes on in steps of the log odds. */
function endAt(p: number, probabilities: Float64Array): End {
  const last = probabilities.length - 1;
  let i = 1;
  while (i < last && probabilities[i]! < p) i++;
  const p0 = probabilities[i - 1]!;
  const p1 = probabilities[i]!;
  const inside = p >= p0 && p <= p1;
  return { before: i - 1, share: inside ? (p - p0) / (p1 - p0) : (logit(p) - logit(p0)) / (logit(p1) - logit(p0)) };
}

function logit(p: number): number {
  return Math.log(p / (1 - p));
}
