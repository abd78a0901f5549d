import { expect, test } from 'vitest';
import { recommendationsPage } from '../../pipeline/reports/recommendations.js';

test('the page says into how many parts the test is cut: one a fifty queries, and 24 at most', () => {
  const parts = (queries: number): string | undefined => {
    const asked = { ranks: new Int32Array(queries).fill(1), lengths: new Int32Array(queries).fill(1), microseconds: new Float64Array(queries).fill(20) };
    return /In (\d+) parts of equal size/.exec(recommendationsPage({ title: 'Test', protocol: 'None.', k: 20, models: [{ model: 'one', asked, figures: {} }], isInTime: true }))?.[1];
  };
  expect([10, 400, 5_000].map(parts)).toEqual(['1', '8', '24']);
});
