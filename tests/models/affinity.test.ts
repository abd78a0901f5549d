import { expect, test } from 'vitest';
import * as affinity from '../../models/affinity.js';
import { begin, scratch, slot } from '../../models/kernels/candidates.js';

const space = scratch();
const after = (...items: number[]): Int32Array => Int32Array.from(items);

function evidence(state: affinity.Affinity, recent: Int32Array, item: number): number {
  begin(space);
  affinity.gather(state, recent, space);
  return space.long[slot(space, item)];
}

/** Histories in the order given, oldest first. */
function taught(...histories: number[][]): affinity.Affinity {
  const state = affinity.init();
  for (const history of histories) {
    history.forEach((item, at) => affinity.learn(state, Int32Array.from(history.slice(0, at)).reverse(), item));
  }
  return state;
}

test('what was taken together speaks for each other, whichever came first', () => {
  const state = taught([1, 2], [2, 1], [1, 3]);
  expect(evidence(state, after(3), 1)).toBeGreaterThan(0);
  expect(evidence(state, after(1), 3)).toBeGreaterThan(0);
  expect(evidence(state, after(1), 2)).toBeGreaterThan(evidence(state, after(1), 3));
});

test('an item that is taken again does not speak for itself, and takes no room from what does', () => {
  const state = taught([1, 1, 2, 1]);
  expect(evidence(state, after(1), 1)).toBe(0);
  expect(evidence(state, after(1), 2)).toBeGreaterThan(0);
});

test('items twenty apart are linked, nearly as strongly as neighbours; items forty apart are not', () => {
  const state = taught(Array.from({ length: 50 }, (_, n) => n));
  expect(evidence(state, after(0), 20)).toBeGreaterThan(0.3 * evidence(state, after(0), 1));
  expect(evidence(state, after(0), 40)).toBe(0);
});

test('what everybody takes speaks less for an item than what few take', () => {
  const state = taught([1, 9], [2, 9], [3, 9], [4, 9], [5, 9], [8, 1]);
  expect(evidence(state, after(8), 1)).toBeGreaterThan(evidence(state, after(9), 1));
});

test('evidence is in the same units however long the stream was', () => {
  const state = taught([1, 2]);
  const before = evidence(state, after(1), 2);
  for (let n = 0; n < 3_000_000; n++) affinity.learn(state, after(), 7);
  expect(state.age).toBeLessThan(40);
  affinity.learn(state, after(), 5);
  affinity.learn(state, after(5), 6);
  expect(evidence(state, after(5), 6)).toBeCloseTo(before, 3);
});
