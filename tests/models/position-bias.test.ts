import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import * as positionBias from '../../models/position-bias.js';
import * as ranker from '../../models/ranker.js';

const PLACES = 10;
const FEATURES = 3;

/**
 * A shop whose shoppers look at place k as often as k^−η and click what they look at by its true worth, 2 x₀ − x₁. Lists stand in the order of
 * an old ranking that knows some of it. Answers the learned η, and how much of the true order fresh items are ranked in (1: all pairs).
 */
function lived(eta: number, lists: number, offsets: (state: positionBias.PositionBias) => Float32Array | undefined): { eta: number; order: number } {
  const random = randomness(7);
  const model = ranker.init(FEATURES, [0, 0, 0]);
  const bias = positionBias.init();
  const scores = new Float32Array(ranker.STRIDE);
  const worth = ([x0 = 0, x1 = 0]: readonly number[]): number => 2 * x0 - x1;
  const item = (): number[] => [2 * uniform(random) - 1, 2 * uniform(random) - 1, 1];
  const show = (items: readonly (readonly number[])[]): void => items.forEach((x, c) => x.forEach((value, f) => { model.x[f * ranker.STRIDE + c] = value; }));
  for (let n = 0; n < lists; n++) {
    const items = Array.from({ length: PLACES }, item).sort((a, b) => b[0]! - a[0]! + uniform(random) - uniform(random));
    const chances = items.map((x, place) => Math.exp(worth(x)) * (place + 1) ** -eta);
    let left = uniform(random) * chances.reduce((sum, chance) => sum + chance, 0);
    const target = Math.max(0, chances.findIndex((chance) => (left -= chance) < 0));
    show(items);
    ranker.predict(model, PLACES, scores);
    positionBias.learn(bias, 'row', scores.subarray(0, PLACES), target);
    ranker.learn(model, PLACES, target, 1, offsets(bias));
  }
  const fresh = Array.from({ length: 100 }, item);
  show(fresh);
  ranker.predict(model, 100, scores);
  let [right, pairs] = [0, 0];
  for (let a = 0; a < 100; a++) for (let b = 0; b < a; b++, pairs++) if ((scores[a]! > scores[b]!) === (worth(fresh[a]!) > worth(fresh[b]!))) right++;
  return { eta: positionBias.predict(bias, 'row'), order: right / pairs };
}

test.each([0, 0.5, 1.2])('an exponent of %d is found, and the ranker learns what items are worth, not where they stood', (eta) => {
  const learned = lived(eta, 6_000, (bias) => positionBias.offsets(bias, 'row', PLACES));
  expect(Math.abs(learned.eta - eta)).toBeLessThan(0.25);
  expect(learned.order).toBeGreaterThan(0.97);
});

test('left to the ranker, a strong bias passes for worth', () => {
  expect(lived(1.2, 6_000, () => undefined).order).toBeLessThan(lived(1.2, 6_000, (bias) => positionBias.offsets(bias, 'row', PLACES)).order - 0.01);
});

test('each placement has its own, beyond eight they share one; what is strange changes nothing', () => {
  const state = positionBias.init();
  for (let n = 0; n < 400; n++) positionBias.learn(state, 'row', [0, 0, 0, 0], 0);
  expect(positionBias.predict(state, 'row')).toBeGreaterThan(1);
  expect(positionBias.predict(state, 'grid')).toBe(0.5);
  for (let n = 0; n < 50; n++) positionBias.learn(state, `p${n}`, [0, 0, 0, 0], 3);
  expect(state.size).toBe(9);
  const before = [...state];
  positionBias.learn(state, 'row', [NaN, 0], 1);
  expect([...state]).toEqual(before);
});

test('whatever is clicked, the exponent stays in its bounds and a place is never favoured over a higher one', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 2, maxLength: 20 }), fc.nat(19)), { maxLength: 40 }), (clicks) => {
    const state = positionBias.init();
    for (const [scores, chosen] of clicks) positionBias.learn(state, '', scores, chosen % scores.length);
    const offsets = positionBias.offsets(state, '', 10);
    for (let place = 1; place < 10; place++) expect(offsets[place]).toBeLessThanOrEqual(offsets[place - 1]!);
    expect(positionBias.overall(state)).toBeGreaterThanOrEqual(0);
    expect(positionBias.overall(state)).toBeLessThanOrEqual(2);
  }));
});
