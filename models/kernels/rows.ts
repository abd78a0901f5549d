/**
 * Kernels over unit rows of 64 floats, four lanes at a time: what an embedding step spends its time on.
 *
 * A row takes 68 floats: 64 of direction, the sum of its squared gradients, the path it has moved, two spare. They lie
 * in one memory behind a fixed workspace, so that growing the table moves nothing. A table of precision int8 has rows of
 * 68 bytes instead, which can be read and written but not stepped.
 */
import {
  add, add4, addInt, assemble, divide, float, instantiate, int, kernel, larger, load4, loadFloat, loadInt, loadSpread4, loop, root, seq,
  shift, spread4, store4, storeFloat, subtract, subtract4, sumOf4, times, times4, timesInt,
  newMemory, type Body, type Code, type Local, type Memory, type Module,
} from './assembler.js';
import * as int8 from './int8-rows.js';

export const DIMENSIONS = 64;
/** Floats from one row to the next. */
export const ROW = 68;
const SQUARES = 64;
const MOVED = 65;
const LANES = DIMENSIONS / 4;
const PAGE = 65_536;
/** Under the root of AdaGrad: a row's first step is at most the rate divided by 0.01. */
const EPSILON = 1e-4;

/** Byte addresses of the workspace; 256 entries each, and the rows behind it. */
const AT = { ids: 0, weights: 1024, out: 2048, user: 3072, gradient: 3328, rows: 4096 } as const;
export const MOST_IDS = 256;

function dotInto(a: Local, b: Local, left: (lane: number) => Code, right: (lane: number) => Code): Code {
  const parts: Code[] = [a.set(times4(left(0), right(0))), b.set(times4(left(1), right(1)))];
  for (let lane = 2; lane < LANES; lane++) {
    const sum = lane % 2 === 0 ? a : b;
    parts.push(sum.set(add4(sum.get, times4(left(lane), right(lane)))));
  }
  parts.push(a.set(add4(a.get, b.get)));
  return seq(...parts);
}

const eachLane = (write: (lane: number) => Code): Code => seq(...Array.from({ length: LANES }, (_, lane) => write(lane)));
const entry = (base: Code, i: Local): Code => addInt(base, shift(i.get, 2));
const rowAt = (ids: Local, i: Local, bytes = ROW * 4): Code => addInt(int(AT.rows), timesInt(loadInt(entry(ids.get, i)), int(bytes)));
const laneOf = (row: Local) => (lane: number): Code => load4(row.get, lane * 16);
const held = (registers: readonly Local[]) => (lane: number): Code => registers[lane].get;

function hold(body: Body, source: Local): { registers: Local[]; load: Code } {
  const registers = body.locals('v128', LANES);
  return { registers, load: eachLane((lane) => registers[lane].set(load4(source.get, lane * 16))) };
}

/** out[i] = rows[ids[i]]·u */
const dots = kernel('dots', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, u, out) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const { registers, load } = hold(body, u);
  return seq(load, loop(i, n.get, 1, seq(
    row.set(rowAt(ids, i)),
    dotInto(a, b, held(registers), laneOf(row)),
    storeFloat(entry(out.get, i), sumOf4(a)),
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
const weightedSum = kernel('weightedSum', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, weights, out) => {
  const [i, row] = body.locals('i32', 2);
  const weight = body.local('v128');
  const sums = body.locals('v128', LANES);
  return seq(
    eachLane((lane) => sums[lane].set(spread4(float(0)))),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i)),
      weight.set(loadSpread4(entry(weights.get, i))),
      eachLane((lane) => sums[lane].set(add4(sums[lane].get, times4(weight.get, laneOf(row)(lane))))),
    )),
    eachLane((lane) => store4(out.get, sums[lane].get, lane * 16)),
  );
});

/**
 * rows[ids[i]] take one AdaGrad step against the gradient g[i]·u, along the sphere; out[i] = rows[ids[i]]·u before it.
 *   tangent² = g²·(u·u − z²), squares += tangent², r = rate/√(squares + ε)
 *   row' = row·(1 + r·g·z) − r·g·u, scaled to length one
 * The new length comes from row·row, z and u·u without another pass. It must start from the true row·row: taking the row
 * for a unit row doubles its rounding error at each step, and a row that lies near u is infinite within a few dozen.
 */
