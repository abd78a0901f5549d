import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { live } from '../../consumers/demand/publication.js';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import type { Consumer } from '../../pipeline/core/consumer.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { splitRowKey } from '../../pipeline/core/rows.js';
import { catalog, clickstream, inventory, orders } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

const folder = import.meta.dirname;
const london = shopDays('Europe/London');
const all: Consumer[] = [
  shoppers(), orderLedger(), itemWatch({ priceDropPercent: 10 }), demandForecasts({ days: london, publication: live(london, MINUTE), hours: 2 }),
  marketingTriggers({ abandonedAfterMs: HOUR, browsedAfterMs: 4 * HOUR, quietAfterOrderMs: DAY, winBackAfterMs: 90 * DAY, welcomesNew: true, vipSpend: 40_000n, highIntentPercent: 1, cap: { count: 2, windowMs: DAY }, consentByDefault: true, currency: 'EUR' }),
];

/** One Monday in a shop: browsing, a merge, carts left and bought, a refund, a restock, something broken. */
function monday(): Driver {
  const driver = new Driver(all, { partitions: 2 });
  let serial = 0;
  const id = (time: number): { messageId: string; time: number; receivedAt: number } => ({ messageId: `g${serial++}`, time, receivedAt: time });
  const at = (minutes: number): number => NINE + minutes * MINUTE;
  driver.tick(at(-1));
  for (const [sku, quantity] of [['TEA', 5], ['CUP', 0]] as const) {
    driver.send(catalog, sku, { sku, op: 'upsert', name: sku.toLowerCase(), category: 'kitchen', furtherCategories: [], brand: null, price: 49_900n, currency: 'EUR', url: null, imageUrl: null, hidden: false, quantity, availability: null, attributes: { colour: 'red' }, time: at(0), receivedAt: at(0) });
  }
  driver.send(clickstream, 'a1', shopEvent('Product Viewed', { ...id(at(1)), anonymousId: 'a1', products: [product('TEA')] }));
  driver.send(clickstream, 'a1', shopEvent('Product Added', { ...id(at(2)), anonymousId: 'a1', cartId: 'c1', currency: 'EUR', products: [product('TEA', { price: 49_900n, quantity: 2 })] }));
  driver.send(clickstream, 'u1', shopEvent('', { ...id(at(3)), type: 'identify', anonymousId: 'a1', userId: 'u1', marketingConsent: true }));
  driver.send(clickstream, 'u2', shopEvent('Back In Stock Subscribed', { ...id(at(4)), userId: 'u2', products: [product('CUP')] }));
  driver.send(clickstream, 'u3', shopEvent('Product Added', { ...id(at(5)), userId: 'u3', cartId: 'c3', products: [product('TEA', { price: 49_900n, quantity: 1 })] }));
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { ...id(at(6)), userId: 'u3', cartId: 'c3', lines: [orderLine('TEA', 1, 49_900n)] }));
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { ...id(at(7)), userId: 'u3', cartId: 'c3', lines: [orderLine('TEA', 1, 49_900n)] }));
  driver.send(inventory, 'CUP', { ...stock('CUP', 3, at(8)), messageId: 'g-stock' });
  driver.write(clickstream.name, 'u4', Buffer.from('not avro'), 0);
  driver.tick(at(30));
  driver.send(orders, 'O1', orderEvent('refunded', 'O1', { ...id(at(40)), lines: [orderLine('TEA', 1, 49_900n)] }));
  driver.send(clickstream, 'u5', shopEvent('Product Viewed', { ...id(at(50)), userId: 'u5', products: [product('CUP')] }));
  driver.send(clickstream, 'u6', shopEvent('Checkout Started', { ...id(at(51)), userId: 'u6', currency: 'EUR', products: [product('CUP', { price: 49_900n })] }));
  driver.send(clickstream, 'u7', shopEvent('Product Added to Wishlist', { ...id(at(52)), userId: 'u7', products: [product('CUP')] }));
  driver.send(inventory, 'CUP', { ...stock('CUP', 3, at(53), 39_900n), messageId: 'g-price' });
  driver.tick(at(90));
  driver.tick(NINE + DAY);
  return driver;
}

const readable = (value: unknown): string => JSON.stringify(value, (_, field: unknown) => {
  if (typeof field === 'bigint') return `${field}`;
  return typeof field === 'number' && !Number.isInteger(field) ? Number(field.toPrecision(9)) : field;
});

const driver = monday();

test.each(all.map(({ name }) => name))('%s does what its golden file says', (name) => {
  const consumer = all.find((candidate) => candidate.name === name)!;
  const lines: string[] = [];
  for (const { topic } of consumer.outputs) {
    for (const { partition, key, value, tick } of driver.records(topic.name)) if (!tick) lines.push(`${topic.name}/${partition} ${key} ${readable(topic.codec.decode(value))}`);
  }
  lines.push(...driver.dump(name).map((row) => {
    const [partition, key] = row.split(' ') as [string, string];
    const { partitionKey, kind, sub } = splitRowKey(JSON.parse(key) as string);
    return `${consumer.table.name}/${partition} row ${[partitionKey, kind, sub].join(' | ')}`;
  }));
  const path = join(folder, `${name}.txt`);
  const text = `${lines.join('\n')}\n`;
  if (process.env['UPDATE_GOLDEN']) writeFileSync(path, text);
  expect(existsSync(path), `${path} is missing: run with UPDATE_GOLDEN=1 and read what it writes`).toBe(true);
  expect(text).toBe(readFileSync(path, 'utf8'));
});
