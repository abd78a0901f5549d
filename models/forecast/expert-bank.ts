/**
 * A bank of O(1) demand experts: one row of 32-bit floats a SKU, updated in place by one demand a period.
 *
 *   hurdle k   P(y > 0) = 1 − exp(−λ_k e s),  λ_k = −ln(1 − π_k) · open_k / exposure_k;  y | y > 0 ~ the SKU's own recent sizes
 *              smoothed hits: π_k ← (1 − r_k) π_k + r_k [y > 0], at four rates r_k; sizes of the last 16 sales, and of every fourth of 64 before
 *   level k    y ~ negative binomial(μ_k e s, φ),  μ_k = smoothed units / smoothed exposure (e s),  s the SKU's own season (own-season.ts)
 *   quick      the same around a level of rate ½ whose variance grows by ¼ a period ahead, for series that wander
 *   Holt       the same around a damped trend
 *
 * e is the exposure of the period: the calendar index times the global level (no unit, 1 = an ordinary period). Smoothed is e s: by e alone
 * a level of what sells at weekends would be too high on Sundays, and s would count twice what the shop has of it. Dividing by the
 * smoothed exposure, instead of smoothing y/e, keeps a closed day (e ≈ 0) from blowing up a level.
 * A size is kept free of the calendar: e (1 − exp(−λ)) / (1 − exp(−λ e)) is the part of e that frequency does not already explain.
 * Before a SKU's first period some without a sale are imagined, as many as the shop's new SKUs ask for (newcomers.ts): it is heard of because
 * it sold. They are no part of the row, so that what a row learns hangs on its own demand alone.
 * An untrained row answers zero everywhere. Units are units a period.
 *
 * State: 256 bytes a SKU at season 7, and 4 (57 + season) bytes in general. What is silent against all expectation learns nothing (silence.ts).
 * Sources: Teunter, Syntetos and Babai 2011 (separate smoothing of frequency and size); Gardner 2006 (damped trend).
 */
import { asProven, believed, NEARLY_CLOSED, prove, seasonOf, seasonRate, turn, unproven, USUAL_SPREAD, type Proven, type Season } from './own-season.js';
import * as silence from './silence.js';

export const FREQUENCY_RATES = [0.2, 0.07, 0.025, 0.008] as const;
const RATES = FREQUENCY_RATES.length;
export const RECENT_SIZES = 16;
export const OLDER_SIZES = 16;
/** Every fourth sale that leaves the recent ring is kept in the older one, and stands for four. */
export const OLDER_STRIDE = 4;
/** What is sold in a period counts for this many of the SKU's mean sale at most: a slip of the keyboard must not be its demand for months. */
const MOST_SALES = 100;
const DISPERSION_RATE = 0.02;
export const QUICK_RATE = 0.5;
const TREND_LEVEL_RATE = 0.05;
const TREND_RATE = 0.02;
export const TREND_DAMPING = 0.97;
/** Sales in the last of the imagined periods. */
const PRIOR_FREQUENCY = 0.02;

/** Columns of a row; behind the season, whose length a shop chooses, the surprise of its silence. */
const HITS = 0;
const EXPOSURE = HITS + RATES;
const UNITS = EXPOSURE + RATES;
const PERIODS = UNITS + RATES;
export const SALES = PERIODS + 1;
export const EXCESS = SALES + 1;
export const FAST_EXCESS = EXCESS + 2;
export const HOLT_LEVEL = FAST_EXCESS + 2;
export const HOLT_SLOPE = HOLT_LEVEL + 1;
export const QUICK_LEVEL = HOLT_SLOPE + 1;
export const QUICK_EXCESS = QUICK_LEVEL + 1;
const DEVIATION = QUICK_EXCESS + 2;
export const SIZES = DEVIATION + 1;
export const OLDER = SIZES + RECENT_SIZES;
const SEASON = OLDER + OLDER_SIZES;

export interface Bank {
  readonly seasonPeriods: number;
  /** Length of a period: what is silent comes back by days. */
  readonly daysAPeriod: number;
  /** Floats a row. */
  readonly width: number;
  rows: Float32Array;
  /** Weight of the imagined periods by rate, when a SKU is new: N r. None of them is forgotten by then. */
  imagined: readonly number[];
  /** Of a season longer than what levels remember: how much of it came true. */
  readonly proven: Proven | undefined;
}

