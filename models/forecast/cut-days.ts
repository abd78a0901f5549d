/**
 * What a day tells on which the shelf ran empty, or was filled: its demand was N, which was sold while there was something, and L, which nobody saw.
 *
 *   D = N + L,   L ~ negative binomial,   mean = (1 − p) (k + N) / (k / μ + p),   dispersion = 1 / (k + N),   k = μ² / (σ² − μ)
 *
 * p is the part of the day on which it was to be had, μ and σ are those of the forecast: a Poisson of a rate that is gamma, so that what went fast
 * while it lasted would have gone on so. When the shelf ran empty changes nothing of what is thought of that rate (shortages.ts). Days of little demand are
 * those that are seen whole: without the others an interval learns from them alone. Where σ² is μ or less N says nothing of L. Units are units.
 */
import { negativeBinomialQuantiles } from './negative-binomial.js';

const DRAWS = 64;
const MIDDLES = Array.from({ length: DRAWS }, (_, i) => (i + 0.5) / DRAWS);

export interface CutDay {
  /** Units sold. */
  readonly sold: number;
  /** Part of the day on which it was to be had, more than 0. */
  readonly onSale: number;
}

/** How likely the demand of the whole day lies outside an interval that ends at `low` and `high`, by a forecast with this mean and deviation. */
export function missShare({ sold, onSale }: CutDay, mean: number, deviation: number, low: number, high: number): number {
  const extra = deviation * deviation - mean;
  const shape = extra > 0 ? (mean * mean) / extra : Infinity;
  const rest = (1 - onSale) * (Number.isFinite(shape) && mean > 0 ? (shape + sold) / (shape / mean + onSale) : mean);
  const unseen: number[] = [];
  negativeBinomialQuantiles(rest, 1 / (shape + sold), MIDDLES, unseen);
  return unseen.filter((units) => sold + units < low || sold + units > high).length / DRAWS;
}
