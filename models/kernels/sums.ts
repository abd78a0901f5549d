/**
 * Sums by item number of a great many terms: a column over all items, and a list of those that it was added to.
 *
 * Adding takes no search and no branch, which a processor would guess wrong for every fourth term; that the column lies
 * further away than a small hash table matters less, since terms do not wait for each other. Terms are not negative.
 * Between two uses all values are 0.
 */
import { columns, type Columns } from './columns.js';
import { capacityFor } from './growth.js';

/** Terms that can be added in one go. */
const MOST_TERMS = 2 ** 14;

export interface Sums {
  /** By item, and the same as the bits of their floats. */
  values: Float32Array;
  bits: Int32Array;
  /** Items in the order of their first term. One whose first terms were too small for a float may be listed again. */
  readonly touched: Int32Array;
  count: number;
  /** Column 0: the sums of the touched items, once they are drained. */
  readonly drained: Columns;
}

export function sums(): Sums {
  return { values: new Float32Array(0), bits: new Int32Array(0), touched: new Int32Array(MOST_TERMS + 1), count: 0, drained: columns(1, MOST_TERMS + 4) };
}

/** Makes room for items below `items`; all values must be 0. */
export function ensure(of: Sums, items: number): void {
  if (items <= of.values.length) return;
  of.values = new Float32Array(capacityFor(items, of.values.length));
  of.bits = new Int32Array(of.values.buffer);
}

/** Adds factor·weights to the sums of ids, from place `first` up to `end`: at most 16,384 terms between two uses. */
export function addScaled(of: Sums, ids: Int32Array, weights: Float32Array, first: number, end: number, factor: number): void {
  const { values, bits, touched } = of;
  let { count } = of;
  for (let at = first; at < end; at++) {
    const item = ids[at];
    touched[count] = item;
    // One for a sum that is still 0.
    count += (bits[item] - 1) >>> 31;
    values[item] += factor * weights[at];
  }
  of.count = count;
}

/** Ends a use: the sums of the touched items go into the column, each once, and all values are 0. Returns how many were touched. */
export function drain(of: Sums): number {
  const { values, touched, count, drained } = of;
  const [column] = drained.columns;
  for (let i = 0; i < count; i++) {
    const item = touched[i];
    column[i] = values[item];
    values[item] = 0;
  }
  // A column is taken in whole fours.
  column.fill(0, count, count + 3);
  of.count = 0;
  return count;
}
