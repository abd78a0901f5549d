import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers, type MarketingTriggerOptions } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { awakeAt, wakesAt } from '../../consumers/triggers/quiet-hours.js';
import { readConfig } from '../../pipeline/config.js';
import type { Consumer } from '../../pipeline/core/consumer.js';
import { catalog, clickstream, deadLetters, heldNews, interactions, inventory, marketingTriggers as triggers, orders, triggerCandidates } from '../../schemas/topics.js';
import type { CatalogChange, MarketingTrigger, ShopEvent, TriggerCandidate } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

const OPTIONS: MarketingTriggerOptions = {
  abandonedAfterMs: HOUR, browsedAfterMs: 4 * HOUR, quietAfterOrderMs: 10 * DAY, winBackAfterMs: 90 * DAY, cap: { count: 0, windowMs: 7 * DAY }, consentByDefault: true, currency: 'EUR',
};

function shop(partitions = 1, options: Partial<MarketingTriggerOptions> = {}): Driver {
  const driver = new Driver([shoppers(), orderLedger(), itemWatch({ priceDropPercent: 10 }), marketingTriggers({ ...OPTIONS, ...options })], { partitions });
  driver.tick(NINE - MINUTE);
  return driver;
}

const does = (driver: Driver, event: string, who: Partial<ShopEvent>, time: number, ...skus: string[]): void =>
  driver.send(clickstream, who.userId ?? who.anonymousId!, shopEvent(event, { ...who, time, products: skus.map((sku) => product(sku, { price: 50_000n, quantity: event.startsWith('Checkout') ? 3 : 1 })) }));

const orders1 = (driver: Driver, userId: string, orderId: string, time: number, sku = 'P1'): void =>
  driver.send(orders, orderId, orderEvent('completed', orderId, { userId, time, lines: [orderLine(sku, 1, 50_000n)] }));

/** Rule, what became of it, and of which products. */
const told = (driver: Driver, rule?: string): string[] =>
  driver.read(triggers).filter((trigger) => rule === undefined || trigger.rule === rule).map(spoken);
const spoken = ({ rule, shopper, status, reason, products }: MarketingTrigger): string => [rule, shopper, status === 'suppressed' ? reason : status, products.map(({ sku }) => sku).join()].join(' ');

const u1 = { userId: 'u1' };
const mug: CatalogChange = { sku: 'P1', op: 'upsert', name: 'Mug', category: null, furtherCategories: [], brand: null, price: null, currency: 'EUR', url: null, imageUrl: null, hidden: false, quantity: null, availability: null, attributes: {}, time: NINE - MINUTE, receivedAt: NINE - MINUTE };

