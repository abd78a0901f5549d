import { expect, test } from 'vitest';
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
  const cache = hopCache(scratch());
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
  const cache = hopCache(scratch());
  hops((space) => gatherCached(state, after(1), space, cache));
  for (let n = 0; n < 9; n++) coVisitation.learn(state, after(1), 7);
  coVisitation.learn(state, after(7), 8);
  expect(hops((space) => gatherCached(state, after(1), space, cache)).get(8)).toBeGreaterThan(0);
  const other = coVisitation.init();
  coVisitation.learn(other, after(), 1);
  expect(hops((space) => gatherCached(other, after(1), space, cache)).size).toBe(0);
});
