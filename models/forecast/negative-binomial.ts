/**
 * Negative-binomial counts.
 *
 *   Var(y) = μ + φ μ²        (φ = 0 is Poisson; below it, of means of one and more, Poisson's quantiles are drawn together around μ)
 *
 * μ is the mean in units, φ the dispersion (no unit). μ = 0 answers zero for every probability.
 * Means up to 64 are walked exactly, count by count; above, the count is nearly continuous, and the quantile is that of a gamma
 * distribution with the same two moments: Wilson and Hilferty's cube for a shape of 5 or more, a walk in steps of μ/64 below.
 */
import { MOST_PROBABILITY, MOST_STEPS, POISSON } from '../kernels/quantile-kernels.js';

/** Beyond this mean one unit is below 2 % of the mean and the walk changes its step. */
export const WALKED_MEAN = 64;
const MAX_DISPERSION = 1e4;

/**
 * Quantiles of the count at ascending `probabilities`, written to `out` from `offset` on.
 * Never negative, never NaN, never crossing.
 */
export function negativeBinomialQuantiles(
  mean: number,
  dispersion: number,
  probabilities: ArrayLike<number>,
  out: Float64Array | number[],
  offset = 0,
): void {
  if (isZero(mean, probabilities[probabilities.length - 1] ?? 1)) {
    for (let i = 0; i < probabilities.length; i++) out[offset + i] = 0;
    return;
  }
  if (!isCurve(mean, dispersion)) walk(walkedMean(mean), walkedDispersion(mean, dispersion), unitOf(mean), probabilities, out, offset);
  settle(mean, dispersion, probabilities, out, offset);
}

/** Whether every quantile is zero, up to this probability: P(0) ≥ e^−μ ≥ 1 − μ, be the dispersion what it may. Most SKUs of a shop need no logarithm. */
export const isZero = (mean: number, last: number): boolean => !(mean > 0) || 1 - mean >= last;

/** A walk is that of a mean of 64 at most, in steps of so many units. */
export const walkedMean = (mean: number): number => (mean <= WALKED_MEAN ? mean : WALKED_MEAN);
export const unitOf = (mean: number): number => (mean <= WALKED_MEAN ? 1 : mean / WALKED_MEAN);
export const walkedDispersion = (mean: number, dispersion: number): number =>
  mean <= WALKED_MEAN ? Math.max(0, spreadOf(mean, dispersion)) : Math.max(0, relativeVariance(mean, dispersion) - 1 / WALKED_MEAN);

/** Sold at a steady rate, counts are nearer to their mean than chance would have them. */
export const isSteady = (mean: number, dispersion: number): boolean => dispersion < 0 && mean >= 1 && mean <= WALKED_MEAN;

/** Puts right what was walked of means that are steady, or so large that their curve is smooth. */
export function settle(mean: number, dispersion: number, probabilities: ArrayLike<number>, out: Float64Array | number[], offset: number): void {
  if (isSteady(mean, dispersion)) {
    const share = Math.sqrt(1 + spreadOf(mean, dispersion) * mean);
    for (let i = offset; i < offset + probabilities.length; i++) out[i] = Math.round(mean + ((out[i] ?? 0) - mean) * share);
  }
  if (isCurve(mean, dispersion)) cubedNormal(mean, relativeVariance(mean, dispersion), probabilities, out, offset);
}

/** φ as it is used. */
const spreadOf = (mean: number, dispersion: number): number =>
  dispersion > 0 ? Math.min(dispersion, MAX_DISPERSION) : mean >= 1 ? Math.max(dispersion, -1 / mean) : 0;

const relativeVariance = (mean: number, dispersion: number): number => 1 / mean + spreadOf(mean, dispersion);

/** Whether a mean is so large, and its shape so nearly normal, that it takes no walk. */
const isCurve = (mean: number, dispersion: number): boolean => mean > WALKED_MEAN && relativeVariance(mean, dispersion) <= 0.2;

/** Sums P(0), P(1), … until each probability is reached; a count stands for `unit` units. `quantile-kernels.ts` does the same for many. */
function walk(mean: number, phi: number, unit: number, probabilities: ArrayLike<number>, out: Float64Array | number[], offset: number): void {
  const poisson = phi * mean < POISSON;
  const success = poisson ? mean : (phi * mean) / (1 + phi * mean);
  const shape = poisson ? 0 : 1 / phi;
  let mass = poisson ? Math.exp(-mean) : Math.exp(-Math.log1p(phi * mean) / phi);
  let below = mass;
  let count = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = Math.min(probabilities[i] ?? 0, MOST_PROBABILITY);
    while (below < p && count < MOST_STEPS) {
      mass *= poisson ? success / (count + 1) : (success * (shape + count)) / (count + 1);
      count++;
      below += mass;
    }
    out[offset + i] = count * unit;
  }
}

function cubedNormal(
  mean: number,
  variance: number,
  probabilities: ArrayLike<number>,
  out: Float64Array | number[],
  offset: number,
): void {
  const ninth = variance / 9;
  const spread = Math.sqrt(ninth);
  for (let i = 0; i < probabilities.length; i++) {
    const root = 1 - ninth + spread * normalQuantile(probabilities[i] ?? 0.5);
    out[offset + i] = root > 0 ? mean * root * root * root : 0;
  }
}

/** Inverse of the standard normal distribution function by Acklam's rational approximation (relative error below 1.2e-9). */
export function normalQuantile(p: number): number {
  const q = Math.min(Math.max(p, 1e-12), 1 - 1e-12);
  if (q < 0.02425) return tail(Math.sqrt(-2 * Math.log(q)));
  if (q > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - q)));
  const x = q - 0.5;
  const r = x * x;
  const up =
    ((((-3.969683028665376e1 * r + 2.209460984245205e2) * r - 2.759285104469687e2) * r + 1.38357751867269e2) * r -
      3.066479806614716e1) *
      r +
    2.506628277459239;
  const down =
    ((((-5.447609879822406e1 * r + 1.615858368580409e2) * r - 1.556989798598866e2) * r + 6.680131188771972e1) * r -
      1.328068155288572e1) *
      r +
    1;
  return (up * x) / down;
}

function tail(r: number): number {
  const up =
    ((((-7.784894002430293e-3 * r - 3.223964580411365e-1) * r - 2.400758277161838) * r - 2.549732539343734) * r +
      4.374664141464968) *
      r +
    2.938163982698783;
  const down =
    (((7.784695709041462e-3 * r + 3.224671290700398e-1) * r + 2.445134137142996) * r + 3.754408661907416) * r + 1;
  return up / down;
}
