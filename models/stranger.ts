/**
 * What somebody of whom nothing is known gets: what is popular. No lesson of the ranker is about strangers.
 *
 *   score(c) = (log(trending share + 10^−8) + log(popular share + 10^−8)) / 2
 *   contribution of each share: half of what its logarithm exceeds log 10^−8 by; baseline: log 10^−8, the score of an item never seen
 *
 * Additive, so contributions are exact, and the baseline is the same for every item and every answer. Untrained: log 10^−8 for all.
 */
import { GROUPS, withRest, type Explanation } from './explanation.js';
import { log } from './kernels/numbers.js';
import type { LocalLinear } from './local-linear.js';
import { popularShare, trendingShare, type Popularity } from './popularity.js';

const LEAST = 1e-8;
const BASELINE = Math.fround(log(LEAST));
const TRENDING = GROUPS.indexOf('trending');
const POPULAR = GROUPS.indexOf('popular');

const ofShare = (share: number): number => log(share + LEAST) / 2;

/** Log odds between items, −18.4 for one that nobody has touched. */
export const predict = (counts: Popularity, item: number): number => ofShare(trendingShare(counts, item)) + ofShare(popularShare(counts, item));

/** Explains an item's score, which single precision may have rounded. */
export function explain(counts: Popularity, item: number, score: number): Explanation {
  const contributions = new Float64Array(GROUPS.length);
  contributions[TRENDING] = ofShare(trendingShare(counts, item)) - ofShare(0);
  contributions[POPULAR] = ofShare(popularShare(counts, item)) - ofShare(0);
  return withRest({ baseline: BASELINE, contributions }, score);
}

/** What is additive is its own linear fit. */
export const localFit = (explanation: Explanation): LocalLinear => ({ weights: explanation.contributions, intercept: explanation.baseline, fit: 1 });
