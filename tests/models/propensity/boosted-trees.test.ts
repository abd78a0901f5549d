import fc from 'fast-check';
import { expect, test } from 'vitest';
import { predict, train } from '../../../models/propensity/boosted-trees.js';

function grid(): { rows: Float64Array[]; outcomes: Uint8Array } {
  const rows: Float64Array[] = [];
  for (let x = 0; x < 40; x++) for (let y = 0; y < 40; y++) rows.push(Float64Array.of(x, y));
  return { rows, outcomes: Uint8Array.from(rows, ([x = 0, y = 0]) => (x < 20 === y < 20 ? 1 : 0)) };
}

test('trees learn what no linear model can: exclusive or', () => {
  const { rows, outcomes } = grid();
  const model = train(rows, outcomes);
  expect(predict(model, Float64Array.of(5, 5))).toBeGreaterThan(0.9);
  expect(predict(model, Float64Array.of(30, 35))).toBeGreaterThan(0.9);
  expect(predict(model, Float64Array.of(5, 35))).toBeLessThan(0.1);
});

test('the same seed gives the same trees, another seed others', () => {
  const { rows, outcomes } = grid();
  expect(train(rows, outcomes, { trees: 5, seed: 7 })).toEqual(train(rows, outcomes, { trees: 5, seed: 7 }));
  expect(train(rows, outcomes, { trees: 5, seed: 7 })).not.toEqual(train(rows, outcomes, { trees: 5, seed: 8 }));
});

test('no rows, or one class only, answers the smoothed base rate', () => {
  expect(predict(train([], new Uint8Array(0)), Float64Array.of(1))).toBe(0.5);
  const sure = train([Float64Array.of(1), Float64Array.of(2)], Uint8Array.of(1, 1));
  expect(predict(sure, Float64Array.of(1))).toBeCloseTo(0.75, 9);
});

test('a probability is a probability, whatever the row', () => {
  const { rows, outcomes } = grid();
  const model = train(rows, outcomes, { trees: 20 });
  fc.assert(
    fc.property(fc.double(), fc.double(), (x, y) => {
      const p = predict(model, Float64Array.of(x, y));
      expect(p > 0 && p < 1).toBe(true);
    }),
  );
});