const descend = kernel('descend', ['i32', 'i32', 'i32', 'i32', 'i32', 'f32'], (body, ids, n, u, g, out, rate) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const [uu, rr, z, gi, tangent, r, keep, take, length] = body.locals('f32', 9);
  const { registers, load } = hold(body, u);
  return seq(
    load,
    dotInto(a, b, held(registers), held(registers)),
    uu.set(sumOf4(a)),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i)),
      dotInto(a, b, held(registers), laneOf(row)),
      z.set(sumOf4(a)),
      storeFloat(entry(out.get, i), z.get),
      dotInto(a, b, laneOf(row), laneOf(row)),
      rr.set(sumOf4(a)),
      gi.set(loadFloat(entry(g.get, i))),
      tangent.set(times(times(gi.get, gi.get), larger(float(0), subtract(uu.get, times(z.get, z.get))))),
      r.set(add(loadFloat(row.get, SQUARES * 4), tangent.get)),
      storeFloat(row.get, r.get, SQUARES * 4),
      r.set(divide(rate.get, root(add(r.get, float(EPSILON))))),
      storeFloat(row.get, add(loadFloat(row.get, MOVED * 4), times(r.get, root(tangent.get))), MOVED * 4),
      take.set(times(r.get, gi.get)),
      keep.set(add(float(1), times(take.get, z.get))),
      length.set(root(larger(float(1e-12), add(
        subtract(times(times(keep.get, keep.get), rr.get), times(float(2), times(times(keep.get, take.get), z.get))),
        times(times(take.get, take.get), uu.get),
      )))),
      a.set(spread4(divide(keep.get, length.get))),
      b.set(spread4(divide(take.get, length.get))),
      eachLane((lane) => store4(row.get, subtract4(times4(a.get, laneOf(row)(lane)), times4(b.get, registers[lane].get)), lane * 16)),
    )),
  );
});

/** `dots` and `weightedSum` of int8 rows: the scale is put on last and first. */
const dots8 = kernel('dots', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, u, out) => {
  const [i, row] = body.locals('i32', 2);
  const [a, b] = body.locals('v128', 2);
  const { registers, load } = hold(body, u);
  return seq(load, loop(i, n.get, 1, seq(
    row.set(rowAt(ids, i, int8.ROW_BYTES)),
    dotInto(a, b, held(registers), int8.laneOf(row)),
    storeFloat(entry(out.get, i), times(sumOf4(a), loadFloat(row.get, int8.SCALE_AT))),
  )));
});

const weightedSum8 = kernel('weightedSum', ['i32', 'i32', 'i32', 'i32'], (body, ids, n, weights, out) => {
  const [i, row] = body.locals('i32', 2);
  const weight = body.local('v128');
  const sums = body.locals('v128', LANES);
  return seq(
    eachLane((lane) => sums[lane].set(spread4(float(0)))),
    loop(i, n.get, 1, seq(
      row.set(rowAt(ids, i, int8.ROW_BYTES)),
      weight.set(spread4(times(loadFloat(entry(weights.get, i)), loadFloat(row.get, int8.SCALE_AT)))),
      eachLane((lane) => sums[lane].set(add4(sums[lane].get, times4(weight.get, int8.laneOf(row)(lane))))),
    )),
    eachLane((lane) => store4(out.get, sums[lane].get, lane * 16)),
  );
});

const READING = ['dots', 'weightedSum'] as const;
const LEARNING = ['dotsInOrder', 'descend'] as const;
type Run = (...values: number[]) => void;
let compiled: Module | undefined;
let compiled8: Module | undefined;

/** How a row's numbers are kept. */
export type Precision = 'float32' | 'int8';

/** A growing table of rows and a workspace to name rows in. */
export interface Rows {
  readonly precision: Precision;
  readonly memory: Memory;
  /** Those that learn belong to single precision. */
  readonly run: Record<(typeof READING)[number], Run> & Partial<Record<(typeof LEARNING)[number], Run>>;
  /** Views, replaced when the memory grows. */
  ids: Int32Array;
  weights: Float32Array;
  out: Float32Array;
  user: Float32Array;
  gradient: Float32Array;
  /** All rows, as floats and as bytes. */
  table: Float32Array;
  bytes: Int8Array;
}

export function table(rows: number, precision: Precision = 'float32'): Rows {
  const memory = newMemory(pagesFor(rows, precision));
  const none = new Float32Array(0);
  const made: Rows = {
    precision, memory,
    run: precision === 'int8'
      ? instantiate(compiled8 ??= assemble([dots8, weightedSum8]), memory, READING)
      : instantiate(compiled ??= assemble([dots, weightedSum, dotsInOrder, descend]), memory, [...READING, ...LEARNING]),
    ids: new Int32Array(0), weights: none, out: none, user: none, gradient: none, table: none, bytes: new Int8Array(0),
  };
  view(made);
  return made;
}

/** Bytes from one row to the next. */
export const rowBytes = (precision: Precision): number => (precision === 'int8' ? int8.ROW_BYTES : ROW * 4);

