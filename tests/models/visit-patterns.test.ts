import fc from 'fast-check';
import { expect, test } from 'vitest';
import { init, KINDS, kindOf, learn, NEW, predict } from '../../models/visit-patterns.js';

const after = (...items: number[]): Int32Array => Int32Array.from(items);
const chances = (state: ReturnType<typeof init>, ...recent: number[]): Float64Array => {
  const out = new Float64Array(KINDS);
  predict(state, after(...recent), out);
  return out;
};

test('an item is told by its place among the different clicks, the latest first', () => {
  const recent = after(7, 8, 7, 9, 8);
  expect([7, 8, 9, 10].map((item) => kindOf(recent, item))).toEqual([0, 1, 2, NEW]);
  expect(kindOf(Int32Array.from({ length: 20 }, (_, n) => n), 19)).toBe(NEW - 1);
  expect(kindOf(Int32Array.from({ length: 30 }, (_, n) => n), 25)).toBe(NEW);
});

test('who goes to and fro between two items is expected to go on so, whatever the items', () => {
  const state = init();
  for (let n = 0; n < 50; n++) {
    learn(state, after(n, n + 100, n, n + 100), n + 100);
    learn(state, after(n, n + 100, n + 200, n + 300), n + 400);
  }
  expect(chances(state, 1, 2, 1, 2)[1]).toBeGreaterThan(0.7);
  expect(chances(state, 1, 2, 3, 4)[NEW]).toBeGreaterThan(0.7);
});

test('a pattern that is the whole visit is told from the same one with clicks before it', () => {
  const state = init();
  for (let n = 0; n < 50; n++) {
    learn(state, after(1), 1);
    learn(state, after(1, 2), 3);
  }
  expect(chances(state, 5)[0]).toBeGreaterThan(0.7);
  expect(chances(state, 5, 6)[NEW]).toBeGreaterThan(0.7);
});

test('what was never seen is answered by the next shorter pattern, and a state that learned nothing by a tenth each', () => {
  const state = init();
  for (const chance of chances(state, 1, 2)) expect(chance).toBeCloseTo(0.1, 10);
  for (let n = 0; n < 50; n++) learn(state, after(1, 1, 2), 1);
  expect(chances(state, 3, 3, 3, 4)[0]).toBeGreaterThan(0.7);
});

test('every pattern of six clicks has counts of its own', () => {
  fc.assert(fc.property(
    fc.array(fc.nat(5), { minLength: 6, maxLength: 6 }), fc.array(fc.nat(5), { minLength: 6, maxLength: 6 }),
    (a, b) => {
      const told = (clicks: number[]): string => clicks.map((item) => clicks.indexOf(item)).join(' ');
      fc.pre(told(a) !== told(b));
      const state = init();
      for (let n = 0; n < 100; n++) learn(state, after(...a, 9), 50);
      const own = [...state.counts];
      learn(state, after(...b, 9), 50);
      // Seven patterns are counted, of no click to six; the last of them is not one of the first visitor's.
      expect(own.filter((count, at) => count !== state.counts[at])).toContain(0);
    },
  ));
});

test('chances are positive and sum to one, and old habits give way', () => {
  const state = init();
  for (let n = 0; n < 300_000; n++) learn(state, after(1, 2), 1);
  const before = chances(state, 1, 2)[0];
  for (let n = 0; n < 100_000; n++) learn(state, after(1, 2), 2);
  const now = chances(state, 1, 2);
  expect(before).toBeGreaterThan(0.99);
  expect(now[1]).toBeGreaterThan(0.5);
  expect(now.every((chance) => chance > 0)).toBe(true);
  expect(now.reduce((sum, chance) => sum + chance)).toBeCloseTo(1, 10);
});
