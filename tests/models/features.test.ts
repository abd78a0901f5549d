import { expect, test } from 'vitest';
import { FEATURES, type Feature } from '../../models/features.js';
import * as fusion from '../../models/fusion.js';
import { STRIDE } from '../../models/ranker.js';

const work = fusion.workspace();

/** A feature of given items after a click, as the ranker sees it. */
function featureOf(state: fusion.Fusion, feature: Feature, click: number, items: readonly number[]): number[] {
  fusion.scoreItems(state, Int32Array.of(click), Int32Array.from(items), work);
  return items.map((_, c) => state.ranker.x[FEATURES.indexOf(feature) * STRIDE + c]!);
}

test('a trend rises with what was clicked lately beside what was clicked long ago, and popularity with both', () => {
  const state = fusion.init();
  const click = (item: number, times: number): void => {
    for (let n = 0; n < times; n++) fusion.learn(state, Int32Array.of(100 + (n % 9)), item, work);
  };
  click(1, 2_000);
  click(2, 4_000);
  click(3, 20);
  const [fading, rising, rare] = featureOf(state, 'trend', 100, [1, 2, 3]);
  expect(rising).toBeGreaterThan(fading!);
  expect(rare).toBeGreaterThan(fading!);
  for (const feature of ['popular', 'trending'] as const) {
    const [, more, less] = featureOf(state, feature, 100, [1, 2, 3]);
    expect(more).toBeGreaterThan(less!);
  }
});

test('evidence, age and the shopper\'s own clicks have the sign that their names say', () => {
  const state = fusion.init();
  for (let n = 0; n < 400; n++) {
    fusion.learn(state, Int32Array.of(1), 2, work);
    if (n % 20 === 0) fusion.learn(state, Int32Array.of(1), 3, work);
  }
  for (let n = 0; n < 50; n++) fusion.learn(state, Int32Array.of(9), 5, work);
  for (const feature of ['latest share', 'latest part', 'forward share'] as const) {
    const [often, seldom] = featureOf(state, feature, 1, [2, 3]);
    expect(often).toBeGreaterThan(seldom!);
  }
  const [before, after] = featureOf(state, 'before latest', 2, [1, 5]);
  expect(before).toBeGreaterThan(after!);
  const [old, young] = featureOf(state, 'age', 1, [2, 5]);
  expect(old).toBeGreaterThan(young!);
  const [own, other] = featureOf(state, 'own', 1, [1, 2]);
  expect(own).toBeGreaterThan(other!);
});
