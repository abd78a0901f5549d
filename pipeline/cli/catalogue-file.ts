/** What products say of themselves: a CSV file with a header, under the names that `PUT /v1/products` reads. */
import type { Content } from '../../models/content-tower.js';
import * as itemIndex from '../../models/item-index.js';
import { readCsv } from './csv-file.js';
import { DataFileError } from './text-lines.js';

const SKU = [['sku', 'product_id', 'item_id', 'id']] as const;
const SAID = [['name', 'title'], ['category', 'product_type'], ['brand'], ['price']] as const;
const NOTHING: Content = { title: null, category: null, brand: null, price: null };

/** Contents by item number. Items of the index that the file lacks say nothing. @throws DataFileError */
export async function readContents(file: string, index: itemIndex.ItemIndex): Promise<Content[]> {
  const found = new Map<number, Content>();
  await readCsv(file, SKU, ([sku = '', title = '', category = '', brand = '', price = ''], line) => {
    if (sku.trim() === '') throw new DataFileError(`Line ${line} of ${file} has an empty sku.`);
    const amount = price.trim() === '' ? null : Number(price.trim().replace(/ [A-Z]{3}$/, ''));
    if (Number.isNaN(amount)) throw new DataFileError(`Line ${line} of ${file} has the price "${price}", which is no number.`);
    found.set(itemIndex.learn(index, sku.trim()), { title: textOf(title), category: textOf(category), brand: textOf(brand), price: amount });
  }, SAID);
  return Array.from({ length: itemIndex.size(index) }, (_, item) => found.get(item) ?? NOTHING);
}

const textOf = (cell: string): string | null => (cell.trim() === '' ? null : cell.trim());
