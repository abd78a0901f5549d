import { expect, test } from 'vitest';
import { different, isAmong } from '../../../models/kernels/different.js';

test('each item once, where it was clicked last, of as many clicks as are asked for', () => {
  const recent = Int32Array.of(3, 5, 3, 3, 8, 5, 1);
  expect([...different(recent, 50)]).toEqual([3, 5, 8, 1]);
  expect([...different(recent, 4)]).toEqual([3, 5]);
  expect([...different(recent, 0)]).toEqual([]);
  expect([...different(new Int32Array(0), 8)]).toEqual([]);
});

test('an item is among clicks wherever it stands', () => {
  const recent = Int32Array.of(3, 5, 3, 8);
  expect([3, 5, 8, 1].map((item) => isAmong(recent, item))).toEqual([true, true, true, false]);
  expect(isAmong(new Int32Array(0), 3)).toBe(false);
});
