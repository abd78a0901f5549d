/**
 * What each expert of the bank says: quantiles and mean of a SKU's demand in periods to come.
 *
 *   hurdle   Q_p = 0 if p ≤ 1 − P(sale), else the ((p − 1 + P) / P)-quantile of the SKU's own sizes, times their part of the exposure
 *   level    Q_p of a negative binomial with mean μ e s and the dispersion of that level's own errors
 *
 * Sizes are weighted by decay^(sales since), and interpolated between the mid-points of their weights. Quantiles are units a period.
 * An untrained row answers zero. Nothing here changes the bank; how its rows are learned is told in `expert-bank.ts`.
 */
import {
  EXCESS,
  FAST_EXCESS,
  FREQUENCY_RATES,
  frequency,
  hazard,
  HOLT_LEVEL,
  HOLT_SLOPE,
  level,
  OLDER,
  OLDER_SIZES,
  OLDER_STRIDE,
  profile,
  QUICK_EXCESS,
  QUICK_LEVEL,
  QUICK_RATE,
  RECENT_SIZES,
  SALES,
  sizeFactor,
  SIZES,
  TREND_DAMPING,
  type Bank,
} from './expert-bank.js';
import { negativeBinomialQuantiles } from './negative-binomial.js';

const MAX_SIZES = RECENT_SIZES + OLDER_SIZES;

export const EXPERTS = [
  'hurdle fast',
  'hurdle brisk',
  'hurdle brisk, long sizes',
  'hurdle slow',
  'hurdle slowest',
  'level quick',
  'level fast',
  'level brisk',
  'level slow',
  'damped trend',
  'own season',
] as const;

/** Which rate and which size memory each hurdle expert uses, in the order of `EXPERTS`. */
const HURDLES = [
  { rate: 0, sizeDecay: 0.85 },
  { rate: 1, sizeDecay: 0.9 },
  { rate: 1, sizeDecay: 0.97 },
  { rate: 2, sizeDecay: 0.97 },
  { rate: 3, sizeDecay: 0.985 },
] as const;

/** Whether an expert is a level (its mean is one of demand), not a hurdle. */
export function isLevel(expert: number): boolean {
  return expert >= HURDLES.length;
}

/** decay^age for every decay a hurdle uses. */
const SIZE_WEIGHTS = new Map<number, Float64Array>(
  HURDLES.map(({ sizeDecay }) => [
    sizeDecay,
    Float64Array.from({ length: MAX_SIZES }, (_, i) =>
      i < RECENT_SIZES
        ? sizeDecay ** i
        : OLDER_STRIDE * sizeDecay ** (RECENT_SIZES + OLDER_STRIDE * (i - RECENT_SIZES + 0.5)),
    ),
  ]),
);

// Scratch for one SKU's sizes: predict is synchronous and never re-enters.
const sizeValues = new Float64Array(MAX_SIZES);
const sizeWeights = new Float64Array(MAX_SIZES);

/** Sizes in ascending order with the mid-points of their cumulated weights; returns how many. */
function sortedSizes(bank: Bank, at: number, decay: number): number {
  const { rows } = bank;
  const sales = rows[at + SALES] ?? 0;
  const recent = Math.min(sales, RECENT_SIZES);
  const weights = SIZE_WEIGHTS.get(decay);
  let count = 0;
  let total = 0;
  for (let age = 0; age < recent; age++) {
    const weight = weights?.[age] ?? 0;
    total += weight;
    insert(count++, rows[at + SIZES + ((sales - 1 - age) % RECENT_SIZES)] ?? 0, weight);
  }
  const moved = Math.max(0, Math.ceil((sales - RECENT_SIZES) / OLDER_STRIDE));
  const older = Math.min(moved, OLDER_SIZES);
  const newest = Math.floor((sales - 1) / OLDER_STRIDE);
  for (let j = 0; j < older; j++) {
    const weight = weights?.[RECENT_SIZES + j] ?? 0;
    total += weight;
    insert(count++, rows[at + OLDER + ((newest - j) % OLDER_SIZES)] ?? 0, weight);
  }
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const weight = sizeWeights[i] ?? 0;
    sizeWeights[i] = (sum + weight / 2) / total;
    sum += weight;
  }
  return count;
}

function insert(count: number, value: number, weight: number): void {
  let i = count;
  while (i > 0 && (sizeValues[i - 1] ?? 0) > value) {
    sizeValues[i] = sizeValues[i - 1] ?? 0;
    sizeWeights[i] = sizeWeights[i - 1] ?? 0;
    i--;
  }
  sizeValues[i] = value;
  sizeWeights[i] = weight;
}

/**
 * Every expert's quantiles and mean for one period of exposure `exposure`, `ahead` periods from now.
 * `out` takes period × EXPERTS × probabilities; `means` one mean a period and expert. An expert that is not `needed` keeps what
 * `out` had. Never changes the bank.
 */
