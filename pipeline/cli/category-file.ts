/** A table of a shop's items and their categories: columns of any names that click tables have for an item, and `category`. */
import * as itemIndex from '../../models/item-index.js';
import { readCsv } from './csv-file.js';

const COLUMNS = [['item_id', 'itemid', 'item', 'product_id', 'productid', 'sku', 'id'], ['category', 'category_id', 'categoryid', 'product_category']] as const;

/** By item number its category; of an item that the file names twice the last. Blank ones have none. */
export async function readCategories(file: string, index: itemIndex.ItemIndex): Promise<ReadonlyMap<number, string>> {
  const categories = new Map<number, string>();
  await readCsv(file, COLUMNS, ([item = '', category = '']) => {
    if (item !== '' && category.trim() !== '') categories.set(itemIndex.learn(index, item), category.trim());
  });
  return categories;
}
