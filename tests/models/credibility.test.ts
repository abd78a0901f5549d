import { describe, expect, test } from 'vitest';
import { fit, init, leftOut, predict, type Kind, type Observed } from '../../models/credibility.js';
import { DIMENSIONS } from '../../models/embedding.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';

const CATEGORIES: Kind = [0, 10];
const WORDS: Kind = [10, 60];
const random = randomness(3);
const unit = (vector: Float32Array): Float32Array => vector.map((value) => value / Math.hypot(...vector));
const direction = (): Float32Array => unit(Float32Array.from({ length: DIMENSIONS }, () => uniform(random) - 0.5));
const said = (state: ReturnType<typeof init>, ...tokens: number[]): Float64Array => {
  const out = new Float64Array(DIMENSIONS);
  predict(state, Int32Array.from(tokens), out);
  return out;
};
const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, value, d) => sum + value * b[d]!, 0) / Math.hypot(...Array.from(a)) / Math.hypot(...Array.from(b));
const effect = (state: ReturnType<typeof init>, slot: number): number => Math.hypot(...state.effects.subarray(slot * DIMENSIONS, (slot + 1) * DIMENSIONS));

/** Items of ten categories with two of fifty words each; `of` makes their vectors. */
function shelf(items: number, of: (category: number, words: readonly number[]) => Float32Array): Observed[] {
  return Array.from({ length: items }, (_, item) => {
    const words = [10 + Math.floor(uniform(random) * 50), 10 + Math.floor(uniform(random) * 50)];
    return { tokens: Int32Array.from([item % 10, ...new Set(words)]), vector: of(item % 10, words), clicks: 20 };
  });
}

const own = Array.from({ length: 60 }, direction);
const noisy = (...parts: readonly Float32Array[]): Float32Array => {
  const noise = direction();
  return unit(noise.map((value, d) => value + parts.reduce((sum, part) => sum + part[d]!, 0)));
};

describe('what items have in common', () => {
  test('is the mean of the category drawn toward that of all, where only categories tell; words are not believed', () => {
    const items = shelf(400, (category) => noisy(own[category]!));
    const state = fit(60, [CATEGORIES, WORDS], items);
    const mean = items.filter((_, item) => item % 10 === 3).reduce((sum, { vector }) => sum.map((value, d) => value + vector[d]! / 40), new Float32Array(DIMENSIONS));
    expect(cosine(said(state, 3), mean)).toBeGreaterThan(0.99);
    expect(Math.hypot(...said(state, 3))).toBeLessThan(Math.hypot(...mean));
    expect(effect(state, 3)).toBeGreaterThan(0.3);
    for (let word = 10; word < 60; word++) expect(effect(state, word)).toBeLessThan(0.1 * effect(state, 3));
  });

  test('is told by words where only words tell, also of two that never stood together', () => {
    const state = fit(60, [CATEGORIES, WORDS], shelf(400, (_, words) => noisy(...words.map((word) => own[word]!))));
    expect(cosine(said(state, 20, 30), unit(own[20]!.map((value, d) => value + own[30]![d]!)))).toBeGreaterThan(0.8);
    expect(effect(state, 3)).toBeLessThan(0.3 * effect(state, 20));
  });

  test('counts a word of one item less than one of many', () => {
    const items = shelf(400, (_, words) => noisy(...words.map((word) => own[word]!)));
    const rare = items.map((item, at) => (at === 7 ? { ...item, tokens: Int32Array.of(7, 60) } : item));
    const state = fit(61, [CATEGORIES, [10, 61]], rare);
    // The rare word alone would tell all that is left of its item.
    expect(state.shares[60]).toBeLessThan(0.6);
    expect(effect(state, 60)).toBeLessThan(effect(state, 20));
  });

  test('without an item is what the others would have told', () => {
    const items = shelf(200, (category) => noisy(own[category]!));
    const state = fit(60, [CATEGORIES], items);
    for (const at of [0, 17, 99]) {
      const others = fit(60, [CATEGORIES], items.filter((_, item) => item !== at));
      const left = leftOut(state, items[at]!);
      const expected = said(others, ...items[at]!.tokens.subarray(0, 1));
      expect(Math.hypot(...left.map((value, d) => value - expected[d]!))).toBeLessThan(0.01);
      expect(Math.hypot(...said(state, ...items[at]!.tokens.subarray(0, 1)).map((value, d) => value - expected[d]!))).toBeGreaterThan(0.02);
    }
  });

  test('without an item says nothing of its own words, however many it has that no other item has', () => {
    const items = shelf(200, (category) => noisy(own[category]!)).map((item, at) => ({ ...item, tokens: Int32Array.of(at % 10, 10 + (at % 7), 20 + at, 220 + at, 420 + at) }));
    const told = items.map((item, at) => ({ ...item, vector: noisy(own[at % 10]!, own[10 + (at % 7)]!) }));
    const state = fit(620, [CATEGORIES, [10, 620]], told);
    const [fitted, left] = [0, 1].map((isLeft) => told.reduce((sum, item) => sum + cosine(isLeft ? leftOut(state, item) : said(state, ...item.tokens), item.vector) / 200, 0));
    const fresh = told.map((_, at) => noisy(own[at % 10]!, own[10 + (at % 7)]!));
    const expected = told.reduce((sum, item, at) => sum + cosine(said(state, item.tokens[0]!, item.tokens[1]!), fresh[at]!) / 200, 0);
    expect(fitted).toBeGreaterThan(expected + 0.1);
    expect(Math.abs(left! - expected)).toBeLessThan(0.05);
  });

  test('is nothing of nothing, and no NaN of one item, of equal ones, or of items without clicks', () => {
    expect(said(fit(60, [CATEGORIES], []), 3).every((value) => value === 0)).toBe(true);
    const one: Observed = { tokens: Int32Array.of(1, 12), vector: own[0]!, clicks: 9 };
    for (const items of [[one], [one, one, one], [{ ...one, clicks: 0 }]]) {
      const state = fit(60, [CATEGORIES, WORDS], items);
      expect([...said(state, 1, 12), ...leftOut(state, one)].every(Number.isFinite)).toBe(true);
    }
  });
});
