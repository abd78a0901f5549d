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

/** More surprise than this, and it is more likely off than not. */
export const LIKELY_OFF = -Math.log(ODDS);

/** Chance that it is on sale `ahead` days from the last one learned. */
export function onSale(surprise: number, ahead: number): number {
  if (!(surprise > 0)) return 1;
  const staying = 1 - RETURN / (surprise > 1 ? Math.cbrt(surprise) : 1);
  // A power a SKU and day is dear.
  return 1 - offShare(surprise) * (ahead === 1 ? staying : staying ** ahead);
}

// By probability, the same for all experts: the quantile read from, the one after it, and how far between them; −1 for zero.
let places = new Int32Array(16);
let nexts = new Int32Array(16);
let parts = new Float64Array(16);
let gaps = new Float64Array(16);

function makeRoom(n: number): void {
  if (places.length >= n) return;
  places = new Int32Array(n);
  nexts = new Int32Array(n);
  parts = new Float64Array(n);
  gaps = new Float64Array(n);
}

/**
 * Quantiles at ascending `probabilities`, in place, of what sells as they say by a chance of `on` below 1 and else nothing; those of each of these
 * experts, one behind the other.
 */
export function thin(quantiles: Float64Array, from: number, probabilities: Float64Array, on: number, experts: readonly number[]): void {
  const n = probabilities.length;
  makeRoom(n);
  let i = 0;
  for (let p = 0; p < n; p++) {
    const rank = (probabilities[p]! - 1 + on) / on;
    while (i < p && probabilities[i]! < rank) i++;
    // Below the first there is one to answer with.
    const isBetween = i > 0;
    places[p] = !(rank > 0) ? -1 : isBetween ? i - 1 : 0;
    nexts[p] = i;
    parts[p] = isBetween ? rank - probabilities[i - 1]! : 0;
    gaps[p] = isBetween ? probabilities[i]! - probabilities[i - 1]! : 1;
  }
  for (let e = 0; e < experts.length; e++) {
    const at = from + experts[e]! * n;
    // From the last one down: none is read from after it was written, since a rank is below its probability.
    for (let p = n - 1; p >= 0; p--) {
      const place = places[p]!;
      const low = place < 0 ? 0 : quantiles[at + place]!;
      quantiles[at + p] = place < 0 ? 0 : low + ((quantiles[at + nexts[p]!]! - low) * parts[p]!) / gaps[p]!;
    }
  }
}
