/**
 * Visit patterns: where shoppers who move like this one go next, whatever the items are: on to something new, or back to which click.
 *
 *   pattern of the last m clicks: each one's item by the order of first sight from the latest back, as 0 1 0 for A B A
 *   p_m(k) = (n_m(k) + 12·p_{m−1}(k)) / (Σ_k n_m(k) + 12)     p_{−1} = 1/10     m = 0 … 6, or all clicks where there are fewer
 *
 * k says which item came next: 0 … 8 the shopper's own by the same order (8: that one or any older), 9 a new one. A pattern that is
 * all the shopper has clicked is counted apart from one with clicks before it. Untrained: a tenth each. Once 100,000 were
 * counted of a pattern its counts are halved, so that they follow a shop that changes. Nothing is kept by item or shopper; 70 KB.
 * Source: variable-order Markov chains, shrunk to the next shorter context (Begleiter et al., JAIR 2004).
 */
import { different } from './kernels/different.js';
import { pack, unpack } from './kernels/snapshot.js';

const DEPTH = 6;
/** Kinds of what comes next, and the kind of an item that is not among the shopper's clicks. */
export const KINDS = 10;
export const NEW = KINDS - 1;
export const OLDEST = NEW - 1;
/** Clicks that count as the shopper's own. */
const OWN = 20;
const STRENGTH = 12;
const MOST_COUNTED = 100_000;
const VERSION = 1;

/** By m: the first of the m! patterns of m clicks; the j-th label is at most j, which makes a pattern a number of mixed radix. */
const FIRST = [0, 1, 2, 4, 10, 34, 154];
const PATTERNS = 874;

export interface VisitPatterns {
  /** [pattern, whole ones behind the others][kind of what came next] */
  readonly counts: Float32Array;
}

export function init(): VisitPatterns {
  return { counts: new Float32Array(2 * PATTERNS * KINDS) };
}

const rows = new Int32Array(DEPTH + 1);
const labels = new Int32Array(DEPTH);

/** By kind: the chance that it comes next after the clicks `recent` (latest first), into `out`. They are positive and sum to one. */
export function predict({ counts }: VisitPatterns, recent: Int32Array, out: Float64Array): void {
  out.fill(1 / KINDS);
  const many = rowsOf(recent);
  for (let m = 0; m < many; m++) {
    const first = rows[m] * KINDS;
    let sum = STRENGTH;
    for (let k = 0; k < KINDS; k++) sum += counts[first + k];
    for (let k = 0; k < KINDS; k++) out[k] = (counts[first + k] + STRENGTH * out[k]) / sum;
  }
}

/** The kind of an item as what comes next after these clicks. */
export function kindOf(recent: Int32Array, item: number): number {
  const own = Math.min(recent.length, OWN);
  let place = 0;
  while (place < own && recent[place] !== item) place++;
  return place === own ? NEW : Math.min(different(recent, place).length, OLDEST);
}

/** Learns that `item` followed `recent`. The first click of all teaches nothing. */
export function learn({ counts }: VisitPatterns, recent: Int32Array, item: number): void {
  if (recent.length === 0) return;
  const kind = kindOf(recent, item);
  const many = rowsOf(recent);
  for (let m = 0; m < many; m++) {
    const first = rows[m] * KINDS;
    if (++counts[first + kind] < MOST_COUNTED) continue;
    for (let k = 0; k < KINDS; k++) counts[first + k] /= 2;
  }
}

/** The rows of the patterns of no click, the latest, the last two, …, into `rows`; returns how many there are. */
function rowsOf(recent: Int32Array): number {
  const most = Math.min(recent.length, DEPTH);
  let [number, distinct] = [0, 0];
  rows[0] = recent.length === 0 ? PATTERNS : 0;
  for (let j = 0; j < most; j++) {
    let earlier = 0;
    while (recent[earlier] !== recent[j]) earlier++;
    labels[j] = earlier < j ? labels[earlier] : distinct++;
    number = number * (j + 1) + labels[j];
    rows[j + 1] = FIRST[j + 1] + number + (j + 1 === recent.length ? PATTERNS : 0);
  }
  return most + 1;
}

export function snapshot({ counts }: VisitPatterns): Uint8Array {
  return pack('visit-patterns', VERSION, { counts });
}

export function restore(bytes: Uint8Array): VisitPatterns {
  return { counts: unpack('visit-patterns', VERSION, bytes).f32('counts') };
}
