import { expect, test } from 'vitest';
import { Refusals } from '../../pipeline/serving/refusals.js';

const refused = (of: Refusals, items: number): number[] => Array.from({ length: items }, (_, item) => item).filter((item) => of.has(item));

test('what a request refuses is refused until the next one, however many there are and however the catalogue grows', () => {
  const refusals = new Refusals(5);
  for (let request = 0; request < 23; request++) {
    const items = 3_000 + 100 * request;
    refusals.begin(items);
    expect(refused(refusals, items)).toEqual([]);
    // 1,024 further on lies an item of the same last bits.
    for (const item of [request, 1_500 + request]) refusals.refuse(item);
    expect(refused(refusals, items)).toEqual([request, 1_500 + request]);
  }
});
