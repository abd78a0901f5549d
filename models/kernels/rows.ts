/**
 * Kernels over unit rows of 64 floats, four lanes at a time: what an embedding step spends its time on.
 *
 * A row takes 68 floats: 64 of direction, the sum of its squared gradients, the path it has moved, two spare. They lie
 * in one memory behind a fixed workspace, so that growing the table moves nothing. A table of precision int8 has rows of
 * 68 bytes instead, which can be read and written but not stepped.
 */
import { assemble, instantiate, newMemory, type Memory, type Module } from './assembler.js';
import * as int8 from './int8-rows.js';
import { AT, DIMENSIONS, KERNELS, KERNELS8, MOST_IDS, MOVED, ROW, SQUARES, USERS } from './row-kernels.js';
import { STEP_KERNELS } from './step-kernels.js';

export { DIMENSIONS, MOST_IDS, ROW } from './row-kernels.js';
const PAGE = 65_536;

const READING = ['dots', 'dotsOfThree', 'weightedSum', 'normalise'] as const;
const LEARNING = ['dotsInOrder', 'compare', 'softmax', 'coefficients', 'move', 'project'] as const;
type Runs<Names extends readonly string[]> = Record<Names[number], (...values: number[]) => void>;
let compiled: Module | undefined;
let compiled8: Module | undefined;

/** How a row's numbers are kept. */
export type Precision = 'float32' | 'int8';

/** A growing table of rows and a workspace to name rows in. */
export interface Rows {
  readonly precision: Precision;
  readonly memory: Memory;
  readonly run: Runs<typeof READING>;
  /** Of single precision only. */
  readonly learning: Runs<typeof LEARNING> | undefined;
  /** Views, replaced when the memory grows. */
  ids: Int32Array;
  weights: Float32Array;
  out: Float32Array;
  /** By listed row: how often it is proposed, in any unit. */
  proposals: Float32Array;
  user: Float32Array;
  /** The length that the user had before it was scaled to one. */
  lengthOfUser: Float32Array;
  gradient: Float32Array;
  /** Three users one behind the other, and their products. */
  users: Float32Array;
  outs: readonly Float32Array[];
  /** All rows, as floats and as bytes. */
  table: Float32Array;
  bytes: Int8Array;
}

export function table(rows: number, precision: Precision = 'float32'): Rows {
  const memory = newMemory(pagesFor(rows, precision));
  const none = new Float32Array(0);
  const isRead = precision === 'int8';
  const module = isRead ? (compiled8 ??= assemble(KERNELS8)) : (compiled ??= assemble([...KERNELS, ...STEP_KERNELS]));
  const made: Rows = {
    precision, memory,
    run: instantiate(module, memory, READING),
    learning: isRead ? undefined : instantiate(module, memory, LEARNING),
    ids: new Int32Array(0), weights: none, out: none, proposals: none, user: none, lengthOfUser: none, gradient: none, users: none, outs: [], table: none, bytes: new Int8Array(0),
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
  rows.proposals = new Float32Array(buffer, AT.proposals, MOST_IDS);
  rows.user = new Float32Array(buffer, AT.user, DIMENSIONS);
  rows.lengthOfUser = new Float32Array(buffer, AT.user + DIMENSIONS * 4, 1);
  rows.gradient = new Float32Array(buffer, AT.gradient, DIMENSIONS);
  rows.users = new Float32Array(buffer, AT.users, USERS * DIMENSIONS);
  rows.outs = Array.from({ length: USERS }, (_, k) => new Float32Array(buffer, AT.outs + k * MOST_IDS * 4, MOST_IDS));
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

/** outs[k][0…n) = factor·rows·users[k] */
export function dotsWithUsers(rows: Rows, n: number, factor: number): void {
  if (n > 0) rows.run.dotsOfThree(AT.ids, n, AT.users, AT.outs, factor);
}

/** products[0…items) = all rows·user */
export function dotsOfAll(rows: Rows, items: number, products: Float32Array): void {
  for (let first = 0; first < items; first += MOST_IDS) {
    const n = Math.min(MOST_IDS, items - first);
    if (rows.learning) rows.learning.dotsInOrder(AT.rows + first * ROW * 4, n, AT.user, AT.out);
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

/** Scales the user to length one and returns the length it had; a zero vector stays zero. */
export function normaliseUser({ run, lengthOfUser }: Rows): number {
  run.normalise(AT.user);
  return lengthOfUser[0];
}

/**
 * The first n ids, each of which is listed once, step by softmax cross-entropy: of `scale`·cosine with the unit user, less
 * the logarithm of `proposals`; the first is the one that should win. `gradient` is the loss's for the user before it was
 * scaled from `length`.
 * @throws RangeError for rows that can only be read
 */
export function stepAgainstUser(rows: Rows, n: number, length: number, scale: number, weight: number, rate: number): void {
  const { out, proposals } = rows;
  const run = learningOf(rows);
  run.compare(AT.ids, n, AT.user);
  // The last four are looked at together: what is no row takes no part.
  for (let i = n; (i & 3) !== 0; i++) {
    out[i] = -1e9;
    proposals[i] = 1;
  }
  run.softmax(n, scale, scale * weight);
  run.coefficients(n, AT.user, rate);
  run.move(AT.ids, n, AT.user, AT.gradient);
  run.project(AT.gradient, AT.user, length);
}

/** The first n ids, each of which is listed once, step against weights·gradient; out = their dot products with it before the step. The user is void after it. */
export function stepAgainstGradient(rows: Rows, n: number, rate: number): void {
  const run = learningOf(rows);
  run.compare(AT.ids, n, AT.gradient);
  run.coefficients(n, AT.gradient, rate);
  run.move(AT.ids, n, AT.gradient, AT.user);
}

function learningOf({ learning }: Rows): Runs<typeof LEARNING> {
  if (!learning) throw new RangeError('Rows of int8 can be placed and asked, not learned.');
  return learning;
}

export function movedOf(rows: Rows, item: number): number {
  return rows.table[item * ROW + MOVED];
}

export function setMoved(rows: Rows, item: number, value: number): void {
  rows.table[item * ROW + MOVED] = value;
}
