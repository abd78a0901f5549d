/**
 * One SKU's forecast from its row of the bank and from what its demand class has taught: mixture, mean and 80 % interval.
 *
 *   q̂_p(t + h) = Σ_k w[class, p, k] q_k,p(exposure(t + h)),   mean = Σ_k m_k μ_k over the levels, at least Σ_p q̂_p (p′ − p)
 *
 * A class is (share of periods with a sale) × (falling, steady, rising). Days of the same phase are asked once and scaled by their
 * exposure, unless it differs by more than a quarter. An untrained row answers zero. Quantiles are units a period.
 */
import * as bank from './expert-bank.js';
import { ask, EXPERTS, isLevel } from './expert-quantiles.js';
import * as conformal from './conformal.js';
import * as mixing from './mixing.js';
import * as silence from './silence.js';
import { SHARED, type Shared } from './totals.js';

export const CLASS_NAMES = ['rare', 'slow', 'frequent', 'daily'] as const;
const FREQUENCY_EDGES = [0.1, 0.3, 0.7] as const;
const MOMENTUM_EDGE = 0.3;
const MOMENTA = 3;
export const GROUPS = CLASS_NAMES.length * MOMENTA;
/** A SKU younger than this many days says nothing about the shop, and is in no panel. */
export const GROWN_UP = 14;
/** The same in longer periods: eight weeks, four months. One says more than a day, and a shop that has been known for a year must know all of it. */
export const grownUpAt = (daysAPeriod: number): number => (daysAPeriod < 7 ? GROWN_UP : daysAPeriod < 28 ? 8 : 4);
/** Weights of the experts before anything is known; the fast and the trending ones have to earn theirs. */
const PRIOR = [2, 5, 1, 0.5, 0.3, 0.1, 0.1, 0.3, 0.2, 0.1, 0.1] as const;
/** Of daily sellers, falling, steady and rising: what UCI Online Retail and M5 had taught by August 2011 and March 2016. A shop of a few such SKUs learns slowly. */
const DAILY_PRIORS = [
  [1.4, 5.5, 0.7, 0.3, 0.2, 0.1, 0.1, 0.9, 0.2, 0.1, 0.1],
  [0.3, 1.5, 1.3, 1.5, 0.9, 0.4, 0.6, 2.5, 1, 0.1, 0.1],
  [0.6, 4.7, 2, 0.4, 0.3, 0.3, 0.8, 0.4, 0.3, 0.1, 0.1],
] as const;
const PRIORS = Array.from({ length: GROUPS }, (_, group) => DAILY_PRIORS[group - (GROUPS - MOMENTA)] ?? PRIOR);
/**
 * The mean is mixed from the levels, by these shares and by what the quantiles have taught about them: squared losses of bulk
 * orders would teach weights nothing but noise.
 */
const MEAN_PRIOR = [0, 0, 0, 0, 0, 0, 0, 0.1, 0.1, 0, 0] as const;
const COVERAGE = 0.8;
/** Experts with a smaller share than this in every quantile of a group are not asked. */
const LEAST_SHARE = 0.004;
/**
 * Exposures further apart than this by their ratio are asked separately: frequency does not scale like sizes, and the median of what sells two
 * is two on a day that is worth 7 % more. On 32 four-weekly cut-offs of M5 before its test 1.25 cost 0.26 % of SQL; beside 1.02 this costs 0.03 %, and a
 * shop that grows a little is asked for 7 days in place of 14.
 */
const ALIKE = 1.05;

/** What the classes have taught. */
export interface Mixture {
  readonly probabilities: Float64Array;
  readonly mixer: mixing.Mixer;
  readonly tails: conformal.Tails;
  /** How far errors of SKUs go together on a day: the correlation by which their totals are forecast (totals.ts). */
  shared: Shared;
}

export interface Period {
  readonly exposure: number;
  readonly phase: number;
  /** Periods from the last one learned: 1 is the next. */
  readonly ahead: number;
}

export interface SkuForecast {
  /** Period × probability. */
  quantiles: Float64Array;
  means: Float64Array;
  /** The conformal 80 % interval of each period. */
  low: Float64Array;
  high: Float64Array;
}