describe.each([1, 3])('on %i partition(s)', (partitions) => {
  test('a visit of a known shopper that led to nothing is reminded of once, with what was looked at, the latest first', () => {
    const driver = shop(partitions);
    does(driver, 'Product Viewed', u1, NINE, 'P1');
    does(driver, 'Product Viewed', u1, NINE + 10 * MINUTE, 'P2');
    driver.tick(NINE + 4 * HOUR + 9 * MINUTE);
    expect(told(driver)).toEqual([]);
    driver.tick(NINE + 4 * HOUR + 10 * MINUTE);
    driver.tick(NINE + 60 * DAY);
    expect(driver.read(triggers)).toMatchObject([{ rule: 'browse_abandonment', status: 'fired', shopper: 'u1', causedAt: NINE + 10 * MINUTE, at: NINE + 4 * HOUR + 10 * MINUTE, products: [{ sku: 'P2' }, { sku: 'P1' }] }]);
    expect(driver.dump('marketing-triggers').filter((row) => /browsing|_timer/.test(row))).toEqual([]);
    does(driver, 'Product Viewed', u1, NINE + 60 * DAY, 'P3');
    driver.tick(NINE + 61 * DAY);
    expect(told(driver)).toEqual(['browse_abandonment u1 fired P2,P1', 'browse_abandonment u1 fired P3']);
  });

  test('nobody is reminded who is known by a device alone; who logs in is, of what was looked at before', () => {
    const driver = shop(partitions);
    does(driver, 'Product Viewed', { anonymousId: 'a1' }, NINE, 'P1');
    does(driver, 'Product Viewed', { userId: 'u2' }, NINE - MINUTE, 'P3');
    does(driver, 'Product Viewed', { anonymousId: 'a2' }, NINE, 'P2');
    driver.send(clickstream, 'u2', shopEvent('', { type: 'identify', anonymousId: 'a2', userId: 'u2', time: NINE + MINUTE }));
    driver.tick(NINE + DAY);
    driver.tick(NINE + 40 * DAY);
    expect(told(driver)).toEqual(['browse_abandonment u2 fired P2,P3']);
    expect(driver.dump('marketing-triggers').filter((row) => /browsing|_timer/.test(row))).toEqual([]);
  });

  test('a visit that led to a cart or an order is none, in whichever order they are told', () => {
    const driver = shop(partitions);
    for (const [userId, first] of [['u1', 'view'], ['u2', 'cart']] as const) {
      if (first === 'cart') does(driver, 'Product Added', { userId }, NINE + MINUTE, 'P1');
      does(driver, 'Product Viewed', { userId }, NINE, 'P1');
      if (first === 'view') does(driver, 'Product Added', { userId }, NINE + MINUTE, 'P1');
    }
    orders1(driver, 'u3', 'O3', NINE + MINUTE);
    does(driver, 'Product Viewed', { userId: 'u3' }, NINE, 'P1');
    driver.tick(NINE + DAY);
    expect(told(driver).sort()).toEqual(['cart_abandonment u1 fired P1', 'cart_abandonment u2 fired P1']);
  });

  test('a visit that began with what was put into a cart, before anything was looked at, led to a cart', () => {
    const driver = shop(partitions);
    does(driver, 'Product Added', u1, NINE, 'P1');
    does(driver, 'Product Viewed', u1, NINE + 5 * MINUTE, 'P2');
    driver.tick(NINE + 8 * HOUR);
    does(driver, 'Product Viewed', u1, NINE + 8 * HOUR, 'P3');
    driver.tick(NINE + DAY);
    expect(told(driver)).toEqual(['cart_abandonment u1 fired P1', 'browse_abandonment u1 fired P3']);
  });

  test.each([['with it', 'a1', []], ['in one go with it', 'u1', []], ['with it, long after the cart', 'a1', [25, 50]], ['in one go with it, long after the cart', 'u1', [25, 50]]] as const)('a device that filled a cart, logs in and looks at a product %s was on one visit, which led to a cart', (_, key, views) => {
    const driver = shop(partitions);
    does(driver, 'Product Added', { anonymousId: 'a1' }, NINE, 'P1');
    for (const minute of views) does(driver, 'Product Viewed', { anonymousId: 'a1' }, NINE + minute * MINUTE, 'P2');
    const time = NINE + ((views.at(-1) ?? 0) + 1) * MINUTE;
    driver.tick(time);
    if (key === 'u1') driver.put(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time }));
    driver.put(clickstream, key, shopEvent('Product Viewed', { anonymousId: 'a1', userId: 'u1', time: time + 1_000, products: [product('P3')], login: key === 'a1' ? { messageId: 'login', time, claim: null } : null }));
    driver.run();
    driver.tick(NINE + DAY);
    expect(told(driver)).toEqual(['cart_abandonment u1 fired P1']);
  });

  test('what a device looked at before it logs in is of the visit of who it becomes, whose view may come in one go with the login', () => {
    const driver = shop(partitions);
    does(driver, 'Product Viewed', { anonymousId: 'a1' }, NINE, 'P1');
    driver.put(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + MINUTE }));
    does(driver, 'Product Viewed', { anonymousId: 'a1', userId: 'u1' }, NINE + 2 * MINUTE, 'P2');
    driver.tick(NINE + DAY);
    expect(told(driver)).toEqual(['browse_abandonment u1 fired P2,P1']);
  });

  test('a visit goes on where the session is that of a device which has looked at nothing before it logs in', () => {
    const driver = shop(partitions);
    driver.send(clickstream, 'a1', shopEvent('', { anonymousId: 'a1', type: 'page', time: NINE }));
    driver.put(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + MINUTE }));
    for (const minute of [1, 2, 3]) does(driver, 'Product Viewed', u1, NINE + minute * MINUTE, `P${minute}`);
    driver.tick(NINE + 5 * HOUR);
    expect(told(driver)).toEqual(['browse_abandonment u1 fired P3,P2,P1']);
  });

  test('a trigger names its products as the catalogue does, else as the events did, also of a device that logs in; a list names none', () => {
    const driver = shop(partitions);
    const named = (event: string, who: Partial<ShopEvent>, minute: number, ...names: (string | null)[]): void =>
      driver.send(clickstream, who.userId ?? who.anonymousId!, shopEvent(event, { ...who, time: NINE + minute * MINUTE, products: names.map((name, i) => product(`P${minute}${i}`, { name })) }));
    driver.send(catalog, 'P60', { ...mug, sku: 'P60', name: 'Mug of the catalogue', url: 'https://shop.example/mug' });
    named('Product Viewed', { anonymousId: 'a1' }, 0, 'Cup');
    named('Product Viewed', { anonymousId: 'a1' }, 1, null);
    driver.put(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 2 * MINUTE }));
    named('Product Viewed', { anonymousId: 'a1', userId: 'u1' }, 3, 'Bowl');
    named('Product List Viewed', u1, 4, 'Spoon', 'Fork');
    for (const name of ['Tea', null]) named('Product Added', { userId: 'u2' }, 5, name);
    named('Checkout Started', { userId: 'u3' }, 6, 'Mug', 'Pot');
    driver.tick(NINE + DAY);
    expect(driver.read(triggers).map(({ shopper, products }) => [shopper, products.map(({ name, url }) => [name, url])]).sort()).toEqual([
      ['u1', [['Bowl', null], [null, null], ['Cup', null]]], ['u2', [['Tea', null]]], ['u3', [['Mug of the catalogue', 'https://shop.example/mug'], ['Pot', null]]],
    ]);
    expect(driver.read(interactions).find(({ event }) => event === 'Product List Viewed')!.products.map(({ name }) => name)).toEqual([null, null]);
  });

  test('what was looked at is what a visit looked at, also in a shop whose customers take nothing twice and are known by all visits', () => {
    const driver = new Driver([shoppers({ repeats: false }), orderLedger(), itemWatch(), marketingTriggers(OPTIONS)], { partitions });
    driver.tick(NINE);
    does(driver, 'Product Viewed', u1, NINE, 'P1');
    driver.tick(NINE + 20 * DAY);
    does(driver, 'Product Viewed', u1, NINE + 20 * DAY + 2 * MINUTE, 'P2');
    does(driver, 'Product Viewed', u1, NINE + 20 * DAY + 4 * MINUTE, 'P3');
    does(driver, 'Product Viewed', u1, NINE + 20 * DAY + 3 * MINUTE, 'P4');
    driver.tick(NINE + 21 * DAY);
    expect(told(driver).at(-1)).toBe('browse_abandonment u1 fired P3,P2,P4');
  });

  test('who bought it and looks at it again, from the mail that says it is on its way, is not reminded; twelve days later they are (D20)', () => {
    const driver = shop(partitions);
    orders1(driver, 'u5', 'O5', NINE, 'P6');
    driver.tick(NINE + 8 * HOUR);
    does(driver, 'Product Viewed', { userId: 'u5' }, NINE + 8 * HOUR, 'P6');
    does(driver, 'Product Viewed', { userId: 'u6' }, NINE + 8 * HOUR, 'P6');
    driver.tick(NINE + DAY);
    expect(told(driver).sort()).toEqual(['browse_abandonment u5 recent_order P6', 'browse_abandonment u6 fired P6']);
    does(driver, 'Product Viewed', { userId: 'u5' }, NINE + 12 * DAY, 'P6');
    driver.tick(NINE + 13 * DAY);
    expect(told(driver).filter((trigger) => trigger.includes('u5'))).toEqual(['browse_abandonment u5 recent_order P6', 'browse_abandonment u5 fired P6']);
  });

  test('a checkout that was left is told as one, with what it named, and an order recovers it under its rule', () => {
    const driver = shop(partitions);
    driver.send(clickstream, 'u1', shopEvent('Product Added', { ...u1, cartId: 'c1', time: NINE, products: [product('P1', { price: 50_000n })] }));
    does(driver, 'Checkout Started', u1, NINE + 30 * MINUTE, 'P1');
    driver.tick(NINE + HOUR);
    expect(told(driver)).toEqual([]);
    driver.tick(NINE + 90 * MINUTE);
    expect(driver.read(triggers)).toMatchObject([{ rule: 'checkout_abandonment', status: 'fired', value: 150_000n, causeId: `c1@${NINE + 30 * MINUTE}`, products: [{ sku: 'P1', quantity: 3 }] }]);
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { ...u1, cartId: 'c1', time: NINE + 2 * HOUR, lines: [orderLine('P1', 3, 50_000n)] }));
    const [fired, recovered] = driver.read(triggers);
    expect(recovered).toMatchObject({ id: fired!.id, rule: 'checkout_abandonment', status: 'recovered' });
  });

  test('a cart that is filled again after its checkout was reminded of is a cart again; a checkout of nothing is nothing', () => {
    const driver = shop(partitions);
    does(driver, 'Checkout Step Completed', { userId: 'u9' }, NINE);
    does(driver, 'Checkout Started', u1, NINE, 'P1');
    driver.tick(NINE + HOUR);
    does(driver, 'Product Added', u1, NINE + 2 * HOUR, 'P2');
    driver.tick(NINE + 4 * HOUR);
    expect(told(driver)).toEqual(['checkout_abandonment u1 fired P1', 'cart_abandonment u1 fired P1,P2']);
  });

  test('so it is where the checkout was not sent: who is held out has the same rules as the others', () => {
    const driver = shop(partitions, { consentByDefault: false });
    does(driver, 'Checkout Started', u1, NINE, 'P1');
    driver.tick(NINE + HOUR);
    does(driver, 'Product Added', u1, NINE + 2 * HOUR, 'P2');
    driver.tick(NINE + 3 * HOUR);
    does(driver, 'Payment Info Entered', u1, NINE + 4 * HOUR);
    driver.tick(NINE + 5 * HOUR);
    expect(told(driver)).toEqual(['checkout_abandonment u1 opted_out P1', 'cart_abandonment u1 opted_out P1,P2', 'checkout_abandonment u1 opted_out P1,P2']);
  });

  test('a step of a checkout that comes after its order reminds nobody', () => {
    const driver = shop(partitions);
    does(driver, 'Product Added', u1, NINE, 'P1');
    orders1(driver, 'u1', 'O1', NINE + 5 * MINUTE);
    does(driver, 'Checkout Started', u1, NINE + 4 * MINUTE, 'P1');
    driver.tick(NINE + DAY);
    expect(told(driver)).toEqual([]);
  });

  test('who put it into a cart or on a wish list is told when it costs a tenth less, once each time, and not who bought it', () => {
    const driver = shop(partitions);
    const costs = (minute: number, price: bigint, quantity: number | null = null): void => driver.send(inventory, 'P1', stock('P1', quantity, NINE + minute * MINUTE, price));
    costs(0, 200_000n, 5);
    for (const userId of ['u1', 'u4']) does(driver, 'Product Added', { userId }, NINE + MINUTE, 'P1');
    does(driver, 'Product Added to Wishlist', { userId: 'u2' }, NINE + MINUTE, 'P1');
    does(driver, 'Product Added to Wishlist', { userId: 'u3' }, NINE + MINUTE, 'P1');
    does(driver, 'Product Removed from Wishlist', { userId: 'u3' }, NINE + 2 * MINUTE, 'P1');
    orders1(driver, 'u4', 'O4', NINE + 2 * MINUTE);
    costs(3, 180_100n);
    expect(told(driver)).toEqual([]);
    costs(4, 180_000n);
    expect(told(driver).sort()).toEqual(['price_drop u1 fired P1', 'price_drop u2 fired P1']);
    expect(driver.read(triggers)[0]).toMatchObject({ reason: 'P1 costs 18.00 EUR now, 20.00 EUR before.', causedAt: NINE + 4 * MINUTE, products: [{ sku: 'P1', price: 180_000n, stock: 5 }] });
    costs(5, 250_000n);
    costs(6, 170_000n);
    expect(told(driver)).toHaveLength(2);
    costs(7, 160_000n);
    expect(told(driver, 'price_drop')).toHaveLength(4);
    driver.tick(NINE + 30 * MINUTE);
    driver.tick(NINE + 70 * DAY);
    driver.tick(NINE + 140 * DAY);
    expect(driver.dump('marketing-triggers').filter((row) => /item|stale/.test(row))).toEqual([]);
    expect(driver.dump('item-watch').filter((row) => /follower|_timer/.test(row))).toEqual([]);
  });

  test.each(['first', 'last'])('who bought it is not told that it costs less, also where the order is told %s; who wants it again is', (order) => {
    const driver = shop(partitions);
    const costs = (minute: number, price: bigint): void => driver.send(inventory, 'P1', stock('P1', 5, NINE + minute * MINUTE, price));
    costs(-1, 200_000n);
    const steps = [() => orders1(driver, 'u1', 'O1', NINE + 2 * MINUTE), () => does(driver, 'Product Added', u1, NINE + MINUTE, 'P1')];
    for (const step of order === 'first' ? steps : steps.reverse()) step();
    driver.tick(NINE + 3 * MINUTE);
    costs(4, 100_000n);
    expect(told(driver)).toEqual([]);
    does(driver, 'Product Added to Wishlist', u1, NINE + 5 * MINUTE, 'P1');
    costs(6, 50_000n);
    expect(told(driver)).toEqual(['price_drop u1 fired P1']);
  });

  test.each([
    ['all of them', ['Product Added', 'Product Removed'], 0],
    ['one of two', ['Product Added', 'Product Added', 'Product Removed'], 1],
    ['one by one', ['Product Added', 'Product Added', 'Product Removed', 'Product Removed'], 0],
    ['one of three that the checkout names', ['Product Added', 'Checkout Started', 'Product Removed'], 1],
    ['it, which stands on the wish list', ['Product Added to Wishlist', 'Product Added', 'Product Removed'], 1],
    ['it, and off the wish list', ['Product Added', 'Product Added to Wishlist', 'Product Removed', 'Product Removed from Wishlist'], 0],
    ['it off the wish list, from where it went into the cart', ['Product Added to Wishlist', 'Wishlist Product Added to Cart', 'Product Removed from Wishlist'], 1],
    ['it, and put it in again', ['Product Added', 'Product Removed', 'Product Added'], 1],
  ])('who took out %s is told that it costs less as long as they want it', (_, steps, expected) => {
    const driver = shop(partitions);
    driver.send(inventory, 'P1', stock('P1', 5, NINE, 200_000n));
    steps.forEach((event, i) => does(driver, event, u1, NINE + i * MINUTE, 'P1'));
    driver.send(inventory, 'P1', stock('P1', 5, NINE + 10 * MINUTE, 100_000n));
    expect(told(driver)).toHaveLength(expected);
    const wishes = (): string[] => driver.dump('shoppers').filter((row) => /interest|unheard/.test(row));
    expect(wishes()).toHaveLength(2 * expected);
    driver.tick(NINE + 61 * DAY);
    driver.tick(NINE + 61 * DAY + MINUTE);
    expect(wishes()).toEqual([]);
  });

  test('a removal that names no quantity takes out all, of a device and of the user that it became', () => {
    const driver = shop(partitions);
    driver.send(inventory, 'P1', stock('P1', 5, NINE, 200_000n));
    for (const who of [{ anonymousId: 'a1' }, u1]) for (const minute of [1, 2]) does(driver, 'Product Added', who, NINE + minute * MINUTE, 'P1');
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 3 * MINUTE }));
    const takesOut = (quantity: number | null, minute: number): void => driver.send(clickstream, 'u1', shopEvent('Product Removed', { ...u1, time: NINE + minute * MINUTE, products: [product('P1', { quantity })] }));
    takesOut(3, 4);
    expect(driver.dump('shoppers').filter((row) => /interest/.test(row))).toHaveLength(1);
    takesOut(null, 5);
    driver.send(inventory, 'P1', stock('P1', 5, NINE + 10 * MINUTE, 100_000n));
    expect(told(driver)).toEqual([]);
    expect(driver.dump('shoppers').filter((row) => /interest|unheard/.test(row))).toEqual([]);
  });

  test('a device and the user that it becomes are one shopper, who is told of a restock or a drop once', () => {
    const driver = shop(partitions);
    driver.send(inventory, 'P1', stock('P1', 5, NINE, 200_000n));
    driver.send(inventory, 'P4', stock('P4', 0, NINE));
    for (const who of [{ anonymousId: 'a1' }, u1]) {
      does(driver, 'Product Added to Wishlist', who, NINE + MINUTE, 'P1');
      does(driver, 'Back In Stock Subscribed', who, NINE + MINUTE, 'P4');
    }
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 2 * MINUTE }));
    driver.send(inventory, 'P1', stock('P1', 5, NINE + 3 * MINUTE, 100_000n));
    driver.send(inventory, 'P4', stock('P4', 1, NINE + 3 * MINUTE));
    expect(told(driver)).toEqual(['price_drop u1 fired P1', 'back_in_stock u1 fired P4']);
  });
});

