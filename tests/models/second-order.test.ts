import { expect, test } from 'vitest';
import { begin, scratch } from '../../models/kernels/candidates.js';
import { forget, gather, init, learn, restore, snapshot, type SecondOrder } from '../../models/second-order.js';

const space = scratch();

/** Chances by item after these clicks, latest first, and the part left to transitions. */
function asked(state: SecondOrder, ...recent: number[]): { chances: Map<number, number>; rest: number } {
  begin(space);
  gather(state, Int32Array.from(recent), space);
  const { slots, chances, count, rest } = space.after;
  return { chances: new Map(Array.from(slots.subarray(0, count), (at, k) => [space.items[at], chances[k]])), rest };
}

const sumOf = ({ chances, rest }: ReturnType<typeof asked>): number => [...chances.values()].reduce((sum, chance) => sum + chance, rest);

/** Learns one visit, as many times as told. */
function visit(state: SecondOrder, times: number, ...clicks: number[]): void {
  for (let n = 0; n < times; n++) {
    for (let at = 0; at < clicks.length; at++) learn(state, Int32Array.from(clicks.slice(0, at)).reverse(), clicks[at]);
  }
}

test('what comes next is told by the last two clicks together, where the latest leaves both open', () => {
  const state = init();
  for (let n = 0; n < 20; n++) {
    visit(state, 1, 1, 3, 10);
    visit(state, 1, 2, 3, 20);
  }
  expect(asked(state, 3, 1).chances.get(10)).toBeGreaterThan(0.9);
  expect(asked(state, 3, 2).chances.get(20)).toBeGreaterThan(0.9);
  expect(asked(state, 3).chances).toEqual(new Map([[20, 0.25], [10, 0.25]]));
});

test('chances and what is left to transitions come to one; of what was never seen all is left', () => {
  const state = init();
  expect(asked(state, 3, 1)).toEqual({ chances: new Map(), rest: 1 });
  visit(state, 5, 1, 3, 10);
  visit(state, 3, 2, 3, 11);
  for (const recent of [[3, 1], [3, 2], [3, 99], [3]]) expect(sumOf(asked(state, ...recent))).toBeCloseTo(1, 6);
  expect(asked(state, 3, 99).chances).toEqual(asked(state, 3).chances);
  expect(asked(state, 3).rest).toBeCloseTo(0.5, 6);
  expect(asked(state, 77, 3).rest).toBe(1);
});

test('what follows of late is ahead of what followed a thousand times', () => {
  const state = init();
  visit(state, 1_000, 1, 10);
  visit(state, 8, 1, 20);
  expect(asked(state, 1).chances).toEqual(new Map([[20, 0.5]]));
});

test('with more items each keeps fewer clicks, the latest of them, and at least eight', () => {
  const state = init();
  for (let n = 0; n < 100; n++) visit(state, 1, 5, 1, 100 + n);
  expect(asked(state, 1, 5).chances.size).toBe(20);
  const before = asked(state, 1, 5);
  visit(state, 1, 5_000, 1);
  expect(asked(state, 1, 5)).toEqual(before);
  visit(state, 1, 70_000, 1);
  expect(state.clicks.byteLength).toBe(8 * 2 ** 20);
  expect([...asked(state, 1, 5).chances.keys()]).toEqual([199, 198, 197, 196, 195, 194, 193, 192]);
});

test('a copy from a snapshot answers and goes on alike, with as many items as there were', () => {
  const state = init();
  for (let n = 0; n < 3_000; n++) visit(state, 1, n % 7, n % 1_500, n % 11);
  forget(state, Int32Array.of(0, 5));
  const copy = restore(snapshot(state));
  for (const each of [state, copy]) visit(each, 2, 3, 1_400, 1_600, 5);
  expect(asked(copy, 1_400, 3)).toEqual(asked(state, 1_400, 3));
  expect(Buffer.compare(snapshot(copy), snapshot(state))).toBe(0);
});

test('a forgotten item is gone from what followed others, and so is what followed it', () => {
  const state = init();
  visit(state, 3, 1, 2, 3);
  visit(state, 3, 1, 2, 4);
  forget(state, Int32Array.of(3));
  expect([...asked(state, 2, 1).chances.keys()]).toEqual([4]);
  forget(state, Int32Array.of(1));
  expect(asked(state, 2, 1)).toEqual(asked(state, 2));
  forget(state, Int32Array.of(2));
  expect(asked(state, 2, 1).chances.size).toBe(0);
});

test('nothing is learned after no click or an unknown one', () => {
  const state = init();
  learn(state, new Int32Array(0), 5);
  learn(state, Int32Array.of(-1, 3), 5);
  expect(state.items).toBe(0);
  learn(state, Int32Array.of(1, -1), 5);
  expect(asked(state, 1, -1)).toEqual(asked(state, 1));
  expect(asked(state, 1).chances.size).toBe(1);
});
