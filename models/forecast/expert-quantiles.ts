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
  OLDER,
  OLDER_SIZES,
  OLDER_STRIDE,
  profiles,
  QUICK_EXCESS,
  QUICK_LEVEL,
  QUICK_RATE,
  ratio,
  RECENT_SIZES,
  SALES,
  sizeFactorOf,
  onSale,
  partOf,
  QUICK,
  SIZES,
  surpriseOf,
  TREND,
  TREND_DAMPING,
  type Bank,
} from './expert-bank.js';
import { WIDE_SPREAD } from './own-season.js';
import { negativeBinomialQuantiles, WALKED_MEAN } from './negative-binomial.js';
import * as silence from './silence.js';

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

/** The experts that are asked, where nothing else is said. */
export const ALL: readonly number[] = EXPERTS.map((_, k) => k);

const LEVELS = EXPERTS.length - HURDLES.length;

/** Whether an expert is a level (its mean is one of demand), not a hurdle. */
export function isLevel(expert: number): boolean {
  return expert >= HURDLES.length;
}

/** decay^age by hurdle expert and age. */
const SIZE_WEIGHTS = HURDLES.map(({ sizeDecay }) =>
  Float64Array.from({ length: MAX_SIZES }, (_, i) =>
    i < RECENT_SIZES ? sizeDecay ** i : OLDER_STRIDE * sizeDecay ** (RECENT_SIZES + OLDER_STRIDE * (i - RECENT_SIZES + 0.5)),
  ),
);

// Scratch for one SKU's sizes: predict is synchronous and never re-enters. A knot before the first size and one after the last answer as these do.
const sizeAges = new Uint8Array(MAX_SIZES + 1);
const knotUnits = new Float64Array(MAX_SIZES + 2);
/** Ascending, in shares of the weight; and what a share more is worth between the knot before and this one. */
const knotAt = new Float64Array(MAX_SIZES + 2);
const knotSlope = new Float64Array(MAX_SIZES + 2);

const isAsked = new Uint8Array(EXPERTS.length);

// The same by level.
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

/** The SKU's sizes in ascending order from knot 1 on, with their ages as places in `SIZE_WEIGHTS`; returns how many. */
function sortSizes(bank: Bank, at: number): number {
  const { rows } = bank;
  const sales = rows[at + SALES]!;
  const recent = Math.min(sales, RECENT_SIZES);
  for (let age = 0; age < recent; age++) insert(age, rows[at + SIZES + ((sales - 1 - age) % RECENT_SIZES)]!, age);
  const moved = Math.max(0, Math.ceil((sales - RECENT_SIZES) / OLDER_STRIDE));
  const older = Math.min(moved, OLDER_SIZES);
  const newest = Math.floor((sales - 1) / OLDER_STRIDE);
  for (let j = 0; j < older; j++) insert(recent + j, rows[at + OLDER + ((newest - j) % OLDER_SIZES)]!, RECENT_SIZES + j);
  const count = recent + older;
  knotUnits[0] = count > 0 ? knotUnits[1]! : 0;
  knotUnits[count + 1] = knotUnits[count]!;
  return count;
}

function insert(count: number, units: number, age: number): void {
  let i = count;
  while (i > 0 && knotUnits[i]! > units) {
    knotUnits[i + 1] = knotUnits[i]!;
    sizeAges[i + 1] = sizeAges[i]!;
    i--;
  }
  knotUnits[i + 1] = units;
  sizeAges[i + 1] = age;
}

/** Weighs the sorted sizes as an expert does: knots at the mid-points of their cumulated weights. Returns the mean size. */
function weighSizes(expert: number, count: number): number {
  const weights = SIZE_WEIGHTS[expert]!;
  let total = 0;
  for (let i = 1; i <= count; i++) total += weights[sizeAges[i]!]!;
  let [sum, mean, before, units] = [0, 0, 0, knotUnits[0]!];
  for (let i = 1; i <= count; i++) {
    const weight = weights[sizeAges[i]!]!;
    const at = (sum + weight / 2) / total;
    const more = knotUnits[i]!;
    knotAt[i] = at;
    knotSlope[i] = (more - units) / (at - before);
    sum += weight;
    mean += more * weight;
    before = at;
    units = more;
  }
  knotAt[count + 1] = Infinity;
  knotSlope[count + 1] = 0;
  return count > 0 ? mean / total : 0;
}

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
  for (let k = 0; k < HURDLES.length; k++) {
    const expert = HURDLES[k]!;
    if (isAsked[k] === 0) continue;
    const typical = weighSizes(k, sizes);
    // Two experts that differ in their sizes alone agree on the chance of a sale.
    if (rate !== expert.rate) chancesOf(bank, sku, (rate = expert.rate), periods);
    for (let t = 0; t < count; t++) {
      const sale = sales[t]!;
      const factor = factors[t]!;
      hurdleQuantiles(sale, factor, probabilities, out, from + t * stride + k * n);
      means[t * EXPERTS.length + k] = typical * sale * factor;
    }
  }
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
  if (silence.offShare(surpriseOf(bank, sku)) < silence.HARDLY) return;
  for (let t = 0; t < count; t++) {
    const on = onSale(bank, sku, periods[t]!.ahead);
    for (let k = 0; k < EXPERTS.length; k++) {
      means[t * EXPERTS.length + k]! *= on;
      if (isAsked[k] === 1) silence.thin(out, from + t * stride + k * n, probabilities, on);
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

function hurdleQuantiles(sale: number, factor: number, probabilities: Float64Array, out: Float64Array, offset: number): void {
  const quiet = 1 - sale;
  let i = 1;
  for (let p = 0; p < probabilities.length; p++) {
    const above = probabilities[p]! - quiet;
    if (!(above > 0)) {
      out[offset + p] = 0;
      continue;
    }
    const rank = above / sale;
    while (knotAt[i]! < rank) i++;
    out[offset + p] = (knotUnits[i - 1]! + (rank - knotAt[i - 1]!) * knotSlope[i]!) * factor;
  }
}