test('what is sold out, hidden or of another currency is not offered; once it can be had for less it is', () => {
  const driver = shop();
  driver.send(inventory, 'P1', stock('P1', 5, NINE, 200_000n));
  does(driver, 'Product Added to Wishlist', u1, NINE + MINUTE, 'P1');
  driver.send(inventory, 'P1', stock('P1', 0, NINE + 2 * MINUTE, 100_000n));
  expect(told(driver)).toEqual([]);
  driver.send(inventory, 'P1', { ...stock('P1', 5, NINE + 3 * MINUTE), price: 50_000n, currency: 'GBP' });
  expect(told(driver)).toEqual([]);
  driver.send(inventory, 'P1', stock('P1', 5, NINE + 4 * MINUTE, 40_000n));
  expect(driver.read(triggers)).toMatchObject([{ rule: 'price_drop', reason: 'P1 costs 4.00 GBP now, 5.00 GBP before.', products: [{ price: null }] }]);
});

test('a price that names no currency is in the shop\'s: one that names it costs less all the same', () => {
  const driver = shop();
  driver.send(inventory, 'P1', stock('P1', 5, NINE, 200_000n));
  does(driver, 'Product Added to Wishlist', u1, NINE + MINUTE, 'P1');
  driver.send(inventory, 'P1', { ...stock('P1', 5, NINE + 2 * MINUTE, 100_000n), currency: 'EUR' });
  expect(told(driver)).toEqual(['price_drop u1 fired P1']);
});

