import fc from 'fast-check';
import { expect, test } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import { aliases, aliasOf } from '../../consumers/shoppers/aliases.js';
import { carts } from '../../consumers/triggers/carts.js';
import { clickstream, deadLetters, erasures, interactions, inventory, marketingTriggers as triggers, orders, purchases, sales, type Topic } from '../../schemas/topics.js';
import { erasureOf } from '../../pipeline/erasure.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

const TABLES = ['shoppers', 'order-ledger', 'item-watch', 'marketing-triggers'];
const shop = (partitions: number, options: DriverOptions = {}): Driver => new Driver(
  [shoppers(), orderLedger(), itemWatch({ priceDropPercent: 10 }), marketingTriggers({ abandonedAfterMs: 60 * MINUTE, browsedAfterMs: 60 * MINUTE, winBackAfterMs: 60 * MINUTE, welcomesNew: true, vipSpend: 100_000n, highIntentPercent: 1, cap: { count: 0, windowMs: 0 }, consentByDefault: true, currency: 'EUR' })],
  { partitions, ...options },
);
/** Rows of all tables whose key or bytes name an id. */
const naming = (driver: Driver, id: string): string[] => {
  const hex = Buffer.from(id).toString('hex');
  return TABLES.flatMap((table) => driver.dump(table).filter((row) => row.includes(id) || row.includes(hex)).map((row) => `${table} ${row}`));
};

/** Other ids that lead to a shopper. */
const others = (driver: Driver, id: string): string[] => [...new Set(driver.subs('shoppers', aliases, id).map(aliasOf))];

/** A shopper who was anonymous on two devices, waits for an item, has a cart, an order and a refund before its order. */
function live(driver: Driver): void {
  driver.tick(NINE);
  driver.send(inventory, 'P8', stock('P8', 0, NINE));
  driver.send(inventory, 'P2', stock('P2', 9, NINE, 200_000n));
  driver.send(clickstream, 'anon-one', shopEvent('Back In Stock Subscribed', { anonymousId: 'anon-one', products: [product('P8')] }));
  driver.send(orders, 'O-1', orderEvent('completed', 'O-1', { anonymousId: 'anon-one', lines: [orderLine('P1', 2, 100_000n)] }));
  driver.send(orders, 'O-2', orderEvent('refunded', 'O-2', { userId: 'known-1' }));
  driver.send(clickstream, 'known-1', shopEvent('Order Refunded', { userId: 'known-1', orderId: 'O-2' }));
  for (const device of ['anon-one', 'anon-two']) driver.send(clickstream, 'known-1', shopEvent('', { type: 'identify', anonymousId: device, userId: 'known-1', time: NINE + MINUTE }));
  driver.send(clickstream, 'anon-two', shopEvent('Product Added', { anonymousId: 'anon-two', time: NINE + 2 * MINUTE, products: [product('P2')] }));
  driver.send(clickstream, 'known-1', shopEvent('Product Viewed', { userId: 'known-1', time: NINE + 2 * MINUTE, products: [product('P2')] }));
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
  driver.send(inventory, 'P2', stock('P2', 9, NINE + 4 * MINUTE, 100_000n));
  driver.tick(NINE + 120 * MINUTE);
  expect(driver.read(triggers).filter(({ shopper }) => shopper !== 'known-2')).toEqual([]);
});

