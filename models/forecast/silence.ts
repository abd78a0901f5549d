/**
 * SKUs that have fallen silent: gone, or out of stock, without anybody having said so.
 *
 *   S ← S + min(λ e, 3) with an open period without a sale, 0 with a sale     (nats of surprise: λ e = −ln P(no sale))
 *   off = ω / (ω + e^−S)                                                      (ω: odds of its going just then)
 *   on(h) = 1 − off (1 − r)^h,   r = 0.035 S^(−1/3) a day                     (it comes back the less, the longer it is away)
 *   Q_p = 0 if p ≤ 1 − on(h), else Q of what it would sell at (p − 1 + on) / on;   mean = on(h) · its mean
 *
 * While it is more likely off than not its row learns nothing, so that it comes back as it went. S is one 32-bit float a SKU.
 * A two-state hidden Markov model whose rates are fixed: chosen on M5 before April 2016 and UCI Online Retail before September 2011.
 */
const ODDS = 0.003;
/** However much it sells, a single empty period proves no more. */
const MOST_A_PERIOD = 3;
const RETURN = 0.035;
/** Below it nothing is thinned, which costs a forecast of each day: of SKUs that sell as they always have some 3 % are above it at any time. */
export const HARDLY = 0.1;

/** S after a period in which so much of a sale was expected (λ e, no unit). */
export const hush = (surprise: number, expected: number): number => surprise + Math.min(expected, MOST_A_PERIOD);

/** Chance that it is off now. */
export const offShare = (surprise: number): number => (surprise > 0 ? ODDS / (ODDS + Math.exp(-surprise)) : 0);

/** Chance that it is on sale `ahead` days from the last one learned. */
export const onSale = (surprise: number, ahead: number): number => 1 - offShare(surprise) * (1 - RETURN / Math.cbrt(Math.max(1, surprise))) ** ahead;

let thinned = new Float64Array(16);

/** Quantiles at ascending `probabilities`, in place, of what sells as they say by a chance of `on` and else nothing. */
export function thin(quantiles: Float64Array, from: number, probabilities: Float64Array, on: number): void {
  const n = probabilities.length;
  if (thinned.length < n) thinned = new Float64Array(n);
  let i = 0;
  for (let p = 0; p < n; p++) {
    const rank = (probabilities[p]! - 1 + on) / on;
    while (i < n && probabilities[i]! < rank) i++;
    thinned[p] = !(rank > 0) ? 0 : between(quantiles, from, probabilities, i, rank);
  }
  for (let p = 0; p < n; p++) quantiles[from + p] = thinned[p]!;
}

/** Between the known quantiles `i − 1` and `i`; beyond the outermost there is one to answer with. */
function between(quantiles: Float64Array, from: number, probabilities: Float64Array, i: number, rank: number): number {
  if (i === 0 || i === probabilities.length) return quantiles[from + Math.max(0, i - 1)]!;
  const low = quantiles[from + i - 1]!;
  return low + ((quantiles[from + i]! - low) * (rank - probabilities[i - 1]!)) / (probabilities[i]! - probabilities[i - 1]!);
}
