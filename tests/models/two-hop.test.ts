import { expect, test } from 'vitest';
import { randomness, uniform } from '../../models/kernels/numbers.js';
import * as coVisitation from '../../models/co-visitation.js';
import { begin, scratch, type Scratch } from '../../models/kernels/candidates.js';
import { gather, gatherCached, hopCache } from '../../models/two-hop.js';

const after = (...items: number[]): Int32Array => Int32Array.from(items);

function hops(run: (space: Scratch) => void): Map<number, number> {
  const space = scratch();
  begin(space);
  run(space);
  return new Map(Array.from(space.items.subarray(0, space.slots), (item, at) => [item, space.hop[at]]));
}

function chain(): coVisitation.CoVisitation {
  const state = coVisitation.init();
  for (let n = 0; n < 5; n++) {
    coVisitation.learn(state, after(), 1);
    coVisitation.learn(state, after(1), 2);
    coVisitation.learn(state, after(), 2);
    coVisitation.learn(state, after(2), 3);
  }
  return state;
}

test('an item is found through one between, though nobody clicked the two together', () => {
  const state = chain();
  expect(hops((space) => gather(state, after(1), space)).get(3)).toBeGreaterThan(0);
});

test('the cache answers as the walk does while the rows stand still', () => {
  const state = chain();
  const cache = hopCache();
  const walked = hops((space) => gather(state, after(1, 2), space));
  for (let n = 0; n < 2; n++) {
    const cached = hops((space) => gatherCached(state, after(1, 2), space, cache));
    expect(cached.size).toBe(walked.size);
    for (const [item, value] of walked) expect(cached.get(item)).toBeCloseTo(value, 5);
  }
  expect(cache.fills).toBe(2);
});

test('a cached row is renewed once its item changed, and void for another state', () => {
  const state = chain();
  const cache = hopCache();
  hops((space) => gatherCached(state, after(1), space, cache));
  for (let n = 0; n < 9; n++) coVisitation.learn(state, after(1), 7);
  coVisitation.learn(state, after(7), 8);
  expect(hops((space) => gatherCached(state, after(1), space, cache)).get(8)).toBeGreaterThan(0);
  const other = coVisitation.init();
  coVisitation.learn(other, after(), 1);
  expect(hops((space) => gatherCached(other, after(1), space, cache)).size).toBe(0);
});

test('of a forgotten item nothing is left in the cache, though the click it belongs to stands still: its number may be another\'s', () => {
  const state = chain();
  const cache = hopCache();
  expect(hops((space) => gatherCached(state, after(1), space, cache)).get(3)).toBeGreaterThan(0);
  coVisitation.forget(state, after(3));
  expect(hops((space) => gatherCached(state, after(1), space, cache)).has(3)).toBe(false);
});

test('the walk is its formula in plain arithmetic', () => {
  const state = coVisitation.init();
  const random = randomness(5);
  for (let n = 0; n < 400; n++) coVisitation.learn(state, after(Math.floor(uniform(random) * 12), Math.floor(uniform(random) * 12)), Math.floor(uniform(random) * 12));
  const { settings: { queryStep }, count, norm } = state;
  const of = (rows: typeof state.forward, item: number): [number, number][] =>
    Array.from({ length: rows.length[item]! }, (_, at) => [rows.ids[rows.offset[item]! + at]!, rows.weights[rows.offset[item]! + at]!]);
  const expected = new Map<number, number>();
  [3, 8].forEach((click, j) => {
    const near = [...of(state.forward, click), ...of(state.backward, click).map(([y, weight]): [number, number] => [y, weight / 2])];
    for (const [y, weight] of near.sort(([, a], [, b]) => b - a).slice(0, 16)) {
      const share = queryStep ** j * norm[click]! * weight * count[y]! ** -0.8;
      for (const [c, value] of of(state.forward, y)) expected.set(c, (expected.get(c) ?? 0) + share * value);
      for (const [c, value] of of(state.backward, y)) expected.set(c, (expected.get(c) ?? 0) + share * value / 2);
    }
  });
  const walked = hops((space) => gather(state, after(3, 8), space));
  expect(walked.size).toBe(expected.size);
  for (const [item, value] of expected) expect(walked.get(item)! / value).toBeCloseTo(1, 4);
});
