import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantised, unquantised } from '../../models/kernels/feature-bytes.js';
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

test('a flood of lists to one id drops its own alone', () => {
  const state = some();
  for (let n = 0; n < 42_000; n++) shownLists.learn(state, `n${n}`, { ...list(2_000, SKUS, Uint8Array.of(1, 2, 3)), shopper: 'flood' });
  expect(state.waiting.size).toBe(65);
  expect(state.waiting.dropped).toEqual({ bytes: 0, owner: 42_000 - 64 });
  expect(shownLists.choose(state, 'r1', 'u', 'A', 'click', 3_000)).toBeDefined();
  expect(shownLists.choose(state, 'n41999', 'flood', 'A', 'click', 3_000)).toBeDefined();
});

test('lists that somebody chose from outlast any number of others; of those that wait the oldest go', () => {
  const state = shownLists.init({ waiting: 100_000, chosen: 100_000 });
  shownLists.learn(state, 'r1', list(1_000, SKUS, Uint8Array.of(1, 2, 3)));
  shownLists.choose(state, 'r1', 'u', 'A', 'click', 1_500);
  for (let n = 0; n < 5_000; n++) shownLists.learn(state, `n${n}`, { ...list(2_000 + n, SKUS, Uint8Array.of(1, 2, 3)), shopper: `s${n}` });
  expect(state.waiting.bytes).toBeLessThanOrEqual(100_000);
  expect(state.waiting.size).toBeGreaterThan(100);
  expect(state.waiting.has('n0')).toBe(false);
  expect(state.waiting.has('n4999')).toBe(true);
  expect(shownLists.reach(state, state.waiting)).toBeCloseTo((state.waiting.size - 1) / 1_000, 9);
  expect(state.waiting.dropped.bytes).toBe(5_000 - state.waiting.size);
  expect(shownLists.choose(state, null, 'u', 'A', 'purchase', DAY)!.weight).toBe(3);
});

test('lists that a wrong clock dates days ahead take no more than two each with them, and what is said of the reach is right again with the next', () => {
  const state = shownLists.init();
  const features = Uint8Array.of(1, 2, 3);
  for (let n = 0; n < 100; n++) shownLists.learn(state, `n${n}`, { ...list(1_000 * n, SKUS, features), shopper: `s${n}` });
  for (let n = 0; n < 5; n++) shownLists.choose(state, `n${n}`, `s${n}`, 'A', 'click', 100_000);
  shownLists.learn(state, 'ahead', { ...list(3 * DAY, SKUS, features), shopper: 'other' });
  shownLists.learn(state, 'right', { ...list(100_000, SKUS, features), shopper: 's100' });
  expect(state.waiting.size).toBe(95);
  expect(shownLists.reach(state, state.waiting)).toBe(93);
  expect(shownLists.reach(state, state.chosen)).toBe(100);
  expect(shownLists.choose(state, 'n7', 's7', 'A', 'click', 100_000)).toBeDefined();
  expect(shownLists.choose(state, null, 's4', 'A', 'purchase', 100_000)).toBeDefined();
});

test('what is older than a day goes as others come, of both kinds', () => {
  const state = shownLists.init();
  for (let n = 0; n < 700; n++) {
    // Ten times as many on the first day as on each of thirteen others.
    const time = n < 300 ? n * (DAY / 300) : DAY + (n - 300) * (DAY / 30);
    shownLists.learn(state, `n${n}`, { ...list(time, SKUS, Uint8Array.of(1, 2, 3)), shopper: `s${n}` });
    if (n % 2 === 0) shownLists.choose(state, `n${n}`, `s${n}`, 'A', 'click', time);
  }
  for (const shelf of [state.waiting, state.chosen]) {
    expect(shelf.size).toBeLessThanOrEqual(20);
    expect(shownLists.reach(state, shelf)).toBeLessThanOrEqual(DAY / 1_000);
  }
});

test('ten lists a second are found for the better part of an hour, and those chosen from for the day', () => {
  const state = shownLists.init();
  const skus = Array.from({ length: 10 }, (_, n) => `SKU-${1000 + n}`);
  const features = new Uint8Array(310);
  const clicks: string[] = [];
  for (let n = 0; n < 60_000; n++) {
    const shopper = `anonymous-${n}`;
    shownLists.learn(state, `00000000-0000-8000-8000-${n}`, { shopper, placement: 'home', time: 100 * n, skus, features });
    // One in twenty is clicked forty minutes later.
    const late = n - 24_000;
    if (late >= 0 && late % 20 === 0 && shownLists.choose(state, `00000000-0000-8000-8000-${late}`, `anonymous-${late}`, 'SKU-1003', 'click', 100 * n)) clicks.push(`anonymous-${late}`);
  }
  expect(clicks).toHaveLength(36_000 / 20);
  expect(shownLists.reach(state, state.waiting)).toBeGreaterThan(2_400);
  expect(clicks.filter((shopper) => shownLists.choose(state, null, shopper, 'SKU-1003', 'purchase', 6_000_000))).toHaveLength(clicks.length);
});

