/**
 * Forecasts judged once their day has come: experts' weights, tails and what SKUs share learn from a round of them, one round a day of the shop.
 *
 *   miss = 1[y outside the interval],  pinball = mean over p of 2 (1[y ≤ q_p] − p) (q_p − y)
 *
 * A day of which a part was seen moves the tails alone, by how likely it was a miss (cut-days.ts).
 * All samples of a round are judged by the weights as they stood before it, so that their order does not matter but for rounding. Those of
 * one lead are also judged as a total.
 */
import * as conformal from './conformal.js';
import { mixingKernels, type MixingKernels } from '../kernels/mixing-kernels.js';
import { missShare } from './cut-days.js';
import * as mixing from './mixing.js';
import type { Mixture } from './sku-forecast.js';
import * as totals from './totals.js';

const FEW = 10;

/** A handful of SKUs must not swing what a class shares. */
const weightOf = (count: number): number => count / (count + FEW);

/** What one forecast said of a day, and what came. */
export interface Sample {
  readonly group: number;
  /** The SKU's own scale in units. */
  readonly scale: number;
  readonly actual: number;
  /** Part of the day on which it was to be had; 1 where that was all of it. */
  readonly onSale: number;
  /** Expert × probability from `at` on. */
  readonly quantiles: Float32Array | Float64Array;
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

/** Learns one round; `told` hears how each sample that was seen whole was judged. */
export function learnRound(
  taught: Mixture,
  samples: Iterable<Sample>,
  told?: (score: SampleScore, index: number) => void,
): void {
  const { mixer, tails, probabilities } = taught;
  const n = probabilities.length;
  const { experts } = mixer;
  const groups = tails.tail.length;
  const kernels = kernelsOf(groups, mixer);
  kernels.start(probabilities);
  const { mixture, gradients } = kernels;
  /** Samples that were seen whole, and all that say something of the interval. */
  const counts = new Float64Array(groups);
  const promises = new Float64Array(groups);
  const misses = new Float64Array(groups);
  const ends = Array.from({ length: groups }, (_, group) => conformal.ends(tails, group, probabilities));
  const z = totals.lastZ(probabilities);
  const together = new Map<number, totals.JudgedTotal>();
  let index = -1;
  let total: totals.JudgedTotal | undefined;
  for (const { group, scale, actual, onSale, quantiles, at, mean, far } of samples) {
    index++;
    promises[group] = (promises[group] ?? 0) + 1;
    kernels.mix(group, quantiles, at);
    const { low, high } = ends[group]!;
    // Its median is in an interval of whole units.
    const median = Math.round(mixture[n >> 1]!);
    const [least, most] = [Math.min(median, conformal.unitsAt(low, mixture, 0)), Math.max(median, conformal.unitsAt(high, mixture, 0))];
    if (onSale < 1) {
      misses[group]! += missShare({ sold: actual, onSale }, mean, totals.deviationOf({ mean, quantiles: mixture }, probabilities, z), least, most);
      continue;
    }
    counts[group] = (counts[group] ?? 0) + 1;
    const covered = actual >= least && actual <= most;
    if (!covered) misses[group] = (misses[group] ?? 0) + 1;
    kernels.teach(group, actual, scale);
    told?.({ covered, pinball: pinballOf(actual, mixture, probabilities) }, index);
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
  conformal.learnOverall(tails, sum(misses), sum(promises));
  const ofExperts = new Float64Array(experts);
  for (let g = 0; g < groups; g++) {
    const promised = promises[g] ?? 0;
    if (promised > 0) conformal.learn(tails, g, (misses[g] ?? 0) / promised, weightOf(promised));
    const count = counts[g] ?? 0;
    if (count === 0) continue;
    const weight = weightOf(count);
    for (let p = 0; p < n; p++) {
      for (let k = 0; k < experts; k++) ofExperts[k] = (weight * gradients[(g * experts + k) * n + p]!) / count;
      mixing.learn(mixer, g, p, ofExperts);
    }
  }
}

function pinballOf(actual: number, quantiles: Float64Array, probabilities: Float64Array): number {
  const n = probabilities.length;
  let pinball = 0;
  for (let p = 0; p < n; p++) {
    const q = quantiles[p]!;
    pinball += (2 * ((actual <= q ? 1 : 0) - probabilities[p]!) * (q - actual)) / n;
  }
  return pinball;
}

let latest: { readonly groups: number; readonly experts: number; readonly probabilities: number; readonly kernels: MixingKernels } | undefined;

/** With these weights. Judging is synchronous and never re-enters. */
function kernelsOf(groups: number, mixer: mixing.Mixer): MixingKernels {
  const { experts, probabilities } = mixer;
  if (latest?.groups !== groups || latest.experts !== experts || latest.probabilities !== probabilities) {
    latest = { groups, experts, probabilities, kernels: mixingKernels(groups, experts, probabilities) };
  }
  const { kernels } = latest;
  const all = Array.from({ length: experts }, (_, k) => k);
  for (let g = 0; g < groups; g++) mixing.weightsOf(mixer, g, all, kernels.weights, g * experts * probabilities);
  return kernels;
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
