import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forgetShopper, init, learnClicked, learnShown, predict, restore, snapshot, timesShown } from '../../models/fatigue.js';

test('each showing without a click damps more, and a click makes it as new', () => {
  const state = init({ bits: 4 });
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

test('strength 0 damps nothing', () => {
  const state = init({ bits: 4, strength: 0 });
  learnShown(state, 'ann', 7);
  expect(predict(state, 'ann', 7)).toBe(0);
});

test('of one shopper the last 24 items are remembered, as a list of showings would count them', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 200 }), (story) => {
    const state = init({ bits: 2 });
    const known: { item: number; times: number }[] = [];
    for (const [item, isShown] of story) {
      const at = known.findIndex((one) => one.item === item);
      if (isShown) {
        const [had] = at < 0 ? [{ item, times: 0 }] : known.splice(at, 1);
        known.unshift({ item, times: had.times + 1 });
        known.length = Math.min(known.length, 24);
        learnShown(state, 'ann', item);
      } else {
        if (at >= 0) known[at].times = 0;
        learnClicked(state, 'ann', item);
      }
    }
    for (let item = 0; item <= 40; item++) expect(timesShown(state, 'ann', item)).toBe(known.find((one) => one.item === item)?.times ?? 0);
  }));
});

test('a shopper who takes over another\'s place starts anew, and never sees the other\'s damping', () => {
  const state = init({ bits: 0 });
  learnShown(state, 'ann', 7);
  expect(timesShown(state, 'bob', 7)).toBe(0);
  learnShown(state, 'bob', 8);
  expect(timesShown(state, 'bob', 8)).toBe(1);
  expect(timesShown(state, 'ann', 7)).toBe(0);
});

test('an erased shopper leaves the bytes of a state that never met them', () => {
  const state = init({ bits: 4 });
  learnShown(state, 'ann', 7);
  forgetShopper(state, 'ann');
  expect(Buffer.compare(snapshot(state), snapshot(init({ bits: 4 })))).toBe(0);
});

test('a restored state damps the same', () => {
  const state = init({ bits: 4 });
  for (let n = 0; n < 5; n++) learnShown(state, 'ann', n % 2);
  const again = restore(snapshot(state));
  expect(predict(again, 'ann', 0)).toBe(predict(state, 'ann', 0));
  expect(() => restore(Uint8Array.of(1, 2, 3))).toThrow(/snapshot/);
});
