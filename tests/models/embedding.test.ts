import { expect, test } from 'vitest';
import { DIMENSIONS, driftOf, forget, init, learn, predict, published, seed, userVector, vectorOf } from '../../models/embedding.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';

const user = new Float32Array(DIMENSIONS);

/** Two circles of shoppers who never meet: even items follow even ones, odd items odd ones. */
function twoCircles(): ReturnType<typeof init> {
  const state = init();
  const random = randomness(3);
  let recent: number[] = [];
  for (let n = 0; n < 4_000; n++) {
    if (n % 5 === 0) recent = [];
    const parity = Math.floor(n / 5) % 2;
    const item = 2 * Math.floor(uniform(random) * 20) + parity;
    learn(state, Int32Array.from(recent), item);
    recent.unshift(item);
  }
  return state;
}

test('items clicked together come to lie together', () => {
  const state = twoCircles();
  userVector(state, Int32Array.of(2, 8), user);
  const mean = (parity: number): number =>
    Array.from({ length: 20 }, (_, n) => predict(state, user, 2 * n + parity)).reduce((a, b) => a + b, 0) / 20;
  expect(mean(0)).toBeGreaterThan(mean(1) + 3);
});

test('rows keep unit length through thousands of steps', () => {
  const state = twoCircles();
  for (let item = 0; item < 40; item++) {
    const vector = vectorOf(state, item) ?? user;
    expect(Math.hypot(...vector)).toBeCloseTo(1, 3);
  }
});

test('an untrained item has a direction of its own that does not depend on what came before it', () => {
  const early = init();
  const late = init();
  learn(early, new Int32Array(0), 7);
  learn(late, new Int32Array(0), 500);
  expect(vectorOf(early, 7)).toEqual(vectorOf(late, 7));
  expect(vectorOf(late, 7)).not.toEqual(vectorOf(late, 8));
});

test('a shopper without known clicks has the zero vector, and every logit is 0', () => {
  const state = twoCircles();
  userVector(state, Int32Array.of(-1, 100_000), user);
  expect(predict(state, user, 3)).toBe(0);
});

test('drift counts what moved since the vector was published', () => {
  const state = twoCircles();
  expect(driftOf(state, 4)).toBeGreaterThan(0);
  published(state, 4);
  expect(driftOf(state, 4)).toBe(0);
});

test('content seeds only an item without clicks', () => {
  const state = twoCircles();
  const vector = new Float32Array(DIMENSIONS).fill(2);
  const learned = Float32Array.from(vectorOf(state, 4) ?? []);
  seed(state, 4, vector);
  seed(state, 90, vector);
  expect(vectorOf(state, 4)).toEqual(learned);
  expect(vectorOf(state, 90)?.[0]).toBeCloseTo(1 / 8);
  seed(state, 91, new Float32Array(DIMENSIONS));
  expect(Number.isFinite(vectorOf(state, 91)?.[0])).toBe(true);
});

test('a forgotten item is back at its first direction and no longer drawn', () => {
  const state = twoCircles();
  const untouched = init();
  learn(untouched, new Int32Array(0), 40);
  forget(state, Int32Array.of(4));
  expect(vectorOf(state, 4)).toEqual(vectorOf(untouched, 4));
  expect(state.recent.items.includes(4)).toBe(false);
  expect(state.seen.list.subarray(0, state.seen.count).includes(4)).toBe(false);
});

test('whatever is forgotten in whatever order, all others can still be drawn, each once', () => {
  const state = init();
  for (let item = 0; item < 10; item++) learn(state, new Int32Array(0), item);
  const left = new Set(Array.from({ length: 10 }, (_, item) => item));
  for (const item of [2, 9, 8, 0, 5]) {
    forget(state, Int32Array.of(item));
    left.delete(item);
    expect([...state.seen.list.subarray(0, state.seen.count)].sort()).toEqual([...left]);
    for (const other of left) expect(state.seen.list[state.seen.places[other]!]).toBe(other);
  }
});