const UNTOLD_PERIODS = 3;
/** Of the frequencies, of the quick level and of Holt's. */
const ALL_RATES = [...FREQUENCY_RATES, QUICK_RATE, TREND_LEVEL_RATE] as const;
export const QUICK = RATES;
export const TREND = RATES + 1;
const imaginedShares = (periods: number): readonly number[] => ALL_RATES.map((rate) => rate * periods);
/** Chances are learned with one period before the first sale, lest it be certain; levels as they are (`seenLevel`). */
const ONE_IMAGINED = imaginedShares(1);

/** So many periods without a sale are imagined before the first one of every SKU; three where nothing is said. */
export function imagine(bank: Bank, periods: number): void {
  bank.imagined = imaginedShares(periods);
}

export function init(skus: number, seasonPeriods: number, daysAPeriod = 1): Bank {
  const width = SEASON + seasonPeriods + 1;
  return { seasonPeriods, daysAPeriod, width, rows: new Float32Array(skus * width), imagined: imaginedShares(UNTOLD_PERIODS), proven: seasonPeriods * FREQUENCY_RATES[2] > 1 ? unproven(seasonPeriods) : undefined };
}

/** Smoothed units a period at exposure 1, by rate. */
export function level({ rows, width, imagined }: Bank, sku: number, rate: number): number {
  const at = sku * width;
  const exposure = rows[at + EXPOSURE + rate]!;
  const faded = 1 - openShare(rate, rows[at + PERIODS]!);
  return exposure > 0 ? rows[at + UNITS + rate]! / (exposure + faded * imagined[rate]!) : 0;
}

/** The same of the SKU's own periods alone. */
export function seenLevel({ rows, width }: Bank, sku: number, rate: number): number {
  const exposure = rows[sku * width + EXPOSURE + rate]!;
  return exposure > 0 ? rows[sku * width + UNITS + rate]! / exposure : 0;
}

/** Smoothed share of periods with a sale, by rate; the imagined ones fade like the others. */
export function frequency(bank: Bank, sku: number, rate: number, imagined = bank.imagined): number {
  const at = sku * bank.width;
  const open = openShare(rate, bank.rows[at + PERIODS] ?? 0);
  const faded = 1 - open;
  return ((bank.rows[at + HITS + rate] ?? 0) + PRIOR_FREQUENCY * faded * FREQUENCY_RATES[rate]!) / (open + faded * imagined[rate]!);
}

export function periods(bank: Bank, sku: number): number {
  return bank.rows[sku * bank.width + PERIODS] ?? 0;
}

/** Mean absolute error of the slow level, the unit in which losses of different SKUs are compared. */
export function deviation(bank: Bank, sku: number): number {
  return bank.rows[sku * bank.width + DEVIATION] ?? 0;
}

/** Surprise, in nats, of the periods since the last sale (`silence.ts`). */
export const surpriseOf = ({ rows, width }: Bank, sku: number): number => rows[(sku + 1) * width - 1] ?? 0;

/** Chance that the SKU is on sale `ahead` periods from the last one learned. */
export const onSale = (bank: Bank, sku: number, ahead: number): number => silence.onSale(surpriseOf(bank, sku), ahead * bank.daysAPeriod);

/** Excess of a day's variance over Poisson's, of the squared mean, around the slow level: φ of a negative binomial. */
export const dispersion = ({ rows, width }: Bank, sku: number): number => Math.max(0, ratio(rows, sku * width + EXCESS));

/** The same from the two columns of a level's own errors; below zero where they are less than Poisson's. */
export function ratio(rows: Float32Array, excess: number): number {
  const square = rows[excess + 1] ?? 0;
  return square > 0 ? (rows[excess] ?? 0) / square : 0;
}

/** 1 − (1 − r)^n by rate and n, up to where it is 1 to the last bit of a 32-bit float: a power a SKU and period is dear. */
const OPEN_SHARES = ALL_RATES.map((rate) =>
  Float64Array.from({ length: Math.ceil(18 / rate) }, (_, seen) => 1 - (1 - rate) ** seen),
);

function openShare(rate: number, seen: number): number {
  const shares = OPEN_SHARES[rate]!;
  return seen < shares.length ? shares[seen]! : 1;
}

/** What is left of the quick level, and of Holt's, which begin with the first period, once others are imagined before it. */
export function partOf(bank: Bank, sku: number, rate: typeof QUICK | typeof TREND): number {
  const open = openShare(rate, bank.rows[sku * bank.width + PERIODS] ?? 0);
  return open > 0 ? open / (open + (1 - open) * bank.imagined[rate]!) : 1;
}