test('who bought an item and waits for it again is told that it is back, though an order came before the word of it', () => {
  const driver = shop();
  driver.send(inventory, 'P1', stock('P1', 0, NINE));
  orders1(driver, 'u1', 'O1', NINE + 2 * MINUTE);
  does(driver, 'Back In Stock Subscribed', u1, NINE + MINUTE, 'P1');
  driver.send(inventory, 'P1', stock('P1', 5, NINE + 3 * MINUTE));
  expect(told(driver)).toEqual(['back_in_stock u1 fired P1']);
});

test('more than a thousand who want it are told in commits of a thousand, each once', () => {
  const driver = shop();
  driver.send(inventory, 'P1', stock('P1', 5, NINE, 200_000n));
  const many = Array.from({ length: 2_100 }, (_, i) => `u${i}`);
  for (const userId of many) driver.put(clickstream, userId, shopEvent('Product Added to Wishlist', { userId, time: NINE + MINUTE, products: [product('P1')] }));
  driver.run();
  driver.send(inventory, 'P1', stock('P1', 5, NINE + 2 * MINUTE, 100_000n));
  expect(told(driver)).toHaveLength(1_000);
  driver.tick(NINE + 3 * MINUTE);
  driver.tick(NINE + 4 * MINUTE);
  expect(new Set(told(driver)).size).toBe(2_100);
  expect(told(driver)).toHaveLength(2_100);
});

test.each([
  ['without dates', undefined, NINE, 1],
  ['that is on', '2026-03-02T08:00Z/2026-03-02T20:00Z', NINE, 1],
  ['of the day', '2026-03-02/2026-03-02', NINE, 1],
  ['that is to come', '2026-03-03/2026-03-04', NINE, 0],
  ['that is over', '2026-02-01/2026-03-01', NINE, 0],
])('a sale price %s', (_, dates, time, expected) => {
  const driver = shop();
  const listed = (attributes: Record<string, string>, at: number): void => driver.send(catalog, 'P1', { ...mug, price: 200_000n, quantity: 5, attributes, time: at, receivedAt: at });
  listed({}, NINE - MINUTE);
  does(driver, 'Product Added to Wishlist', u1, NINE - MINUTE, 'P1');
  listed({ sale_price: '15.00 EUR', ...(dates === undefined ? {} : { sale_price_effective_date: dates }) }, time);
  expect(told(driver)).toEqual(Array.from({ length: expected }, () => 'price_drop u1 fired P1'));
});

test('a sale price in another currency than the product is none', () => {
  const driver = shop();
  const listed = (sale_price: string, at: number): void => driver.send(catalog, 'P1', { ...mug, price: 200_000n, quantity: 5, attributes: { sale_price }, time: at, receivedAt: at });
  listed('', NINE - MINUTE);
  does(driver, 'Product Added to Wishlist', u1, NINE - MINUTE, 'P1');
  listed('15.00 USD', NINE);
  expect(told(driver)).toEqual([]);
  listed('15.00 eur ', NINE + MINUTE);
  expect(told(driver)).toEqual(['price_drop u1 fired P1']);
});

