import { expect, test } from 'vitest';
import { evaluateColdStart, type Visit } from '../../../models/evaluate/cold-start.js';
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

test('content finds items that nobody clicked, where a random direction does not', () => {
  const truthOf = (_shopper: number, last: number): Float64Array => Float64Array.from({ length: 120 }, (_, item) => (item % 5 === last % 5 ? 1 : 0));
  const { questions, cold, recall } = evaluateColdStart({ contents, learned: visits(400, 1), asked: visits(200, 2), truthOf }, plainSlopes, 20, 1);
  expect(cold).toBeGreaterThan(12);
  expect(questions).toBeGreaterThan(100);
  expect(recall['content'].amongAll).toBeGreaterThan(1.5 * recall['random'].amongAll);
  expect(recall['words'].amongAll).toBeGreaterThan(1.5 * recall['random'].amongAll);
  expect(recall['category'].amongAll).toBeGreaterThan(1.5 * recall['random'].amongAll);
});

test('what is nearest to an item that nobody clicked is of its kind, and a scan finds all of it, in 8 bits nearly all', () => {
  const { similar } = evaluateColdStart({ contents, learned: visits(400, 1), asked: [] }, plainSlopes, 20, 1);
  expect(similar.ofItsCategory).toBeGreaterThan(2 * similar.byChance);
  expect(similar.byChance).toBeCloseTo(23 / 119, 6);
  expect(similar.recall.float32).toBeGreaterThan(0.999);
  expect(similar.recall.int8).toBeGreaterThan(0.9);
});

test('nothing to ask gives zeros, not NaN', () => {
  const { recall, questions } = evaluateColdStart({ contents, learned: visits(20, 1), asked: [] }, plainSlopes, 0, 1);
  expect(questions).toBe(0);
  expect(Object.values(recall).every(({ amongAll, amongCold }) => amongAll === 0 && amongCold === 0)).toBe(true);
  expect('truth' in recall).toBe(false);
});
