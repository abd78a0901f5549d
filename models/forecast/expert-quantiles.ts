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
  chanceOf,
  EXCESS,
  FAST_EXCESS,
  FREQUENCY_RATES,
  hazard,
  HOLT_LEVEL,
  HOLT_SLOPE,
  level,
  profiles,
  QUICK_EXCESS,
  QUICK_LEVEL,
  QUICK_RATE,
  ratio,
  sizeFactorOf,
  onSale,
  partOf,
  QUICK,
  surpriseOf,
  TREND,
  TREND_DAMPING,
  type Bank,
} from './expert-bank.js';
import { WIDE_SPREAD } from './own-season.js';
import { negativeBinomialQuantiles, WALKED_MEAN } from './negative-binomial.js';
import { hurdleQuantiles, sizeWeights, sortSizes, weighSizes } from './sale-sizes.js';
import * as silence from './silence.js';

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

const LONG_SIZES = sizeWeights(0.97);

/** Which rate and which size memory each hurdle expert uses, in the order of `EXPERTS`. */
const HURDLES = [
  { rate: 0, weights: sizeWeights(0.85) },
  { rate: 1, weights: sizeWeights(0.9) },
  { rate: 1, weights: LONG_SIZES },
  { rate: 2, weights: LONG_SIZES },
  { rate: 3, weights: sizeWeights(0.985) },
] as const;

/** The experts that are asked, where nothing else is said. */
export const ALL: readonly number[] = EXPERTS.map((_, k) => k);

const LEVELS = EXPERTS.length - HURDLES.length;

/** Whether an expert is a level (its mean is one of demand), not a hurdle. */
export function isLevel(expert: number): boolean {
  return expert >= HURDLES.length;
}

const isAsked = new Uint8Array(EXPERTS.length);

// Scratch by level: predict is synchronous and never re-enters.
const levelMeans = new Float64Array(LEVELS);
const levelSpreads = new Float64Array(LEVELS);

// The same by period.
let ownSeason = new Float64Array(0);
let wideSeason = new Float64Array(0);
/** The chance of a sale by the rate that gives it most. */
let mostSale = new Float64Array(0);
let sales = new Float64Array(0);
let factors = new Float64Array(0);

function makeRoom(periods: number): void {
  if (ownSeason.length >= periods) return;
  ownSeason = new Float64Array(periods);
  wideSeason = new Float64Array(periods);
  mostSale = new Float64Array(periods);
  sales = new Float64Array(periods);
  factors = new Float64Array(periods);
}

const QUICK_SPREAD = QUICK_RATE ** 2;
const FAST_SPREAD = FREQUENCY_RATES[0] ** 2;
const DAMPING = Float64Array.from({ length: 64 }, (_, ahead) => TREND_DAMPING ** ahead);

/** What is left of a trend: a power a SKU and period is dear. */
const dampingOver = (ahead: number): number => (ahead < DAMPING.length ? DAMPING[ahead]! : TREND_DAMPING ** ahead);

/**
 * Every expert's quantiles and mean for one period of exposure `exposure`, `ahead` periods from now.
 * `out` takes EXPERTS × probabilities of each period, the first `from` on and each next one `stride` further; `means` one mean a period
 * and expert. Of an expert that is not `asked` nothing is written to `out`. Never changes the bank.
 */
export function predict(
  bank: Bank,
  sku: number,
  periods: readonly { exposure: number; phase: number; ahead: number }[],
  probabilities: Float64Array,
  out: Float64Array,
  means: Float64Array,
  asked = ALL,
  from = 0,
  stride = EXPERTS.length * probabilities.length,
): void {
  const at = sku * bank.width;
  const n = probabilities.length;
  const count = periods.length;
  isAsked.fill(0);
  for (const k of asked) isAsked[k] = 1;
  const sizes = sortSizes(bank, at);
  makeRoom(count);
  profiles(bank, sku, periods, ownSeason);
  let rate = -1;
  let weights: Float64Array | undefined;
  let typical = 0;
  for (let k = 0; k < HURDLES.length; k++) {
    const expert = HURDLES[k]!;
    if (isAsked[k] === 0) continue;
    // Experts that differ in their rates alone weigh sizes alike, and those that differ in their sizes alone agree on the chance of a sale.
    if (weights !== expert.weights) typical = weighSizes((weights = expert.weights), sizes);
    if (rate !== expert.rate) chancesOf(bank, sku, (rate = expert.rate), periods);
    hurdleQuantiles(count, sales, factors, probabilities, out, from + k * n, stride);
    for (let t = 0; t < count; t++) means[t * EXPERTS.length + k] = typical * sales[t]! * factors[t]!;
  }
  levelQuantiles(bank, sku, periods, probabilities, out, means, from, stride);
  if (silence.offShare(surpriseOf(bank, sku)) < silence.HARDLY) return;
  for (let t = 0; t < count; t++) {
    const on = onSale(bank, sku, periods[t]!.ahead);
    for (let k = 0; k < EXPERTS.length; k++) means[t * EXPERTS.length + k]! *= on;
    silence.thin(out, from + t * stride, probabilities, on, asked);
  }
}