test('what a user was told of they are not told again by the id of a device that knew of it later', () => {
  const driver = new Driver([shoppers(), orderLedger(), marketingTriggers(OPTIONS)]);
  driver.tick(NINE - MINUTE);
  const news = (shopper: string, kind: TriggerCandidate['kind'], time: number): void => driver.send(triggerCandidates, shopper, {
    shopper, kind, causeId: `P1@${NINE}`, sku: 'P1', name: null, url: null, price: 100_000n, stock: 5, time, currency: null, previousPrice: 200_000n,
  });
  news('u1', 'price_drop', NINE);
  news('a1', 'item_info', NINE + MINUTE);
  driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 2 * MINUTE }));
  news('a1', 'price_drop', NINE);
  expect(told(driver)).toEqual(['price_drop u1 fired P1']);
});

test('a sale price that rounds to more than money can say is none, and stops no product', () => {
  const driver = shop();
  const listed = (sale_price: string, at: number): void => driver.send(catalog, 'P1', { ...mug, price: 200_000n, quantity: 5, attributes: { sale_price }, time: at, receivedAt: at });
  listed('99999999999999.9999', NINE - MINUTE);
  does(driver, 'Product Added to Wishlist', u1, NINE - MINUTE, 'P1');
  does(driver, 'Product Added to Wishlist', { userId: 'u2' }, NINE - MINUTE, 'P1');
  listed('15', NINE);
  expect(driver.read(deadLetters)).toEqual([]);
  expect(told(driver)).toEqual([]);
});

test('a customer who has not ordered for 90 days is to be won back, once, counted from the latest order; who never ordered is not', () => {
  const driver = shop();
  orders1(driver, 'u1', 'O1', NINE);
  driver.tick(NINE + 50 * DAY);
  orders1(driver, 'u1', 'O2', NINE + 50 * DAY);
  does(driver, 'Page', { userId: 'u2' }, NINE);
  driver.tick(NINE + 139 * DAY);
  expect(told(driver)).toEqual([]);
  driver.tick(NINE + 140 * DAY);
  driver.tick(NINE + 400 * DAY);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'win_back', shopper: 'u1', status: 'fired', causeId: `order@${NINE + 50 * DAY}`, reason: 'There was no order for 90 days.', products: [] }]);
});

test.each(['wall', 'file'] as const)('an older order that comes after its customer was told to be won back tells nobody again (%s)', (clock) => {
  const driver = new Driver([shoppers(), orderLedger(), itemWatch(), marketingTriggers(OPTIONS)], { clock });
  driver.tick(NINE);
  orders1(driver, 'u1', 'O2', NINE);
  driver.tick(NINE + 90 * DAY);
  orders1(driver, 'u1', 'O1', NINE - DAY);
  driver.tick(NINE + 90 * DAY + HOUR);
  expect(told(driver)).toEqual(['win_back u1 fired ']);
});

test('of who wants an item nothing is kept where nobody is told of prices', () => {
  const driver = new Driver([shoppers(), orderLedger(), itemWatch({ priceDropPercent: 0 }), marketingTriggers(OPTIONS)]);
  driver.tick(NINE - MINUTE);
  driver.send(inventory, 'P1', stock('P1', 5, NINE - MINUTE, 200_000n));
  does(driver, 'Product Added to Wishlist', u1, NINE, 'P1');
  expect(driver.dump('item-watch').filter((row) => row.includes('u1'))).toEqual([]);
});

test('a rule that is turned off tells nobody whose time comes after that', () => {
  let options = OPTIONS;
  const { timers, ...rest } = marketingTriggers(OPTIONS);
  const restarted = Object.fromEntries(Object.keys(timers).map((name): [string, Consumer['timers'][string]] => [name, (due, ctx) => marketingTriggers(options).timers[name]!(due, ctx)]));
  const driver = new Driver([shoppers(), orderLedger(), itemWatch(), { ...rest, timers: restarted }]);
  driver.tick(NINE);
  orders1(driver, 'u1', 'O1', NINE);
  does(driver, 'Product Viewed', { userId: 'u2' }, NINE, 'P1');
  options = { ...OPTIONS, browsedAfterMs: 0, winBackAfterMs: 0 };
  for (const time of [5 * HOUR, 90 * DAY]) driver.tick(NINE + time);
  expect(told(driver)).toEqual([]);
  expect(driver.dump('marketing-triggers').filter((row) => /browsing|_timer/.test(row) && !row.includes('unbought'))).toEqual([]);
});

test('of a history that is replayed nobody is won back whose time has passed; whose is to come is', () => {
  const driver = new Driver([shoppers(), orderLedger(), itemWatch(), marketingTriggers(OPTIONS)], { clock: 'wall' });
  driver.tick(NINE);
  for (const [userId, days] of [['u1', 200], ['u2', 60]] as const) orders1(driver, userId, `O-${userId}`, NINE - days * DAY);
  driver.tick(NINE + MINUTE);
  driver.tick(NINE + 29 * DAY);
  expect(told(driver)).toEqual([]);
  driver.tick(NINE + 30 * DAY);
  expect(told(driver)).toEqual(['win_back u2 fired ']);
});

test('a cap is over all rules: a cart, a drop of price and a visit (D06)', () => {
  const driver = shop(1, { cap: { count: 2, windowMs: 7 * DAY } });
  const monday = NINE + HOUR;
  driver.send(inventory, 'P2', stock('P2', 5, NINE - MINUTE, 200_000n));
  does(driver, 'Product Added to Wishlist', { userId: 'u6' }, NINE - MINUTE, 'P2');
  does(driver, 'Product Added', { userId: 'u6' }, NINE, 'P1');
  driver.tick(monday);
  driver.tick(monday + DAY - MINUTE);
  driver.send(inventory, 'P2', stock('P2', 5, monday + DAY, 100_000n));
  driver.tick(monday + 2 * DAY - 4 * HOUR);
  does(driver, 'Product Viewed', { userId: 'u6' }, monday + 2 * DAY - 4 * HOUR, 'P3');
  driver.tick(monday + 2 * DAY);
  driver.tick(monday + 7 * DAY - HOUR);
  does(driver, 'Product Added', { userId: 'u6' }, monday + 7 * DAY - HOUR + MINUTE, 'P4');
  driver.tick(monday + 7 * DAY + MINUTE);
  expect(told(driver).map((one) => one.split(' ').filter((_, at) => at !== 1).slice(0, 2).join(' '))).toEqual([
    'cart_abandonment fired', 'price_drop fired', 'browse_abandonment frequency_cap', 'cart_abandonment fired',
  ]);
});

