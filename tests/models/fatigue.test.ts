import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forget, forgetShopper, init, join, learnClicked, learnShown, predict, restore, snapshot, timesShown } from '../../models/fatigue.js';

test('each showing without a click damps more, and a click makes it as new', () => {
  const state = init({ bits: 12 });
  expect(predict(state, 'ann', 7)).toBe(0);
  let before = 0;
  for (let n = 1; n <= 300; n++) {
    learnShown(state, 'ann', 7);
    const damping = predict(state, 'ann', 7);
    expect(damping).toBeLessThanOrEqual(before);
    before = damping;
  }
  expect(timesShown(state, 'ann', 7)).toBe(255);
  expect(predict(state, 'ann', 8)).toBe(0);
  learnClicked(state, 'ann', 7);
  expect(predict(state, 'ann', 7)).toBe(0);
});

test('of one shopper a hundred items are remembered, as a list of showings would count them', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(99), fc.boolean()), { maxLength: 400 }), fc.integer({ min: 1, max: 9 }), (story, step) => {
    const state = init({ bits: 12 });
    const known = new Map<number, number>();
    for (const [number, isShown] of story) {
      const item = number * step;
      if (isShown) {
        known.set(item, (known.get(item) ?? 0) + 1);
        learnShown(state, 'ann', item);
      } else {
        known.set(item, 0);
        learnClicked(state, 'ann', item);
      }
    }
    for (let number = 0; number < 100; number++) expect(timesShown(state, 'ann', number * step)).toBe(known.get(number * step) ?? 0);
  }));
});

test('20,000 shoppers with a list of 50 each are remembered, and one who is shown everything takes nothing from nearly all', () => {
  const state = init();
  const of = (shopper: number, at: number): number => (at < 20 ? at : (shopper * 37 + at * 11) % 100_000);
  const shown = (shopper: number): number => Array.from({ length: 50 }, (_, at) => timesShown(state, `s${shopper}`, of(shopper, at))).filter((times) => times > 0).length;
  for (let shopper = 0; shopper < 20_000; shopper++) for (let at = 0; at < 50; at++) learnShown(state, `s${shopper}`, of(shopper, at));
  const remembered = (): number => { let sum = 0; for (let shopper = 0; shopper < 20_000; shopper++) sum += shown(shopper); return sum; };
  const before = remembered();
  expect(before / (20_000 * 50)).toBeGreaterThan(0.98);
  for (let item = 0; item < 100_000; item++) learnShown(state, 'shown everything', item);
  expect(remembered() / before).toBeGreaterThan(0.997);
});

test('where there is no room the pair goes that was not shown for longest, and a shopper never sees another\'s damping', () => {
  const state = init({ bits: 12 });
  learnShown(state, 'old', 7);
  learnShown(state, 'kept', 7);
  for (let n = 0; n < 20_000; n++) {
    learnShown(state, `s${n}`, 7);
    learnShown(state, 'kept', 7);
  }
  expect(timesShown(state, 'old', 7)).toBe(0);
  expect(timesShown(state, 'kept', 7)).toBe(255);
  expect(timesShown(state, 's19999', 7)).toBe(1);
  expect(timesShown(state, 'somebody', 7)).toBe(0);
});

test('an erased shopper leaves the bytes of a state that never met them', () => {
  const state = init({ bits: 12 });
  const without = init({ bits: 12 });
  for (let item = 0; item < 60; item++) {
    learnShown(state, item % 3 === 0 ? 'ann' : 'bob', item);
    if (item % 3 !== 0) learnShown(without, 'bob', item);
  }
  forgetShopper(state, 'ann');
  expect(Buffer.compare(snapshot(state), snapshot(without))).toBe(0);
});

test('a deleted item leaves the bytes of a state in which it was never shown', () => {
  const [state, without] = [init({ bits: 12 }), init({ bits: 12 })];
  for (let n = 0; n < 3_000; n++) {
    learnShown(state, `s${n % 7}`, n % 90);
    if (n % 90 !== 4 && n % 90 !== 0) learnShown(without, `s${n % 7}`, n % 90);
  }
  forget(state, Int32Array.of(4, 0));
  expect(Buffer.compare(snapshot(state), snapshot(without))).toBe(0);
});

test('who logs in is as tired as before', () => {
  const state = init({ bits: 12 });
  for (let item = 0; item < 50; item++) for (let n = 0; n <= item; n++) learnShown(state, 'anonymous', item);
  learnShown(state, 'user', 3);
  join(state, 'anonymous', 'user');
  expect(Array.from({ length: 51 }, (_, item) => timesShown(state, 'user', item))).toEqual(Array.from({ length: 51 }, (_, item) => (item === 3 ? 5 : item < 50 ? item + 1 : 0)));
  expect(timesShown(state, 'anonymous', 3)).toBe(0);
});

test('a restored state damps the same', () => {
  const state = init({ bits: 12 });
  for (let n = 0; n < 5; n++) learnShown(state, 'ann', n % 2);
  const again = restore(snapshot(state));
  expect(predict(again, 'ann', 0)).toBe(predict(state, 'ann', 0));
  expect(() => restore(Uint8Array.of(1, 2, 3))).toThrow(/snapshot/);
});