export function predict(
  bank: Bank,
  sku: number,
  periods: readonly { exposure: number; phase: number; ahead: number }[],
  probabilities: Float64Array,
  out: Float64Array,
  means: Float64Array,
  needed?: readonly boolean[],
): void {
  const at = sku * bank.width;
  const n = probabilities.length;
  const stride = EXPERTS.length * n;
  let sizes = 0;
  let typical = 0;
  let sortedDecay = -1;
  for (let k = 0; k < HURDLES.length; k++) {
    const expert = HURDLES[k];
    if (expert === undefined || needed?.[k] === false) continue;
    if (expert.sizeDecay !== sortedDecay) {
      sizes = sortedSizes(bank, at, expert.sizeDecay);
      typical = meanSize(sizes);
      sortedDecay = expert.sizeDecay;
    }
    const lambda = hazard(bank, sku, expert.rate);
    for (let t = 0; t < periods.length; t++) {
      const exposure = periods[t]?.exposure ?? 0;
      means[t * EXPERTS.length + k] = hurdleQuantiles(lambda, exposure, sizes, typical, probabilities, out, t * stride + k * n);
    }
  }
  const dispersion = ratio(bank.rows[at + EXCESS] ?? 0, bank.rows[at + EXCESS + 1] ?? 0);
  const fastDispersion = ratio(bank.rows[at + FAST_EXCESS] ?? 0, bank.rows[at + FAST_EXCESS + 1] ?? 0);
  const quickDispersion = ratio(bank.rows[at + QUICK_EXCESS] ?? 0, bank.rows[at + QUICK_EXCESS + 1] ?? 0);
  const quick = bank.rows[at + QUICK_LEVEL] ?? 0;
  const often = frequency(bank, sku, 1);
  const fast = level(bank, sku, 0);
  const brisk = level(bank, sku, 1);
  const slow = level(bank, sku, 2);
  const holt = bank.rows[at + HOLT_LEVEL] ?? 0;
  const slope = bank.rows[at + HOLT_SLOPE] ?? 0;
  for (let t = 0; t < periods.length; t++) {
    const period = periods[t];
    if (period === undefined) continue;
    const { exposure, phase, ahead } = period;
    const shrunk = profile(bank, sku, phase, often * often);
    const own = profile(bank, sku, phase, often);
    const drift = (slope * TREND_DAMPING * (1 - TREND_DAMPING ** ahead)) / (1 - TREND_DAMPING);
    const trending = Math.min(Math.max(0, holt + drift), 3 * holt);
    const expected = [quick * shrunk, fast * shrunk, brisk * shrunk, slow * shrunk, trending * shrunk, slow * own];
    // A level that follows every period has to admit how far it will have been led astray.
    const spread = [
      quickDispersion * (1 + QUICK_RATE ** 2 * (ahead - 1)),
      fastDispersion * (1 + (FREQUENCY_RATES[0] ?? 0) ** 2 * (ahead - 1)),
    ];
    for (let j = 0; j < expected.length; j++) {
      const k = HURDLES.length + j;
      const mean = (expected[j] ?? 0) * exposure;
      means[t * EXPERTS.length + k] = mean;
      if (needed?.[k] === false) continue;
      negativeBinomialQuantiles(mean, spread[j] ?? dispersion, probabilities, out, t * stride + k * n);
    }
  }
}

function ratio(excess: number, square: number): number {
  return square > 0 ? Math.max(0, excess / square) : 0;
}

function hurdleQuantiles(
  lambda: number,
  exposure: number,
  sizes: number,
  typical: number,
  probabilities: Float64Array,
  out: Float64Array,
  offset: number,
): number {
  const sale = -Math.expm1(-lambda * exposure);
  const factor = sizeFactor(lambda, exposure);
  let i = 0;
  for (let p = 0; p < probabilities.length; p++) {
    const rank = ((probabilities[p] ?? 0) - 1 + sale) / sale;
    if (!(rank > 0) || sizes === 0) {
      out[offset + p] = 0;
      continue;
    }
    while (i < sizes && (sizeWeights[i] ?? 1) < rank) i++;
    const high = sizeValues[Math.min(i, sizes - 1)] ?? 0;
    const low = sizeValues[Math.max(i - 1, 0)] ?? 0;
    const from = sizeWeights[i - 1] ?? 0;
    const to = sizeWeights[i] ?? 1;
    const share = i === 0 || i === sizes || to <= from ? 1 : (rank - from) / (to - from);
    out[offset + p] = (low + (high - low) * share) * factor;
  }
  return typical * sale * factor;
}

/** Mean of the sorted sizes by their weights. */
function meanSize(sizes: number): number {
  let mean = 0;
  let below = 0;
  for (let s = 0; s < sizes; s++) {
    const upper = s + 1 < sizes ? ((sizeWeights[s] ?? 0) + (sizeWeights[s + 1] ?? 0)) / 2 : 1;
    mean += (sizeValues[s] ?? 0) * (upper - below);
    below = upper;
  }
  return mean;
}
