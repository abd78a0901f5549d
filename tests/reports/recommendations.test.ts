import { expect, test } from 'vitest';
import { recommendationsPage, type Evaluated } from '../../pipeline/reports/recommendations.js';

test('the page says into how many parts the test is cut: one a fifty queries, and 24 at most', () => {
  const parts = (queries: number): string | undefined => {
    const asked = { ranks: new Int32Array(queries).fill(1), lengths: new Int32Array(queries).fill(1), microseconds: new Float64Array(queries).fill(20) };
    return /In (\d+) parts of equal size/.exec(recommendationsPage({ title: 'Test', protocol: 'None.', k: 20, models: [{ model: 'one', asked, figures: {} }], isInTime: true }))?.[1];
  };
  expect([10, 400, 5_000].map(parts)).toEqual(['1', '8', '24']);
});

test('every figure is a line and every model a column, so that none of them stands beyond the edge of the page', () => {
  const asked = { ranks: new Int32Array(60).fill(1), lengths: new Int32Array(60).fill(1), microseconds: new Float64Array(60).fill(20) };
  const models: readonly Evaluated[] = [{ model: 'one', asked, figures: { n: 60, mrr_at_20: 0.5, hit_rate_95: [0, 1] } }, { model: 'two', asked, figures: { n: 60, mrr_at_20: 0.25 } }];
  const rows = [...recommendationsPage({ title: 'Test', protocol: 'None.', k: 20, models, isInTime: true }).matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row = '']) => row.replaceAll(/<[^>]+>/g, '|').replaceAll('||', '|'));
  expect(rows).toEqual(['||one|two|', '|n|60|60|', '|mrr at 20|0.5000|0.2500|']);
});
