/**
 * Negative-binomial counts.
 *
 *   Var(y) = μ + φ μ²        (φ = 0 is Poisson; below it, of means of one and more, Poisson's quantiles are drawn together around μ)
 *
 * μ is the mean in units, φ the dispersion (no unit). μ = 0 answers zero for every probability.
 * Means up to 64 are walked exactly, count by count; above, the count is nearly continuous, and the quantile is that of a gamma
 * distribution with the same two moments: Wilson and Hilferty's cube for a shape of 5 or more, a walk in steps of μ/64 below.
 */

/** Beyond this mean one unit is below 2 % of the mean and the walk changes its step. */
export const WALKED_MEAN = 64;
const MAX_DISPERSION = 1e4;
/** A walk that has not reached its probability by then is in a tail that doubles cannot see. */
const MAX_STEPS = 100_000;

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
  // P(0) ≥ e^−μ ≥ 1 − μ, be the dispersion what it may: most SKUs of a shop need no logarithm.
  if (!(mean > 0) || 1 - mean >= (probabilities[probabilities.length - 1] ?? 1)) {
    for (let i = 0; i < probabilities.length; i++) out[offset + i] = 0;
    return;
  }
  const phi = dispersion > 0 ? Math.min(dispersion, MAX_DISPERSION) : mean >= 1 ? Math.max(dispersion, -1 / mean) : 0;
  if (mean <= WALKED_MEAN) {
    walk(mean, Math.max(0, phi), 1, probabilities, out, offset);
    if (phi < 0) drawTogether(mean, Math.sqrt(1 + phi * mean), probabilities.length, out, offset);
    return;
  }
  const relativeVariance = 1 / mean + phi;
  if (relativeVariance <= 0.2) cubedNormal(mean, relativeVariance, probabilities, out, offset);
  else walk(WALKED_MEAN, relativeVariance - 1 / WALKED_MEAN, mean / WALKED_MEAN, probabilities, out, offset);
}

/** Sums P(0), P(1), … until each probability is reached; a count stands for `unit` units. */
function walk(
  mean: number,
  phi: number,
  unit: number,
  probabilities: ArrayLike<number>,
  out: Float64Array | number[],
  offset: number,
): void {
  const poisson = phi * mean < 1e-9;
  const success = poisson ? mean : (phi * mean) / (1 + phi * mean);
  const shape = poisson ? 0 : 1 / phi;
  let mass = poisson ? Math.exp(-mean) : Math.exp(-Math.log1p(phi * mean) / phi);
  let below = mass;
  let count = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const p = Math.min(probabilities[i] ?? 0, 1 - 1e-9);
    while (below < p && count < MAX_STEPS) {
      mass *= poisson ? success / (count + 1) : (success * (shape + count)) / (count + 1);
      count++;
      // Rounding can leave the sum a hair under p for ever: stop when nothing is added any more past the mode.
      if (mass < 1e-18 && count > mean) break;
      below += mass;
    }
    out[offset + i] = count * unit;
  }
}

/** Sold at a steady rate, counts are nearer to their mean than chance would have them. */
function drawTogether(mean: number, share: number, count: number, out: Float64Array | number[], offset: number): void {
  for (let i = offset; i < offset + count; i++) out[i] = Math.round(mean + ((out[i] ?? 0) - mean) * share);
}

function cubedNormal(
  mean: number,
  relativeVariance: number,
  probabilities: ArrayLike<number>,
  out: Float64Array | number[],
  offset: number,
): void {
  const ninth = relativeVariance / 9;
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
