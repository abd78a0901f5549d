import { expect, onTestFinished, test, vi } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers, type MarketingTriggerOptions } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { interests } from '../../consumers/shoppers/interests.js';
import { Overlay } from '../../pipeline/core/overlay.js';
import { catalog, clickstream, inventory, itemInterests, marketingTriggers as triggers, orders, purchases } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, interestIn, MINUTE, NINE, orderEvent, orderLine, product, purchase, shopEvent, stock } from '../support/events.js';

const OPTIONS: MarketingTriggerOptions = { abandonedAfterMs: HOUR, cap: { count: 0, windowMs: 7 * DAY }, consentByDefault: true, currency: 'EUR' };

/** A shop in which P8 is sold out, and P2 costs 20 EUR. */
function shop(partitions: number): Driver {
  const driver = new Driver([shoppers(), orderLedger(), itemWatch({ priceDropPercent: 10 }), marketingTriggers(OPTIONS)], { partitions });
  driver.tick(NINE - MINUTE);
  driver.send(inventory, 'P8', stock('P8', 0, NINE - MINUTE));
  driver.send(inventory, 'P2', stock('P2', 9, NINE - MINUTE, 200_000n));
  return driver;
}

const says = (driver: Driver, event: string, who: Partial<ShopEvent>, sku: string, time: number): void => driver.send(clickstream, who.userId ?? who.anonymousId!, shopEvent(event, { ...who, time, products: [product(sku)] }));
const logsIn = (driver: Driver, anonymousId: string, userId: string, time: number): void => driver.send(clickstream, userId, shopEvent('', { type: 'identify', anonymousId, userId, time }));
const costs = (driver: Driver, price: bigint, time: number): void => driver.send(inventory, 'P2', stock('P2', 9, time, price));
const told = (driver: Driver): string[] => driver.read(triggers).filter(({ rule }) => rule !== 'cart_abandonment').map(({ rule, shopper, status, products }) => `${rule} ${shopper} ${status} ${products.map(({ sku }) => sku).join()}`).sort();

test.each([1, 4])('what somebody asked for before they logged in is told to them, and not to who uses their device next (%i partitions)', (partitions) => {
  const driver = shop(partitions);
  says(driver, 'Back In Stock Subscribed', { anonymousId: 'a1' }, 'P8', NINE);
  says(driver, 'Product Added to Wishlist', { anonymousId: 'a1' }, 'P2', NINE);
  logsIn(driver, 'a1', 'u1', NINE + MINUTE);
  logsIn(driver, 'a1', 'u2', NINE + 2 * MINUTE);
  driver.tick(NINE + 3 * MINUTE);
  driver.send(inventory, 'P8', stock('P8', 5, NINE + 3 * MINUTE));
  costs(driver, 180_000n, NINE + 3 * MINUTE);
  driver.tick(NINE + 4 * MINUTE);
  expect(told(driver)).toEqual(['back_in_stock u1 fired P8', 'price_drop u1 fired P2']);
});

test.each([1, 4])('what was wanted keeps its price and its place through a login, and what was told is not told again (%i partitions)', (partitions) => {
  const driver = shop(partitions);
  for (const [anonymousId, minute] of [['a1', 0], ['a2', 1], ['a3', 2]] as const) {
    says(driver, 'Back In Stock Subscribed', { anonymousId }, 'P8', NINE + minute * MINUTE);
    says(driver, 'Product Added to Wishlist', { anonymousId }, 'P2', NINE + minute * MINUTE);
  }
  driver.tick(NINE + 3 * MINUTE);
  costs(driver, 190_000n, NINE + 3 * MINUTE);
  // Who waits under both ids has waited since the first word, and wants it since the last.
  says(driver, 'Back In Stock Subscribed', { userId: 'u1' }, 'P8', NINE + 4 * MINUTE);
  logsIn(driver, 'a1', 'u1', NINE + 5 * MINUTE);
  driver.send(inventory, 'P8', stock('P8', 5, NINE + 6 * MINUTE));
  costs(driver, 180_000n, NINE + 6 * MINUTE);
  expect(driver.read(triggers).filter(({ rule }) => rule === 'price_drop').map(({ reason }) => reason)).toEqual(['a', 'b', 'c'].map(() => 'P2 costs 18.00 EUR now, 20.00 EUR before.'));
  expect(told(driver)).toHaveLength(6);
  logsIn(driver, 'a2', 'u2', NINE + 7 * MINUTE);
  logsIn(driver, 'a3', 'u1', NINE + 7 * MINUTE);
  driver.tick(NINE + 8 * MINUTE);
  for (const [minute, units] of [[8, 0], [9, 5]] as const) driver.send(inventory, 'P8', stock('P8', units, NINE + minute * MINUTE));
  costs(driver, 163_000n, NINE + 9 * MINUTE);
  expect(told(driver)).toHaveLength(6);
  costs(driver, 162_000n, NINE + 10 * MINUTE);
  expect(told(driver).filter((one) => one.startsWith('price_drop')).slice(-3)).toEqual(['price_drop u1 fired P2', 'price_drop u1 fired P2', 'price_drop u2 fired P2']);
  driver.tick(NINE + 61 * DAY);
  expect(driver.dump('item-watch').filter((row) => /follower|price|watcher|turn|_timer/.test(row))).toEqual([]);
});

