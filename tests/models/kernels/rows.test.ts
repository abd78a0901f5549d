import { expect, test } from 'vitest';
import { randomness, uniform } from '../../../models/kernels/numbers.js';
import {
  capacity, DIMENSIONS, dotsOfAll, dotsWithUser, ensure, movedOf, ROW, squaresOf, stepAgainstUser, sumIntoUser, table, type Rows,
} from '../../../models/kernels/rows.js';

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

test('a step goes down the gradient along the sphere, and counts what it did', () => {
  const rows = unitRows(3);
  const before = Float32Array.from(rowOf(rows, 1));
  rows.user.set(rowOf(rows, 0));
  rows.ids[0] = 1;
  rows.weights[0] = 2;
  stepAgainstUser(rows, 1, 0.3);
  const after = rowOf(rows, 1);
  expect(Math.hypot(...after)).toBeCloseTo(1, 5);
  expect(dot(after, rows.user)).toBeLessThan(dot(before, rows.user));
  expect(squaresOf(rows, 1)).toBeCloseTo(4 * (1 - dot(before, rows.user) ** 2), 4);
  expect(movedOf(rows, 1)).toBeCloseTo(0.3, 2);
});

test('a row stays of unit length however often it is pushed from a direction it already has', () => {
  const rows = unitRows(2);
  rows.user.set(rowOf(rows, 1));
  rows.ids.fill(1);
  rows.weights.fill(3);
  for (let n = 0; n < 200; n++) stepAgainstUser(rows, 64, 0.6);
  expect(Math.hypot(...rowOf(rows, 1))).toBeCloseTo(1, 4);
});

test('a growing table keeps its rows', () => {
  const rows = unitRows(5);
  const kept = Float32Array.from(rowOf(rows, 4));
  ensure(rows, 10_000);
  expect(capacity(rows)).toBeGreaterThanOrEqual(10_000);
  expect(rowOf(rows, 4)).toEqual(kept);
});
