import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Latest } from '../../../models/kernels/latest.js';

test('the latest keys stay, each with its last value, in the order in which they first came', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 60 }), (keys) => {
    const latest = new Latest<number>(5);
    const expected = new Map<string, number>();
    keys.forEach((key, at) => {
      latest.set(`${key}`, at);
      expected.set(`${key}`, at);
      if (expected.size > 5) expected.delete([...expected.keys()][0]!);
    });
    expect([...latest]).toEqual([...expected]);
  }));
});

test('a deleted key is gone, may come again, and pushes nobody out', () => {
  const latest = new Latest<string>(3);
  for (const key of ['a', 'b', 'c']) latest.set(key, key);
  latest.delete('b');
  latest.delete('never there');
  expect([...latest]).toEqual([['a', 'a'], ['c', 'c']]);
  latest.set('d', 'd');
  expect([...latest].map(([key]) => key)).toEqual(['c', 'd']);
  latest.set('b', 'again');
  expect(latest.get('b')).toBe('again');
  expect([...latest].map(([key]) => key)).toEqual(['c', 'd', 'b']);
  latest.set('e', 'e');
  expect([...latest].map(([key]) => key)).toEqual(['d', 'b', 'e']);
});