test('an older wish that comes after a newer one changes nothing of it', () => {
  const driver = new Driver([itemWatch({ priceDropPercent: 10 }), marketingTriggers(OPTIONS)]);
  driver.tick(NINE - MINUTE);
  const wants = (time: number): void => driver.send(itemInterests, 'P2', interestIn('P2', 'u1', time, { kind: 'wanted' }));
  costs(driver, 200_000n, NINE);
  wants(NINE + 2 * MINUTE);
  driver.tick(NINE + 3 * MINUTE);
  costs(driver, 190_000n, NINE + 3 * MINUTE);
  wants(NINE + MINUTE);
  costs(driver, 180_000n, NINE + 4 * MINUTE);
  expect(driver.read(triggers)).toMatchObject([{ reason: 'P2 costs 18.00 EUR now, 20.00 EUR before.' }]);
  // And is again where it is newer, also after they were told.
  wants(NINE + 5 * MINUTE);
  costs(driver, 162_000n, NINE + 6 * MINUTE);
  expect(driver.read(triggers)).toHaveLength(2);
});

test('those of thousands whose turn comes after a sale are not told of it', () => {
  const driver = shop(1);
  for (let i = 0; i < 1_200; i++) driver.put(clickstream, `u${i}`, shopEvent('Product Added to Wishlist', { userId: `u${i}`, time: NINE, products: [product('P2')] }));
  driver.run();
  const sale = { sale_price: '10.00', sale_price_effective_date: '2026-03-02T08:00Z/2026-03-02T09:01Z' };
  driver.send(catalog, 'P2', {
    op: 'upsert', sku: 'P2', name: null, category: null, furtherCategories: [], brand: null, price: 200_000n, currency: 'EUR', url: null, imageUrl: null,
    hidden: false, quantity: null, availability: null, attributes: sale, time: NINE + 59_000, receivedAt: NINE + 59_000,
  });
  expect(driver.read(triggers)).toHaveLength(1_000);
  driver.send(inventory, 'P2', stock('P2', 8, NINE + 61_000));
  driver.tick(NINE + 61_000);
  driver.tick(NINE + 63_000);
  expect(driver.read(triggers)).toHaveLength(1_000);
});

test('an order ends what was wanted before it, not what is wanted since, also where an older wish comes in between', () => {
  const driver = shop(1);
  says(driver, 'Product Added to Wishlist', { userId: 'u1' }, 'P2', NINE + 3 * MINUTE);
  says(driver, 'Product Added to Wishlist', { userId: 'u1' }, 'P2', NINE + MINUTE);
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', time: NINE + 2 * MINUTE, lines: [orderLine('P2', 1, 1n)] }));
  driver.tick(NINE + 4 * MINUTE);
  costs(driver, 180_000n, NINE + 5 * MINUTE);
  expect(told(driver)).toEqual(['price_drop u1 fired P2']);
});

test.each([['a1', 'u1', 1], ['u1', 'a1', 1], ['a1', 'u1', 4], ['u1', 'a1', 4]])('what %s wanted, %s has ordered since, and a login joins, is wanted by nobody; what is wanted after that is (%i partitions)', (who, buyer, partitions) => {
  const driver = shop(partitions);
  const idOf = (id: string): Partial<Pick<ShopEvent, 'anonymousId' | 'userId'>> => (id === 'a1' ? { anonymousId: id } : { userId: id });
  driver.send(inventory, 'P3', stock('P3', 9, NINE - MINUTE, 200_000n));
  for (const sku of ['P2', 'P3']) says(driver, 'Product Added to Wishlist', idOf(who), sku, NINE);
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { ...idOf(buyer), time: NINE + MINUTE, lines: [orderLine('P2', 1, 1n), orderLine('P3', 1, 1n)] }));
  says(driver, 'Product Added to Wishlist', idOf(who), 'P3', NINE + 2 * MINUTE);
  driver.tick(NINE + 3 * MINUTE);
  logsIn(driver, 'a1', 'u1', NINE + 3 * MINUTE);
  driver.tick(NINE + 4 * MINUTE);
  for (const sku of ['P2', 'P3']) driver.send(inventory, sku, stock(sku, 9, NINE + 5 * MINUTE, 180_000n));
  expect(told(driver)).toEqual(['price_drop u1 fired P3']);
  driver.tick(NINE + 70 * DAY);
  expect(driver.dump('shoppers').filter((row) => /interest|unheard/.test(row))).toEqual([]);
  expect(driver.dump('item-watch').filter((row) => /follower|price|_timer/.test(row))).toEqual([]);
});

