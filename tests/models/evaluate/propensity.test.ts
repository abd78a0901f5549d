import { expect, test } from 'vitest';
import { evaluatePropensity, rank, stratifiedFolds } from '../../../models/evaluate/propensity.js';

test('AUC and average precision of a hand-ranked list', () => {
  // Ranks by score: yes, no, yes, no. Pairs won: 3 of 4. Precision at the two yes: 1 and 2/3.
  const scores = rank([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0]);
  expect(scores.auc).toBe(0.75);
  expect(scores.auprc).toBeCloseTo((1 + 2 / 3) / 2, 12);
});

test('equal scores are worth one half, whatever their order in the file', () => {
  expect(rank([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 1]).auc).toBe(0.5);
  expect(rank([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 1]).auprc).toBe(0.5);
});

test('log loss punishes certainty that is wrong without becoming infinite', () => {
  expect(rank([0.8, 0.2], [1, 0]).logloss).toBeCloseTo(-Math.log(0.8), 12);
  expect(Number.isFinite(rank([0, 1], [1, 0]).logloss)).toBe(true);
});

test('every fold has the same share of yes', () => {
  const outcomes = Uint8Array.from({ length: 1_000 }, (_, i) => (i % 7 === 0 ? 1 : 0));
  const folds = stratifiedFolds(outcomes, 5);
  for (let fold = 0; fold < 5; fold++) {
    const rows = [...outcomes.keys()].filter((row) => folds[row] === fold);
    expect(Math.abs(rows.length - 200)).toBeLessThanOrEqual(1);
    expect(Math.abs(rows.filter((row) => outcomes[row] === 1).length - 28.6)).toBeLessThan(1);
  }
});

test('a label that is independent of the features scores about one half on held-out rows', () => {
  const rows = Array.from({ length: 600 }, (_, i) => [Math.imul(i + 1, 0x9e3779b1) % 97, `c${i % 5}`] as const);
  const outcomes = Uint8Array.from(rows, (_, i) => (Math.imul(i + 11, 0x85ebca6b) >>> 31) & 1);
  for (const scores of evaluatePropensity({ columns: ['x', 'c'], rows, outcomes }, 3, () => {})) {
    expect(Math.abs(scores.auc - 0.5)).toBeLessThan(0.08);
  }
});

test('a column that decides the label is found by every model', () => {
  const rows = Array.from({ length: 400 }, (_, i) => [i % 20, 'same'] as const);
  const outcomes = Uint8Array.from(rows, ([x]) => (x > 12 ? 1 : 0));
  const all = evaluatePropensity({ columns: ['x', 'c'], rows, outcomes }, 4, () => {});
  expect(all.map((scores) => scores.model)).toEqual(['ftrl-logistic', 'boosted-trees']);
  for (const scores of all) expect(scores.auc).toBeGreaterThan(0.99);
});