export function untrainedMixture(probabilities: readonly number[]): Mixture {
  return {
    probabilities: Float64Array.from(probabilities),
    mixer: mixing.init(probabilities.length, PRIORS),
    tails: conformal.init(GROUPS, COVERAGE),
    shared: SHARED,
  };
}

export function blankForecast(periods: number, probabilities: number): SkuForecast {
  return {
    quantiles: new Float64Array(periods * probabilities),
    means: new Float64Array(periods),
    low: new Float64Array(periods),
    high: new Float64Array(periods),
  };
}

/** Demand class by how often the SKU sells: an index into `CLASS_NAMES`. */
export function classOf(rows: bank.Bank, sku: number): number {
  const share = bank.frequency(rows, sku, 1);
  let c = 0;
  while (c < FREQUENCY_EDGES.length && share >= (FREQUENCY_EDGES[c] ?? 1)) c++;
  return c;
}

/** Class and direction: what the weights are kept by. */
export function groupOf(rows: bank.Bank, sku: number): number {
  const momentum = momentumOf(rows, sku);
  const direction = momentum < -MOMENTUM_EDGE ? 0 : momentum > MOMENTUM_EDGE ? 2 : 1;
  return classOf(rows, sku) * MOMENTA + direction;
}

export const classOfGroup = (group: number): number => Math.floor(group / MOMENTA);

/** How much more a SKU sells now than usual, as a logarithm: the mean of that of how often and of how much. */
export function momentumOf(rows: bank.Bank, sku: number): number {
  const now = bank.level(rows, sku, 1);
  const usual = bank.level(rows, sku, 3);
  const often = Math.log((bank.frequency(rows, sku, 1) + 0.01) / (bank.frequency(rows, sku, 3) + 0.01));
  const much = usual > 0 ? Math.log((now + 0.1 * usual) / (1.1 * usual)) : 0;
  return (often + much) / 2;
}

/** Weight of each expert in a group, mean over the probabilities. */
export function expertShares({ mixer }: Mixture, group: number): number[] {
  const { experts, probabilities, weights } = mixer;
  const shares: number[] = [];
  for (let k = 0; k < experts; k++) {
    let sum = 0;
    for (let p = 0; p < probabilities; p++) sum += weights[(group * probabilities + p) * experts + k]!;
    shares.push(sum / probabilities);
  }
  return shares;
}

function neededExperts({ mixer }: Mixture, group: number): number[] {
  const { experts, probabilities, weights } = mixer;
  const needed: number[] = [];
  for (let k = 0; k < experts; k++) {
    let most = 0;
    for (let p = 0; p < probabilities; p++) most = Math.max(most, weights[(group * probabilities + p) * experts + k]!);
    if (most >= LEAST_SHARE) needed.push(k);
  }
  return needed;
}

/** Shares of the experts' means in a group's mean. */
export function meanShares(mixture: Mixture, group: number): number[] {
  const shares = expertShares(mixture, group);
  let total = 0;
  for (let k = 0; k < shares.length; k++) {
    shares[k] = isLevel(k) ? MEAN_PRIOR[k]! + shares[k]! : 0;
    total += shares[k]!;
  }
  for (let k = 0; k < shares.length; k++) shares[k]! /= total;
  return shares;
}

/** The mean of a period from what the experts say of it, in `means` from `from` on. */
export function mixedMean(shares: readonly number[], means: Float64Array, from: number): number {
  let mean = 0;
  for (let k = 0; k < shares.length; k++) mean += shares[k]! * means[from + k]!;
  return mean;
}

/** Of the periods asked last: every SKU of a shop is asked the same ones. */
let remembered: { periods: readonly Period[]; asked: Period[]; like: number[] } | undefined;

/** For each period the earlier one that it can be scaled from, or itself. */
function likenesses(periods: readonly Period[]): { asked: Period[]; like: number[] } {
  if (remembered?.periods === periods) return remembered;
  const asked: Period[] = [];
  const like = periods.map((period) => {
    const known = asked.findIndex(({ phase, exposure }) => {
      if (phase !== period.phase) return false;
      const ratio = period.exposure / exposure;
      return period.exposure === exposure || (ratio < ALIKE && ratio > 1 / ALIKE);
    });
    return known >= 0 ? known : asked.push(period) - 1;
  });
  remembered = { periods, asked, like };
  return remembered;
}

