import { beforeAll, describe, expect, test, vi } from 'vitest';
import { recommendRequest } from '../../infra/http/requests.js';
import * as embedding from '../../models/embedding.js';
import * as itemIndex from '../../models/item-index.js';
import { CatalogueSearch } from '../../pipeline/serving/catalogue-search.js';
import { shortest } from '../../pipeline/serving/filter.js';
import { shopOfPairs, TestShop } from './shop.js';

const PRODUCTS = 20_000;

/** 20,000 products of 200 categories, 100 each; a tenth of them has been viewed, those below 2,000 last and more often. */
function largeShop(): TestShop {
  const shop = new TestShop();
  for (let item = 0; item < PRODUCTS; item++) shop.product(`L${item}`, { category: `Category ${item % 200}`, brand: `Brand ${item % 7}`, price: BigInt(1 + (item % 500)) * 10_000n, attributes: { size: String(item % 50), unseen: item % 10 === 0 ? 'no' : 'yes' } });
  for (let item = PRODUCTS - 10; item >= 0; item -= 10) for (let visit = 0; visit < (item < 2_000 ? 3 : 1); visit++) shop.session(`v-${item}-${visit}`, [`L${item}`]);
  shop.publish();
  return shop;
}

let shop: TestShop;
beforeAll(() => {
  shop = largeShop();
  shop.profile('a', ['L10']);
});

