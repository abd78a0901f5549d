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
  onSale,
  partOf,
  QUICK,
  surpriseOf,
  TREND,
  TREND_DAMPING,
  type Bank,
} from './expert-bank.js';
import { WIDE_SPREAD } from './own-season.js';
import * as counts from './negative-binomial.js';
import { workspaceOf, type Workspace } from './quantile-workspace.js';
import * as sizes from './sale-sizes.js';
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

/** Which rate and which memory of sizes each hurdle expert uses, in the order of `EXPERTS`. */
const HURDLES = [
  { rate: 0, memory: sizes.SHORT },
  { rate: 1, memory: sizes.BRISK },
  { rate: 1, memory: sizes.LONG },
  { rate: 2, memory: sizes.LONG },
  { rate: 3, memory: sizes.LONGEST },
] as const;

/** The experts that are asked, where nothing else is said. */
export const ALL: readonly number[] = EXPERTS.map((_, k) => k);

const LEVELS = EXPERTS.length - HURDLES.length;

/** Whether an expert is a level (its mean is one of demand), not a hurdle. */
export function isLevel(expert: number): boolean {
  return expert >= HURDLES.length;
}

/** What is asked of experts. */
export interface Question {
  /** One at least. */
  readonly periods: readonly { readonly exposure: number; readonly phase: number; readonly ahead: number }[];
  /** Ascending. */
  readonly probabilities: Float64Array;
  /** Of the others no quantiles are made. */
  readonly asked: readonly number[];
}

/**
 * Valid until the next question is asked: quantiles are period × expert × probability, means period × expert, of a hurdle that is not asked zero. Units.
 * They can be mixed where they stand.
 */
export type Answers = Pick<Workspace, 'quantiles' | 'means' | 'weights' | 'mixture' | 'mix'>;

const isAsked = new Uint8Array(EXPERTS.length);

// Scratch by level: asking is synchronous and never re-enters.
const levelMeans = new Float64Array(LEVELS);
const levelSpreads = new Float64Array(LEVELS);

// The same by period.
let ownSeason = new Float64Array(0);
let wideSeason = new Float64Array(0);
/** The chance of a sale by the rate that gives it most. */
let mostSale = new Float64Array(0);

function makeRoom(periods: number): void {
  if (ownSeason.length >= periods) return;
  ownSeason = new Float64Array(periods);
  wideSeason = new Float64Array(periods);
  mostSale = new Float64Array(periods);
}

const DAMPING = Float64Array.from({ length: 64 }, (_, ahead) => TREND_DAMPING ** ahead);

/** What is left of a trend: a power a SKU and period is dear. */
const dampingOver = (ahead: number): number => (ahead < DAMPING.length ? DAMPING[ahead]! : TREND_DAMPING ** ahead);

/** Every expert's quantiles and mean of a SKU's demand in these periods. Never changes the bank. */
export function ask(bank: Bank, sku: number, question: Question): Answers {
  const { periods, probabilities, asked } = question;
  const n = probabilities.length;
  const count = periods.length;
  const workspace = workspaceOf(probabilities, count, EXPERTS.length, LEVELS);
  const { quantiles, means } = workspace;
  isAsked.fill(0);
  for (const k of asked) isAsked[k] = 1;
  makeRoom(count);
  profiles(bank, sku, periods, ownSeason);
  askHurdles(bank, sku, question, workspace);
  askLevels(bank, sku, question, workspace);
  if (silence.offShare(surpriseOf(bank, sku)) < silence.HARDLY) return workspace;
  for (let t = 0; t < count; t++) {
    const on = onSale(bank, sku, periods[t]!.ahead);
    for (let k = 0; k < EXPERTS.length; k++) means[t * EXPERTS.length + k]! *= on;
    silence.thin(quantiles, t * EXPERTS.length * n, probabilities, on, asked);
  }
  return workspace;
}

function askHurdles(bank: Bank, sku: number, { periods, probabilities: { length: n } }: Question, workspace: Workspace): void {
  const { exposures, chances, factors, mean, means, quantiles } = workspace;
  const count = periods.length;
  for (let t = 0; t < count; t++) exposures[t] = periods[t]!.exposure * ownSeason[t]!;
  const known = sizes.weighSizes(bank, sku * bank.width, workspace);
  let rate = -1;
  for (let k = 0; k < HURDLES.length; k++) {
    if (isAsked[k] === 0) {
      for (let t = 0; t < count; t++) means[t * EXPERTS.length + k] = 0;
      continue;
    }
    const expert = HURDLES[k]!;
    // Experts that differ in their sizes alone agree on the chance of a sale.
    if (rate !== expert.rate) {
      rate = expert.rate;
      const lambda = hazard(bank, sku, rate);
      workspace.chance(lambda, chanceOf(lambda, 1), count);
    }
    if (known > 0) workspace.hurdles(expert.memory, k, count);
    const typical = known > 0 ? mean[expert.memory]! : 0;
    for (let t = 0; t < count; t++) {
      means[t * EXPERTS.length + k] = typical * chances[t]! * factors[t]!;
      if (known > 0) continue;
      for (let p = 0; p < n; p++) quantiles[(t * EXPERTS.length + k) * n + p] = 0;
    }
  }
}