test('who logs in takes along what was shown and clicked before, in whatever order it is told', () => {
  const told = [
    (state: shownLists.ShownLists) => shownLists.learn(state, 'r1', { ...list(1_000, SKUS, Uint8Array.of(1, 2, 3)), shopper: 'anonymous' }),
    (state: shownLists.ShownLists) => shownLists.choose(state, 'r1', 'anonymous', 'B', 'click', 2_000),
    (state: shownLists.ShownLists) => shownLists.join(state, 'anonymous', 'user'),
  ];
  for (const order of [[0, 1, 2], [0, 2, 1], [2, 0, 1]]) {
    const state = shownLists.init();
    for (const n of order) told[n]!(state);
    expect(shownLists.choose(shownLists.restore(shownLists.snapshot(state)), null, 'user', 'B', 'purchase', 3_000)?.weight).toBe(3);
    expect(shownLists.choose(state, null, 'another', 'B', 'purchase', 3_000)).toBeUndefined();
    shownLists.forget(state, 'user');
    expect(new TextDecoder().decode(shownLists.snapshot(state))).not.toContain('anonymous');
  }
});

test('ids that lead in a circle end somewhere', () => {
  const state = some();
  for (const [from, to] of [['u', 'v'], ['v', 'w'], ['w', 'u']] as const) shownLists.join(state, from, to);
  expect(shownLists.choose(state, 'r1', 'u', 'A', 'click', 2_000)).toBeDefined();
});

test('a list of one, or without features, is not kept', () => {
  const state = shownLists.init();
  shownLists.learn(state, 'a', list(0, ['A'], Uint8Array.of(1)));
  shownLists.learn(state, 'b', list(0, SKUS, new Uint8Array(0)));
  shownLists.learn(state, 'c', list(0, SKUS, Uint8Array.of(1, 2)));
  expect(state.waiting.size).toBe(0);
});

test('features come back as they were, to a thirty-second', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: -3.9, max: 3.9, noNaN: true }), { minLength: 6, maxLength: 6 }), (values) => {
    const x = new Float32Array(3 * 8);
    values.forEach((value, n) => { x[(n % 3) * 8 + Math.floor(n / 3) * 5] = value; });
    const features = quantised(x, 8, 3, Uint8Array.of(0, 5));
    const back = new Float32Array(3 * 8);
    unquantised(features, 2, back, 8);
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
  expect(new TextDecoder().decode(shownLists.snapshot(again))).not.toContain('"u"');
  expect(again.waiting.size + again.chosen.size).toBe(0);
});

test('choices that are read before their list teach once it is: the same lessons in whatever order list and choices come', () => {
  const told = [
    (state: shownLists.ShownLists) => shownLists.learn(state, 'r1', list(1_000, SKUS, Uint8Array.of(1, 2, 3))),
    (state: shownLists.ShownLists) => [shownLists.choose(state, 'r1', 'u', 'B', 'click', 2_000), shownLists.choose(state, null, 'u', 'B', 'cart', 2_100)],
    (state: shownLists.ShownLists) => [shownLists.choose(state, 'r1', 'u', 'B', 'click', 2_000), shownLists.choose(state, 'r1', 'u', 'Z', 'click', 2_200)],
    (state: shownLists.ShownLists) => [shownLists.choose(state, 'r1', 'another', 'A', 'click', 2_300)],
  ];
  for (const order of [[0, 1, 2, 3], [1, 0, 2, 3], [1, 2, 0, 3], [1, 2, 3, 0], [3, 1, 0, 2]]) {
    let state = shownLists.init();
    const lessons = order.flatMap((n) => {
      const taught = told[n]!(state);
      state = shownLists.restore(shownLists.snapshot(state));
      return taught.filter((lesson) => lesson !== undefined);
    });
    expect(lessons.map(({ target, stage }) => `${target} ${stage}`).sort()).toEqual(['0 click', '1 cart', '1 click']);
    expect(state.early.size).toBe(0);
  }
});

