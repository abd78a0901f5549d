/**
 * Forecasts of a category or of the whole shop, from the bottom up.
 *
 *   mean = Σ μ_i;  variance = Σ σ_i² + ρ Σ_{i≠j} σ_i σ_j;  the total ~ negative binomial with these two moments
 *
 * Means add exactly, so that categories add to the shop whatever the grouping. Quantiles do not add: adding them would claim that all
 * SKUs have their best day on the same day. σ_i is read from the outermost upper quantile, or from all of them and the mean, if that is more: of a SKU
 * that sells in bulk now and then the mean lies above most of its quantiles; ρ = 0.02 is the weather they share.
 * No members: zero. Units are those of the members.
 */
import { negativeBinomialQuantiles, normalQuantile } from './negative-binomial.js';

const SHARED = 0.02;

export interface MemberForecast {
  mean: number;
  quantiles: ArrayLike<number>;
}

export interface TotalForecast {
  mean: number;
  quantiles: number[];
}

/** Mean square of a count with these quantiles, the last of which leaves to the tail beyond it what the mean has more than they. */
function squareOf({ mean, quantiles }: MemberForecast, probabilities: readonly number[]): number {
  let [below, sum, square] = [0, 0, 0];
  let value = quantiles[0] ?? 0;
  for (let i = 0; i < probabilities.length; i++) {
    const at = probabilities[i] ?? 1;
    const q = quantiles[i] ?? 0;
    const middle = (value + q) / 2;
    sum += (at - below) * middle;
    square += (at - below) * middle * middle;
    [below, value] = [at, q];
  }
  const tail = 1 - below;
  const beyond = value + Math.max(0, mean - sum - tail * value) / tail;
  return square + tail * beyond * beyond;
}

/** One period's total at ascending `probabilities`, which are also those of the members. */
export function total(members: Iterable<MemberForecast>, probabilities: readonly number[]): TotalForecast {
  const last = probabilities.length - 1;
  const z = normalQuantile(probabilities[last] ?? 0.9);
  let mean = 0;
  let squares = 0;
  let spread = 0;
  for (const member of members) {
    const own = Math.max(0, member.mean);
    const upper = z > 0 ? ((member.quantiles[last] ?? 0) - own) / z : 0;
    const deviation = Math.max(Math.sqrt(own), upper, Math.sqrt(Math.max(0, squareOf(member, probabilities) - own * own)));
    mean += own;
    squares += deviation * deviation;
    spread += deviation;
  }
  const variance = squares + SHARED * Math.max(0, spread * spread - squares);
  const quantiles: number[] = [];
  negativeBinomialQuantiles(mean, mean > 0 ? (variance - mean) / mean ** 2 : 0, probabilities, quantiles);
  return { mean, quantiles };
}
