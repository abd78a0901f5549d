import { expect, test } from 'vitest';
import { randomness, uniform } from '../../../models/kernels/numbers.js';
import {
  capacity, DIMENSIONS, dotsOfAll, dotsWithUser, ensure, movedOf, normaliseUser, ROW, stepAgainstGradient, stepAgainstUser, sumIntoUser, table,
  type Rows,
} from '../../../models/kernels/rows.js';
import { SQUARES } from '../../../models/kernels/row-kernels.js';

const squaresOf = (rows: Rows, item: number): number => rows.table[item * ROW + SQUARES];

function unitRows(count: number): Rows {
  const rows = table(count);
  const random = randomness(2);
  for (let item = 0; item < count; item++) {
    const row = rowOf(rows, item);
    for (let k = 0; k < DIMENSIONS; k++) row[k] = uniform(random) - 0.5;
    const length = Math.hypot(...row);
    for (let k = 0; k < DIMENSIONS; k++) row[k] /= length;
  }
  return rows;
}

const rowOf = (rows: Rows, item: number): Float32Array => rows.table.subarray(item * ROW, item * ROW + DIMENSIONS);
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, k) => sum + value * b[k], 0);

test('sums and dot products are those of plain arithmetic', () => {
  const rows = unitRows(300);
  rows.ids.set([7, 299, 7]);
  rows.weights.set([1, 0.5, -2]);
  sumIntoUser(rows, 3);
  const expected = rowOf(rows, 7).map((value, k) => -value + 0.5 * rowOf(rows, 299)[k]);
  rows.user.forEach((value, k) => expect(value).toBeCloseTo(expected[k], 5));
  dotsWithUser(rows, 3);
  expect(rows.out[1]).toBeCloseTo(dot(expected, rowOf(rows, 299)), 4);
  const [ofSeven, ofLast] = rows.out;
  const all = new Float32Array(300);
  dotsOfAll(rows, 300, all);
  expect(all[299]).toBe(ofLast);
  expect(all[7]).toBe(ofSeven);
});

test('a vector is scaled to length one, and one of zeros stays as it is', () => {
  const rows = unitRows(2);
  rows.user.set(rowOf(rows, 1).map((value) => 3 * value));
  expect(normaliseUser(rows)).toBeCloseTo(3, 5);
  rows.user.forEach((value, k) => expect(value).toBeCloseTo(rowOf(rows, 1)[k], 6));
  rows.user.fill(0);
  expect(normaliseUser(rows)).toBe(0);
  expect(rows.user.every((value) => value === 0)).toBe(true);
});

/** One step in plain arithmetic, one row after the other: rows, what they gathered and their paths after it. */
function descended(row: Float32Array, u: Float32Array, g: number, gathered: number, rate: number): { row: Float32Array; squares: number; path: number } {
  const z = dot(row, u);
  const tangent = g * g * Math.max(0, dot(u, u) - z * z);
  const r = rate / Math.sqrt(gathered + tangent + 1e-4);
  const moved = row.map((value, k) => value * (1 + r * g * z) - r * g * u[k]);
  const length = Math.hypot(...moved);
  return { row: moved.map((value) => value / length), squares: gathered + tangent, path: r * Math.sqrt(tangent) };
}

function expectStepped(rows: Rows, item: number, expected: ReturnType<typeof descended>): void {
  rowOf(rows, item).forEach((value, k) => expect(value).toBeCloseTo(expected.row[k], 4));
  expect(squaresOf(rows, item)).toBeCloseTo(expected.squares, 3);
  expect(movedOf(rows, item)).toBeCloseTo(expected.path, 4);
}

test.each([1, 4, 7])('a step of a user against %d rows is softmax cross-entropy in plain arithmetic, and leaves the gradient for the clicks', (listed) => {
  const rows = unitRows(20);
  const length = 1.7;
  rows.user.set(rowOf(rows, 19));
  const user = Float32Array.from(rows.user);
  const ids = Int32Array.from({ length: listed }, (_, i) => 2 * i);
  const before = Array.from(ids, (item) => Float32Array.from(rowOf(rows, item)));
  const proposals = before.map((_, i) => 0.001 * (i + 1));
  rows.ids.set(ids);
  rows.proposals.set(proposals);
  stepAgainstUser(rows, listed, length, 10, 0.5, 0.3);
  const parts = before.map((row, i) => Math.exp(10 * dot(row, user)) / proposals[i]);
  const sum = parts.reduce((a, b) => a + b, 0);
  const weights = parts.map((part, i) => 5 * (part / sum - (i === 0 ? 1 : 0)));
  before.forEach((row, i) => expectStepped(rows, ids[i], descended(row, user, weights[i], 0, 0.3)));
  const gradient = user.map((_, k) => weights.reduce((total, weight, i) => total + weight * before[i][k], 0));
  const along = dot(gradient, user);
  rows.gradient.forEach((value, k) => expect(value).toBeCloseTo((gradient[k] - along * user[k]) / length, 3));
});

test('a step against the gradient moves rows by their weights, and adds to what they gathered', () => {
  const rows = unitRows(6);
  rows.gradient.set(rowOf(rows, 5).map((value) => 2 * value));
  const u = Float32Array.from(rows.gradient);
  const before = [3, 1].map((item) => Float32Array.from(rowOf(rows, item)));
  rows.ids.set([3, 1]);
  rows.weights.set([1, -0.5]);
  stepAgainstGradient(rows, 2, 0.3);
  expect(rows.out[1]).toBeCloseTo(dot(before[1], u), 4);
  expectStepped(rows, 3, descended(before[0], u, 1, 0, 0.3));
  expectStepped(rows, 1, descended(before[1], u, -0.5, 0, 0.3));
  const [gathered, again] = [squaresOf(rows, 3), Float32Array.from(rowOf(rows, 3))];
  rows.gradient.set(u);
  rows.weights.set([1, -0.5]);
  stepAgainstGradient(rows, 1, 0.3);
  expect(squaresOf(rows, 3)).toBeCloseTo(descended(again, u, 1, gathered, 0.3).squares, 3);
});

test('a row stays of unit length however often it is pushed from a direction it already has', () => {
  const rows = unitRows(2);
  rows.gradient.set(rowOf(rows, 1));
  rows.ids[0] = 1;
  rows.weights[0] = 3;
  for (let n = 0; n < 10_000; n++) stepAgainstGradient(rows, 1, 0.6);
  expect(Math.hypot(...rowOf(rows, 1))).toBeCloseTo(1, 4);
});

test('a growing table keeps its rows', () => {
  const rows = unitRows(5);
  const kept = Float32Array.from(rowOf(rows, 4));
  ensure(rows, 10_000);
  expect(capacity(rows)).toBeGreaterThanOrEqual(10_000);
  expect(rowOf(rows, 4)).toEqual(kept);
});