test('who waits a day or more for a cart or a visit is told: it is no history for that', () => {
  const driver = shop(1, { abandonedAfterMs: 2 * DAY, browsedAfterMs: DAY });
  does(driver, 'Product Added', u1, NINE, 'P1');
  does(driver, 'Product Viewed', { userId: 'u2' }, NINE, 'P2');
  for (const hours of [24, 48, 72]) driver.tick(NINE + hours * HOUR + 700);
  expect(told(driver)).toEqual(['browse_abandonment u2 fired P2', 'cart_abandonment u1 fired P1']);
});

describe('in quiet hours', () => {
  const quietHours = { from: 21, to: 8, timezone: 'Europe/Berlin' };
  const EVENING = Date.UTC(2026, 2, 2, 19, 30); // half past eight in Berlin
  const MORNING = Date.UTC(2026, 2, 3, 7) + 10 * MINUTE; // by when all are told

  test('what is due waits until the morning of the shopper, and is decided then', () => {
    const driver = shop(1, { quietHours });
    driver.tick(EVENING);
    for (const [userId, timezone] of [['berlin', null], ['bought', null], ['york', 'America/New_York'], ['nowhere', 'Middle/Earth']] as const) {
      does(driver, 'Product Added', { userId, timezone }, EVENING, 'P1');
    }
    orders1(driver, 'bought', 'O1', EVENING + 4 * HOUR);
    driver.tick(EVENING + HOUR);
    expect(told(driver)).toEqual(['cart_abandonment york fired P1']);
    driver.tick(Date.UTC(2026, 2, 3, 7) - 1);
    expect(told(driver)).toHaveLength(1);
    driver.tick(MORNING);
    expect(told(driver).slice(1).sort()).toEqual(['cart_abandonment berlin fired P1', 'cart_abandonment nowhere fired P1']);
    expect(driver.read(triggers).at(-1)).toMatchObject({ causedAt: EVENING, reason: 'The cart was left for 12 hours without an order.' });
  });

  test('who waits for the end of quiet hours is told within ten minutes of it, not all of them at once', () => {
    const driver = shop(1, { quietHours });
    driver.tick(EVENING);
    for (let i = 0; i < 600; i++) driver.put(clickstream, `u${i}`, shopEvent('Product Added', { userId: `u${i}`, time: EVENING, products: [product('P1')] }));
    driver.run();
    driver.tick(EVENING + 2 * HOUR);
    const counts: number[] = [];
    for (let minute = 0; minute <= 10; minute++) {
      const before = told(driver).length;
      driver.tick(Date.UTC(2026, 2, 3, 7, minute));
      counts.push(told(driver).length - before);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(600);
    expect(counts[0]).toBeLessThan(5);
    expect(Math.max(...counts)).toBeLessThan(100);
    expect(driver.read(triggers).every(({ at }) => at >= Date.UTC(2026, 2, 3, 7) && at < MORNING)).toBe(true);
  });

  test('a restock and a drop of price wait as well, and move with who logs in', () => {
    const driver = shop(3, { quietHours });
    driver.send(inventory, 'P1', stock('P1', 5, NINE, 200_000n));
    driver.send(inventory, 'P4', stock('P4', 0, NINE));
    does(driver, 'Product Added to Wishlist', { anonymousId: 'a1' }, NINE, 'P1');
    does(driver, 'Back In Stock Subscribed', { anonymousId: 'a1' }, NINE, 'P4');
    const midnight = Date.UTC(2026, 2, 2, 23);
    driver.tick(midnight);
    driver.send(inventory, 'P1', stock('P1', 5, midnight, 100_000n));
    driver.send(inventory, 'P4', stock('P4', 3, midnight));
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: midnight + MINUTE }));
    driver.tick(midnight + HOUR);
    expect(told(driver)).toEqual([]);
    driver.tick(MORNING);
    expect(told(driver).sort()).toEqual(['back_in_stock u1 fired P4', 'price_drop u1 fired P1']);
    expect(driver.dump('marketing-triggers').filter((row) => /held/.test(row))).toEqual([]);
  });

  test.each([
    ['a zone of half hours', 'Asia/Kolkata', Date.UTC(2026, 2, 2, 20, 10), Date.UTC(2026, 2, 3, 2, 30)],
    ['the night in which clocks go forward', 'Europe/Berlin', Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 6)],
    ['noon', 'Europe/Berlin', Date.UTC(2026, 2, 2, 11), Date.UTC(2026, 2, 2, 11)],
  ])('%s', (_, timezone, time, expected) => {
    expect(awakeAt(time, quietHours, timezone)).toBe(expected);
    expect(awakeAt(time, undefined, timezone)).toBe(time);
  });

  describe('news of the night', () => {
    const midnight = Date.UTC(2026, 2, 2, 23);
    const morning = MORNING;
    /** P1 costs half and P4 is there again at midnight, of which `who` has asked to be told. */
    function night(...who: Partial<ShopEvent>[]): Driver {
      const driver = shop(1, { quietHours });
      driver.send(inventory, 'P1', stock('P1', 5, NINE, 200_000n));
      driver.send(inventory, 'P4', stock('P4', 0, NINE));
      for (const one of who) {
        does(driver, 'Product Added to Wishlist', one, NINE, 'P1');
        does(driver, 'Back In Stock Subscribed', one, NINE, 'P4');
      }
      driver.tick(midnight);
      driver.send(inventory, 'P1', stock('P1', 5, midnight, 100_000n));
      driver.send(inventory, 'P4', stock('P4', 3, midnight));
      return driver;
    }

    test('is none for who ordered the item meanwhile, or took it off the wish list', () => {
      const driver = night(u1, { userId: 'u2' });
      for (const sku of ['P1', 'P4']) orders1(driver, 'u1', `O-${sku}`, midnight + HOUR, sku);
      does(driver, 'Product Removed from Wishlist', { userId: 'u2' }, midnight + HOUR, 'P1');
      driver.tick(morning);
      expect(told(driver)).toEqual(['back_in_stock u2 fired P4']);
      expect(driver.dump('marketing-triggers').filter((row) => /held/.test(row))).toEqual([]);
    });

    test('is that of a wish that went into the cart, too', () => {
      const driver = night(u1);
      does(driver, 'Wishlist Product Added to Cart', u1, midnight + MINUTE, 'P1');
      does(driver, 'Product Removed from Wishlist', u1, midnight + 2 * MINUTE, 'P1');
      driver.tick(morning);
      expect(told(driver, 'price_drop')).toEqual(['price_drop u1 fired P1']);
    });

    test('is none in the morning where the item is sold out again, dear again or taken out of the cart: they wait on, and are told of the next', () => {
      const driver = night(u1, { userId: 'u2' });
      does(driver, 'Product Added', { userId: 'u3' }, midnight - HOUR, 'P1');
      driver.send(inventory, 'P1', stock('P1', 5, midnight + HOUR, 90_000n));
      does(driver, 'Product Removed', { userId: 'u3' }, midnight + 2 * HOUR, 'P1');
      driver.send(inventory, 'P4', stock('P4', 0, midnight + 2 * HOUR));
      driver.send(inventory, 'P1', stock('P1', 5, midnight + 3 * HOUR, 195_000n));
      does(driver, 'Back In Stock Subscribed', u1, midnight + 4 * HOUR, 'P4');
      driver.tick(morning);
      expect(told(driver)).toEqual([]);
      driver.send(inventory, 'P1', stock('P1', 5, morning + MINUTE, 180_000n));
      driver.send(inventory, 'P4', stock('P4', 3, morning + MINUTE));
      expect(told(driver).sort()).toEqual(['back_in_stock u1 fired P4', 'back_in_stock u2 fired P4', 'price_drop u1 fired P1', 'price_drop u2 fired P1']);
      expect(driver.read(triggers).find(({ rule }) => rule === 'price_drop')!.reason).toBe('P1 costs 18.00 EUR now, 20.00 EUR before.');
      expect(driver.dump('item-watch').filter((row) => /watcher|turn/.test(row))).toEqual([]);
    });

    test('is none where the sale was over by then, or the price is in another currency since', () => {
      const driver = night();
      for (const sku of ['P6', 'P7']) driver.send(catalog, sku, { ...mug, sku, price: 200_000n, time: midnight });
      for (const sku of ['P6', 'P7']) does(driver, 'Product Added to Wishlist', u1, midnight + MINUTE, sku);
      const sale = { sale_price: '10 EUR', sale_price_effective_date: '2026-03-02T00:00Z/2026-03-03T04:00Z' };
      driver.send(catalog, 'P6', { ...mug, sku: 'P6', price: 200_000n, attributes: sale, time: midnight + HOUR });
      for (const [hour, price, currency] of [[1, 100_000n, 'EUR'], [2, 80_000n, 'USD']] as const) driver.send(catalog, 'P7', { ...mug, sku: 'P7', price, currency, time: midnight + hour * HOUR });
      expect(driver.dump('marketing-triggers').filter((row) => row.includes('u1\\u001fheld'))).toHaveLength(2);
      driver.tick(morning);
      expect(told(driver)).toEqual([]);
    });

    test('that somebody asked for again in the night is told once, and the next restock not', () => {
      const driver = night(u1);
      does(driver, 'Back In Stock Subscribed', u1, midnight + HOUR, 'P4');
      driver.tick(morning);
      for (const [minute, units] of [[1, 0], [2, 5]] as const) driver.send(inventory, 'P4', stock('P4', units, morning + minute * MINUTE));
      expect(told(driver, 'back_in_stock')).toEqual(['back_in_stock u1 fired P4']);
    });

    test('is told by what it costs in the morning, and by what it cost before the night', () => {
      const driver = night(u1);
      driver.send(inventory, 'P1', stock('P1', 2, midnight + HOUR, 120_000n));
      driver.tick(morning);
      expect(driver.read(triggers).filter(({ rule }) => rule === 'price_drop')).toMatchObject([
        { causeId: `P1@${midnight}`, causedAt: midnight, reason: 'P1 costs 12.00 EUR now, 20.00 EUR before.', products: [{ price: 120_000n, stock: 2 }] },
      ]);
      driver.send(inventory, 'P1', stock('P1', 2, morning + MINUTE, 115_000n));
      driver.send(inventory, 'P1', stock('P1', 2, morning + 2 * MINUTE, 108_000n));
      expect(told(driver, 'price_drop')).toHaveLength(2);
    });

    test.each([['EUR', 200n], ['USD', 150n]])('is the latest of several, whichever comes first, by what the item cost before all that are in its currency (%s: %s)', (currency, seen) => {
      const news = (time: number, previousPrice: bigint, of: string): TriggerCandidate => ({ shopper: 'u1', kind: 'price_drop', causeId: `P1@${time}`, sku: 'P1', name: null, url: null, price: 10n, stock: null, time, currency: of, previousPrice });
      for (const latestFirst of [true, false]) {
        const driver = new Driver([marketingTriggers({ ...OPTIONS, quietHours })]);
        driver.tick(midnight);
        const both = [news(midnight, 200n, 'EUR'), news(midnight + 1, 150n, currency)];
        for (const one of latestFirst ? both.reverse() : both) driver.send(triggerCandidates, 'u1', one);
        driver.tick(morning);
        expect(driver.read(heldNews)).toMatchObject([{ time: midnight + 1, previousPrice: seen }]);
      }
    });

    test('is none while the item is not to be had; it is once it can be had', () => {
      const driver = night(u1);
      driver.send(catalog, 'P1', { ...mug, hidden: true, time: midnight + HOUR });
      driver.send(catalog, 'P4', { ...mug, sku: 'P4', hidden: true, time: midnight + HOUR });
      driver.tick(morning);
      expect(told(driver)).toEqual([]);
      for (const sku of ['P1', 'P4']) driver.send(catalog, sku, { ...mug, sku, time: morning + HOUR });
      expect(told(driver).sort()).toEqual(['back_in_stock u1 fired P4', 'price_drop u1 fired P1']);
    });

    test('is not told behind newer news of the same, which came as quiet hours ended', () => {
      const driver = night(u1);
      driver.tick(Date.UTC(2026, 2, 3, 7));
      const wakes = wakesAt('u1', midnight, quietHours, null);
      expect(wakes).toBeGreaterThan(Date.UTC(2026, 2, 3, 7) + 1_000);
      driver.send(inventory, 'P1', stock('P1', 5, Date.UTC(2026, 2, 3, 7, 0, 1), 50_000n));
      driver.tick(morning);
      expect(driver.read(triggers).filter(({ rule }) => rule === 'price_drop').map(({ reason }) => reason)).toEqual(['P1 costs 5.00 EUR now, 10.00 EUR before.']);
    });

    test('is the latest, whichever of the two ids of a shopper had it, and its product as it is known by then', () => {
      const driver = night({ anonymousId: 'a1' });
      driver.tick(midnight + HOUR);
      // From before the news, and late: it leaves the news, and asks for no more.
      does(driver, 'Product Removed from Wishlist', { anonymousId: 'a1' }, midnight - HOUR, 'P1');
      does(driver, 'Product Added to Wishlist', u1, midnight + HOUR, 'P1');
      driver.send(inventory, 'P1', stock('P1', 4, midnight + 2 * HOUR, 50_000n));
      driver.send(inventory, 'P1', stock('P1', 3, midnight + 3 * HOUR));
      does(driver, 'Product Added to Wishlist', u1, midnight + 3 * HOUR, 'P1');
      driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: midnight + 4 * HOUR }));
      driver.tick(morning);
      expect(driver.read(triggers).filter(({ rule }) => rule === 'price_drop')).toMatchObject([{ shopper: 'u1', causedAt: midnight + 2 * HOUR, products: [{ price: 50_000n, stock: 3 }] }]);
    });
  });

  test('of a history that is replayed in the night nobody is told in the morning', () => {
    const driver = shop(1, { quietHours });
    const midnight = Date.UTC(2026, 2, 2, 23);
    driver.tick(midnight);
    for (const days of [200, 190, 180]) orders1(driver, 'u1', `O${days}`, midnight - days * DAY);
    does(driver, 'Product Added', u1, midnight - 100 * DAY, 'P2');
    driver.tick(midnight + MINUTE);
    expect(told(driver)).toEqual([]);
    driver.tick(MORNING);
    expect(told(driver)).toEqual(['cart_abandonment u1 history P2', 'replenishment_due u1 history P1']);
  });

  test('a zone has one clock, in whichever cases pages write it: there are as many as one likes', () => {
    const asked = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');
    onTestFinished(() => asked.mockRestore());
    awakeAt(Date.UTC(2026, 2, 2, 10), quietHours, 'Pacific/Apia');
    const times = asked.mock.calls.length;
    expect(times).toBeGreaterThan(0);
    for (const timezone of ['pacific/apia', 'PACIFIC/Apia']) expect(awakeAt(Date.UTC(2026, 2, 2, 10), quietHours, timezone)).toBe(Date.UTC(2026, 2, 2, 19));
    expect(asked).toHaveBeenCalledTimes(times);
  });

  test('a zone keeps the offsets of some nights, not of all since the start of the process', () => {
    const asked = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');
    onTestFinished(() => asked.mockRestore());
    const noons = Array.from({ length: 1_000 }, (_, day) => Date.UTC(2026, 2, 2, 11) + day * DAY);
    for (const noon of [...noons.slice(0, 100), ...noons.slice(0, 100)]) awakeAt(noon, quietHours, 'Africa/Tunis');
    expect(asked).toHaveBeenCalledTimes(100);
    for (const noon of [...noons, noons[0]!]) awakeAt(noon, quietHours, 'Africa/Tunis');
    expect(asked).toHaveBeenCalledTimes(1_001);
  });

  test('hours of one day are those in between', () => {
    const siesta = { from: 13, to: 16, timezone: 'UTC' };
    expect([12.5, 13, 15.9, 16].map((hour) => (awakeAt(hour * HOUR, siesta, null) / HOUR))).toEqual([12.5, 16, 16, 16]);
  });
});