describe('a filter in a large catalogue', () => {
  const asked = [
    ['a category', { category: 'Category 7' }, 100],
    ['several categories', { category: ['Category 7', 'Category 8'] }, 200],
    ['a brand and a category', { brand: 'Brand 3', category: 'Category 7' }, 100],
    ['a name', { name: 'Product L19999' }, 1],
    ['an attribute', { 'attributes.size': '7', category: 'Category 7' }, 100],
    ['a price', { price: { min: 499 } }, 2_500],
    ['an attribute that no product has', { 'attributes.colour': 'red' }, 0],
    ['a category that there is not', { category: 'nothing' }, 0],
    ['stock', { inStock: true }, 1_024],
    ['a common price', { price: { min: 1 } }, 1_024],
  ] as const;

  test.each(asked)('%s is looked up: it is not looked for in all items', async (_, filter, most) => {
    await shop.skus('a', { filter });
    const looked = vi.spyOn(shop.items, 'mayShow');
    const skus = await shop.skus('a', { filter });
    // Beside what is listed, what evidence and trend name.
    expect(looked.mock.calls.length).toBeLessThan(most + 400);
    looked.mockRestore();
    expect(skus).toHaveLength(Math.min(10, most));
  });

  test('what passes is found whole, however the catalogue has changed', async () => {
    const own = new TestShop();
    for (const item of [5, 17, 19_000, 4, 16, 18_000]) own.product(`L${item}`, { brand: 'Frequent', attributes: { size: 'other' } });
    const all = async (filter: object): Promise<string[]> => (await own.skus('a', { filter, limit: 100 })).sort();
    const brand = { brand: 'Rare' };
    expect(await all(brand)).toEqual([]);
    for (const item of [5, 17, 19_000]) own.product(`L${item}`, { brand: 'Rare', attributes: { size: 'one' }, price: 77_770_000n });
    expect(await all(brand)).toEqual(['L17', 'L19000', 'L5']);
    expect(await all({ 'attributes.size': 'one' })).toEqual(['L17', 'L19000', 'L5']);
    expect(await all({ price: { min: '7777.00', max: '7777.00' } })).toEqual(['L17', 'L19000', 'L5']);
    own.product('L17', { brand: 'Common', attributes: { size: 'two' } });
    own.product('L5', { brand: 'Rare', deleted: true });
    expect(await all(brand)).toEqual(['L19000']);
    expect(await all({ 'attributes.size': ['one', 'two'] })).toEqual(['L17', 'L19000']);
    own.product('L5', { brand: 'Rare' });
    expect(await all(brand)).toEqual(['L19000', 'L5']);
    own.product('L19000', { brand: 'Rare', hidden: true });
    expect(await all(brand)).toEqual(['L5']);
  });

  test('what stands in several of the lists named is found once', () => {
    const own = new TestShop();
    for (let item = 0; item < 5; item++) own.product(`L${item}`, { category: 'Cups', furtherCategories: ['Gifts', 'Sale'] });
    const search = new CatalogueSearch(own.neighbours.model, own.items);
    const sought = { isRefused: () => false, listed: () => shortest([{ field: 'category', any: new Set(['Cups', 'Sale']) }], own.items) };
    expect([...search.more(new Int32Array(0), 10, sought)].sort()).toEqual([0, 1, 2, 3, 4]);
    expect([...search.untouched(new Int32Array(0), 10, sought)].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test('of many that pass, none of which is popular, the nearest to a shopper comes, wherever it stands', async () => {
    shop.teach('L10', 'L10');
    shop.teach('L11', 'L10');
    expect(await shop.skus('a', { filter: { 'attributes.unseen': 'yes' } })).toContain('L11');
  });

  test('the first question that is filled up has the popular items, though none of them is among the 16,384 that came last', () => {
    const search = new CatalogueSearch(shop.neighbours.model, shop.items);
    const found = search.more(new Int32Array(0), 10, { isRefused: () => false, listed: () => undefined });
    expect(found).toHaveLength(128);
    expect([...found].every((item) => Number(shop.items.sku(item).slice(1)) < 2_000)).toBe(true);
  });

  test('of many that pass the popular ones come', async () => {
    const skus = await shop.skus('nobody', { filter: { price: { min: 1 } } });
    expect(skus.every((sku) => Number(sku.slice(1)) < 2_000)).toBe(true);
  });
});

test('of what a filter lets through the nearest to a shopper come, also where others of it are more popular', async () => {
  const own = shopOfPairs();
  for (const sku of ['QUIET', ...Array.from({ length: 100 }, (_, item) => `F${item}`)]) own.product(sku, { category: 'Category 9' });
  own.product('UNTOUCHED', { category: 'Category 9' });
  own.session('first', ['QUIET']);
  for (let round = 0; round < 2; round++) for (let item = 0; item < 100; item++) own.session(`f-${round}-${item}`, [`F${item}`]);
  own.publish();
  for (const sku of ['QUIET', 'UNTOUCHED']) own.teach(sku, 'P5');
  own.profile('a', ['P4']);
  const skus = await own.skus('a', { filter: { category: 'Category 9' } });
  expect(skus[0]).toBe('QUIET');
  // What nobody has touched has places of its own.
  expect(skus).not.toContain('UNTOUCHED');
});

describe('what nobody has touched', () => {
  test('is tried where it is near to a shopper, however many came into the catalogue after it', async () => {
    const own = shopOfPairs();
    own.product('NEAR', { category: 'Category 9' });
    own.teach('NEAR', 'P5');
    for (let item = 0; item < 1_500; item++) own.product(`LATER-${item}`, { category: `Category ${10 + (item % 7)}` });
    own.profile('a', ['P4']);
    const shown = new Set<string>();
    for (let n = 0; n < 60; n++) for (const sku of await own.skus('a', { limit: 5, explore: true })) shown.add(sku);
    expect(shown.has('NEAR')).toBe(true);
  });

  test('and of which nothing is known but its category is half near to a click in it: it comes before what came later into others', () => {
    const own = shopOfPairs();
    for (let item = 0; item < 3; item++) own.product(`SAME-${item}`, { category: 'Category 0' });
    for (let item = 0; item < 30; item++) own.product(`LATER-${item}`, { category: `Category ${10 + item}` });
    const search = new CatalogueSearch(own.neighbours.model, own.items);
    const found = search.untouched(Int32Array.of(own.items.number('P4')), 5, { isRefused: () => false, listed: () => undefined });
    expect(Array.from(found, (item) => own.items.sku(item)).slice(0, 3)).toEqual(['SAME-2', 'SAME-1', 'SAME-0']);
  });

  test('a shop that nobody has visited shows what came last, of every category before a second of any', async () => {
    const young = new TestShop();
    for (let item = 0; item < 30; item++) young.product(`P${item}`, { category: item < 25 ? 'Kitchen' : item < 28 ? 'Toys' : 'Garden' });
    expect(await young.skus('nobody', { limit: 6 })).toEqual(['P29', 'P27', 'P24', 'P28', 'P26', 'P23']);
  });
});

test('items of the same categories share one list, which is not kept for ever: after 16,384 others that a feed has named it is made anew', () => {
  const own = new TestShop();
  const cups = (sku: string): readonly string[] => {
    own.product(sku, { category: 'Kitchen > Cups' });
    return own.items.categories(own.items.number(sku));
  };
  const first = cups('A');
  expect(first).toEqual(['Kitchen > Cups', 'Kitchen']);
  expect(cups('B')).toBe(first);
  for (let day = 0; day < 16_384; day++) own.product('C', { category: `Deals of day ${day}` });
  expect(cups('D')).toEqual(first);
  expect(cups('D')).not.toBe(first);
});

/** Cosine of two items' vectors, as the scorer has them. */
function similarity({ neighbours: { model, index } }: TestShop, a: string, b: string): number {
  const [one, other] = [a, b].map((sku) => embedding.vectorOf(model.embedding, itemIndex.predict(index, sku))!);
  return one!.reduce((sum, value, k) => sum + value * other![k]!, 0);
}

describe('items like one', () => {
  const similar = (from: TestShop, sku: string, fields: object = {}): { sku: string; score: number; reasons: { code: string; evidence?: string; text: string }[] }[] => {
    const answer = from.scorer.similar({ sku, limit: 6, filter: null, exclude: [], ...fields }) as { items: { sku: string; score: number; reasons: { code: string; evidence?: string; text: string }[] }[] };
    return answer.items;
  };

  test('that nobody has touched are the nearest by what its content says, and only what is near is said to be similar', () => {
    const own = shopOfPairs();
    own.product('NEW', { category: 'Nowhere else' });
    own.teach('NEW', 'P5');
    const items = similar(own, 'NEW');
    expect(items[0]).toMatchObject({ sku: 'P5', reasons: [{ code: 'similar_to', evidence: 'likeness' }] });
    expect(items).toHaveLength(6);
    for (const { sku, reasons } of items) expect(reasons[0]!.code === 'similar_to').toBe(similarity(own, 'NEW', sku) >= 0.6);
  });

  test('until it has a vector are others of its category, its brand and price first, and are said to be that', () => {
    const own = shopOfPairs();
    for (let item = 0; item < 10; item++) own.product(`T${item}`, { category: 'Toys', brand: item === 7 ? 'Acme' : 'Other', price: item === 3 ? 210_000n : 2_000_000n });
    own.product('NEW', { category: 'Toys', brand: 'Acme', price: 200_000n });
    const items = similar(own, 'NEW');
    expect(items.slice(0, 2).map(({ sku }) => sku)).toEqual(['T7', 'T3']);
    for (const { sku, reasons } of items) expect([sku[0], reasons[0]]).toEqual(['T', { code: 'more', category: 'Toys', text: 'More in Toys' }]);
    // One visit that went elsewhere does not change what it is like.
    own.session('once', ['NEW', 'P8']);
    expect(similar(own, 'NEW').map(({ sku }) => sku).slice(0, 2)).toEqual(['P8', 'T7']);
  });

  test('of several categories are those of its first one, in whichever of theirs that stands, each once; of a path its last step is named', () => {
    const own = shopOfPairs();
    own.product('T1', { category: 'Home > Toys' });
    own.product('T2', { category: 'Gifts', furtherCategories: ['Home > Toys'] });
    own.product('H1', { category: 'Home > Garden' });
    own.product('G1', { category: 'Gifts' });
    own.product('NEW', { category: 'Home > Toys', furtherCategories: ['Gifts'] });
    const ofToys = (fields: object): string[] => similar(own, 'NEW', fields).filter(({ reasons }) => reasons[0]!.text === 'More in Toys').map(({ sku }) => sku).sort();
    expect(ofToys({})).toEqual(['T1', 'T2']);
    // Then those of the level above.
    expect(similar(own, 'NEW').slice(2, 3)).toMatchObject([{ sku: 'H1', reasons: [{ text: 'More in Home' }] }]);
    const filter = recommendRequest({ anonymousId: 'a', filter: { category: ['Gifts', 'Home > Toys'] } }).filter;
    expect(ofToys({ filter })).toEqual(['T1', 'T2']);
  });

  test('are found anew when the catalogue or vectors have changed since they were asked for', () => {
    const own = shopOfPairs();
    own.product('NEW', { category: 'Nowhere else' });
    own.teach('NEW', 'P5');
    own.product('TWIN', { category: 'Nowhere either' });
    own.teach('TWIN', 'P5');
    const near = (): string[] => similar(own, 'NEW', { limit: 100 }).filter(({ reasons }) => reasons[0]!.code === 'similar_to').map(({ sku }) => sku);
    expect(near()).toEqual(expect.arrayContaining(['P5', 'TWIN']));
    own.product('P5', { hidden: true });
    expect(near()).not.toContain('P5');
    own.product('LATER', { category: 'Nowhere' });
    own.teach('LATER', 'P5');
    expect(near()).toContain('LATER');
    own.teach('TWIN', 'P20');
    const cosine = similarity(own, 'NEW', 'TWIN');
    expect(near().includes('TWIN')).toBe(cosine >= 0.6);
  });

  test('pass the filter, and are those that are excluded never', () => {
    const own = shopOfPairs();
    own.product('NEW', { category: 'Category 1' });
    own.teach('NEW', 'P5');
    const filter = recommendRequest({ anonymousId: 'a', filter: { category: ['Category 1', 'Category 2'] } }).filter;
    const items = similar(own, 'NEW', { filter, exclude: ['P5'], limit: 100 });
    expect(items.map(({ sku }) => Number(sku.slice(1)) % 4).every((category) => category === 1 || category === 2)).toBe(true);
    expect(items.map(({ sku }) => sku)).not.toContain('P5');
    expect(items).toHaveLength(19);
    expect(items.every(({ score }) => Number.isFinite(score))).toBe(true);
  });

  test('that many have viewed are those that went with it', () => {
    expect(similar(shopOfPairs(), 'P4')[0]).toMatchObject({ sku: 'P5', reasons: [{ code: 'similar_to', evidence: 'transition' }] });
  });
});