test.each([1, 4])('an erasure reaches every id of a shopper, however many there are and by whichever others they led to them (%i partitions)', (partitions) => {
  const driver = shop(partitions);
  driver.tick(NINE);
  const devices = Array.from({ length: 300 }, (_, i) => `device-${i}`);
  for (const device of devices) driver.put(clickstream, device, added(device, 'P2', NINE));
  devices.forEach((device, i) => driver.put(clickstream, device, identify(device, i % 2 === 0 ? 'known-1' : 'known-0', NINE + MINUTE)));
  driver.run();
  driver.send(clickstream, 'known-0', shopEvent('', { type: 'alias', previousId: 'known-0', userId: 'known-1', time: NINE + 2 * MINUTE }));
  driver.send(orders, 'O-7', orderEvent('completed', 'O-7', { anonymousId: 'device-7', lines: [orderLine('P1', 1, 100_000n)], time: NINE + 2 * MINUTE }));
  expect(others(driver, 'known-1').length).toBe(301);
  driver.send(clickstream, 'known-1', erasureOf('known-1', NINE + 3 * MINUTE));
  expect([...devices, 'known-0', 'known-1'].filter((id) => naming(driver, id).length > 0)).toEqual([]);
  const told = driver.read(erasures).filter(({ orderId }) => orderId === null).flatMap(({ ids }) => ids);
  expect(new Set(told)).toEqual(new Set([...devices, 'known-0', 'known-1']));
  // What each device does from now on is its own.
  driver.send(clickstream, 'device-299', added('device-299', 'P5', NINE + 4 * MINUTE));
  expect(driver.row('shoppers', profiles, 'device-299')).toMatchObject({ recent: [{ sku: 'P5' }] });
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

/** However records fall into batches and whichever tasks crash. */
const however = fc.record({ partitions: fc.constantFrom(1, 4), batches: fc.infiniteStream(fc.integer({ min: 1, max: 9 })), crashes: fc.infiniteStream(fc.constantFrom(undefined, undefined, undefined, 'lost' as const, 'kept' as const)) });
type However = { readonly partitions: number; readonly batches: Iterator<number>; readonly crashes: Iterator<'lost' | 'kept' | undefined> };
const shopAnyhow = ({ partitions, batches, crashes }: However): Driver => shop(partitions, { batch: () => batches.next().value, crash: () => crashes.next().value });
const write = <T>(driver: Driver, topic: Topic<T>, key: string, value: T): void => driver.put(topic, key, value);
const identify = (anonymousId: string, userId: string, time: number): ReturnType<typeof shopEvent> => shopEvent('', { type: 'identify', anonymousId, userId, time });
const added = (anonymousId: string, sku: string, time: number): ReturnType<typeof shopEvent> => shopEvent('Product Added', { anonymousId, time, products: [product(sku)] });

test('a click right after the erasure is one of the device, and brings nobody back', () => {
  fc.assert(fc.property(however, (how) => {
    const driver = shopAnyhow(how);
    live(driver);
    write(driver, clickstream, 'known-1', erasureOf('known-1', NINE + 3 * MINUTE));
    for (const sku of ['P5', 'P6']) write(driver, clickstream, 'anon-two', added('anon-two', sku, NINE + 3 * MINUTE + 1));
    driver.run();
    expect(naming(driver, 'known-1')).toEqual([]);
    expect(driver.row('shoppers', profiles, 'anon-two')).toMatchObject({ events: 2, recent: [{ sku: 'P6' }, { sku: 'P5' }] });
    expect(others(driver, 'anon-two')).toEqual([]);
    expect(driver.read(interactions).filter(({ products }) => products[0]?.sku === 'P5').map(({ shopper }) => shopper)).toEqual(['anon-two']);
    expect(driver.row('marketing-triggers', carts, 'anon-two', 'default')).toMatchObject({ lines: [{ sku: 'P5' }, { sku: 'P6' }] });
    driver.tick(NINE + 120 * MINUTE);
    expect(driver.read(triggers).map(({ shopper }) => shopper).filter((shopper) => shopper !== 'known-2')).toEqual(['anon-two']);
  }), { numRuns: 25 });
});

test('what is on its way to a user while they are erased does not bring them back, and is withdrawn where it is named', () => {
  fc.assert(fc.property(however, (how) => {
    const driver = shopAnyhow(how);
    driver.tick(NINE);
    driver.send(inventory, 'P8', stock('P8', 0, NINE));
    driver.send(clickstream, 'anon-one', shopEvent('Back In Stock Subscribed', { anonymousId: 'anon-one', products: [product('P8')] }));
    driver.send(clickstream, 'anon-one', added('anon-one', 'P2', NINE + 1));
    driver.send(orders, 'O-1', orderEvent('completed', 'O-1', { anonymousId: 'anon-one', lines: [orderLine('P1', 2, 100_000n)], time: NINE + 2 }));
    write(driver, clickstream, 'known-1', identify('anon-one', 'known-1', NINE + MINUTE));
    write(driver, clickstream, 'known-1', erasureOf('known-1', NINE + MINUTE));
    driver.run();
    for (const id of ['known-1', 'anon-one']) expect(naming(driver, id)).toEqual([]);
  }), { numRuns: 25 });
});

test('nor does whoever led to them by way of an id whose rows are on their way: it is named nowhere', () => {
  fc.assert(fc.property(however, (how) => {
    const driver = shopAnyhow(how);
    driver.tick(NINE);
    driver.send(clickstream, 'anon-one', added('anon-one', 'P2', NINE + 1));
    driver.send(clickstream, 'known-0', identify('anon-one', 'known-0', NINE + 2));
    write(driver, clickstream, 'known-1', shopEvent('', { type: 'alias', previousId: 'known-0', userId: 'known-1', time: NINE + MINUTE }));
    write(driver, clickstream, 'known-1', erasureOf('known-1', NINE + MINUTE));
    driver.run();
    for (const id of ['known-1', 'known-0', 'anon-one']) expect(naming(driver, id)).toEqual([]);
    expect(new Set(driver.read(erasures).filter(({ orderId }) => orderId === null).flatMap(({ ids }) => ids))).toEqual(new Set(['known-1', 'known-0', 'anon-one']));
  }), { numRuns: 25 });
});

/** A shop in which known-1 waits for P8, which is sold out, and wants P2, which costs 20 EUR. */
function shopAwaited(how: However): Driver {
  const driver = shopAnyhow(how);
  driver.tick(NINE);
  driver.send(inventory, 'P8', stock('P8', 0, NINE));
  driver.send(inventory, 'P2', stock('P2', 9, NINE, 200_000n));
  for (const [event, sku] of [['Back In Stock Subscribed', 'P8'], ['Product Added to Wishlist', 'P2']] as const) driver.send(clickstream, 'known-1', shopEvent(event, { userId: 'known-1', products: [product(sku)] }));
  return driver;
}

test('an order or news of an item that are on their way while their shopper is erased do not bring them back, and tell nobody', () => {
  fc.assert(fc.property(however, (how) => {
    const driver = shopAwaited(how);
    write(driver, orders, 'O-1', orderEvent('completed', 'O-1', { userId: 'known-1', lines: [orderLine('P1', 2, 100_000n)], time: NINE + MINUTE }));
    write(driver, inventory, 'P8', stock('P8', 5, NINE + MINUTE));
    write(driver, inventory, 'P2', stock('P2', 9, NINE + MINUTE, 100_000n));
    write(driver, clickstream, 'known-1', erasureOf('known-1', NINE + MINUTE));
    driver.run();
    expect(naming(driver, 'known-1')).toEqual([]);
    expect(driver.read(sales)).toMatchObject([{ quantity: 2 }]);
    const before = driver.read(triggers).length;
    driver.tick(NINE + 120 * MINUTE);
    expect(driver.read(triggers)).toHaveLength(before);
  }), { numRuns: 25 });
});

test('nor does news that happened a moment after the erasure, and came to the items before it', () => {
  fc.assert(fc.property(however, (how) => {
    const driver = shopAwaited(how);
    driver.put(inventory, 'P8', stock('P8', 5, NINE + MINUTE + 3_000));
    driver.put(inventory, 'P2', stock('P2', 9, NINE + MINUTE + 3_000, 100_000n));
    driver.put(clickstream, 'known-1', erasureOf('known-1', NINE + MINUTE));
    driver.run();
    const before = driver.read(triggers).length;
    driver.tick(NINE + 120 * MINUTE);
    expect(naming(driver, 'known-1')).toEqual([]);
    expect(driver.read(triggers)).toHaveLength(before);
  }), { numRuns: 25 });
});

test('a device whose login reached the user after they were erased is itself again with its next event', () => {
  fc.assert(fc.property(however, (how) => {
    const driver = shopAnyhow(how);
    driver.tick(NINE);
    driver.send(clickstream, 'anon-one', added('anon-one', 'P2', NINE));
    driver.tick(NINE + 3 * MINUTE);
    // As the collector keys it: nobody has told the user's own task of the device yet.
    write(driver, clickstream, 'anon-one', identify('anon-one', 'known-1', NINE + MINUTE));
    write(driver, clickstream, 'known-1', erasureOf('known-1', NINE + 2 * MINUTE));
    driver.run();
    driver.send(clickstream, 'anon-one', added('anon-one', 'P5', NINE + 3 * MINUTE));
    expect(naming(driver, 'known-1')).toEqual([]);
    expect(driver.read(deadLetters)).toEqual([]);
    expect(driver.row('shoppers', profiles, 'anon-one')).toMatchObject({ recent: [{ sku: 'P5' }] });
  }), { numRuns: 25 });
});

test.each([1, 4])('ids that are said to lead to each other go in no circle: what is sent to either is taken once (%i partitions)', (partitions) => {
  const driver = shop(partitions);
  driver.tick(NINE);
  const lead = (from: string, to: string, minute: number): void => driver.send(clickstream, from, shopEvent('', { type: 'alias', previousId: from, userId: to, time: NINE + minute * MINUTE }));
  lead('one', 'other', 0);
  lead('other', 'third', 1);
  lead('third', 'one', 2);
  for (const [i, id] of ['one', 'other', 'third'].entries()) driver.send(clickstream, id, shopEvent('Product Viewed', { userId: id, time: NINE + (3 + i) * MINUTE, products: [product(`P${i}`)] }));
  expect(driver.read(deadLetters)).toEqual([]);
  expect(driver.read(interactions).flatMap(({ products }) => products.map(({ sku }) => sku)).sort()).toEqual(['P0', 'P1', 'P2']);
});

test('who logs in again after an erasure is joined with the device again, old and new', () => {
  fc.assert(fc.property(however, (how) => {
    const driver = shopAnyhow(how);
    live(driver);
    driver.tick(NINE + 4 * MINUTE);
    write(driver, clickstream, 'known-1', erasureOf('known-1', NINE + 3 * MINUTE));
    write(driver, clickstream, 'anon-two', added('anon-two', 'P5', NINE + 3 * MINUTE + 1));
    write(driver, clickstream, 'known-1', identify('anon-two', 'known-1', NINE + 4 * MINUTE));
    driver.run();
    driver.send(clickstream, 'anon-two', added('anon-two', 'P6', NINE + 5 * MINUTE));
    driver.send(clickstream, 'anon-one', added('anon-one', 'P7', NINE + 5 * MINUTE));
    expect(driver.row('shoppers', profiles, 'known-1')).toMatchObject({ recent: [{ sku: 'P6' }, { sku: 'P5' }] });
    expect(others(driver, 'known-1')).toEqual(['anon-two']);
    expect(driver.row('shoppers', profiles, 'anon-two')).toBeUndefined();
    expect(driver.row('shoppers', profiles, 'anon-one')).toMatchObject({ recent: [{ sku: 'P7' }] });
    expect(driver.row('marketing-triggers', carts, 'known-1', 'default')).toMatchObject({ lines: expect.arrayContaining([expect.objectContaining({ sku: 'P5' }), expect.objectContaining({ sku: 'P6' })]) });
  }), { numRuns: 25 });
});

test('a day after an erasure nothing is left of it', () => {
  const driver = shop(4);
  driver.tick(NINE);
  const empty = TABLES.map((table) => driver.dump(table).length);
  driver.send(clickstream, 'known-1', identify('anon-one', 'known-1', NINE));
  driver.send(clickstream, 'known-1', erasureOf('known-1', NINE + MINUTE));
  driver.tick(NINE + 25 * 60 * MINUTE);
  expect(TABLES.map((table) => driver.dump(table).length)).toEqual(empty);
});
