import fc from 'fast-check';
import { expect, test } from 'vitest';
import { add, ensure, forget, init, packed, SLOTS, unpacked, type TransitionRows } from '../../../models/kernels/transition-rows.js';

const additions = fc.array(fc.record({
  item: fc.integer({ min: 0, max: 3 }), neighbour: fc.integer({ min: 0, max: 140 }), weight: fc.integer({ min: 1, max: 40 }),
}), { maxLength: 500 });

function filled(given: readonly { item: number; neighbour: number; weight: number }[]): TransitionRows {
  const rows = init();
  ensure(rows, 141);
  for (const { item, neighbour, weight } of given) add(rows, item, neighbour, weight);
  return rows;
}

const rowOf = ({ ids, weights, offset, length }: TransitionRows, item: number): [number, number][] =>
  Array.from({ length: length[item]! }, (_, at) => [ids[offset[item]! + at]!, weights[offset[item]! + at]!]);

test('a row names each neighbour once, the heaviest first, and never more than fit', () => {
  fc.assert(fc.property(additions, (given) => {
    const rows = filled(given);
    for (let item = 0; item < 4; item++) {
      const row = rowOf(rows, item);
      expect(row.length).toBeLessThanOrEqual(SLOTS);
      expect(new Set(row.map(([id]) => id)).size).toBe(row.length);
      expect(row.every(([, weight], at) => at === 0 || weight <= row[at - 1]![1])).toBe(true);
    }
  }));
});

test('while there is room a row holds what was added to it', () => {
  fc.assert(fc.property(additions, (given) => {
    const few = given.filter(({ neighbour }) => neighbour < SLOTS);
    const rows = filled(few);
    for (let item = 0; item < 4; item++) {
      const sums = new Map<number, number>();
      for (const one of few) if (one.item === item) sums.set(one.neighbour, (sums.get(one.neighbour) ?? 0) + one.weight);
      expect(new Map(rowOf(rows, item))).toEqual(sums);
    }
  }));
});

test('order outlives a forgotten neighbour and a snapshot', () => {
  fc.assert(fc.property(additions, fc.integer({ min: 0, max: 140 }), (given, gone) => {
    const rows = filled(given);
    const left = Array.from({ length: 4 }, (_, item) => (item === gone ? [] : rowOf(rows, item).filter(([id]) => id !== gone)));
    forget(rows, Int32Array.of(gone));
    const copy = unpacked(packed(rows));
    left.forEach((row, item) => {
      expect(rowOf(rows, item)).toEqual(row);
      expect(rowOf(copy, item)).toEqual(row);
    });
  }));
});
