import { expect, test } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { clickstream, erasures, inventory, marketingTriggers as triggers, orders, purchases, sales } from '../../schemas/topics.js';
import { erasureOf } from '../../pipeline/erasure.js';
import { Driver } from '../support/driver.js';
import { MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

const TABLES = ['shoppers', 'order-ledger', 'item-watch', 'marketing-triggers'];
const shop = (partitions: number): Driver => new Driver(
  [shoppers(), orderLedger(), itemWatch(), marketingTriggers({ abandonedAfterMs: 60 * MINUTE, cap: { count: 0, windowMs: 0 }, consentByDefault: true })],
  { partitions },
);
/** Rows of all tables whose key or bytes name an id. */
const naming = (driver: Driver, id: string): string[] => {
  const hex = Buffer.from(id).toString('hex');
  return TABLES.flatMap((table) => driver.dump(table).filter((row) => row.includes(id) || row.includes(hex)).map((row) => `${table} ${row}`));
};

/** A shopper who was anonymous on two devices, waits for an item, has a cart, an order and a refund before its order. */
function live(driver: Driver): void {
  driver.tick(NINE);
  driver.send(inventory, 'P8', stock('P8', 0, NINE));
  driver.send(clickstream, 'anon-one', shopEvent('Back In Stock Subscribed', { anonymousId: 'anon-one', products: [product('P8')] }));
  driver.send(orders, 'O-1', orderEvent('completed', 'O-1', { anonymousId: 'anon-one', lines: [orderLine('P1', 2, 100_000n)] }));
  driver.send(orders, 'O-2', orderEvent('refunded', 'O-2', { userId: 'known-1' }));
  driver.send(clickstream, 'known-1', shopEvent('Order Refunded', { userId: 'known-1', orderId: 'O-2' }));
  for (const device of ['anon-one', 'anon-two']) driver.send(clickstream, 'known-1', shopEvent('', { type: 'identify', anonymousId: device, userId: 'known-1', time: NINE + MINUTE }));
  driver.send(clickstream, 'anon-two', shopEvent('Product Added', { anonymousId: 'anon-two', time: NINE + 2 * MINUTE, products: [product('P2')] }));
  driver.send(clickstream, 'known-2', shopEvent('Product Viewed', { userId: 'known-2', products: [product('P2')] }));
}

test.each([['known-1', 1], ['known-1', 4], ['anon-one', 4]])('erased as %s (%i partitions), a shopper is in no table any more; what was sold stays sold', (asked, partitions) => {
  const driver = shop(partitions);
  live(driver);
  const sold = driver.read(sales);
  driver.send(clickstream, asked, erasureOf(asked, NINE + 3 * MINUTE));
  for (const id of ['known-1', 'anon-one', 'anon-two']) expect(naming(driver, id)).toEqual([]);
  expect(naming(driver, 'known-2').length).toBeGreaterThan(0);
  expect(driver.read(sales)).toEqual(sold);
  expect(driver.read(erasures).filter(({ orderId }) => orderId === null)).toMatchObject([{ ids: expect.arrayContaining(['known-1', 'anon-one', 'anon-two']) }]);
  driver.send(inventory, 'P8', stock('P8', 5, NINE + 4 * MINUTE));
  driver.tick(NINE + 120 * MINUTE);
  expect(driver.read(triggers)).toEqual([]);
});

test('a refund after the erasure is booked, and belongs to nobody', () => {
  const driver = shop(4);
  live(driver);
  driver.send(clickstream, 'known-1', erasureOf('known-1', NINE + 3 * MINUTE));
  const before = driver.read(purchases).length;
  driver.send(orders, 'O-1', orderEvent('refunded', 'O-1', { lines: [orderLine('P1', 1, 100_000n)], time: NINE + 5 * MINUTE }));
  expect(driver.read(sales).find(({ kind }) => kind === 'refund')).toMatchObject({ quantity: -1, shopper: null });
  expect(driver.read(purchases)).toHaveLength(before);
});

test('an erased device starts anew, and another person’s merge of it stays', () => {
  const driver = shop(4);
  live(driver);
  driver.send(clickstream, 'known-2', shopEvent('', { type: 'identify', anonymousId: 'anon-two', userId: 'known-2', time: NINE + 3 * MINUTE }));
  driver.send(clickstream, 'known-1', erasureOf('known-1', NINE + 4 * MINUTE));
  for (const device of ['anon-one', 'anon-two']) driver.send(clickstream, device, shopEvent('Product Viewed', { anonymousId: device, time: NINE + 5 * MINUTE, products: [product('P9')] }));
  expect(naming(driver, 'known-1')).toEqual([]);
  expect(driver.dump('shoppers').some((row) => row.includes('"anon-one"'))).toBe(true);
  expect(naming(driver, 'known-2').some((row) => row.includes('"anon-two') && row.includes('_redirect'))).toBe(true);
});
