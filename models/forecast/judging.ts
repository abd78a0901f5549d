/**
 * Forecasts judged once their day has come: experts' weights, tails and what SKUs share learn from a round of them, one round a day of the shop.
 *
 *   miss = 1[y outside the interval],  pinball = mean over p of 2 (1[y ≤ q_p] − p) (q_p − y)
 *
 * All samples of a round are judged by the weights as they stood before it, so that their order does not matter but for rounding. Those of
 * one lead are also judged as a total.
 */
import * as conformal from './conformal.js';
import * as mixing from './mixing.js';
import type { Mixture } from './sku-forecast.js';
import * as totals from './totals.js';

const FEW = 10;

/** What one forecast said of a day, and what came. */
export interface Sample {
  readonly group: number;
  /** The SKU's own scale in units. */
  readonly scale: number;
  readonly actual: number;
  /** Expert × probability from `at` on. */
  readonly quantiles: ArrayLike<number>;
  readonly at: number;
  readonly mean: number;
  /** How far ahead it was said, as a part of the horizon: samples of one lead are of different SKUs. */
  readonly far: number;
}

export interface SampleScore {
  readonly covered: boolean;
  /** Units. */
  readonly pinball: number;
}

/** Learns one round; `told` hears how each sample was judged. */
export function learnRound(
  taught: Mixture,
  samples: Iterable<Sample>,
  told: (score: SampleScore, index: number) => void = () => {},
): void {
  const { mixer, tails, probabilities } = taught;
  const n = probabilities.length;
  const { experts } = mixer;
  const groups = tails.tail.length;
  /** Group × probability × expert, as weights are. */
  const sums = new Float64Array(groups * n * experts);
  const counts = new Float64Array(groups);
  const misses = new Float64Array(groups);
  const mixture = new Float64Array(n);
  const all = Array.from({ length: experts }, (_, k) => k);
  const ends = Array.from({ length: groups }, (_, group) => conformal.ends(tails, group, probabilities));
  const z = totals.lastZ(probabilities);
  const together = new Map<number, totals.JudgedTotal>();
  let index = 0;
  let total: totals.JudgedTotal | undefined;
  for (const { group, scale, actual, quantiles, at, mean, far } of samples) {
    counts[group] = (counts[group] ?? 0) + 1;
    const zeros = mixing.mix(mixer, group, quantiles, at, mixture, 0, all);
    const { low, high } = ends[group]!;
    const covered = actual >= conformal.unitsAt(low, mixture, 0) && actual <= conformal.unitsAt(high, mixture, 0);
    if (!covered) misses[group] = (misses[group] ?? 0) + 1;
    let pinball = 0;
    for (let p = 0; p < n; p++) {
      const q = mixture[p]!;
      const over = (actual <= q ? 1 : 0) - probabilities[p]!;
      pinball += (2 * over * (q - actual)) / n;
      // Where all say zero none is better than another.
      if (p < zeros) continue;
      const slope = over / scale;
      const to = (group * n + p) * experts;
      for (let k = 0; k < experts; k++) sums[to + k]! += slope * (quantiles[at + k * n + p]! - q);
    }
    told({ covered, pinball }, index++);
    // Those of one lead come together.
    if (total?.far !== far) {
      total = together.get(far) ?? { sums: totals.init(), far, errors: 0, squares: 0 };
      together.set(far, total);
    }
    // Nothing is foretold by these sums: ρ is what is learned from them.
    totals.addForecast(total.sums, { mean, quantiles: mixture }, probabilities, z, 0);
    total.errors += actual - mean;
    total.squares += (actual - mean) ** 2;
  }
  taught.shared = totals.learnShared(taught.shared, together.values());
  conformal.learnOverall(tails, sum(misses), sum(counts));
  const gradients = new Float64Array(experts);
  for (let g = 0; g < groups; g++) {
    const count = counts[g] ?? 0;
    if (count === 0) continue;
    // A handful of SKUs must not swing what a class shares.
    const weight = count / (count + FEW);
    conformal.learn(tails, g, (misses[g] ?? 0) / count, weight);
    for (let p = 0; p < n; p++) {
      for (let k = 0; k < experts; k++) gradients[k] = (weight * sums[(g * n + p) * experts + k]!) / count;
      mixing.learn(mixer, g, p, gradients);
    }
  }
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
