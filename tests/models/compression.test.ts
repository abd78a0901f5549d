import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as int8 from '../../models/int8-vectors.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import { bytesOf, dense, prune, sparse } from '../../models/pruning.js';

const vectors = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 8, maxLength: 8 });

function cloud(items: number): { state: int8.Int8Vectors; rows: Float32Array[] } {
  const random = randomness(3);
  const rows = Array.from({ length: items }, () => {
    const row = Float32Array.from({ length: 64 }, () => uniform(random) + uniform(random) + uniform(random) - 1.5);
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  });
  const state = int8.init(64);
  rows.forEach((row, item) => int8.put(state, item, row));
  return { state, rows };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, value, k) => sum + value * b[k], 0);

describe('vectors in whole numbers', () => {
  test('are off by at most half a step, and a row of zeros stays so', () => {
    fc.assert(fc.property(vectors, (vector) => {
      const state = int8.init(8);
      int8.put(state, 2, vector);
      const out = new Float32Array(8);
      int8.read(state, 2, out);
      const step = Math.max(...vector.map(Math.abs)) / 127;
      vector.forEach((value, k) => expect(Math.abs(value - out[k])).toBeLessThanOrEqual(step / 2 + 1e-5));
      int8.read(state, 0, out);
      expect(out.every((value) => value === 0)).toBe(true);
    }));
  });

  test('find nearly the same items, and with the best ranked anew the very same', () => {
    const { state, rows } = cloud(2_000);
    let same = 0;
    let anew = 0;
    for (let q = 0; q < 20; q++) {
      const query = rows[q * 7].map((value, k) => value + 0.3 * rows[q + 100][k]);
      const exact = rows.map((row, item) => ({ item, product: dot(row, query) })).sort((a, b) => b.product - a.product).slice(0, 20).map(({ item }) => item);
      const found = int8.nearest(state, query, { limit: 20 });
      same += found.filter((item) => exact.includes(item)).length;
      const again = int8.nearest(state, query, { limit: 20, among: 60, exactOf: (item) => dot(rows[item], query) });
      anew += again.filter((item) => exact.includes(item)).length;
    }
    expect(same / 400).toBeGreaterThan(0.95);
    expect(anew).toBe(400);
    expect(int8.bytesOf(state)).toBe(2_000 * 68);
  });

  test('take what is not finite for nothing, and are restored as they were', () => {
    const state = int8.init(4);
    int8.put(state, 0, [Number.NaN, 1, Infinity, -0.5]);
    expect(int8.predict(state, [1, 1, 1, 1], 0)).toBeCloseTo(0.5, 2);
    expect(int8.predict(state, [1, 1, 1, 1], 99)).toBe(0);
    const again = int8.restore(int8.snapshot(state));
    expect(int8.predict(again, [1, 2, 3, 4], 0)).toBe(int8.predict(state, [1, 2, 3, 4], 0));
    int8.put(again, 5, [1, 0, 0, 0]);
    int8.forget(again, 0);
    expect(int8.nearest(again, [1, 1, 1, 1], { limit: 3 })).toEqual([5]);
    expect(() => int8.restore(Uint8Array.of(1))).toThrow(/snapshot/);
  });
});

describe('pruning', () => {
  const weights = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 200 }).map((list) => Float32Array.from(list));

  test('drops exactly its share, none of them larger than one that is kept', () => {
    fc.assert(fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
      const left = Float32Array.from(all);
      expect(prune(left, share)).toBe(Math.floor(share * all.length));
      const gone = Math.max(0, ...all.filter((value, at) => left[at] !== value).map(Math.abs));
      const kept = left.filter((value) => value !== 0).map(Math.abs);
      expect(kept.every((value) => value >= gone)).toBe(true);
    }));
  });

  test('leaves pairs that unfold to the same weights, in less memory once a third is gone', () => {
    fc.assert(fc.property(weights, (all) => {
      prune(all, 0.5);
      // −0 is a weight of nothing as well.
      expect(dense(sparse(all)).map((value) => value + 0)).toEqual(all.map((value) => value + 0));
    }));
    const half = new Float32Array(900).fill(1);
    prune(half, 0.5);
    expect(bytesOf(sparse(half))).toBe(450 * 6);
  });
});
