import { expect, test } from 'vitest';
import { evaluateCandidates, K, passes, type Served } from '../../../models/evaluate/candidate-recall.js';

const items = Int32Array.from({ length: 200 }, (_, item) => item);
const questions = [5, 17, 60, 150].map((target) => ({ recent: Int32Array.of(199), target }));
/** Small numbers score best. */
const score = (_recent: Int32Array, of: Int32Array): Float32Array => Float32Array.from(of, (item) => -item);
const serving = (serve: Served['serve']): Served => ({ serve, score });

test('the best of all are a recall of one and lose nothing', () => {
  const all = evaluateCandidates(serving((_, passing) => passing.slice(0, K)), items, questions, 1, 100);
  expect(all).toEqual({ share: 1, items: 200, n: 4, recall: 1, scoreLost: 0, hitRate: 0.5, exactHitRate: 0.5 });
});

test('half of them, with worse ones in place of the others, are half, and what that costs', () => {
  const half = evaluateCandidates(serving((_, passing) => Int32Array.of(...passing.slice(0, 10), ...passing.slice(50, 60))), items, questions, 1, 100);
  expect(half).toMatchObject({ recall: 0.5, scoreLost: 20, hitRate: 0.25 });
});

test('under a filter only questions that it lets through are asked, of what it lets through', () => {
  const asked: number[] = [];
  const some = evaluateCandidates(serving((_, passing, isFiltered) => {
    asked.push(passing.length);
    expect(isFiltered && passing.every((item) => passes(item, 0.3))).toBe(true);
    return passing.slice(0, K);
  }), items, Array.from(items, (target) => ({ recent: Int32Array.of(199), target })), 0.3, 10);
  expect(some).toMatchObject({ n: 10, recall: 1, items: asked[0] });
  expect(some.items).toBeGreaterThan(40);
  expect(some.items).toBeLessThan(80);
});

test('what was clicked last is neither asked nor expected, and nothing to ask is zeros', () => {
  const last = evaluateCandidates(serving((_, passing) => passing.slice(1, 1 + K)), items, [{ recent: Int32Array.of(0), target: 0 }, { recent: Int32Array.of(0), target: 3 }], 1, 10);
  expect(last).toMatchObject({ n: 1, recall: 1, hitRate: 1 });
  expect(evaluateCandidates(serving(() => new Int32Array(0)), items, [], 1, 10)).toMatchObject({ n: 0, recall: 0, scoreLost: 0, hitRate: 0 });
});
