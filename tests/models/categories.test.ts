import { expect, test } from 'vitest';
import * as categories from '../../models/categories.js';
import * as fusion from '../../models/fusion.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';

const SHOP: readonly (readonly [item: number, category: string | null])[] = [[0, 'Tents'], [1, 'Tents'], [2, 'Pots'], [3, null], [4, '']];

function shop(): categories.Categories {
  const state = categories.init();
  for (const [item, category] of SHOP) categories.learn(state, item, category);
  return state;
}

function shares(state: categories.Categories, recent: readonly number[], items: readonly number[]): number[] {
  const out = new Float32Array(items.length + 2).fill(9);
  categories.predictMany(state, Int32Array.from(recent), Int32Array.from(items), items.length, out, 1);
  expect([out[0], out.at(-1)]).toEqual([9, 9]);
  return [...out.subarray(1, -1)].map((share) => Number(share.toFixed(4)));
}

test('an item has the share of the last ten clicks that are of its category', () => {
  expect(shares(shop(), [1, 2, 0], [0, 1, 2])).toEqual([0.6667, 0.6667, 0.3333]);
  expect(shares(shop(), [0], [1, 2])).toEqual([1, 0]);
  expect(shares(shop(), [...Array.from({ length: 10 }, () => 2), 0, 0], [0, 2])).toEqual([0, 1]);
});

test('what is of no category says nothing, as a click or as an item', () => {
  expect(shares(shop(), [3, 4], [3, 4, 0])).toEqual([0, 0, 0]);
  expect(shares(shop(), [0], [3, 4, -1, 1_000_000])).toEqual([0, 0, 0, 0]);
  expect(shares(shop(), [3, -1, 1_000_000, 0], [1])).toEqual([1]);
  expect(shares(shop(), [], [0])).toEqual([0]);
  expect(shares(categories.init(), [0], [0])).toEqual([0]);
});

test('what the shop says last counts, a successor brings its own, and of what is forgotten nothing is left', () => {
  const state = shop();
  categories.learn(state, 0, 'Pots');
  expect(shares(state, [2], [0])).toEqual([1]);
  categories.takeOver(state, 1, 2);
  expect(shares(state, [1], [0, 2])).toEqual([1, 0]);
  categories.forget(state, Int32Array.of(1, 77, -1));
  expect(shares(state, [0], [1])).toEqual([0]);
  expect(categories.snapshot(categories.restore(categories.snapshot(state)))).toEqual(categories.snapshot(state));
});

test('in a new shop, what is of the category of the only click comes before what is not', () => {
  const state = fusion.init();
  const work = fusion.workspace();
  for (const [item, category] of SHOP) categories.learn(state.categories, item, category);
  for (const item of [0, 1, 2, 3]) fusion.learn(state, new Int32Array(0), item, work);
  fusion.scoreItems(state, Int32Array.of(0), Int32Array.of(1, 2, 3), work);
  const [alike, other, none] = work.scores;
  expect(alike).toBeGreaterThan(Math.max(other, none) + 0.5);
});

test('where shoppers stay in a category, a ranker that knows categories finds what clicks have not joined yet', () => {
  const found = (knows: boolean): number => {
    const state = fusion.init();
    const work = fusion.workspace();
    const random = randomness(3);
    const [many, each] = [20, 40];
    const anyOf = (category: number): number => category + many * Math.floor(uniform(random) * each);
    if (knows) for (let item = 0; item < many * each; item++) categories.learn(state.categories, item, `C${item % many}`);
    let right = 0;
    for (let n = 0; n < 700; n++) {
      const category = Math.floor(uniform(random) * many);
      const [from, to] = [anyOf(category), anyOf(category)];
      if (n >= 500) {
        fusion.scoreItems(state, Int32Array.of(from), Int32Array.from({ length: many }, (_, c) => (c === category ? to : anyOf(c))), work);
        if (work.scores.subarray(0, many).every((score, c) => c === category || score < work.scores[category])) right++;
      }
      fusion.learn(state, new Int32Array(0), from, work);
      fusion.learn(state, Int32Array.of(from), to, work);
    }
    return right / 200;
  };
  expect(found(true)).toBeGreaterThan(found(false) + 0.3);
});
