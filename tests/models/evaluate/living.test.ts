import { expect, test } from 'vitest';
import { lived } from '../../../models/evaluate/living.js';

const sales = (cells: readonly (readonly [sku: number, period: number, units: number])[]): unknown[] =>
  Array.from(lived({
    skus: 2, periods: 3, sku: Int32Array.from(cells, ([sku]) => sku), period: Int32Array.from(cells, ([, period]) => period), units: Float64Array.from(cells, ([, , units]) => units),
  }), ({ demand, known, sold }) => ({ demand: [...demand], known: [...known], sold }));

test('what came back on the day of a first sale counts, whether its line stands before or after it', () => {
  const after = sales([[0, 1, 5], [0, 1, -3], [0, 2, 1], [1, 0, -2]]);
  expect(after).toEqual([
    { demand: [NaN, NaN], known: [], sold: 0 }, { demand: [2, NaN], known: [0], sold: 5 }, { demand: [1, NaN], known: [0], sold: 1 },
  ]);
  expect(sales([[1, 0, -2], [0, 2, 1], [0, 1, -3], [0, 1, 5]])).toEqual(after);
});
