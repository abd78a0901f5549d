import { expect, test } from 'vitest';
import { TestShop } from './shop.js';

/** A shop where nobody takes an item twice, and somebody who has had `count` of its hundred items, the latest first. */
function shopOfFilms(count: number): { readonly shop: TestShop; readonly had: readonly string[] } {
  const shop = new TestShop({ repeats: false });
  for (let n = 0; n < 100; n++) shop.product(`P${n}`, { category: n % 2 === 0 ? 'Even' : 'Odd' });
  for (let viewer = 0; viewer < 60; viewer++) {
    const first = (viewer * 7) % 80;
    shop.session(`s-${viewer}`, [0, 1, 2, 3, 4, 5].map((n) => `P${(first + 3 * n) % 100}`));
  }
  shop.publish();
  const had = Array.from({ length: count }, (_, n) => `P${(n * 3) % 100}`);
  shop.profile('a', had);
  return { shop, had };
}

test.each([1, 20, 35, 50])('nothing of the last %s items that somebody had is recommended, however it is asked', async (count) => {
  const { shop, had } = shopOfFilms(count);
  const ways = [{}, { limit: 50 }, { filter: { category: 'Even' }, limit: 25 }, { explore: true }, { fatigue: 1, diversity: 0.5, limit: 40 }, { context: 'P1' }, { context: 'P1', limit: 49 }, { explain: true }];
  for (const way of ways) {
    const answer = await shop.skus('a', way);
    expect(answer.length).toBeGreaterThan(0);
    expect(answer.filter((sku) => had.includes(sku))).toEqual([]);
  }
  // Where they are named they may come.
  expect((await shop.skus('a', { items: [had[0]!, 'P1'] })).toSorted()).toEqual(['P1', had[0]!].toSorted());
});
