/**
 * The loops over unit rows of 64 floats, four lanes at a time, that `rows.ts` runs: products and sums.
 *
 * All addresses are bytes of one memory: a workspace of fixed size, then the rows. A row takes 68 floats, the last four
 * for the sum of its squared gradients, the path it has moved, and two spare ones; of int8 it takes 68 bytes. Rows are
 * listed at random and mostly far from the processor: they are asked for all at once before the first is used.
 */
import {
  add4, addInt, divide4, float, int, kernel, larger, load4, loadFloat, loadInt, loop, or4, root, seq, shift, spread4, store4,
  storeFloat, sumOf4, times, times4, timesInt,
  type Body, type Code, type Kernel, type Local,
} from './assembler.js';
import * as int8 from './int8-rows.js';

export const DIMENSIONS = 64;
/** Floats from one row to the next. */
export const ROW = 68;
export const SQUARES = 64;
export const MOVED = 65;
export const LANES = DIMENSIONS / 4;
/** Bytes that come from memory together. */
const LINE = 64;

/** Byte addresses of the workspace: arrays of 256 entries, vectors (the user's with its length behind it), and the rows behind it. */
export const AT = {
  ids: 0, weights: 1024, out: 2048, lengths: 3072, squares: 4096, keep: 5120, take: 6144, proposals: 7168,
  user: 8192, gradient: 8512, users: 8768, outs: 9536, spare: 12_608, rows: 12_672,
} as const;
export const MOST_IDS = 256;
export const USERS = 3;

function dotInto(a: Local, b: Local, left: (lane: number) => Code, right: (lane: number) => Code): Code {
  const parts: Code[] = [a.set(times4(left(0), right(0))), b.set(times4(left(1), right(1)))];
  for (let lane = 2; lane < LANES; lane++) {
    const sum = lane % 2 === 0 ? a : b;
    parts.push(sum.set(add4(sum.get, times4(left(lane), right(lane)))));
  }
  parts.push(a.set(add4(a.get, b.get)));
  return seq(...parts);
}

export const eachLane = (write: (lane: number) => Code): Code => seq(...Array.from({ length: LANES }, (_, lane) => write(lane)));
export const entry = (base: Code, i: Local): Code => addInt(base, shift(i.get, 2));
export const rowAt = (ids: Local, i: Local, bytes = ROW * 4): Code => addInt(int(AT.rows), timesInt(loadInt(entry(ids.get, i)), int(bytes)));
export const laneOf = (row: Local) => (lane: number): Code => load4(row.get, lane * 16);
const held = (registers: readonly Local[]) => (lane: number): Code => registers[lane].get;

/** Asks memory for all listed rows, which come side by side: one after the other as they are used takes twice as long. */
export function fetched(body: Body, ids: Local, n: Local, bytes: number): Code {
  const [i, row] = body.locals('i32', 2);
  const all = body.local('v128');
  const places = [...Array.from({ length: Math.floor(bytes / LINE) }, (_, line) => line * LINE), ...(bytes % LINE > 0 ? [bytes - 16] : [])];
  return seq(
    loop(i, n.get, 1, seq(row.set(rowAt(ids, i, bytes)), ...places.map((at) => all.set(or4(all.get, load4(row.get, at)))))),
    // Loads whose values nobody needs might be left out.
    store4(int(AT.spare), all.get),
  );
}

function hold(body: Body, source: Local): { registers: Local[]; load: Code } {
  const registers = body.locals('v128', LANES);
  return { registers, load: eachLane((lane) => registers[lane].set(load4(source.get, lane * 16))) };
}

/** How a row lies in memory: its bytes, its lanes as floats, and a product with it as it is meant. */
interface Form {
  readonly bytes: number;
  readonly lanesOf: (row: Local) => (lane: number) => Code;
  readonly scaled: (row: Local, product: Code) => Code;
}

const SINGLE: Form = { bytes: ROW * 4, lanesOf: laneOf, scaled: (_, product) => product };
/** The scale of int8 rows is put on last of a product, and first of a sum. */
const INT8: Form = { bytes: int8.ROW_BYTES, lanesOf: int8.laneOf, scaled: (row, product) => times(product, loadFloat(row.get, int8.SCALE_AT)) };

