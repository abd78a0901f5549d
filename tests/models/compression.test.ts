import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as embedding from '../../models/embedding.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import * as rows from '../../models/kernels/rows.js';
import { bytesOf, prune, sparse, type Sparse } from '../../models/pruning.js';

const vectors = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 64, maxLength: 64 }).map((list) => Float32Array.from(list));

function dense({ length, places, values }: Sparse): Float32Array {
  const all = new Float32Array(length);
  places.forEach((at, n) => { all[at] = values[n]; });
  return all;
}

function cloud(items: number): { exact: embedding.Embedding; small: embedding.Embedding } {
  const exact = embedding.init({ seed: 3 });
  const small = embedding.init({ precision: 'int8' });
  for (let item = 0; item < items; item++) {
    embedding.learn(exact, Int32Array.of(), item);
    embedding.place(small, item, embedding.vectorOf(exact, item)!);
  }
  return { exact, small };
}

describe('vectors in whole numbers', () => {
  test('are off by at most half a step, and a row of zeros stays so', () => {
    const table = rows.table(3, 'int8');
    fc.assert(fc.property(vectors, (vector) => {
      rows.setRow(table, 2, vector);
      const step = Math.max(...vector.map(Math.abs)) / 127;
      rows.rowOf(table, 2).forEach((value, k) => expect(Math.abs(value - vector[k])).toBeLessThanOrEqual(step / 2 + 1e-5));
      expect(rows.rowOf(table, 1).every((value) => value === 0)).toBe(true);
    }));
    rows.setRow(table, 0, new Float32Array(64).fill(Number.NaN));
    expect(rows.rowOf(table, 0).every((value) => value === 0)).toBe(true);
  });

  test('are summed and multiplied as plain arithmetic does, one by one and in a scan', () => {
    const table = rows.table(300, 'int8');
    const random = randomness(5);
    for (let item = 0; item < 300; item++) rows.setRow(table, item, Float32Array.from({ length: 64 }, () => uniform(random) - 0.5));
    table.ids.set([7, 299]);
    table.weights.set([1, -2]);
    rows.sumIntoUser(table, 2);
    const expected = rows.rowOf(table, 7).map((value, k) => value - 2 * rows.rowOf(table, 299)[k]);
    table.user.forEach((value, k) => expect(value).toBeCloseTo(expected[k], 5));
    rows.dotsWithUser(table, 2);
    expect(table.out[1]).toBeCloseTo(rows.rowOf(table, 299).reduce((sum, value, k) => sum + value * expected[k], 0), 4);
    const all = new Float32Array(300);
    const [seven, last] = table.out;
    rows.dotsOfAll(table, 300, all);
    expect([all[7], all[299]]).toEqual([seven, last]);
  });

  test('say nearly the same of every item, and cannot be learned', () => {
    const { exact, small } = cloud(400);
    const items = Int32Array.from({ length: 200 }, (_, item) => item);
    const said = [exact, small].map((state) => {
      const out = new Float32Array(200);
      embedding.predictMany(state, Int32Array.of(3, 17, 250), items, 200, out);
      return out;
    });
    // Half a step is 1/254 of the largest of 64 numbers, and errors of 64 products go both ways.
    said[0].forEach((logit, item) => expect(Math.abs(logit - said[1][item])).toBeLessThan(0.15));
    expect(said[0].some((logit) => Math.abs(logit) > 2)).toBe(true);
    expect(() => { for (const item of [1, 2]) embedding.learn(small, Int32Array.of(5), item); }).toThrow(/int8/);
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
