import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as categories from '../../models/categories.js';
import * as features from '../../models/features.js';
import * as fusion from '../../models/fusion.js';
import { randomness, uniform } from '../../models/kernels/numbers.js';

const path = join(import.meta.dirname, 'recommender.json');

/** What the model makes of some visits, to four places: the features' units, and the scores of items by number. */
function made(): object {
  const state = fusion.init();
  const work = fusion.workspace();
  const random = randomness(7);
  for (let item = 0; item < 24; item++) categories.learn(state.categories, item, item < 16 ? `C${item % 4}` : null);
  for (let visit = 0; visit < 80; visit++) {
    const clicks: number[] = [];
    for (let n = 0; n < 4; n++) {
      const item = Math.floor(uniform(random) * 6) * 4 + (visit % 4);
      fusion.learn(state, Int32Array.from(clicks).reverse(), item, work, n === 3 ? 2 : 1);
      clicks.push(item);
    }
  }
  const answers = [[0], [5, 1], [2, 6, 10, 2]].map((recent) => {
    const count = fusion.rank(state, Int32Array.from(recent), work);
    return Object.fromEntries(Array.from(work.items.subarray(0, count), (item, c) => [item, Number(work.scores[c].toFixed(4))]));
  });
  return { features: features.FEATURES, answers };
}

const named = (): Record<string, unknown> => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown> : {});

test('a recommender that answers otherwise, or by other features, has another name', () => {
  // Only a new name may be written: what has a name keeps its answers.
  if (process.env['UPDATE_GOLDEN'] && !(fusion.MODEL in named())) writeFileSync(path, `${JSON.stringify({ [fusion.MODEL]: made() }, null, 1)}\n`);
  expect(named(), `${fusion.MODEL} is a new name: run with UPDATE_GOLDEN=1`).toHaveProperty([fusion.MODEL]);
  expect(made(), `the model has changed: it takes another NUMBER in models/features.ts or VERSION in models/fusion.ts, and UPDATE_GOLDEN=1`).toEqual(named()[fusion.MODEL]);
});