/** Rows that fit without growing. */
export function capacity({ bytes, precision }: Rows): number {
  return Math.floor(bytes.length / rowBytes(precision));
}

/** The row's direction: of single precision a view that later steps change and a growing table voids, of int8 a copy. */
export function rowOf(rows: Rows, item: number): Float32Array {
  if (rows.precision === 'int8') return int8.read(rows.bytes, rows.table, item);
  return rows.table.subarray(item * ROW, item * ROW + DIMENSIONS);
}

/** Gives the row another direction, from which it has not moved yet. */
export function setRow(rows: Rows, item: number, vector: Float32Array): void {
  if (rows.precision === 'int8') return int8.write(rows.bytes, rows.table, item, vector);
  rows.table.set(vector.subarray(0, DIMENSIONS), item * ROW);
  rows.table.fill(0, item * ROW + SQUARES, item * ROW + MOVED + 1);
}

/** Makes room for at least `needed` rows. Old views of the memory are void after it. */
export function ensure(rows: Rows, needed: number): void {
  const has = capacity(rows);
  if (needed <= has) return;
  const pages = pagesFor(Math.max(needed, Math.ceil(has * 1.5)), rows.precision) - rows.memory.buffer.byteLength / PAGE;
  rows.memory.grow(pages);
  view(rows);
}

function view(rows: Rows): void {
  const { buffer } = rows.memory;
  rows.ids = new Int32Array(buffer, AT.ids, MOST_IDS);
  rows.weights = new Float32Array(buffer, AT.weights, MOST_IDS);
  rows.out = new Float32Array(buffer, AT.out, MOST_IDS);
  rows.user = new Float32Array(buffer, AT.user, DIMENSIONS);
  rows.gradient = new Float32Array(buffer, AT.gradient, DIMENSIONS);
  rows.table = new Float32Array(buffer, AT.rows);
  rows.bytes = new Int8Array(buffer, AT.rows);
}

function pagesFor(rows: number, precision: Precision): number {
  return Math.max(1, Math.ceil((AT.rows + rows * rowBytes(precision)) / PAGE));
}

/** out[0…n) = rows·user */
export function dotsWithUser(rows: Rows, n: number): void {
  if (n > 0) rows.run.dots(AT.ids, n, AT.user, AT.out);
}

/** products[0…items) = all rows·user */
export function dotsOfAll(rows: Rows, items: number, products: Float32Array): void {
  for (let first = 0; first < items; first += MOST_IDS) {
    const n = Math.min(MOST_IDS, items - first);
    if (rows.run.dotsInOrder) rows.run.dotsInOrder(AT.rows + first * ROW * 4, n, AT.user, AT.out);
    else dotsFrom(rows, first, n);
    products.set(n === MOST_IDS ? rows.out : rows.out.subarray(0, n), first);
  }
}

function dotsFrom({ ids, run }: Rows, first: number, n: number): void {
  for (let i = 0; i < n; i++) ids[i] = first + i;
  run.dots(AT.ids, n, AT.user, AT.out);
}

/** user = Σ weights·rows over the first n ids */
export function sumIntoUser(rows: Rows, n: number): void {
  if (n > 0) rows.run.weightedSum(AT.ids, n, AT.weights, AT.user);
  else rows.user.fill(0);
}

/** gradient = Σ weights·rows over the first n ids */
export function sumIntoGradient(rows: Rows, n: number): void {
  if (n > 0) rows.run.weightedSum(AT.ids, n, AT.weights, AT.gradient);
  else rows.gradient.fill(0);
}

/** The first n ids step against weights·user; out = their dot products with user before the step. */
export function stepAgainstUser(rows: Rows, n: number, rate: number): void {
  if (n > 0) descentOf(rows)(AT.ids, n, AT.user, AT.weights, AT.out, rate);
}

/** @throws RangeError for rows that can only be read */
function descentOf({ run }: Rows): Run {
  if (!run.descend) throw new RangeError('Rows of int8 can be placed and asked, not learned.');
  return run.descend;
}

/** The first n ids step against weights·gradient; out = their dot products with gradient before the step. */
export function stepAgainstGradient(rows: Rows, n: number, rate: number): void {
  if (n > 0) descentOf(rows)(AT.ids, n, AT.gradient, AT.weights, AT.out, rate);
}

export function squaresOf(rows: Rows, item: number): number {
  return rows.table[item * ROW + SQUARES];
}

export function movedOf(rows: Rows, item: number): number {
  return rows.table[item * ROW + MOVED];
}

export function setMoved(rows: Rows, item: number, value: number): void {
  rows.table[item * ROW + MOVED] = value;
}
