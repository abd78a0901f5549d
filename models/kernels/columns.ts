/**
 * Kernels over columns of floats, four at a time: their sum and largest, the largest few, their logarithms.
 *
 * A column is taken in whole fours: what lies behind its end must be zero where sums or choices are made, and may be
 * anything where logarithms are.
 */
import {
  aboveInt4, add4, addInt, addInt4, and4, andInt, assemble, below, float, floats4, halfInt, instantiate, int, kernel, larger4, largestOf4, load4, loadInt, loop,
  loopWhile, newMemory, or4, selectInt, seq, shift, shiftRight4, signs4, spread4, spreadInt4, store4, storeFloat, storeInt, subtract4, subtractInt4,
  sumOf4, sumOfInt4, times4, zerosBelow,
  type Body, type Code, type Local, type Module,
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

/** count = how many values lie above one, given by its bits: those of positive floats are ordered as they are. */
const countAbove = (body: Body, column: Local, n: Local, bits: Local, count: Local): Code => {
  const c = body.local('i32');
  const [least, counted] = body.locals('v128', 2);
  return seq(
    least.set(spreadInt4(bits.get)),
    counted.set(spreadInt4(int(0))),
    loop(c, n.get, 4, counted.set(subtractInt4(counted.get, aboveInt4(load4(entry(column, c)), least.get)))),
    count.set(sumOfInt4(counted)),
  );
};

/**
 * to[0…] = the places, in order, of the positive values above one that `limit` to `enough` of them lie above, which is found by halving.
 * counted[0] = how many, more than `enough` only where many are equal; counted[1] = the bits of that equal value then.
 */
const findLargest = kernel('findLargest', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], (body, column, n, limit, enough, to, counted) => {
  const [c, mask, at, count, found, least, beyond, middle] = body.locals('i32', 8);
  const above = body.local('v128');
  return seq(
    least.set(int(0)),
    countAbove(body, column, n, least, count),
    above.set(spread4(float(0))),
    loop(c, n.get, 4, above.set(larger4(above.get, load4(entry(column, c))))),
    storeFloat(counted.get, largestOf4(above)),
    beyond.set(loadInt(counted.get)),
    loopWhile(andInt(below(enough.get, count.get), below(addInt(least.get, int(1)), beyond.get)), seq(
      middle.set(halfInt(addInt(least.get, beyond.get))),
      countAbove(body, column, n, middle, found),
      beyond.set(selectInt(middle.get, beyond.get, below(found.get, limit.get))),
      least.set(selectInt(least.get, middle.get, below(found.get, limit.get))),
      count.set(selectInt(count.get, found.get, below(found.get, limit.get))),
    )),
    storeInt(counted.get, count.get),
    storeInt(counted.get, beyond.get, 4),
    above.set(spreadInt4(least.get)),
    at.set(to.get),
    loop(c, n.get, 4, seq(
      mask.set(signs4(aboveInt4(load4(entry(column, c)), above.get))),
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
  readonly run: Record<'measure' | 'findLargest', (...values: number[]) => void>;
}

/**
 * Bytes between two columns. Where one place of all columns is written together, addresses that are equal but for whole
 * pages would get into each other's way in the nearest memory.
 */
const GAP = 320;

/** `length` is a multiple of four. */
export function columns(many: number, length: number): Columns {
  compiled ??= assemble([measure, findLargest]);
  const bytes = length * 4 + GAP;
  const memory = newMemory(Math.ceil(((many + 1) * bytes + 16) / 65_536));
  const each = Array.from({ length: many }, (_, column) => column * bytes);
  return {
    columns: each.map((at) => new Float32Array(memory.buffer, at, length)),
    bits: each.map((at) => new Int32Array(memory.buffer, at, length)),
    places: new Int32Array(memory.buffer, many * bytes, length),
    counts: new Int32Array(memory.buffer, (many + 1) * bytes, 2),
    sums: new Float32Array(memory.buffer, (many + 1) * bytes, 2),
    run: instantiate(compiled, memory, ['measure', 'findLargest']),
  };
}

/** Sum and largest of the first n of a column, into `sums`. */
export function sumAndMost({ run, columns: of, sums, counts }: Columns, column: number, n: number): Float32Array {
  if (n > 0) run.measure(of[column].byteOffset, n, counts.byteOffset);
  else sums.fill(0);
  return sums;
}

/**
 * The places of the `limit` largest positive values among the first `n`, in order of place, into `places`; of equal
 * ones the first. Returns how many there were.
 */
export const largest = (of: Columns, column: number, n: number, limit: number): number => find(of, column, n, limit, limit);

/** As many more may `largestAbout` find. */
export const SLACK = 12;

/** `largest`, and up to twelve of the next ones: who needs no exact number is answered sooner. */
export const largestAbout = (of: Columns, column: number, n: number, limit: number): number => find(of, column, n, limit, limit + SLACK);

function find({ run, columns: of, bits, places, counts }: Columns, column: number, n: number, limit: number, enough: number): number {
  if (n <= 0 || limit <= 0) return 0;
  run.findLargest(of[column].byteOffset, n, limit, enough, places.byteOffset, counts.byteOffset);
  const [count, equal] = counts;
  return count > enough ? dropEqual(bits[column], places, count, limit, equal) : count;
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
