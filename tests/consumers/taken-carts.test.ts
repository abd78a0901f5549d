import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { itemInfos } from '../../consumers/triggers/items.js';
import { Overlay } from '../../pipeline/core/overlay.js';
import { clickstream, inventory, marketingTriggers as triggers, orders } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

function shop(): Driver {
  const driver = new Driver([shoppers(), orderLedger(), itemWatch(), marketingTriggers({ abandonedAfterMs: HOUR, cap: { count: 0, windowMs: 7 * DAY }, consentByDefault: true, currency: 'EUR' })]);
  driver.tick(NINE - MINUTE);
  return driver;
}

test('an order that is told late leaves what was put in after it, though a checkout was begun since; told after its last step was reminded of, it recovers that', () => {
  const driver = shop();
  const say = (userId: string, event: string, sku: string, minute: number): void => driver.send(clickstream, userId, shopEvent(event, { userId, time: NINE + minute * MINUTE, products: [product(sku)] }));
  const order = (userId: string): void => driver.send(orders, userId, orderEvent('completed', userId, { userId, time: NINE + MINUTE, lines: [orderLine('P1', 1, 1n)] }));
  for (const userId of ['u1', 'u2']) say(userId, 'Product Added', 'P1', 0);
  say('u1', 'Product Added', 'P2', 2);
  for (const userId of ['u1', 'u2']) say(userId, 'Checkout Started', userId === 'u1' ? 'P2' : 'P1', 3);
  order('u1');
  driver.tick(NINE + 2 * HOUR);
  order('u2');
  expect(driver.read(triggers).map(({ shopper, rule, status, products }) => [shopper, rule, status, products.map(({ sku }) => sku).join()])).toEqual([
    ['u1', 'checkout_abandonment', 'fired', 'P2'], ['u2', 'checkout_abandonment', 'fired', 'P1'], ['u2', 'checkout_abandonment', 'recovered', 'P1'],
  ]);
});

test('an order that takes hundreds of carts looks through those that are left once, and leaves what is known of their items', () => {
  const driver = shop();
  driver.tick(NINE);
  for (let i = 0; i < 400; i++) driver.put(clickstream, 'u1', shopEvent('Product Added', { userId: 'u1', cartId: `c${i}`, time: i === 0 ? NINE + 2 * MINUTE : NINE, products: [product(`P${i % 2}`)] }));
  driver.tick(NINE + 3 * MINUTE);
  const scan = vi.spyOn(Overlay.prototype, 'scan');
  onTestFinished(() => scan.mockRestore());
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', time: NINE + MINUTE, lines: [orderLine('P9', 1, 1n)] }), NINE + 3 * MINUTE);
  expect(scan.mock.calls.length).toBeLessThan(10);
  const known = (sku: string): unknown => driver.row('marketing-triggers', itemInfos, 'u1', sku);
  expect([known('P0'), known('P1')]).toEqual([expect.objectContaining({ stock: null }), undefined]);
});

test('a checkout that is told behind what was put in after it says nothing of that', () => {
  const driver = shop();
  for (const [event, sku, minute] of [['Product Added', 'P1', 0], ['Product Added', 'P2', 2], ['Checkout Started', 'P1', 1]] as const) {
    driver.send(clickstream, 'u1', shopEvent(event, { userId: 'u1', time: NINE + minute * MINUTE, products: [product(sku)] }));
  }
  driver.tick(NINE + 2 * HOUR);
  expect(driver.read(triggers).map(({ rule, products }) => [rule, products.map(({ sku }) => sku).join()])).toEqual([['checkout_abandonment', 'P1,P2']]);
});

describe('two carts of one id that a login joins', () => {
  /** What a device and the shopper it becomes have done with the cart that has no id, and what they are told. */
  function joined(device: readonly (readonly [event: string, sku: string, minute: number])[], user: typeof device, then: (driver: Driver) => void = () => {}): string[] {
    const driver = shop();
    const all = [...device.map((one) => [{ anonymousId: 'a1' }, 'a1', ...one] as const), ...user.map((one) => [{ userId: 'u1' }, 'u1', ...one] as const)];
    for (const [who, key, event, sku, minute] of all.sort((one, other) => one[4] - other[4])) {
      driver.tick(NINE + minute * MINUTE);
      driver.send(clickstream, key, shopEvent(event, { ...who, time: NINE + minute * MINUTE, products: [product(sku)] }));
    }
    const login = NINE + 180 * MINUTE;
    driver.tick(login);
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: login }));
    then(driver);
    driver.tick(NINE + DAY);
    return driver.read(triggers).map(({ rule, shopper, status, products }) => [rule, shopper, status, products.map(({ sku }) => sku).join()].join(' '));
  }

  test('keep the reminder of the one that was left earlier for the order that recovers it', () => {
    const order = (driver: Driver): void => driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', time: NINE + 190 * MINUTE, lines: [orderLine('P1', 1, 1n)] }));
    expect(joined([['Product Added', 'P2', 170]], [['Product Added', 'P1', 0]], order)).toEqual(['cart_abandonment u1 fired P1', 'cart_abandonment u1 recovered P1,P2']);
  });

  test('are at the checkout that either of them was at', () => {
    expect(joined([['Checkout Started', 'P2', 170]], [['Product Added', 'P1', 171]])).toEqual(['checkout_abandonment u1 fired P1,P2']);
  });

  test('were filled when either was: an order of before, told late, leaves that', () => {
    const order = (driver: Driver): void => driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', time: NINE + 171 * MINUTE, lines: [orderLine('P9', 1, 1n)] }), NINE + 180 * MINUTE);
    expect(joined([['Product Added', 'P2', 172]], [['Checkout Started', 'P1', 173]], order)).toEqual(['checkout_abandonment u1 fired P1,P2']);
  });

  test('are in the currency of the one that names a price: what the shop’s catalogue says in its own does not add up to a value', () => {
    const driver = shop();
    const add = (who: Partial<ShopEvent>, key: string, minute: number, sku: string, price: bigint | null): void =>
      driver.send(clickstream, key, shopEvent('Product Added', { ...who, time: NINE + minute * MINUTE, currency: price === null ? null : 'USD', products: [product(sku, { price })] }));
    for (const sku of ['P1', 'P2']) driver.send(inventory, sku, stock(sku, 5, NINE - MINUTE, 20n));
    add({ userId: 'u1' }, 'u1', 0, 'P1', 10n);
    add({ anonymousId: 'a1' }, 'a1', 1, 'P2', null);
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 2 * MINUTE }));
    driver.tick(NINE + DAY);
    expect(driver.read(triggers)).toMatchObject([{ value: null, currency: null, products: [{ sku: 'P1' }, { sku: 'P2' }] }]);
  });
});