test('of more than 500 wishes those go of which was heard longest ago, of a shopper and of two that a login joins; item-watch is told of it', () => {
  const driver = shop(2);
  const wishes = (id: string, skus: readonly string[], time: number): void => skus.forEach((sku, i) => driver.put(clickstream, id, shopEvent('Product Added to Wishlist', { anonymousId: id, time: time + i, products: [product(sku)] })));
  const kept = (id: string): string[] => driver.subs('shoppers', interests, id).map((sub) => sub.split('\u001f')[1]!);
  const named = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(3, '0')}`);
  const own = named('D', 503);
  wishes('dev', own, NINE);
  driver.run();
  expect(kept('dev')).toEqual(own.slice(3));
  // A word of the oldest that is left makes it the newest.
  wishes('dev', ['D003', 'E000'], NINE + HOUR);
  driver.run();
  expect(kept('dev').slice(0, 2)).toEqual(['D003', 'D005']);
  const users = named('U', 10);
  wishes('user', users, NINE + MINUTE);
  driver.send(clickstream, 'dev', shopEvent('', { type: 'identify', anonymousId: 'dev', userId: 'user', time: NINE + 2 * HOUR }));
  expect(kept('user')).toHaveLength(510);
  wishes('user', ['U010'], NINE + 2 * HOUR);
  driver.run();
  expect(kept('user')).toEqual(['D003', ...own.slice(16), 'E000', ...named('U', 11)]);
  const told = new Map(driver.read(itemInterests).map(({ sku, active }) => [sku, active]));
  expect([...told].flatMap(([sku, active]) => (active ? [sku] : [])).sort()).toEqual(kept('user'));
});

test('a login of hundreds of orders and wishes looks at each once, not at all wishes with each order', () => {
  const driver = new Driver([shoppers()]);
  driver.tick(NINE);
  for (const [id, who] of [['a1', { anonymousId: 'a1' }], ['u1', { userId: 'u1' }]] as const) {
    for (let i = 0; i < 300; i++) {
      driver.put(clickstream, id, shopEvent('Product Added to Wishlist', { ...who, products: [product(`${id} ${i}`)] }));
      driver.put(purchases, id, purchase(id, `${id} ${i}`, { time: NINE - MINUTE, lines: [{ sku: `u1 ${i}`, quantity: 1, price: 1n }] }));
    }
  }
  driver.run();
  const scan = vi.spyOn(Overlay.prototype, 'scan');
  onTestFinished(() => scan.mockRestore());
  logsIn(driver, 'a1', 'u1', NINE);
  expect(driver.dump('shoppers').filter((row) => row.includes('u1\\u001finterest'))).toHaveLength(600);
  expect(scan.mock.calls.length).toBeLessThan(10);
});

test.each([[[0, 1, 2]], [[0, 2, 1]], [[2, 1, 0]]])('two units that went into the cart, and one out of it between, told in the order %j: one is left, and the last one taken out ends the wish', (order) => {
  const driver = shop(1);
  const moves = ['Product Added', 'Product Removed', 'Product Added'];
  const move = (event: string, minute: number): void => driver.send(clickstream, 'u1', shopEvent(event, { userId: 'u1', time: NINE + minute * MINUTE, products: [product('P2', { quantity: 1 })] }));
  for (const at of order) move(moves[at]!, at);
  costs(driver, 180_000n, NINE + 3 * MINUTE);
  move('Product Removed', 4);
  costs(driver, 150_000n, NINE + 5 * MINUTE);
  expect(told(driver)).toEqual(['price_drop u1 fired P2']);
});

test('whoever waited for an item in vain is forgotten after a year, and who ordered it waits no more', () => {
  const driver = shop(1);
  for (const userId of ['u1', 'u2', 'u3']) says(driver, 'Back In Stock Subscribed', { userId }, 'P8', NINE);
  driver.send(orders, 'O2', orderEvent('completed', 'O2', { userId: 'u2', time: NINE + MINUTE, lines: [orderLine('P8', 1, 1n)] }));
  says(driver, 'Back In Stock Subscribed', { userId: 'u3' }, 'P8', NINE + 10 * DAY);
  driver.tick(NINE + 366 * DAY);
  driver.send(inventory, 'P8', stock('P8', 5, NINE + 366 * DAY));
  driver.tick(NINE + 800 * DAY);
  expect(told(driver)).toEqual(['back_in_stock u3 fired P8']);
  expect(driver.dump('shoppers').filter((row) => /interest|unheard/.test(row))).toEqual([]);
  expect(driver.dump('item-watch').filter((row) => /watcher|turn/.test(row))).toEqual([]);
});
