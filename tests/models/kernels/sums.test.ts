import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addScaled, drain, ensure, sums } from '../../../models/kernels/sums.js';

const terms = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 9 })), { maxLength: 300 });

test('sums are those of plain arithmetic, and nothing is left of them for the next', () => {
  const of = sums();
  fc.assert(fc.property(terms, fc.constantFrom(0.5, 1, 2), (given, factor) => {
    ensure(of, 61);
    addScaled(of, Int32Array.from(given, ([item]) => item), Float32Array.from(given, ([, weight]) => weight), 0, given.length, factor);
    const expected = new Map<number, number>();
    for (const [item, weight] of given) expected.set(item, (expected.get(item) ?? 0) + factor * weight);
    const count = drain(of);
    // An item whose first terms were 0 may be listed twice, the second time with nothing.
    const found = new Map<number, number>();
    for (let i = 0; i < count; i++) found.set(of.touched[i]!, (found.get(of.touched[i]!) ?? 0) + of.drained.columns[0]![i]!);
    expect(found).toEqual(expected);
    expect(of.values.every((value) => value === 0)).toBe(true);
  }));
});

test('what was touched first stands first', () => {
  const of = sums();
  ensure(of, 10);
  addScaled(of, Int32Array.of(7, 3, 7, 9), Float32Array.of(1, 1, 1, 1), 0, 4, 1);
  expect(drain(of)).toBe(3);
  expect([...of.touched.subarray(0, 3)]).toEqual([7, 3, 9]);
  expect([...of.drained.columns[0]!.subarray(0, 3)]).toEqual([2, 1, 1]);
});
