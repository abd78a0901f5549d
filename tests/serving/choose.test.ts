import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choose, type KnownItems } from '../../pipeline/serving/choose.js';
import type { Ranked } from '../../pipeline/serving/rank.js';

/** Items 100, 101, … of falling score. */
function ranked(scores: readonly number[]): Ranked {
  const sorted = [...scores].sort((a, b) => b - a);
  return { items: Int32Array.from(sorted, (_, at) => 100 + at), scores: Float32Array.from(sorted), places: Uint8Array.from(sorted.keys()) };
}

const plain: KnownItems = { vectorOf: () => undefined, categoryOf: () => undefined, dampingOf: () => 0, isNew: () => false, draw: (items) => ({ at: items.length - 1, propensity: 1 / items.length }) };
const scoresOf = fc.array(fc.float({ min: -5, max: 5, noNaN: true }), { maxLength: 60 });

test('without wishes the ranking stands', () => {
  fc.assert(fc.property(scoresOf, fc.integer({ min: 1, max: 100 }), (scores, limit) => {
    const given = ranked(scores);
    const { items, propensities, dampings } = choose(given, { limit, diversity: 0, explore: false }, plain);
    expect(items).toEqual(given.items.slice(0, limit));
    expect([...propensities].every((one) => one === 1)).toBe(true);
    expect([...dampings].every((one) => one === 0)).toBe(true);
  }));
});

test('whatever is wished, each item comes once, as many as asked for, and columns belong together', () => {
  fc.assert(fc.property(scoresOf, fc.integer({ min: 1, max: 40 }), fc.float({ min: 0, max: 1, noNaN: true }), fc.boolean(), fc.nat(7), (scores, limit, diversity, explore, step) => {
    const given = ranked(scores);
    const known: KnownItems = { ...plain, categoryOf: (item) => `c${item % 3}`, dampingOf: (item) => (item % 7 === step ? -2 : 0) };
    const chosen = choose(given, { limit, diversity, explore }, known);
    expect(chosen.items.length).toBe(Math.min(limit, scores.length));
    expect(new Set(chosen.items).size).toBe(chosen.items.length);
    chosen.items.forEach((item, at) => {
      expect(chosen.places[at]).toBe(item - 100);
      expect(chosen.scores[at]).toBeCloseTo(given.scores[item - 100]! + chosen.dampings[at]!, 5);
    });
  }));
});

test('what was shown in vain sinks below what scores less', () => {
  const { items, dampings } = choose(ranked([3, 2.5, 1]), { limit: 2, diversity: 0, explore: false }, { ...plain, dampingOf: (item) => (item === 100 ? -1 : 0) });
  expect([...items]).toEqual([101, 100]);
  expect([...dampings]).toEqual([0, -1]);
});

test('the last place tries one of the next twenty, or a new item however far down, and says how likely that was', () => {
  const asked: number[][] = [];
  const known: KnownItems = { ...plain, isNew: (item) => item === 150, draw: (items) => { asked.push([...items]); return { at: items.length - 1, propensity: 0.125 }; } };
  const given = ranked(Array.from({ length: 60 }, (_, at) => -at));
  const { items, propensities } = choose(given, { limit: 5, diversity: 0, explore: true }, known);
  expect([...items]).toEqual([100, 101, 102, 103, 150]);
  expect([...propensities]).toEqual([1, 1, 1, 1, 0.125]);
  expect(asked).toEqual([[...Array.from({ length: 20 }, (_, at) => 104 + at), 150]]);
});

test('nothing is tried where there is one place, or nothing else to show', () => {
  expect(choose(ranked([3, 2, 1]), { limit: 1, diversity: 0, explore: true }, plain).items).toEqual(Int32Array.of(100));
  expect([...choose(ranked([3, 2, 1]), { limit: 3, diversity: 0, explore: true }, plain).propensities]).toEqual([1, 1, 1]);
});
