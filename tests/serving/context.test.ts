import { expect, test } from 'vitest';
import { recommendRequest } from '../../infra/http/requests.js';
import { MODEL } from '../../models/fusion.js';
import { shopOfPairs, type TestShop } from './shop.js';

function shop(): TestShop {
  const made = shopOfPairs();
  for (let n = 0; n < 30; n++) made.session(`fan-${n}`, ['P22']);
  for (let n = 0; n < 12; n++) made.session(`other-${n}`, ['P13']);
  for (const [sku, category] of [['NEW-1', 'Category 1'], ['NEW-X', 'Curiosities']] as const) made.product(sku, { category });
  made.publish();
  return made;
}

test('somebody new on a product\'s page gets what goes with it, and why', async () => {
  const own = shop();
  expect((await own.skus('nobody', { limit: 3 }))[0]).toBe('P22');
  const { items, model } = await own.recommend('nobody', { limit: 3, context: 'P4' });
  expect(items[0]).toMatchObject({ sku: 'P5', reasons: [{ code: 'because_you_viewed', sku: 'P4', evidence: 'transition' }] });
  expect(model).toBe(MODEL);
});

test('on the page of a product that nobody has touched they get what trends in its category, then what trends', async () => {
  const own = shop();
  const { items, model } = await own.recommend('nobody', { limit: 14, context: 'NEW-1' });
  const skus = items.map(({ sku }) => sku);
  expect(model).toBe('trending/1');
  expect(skus[0]).toBe('P13');
  expect(skus.slice(0, 10).every((sku) => Number(sku.slice(1)) % 4 === 1)).toBe(true);
  expect(skus.slice(10)).toContain('P22');
  expect(skus).not.toContain('NEW-1');
  expect(new Set(skus).size).toBe(14);
  // Of a category with nothing else in it there is only the rest.
  expect((await own.skus('nobody', { limit: 3, context: 'NEW-X' }))[0]).toBe('P22');
  expect((await own.skus('nobody', { limit: 3, context: 'NEW-1', filter: { category: 'Category 2' } }))[0]).toBe('P22');
  expect((await own.skus('nobody', { limit: 3, context: 'unheard of' }))[0]).toBe('P22');
});

test('of a page in a path of categories what trends in each level comes before what trends above it', async () => {
  const own = shop();
  for (const [sku, category] of [['NEW-2', 'Home > Cups'], ['CUP', 'Home > Cups'], ['POT', 'Home > Pots']] as const) own.product(sku, { category });
  const { items } = await own.recommend('nobody', { limit: 3, context: 'NEW-2' });
  expect(items.map(({ sku }) => sku)).toEqual(['CUP', 'POT', 'P22']);
});

test('such an answer is told to the log once, with what the ranker saw of all its items, and its last place tries something', async () => {
  const own = shop();
  own.product('NEW-Y', { category: 'Curiosities' });
  const { items } = await own.recommend('nobody', { limit: 14, context: 'NEW-1' });
  expect(own.told).toHaveLength(1);
  const width = own.told[0]!.features.length / items.length;
  expect(width).toBeGreaterThan(20);
  // Ten a second are told in full, of one shopper eight at once: each takes one turn.
  for (let n = 0; n < 9; n++) await own.recommend(`other-${n}`, { limit: 14, context: 'NEW-1' });
  expect(own.told.map(({ features, items: shown }) => features.length / shown.length)).toEqual(own.told.map(() => width));
  for (const [context, limit] of [['NEW-1', 3], ['NEW-X', 3], ['NEW-1', 14]] as const) {
    const { items: tried } = await own.recommend('somebody', { limit, context, explore: true });
    expect(tried.map(({ propensity }) => propensity !== undefined)).toEqual(tried.map((_, at) => at === limit - 1));
  }
});

test('the page counts as the latest click of somebody who is known, and does not recommend itself', async () => {
  const own = shop();
  own.profile('a', ['P8']);
  // P8 was viewed before: shoppers go back to such, so it may come again, said as that, but not before what goes with the page; who shows it elsewhere leaves it out.
  const { items } = await own.recommend('a', { context: 'P4', limit: 3 });
  expect(items[0]).toMatchObject({ sku: 'P5', reasons: [{ code: 'because_you_viewed', sku: 'P4' }] });
  expect(items.find(({ sku }) => sku === 'P8')).toMatchObject({ reasons: [{ code: 'viewed_before', sku: 'P8' }] });
  expect(items.find(({ sku }) => sku === 'P9')).toMatchObject({ reasons: [{ code: 'because_you_viewed', sku: 'P8' }] });
  expect(await own.skus('a', { context: 'P4', limit: 2, exclude: ['P8'] })).toEqual(['P5', 'P9']);
  expect(await own.skus('a', { context: 'P4', limit: 100 })).not.toContain('P4');
  expect(await own.skus('a', { context: 'P8' })).toEqual(await own.skus('a'));
  expect((await own.skus('a', { context: 'P4', items: ['P9', 'P5', 'P30'] }))[0]).toBe('P5');
});

test.each([
  ['P4', 'context'], [{}, 'context.product_id'], [{ product_id: '' }, 'context.product_id'], [{ product_id: 'P4', colour: 'red' }, 'context.colour'], [[], 'context'],
])('a context of %j is refused and names %s', (context, path) => {
  expect(() => recommendRequest({ anonymousId: 'a', context })).toThrow(expect.objectContaining({ problem: expect.objectContaining({ status: 400, errors: [expect.objectContaining({ path })] }) }));
});

test('the product of the page is not recommended on it, among given items neither', async () => {
  const own = shop();
  const { items } = await own.recommend('nobody', { context: 'P4', items: ['P4', 'P5', 'P22'] });
  expect(items.map(({ sku }) => sku).sort()).toEqual(['P22', 'P5']);
  expect(items.flatMap(({ reasons }) => reasons.map(({ code }) => code))).not.toContain('viewed_before');
});