export function hazard(bank: Bank, sku: number, rate: number, imagined = bank.imagined): number {
  const at = sku * bank.width;
  const open = openShare(rate, bank.rows[at + PERIODS] ?? 0);
  const exposure = bank.rows[at + EXPOSURE + rate] ?? 0;
  if (!(exposure > 0)) return 0;
  const more = (1 - open) * imagined[rate]!;
  return (-Math.log1p(-Math.min(frequency(bank, sku, rate, imagined), 0.999)) * (open + more)) / (exposure + more);
}

/** The part of the exposure that shows in sizes rather than in frequency. */
const sizeFactor = (lambda: number, exposure: number): number => sizeFactorOf(exposure, chanceOf(lambda, 1), chanceOf(lambda, exposure));

/** Chance of a sale in a period. */
export const chanceOf = (lambda: number, exposure: number): number => -Math.expm1(-lambda * exposure);

/** `sizeFactor` from the chance of a sale in an ordinary period, and in this one. */
export function sizeFactorOf(exposure: number, ordinary: number, now: number): number {
  return now > 1e-9 && ordinary > 1e-9 ? (exposure * ordinary) / now : 1;
}

/**
 * One period of one SKU. A period whose demand could not show (closed, or out of stock and below the expectation) is not learned:
 * leave it out.
 */
export function learn(bank: Bank, sku: number, demand: number, exposure: number, phase: number): void {
  const { rows, width, proven } = bank;
  const at = sku * width;
  const units = believedUnits(rows, at, demand);
  const hit = units > 0 ? 1 : 0;
  const before = seenLevel(bank, sku, 2);
  if (proven) turn(proven, phase);
  const season = seasonOfSku(bank, sku);
  const told = believed(season, rows[at + SEASON + phase] ?? 0, USUAL_SPREAD);
  const own = asProven(proven, phase, told);
  const expected = before * exposure * own;
  const fast = seenLevel(bank, sku, 0) * exposure * own;
  const seen = rows[at + PERIODS] ?? 0;

  const heard = at + width - 1;
  rows[heard] = hit === 1 ? 0 : silence.hush(rows[heard] ?? 0, hazard(bank, sku, 2, ONE_IMAGINED) * exposure * own);
  if ((rows[heard] ?? 0) > silence.LIKELY_OFF) return;

  if (seen > 0 && before > 0 && exposure > 0.05) {
    // A bulk order must not become the pattern of its weekday.
    const relative = Math.min(units / (before * exposure), 4);
    const weight = Math.min(1, before * exposure);
    const was = rows[at + SEASON + phase] ?? 0;
    rows[at + SEASON + phase] = was + seasonRate(seen, bank.seasonPeriods, proven !== undefined) * weight * (relative - 1 - was);
    if (proven && season) prove(proven, { told, worth: relative, next: believed(season, rows[at + SEASON + phase]!, USUAL_SPREAD), expected: before * exposure, phi: season.phi });
  }
  // A weekday on which it never sells is closed to it: nothing of its other days shows on it, and its zeros are no lost demand.
  if (hit === 0 && own <= NEARLY_CLOSED) return;

  if (hit === 1) keepSize(bank, at, units / sizeFactor(hazard(bank, sku, 1, ONE_IMAGINED), exposure * own));
  for (let k = 0; k < RATES; k++) {
    const r = FREQUENCY_RATES[k] ?? 0;
    rows[at + HITS + k] = (rows[at + HITS + k] ?? 0) * (1 - r) + r * hit;
    rows[at + EXPOSURE + k] = (rows[at + EXPOSURE + k] ?? 0) * (1 - r) + r * exposure * own;
    rows[at + UNITS + k] = (rows[at + UNITS + k] ?? 0) * (1 - r) + r * units;
  }
  rows[at + PERIODS] = seen + 1;

  // Before the first expectation there is no error to speak of; its square would pass for dispersion for a year.
  if (expected > 0) {
    learnDispersion(rows, at + EXCESS, units, expected);
    learnDispersion(rows, at + FAST_EXCESS, units, fast);
    learnDispersion(rows, at + QUICK_EXCESS, units, (rows[at + QUICK_LEVEL] ?? 0) * exposure * own);
  }
  const slow = Math.max(0.01, 1 / (seen + 1));
  rows[at + DEVIATION] = (rows[at + DEVIATION] ?? 0) * (1 - slow) + slow * Math.abs(units - expected);
  if (exposure > 0.05) {
    const was = rows[at + QUICK_LEVEL] ?? 0;
    const rate = seen === 0 ? 1 : QUICK_RATE * Math.min(1, exposure);
    rows[at + QUICK_LEVEL] = was + rate * (units / (exposure * own) - was);
    learnTrend(rows, at, units / (exposure * own), Math.min(1, exposure), seen);
  }
}

