/**
 * Quantiles of what sells now and then, from the SKU's own sizes.
 *
 *   Q_p = 0 if p ≤ 1 − P(sale), else the ((p − 1 + P) / P)-quantile of the sizes, times their part of the exposure
 *
 * Sizes are weighted by decay^(sales since), and interpolated between the mid-points of their weights. They are sorted and weighed once a SKU,
 * by all memories at once, and asked for all periods (`quantile-kernels.ts`). Units are units a period.
 */
import { MEMORIES, MOST_SIZES } from '../kernels/quantile-kernels.js';
import { OLDER, OLDER_SIZES, OLDER_STRIDE, RECENT_SIZES, SALES, SIZES, type Bank } from './expert-bank.js';
import type { Workspace } from './quantile-workspace.js';

/** How much weight a size keeps with every sale since. */
const DECAYS = [0.85, 0.9, 0.97, 0.985] as const satisfies { readonly length: typeof MEMORIES };
/** Memories of sizes, in this order. */
export const SHORT = 0;
export const BRISK = 1;
export const LONG = 2;
export const LONGEST = 3;

/** Weights by how many sales are kept since, and memory; those of the older ring stand for several. */
export function weightsBySale(): number[] {
  return Array.from({ length: MOST_SIZES }, (_, i) =>
    DECAYS.map((decay) => (i < RECENT_SIZES ? decay ** i : OLDER_STRIDE * decay ** (RECENT_SIZES + OLDER_STRIDE * (i - RECENT_SIZES + 0.5)))),
  ).flat();
}

/** Sorts and weighs the sizes of the bank's row that begins at `at`; returns how many there are. */
export function weighSizes(bank: Bank, at: number, workspace: Workspace): number {
  const { rows } = bank;
  const { keys, keyBits } = workspace;
  // As an integer: remainders of other numbers are dear.
  const sales = rows[at + SALES]! | 0;
  const recent = Math.min(sales, RECENT_SIZES);
  for (let age = 0; age < recent; age++) keys[age] = rows[at + SIZES + ((sales - 1 - age) % RECENT_SIZES)]!;
  const moved = Math.max(0, Math.ceil((sales - RECENT_SIZES) / OLDER_STRIDE));
  const older = Math.min(moved, OLDER_SIZES);
  const newest = Math.floor((sales - 1) / OLDER_STRIDE);
  for (let j = 0; j < older; j++) keys[recent + j] = rows[at + OLDER + ((newest - j) % OLDER_SIZES)]!;
  const count = recent + older;
  for (let i = 0; i < count; i++) keyBits[2 * i]! |= i;
  for (let i = count; i < MOST_SIZES; i++) keys[i] = Infinity;
  if (count > 0) workspace.weigh(count);
  return count;
}