test('once the shop tells what of a list was shown, and where, the lesson is of that, in whatever order it is told; each telling adds to it', () => {
  const lesson = (...told: readonly ((state: shownLists.ShownLists) => unknown)[]): unknown => {
    let state = shownLists.init();
    for (const tell of told) {
      tell(state);
      state = shownLists.restore(shownLists.snapshot(state));
    }
    const { count, target, features } = shownLists.choose(state, 'r1', 'u', 'A', 'click', 3_000)!;
    expect(state.earlySeen.size).toBe(0);
    return { count, target, features: [...features] };
  };
  const answered = (state: shownLists.ShownLists): unknown => shownLists.learn(state, 'r1', list(1_000, ['A', 'B', 'C', 'D'], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
  const seen = (...skus: readonly string[]) => (state: shownLists.ShownLists): void => shownLists.confirm(state, 'r1', 'u', skus, 2_000);
  const moved = { count: 3, target: 2, features: [5, 6, 3, 4, 1, 2] };
  expect(lesson(answered, seen('C', 'advertisement', 'B', 'A'))).toEqual(moved);
  expect(lesson(seen('C', 'B', 'A'), answered)).toEqual(moved);
  expect(lesson(answered, seen('C'), seen('B', 'A', 'C'))).toEqual(moved);
  expect(lesson(seen('C'), seen('B', 'A'), answered)).toEqual(moved);
  // Who clicked it has seen it.
  expect(lesson(answered, seen('C', 'B'))).toEqual(moved);
  expect(lesson(answered)).toEqual({ count: 4, target: 0, features: [1, 2, 3, 4, 5, 6, 7, 8] });
  expect(lesson(answered, seen('advertisement'))).toMatchObject({ count: 4 });
});

test('of an item that was shown alone nothing is learned; a cart after it finds its list', () => {
  const state = some();
  shownLists.confirm(state, 'r1', 'u', ['B'], 1_500);
  expect(shownLists.choose(state, 'r1', 'u', 'B', 'click', 2_000)).toBeUndefined();
  shownLists.confirm(state, 'r1', 'u', ['C'], 2_500);
  expect(shownLists.choose(state, null, 'u', 'B', 'cart', 3_000)).toMatchObject({ count: 2, target: 0 });
  shownLists.forget(state, 'u');
  expect(state.chosen.bytes).toBe(0);
});

test('what was shown of lists that never come takes room from nothing else, and is dropped with its shopper', () => {
  const state = shownLists.init();
  shownLists.choose(state, 'click', 'u', 'A', 'click', 1_000);
  for (let n = 0; n < 20_000; n++) shownLists.confirm(state, `n${n}`, `s${n}`, SKUS, 2_000);
  expect(state.early.has('click')).toBe(true);
  expect(state.earlySeen.bytes).toBeLessThanOrEqual(4 * 2 ** 20);
  shownLists.join(state, 's19999', 'user');
  shownLists.forget(state, 'user');
  expect(state.earlySeen.has('n19999')).toBe(false);
  shownLists.learn(state, 'n19998', list(2_000, SKUS, new Uint8Array(0)));
  expect(state.earlySeen.has('n19998')).toBe(false);
});

test('who logs in takes along what was clicked in a list that is not known yet', () => {
  const state = shownLists.init();
  shownLists.choose(state, 'r1', 'anonymous', 'B', 'click', 2_000);
  shownLists.join(state, 'anonymous', 'user');
  shownLists.choose(state, null, 'user', 'B', 'purchase', 3_000);
  expect(shownLists.learn(state, 'r1', { ...list(1_000, SKUS, Uint8Array.of(1, 2, 3)), shopper: 'anonymous' }).map(({ stage }) => stage)).toEqual(['click', 'purchase']);
  expect(shownLists.choose(state, null, 'user', 'B', 'cart', 3_000)).toBeDefined();
});

test('of choices whose list never comes few are kept, a day at most, and none of an erased shopper', () => {
  const state = shownLists.init();
  for (let n = 0; n < 100; n++) shownLists.choose(state, 'r1', 'u', `S${n}`, 'click', 1_000);
  expect(state.early.get('r1')?.choices).toHaveLength(16);
  for (let n = 0; n < 1_000; n++) shownLists.choose(state, `f${n}`, 'flood', 'A', 'click', 1_000);
  expect(state.early.size).toBe(65);
  shownLists.join(state, 'u', 'user');
  shownLists.forget(state, 'user');
  expect(state.early.has('r1')).toBe(false);
  for (let n = 0; n < 20_000; n++) shownLists.choose(state, `n${n}`, `s${n}`, 'A', 'click', 2_000);
  expect(state.early.size).toBeGreaterThan(4_000);
  expect(state.early.bytes).toBeLessThanOrEqual(4 * 2 ** 20);
  for (let n = 0; n < 10; n++) shownLists.choose(state, `later${n}`, 'late', 'A', 'click', 3 * DAY);
  const left = state.early.size;
  // A list that is told without what the ranker saw ends the wait, too.
  shownLists.learn(state, 'later0', list(3 * DAY, SKUS, new Uint8Array(0)));
  expect(state.early.size).toBe(left - 1);
  for (let n = 0; n < 3_000; n++) shownLists.choose(state, `latest${n}`, `t${n}`, 'A', 'click', 3 * DAY);
  expect(state.early.oldest()?.time).toBe(3 * DAY);
});
