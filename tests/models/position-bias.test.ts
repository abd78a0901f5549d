import fc from 'fast-check';
import { expect, test } from 'vitest';
import { log, randomness, uniform } from '../../models/kernels/numbers.js';
import * as positionBias from '../../models/position-bias.js';
import * as ranker from '../../models/ranker.js';

const PLACES = 10;
const FEATURES = 3;

const SHOP = 40;

/**
 * A shop whose shoppers look at place k as often as k^−η and click what they look at by its true worth, 2 x₀ − x₁. It shows the best ten of
 * forty as the ranker ranks them at that time, and learns from nothing but these lists. Answers the learned η, and how much of the true
 * order fresh items are ranked in (1: all pairs).
 */
function lived(eta: number, lists: number, offsets: (state: positionBias.PositionBias) => Float32Array | undefined, seed = 7): { eta: number; order: number } {
  const random = randomness(seed);
  const model = ranker.init(FEATURES, [0, 0, 0]);
  const bias = positionBias.init();
  const scores = new Float32Array(ranker.STRIDE);
  const worth = ([x0 = 0, x1 = 0]: readonly number[]): number => 2 * x0 - x1;
  const item = (): number[] => [2 * uniform(random) - 1, 2 * uniform(random) - 1, 1];
  const show = (items: readonly (readonly number[])[]): void => items.forEach((x, c) => x.forEach((value, f) => { model.x[f * ranker.STRIDE + c] = value; }));
  for (let n = 0; n < lists; n++) {
    const shop = Array.from({ length: SHOP }, item);
    show(shop);
    ranker.predict(model, SHOP, scores);
    const items = [...shop.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, PLACES).map((at) => shop[at]!);
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

const known = (bias: positionBias.PositionBias): Float32Array => positionBias.offsets(bias, 'row', PLACES);

test.each([0, 0.5, 1])('in the ranker\'s own order an exponent of %d is found, and the ranker learns what items are worth, not where they stood', (eta) => {
  for (const seed of [7, 8, 9]) {
    const learned = lived(eta, 6_000, known, seed);
    expect(Math.abs(learned.eta - eta)).toBeLessThan(0.2);
    expect(learned.order).toBeGreaterThan(0.93);
  }
});

test('left to the ranker, a strong bias passes for worth', () => {
  expect(lived(1.2, 6_000, () => undefined).order).toBeLessThan(lived(1.2, 6_000, known).order - 0.01);
});

test('scores that all stand as far apart teach no exponent until lists differ: it stays near what is believed', () => {
  const bias = positionBias.init();
  const even = Float32Array.from({ length: PLACES }, (_, place) => -log(place + 1));
  const random = randomness(3);
  for (let n = 0; n < 2_000; n++) {
    let left = uniform(random) * 2.9;
    positionBias.learn(bias, 'row', even, Math.max(0, Array.from(even, (score) => Math.exp(score)).findIndex((chance) => (left -= chance) < 0)));
  }
  expect(Math.abs(positionBias.predict(bias, 'row') - 0.5)).toBeLessThan(0.1);
});

test('each placement has its own, beyond the eight most used they share one; what is strange changes nothing', () => {
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

test('a snapshot goes on where it stood; one of an older version is refused', () => {
  const state = positionBias.init();
  for (let n = 0; n < 40; n++) positionBias.learn(state, n % 2 ? 'row' : 'grid', [1, 0.5, 0], n % 3);
  expect([...positionBias.restore(positionBias.snapshot(state))]).toEqual([...state]);
  expect(() => positionBias.restore(Uint8Array.of(1, 2, 3))).toThrow(/snapshot/);
});
