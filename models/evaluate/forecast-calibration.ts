/**
 * Whether quantiles of counts keep their promises: the share of actuals below each, ties shared out.
 *
 *   u⁻ = F(y − ½),  u⁺ = F(y + ½)        F the forecast's quantiles, joined by lines from (0, 0) on, the last gap going on in log odds
 *   shared(p) = mean of clip((p − u⁻) / (u⁺ − u⁻), 0, 1)         would be p;   coverage = shared(0.9) − shared(0.1)
 *
 * A whole number stands for what rounds to it, and counts in part below each quantile that lies inside: so a SKU that sells on one day
 * in twenty can be covered to 80 %, while every closed interval that holds its zeros covers 95 %. A forecast of zero at every quantile
 * says only that zeros are more than the highest: it is as good as its promise where they are. Fractions of units stand for themselves.
 * Source: Czado, Gneiting and Held 2009 (the non-randomised probability integral transform).
 */
import type { ScoredSeries } from './forecast-metrics.js';

export interface Calibration {
  readonly probability: number;
  readonly below: number;
  readonly atMost: number;
  /** Below, those that are equal shared out. */
  readonly shared: number;
}

export interface Counts {
  readonly probabilities: Float64Array;
  readonly below: Float64Array;
  readonly equal: Float64Array;
  readonly shared: Float64Array;
  counted: number;
  /** Forecasts of zero at every quantile, and how many were. */
  silent: number;
  silentRight: number;
}

export function init(probabilities: Float64Array): Counts {
  const n = probabilities.length;
  return { probabilities, below: new Float64Array(n), equal: new Float64Array(n), shared: new Float64Array(n), counted: 0, silent: 0, silentRight: 0 };
}

/** Open periods only: of a closed one nothing is promised. */
export function add(counts: Counts, { actual, quantiles, open }: ScoredSeries): void {
  for (let h = 0; h < actual.length; h++) if (open[h] === true) addPeriod(counts, actual[h] ?? 0, quantiles, h * counts.probabilities.length);
}

/** One period: `y` units, forecast as the quantiles from `from` on. */
export function addPeriod(counts: Counts, y: number, quantiles: ArrayLike<number>, from: number): void {
  const { probabilities, below, equal, shared } = counts;
  const n = probabilities.length;
  counts.counted++;
  for (let p = 0; p < n; p++) {
    const q = quantiles[from + p] ?? 0;
    if (y < q) below[p] = (below[p] ?? 0) + 1;
    else if (y === q) equal[p] = (equal[p] ?? 0) + 1;
  }
  if (!((quantiles[from + n - 1] ?? 0) > 0)) {
    counts.silent++;
    if (y <= 0) counts.silentRight++;
    return;
  }
  const half = Number.isInteger(y) ? 0.5 : 0;
  const low = probabilityBelow(y - half, probabilities, quantiles, from);
  const high = probabilityBelow(y + half, probabilities, quantiles, from);
  for (let p = 0; p < n; p++) {
    const level = probabilities[p] ?? 0;
    const share = high > low ? Math.min(1, Math.max(0, (level - low) / (high - low))) : Number(high < level);
    shared[p] = (shared[p] ?? 0) + share;
  }
}

/** What several have counted; of the same probabilities. */
export function merged(all: readonly Counts[]): Counts {
  const sum = init(all[0]?.probabilities ?? new Float64Array(0));
  for (const one of all) {
    for (const name of ['below', 'equal', 'shared'] as const) one[name].forEach((count, p) => { sum[name][p] += count; });
    for (const name of ['counted', 'silent', 'silentRight'] as const) sum[name] += one[name];
  }
  return sum;
}

export function calibration({ probabilities, below, equal, shared, counted, silent, silentRight }: Counts): Calibration[] {
  const share = (count: number): number => (counted > 0 ? count / counted : NaN);
  const zeros = silent > 0 ? Math.max(probabilities.at(-1) ?? 1, silentRight / silent) : 1;
  return Array.from(probabilities, (probability, p) => ({
    probability, below: share(below[p] ?? 0), atMost: share((below[p] ?? 0) + (equal[p] ?? 0)),
    shared: share((shared[p] ?? 0) + (silentRight * probability) / zeros),
  }));
}

/** Share of actuals between the outer quantiles, ties shared out. */
export function sharedCoverage(counts: Counts): number {
  const all = calibration(counts);
  return (all.at(-1)?.shared ?? NaN) - (all[0]?.shared ?? NaN);
}

function probabilityBelow(value: number, probabilities: Float64Array, quantiles: ArrayLike<number>, from: number): number {
  if (value <= 0) return 0;
  let [p0, q0] = [0, 0];
  for (let i = 0; i < probabilities.length; i++) {
    const [p1, q1] = [probabilities[i] ?? 1, quantiles[from + i] ?? 0];
    if (q1 >= value) return p0 + ((p1 - p0) * (value - q0)) / (q1 - q0);
    if (i === probabilities.length - 1) return beyond(p0, p1, (value - q0) / (q1 - q0));
    [p0, q0] = [p1, q1];
  }
  return 1;
}

/** `gaps` of the last gap beyond its beginning, in log odds. */
function beyond(p0: number, p1: number, gaps: number): number {
  if (!Number.isFinite(gaps)) return 1;
  const odds = (p: number): number => Math.log(p / (1 - p));
  return p0 > 0 ? 1 / (1 + Math.exp(-(odds(p0) + gaps * (odds(p1) - odds(p0))))) : p1;
}
