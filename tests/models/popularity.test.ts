import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forget, init, learn, listed, popularShare, predict, takeBack, trendingShare } from '../../models/popularity.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';

test('what sells now leads the trend while the old favourite still leads the long run', () => {
  const state = init({ leastFast: 20, leastSlow: 2_000, fastPerItem: 0, slowPerItem: 0 });
  for (let n = 0; n < 500; n++) learn(state, 1);
  for (let n = 0; n < 100; n++) learn(state, 2);
  expect(predict(state, 'trending', 2).map(({ item }) => item)).toEqual([2, 1]);
  expect(predict(state, 'popular', 2).map(({ item }) => item)).toEqual([1, 2]);
});

test('shares of all items sum to one', () => {
  const state = init();
  for (let n = 0; n < 300; n++) learn(state, n % 11, 1 + (n % 3));
  const sum = predict(state, 'popular', 100).reduce((total, { share }) => total + share, 0);
  expect(sum).toBeCloseTo(1, 4);
});

test('of an item stands at which event it was first seen; an unknown one has none', () => {
  const state = init();
  learn(state, 3);
  for (let n = 0; n < 5; n++) learn(state, 4);
  expect([state.events, state.born[3], state.born[4], state.born[0]]).toEqual([6, 1, 2, -1]);
});

test('an unknown item is rarer than the rarest known one', () => {
  const state = init();
  learn(state, 3);
  for (let n = 0; n < 1_000; n++) learn(state, 4);
  expect(popularShare(state, 77)).toBeLessThan(popularShare(state, 3));
});

test('a forgotten item leaves the list', () => {
  const state = init();
  learn(state, 3);
  learn(state, 4);
  forget(state, Int32Array.of(3));
  expect(predict(state, 'trending', 10).map(({ item }) => item)).toEqual([4]);
});

test.each(['trending', 'popular'] as const)('the list of what is %s is the top 64 at every moment, across rescaling and forgetting', (horizon) => {
  const state = init({ leastFast: 20, leastSlow: 60, fastPerItem: 0, slowPerItem: 0 });
  const random = randomness(7);
  for (let n = 0; n < 6_000; n++) {
    learn(state, Math.floor(200 * uniform(random) ** 2), 0.5 + uniform(random));
    if (n % 97 === 0) forget(state, Int32Array.of(Math.floor(30 * uniform(random))));
    const best = predict(state, horizon, 64);
    const found = listed(state, horizon);
    const values = horizon === 'trending' ? state.fast : state.slow;
    expect(Array.from(found.subarray(0, best.length), (item) => values[item])).toEqual(best.map(({ item }) => values[item]));
    expect(new Set(found).size).toBe(found.length);
  }
});

test('after two billion events a new item is counted as one, and ages', () => {
  const state = init();
  learn(state, 0);
  state.events = 2 ** 31 + 5;
  learn(state, 1);
  learn(state, 1);
  expect([state.seen, state.events - state.born[1]]).toEqual([2, 1]);
});

test('what was given is taken back as if it had never been, however much came since; never below nothing', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(80), fc.integer({ min: 1, max: 5 })), { maxLength: 300 }), fc.nat(80), fc.nat(400), (events, item, later) => {
    const [given, without] = [init({ leastFast: 50, leastSlow: 500 }), init({ leastFast: 50, leastSlow: 500 })];
    for (const state of [given, without]) for (const [other, weight] of events) learn(state, other, weight);
    learn(given, item, 3);
    const since = given.events;
    // As an event of no consequence, so that both have aged alike.
    learn(without, 90, 1e-9);
    for (const state of [given, without]) for (let n = 0; n < later; n++) learn(state, n % 70);
    takeBack(given, item, 3, since);
    expect(Math.abs(popularShare(given, item) - popularShare(without, item))).toBeLessThan(0.002);
    expect(Math.abs(trendingShare(given, item) - trendingShare(without, item))).toBeLessThan(0.02);
    for (let again = 0; again < 5; again++) takeBack(given, item, 1e6);
    expect(popularShare(given, item)).toBeGreaterThanOrEqual(0);
    for (const horizon of ['trending', 'popular'] as const) {
      const shares = [...listed(given, horizon)].map((one) => (horizon === 'trending' ? trendingShare(given, one) : popularShare(given, one)));
      expect(shares).toEqual(shares.toSorted((a, b) => b - a));
    }
    takeBack(given, 5_000, 1);
    takeBack(given, -1, 1);
  }), { numRuns: 40 });
});
