import { expect, test } from 'vitest';
import { giveBack, init, learn, predict, restore, snapshot } from '../../models/returns.js';

test('what was given comes back with the last unit, once', () => {
  const state = init();
  learn(state, 'o1', 'P1', 3, 100);
  expect(giveBack(state, 'o1', 'P1', 2)).toBeUndefined();
  expect(giveBack(state, 'o1', 'P1', 1)).toEqual({ gifts: 1, at: 100 });
  expect(giveBack(state, 'o1', 'P1', 1)).toBeUndefined();
});

test('two lines of one order and product are two gifts; another order, product or none is nothing', () => {
  const state = init();
  expect(predict(state, 'o1', 'P1')).toBeUndefined();
  learn(state, 'o1', 'P1', 1, 5);
  learn(state, 'o1', 'P1', 1e6, 7);
  expect(giveBack(state, 'o1', 'P2', 9)).toBeUndefined();
  expect(giveBack(state, 'o2', 'P1', 9)).toBeUndefined();
  expect(giveBack(state, 'o1', 'P1', 1e6)).toBeUndefined();
  expect(giveBack(state, 'o1', 'P1', 1)).toEqual({ gifts: 2, at: 7 });
});

test('a snapshot goes on where it stood, and memory does not grow', () => {
  const state = init();
  const before = snapshot(state).length;
  for (let n = 0; n < 100_000; n++) learn(state, `o${n}`, 'P1', 1, n);
  const again = restore(snapshot(state));
  expect(snapshot(again)).toHaveLength(before);
  expect(giveBack(again, 'o99999', 'P1', 1)).toEqual({ gifts: 1, at: 99_999 });
});