/** Of every period, of those levels that are asked; and the means of all. */
function levelQuantiles(
  bank: Bank,
  sku: number,
  periods: readonly { exposure: number; phase: number; ahead: number }[],
  probabilities: Float64Array,
  out: Float64Array,
  means: Float64Array,
  from: number,
  stride: number,
): void {
  const at = sku * bank.width;
  const n = probabilities.length;
  const count = periods.length;
  const dispersion = ratio(bank.rows, at + EXCESS);
  levelSpreads.fill(dispersion);
  const fastDispersion = ratio(bank.rows, at + FAST_EXCESS);
  const quickDispersion = ratio(bank.rows, at + QUICK_EXCESS);
  const quick = partOf(bank, sku, QUICK) * bank.rows[at + QUICK_LEVEL]!;
  const fast = level(bank, sku, 0);
  const brisk = level(bank, sku, 1);
  const slow = level(bank, sku, 2);
  const ofTrend = partOf(bank, sku, TREND);
  const holt = ofTrend * bank.rows[at + HOLT_LEVEL]!;
  const slope = ofTrend * bank.rows[at + HOLT_SLOPE]!;
  // The last expert of the levels, which few classes ask.
  const asksSeason = isAsked[EXPERTS.length - 1] === 1;
  if (asksSeason) profiles(bank, sku, periods, wideSeason, WIDE_SPREAD);
  let isLarge = false;
  for (let t = 0; t < count; t++) {
    const { exposure, ahead } = periods[t]!;
    const shrunk = ownSeason[t]!;
    const drift = (slope * TREND_DAMPING * (1 - dampingOver(ahead))) / (1 - TREND_DAMPING);
    levelMeans[0] = quick * shrunk;
    levelMeans[1] = fast * shrunk;
    levelMeans[2] = brisk * shrunk;
    levelMeans[3] = slow * shrunk;
    levelMeans[4] = Math.min(Math.max(0, holt + drift), 3 * holt) * shrunk;
    levelMeans[5] = slow * (asksSeason ? wideSeason[t]! : shrunk);
    // A level that follows every period has to admit how far it will have been led astray.
    levelSpreads[0] = quickDispersion * (1 + QUICK_SPREAD * (ahead - 1));
    levelSpreads[1] = fastDispersion * (1 + FAST_SPREAD * (ahead - 1));
    for (let j = 0; j < LEVELS; j++) {
      const k = HURDLES.length + j;
      const mean = levelMeans[j]! * exposure;
      means[t * EXPERTS.length + k] = mean;
      if (isAsked[k] === 0) continue;
      negativeBinomialQuantiles(mean, levelSpreads[j]!, probabilities, out, from + t * stride + k * n);
      if (!(mean > WALKED_MEAN)) continue;
      if (!isLarge) mostSales(bank, sku, periods);
      isLarge = true;
      // Of so large a mean it leaves no room for days without a sale: one sale of a million units would have every quiet day sell.
      for (let p = 0; p < n && probabilities[p]! <= 1 - mostSale[t]!; p++) out[from + t * stride + k * n + p] = 0;
    }
  }
}

/** Chance of a sale in each period by one rate, and the part of its exposure that shows in sizes. */
function chancesOf(bank: Bank, sku: number, rate: number, periods: readonly { exposure: number }[]): void {
  const lambda = hazard(bank, sku, rate);
  const ordinary = chanceOf(lambda, 1);
  for (let t = 0; t < periods.length; t++) {
    const exposure = periods[t]!.exposure * ownSeason[t]!;
    const sale = chanceOf(lambda, exposure);
    sales[t] = sale;
    factors[t] = sizeFactorOf(exposure, ordinary, sale);
  }
}

/** Whichever hurdles are asked: what they know of quiet days is known without them. */
function mostSales(bank: Bank, sku: number, periods: readonly { exposure: number }[]): void {
  mostSale.fill(0);
  for (let rate = 0; rate < FREQUENCY_RATES.length; rate++) {
    const lambda = hazard(bank, sku, rate);
    for (let t = 0; t < periods.length; t++) mostSale[t] = Math.max(mostSale[t]!, chanceOf(lambda, periods[t]!.exposure * ownSeason[t]!));
  }
}
