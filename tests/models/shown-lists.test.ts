import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as shownLists from '../../models/shown-lists.js';

const DAY = 86_400_000;
const SKUS = ['A', 'B', 'C'];
const list = (time: number, skus: readonly string[], features: Uint8Array) => ({ shopper: 'u', placement: 'home', time, skus, features });
const some = (): shownLists.ShownLists => {
  const state = shownLists.init();
  shownLists.learn(state, 'r1', list(1_000, SKUS, Uint8Array.of(1, 2, 3, 4, 5, 6)));
  return state;
};

test('a choice is a lesson that says where it stood, and weighs more the further it went', () => {
  const state = some();
  const first = shownLists.choose(state, 'r1', 'u', 'A', 'click', 2_000)!;
  const third = shownLists.choose(state, 'r1', 'u', 'C', 'click', 2_000)!;
  expect(first).toMatchObject({ placement: 'home', count: 3, target: 0, weight: 1 });
  expect(third).toMatchObject({ target: 2, weight: 1 });
  expect(shownLists.choose(state, null, 'u', 'A', 'purchase', 3_000)!.weight).toBe(3);
});

test('once a stage, within a day, of a list that was shown', () => {
  const state = some();
  expect(shownLists.choose(state, 'r1', 'u', 'B', 'click', 2_000)).toBeDefined();
  expect(shownLists.choose(state, 'r1', 'u', 'B', 'click', 2_000)).toBeUndefined();
  expect(shownLists.choose(state, 'r1', 'u', 'Z', 'click', 2_000)).toBeUndefined();
  expect(shownLists.choose(state, 'other', 'u', 'B', 'cart', 2_000)).toBeUndefined();
  expect(shownLists.choose(state, null, 'somebody else', 'B', 'cart', 2_000)).toBeUndefined();
  expect(shownLists.choose(state, 'r1', 'u', 'B', 'cart', 1_001 + DAY)).toBeUndefined();
});

test('memory is bounded: the oldest lists go', () => {
  const state = some();
  for (let n = 0; n < 12_000; n++) shownLists.learn(state, `n${n}`, list(2_000, SKUS, Uint8Array.of(1, 2, 3)));
  expect(state.lists.size).toBe(10_000);
  expect(state.lists.has('r1')).toBe(false);
  expect(state.lists.has('n2000')).toBe(true);
  expect(state.lists.has('n1999')).toBe(false);
});

test('a list of one, or without features, is not kept', () => {
  const state = shownLists.init();
  shownLists.learn(state, 'a', list(0, ['A'], Uint8Array.of(1)));
  shownLists.learn(state, 'b', list(0, SKUS, new Uint8Array(0)));
  shownLists.learn(state, 'c', list(0, SKUS, Uint8Array.of(1, 2)));
  expect(state.lists.size).toBe(0);
});

test('features come back as they were, to a thirty-second', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -3.9, max: 3.9, noNaN: true }), { minLength: 6, maxLength: 6 }), (values) => {
    const x = new Float32Array(3 * 8);
    values.forEach((value, n) => { x[(n % 3) * 8 + Math.floor(n / 3) * 5] = value; });
    const features = shownLists.quantised(x, 8, 3, Uint8Array.of(0, 5));
    const back = new Float32Array(3 * 8);
    shownLists.unquantised({ features, count: 2 }, back, 8);
    values.forEach((value, n) => { expect(Math.abs(back[(n % 3) * 8 + Math.floor(n / 3)]! - value)).toBeLessThan(1 / 60); });
  }));
});

test('a snapshot goes on where it stood; an erased shopper is in none', () => {
  const state = some();
  shownLists.choose(state, 'r1', 'u', 'B', 'click', 2_000);
  const again = shownLists.restore(shownLists.snapshot(state));
  expect(shownLists.choose(again, 'r1', 'u', 'B', 'click', 2_000)).toBeUndefined();
  expect(shownLists.choose(again, null, 'u', 'B', 'cart', 2_000)).toBeDefined();
  shownLists.forget(again, 'u');
  expect(new TextDecoder().decode(shownLists.snapshot(again))).not.toContain('u\\u001f');
  expect(again.lists.size).toBe(0);
});
