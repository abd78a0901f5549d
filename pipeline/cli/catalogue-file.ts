/**
 * What a shop says of its items: a CSV file with a header, for `evaluate`. Columns go by the names below, items by those that tables of
 * clicks have for them, too. Cells are trimmed; a cell of categories may be a JSON list, as in the CSV that `PUT /v1/products` takes. Of an
 * item that a file names twice the last row counts.
 */
import type { Content } from '../../models/content-tower.js';
import * as itemIndex from '../../models/item-index.js';
import { listIn } from '../../schemas/attribute-values.js';
import { categoriesOf } from '../../schemas/categories.js';
import { readCsv, type ColumnNames } from './csv-file.js';
import { DataFileError } from './text-lines.js';

const SKU = ['sku', 'product_id', 'productid', 'item_id', 'itemid', 'item', 'id'];
const CATEGORY = ['category', 'category_id', 'categoryid', 'product_category', 'product_type'];
const [NAME, BRAND, PRICE] = [['name', 'title'], ['brand'], ['price']];
const NOTHING: Content = { title: null, category: null, brand: null, price: null };

/** What items say, by item number; those of the index that the file lacks say nothing. @throws DataFileError */
export async function readContents(file: string, index: itemIndex.ItemIndex): Promise<Content[]> {
  const found = new Map<number, Content>();
  await eachItem(file, index, [], [CATEGORY, NAME, BRAND, PRICE], (item, [told = '', title = '', brand = '', price = ''], line) => {
    const amount = price === '' ? null : Number(price.replace(/ [A-Z]{3}$/, ''));
    if (amount !== null && !Number.isFinite(amount)) throw new DataFileError(`Line ${line} of ${file} has the price "${price}", which is no number.`);
    const [category = null, ...furtherCategories] = categoriesIn(told);
    found.set(item, { title: title || null, category, categories: categoriesOf({ category, furtherCategories }), brand: brand || null, price: amount });
  });
  return Array.from({ length: itemIndex.size(index) }, (_, item) => found.get(item) ?? NOTHING);
}

/** By item number the category in which an item counts, its first; items without one are left out. @throws DataFileError */
export async function readCategories(file: string, index: itemIndex.ItemIndex): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  await eachItem(file, index, [CATEGORY], [], (item, [told = '']) => {
    const [category] = categoriesIn(told);
    if (category === undefined) found.delete(item);
    else found.set(item, category);
  });
  return found;
}

/** Calls `take` with the item of each row and its other cells. */
async function eachItem(
  file: string, index: itemIndex.ItemIndex, wanted: readonly ColumnNames[], optional: readonly ColumnNames[], take: (item: number, cells: readonly string[], line: number) => void,
): Promise<void> {
  await readCsv(file, [SKU, ...wanted], (row, line) => {
    const [sku, ...cells] = row.map((cell) => cell.trim());
    if (sku === '') throw new DataFileError(`Line ${line} of ${file} has an empty sku.`);
    take(itemIndex.learn(index, sku), cells, line);
  }, optional);
}

const categoriesIn = (cell: string): string[] => (listIn(cell) ?? [cell]).map((category) => category.trim()).filter((category) => category !== '');
