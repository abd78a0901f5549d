import { expect, test } from 'vitest';
import { forget, gather, init, learn, predict, restore, snapshot } from '../../models/co-visitation.js';
import { whole } from '../../models/kernels/snapshot.js';
import { begin, scratch } from '../../models/kernels/candidates.js';
import { SLOTS } from '../../models/kernels/transition-rows.js';

const space = scratch();
const after = (...items: number[]): Int32Array => Int32Array.from(items);
const best = (state: ReturnType<typeof init>, ...recent: number[]): number[] =>
  predict(state, after(...recent), space, 10).map(({ item }) => item);

test('what followed a click is proposed after it, the more frequent first', () => {
  const state = init();
  for (let n = 0; n < 3; n++) learn(state, after(1), 2);
  learn(state, after(1), 3);
  expect(best(state, 1)).toEqual([2, 3]);
});

test('what came before a click is proposed too, but behind', () => {
  const state = init();
  learn(state, after(1), 2);
  expect(best(state, 2)).toEqual([1]);
});

test('a purchase weighs as many views as its weight says', () => {
  const state = init();
  for (let n = 0; n < 4; n++) learn(state, after(1), 2);
  learn(state, after(1), 3, 10);
  expect(best(state, 1)).toEqual([3, 2]);
});

test('who goes to and fro between two items says less of it each time than another shopper', () => {
  const often = init();
  learn(often, after(1), 2);
  for (let n = 0; n < 2; n++) {
    learn(often, after(2, 1), 1);
    learn(often, after(1, 2), 2);
  }
  for (let n = 0; n < 2; n++) learn(often, after(1), 3);
  expect(best(often, 1)[0]).toBe(3);
});

test('an item that was clicked three times is linked once, where it was clicked last', () => {
  const thrice = init();
  learn(thrice, after(1, 1, 4, 1), 2);
  const once = init();
  learn(once, after(1, 4), 2);
  const weightOf = (state: ReturnType<typeof init>, item: number): number => state.forward.weights[state.forward.offset[item]];
  expect([weightOf(thrice, 1), weightOf(thrice, 4)]).toEqual([weightOf(once, 1), weightOf(once, 4)]);
});

test('a purchase of what was viewed keeps its weight', () => {
  const state = init();
  learn(state, after(2, 1), 2, 3);
  for (let n = 0; n < 2; n++) learn(state, after(1), 3);
  expect(best(state, 1)[0]).toBe(3);
  learn(state, after(2, 1), 2, 3);
  expect(best(state, 1)[0]).toBe(2);
});

test('the recent past outweighs the distant one', () => {
  const state = init({ leastHalfLife: 10, halfLifePerItem: 0 });
  for (let n = 0; n < 5; n++) learn(state, after(1), 2);
  for (let n = 0; n < 200; n++) learn(state, after(8), 9);
  for (let n = 0; n < 2; n++) learn(state, after(1), 3);
  expect(best(state, 1)).toEqual([3, 2]);
});

test('scaling down when the unit grows too large changes no score', () => {
  const run = (events: number): number[] => {
    const state = init({ leastHalfLife: 1, halfLifePerItem: 0 });
    for (let n = 0; n < events; n++) learn(state, after(1 + (n % 3)), 10 + (n % 7));
    return predict(state, after(1, 2), space, 5).map(({ score }) => score);
  };
  // 84 events are two half-lives past a rescale; 42 have not met one yet. Both end at the same point of the cycle.
  const [early, late] = [run(42 - 2), run(84 - 2)];
  expect(late).toHaveLength(early.length);
  for (let at = 0; at < early.length; at++) expect(late[at] / early[at]).toBeCloseTo(1, 1);
});

test('a row holds at most 96 neighbours and keeps the heavy ones', () => {
  const state = init();
  for (let n = 0; n < 20; n++) learn(state, after(0), 1);
  for (let item = 2; item < 1_000; item++) learn(state, after(0), item);
  expect(state.forward.length[0]).toBe(SLOTS);
  expect(best(state, 0)[0]).toBe(1);
});

test('the two directions are kept apart', () => {
  const state = init();
  learn(state, after(1), 2);
  begin(space);
  gather(state, after(2), space);
  const slotOfOne = space.items.subarray(0, space.slots).indexOf(1);
  expect(space.backward[slotOfOne]).toBeGreaterThan(0);
  expect(space.forward[slotOfOne]).toBe(0);
});

test('a forgotten item is proposed no more, not even through a snapshot', () => {
  const state = init();
  learn(state, after(1), 2);
  learn(state, after(2, 1), 3);
  forget(state, Int32Array.of(2));
  expect(best(state, 1)).toEqual([3]);
  expect(best(restore(whole(snapshot(state))), 1)).toEqual([3]);
  expect(best(state, 2)).toEqual([]);
});

test('a thousand clicks on one item stay finite and propose that item', () => {
  const state = init({ leastHalfLife: 2, halfLifePerItem: 0 });
  for (let n = 0; n < 1_000; n++) learn(state, after(4, 4, 4), 4);
  const [first] = predict(state, after(4), space, 10);
  expect(first.item).toBe(4);
  expect(Number.isFinite(first.score)).toBe(true);
});

test('a limit of zero or less gives nothing, and one beyond all items gives all', () => {
  const state = init();
  for (let item = 1; item < 6; item++) learn(state, after(0), item);
  expect(predict(state, after(0), space, 0)).toEqual([]);
  expect(predict(state, after(0), space, -1)).toEqual([]);
  expect(predict(state, after(0), space, 10_000)).toHaveLength(5);
});

test('a snapshot of many transitions is made a part at a time, and holds all of them', () => {
  const state = init();
  for (let n = 0; n < 60_000; n++) learn(state, after((n * 7) % 3_001, (n * 11) % 2_003), (n * 13) % 3_989);
  const bytes = whole(snapshot(state));
  // A part has some 65,000 slots of 4 bytes.
  expect([...snapshot(state)].length).toBeGreaterThan(bytes.length / (2 * 4 * 65_536) - 3);
  expect([...snapshot(state)].length).toBeGreaterThan(3);
  const copy = restore(bytes);
  expect(whole(snapshot(copy))).toEqual(bytes);
  for (const item of [0, 1_500, 3_000]) expect(best(copy, item)).toEqual(best(state, item));
});
