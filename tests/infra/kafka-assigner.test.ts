import fc from 'fast-check';
import { expect, test } from 'vitest';
import { share, tooFewPartitions } from '../../infra/kafka-log/assigner.js';

const sizes = (shares: ReadonlyMap<string, readonly number[]>): number[] => [...shares.values()].map(({ length }) => length).sort();

test('every partition goes to one member, and counts differ by one at most, whatever members claim to own', () => {
  const claims = fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), fc.array(fc.integer({ min: -2, max: 40 }), { maxLength: 12 }), { minKeys: 1, maxKeys: 8 });
  fc.assert(fc.property(fc.integer({ min: 0, max: 36 }), claims, (partitions, had) => {
    const shares = share(partitions, new Map(Object.entries(had)));
    expect([...shares.values()].flat().sort((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, p) => p));
    const counts = sizes(shares);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  }));
});

test('a member that joins takes its share and no more; the rest stays where it is', () => {
  const before = share(12, new Map([['a', []], ['b', []], ['c', []]]));
  const after = share(12, new Map([...before, ['d', []]]));
  expect(sizes(after)).toEqual([3, 3, 3, 3]);
  for (const [member, partitions] of before) {
    expect(after.get(member)!.filter((p) => !partitions.includes(p))).toEqual([]);
  }
});

test('a fifth member beside four with three partitions each does not go empty', () => {
  const four = share(12, new Map(['a', 'b', 'c', 'd'].map((member): [string, number[]] => [member, []])));
  expect(sizes(share(12, new Map([...four, ['e', []]])))).toEqual([2, 2, 2, 3, 3]);
});

test('members that stay keep everything when another leaves', () => {
  const before = share(12, new Map([['a', []], ['b', []], ['c', []]]));
  const after = share(12, new Map([...before].filter(([member]) => member !== 'b')));
  for (const member of ['a', 'c']) expect(after.get(member)).toEqual(expect.arrayContaining(before.get(member)!));
});

test('topics with too few partitions are refused by name', () => {
  expect(tooFewPartitions([['clicks', 12], ['orders', 13]], 12)).toBeUndefined();
  expect(tooFewPartitions([['clicks', 12], ['orders', 8]], 12)?.message).toMatch(/12 partitions each, but orders has 8/);
});