/** out[i] = rows[ids[i]]·u */
const dots = ({ bytes, lanesOf, scaled }: Form): Kernel => kernel('dots', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, u, out) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const { registers, load } = hold(body, u);
  return seq(load, loop(i, n.get, 1, seq(
    row.set(rowAt(ids, i, bytes)),
    dotInto(a, b, held(registers), lanesOf(row)),
    storeFloat(entry(out.get, i), scaled(row, sumOf4(a))),
  )));
});

/** outs[k][i] = factor·rows[ids[i]]·users[k] for three: a row is fetched once, which takes longer than the arithmetic. */
const dotsOfThree = ({ bytes, lanesOf, scaled }: Form): Kernel =>
  kernel('dotsOfThree', ['i32', 'i32', 'i32', 'i32', 'f32'], (body, ids, n, users, outs, factor) => {
    const [i, row, out] = body.locals('i32', 3);
    const value = body.local('v128');
    const sums = body.locals('v128', USERS);
    const user = (k: number, lane: number): Code => load4(users.get, (k * DIMENSIONS + lane * 4) * 4);
    return seq(fetched(body, ids, n, bytes), loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i, bytes)),
      out.set(entry(outs.get, i)),
      eachLane((lane) => seq(
        value.set(lanesOf(row)(lane)),
        ...sums.map((sum, k) => sum.set(lane === 0 ? times4(value.get, user(k, lane)) : add4(sum.get, times4(value.get, user(k, lane))))),
      )),
      ...sums.map((sum, k) => storeFloat(out.get, times(factor.get, scaled(row, sumOf4(sum))), k * MOST_IDS * 4)),
    )));
  });

/** out[i] = rows[first + i]·u, for rows that lie one behind the other from an address on. */
const dotsInOrder = kernel('dotsInOrder', ['i32', 'i32', 'i32', 'i32'], (body, from, n, u, out) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const { registers, load } = hold(body, u);
  return seq(load, row.set(from.get), loop(i, n.get, 1, seq(
    dotInto(a, b, held(registers), laneOf(row)),
    storeFloat(entry(out.get, i), sumOf4(a)),
    row.set(addInt(row.get, int(ROW * 4))),
  )));
});

/** out = Σ_i weights[i]·rows[ids[i]] */
const weightedSum = ({ bytes, lanesOf, scaled }: Form): Kernel => kernel('weightedSum', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, weights, out) => {
  const [i, row] = body.locals('i32', 2);
  const weight = body.local('v128');
  const sums = body.locals('v128', LANES);
  return seq(
    eachLane((lane) => sums[lane].set(spread4(float(0)))),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i, bytes)),
      weight.set(spread4(scaled(row, loadFloat(entry(weights.get, i))))),
      eachLane((lane) => sums[lane].set(add4(sums[lane].get, times4(weight.get, lanesOf(row)(lane))))),
    )),
    eachLane((lane) => store4(out.get, sums[lane].get, lane * 16)),
  );
});

/** vector is scaled to length one, and the length it had stands behind it; a zero vector stays zero. */
const normalise = kernel('normalise', ['i32'], (body, vector) => {
  const [a, factor] = body.locals('v128', 2);
  const length = body.local('f32');
  const { registers, load } = hold(body, vector);
  return seq(
    load,
    a.set(spread4(float(0))),
    eachLane((lane) => a.set(add4(a.get, times4(registers[lane].get, registers[lane].get)))),
    length.set(root(sumOf4(a))),
    storeFloat(vector.get, length.get, DIMENSIONS * 4),
    factor.set(spread4(larger(length.get, float(1e-12)))),
    eachLane((lane) => store4(vector.get, divide4(registers[lane].get, factor.get), lane * 16)),
  );
});

/** What rows of single precision can do, and what rows of int8 can. */
export const KERNELS = [dots(SINGLE), dotsOfThree(SINGLE), weightedSum(SINGLE), normalise, dotsInOrder];
export const KERNELS8 = [dots(INT8), dotsOfThree(INT8), weightedSum(INT8), normalise];
