import { expect, test } from 'vitest';
import { drawCold, evaluateColdStart, type Visit } from '../../../models/evaluate/cold-start.js';
import { randomness, uniform } from '../../../models/kernels/numbers.js';
import { plainSlopes } from '../../support/tower-slopes.js';

/** Visits that stay within one of five kinds of items. */
function visits(count: number, seed: number): Visit[] {
  const random = randomness(seed);
  return Array.from({ length: count }, (_, at): Visit => {
    const kind = Math.floor(uniform(random) * 5);
    return { shopper: at, items: Array.from({ length: 6 }, () => kind + 5 * Math.floor(uniform(random) * 24)) };
  });
}

const contents = Array.from({ length: 120 }, (_, item) => ({ title: `thing${item % 5} number ${item}`, category: `kind ${item % 5}`, brand: null, price: 5 }));

const cold = drawCold(120, 1);

test('content finds items that nobody clicked, where a random direction does not', () => {
  const truthOf = (_shopper: number, last: number): Float64Array => Float64Array.from({ length: 120 }, (_, item) => (item % 5 === last % 5 ? 1 : 0));
  const { questions, cold: count, recall } = evaluateColdStart({ contents, cold, learned: visits(200, 1), asked: visits(150, 2), truthOf }, plainSlopes, 2, 1);
  expect(count).toBeGreaterThan(12);
  expect(questions).toBeGreaterThan(100);
  expect(recall['content'].amongAll).toBeGreaterThan(1.5 * recall['random'].amongAll);
  expect(recall['words'].amongAll).toBeGreaterThan(1.5 * recall['random'].amongAll);
  expect(recall['category'].amongAll).toBeGreaterThan(1.5 * recall['random'].amongAll);
  expect(recall['category'].errorAmongAll).toBe(0);
  expect(recall['random'].errorAmongAll).toBeGreaterThan(0);
});

test('where only categories tell, content is as good as their mean', () => {
  const noisy = contents.map((content, item) => ({ ...content, title: `a${item % 7} b${item % 11} c${item % 13}`, price: 1 + item }));
  const { recall: { category, content } } = evaluateColdStart({ contents: noisy, cold, learned: visits(200, 1), asked: visits(100, 2) }, plainSlopes, 2, 1);
  expect(category.amongAll).toBeGreaterThan(0.5);
  expect(content.amongAll).toBeGreaterThanOrEqual(category.amongAll - content.errorAmongAll);
  expect(content.amongCold).toBeGreaterThanOrEqual(category.amongCold - content.errorAmongCold);
});

test('words are told no categories, also where items are in several', () => {
  const silent = contents.map(({ category }) => ({ title: null, category, categories: [category, 'all'], brand: null, price: null }));
  const { recall } = evaluateColdStart({ contents: silent, cold, learned: visits(200, 1), asked: visits(100, 2) }, plainSlopes, 2, 1);
  expect(recall['content'].amongAll).toBeGreaterThan(2 * recall['words'].amongAll);
});

test('where words tell, content finds more than the mean of a category, and what is most alike by words does, too', () => {
  const all = contents.map((content) => ({ ...content, category: 'all' }));
  const { recall } = evaluateColdStart({ contents: all, cold, learned: visits(200, 1), asked: visits(150, 2) }, plainSlopes, 2, 1);
  for (const name of ['content', 'alike', 'nearest']) expect(recall[name].amongAll).toBeGreaterThan(2 * recall['category'].amongAll);
});

test('what is nearest to an item that nobody clicked is of its kind, and a scan finds all of it, in 8 bits nearly all', () => {
  const { similar } = evaluateColdStart({ contents, cold, learned: visits(400, 1), asked: [] }, plainSlopes, 2, 1);
  expect(similar.ofItsCategory).toBeGreaterThan(2 * similar.byChance);
  expect(similar.byChance).toBeCloseTo(23 / 119, 6);
  expect(similar.recall.float32).toBeGreaterThan(0.999);
  expect(similar.recall.int8).toBeGreaterThan(0.9);
});

test('nothing to ask gives zeros, not NaN', () => {
  const { recall, questions } = evaluateColdStart({ contents, cold, learned: visits(20, 1), asked: [] }, plainSlopes, 0, 1);
  expect(questions).toBe(0);
  expect(Object.values(recall).every(({ amongAll, amongCold }) => amongAll === 0 && amongCold === 0)).toBe(true);
  expect('truth' in recall).toBe(false);
});
