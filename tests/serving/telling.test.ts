import { expect, test } from 'vitest';
import { shopOfPairs, type TestShop } from './shop.js';

/** Of so many answers, one each so many ms, to a new shopper each: how many the log is told with what the ranker saw. */
async function toldInFull(shop: TestShop, answers: number, everyMs: number): Promise<number> {
  shop.told.length = 0;
  for (let n = 0; n < answers; n++, shop.now += everyMs) await shop.recommend(`s${n}`);
  return shop.told.filter(({ features }) => features.length > 0).length;
}

test('a clock that was an hour ahead for seconds does not end what is told: once it is right, answers teach as before', async () => {
  const shop = shopOfPairs();
  expect(await toldInFull(shop, 50, 200)).toBe(50);
  shop.now += 3_600_000;
  expect(await toldInFull(shop, 50, 200)).toBe(50);
  shop.now -= 3_600_000;
  expect(await toldInFull(shop, 300, 200)).toBe(300);
  // To one shopper, likewise.
  expect(await toldInFull(shop, 3_000, 10)).toBeLessThan(320);
});
