import { expect, test } from 'vitest';
import * as evidence from '../../models/evidence.js';
import * as fusion from '../../models/fusion.js';

/** Item 1 leads to 2, and 2 to each of 3 to 6 as often as to 9, which half the shop looks at. */
function shop(): { model: fusion.Fusion; work: fusion.Workspace } {
  const model = fusion.init();
  const visit = (...items: number[]): void => items.forEach((item, at) => fusion.learnCounts(model, Int32Array.from(items.slice(0, at)).reverse(), item));
  for (let n = 0; n < 5; n++) {
    visit(1, 2);
    for (const next of [3, 4, 5, 6, 9]) visit(2, next);
  }
  for (let n = 0; n < 60; n++) visit(9);
  return { model, work: fusion.workspace() };
}

test('an item two steps away is there because of a click only where that leads to it more often than chance', () => {
  const { model, work } = shop();
  const recent = Int32Array.of(1);
  fusion.rank(model, recent, work);
  const found = evidence.predict(model, recent, Int32Array.of(3, 9), work);
  expect(found[0]).toEqual({ click: 1, by: 'two_hop' });
  expect(found[1]?.by).not.toBe('two_hop');
});
