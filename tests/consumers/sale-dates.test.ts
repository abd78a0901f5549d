import { expect, test } from 'vitest';
import { promotionOf } from '../../consumers/demand/sale-dates.js';
import { shopDays } from '../../pipeline/core/shop-day.js';

const london = shopDays('Europe/London');
const day = (date: string): number => Date.parse(`${date}T00:00Z`) / 86_400_000;
const today = day('2026-11-20');

test.each([
  ['2026-11-24/2026-11-29', '2026-11-24', '2026-11-29'],
  ['2026-11-24T11:00+0100/2026-11-29T23:00+0100', '2026-11-24', '2026-11-29'],
  ['2026-11-24T00:30+01:00 / 2026-11-30T00:00Z', '2026-11-23', '2026-11-29'],
  ['2026-11-24T00:00Z/2026-11-30T00:01Z', '2026-11-24', '2026-11-30'],
  // London's clocks are ahead in summer.
  ['2026-06-30T23:00/2026-07-02T23:00', '2026-07-01', '2026-07-02'],
  ['2026-06-30T23:00Z/2026-07-02T23:00Z', '2026-07-01', '2026-07-02'],
  ['2026-07-01T23:30Z/2026-07-02T10:00Z', '2026-07-02', '2026-07-02'],
])('%s is from %s to %s in the days of the shop', (sale, from, to) => {
  expect(promotionOf(sale, today, london)).toEqual({ from: day(from), to: day(to) });
});

test('a sale price without dates is from today on', () => {
  expect(promotionOf('', today, london)).toEqual({ from: today, to: null });
});

test.each([[null], ['soon'], ['2026-11-24'], ['2026-11-29/2026-11-24'], ['2026-02-30/2026-03-02'], ['2026-11-24/2036-11-24'], ['2026-11-24/2026-11-25/2026-11-26'], ['2026-11-24T99:00Z/2026-11-25']])('%j is no promotion', (sale) => {
  expect(promotionOf(sale, today, london)).toBeUndefined();
});
