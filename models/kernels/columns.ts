/**
 * Kernels over columns of floats, four at a time: their sum and largest, the largest few, their logarithms.
 *
 * A column is taken in whole fours: what lies behind its end must be zero where sums or choices are made, and may be
 * anything where logarithms are.
 */
import {
  aboveInt4, add4, addInt, addInt4, and4, andInt, assemble, float, floats4, instantiate, int, kernel, larger4, largestOf4, load4, loop,
  loopWhile, newMemory, or4, seq, shift, shiftRight4, signs4, spread4, spreadInt4, store4, storeFloat, storeInt, subtract4, subtractInt4,
  sumOf4, sumOfInt4, times4, zerosBelow,
  type Code, type Local, type Module,
} from './assembler.js';

const entry = (base: Local, i: Local): Code => addInt(base.get, shift(i.get, 2));

/** to[0] = Σ column, to[1] = the largest of it and 0 */
const measure = kernel('measure', ['i32', 'i32', 'i32'], (body, column, n, to) => {
  const c = body.local('i32');
  const [value, sum, most] = body.locals('v128', 3);
  return seq(
    sum.set(spread4(float(0))),
    most.set(spread4(float(0))),
    loop(c, n.get, 4, seq(
      value.set(load4(entry(column, c))),
      sum.set(add4(sum.get, value.get)),
      most.set(larger4(most.get, value.get)),
    )),
    storeFloat(to.get, sumOf4(sum)),
    storeFloat(to.get, largestOf4(most), 4),
  );
});

/** to[0] = how many values lie above one, given by its bits: those of positive floats are ordered as they are. */
const countAbove = kernel('countAbove', ['i32', 'i32', 'i32', 'i32'], (body, column, n, bits, to) => {
  const c = body.local('i32');
  const [least, count] = body.locals('v128', 2);
  return seq(
    least.set(spreadInt4(bits.get)),
    count.set(spreadInt4(int(0))),
    loop(c, n.get, 4, count.set(subtractInt4(count.get, aboveInt4(load4(entry(column, c)), least.get)))),
    storeInt(to.get, sumOfInt4(count)),
  );
});

/** to[0…] = the places of the values above one, given by its bits, in order */
const placesAbove = kernel('placesAbove', ['i32', 'i32', 'i32', 'i32'], (body, column, n, bits, to) => {
  const [c, mask, at] = body.locals('i32', 3);
  const least = body.local('v128');
  return seq(
    least.set(spreadInt4(bits.get)),
    at.set(to.get),
    loop(c, n.get, 4, seq(
      mask.set(signs4(aboveInt4(load4(entry(column, c)), least.get))),
      loopWhile(mask.get, seq(
        storeInt(at.get, addInt(c.get, zerosBelow(mask.get))),
        at.set(addInt(at.get, int(4))),
        mask.set(andInt(mask.get, addInt(mask.get, int(-1)))),
      )),
    )),
  );
});

/** column = factor·log2(column), as `log2` of numbers.ts but in single precision; what is not positive counts as 10^−37. */
export const logarithms = kernel('logarithms', ['i32', 'i32', 'f32'], (body, column, n, factor) => {
  const [c, at] = body.locals('i32', 2);
  const [value, m, sum] = body.locals('v128', 3);
  const polynomial = [-0.025285505437947053, 0.12010025759851918, -0.27596895490594653, 0.45654040993211104, -0.7179134798411281, 1.4425272726543914];
  return loop(c, n.get, 4, seq(
    at.set(entry(column, c)),
    value.set(larger4(load4(at.get), spread4(float(1e-37)))),
    m.set(subtract4(or4(and4(value.get, spreadInt4(int(0x7fffff))), spreadInt4(int(0x3f800000))), spread4(float(1)))),
    sum.set(spread4(float(polynomial[0]))),
    seq(...polynomial.slice(1).map((part) => sum.set(add4(times4(sum.get, m.get), spread4(float(part)))))),
    value.set(floats4(addInt4(shiftRight4(value.get, 23), spreadInt4(int(-127))))),
    store4(at.get, times4(add4(value.get, times4(m.get, sum.get)), spread4(factor.get))),
  ));
});

let compiled: Module | undefined;

/** Columns of one length in one memory. */
export interface Columns {
  readonly columns: readonly Float32Array[];
  /** The columns as the bits of their floats. */
  readonly bits: readonly Int32Array[];
  /** Places that `largest` found. */
  readonly places: Int32Array;
  readonly counts: Int32Array;
  readonly sums: Float32Array;
  readonly run: Record<'measure' | 'countAbove' | 'placesAbove', (...values: number[]) => void>;
}

