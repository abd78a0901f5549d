import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diversify, similarity, type Candidates } from '../../models/diversity.js';

const CATEGORIES = ['Kitchen', 'Coffee', 'Games'];

/** Candidates on a circle, with categories, best first. */
const lists = fc.array(fc.record({ score: fc.double({ min: -5, max: 5, noNaN: true }), angle: fc.option(fc.integer({ min: 0, max: 359 })), category: fc.option(fc.nat(2)) }), { maxLength: 25 })
  .map((all): Candidates => {
    const sorted = [...all].sort((a, b) => b.score - a.score);
    return {
      scores: sorted.map(({ score }) => score),
      vectorOf: (at) => { const { angle } = sorted[at]; return angle === null ? undefined : [Math.cos(angle / 57.3), Math.sin(angle / 57.3)]; },
      categoryOf: (at) => { const { category } = sorted[at]; return category === null ? undefined : CATEGORIES[category]; },
    };
  });

/** Mean similarity of all pairs of a list: what diversity lowers. */
function sameness(candidates: Candidates, shown: readonly number[]): number {
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < shown.length; i++) {
    for (let j = 0; j < i; j++) {
      sum += similarity(candidates, shown[i], shown[j]);
      pairs++;
    }
  }
  return pairs > 0 ? sum / pairs : 0;
}

test('without strength the ranking stays as it is', () => {
  fc.assert(fc.property(lists, fc.integer({ min: -2, max: 30 }), fc.constantFrom(0, -1, Number.NaN), (candidates, limit, none) => {
    expect(diversify(candidates, limit, none)).toEqual(Array.from({ length: Math.max(0, Math.min(limit, candidates.scores.length)) }, (_, at) => at));
  }));
});

test('whatever the strength, it shows different candidates, as many as asked for, and the best one first', () => {
  fc.assert(fc.property(lists, fc.integer({ min: 0, max: 30 }), fc.double({ min: 0, max: 2, noNaN: true }), (candidates, limit, strength) => {
    const shown = diversify(candidates, limit, strength);
    expect(shown.length).toBe(Math.min(limit, candidates.scores.length));
    expect(new Set(shown).size).toBe(shown.length);
    expect(shown.slice(0, 1)).toEqual([0].slice(0, shown.length));
    expect(shown.every((at) => at >= 0 && at < candidates.scores.length)).toBe(true);
  }));
});

test('a longer list begins as the shorter one', () => {
  fc.assert(fc.property(lists, fc.double({ min: 0, max: 1, noNaN: true }), (candidates, strength) => {
    expect(diversify(candidates, 10, strength).slice(0, 4)).toEqual(diversify(candidates, 4, strength));
  }));
});

test('three of a kind at the top make room for another kind, and the list says less of the same', () => {
  const kinds = ['Kitchen', 'Kitchen', 'Kitchen', 'Coffee', 'Games', 'Kitchen'];
  const candidates: Candidates = {
    scores: [5, 4.9, 4.8, 4, 3.5, 1],
    vectorOf: (at) => (kinds[at] === 'Kitchen' ? [1, 0] : kinds[at] === 'Coffee' ? [0, 1] : [0, -1]),
    categoryOf: (at) => kinds[at],
  };
  expect(diversify(candidates, 3, 0)).toEqual([0, 1, 2]);
  expect(diversify(candidates, 3, 0.5)).toEqual([0, 3, 4]);
  expect(sameness(candidates, diversify(candidates, 3, 0.5))).toBeLessThan(sameness(candidates, [0, 1, 2]));
  // Items that are all worth the same differ in kind alone.
  expect(diversify({ ...candidates, scores: kinds.map(() => 2) }, 3, 0.5)).toEqual([0, 3, 4]);
});