test('a rule that shoppers asked for is neither capped nor counted, nor held out; one that is none is refused at the start (D06)', () => {
  const driver = shop(1, { cap: { count: 1, windowMs: 7 * DAY }, holdoutPercent: 99, transactional: ['back_in_stock'] });
  const free = shop(1, { cap: { count: 1, windowMs: 7 * DAY }, transactional: ['back_in_stock'] });
  for (const one of [driver, free]) {
    for (const sku of ['P4', 'P5']) {
      one.send(inventory, sku, stock(sku, 0, NINE));
      does(one, 'Back In Stock Subscribed', u1, NINE, sku);
      one.send(inventory, sku, stock(sku, 3, NINE + MINUTE));
    }
    does(one, 'Product Added', u1, NINE, 'P1');
    one.tick(NINE + HOUR);
  }
  expect(told(driver)).toEqual(['back_in_stock u1 fired P4', 'back_in_stock u1 fired P5', 'cart_abandonment u1 holdout P1']);
  expect(told(free)).toEqual(['back_in_stock u1 fired P4', 'back_in_stock u1 fired P5', 'cart_abandonment u1 fired P1']);
  expect(() => readConfig({ TRIGGER_TRANSACTIONAL_RULES: 'back_in_stok' })).toThrow('TRIGGER_TRANSACTIONAL_RULES must be rules, which are cart_abandonment, checkout_abandonment');
});