/** The part by which a level's dispersion grows a period ahead: one that follows every period has to admit how far it will have been led astray. */
const SPREADING = [QUICK_RATE ** 2, FREQUENCY_RATES[0] ** 2, 0, 0, 0, 0] as const;

const spreadAt = (j: number, ahead: number): number => levelSpreads[j]! * (1 + SPREADING[j]! * (ahead - 1));

/** Of every period, of those levels that are asked; and the means of all. */
function askLevels(bank: Bank, sku: number, question: Question, workspace: Workspace): void {
  const { periods, probabilities } = question;
  const { quantiles, means, walkMeans, walkDispersions, walkUnits, walkOuts, firstAddress } = workspace;
  const { length: n } = probabilities;
  const last = probabilities[n - 1]!;
  const at = sku * bank.width;
  levelSpreads.fill(ratio(bank.rows, at + EXCESS));
  levelSpreads[0] = ratio(bank.rows, at + QUICK_EXCESS);
  levelSpreads[1] = ratio(bank.rows, at + FAST_EXCESS);
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
  let walked = 0;
  let isPlain = true;
  for (let t = 0; t < periods.length; t++) {
    const { exposure, ahead } = periods[t]!;
    const shrunk = ownSeason[t]!;
    const drift = (slope * TREND_DAMPING * (1 - dampingOver(ahead))) / (1 - TREND_DAMPING);
    levelMeans[0] = quick * shrunk;
    levelMeans[1] = fast * shrunk;
    levelMeans[2] = brisk * shrunk;
    levelMeans[3] = slow * shrunk;
    levelMeans[4] = Math.min(Math.max(0, holt + drift), 3 * holt) * shrunk;
    levelMeans[5] = slow * (asksSeason ? wideSeason[t]! : shrunk);
    for (let j = 0; j < LEVELS; j++) {
      const to = t * EXPERTS.length + HURDLES.length + j;
      const mean = levelMeans[j]! * exposure;
      means[to] = mean;
      if (isAsked[HURDLES.length + j] === 0) continue;
      if (counts.isZero(mean, last)) {
        for (let p = 0; p < n; p++) quantiles[to * n + p] = 0;
        continue;
      }
      const spread = spreadAt(j, ahead);
      isPlain &&= mean <= counts.WALKED_MEAN && !counts.isSteady(mean, spread);
      walkMeans[walked] = counts.walkedMean(mean);
      walkDispersions[walked] = counts.walkedDispersion(mean, spread);
      walkUnits[walked] = counts.unitOf(mean);
      walkOuts[2 * walked++] = firstAddress + 8 * n * to;
    }
  }
  if (walked > 0) workspace.walk(walked);
  if (!isPlain) settleLevels(bank, sku, question, workspace);
}

/** What a walk does not do: levels that are large or sold at a steady rate. */
function settleLevels(bank: Bank, sku: number, { periods, probabilities }: Question, { quantiles, means }: Workspace): void {
  const { length: n } = probabilities;
  mostSales(bank, sku, periods);
  for (let t = 0; t < periods.length; t++) {
    for (let j = 0; j < LEVELS; j++) {
      if (isAsked[HURDLES.length + j] === 0) continue;
      const to = t * EXPERTS.length + HURDLES.length + j;
      const mean = means[to]!;
      counts.settle(mean, spreadAt(j, periods[t]!.ahead), probabilities, quantiles, to * n);
      if (!(mean > counts.WALKED_MEAN)) continue;
      // Of so large a mean it leaves no room for days without a sale: one sale of a million units would have every quiet day sell.
      for (let p = 0; p < n && probabilities[p]! <= 1 - mostSale[t]!; p++) quantiles[to * n + p] = 0;
    }
  }
}

/** Whichever hurdles are asked: what they know of quiet days is known without them. */
function mostSales(bank: Bank, sku: number, periods: Question['periods']): void {
  mostSale.fill(0);
  for (let rate = 0; rate < FREQUENCY_RATES.length; rate++) {
    const lambda = hazard(bank, sku, rate);
    for (let t = 0; t < periods.length; t++) mostSale[t] = Math.max(mostSale[t]!, chanceOf(lambda, periods[t]!.exposure * ownSeason[t]!));
  }
}
