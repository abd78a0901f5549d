import { expect, test } from 'vitest';
import * as itemIndex from '../../models/item-index.js';
import { readCategories, readContents } from '../../pipeline/cli/catalogue-file.js';
import { said } from '../support/command.js';

const { file } = said();

const rows = [
  'ItemId,product_type,title,brand,price',
  ' P1 , Home > Kitchen > Cups ,Cup, Acme ,12.50 EUR',
  'P2,"["" Cups "", ""Home > Gifts"", """"]",Old,,',
  'P3,gone,,,',
  'P3, ,,,7',
  'P2,"["" Cups "", ""Home > Gifts"", """"]",New,,',
];

test('what items say has every level of their categories, cells are trimmed, and the last row of an item counts', async () => {
  const index = itemIndex.init();
  itemIndex.learn(index, 'clicked alone');
  expect(await readContents(file('items.csv', rows.join('\n')), index)).toEqual([
    { title: null, category: null, brand: null, price: null },
    { title: 'Cup', category: 'Home > Kitchen > Cups', categories: ['Home > Kitchen > Cups', 'Home > Kitchen', 'Home'], brand: 'Acme', price: 12.5 },
    { title: 'New', category: 'Cups', categories: ['Cups', 'Home > Gifts', 'Home'], brand: null, price: null },
    { title: null, category: null, categories: [], brand: null, price: 7 },
  ]);
});

test('the category of an item is its first one, of the same file, whatever stands in other columns', async () => {
  const index = itemIndex.init();
  const categories = await readCategories(file('same.csv', [...rows, 'P4,Cups,,,cheap'].join('\n')), index);
  expect(new Map([...categories].map(([item, category]) => [itemIndex.skuOf(index, item), category]))).toEqual(new Map([['P1', 'Home > Kitchen > Cups'], ['P2', 'Cups'], ['P4', 'Cups']]));
});

test.each([
  ['an item without a name', 'sku,category\nP1,Cups\n ,Cups', /Line 3 of .*odd.csv has an empty sku/],
  ['no column of categories', 'sku,colour\nP1,red', /it lacks category/],
  ['two columns of items', 'sku,product_id,category\nP1,1,Cups', /names one column twice, as sku and as product_id/],
])('%s is a sentence', async (_, text, sentence) => {
  await expect(readCategories(file('odd.csv', text), itemIndex.init())).rejects.toThrow(sentence);
});