/** Units that a period counts for. Before the first sale nothing is known of sizes. */
function believedUnits(rows: Float32Array, at: number, demand: number): number {
  if (!(demand > 0)) return 0;
  const slowest = RATES - 1;
  const hits = rows[at + HITS + slowest] ?? 0;
  return hits > 0 ? Math.min(demand, (MOST_SALES * (rows[at + UNITS + slowest] ?? 0)) / hits) : demand;
}

/**
 * A period on which the shop is closed says nothing of the SKU, and what the phase had taught fades: days that were empty before anyone knew
 * that the shop closes on them would raise all others for ever.
 */
export function learnClosed({ rows, width, seasonPeriods, proven }: Bank, sku: number, phase: number): void {
  const at = sku * width;
  rows[at + SEASON + phase]! *= 1 - seasonRate(rows[at + PERIODS] ?? 0, seasonPeriods, proven !== undefined);
}

/** Moments of y around its expectation; two columns, the excess over Poisson and the squared expectation. */
function learnDispersion(rows: Float32Array, at: number, units: number, expected: number): void {
  const error = units - expected;
  rows[at] = (rows[at] ?? 0) * (1 - DISPERSION_RATE) + DISPERSION_RATE * (error * error - expected);
  rows[at + 1] = (rows[at + 1] ?? 0) * (1 - DISPERSION_RATE) + DISPERSION_RATE * expected * expected;
}

function learnTrend(rows: Float32Array, at: number, value: number, weight: number, seen: number): void {
  const was = rows[at + HOLT_LEVEL] ?? 0;
  const slope = rows[at + HOLT_SLOPE] ?? 0;
  const rate = weight * Math.max(TREND_LEVEL_RATE, 1 / (seen + 1));
  const ahead = was + TREND_DAMPING * slope;
  const now = ahead + rate * (value - ahead);
  rows[at + HOLT_LEVEL] = Math.max(0, now);
  rows[at + HOLT_SLOPE] = TREND_DAMPING * slope + (seen < 20 ? 0 : TREND_RATE * rate * (value - ahead));
}

function keepSize(bank: Bank, at: number, size: number): void {
  const { rows } = bank;
  // As an integer: remainders of other numbers are dear.
  const sales = rows[at + SALES]! | 0;
  const slot = at + SIZES + (sales % RECENT_SIZES);
  if (sales >= RECENT_SIZES && sales % OLDER_STRIDE === 0) {
    rows[at + OLDER + (Math.floor(sales / OLDER_STRIDE) % OLDER_SIZES)] = rows[slot] ?? 0;
  }
  rows[slot] = size;
  rows[at + SALES] = sales + 1;
}

/** What the phase is worth to the SKU, against the shared index (own-season.ts). */
export function profile(bank: Bank, sku: number, phase: number): number {
  return asProven(bank.proven, phase, believed(seasonOfSku(bank, sku), bank.rows[sku * bank.width + SEASON + phase] ?? 0, USUAL_SPREAD));
}

/** `profile` of several periods, written to `out`: what the phases have in common is read once. */
export function profiles(bank: Bank, sku: number, periods: readonly { phase: number }[], out: Float64Array, usual = USUAL_SPREAD): void {
  const season = seasonOfSku(bank, sku);
  const from = sku * bank.width + SEASON;
  for (let t = 0; t < periods.length; t++) out[t] = asProven(bank.proven, periods[t]!.phase, believed(season, bank.rows[from + periods[t]!.phase] ?? 0, usual));
}

function seasonOfSku(bank: Bank, sku: number): Season | undefined {
  const { rows, width, seasonPeriods, proven } = bank;
  const at = sku * width;
  // The errors of a level that forgets within a season hold the season, too, while nobody knows it: those of the quicker ones hold less.
  const phi = proven ? Math.max(0, Math.min(dispersion(bank, sku), ratio(rows, at + FAST_EXCESS), ratio(rows, at + QUICK_EXCESS))) : dispersion(bank, sku);
  return seasonOf(rows, at + SEASON, seasonPeriods, { units: seenLevel(bank, sku, 2), periods: rows[at + PERIODS] ?? 0, phi });
}