/**
 * Bytes between two columns. Where one place of all columns is written together, addresses that are equal but for whole
 * pages would get into each other's way in the nearest memory.
 */
const GAP = 320;

/** `length` is a multiple of four. */
export function columns(many: number, length: number): Columns {
  compiled ??= assemble([measure, countAbove, placesAbove]);
  const bytes = length * 4 + GAP;
  const memory = newMemory(Math.ceil(((many + 1) * bytes + 16) / 65_536));
  const each = Array.from({ length: many }, (_, column) => column * bytes);
  return {
    columns: each.map((at) => new Float32Array(memory.buffer, at, length)),
    bits: each.map((at) => new Int32Array(memory.buffer, at, length)),
    places: new Int32Array(memory.buffer, many * bytes, length),
    counts: new Int32Array(memory.buffer, (many + 1) * bytes, 2),
    sums: new Float32Array(memory.buffer, (many + 1) * bytes, 2),
    run: instantiate(compiled, memory, ['measure', 'countAbove', 'placesAbove']),
  };
}

/** Sum and largest of the first n of a column, into `sums`. */
export function sumAndMost({ run, columns: of, sums, counts }: Columns, column: number, n: number): Float32Array {
  if (n > 0) run.measure(of[column].byteOffset, n, counts.byteOffset);
  else sums.fill(0);
  return sums;
}

/** A few more than asked for are found at once and the smallest dropped: halving on until it is exact takes longer. */
export const SLACK = 12;

/**
 * The places of the `limit` largest positive values among the first `n`, in order of place, into `places`; of equal
 * ones the first. Returns how many there were.
 */
export function largest(of: Columns, column: number, n: number, limit: number): number {
  const count = largestAbout(of, column, n, limit);
  return count > limit ? dropSmallest(of.bits[column], of.places, count, limit) : count;
}

/** `largest`, and up to twelve of the next ones: who needs no exact number is answered sooner. */
export function largestAbout(of: Columns, column: number, n: number, limit: number): number {
  if (n <= 0 || limit <= 0) return 0;
  const { bits, places } = of;
  let least = 0;
  let count = above(of, column, n, 0);
  // No positive float's bits reach those of infinity.
  let beyond = 0x7f800000;
  if (count > limit + SLACK) {
    sumAndMost(of, column, n);
    beyond = of.counts[1];
  }
  while (count > limit + SLACK && beyond - least > 1) {
    const middle = (least + beyond) >>> 1;
    const found = above(of, column, n, middle);
    if (found < limit) beyond = middle;
    else [least, count] = [middle, found];
  }
  of.run.placesAbove(bits[column].byteOffset, n, least, places.byteOffset);
  return count > limit + SLACK ? dropEqual(bits[column], places, count, limit, beyond) : count;
}

function above({ run, columns: of, counts }: Columns, column: number, n: number, bits: number): number {
  run.countAbove(of[column].byteOffset, n, bits, counts.byteOffset);
  return counts[0];
}

/** The smallest values so far, largest first, and where they stand; of equal ones the last stands behind. */
const least = new Int32Array(SLACK);
const leastAt = new Int32Array(SLACK);

/** Leaves the `limit` largest of `count` places, at most SLACK fewer. */
function dropSmallest(bits: Int32Array, places: Int32Array, count: number, limit: number): number {
  const drop = count - limit;
  let full = 0;
  for (let i = 0; i < count; i++) {
    const value = bits[places[i]];
    if (full === drop && value > least[0]) continue;
    let at = full;
    if (full < drop) {
      full++;
      for (; at > 0 && least[at - 1] < value; at--) {
        least[at] = least[at - 1];
        leastAt[at] = leastAt[at - 1];
      }
    } else {
      // The first of them is the largest, and goes.
      for (at = 0; at + 1 < drop && least[at + 1] >= value; at++) {
        least[at] = least[at + 1];
        leastAt[at] = leastAt[at + 1];
      }
    }
    least[at] = value;
    leastAt[at] = i;
  }
  for (let at = 0; at < drop; at++) places[leastAt[at]] = -1;
  let kept = 0;
  for (let i = 0; i < count; i++) if (places[i] >= 0) places[kept++] = places[i];
  return kept;
}

/** All found are above or equal to one value, of which there are many: keeps those above and as many of the equal ones as fit. */
function dropEqual(bits: Int32Array, places: Int32Array, count: number, limit: number, value: number): number {
  let above = 0;
  for (let i = 0; i < count; i++) if (bits[places[i]] > value) above++;
  let equal = limit - above;
  let kept = 0;
  for (let i = 0; i < count; i++) if (bits[places[i]] > value || equal-- > 0) places[kept++] = places[i];
  return kept;
}
