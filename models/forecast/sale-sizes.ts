/**
 * Quantiles of what sells now and then, from the SKU's own sizes.
 *
 *   Q_p = 0 if p ≤ 1 − P(sale), else the ((p − 1 + P) / P)-quantile of the sizes, times their part of the exposure
 *
 * Sizes are weighted by decay^(sales since), and interpolated between the mid-points of their weights. They are sorted once a SKU, weighed once
 * a decay, and asked for all periods. No sizes answer zero. Units are units a period.
 */
import { OLDER, OLDER_SIZES, OLDER_STRIDE, RECENT_SIZES, SALES, SIZES, type Bank } from './expert-bank.js';

const MAX_SIZES = RECENT_SIZES + OLDER_SIZES;

/** By place, how much a size counts whose weight falls by `decay` with every sale since; those of the older ring stand for several. */
export const sizeWeights = (decay: number): Float64Array =>
  Float64Array.from({ length: MAX_SIZES }, (_, i) =>
    i < RECENT_SIZES ? decay ** i : OLDER_STRIDE * decay ** (RECENT_SIZES + OLDER_STRIDE * (i - RECENT_SIZES + 0.5)),
  );

// Scratch for one SKU: nothing here waits, and nothing re-enters. A knot before the first size and one after the last answer as these do.
const sizeAges = new Uint8Array(MAX_SIZES + 1);
const knotUnits = new Float64Array(MAX_SIZES + 2);
/** Ascending, in weight; and what a unit of weight more is worth between the knot before and this one. */
const knotAt = new Float64Array(MAX_SIZES + 2);
const knotSlope = new Float64Array(MAX_SIZES + 2);
let sizesWeight = 0;

/** Puts the sizes of the bank's row that begins at `at` in ascending order, for what is called next; returns how many. */
export function sortSizes(bank: Bank, at: number): number {
  const { rows } = bank;
  // As an integer: remainders of other numbers are dear.
  const sales = rows[at + SALES]! | 0;
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

/** Weighs the first `count` sorted sizes: knots at the mid-points of their cumulated weights, in units of weight. Returns the mean size. */
export function weighSizes(weights: Float64Array, count: number): number {
  let sum = 0;
  let mean = 0;
  let before = 0;
  let units = knotUnits[0]!;
  for (let i = 1; i <= count; i++) {
    const weight = weights[sizeAges[i]!]!;
    const at = sum + weight / 2;
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
  sizesWeight = sum;
  return count > 0 ? mean / sum : 0;
}

/**
 * Quantiles of `count` periods, from the weighed sizes, the chance of a sale and the part of the exposure that shows in sizes, by period. They
 * are written to `out` from `from` on, those of each next period `stride` further.
 */
export function hurdleQuantiles(
  count: number,
  chances: Float64Array,
  factors: Float64Array,
  probabilities: Float64Array,
  out: Float64Array,
  from: number,
  stride: number,
): void {
  const n = probabilities.length;
  for (let t = 0; t < count; t++) {
    const sale = chances[t]!;
    const factor = factors[t]!;
    const quiet = 1 - sale;
    const weight = sizesWeight / sale;
    const offset = from + t * stride;
    let p = 0;
    for (; p < n && !(probabilities[p]! > quiet); p++) out[offset + p] = 0;
    for (let i = 0; p < n; p++) {
      const rank = (probabilities[p]! - quiet) * weight;
      while (knotAt[i + 1]! < rank) i++;
      out[offset + p] = (knotUnits[i]! + (rank - knotAt[i]!) * knotSlope[i + 1]!) * factor;
    }
  }
}
