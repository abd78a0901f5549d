/**
 * A SKU's own season against the shared index, with mean 1 over the phases; 1 where nothing is known. It is believed as far as its
 * spread over the phases is more than counts of this size and dispersion would have by chance (empirical Bayes):
 *
 *   s = 1 + (raw − 1) τ² / (τ² + v),   v = (1/μ + φ) / n,   τ² = 0.2 prior + 0.8 (spread − v)⁺,   n the cycles seen
 *
 * So the weekdays of a SKU with a sale a month stay those of the shop, and a weekday on which a busy one never sells is closed to it.
 * Learned is what each phase is off: raw = (1 + off) / (1 + mean off).
 *
 * A long season, one of a year, is seen too seldom for a SKU to tell by itself what of it comes again: what comes and goes looks as if it had one.
 * So what all SKUs have in common is believed, and what is a SKU's own by the part β of it that came true in the shop, a year after it was learned:
 *
 *   s' = m + β (s − m),   β = Σ w (y/(μ e) − 1)(s/m − 1) / Σ w (s/m − 1)²  within 0 to 1,   w = 1 / (1/(μ e) + φ + 0.01)
 *
 * m is the mean of s by phase, weighted by w and shrunk to 1 where SKUs are few. In the moment a season of all moves the shop's level, which
 * stands in e; periods ahead it does not yet, so that β would call it untrue.
 */

const SEASON_RATE = 0.1;
/** Of the spread of a SKU's season so much is taken from the SKU, and the rest from this prior. */
const OWN_SPREAD = 0.8;
export const USUAL_SPREAD = 0.02;
export const WIDE_SPREAD = 0.1;
/** Cycles that a season forgets in. */
const CYCLES = 2 / SEASON_RATE - 1;
const NEVER = 0.005;
/** A phase with less is closed to the SKU. */
export const NEARLY_CLOSED = 0.1;

/** Σ w (s/m − 1)² that β begins with, at one half. */
const PRIOR = 4;
/** Variance, of the squared mean, that the surest period has. */
const LEAST_NOISE = 0.01;
/** A mean of so few SKUs is half believed. */
const FEW = 5;

/** What SKUs' seasons have in common, and how much of the rest came true; both stand still while a period is learned, so that the order of SKUs does not matter. */
export interface Proven {
  /** m by phase. */
  readonly common: Float64Array;
  /** β, and its numerator and denominator. */
  belief: number;
  cameTrue: number;
  said: number;
  /** The phase under way, −1 before the first; Σ w s and Σ w of it, over so many SKUs. */
  phase: number;
  owns: number;
  weights: number;
  skus: number;
}

/** Nothing has come true yet: half of it is believed. */
export const unproven = (seasonPeriods: number): Proven => ({ common: new Float64Array(seasonPeriods).fill(1), belief: 1 / 2, cameTrue: PRIOR / 2, said: PRIOR, phase: -1, owns: 0, weights: 0, skus: 0 });

/** A period begins: what the one before it has proven counts from now on. */
export function turn(proven: Proven, phase: number): void {
  if (phase === proven.phase) return;
  if (proven.weights > 0) proven.common[proven.phase] = 1 + ((proven.owns / proven.weights - 1) * proven.skus) / (proven.skus + FEW);
  proven.belief = Math.max(0, Math.min(1, proven.cameTrue / proven.said));
  proven.phase = phase;
  proven.owns = proven.weights = proven.skus = 0;
}

/**
 * Learns what the period under way was worth to a SKU.
 * @param told s of the period before it was learned
 * @param worth units over those of its level, 1 = no more
 * @param next s of the phase once the period is learned
 */
export function prove(proven: Proven, { told, worth, next, expected, phi }: { told: number; worth: number; next: number; expected: number; phi: number }): void {
  const weight = 1 / (1 / expected + phi + LEAST_NOISE);
  const its = told / proven.common[proven.phase]! - 1;
  proven.cameTrue += weight * (worth - 1) * its;
  proven.said += weight * its * its;
  proven.owns += weight * next;
  proven.weights += weight;
  proven.skus++;
}

/** s' of s; s itself where a season is short. */
export function asProven(proven: Proven | undefined, phase: number, own: number): number {
  if (!proven) return own;
  const common = proven.common[phase]!;
  return common + proven.belief * (own - common);
}

/** How fast a phase is learned, and fades, after so many periods: one of a long season as a mean, whose belief is `asProven`'s. */
export const seasonRate = (seen: number, seasonPeriods: number, isLong: boolean): number => Math.max(SEASON_RATE, 1 / (Math.floor(seen / seasonPeriods) + (isLong ? 1 : 2)));

/** The season as a whole: mean over its phases, spread, and what of it is chance. */
export interface Season {
  readonly units: number;
  readonly cycles: number;
  readonly mean: number;
  readonly phi: number;
  readonly spread: number;
  readonly chance: number;
}

/** What is known of the SKU beside its season. */
export interface Sold {
  /** μ, units a period. */
  readonly units: number;
  /** Periods seen. */
  readonly periods: number;
  /** φ of a negative binomial. */
  readonly phi: number;
}

/** One for all: learning asks for one a SKU and period, all of which would have to be collected. */
const latest: { -readonly [Part in keyof Season]: number } = { units: 0, cycles: 0, mean: 0, phi: 0, spread: 0, chance: 0 };

/** Valid until the next one is asked for: the season whose phases are off by what stands in `rows` from `from` on; undefined while nothing is known of it. */
export function seasonOf(rows: Float32Array, from: number, seasonPeriods: number, { units, periods, phi }: Sold): Season | undefined {
  const cycles = Math.min(CYCLES, Math.floor(periods / seasonPeriods));
  if (!(units > 0) || cycles < 1 || seasonPeriods < 2) return undefined;
  let sum = 0;
  let squares = 0;
  let learned = 0;
  for (let p = 0; p < seasonPeriods; p++) {
    const off = rows[from + p] ?? 0;
    sum += off;
    squares += off * off;
    // A phase on which the shop is closed was never learned, and must not draw the mean of the others.
    if (off !== 0) learned++;
  }
  if (learned === 0) return undefined;
  const off = sum / learned;
  const mean = Math.max(0.1, 1 + off);
  const spread = (squares / learned - off * off) / (mean * mean);
  latest.units = units;
  latest.cycles = cycles;
  latest.mean = mean;
  latest.phi = phi;
  latest.spread = spread;
  latest.chance = (1 / units + phi) / cycles;
  return latest;
}

/** s of a phase that was `off` by so much; `usual` is the prior of the spread. 1 of no season. */
export function believed(season: Season | undefined, off: number, usual: number): number {
  if (season === undefined) return 1;
  const { units, cycles, mean, phi, spread, chance } = season;
  const raw = Math.max(0, (1 + off) / mean);
  const prior = (1 - OWN_SPREAD) * usual + OWN_SPREAD * Math.max(0, spread - chance);
  // Phases believed alike keep the mean at 1. Only of one without sales the zeros themselves say how sure they are.
  const noise = raw > NEARLY_CLOSED ? chance : (Math.max(raw, 1 / (units * cycles)) / units + raw * raw * phi) / cycles;
  return Math.max(NEVER, 1 + ((raw - 1) * prior) / (prior + noise));
}