test('who is held out is told of as that, always the same shoppers, and uses up the cap as if they were written to', () => {
  const driver = shop(1, { holdoutPercent: 30, cap: { count: 1, windowMs: 7 * DAY } });
  for (let i = 0; i < 300; i++) for (const cartId of ['c1', 'c2']) driver.put(clickstream, `u${i}`, shopEvent('Product Added', { userId: `u${i}`, cartId, time: NINE, products: [product('P1')] }));
  driver.run();
  driver.tick(NINE + HOUR);
  const by = (reason: string): string[] => driver.read(triggers).filter((trigger) => trigger.reason === reason).map(({ shopper }) => shopper);
  const heldOut = by('holdout');
  expect(heldOut.length).toBeGreaterThan(60);
  expect(heldOut.length).toBeLessThan(120);
  expect(new Set(heldOut).size).toBe(heldOut.length);
  expect(new Set(by('frequency_cap')).size).toBe(300);
  for (let i = 0; i < 300; i++) driver.put(clickstream, `u${i}`, shopEvent('Product Added', { userId: `u${i}`, cartId: 'c3', time: NINE + 8 * DAY, products: [product('P1')] }));
  driver.tick(NINE + 8 * DAY);
  driver.tick(NINE + 9 * DAY);
  expect(by('holdout').slice(heldOut.length).sort()).toEqual(heldOut.sort());
});

test.each(['24-8', '8-8', '21', '9pm-8am', '-1-3'])('QUIET_HOURS=%s is refused', (text) => {
  expect(() => readConfig({ QUIET_HOURS: text })).toThrow(`QUIET_HOURS must be two different hours from 0 to 23, such as 21-8, not "${text}"`);
  expect(readConfig({ QUIET_HOURS: ' 21-8 ' }).QUIET_HOURS).toEqual({ from: 21, to: 8 });
});
