/**
 * How far the days of a forecast err together: the correlation ρ of their errors, learned from what stretches of days came to.
 *
 *   V = Σ σ_d² + 0.1 Σ_{d≠e} σ_d σ_e,   x = Σ_{d≠e} σ_d σ_e / V,   y = min((D − m)² / V, 16) − Σ σ_d² / V
 *   ρ = clip((20 · 0.1 + Σ x y) / (20 + Σ x²), 0, 0.15)
 *
 * Least squares of what a stretch was off, m its forecast and D what was sold, by units a day in octaves: what sells alike errs alike, and
 * a SKU alone has too few stretches to say so. More than four deviations off is bad luck and no measure. Of what sells at a steady rate days are
 * independent and ρ becomes 0; of what wanders it stays. Of a stretch with an empty shelf y is the mean over the demands that are likely
 * (unseen-demand.ts): left out, the worst ones would be missing. Each stretch fades the ones before it by 0.999. Unlearned, ρ is 0.1.
 * Constants: docs/measured/reorder.md.
 */
export interface SharedError {
  /** Σ x y by octave of units a day. */
  readonly evidence: readonly number[];
  /** Σ x². */
  readonly weight: readonly number[];
}

/** What a forecast said of a stretch of days. */
export interface Stretch {
  readonly days: number;
  readonly mean: number;
  /** Σ σ_d². */
  readonly squares: number;
  /** Σ_{d≠e} σ_d σ_e. */
  readonly products: number;
}

const ASSUMED = 0.1;
const ASSUMED_WEIGHT = 20;
const MOST = 0.15;
const MOST_SQUARE = 16;
const FORGETTING = 0.999;
/** Octaves of units a day: a SKU of less than one in 32 days is like others of them, and so is one of more than 256. */
const [LEAST_OCTAVE, MOST_OCTAVE] = [-5, 8];

export const unlearned: SharedError = { evidence: [], weight: [] };

/** ρ of SKUs that sell so many units a day. */
export function correlationOf({ evidence, weight }: SharedError, unitsADay: number): number {
  const at = octaveOf(unitsADay);
  const learned = (ASSUMED_WEIGHT * ASSUMED + (evidence[at] ?? 0)) / (ASSUMED_WEIGHT + (weight[at] ?? 0));
  return Math.min(MOST, Math.max(0, learned));
}

/** Learns what a stretch came to: demands that are equally likely, one where all of it was seen. One of a day or of no demand says nothing. */
export function learn(before: SharedError, { days, mean, squares, products }: Stretch, demands: readonly number[]): SharedError {
  const variance = squares + ASSUMED * products;
  // The tenth of the least number there is is none.
  if (!(products > 0) || !(variance > 0)) return before;
  const at = octaveOf(mean / days);
  const x = products / variance;
  const errors = demands.reduce((sum, came) => sum + Math.min(MOST_SQUARE, (came - mean) ** 2 / variance), 0);
  const y = errors / demands.length - squares / variance;
  const learned = (sums: readonly number[], value: number): number[] =>
    Array.from({ length: MOST_OCTAVE - LEAST_OCTAVE + 1 }, (_, i) => (i === at ? FORGETTING * (sums[i] ?? 0) + value : (sums[i] ?? 0)));
  return { evidence: learned(before.evidence, x * y), weight: learned(before.weight, x * x) };
}

const octaveOf = (unitsADay: number): number => Math.min(MOST_OCTAVE, Math.max(LEAST_OCTAVE, Math.round(Math.log2(Math.max(0, unitsADay))))) - LEAST_OCTAVE;
