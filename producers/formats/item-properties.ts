import type { CatalogChange, InventoryChange } from '../../schemas/types.js';
import { fileTime } from '../times.js';
import { csvRows } from './csv.js';
import { emptySummary, future, noteOdd, refuse, type FileOptions, type FileRecord, type Format, type Summary } from './format.js';

/**
 * RetailRocket item properties (item_properties_part1.csv, _part2.csv): `timestamp,itemid,property,value`. Two of the
 * properties have a meaning that the publisher tells: `categoryid` becomes the item's category, `available` whether it is
 * in stock. The others are numbers and hashed words of unknown meaning, counted and left out.
 */
export const retailrocketProperties: Format = (text, options) => {
  const summary = emptySummary();
  return { records: readProperties(text, options, summary), summary };
};

async function* readProperties(text: AsyncIterable<string>, options: FileOptions, summary: Summary): AsyncGenerator<readonly FileRecord[]> {
  for await (const rows of csvRows(text)) {
    const records: FileRecord[] = [];
    for (const { cells, line } of rows) {
      const [stamp = '', sku = '', property = '', value = ''] = cells.map((cell) => cell.trim());
      if (line === 1 && stamp === 'timestamp') continue;
      const told = Number(stamp);
      if (stamp === '' || !Number.isFinite(told) || sku === '' || property === '') {
        refuse(summary, line, [{ path: '', code: 'wrong_type', message: 'A line must be a time in milliseconds, an item, a property and its value.' }]);
        continue;
      }
      const time = fileTime(told, options.receivedAt);
      if (time === undefined) {
        refuse(summary, line, [future('timestamp', told)]);
        continue;
      }
      summary.read++;
      if (property === 'categoryid') records.push(categoryOf(sku, value, time, options));
      else if (property === 'available') records.push(stockOf(sku, value === '1', time, line - 1, options));
      else noteOdd(summary, 'property_without_a_meaning');
    }
    if (records.length > 0) yield records;
  }
}

function categoryOf(sku: string, category: string, time: number, { receivedAt }: FileOptions): FileRecord {
  const value: CatalogChange = {
    sku, op: 'upsert', name: null, category, furtherCategories: [], brand: null, price: null, currency: null, url: null, imageUrl: null, hidden: false,
    quantity: null, availability: null, attributes: {}, time, receivedAt,
  };
  return { topic: 'catalog', key: sku, value, time };
}

function stockOf(sku: string, isAvailable: boolean, time: number, ordinal: number, { source, receivedAt }: FileOptions): FileRecord {
  const value: InventoryChange = { messageId: `${source}:${ordinal}`, sku, quantity: isAvailable ? null : 0, availability: isAvailable ? 'in_stock' : null, price: null, currency: null, time, receivedAt };
  return { topic: 'inventory', key: sku, value, time };
}