/** How many of these periods are asked of every expert: the others are scaled from one of those. */
export const unlike = (periods: readonly Period[]): number => likenesses(periods).asked.length;

/** Rows are 32-bit floats: an interval from 3.0000001 on would miss a SKU that sells 3. */
const clean = (units: number): number => (units < 1e9 ? Math.round(units * 1e4) / 1e4 : units);

// Predicting is synchronous and never re-enters.
/** Mean and interval of the periods that are asked. */
let ofAsked = blankForecast(0, 0);

/** No count with these quantiles has a smaller mean: levels, which the mean is mixed from, may know less of a weekday than they do. */
function leastMean(probabilities: Float64Array, quantiles: Float64Array, from: number): number {
  let least = 0;
  const last = probabilities.length - 1;
  for (let p = 0; p < last; p++) least += quantiles[from + p]! * (probabilities[p + 1]! - probabilities[p]!);
  return least + quantiles[from + last]! * (1 - probabilities[last]!);
}

/**
 * The forecast of some periods. Never changes anything but `out`.
 * @param isWhole whether it sells whole units only: then quantiles and interval are whole, too, as those of counts are
 */
export function predictSku(mixture: Mixture, rows: bank.Bank, sku: number, periods: readonly Period[], out: SkuForecast, isWhole: boolean): void {
  const { probabilities, mixer, tails } = mixture;
  const n = probabilities.length;
  // What is silent comes back with the days: none of them is like another.
  const isSilent = silence.offShare(bank.surpriseOf(rows, sku)) >= silence.HARDLY;
  const { asked, like } = isSilent ? { asked: periods, like: periods.map((_, t) => t) } : likenesses(periods);
  if (ofAsked.means.length < asked.length) ofAsked = blankForecast(asked.length, 0);
  const of = ofAsked;
  const group = groupOf(rows, sku);
  const needed = neededExperts(mixture, group);
  const said = ask(rows, sku, { periods: asked, probabilities, asked: needed });
  mixing.weightsOf(mixer, group, needed, said.weights);
  said.mix(needed, asked.length);
  const { low, high } = conformal.ends(tails, group, probabilities);
  const shares = meanShares(mixture, group);
  for (let a = 0; a < asked.length; a++) {
    of.means[a] = Math.max(mixedMean(shares, said.means, a * EXPERTS.length), leastMean(probabilities, said.mixture, a * n));
    of.low[a] = conformal.unitsAt(low, said.mixture, a * n);
    of.high[a] = conformal.unitsAt(high, said.mixture, a * n);
  }
  for (let t = 0; t < periods.length; t++) {
    const { exposure } = periods[t]!;
    const from = like[t]!;
    const base = asked[from]!.exposure;
    // Quantiles, mean and interval are all proportional to the exposure of periods that are alike.
    const scale = base > 0 ? exposure / base : 0;
    for (let p = 0; p < n; p++) out.quantiles[t * n + p] = said.mixture[from * n + p]! * scale;
    out.means[t] = of.means[from]! * scale;
    out.low[t] = clean(of.low[from]! * scale);
    out.high[t] = clean(of.high[from]! * scale);
  }
  if (isWhole) makeWhole(out, periods.length, probabilities);
}

/**
 * A quantile between two counts, which mixing leaves, is the nearer one: the loss of a count is linear between two, so one of them is as good, and the nearer
 * one has more of the mixture on its side. The interval keeps the counts that it holds, and its
 * median: where most experts say 0 and others 10, the lower end is mixed to 0.1, and 0, which is likelier than all else, would lie outside.
 */
function makeWhole({ quantiles, means, low, high }: SkuForecast, periods: number, probabilities: Float64Array): void {
  const n = probabilities.length;
  for (let i = 0; i < periods * n; i++) quantiles[i] = Math.round(quantiles[i]!);
  for (let t = 0; t < periods; t++) {
    means[t] = Math.max(means[t]!, leastMean(probabilities, quantiles, t * n));
    const from = Math.ceil(low[t]!);
    const to = Math.floor(high[t]!);
    const nearest = Math.round((low[t]! + high[t]!) / 2);
    const median = quantiles[t * n + (n >> 1)]!;
    low[t] = Math.min(from <= to ? from : nearest, median);
    high[t] = Math.max(from <= to ? to : nearest, median);
  }
}
