import fc from 'fast-check';
import { expect, test } from 'vitest';
import { top } from '../../../models/kernels/candidates.js';
import { columns, largest, largestAbout, SLACK, sumAndMost } from '../../../models/kernels/columns.js';

const space = columns(2, 1_024);
const sorted = new Int32Array(1_024);

/** Few different values, so that many are equal; and values of any size. */
const values = fc.oneof(
  fc.array(fc.constantFrom(0, 0, 1, 2, 3), { maxLength: 600 }),
  fc.array(fc.integer({ min: -60, max: 60 }).map((power) => 2 ** power), { maxLength: 600 }),
  fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { maxLength: 600 }),
);

test('the largest few are those that sorting finds, of equal ones the first', () => {
  fc.assert(fc.property(values, fc.integer({ min: -1, max: 140 }), (given, limit) => {
    const column = space.columns[1]!;
    column.fill(0).set(given);
    const count = largest(space, 1, given.length, limit);
    const expected = [...sorted.subarray(0, top(column, given.length, limit, sorted))].sort((a, b) => a - b);
    expect([...space.places.subarray(0, count)]).toEqual(expected);
  }), { numRuns: 300 });
});

test('the largest few and some more hold the largest few, and at most twelve others', () => {
  fc.assert(fc.property(values, fc.integer({ min: 1, max: 140 }), (given, limit) => {
    space.columns[1]!.fill(0).set(given);
    const exact = [...space.places.subarray(0, largest(space, 1, given.length, limit))];
    const about = new Set(space.places.subarray(0, largestAbout(space, 1, given.length, limit)));
    expect(about.size).toBeLessThanOrEqual(limit + SLACK);
    expect(exact.every((place) => about.has(place))).toBe(true);
  }));
});

test('sum and largest of a column, and of an empty one zeros', () => {
  space.columns[0]!.fill(0).set([1, 5, 0.25, 0, 2]);
  expect([...sumAndMost(space, 0, 5)]).toEqual([8.25, 5]);
  expect([...sumAndMost(space, 0, 0)]).toEqual([0, 0]);
});
