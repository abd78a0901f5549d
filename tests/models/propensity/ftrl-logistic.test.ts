import { expect, test } from 'vitest';
import { init, learn, predict } from '../../../models/propensity/ftrl-logistic.js';
import { crossedFeatures, hashedFeatures } from '../../../models/propensity/hashed-features.js';

test('an untrained model answers one half', () => {
  expect(predict(init({ bits: 10 }), hashedFeatures([['cart', 3]], 10))).toBe(0.5);
});

test('what always leads to a purchase becomes likely, what never does unlikely', () => {
  const model = init({ bits: 12 });
  const buyer = hashedFeatures([['page', 'checkout'], ['visits', 5]], 12);
  const visitor = hashedFeatures([['page', 'home'], ['visits', 5]], 12);
  for (let i = 0; i < 5_000; i++) {
    learn(model, buyer, true);
    learn(model, visitor, false);
  }
  expect(predict(model, buyer)).toBeGreaterThan(0.9);
  expect(predict(model, visitor)).toBeLessThan(0.1);
});

test('a base rate is learned as a probability', () => {
  const model = init({ bits: 12, l1: 0 });
  const slots = hashedFeatures([['page', 'home']], 12);
  for (let i = 0; i < 20_000; i++) learn(model, slots, i % 10 === 0);
  expect(predict(model, slots)).toBeCloseTo(0.1, 1);
});

test('a weight without evidence stays exactly zero', () => {
  const model = init({ bits: 12, l1: 5 });
  learn(model, hashedFeatures([['page', 'home']], 12), true);
  expect(predict(model, hashedFeatures([['page', 'home']], 12))).toBe(0.5);
});

test('predicting leaves the model equal', () => {
  const model = init({ bits: 8 });
  learn(model, hashedFeatures([['a', 1]], 8), true);
  const before = structuredClone(model);
  predict(model, hashedFeatures([['a', 1]], 8));
  expect(model).toEqual(before);
});

test('neighbouring numbers share a slot, distant ones only the intercept', () => {
  const shared = (a: number, b: number): number => {
    const left = new Set(hashedFeatures([['price', a]], 18));
    return [...hashedFeatures([['price', b]], 18)].filter((slot) => left.has(slot)).length;
  };
  expect(shared(10, 10.5)).toBeGreaterThan(1);
  expect(shared(10, 10_000)).toBe(1);
  expect(shared(10, -10)).toBe(1);
});

test('missing and unreadable values give no feature, in any column', () => {
  expect([...hashedFeatures([['a', undefined], ['b', ''], ['c', NaN], ['d', Infinity]], 10)]).toEqual([0]);
  expect(crossedFeatures([['a', undefined], ['b', 'x']], ['a', 'b'], 10)).toHaveLength(2);
});
