import { describe, expect, test } from 'vitest';
import { itemWatch, productRows } from '../../consumers/item-watch.js';
import { marketingTriggers, type MarketingTriggerOptions } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import { clickstream, interactions, inventory, marketingTriggers as triggers, orders, userMerges } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

const OPTIONS: MarketingTriggerOptions = { abandonedAfterMs: HOUR, cap: { count: 0, windowMs: 7 * DAY }, consentByDefault: true, currency: 'EUR' };

const shop = (options = OPTIONS, partitions = 1): Driver => {
  const driver = new Driver([shoppers(), orderLedger(), itemWatch(), marketingTriggers(options)], { partitions });
  driver.tick(NINE - MINUTE);
  return driver;
};

const add = (shopper: string, cartId: string, sku: string, time: number): Parameters<Driver['send']>[2] =>
  shopEvent('Product Added', { userId: shopper, cartId, time, products: [product(sku, { price: 50_000n, quantity: 2 })] });

describe.each([1, 3])('on %i partition(s)', (partitions) => {
  test('a cart left for an hour fires once, with its products, price, stock and reason', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(inventory, 'P1', stock('P1', 7, NINE - MINUTE, 49_900n));
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
    driver.tick(NINE + HOUR - 1);
    expect(driver.read(triggers)).toEqual([]);
    driver.tick(NINE + HOUR);
    driver.tick(NINE + 2 * HOUR);
    expect(driver.read(triggers)).toMatchObject([{
      rule: 'cart_abandonment', status: 'fired', shopper: 'u1', causedAt: NINE, at: NINE + HOUR, value: 100_000n,
      products: [{ sku: 'P1', quantity: 2, price: 49_900n, stock: 7 }],
    }]);
  });

  test('a cart worth more than can be written down has no value, and fires all the same', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'u1', shopEvent('Product Added', { userId: 'u1', cartId: 'c1', time: NINE, products: [product('P1', { price: 10n ** 18n - 1n, quantity: 1e12 })] }));
    driver.tick(NINE + HOUR);
    expect(driver.read(triggers)).toMatchObject([{ status: 'fired', value: null }]);
  });

  test('a cart is worth what its lines were put into it at, or else what the catalogue asks for them; without a price for each, and in two currencies, it has no value', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(inventory, 'P1', stock('P1', 7, NINE - MINUTE, 49_900n));
    const put = (userId: string, sku: string, price: bigint | null, currency: string | null = null): void =>
      driver.send(clickstream, userId, shopEvent('Product Added', { userId, time: NINE, currency, products: [product(sku, { price, quantity: 2 })] }));
    put('u1', 'P1', null);
    put('u2', 'P1', 40_000n);
    put('u3', 'P1', null);
    put('u3', 'P2', null);
    put('u4', 'P1', 40_000n, 'USD');
    put('u5', 'P1', 40_000n, 'USD');
    put('u5', 'P1', null, 'EUR');
    put('u6', 'P2', 40_000n, 'USD');
    put('u6', 'P3', 10_000n);
    driver.tick(NINE + HOUR);
    const told = driver.read(triggers).map(({ shopper, value, currency, products }) => [shopper, value, currency, products.map(({ price }) => price)]);
    expect(told.sort()).toEqual([
      ['u1', 99_800n, 'EUR', [49_900n]], ['u2', 80_000n, 'EUR', [49_900n]], ['u3', null, null, [49_900n, null]],
      ['u4', 80_000n, 'USD', [49_900n]], ['u5', 199_600n, 'EUR', [49_900n]], ['u6', null, null, [null, 10_000n]],
    ]);
  });

  test('a log that was told a time that has not come takes no cart for abandoned: it waits until the clock is there, and then as long as ever', () => {
    const driver = shop(OPTIONS, partitions);
    driver.tick(NINE + 3 * HOUR);
    driver.tick(NINE);
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
    driver.send(clickstream, 'u2', add('u2', 'c1', 'P1', NINE));
    driver.send(clickstream, 'u1', shopEvent('Product Viewed', { userId: 'u1', time: NINE + MINUTE, products: [product('P1')] }));
    driver.tick(NINE + 2 * MINUTE);
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', time: NINE + 3 * MINUTE, lines: [orderLine('P1', 2, 50_000n)] }));
    driver.tick(NINE + 4 * HOUR - 1);
    expect(driver.read(triggers)).toEqual([]);
    driver.tick(NINE + 4 * HOUR);
    expect(driver.read(triggers)).toMatchObject([{ status: 'fired', shopper: 'u2', causedAt: NINE, at: NINE + 4 * HOUR }]);
  });

  test('an order cancels the abandoned-cart trigger', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + 10 * MINUTE, lines: [orderLine('P1', 2, 50_000n)] }));
    driver.tick(NINE + 3 * HOUR);
    expect(driver.read(triggers)).toEqual([]);
  });

  test.each([['c1 ', 'c1'], [' c1', 'c1 '], ['', ' ']])('spaces around the id of a cart are no part of it, on topics either: the cart %j and the order of %j', (cart, ordered) => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'u1', add('u1', cart, 'P1', NINE));
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: ordered, checkoutId: ' k1', time: NINE + 10 * MINUTE, lines: [orderLine('P1', 2, 50_000n)] }));
    driver.tick(NINE + 3 * HOUR);
    expect(driver.read(triggers)).toEqual([]);
  });

  test('an order after the trigger recovers it under the same id', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
    driver.tick(NINE + HOUR);
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + 2 * HOUR, lines: [orderLine('P1', 2, 50_000n)] }));
    const [fired, recovered] = driver.read(triggers);
    expect(driver.read(triggers)).toHaveLength(2);
    expect([fired!.status, recovered!.status]).toEqual(['fired', 'recovered']);
    expect(recovered!.id).toBe(fired!.id);
  });

  test('an order recovers the trigger of a cart that was changed after it, under its id and cause', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
    driver.tick(NINE + HOUR);
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P2', NINE + 2 * HOUR));
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P3', NINE + 2 * HOUR + MINUTE));
    driver.tick(NINE + 2 * HOUR + 2 * MINUTE);
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + 2 * HOUR + 3 * MINUTE, lines: [orderLine('P1', 2, 50_000n)] }));
    const [fired, recovered] = driver.read(triggers);
    expect(driver.read(triggers).map(({ status }) => status)).toEqual(['fired', 'recovered']);
    expect(recovered).toMatchObject({ id: fired!.id, causeId: fired!.causeId, causedAt: NINE });
  });

  test('what was put into a cart before and is told late reminds nobody again, and is won back with it', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
    driver.tick(NINE + HOUR);
    expect(driver.read(triggers)).toHaveLength(1);
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P2', NINE - MINUTE));
    driver.tick(NINE + 2 * HOUR);
    expect(driver.read(triggers)).toHaveLength(1);
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + 3 * HOUR, lines: [orderLine('P1', 1, 50_000n)] }));
    expect(driver.read(triggers).map(({ status, products }) => [status, products.map(({ sku }) => sku).join()])).toEqual([['fired', 'P1'], ['recovered', 'P1,P2']]);
  });

  test('a cart filled anonymously fires for the shopper that identify names', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'a1', shopEvent('Product Added', { anonymousId: 'a1', cartId: 'c1', products: [product('P1')] }));
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + MINUTE }));
    driver.tick(NINE + 2 * HOUR);
    expect(driver.read(triggers)).toMatchObject([{ rule: 'cart_abandonment', shopper: 'u1', status: 'fired', products: [{ sku: 'P1' }] }]);
  });

  test.each([[0, 10], [10, 0]])('carts of a device and of the user that it becomes, of minutes %i and %i, are one, and reminded of once: an hour after the last change', (ofDevice, ofUser) => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'a1', shopEvent('Product Added', { anonymousId: 'a1', time: NINE + ofDevice * MINUTE, products: [product('P1')] }));
    driver.send(clickstream, 'u1', shopEvent('Product Added', { userId: 'u1', time: NINE + ofUser * MINUTE, products: [product('P2')] }));
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 20 * MINUTE }));
    driver.tick(NINE + 5 * HOUR);
    driver.tick(NINE + 40 * DAY);
    expect(driver.read(triggers)).toMatchObject([{ shopper: 'u1', status: 'fired', at: NINE + HOUR + 10 * MINUTE, products: [{ sku: 'P1' }, { sku: 'P2' }] }]);
    expect(driver.dump('marketing-triggers').filter((row) => /cart|_timer/.test(row))).toEqual([]);
  });

  test.each([[0, 10, 2], [10, 0, 1]])('of a product in both carts, of minutes %i and %i, the later one says how many there are', (ofDevice, ofUser, expected) => {
    const driver = shop(OPTIONS, partitions);
    const put = (who: object, quantity: number, minute: number): void =>
      driver.send(clickstream, Object.values(who).join(), shopEvent('Product Added', { ...who, time: NINE + minute * MINUTE, products: [product('P1', { quantity })] }));
    put({ anonymousId: 'a1' }, 1, ofDevice);
    put({ userId: 'u1' }, 2, ofUser);
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 20 * MINUTE }));
    driver.tick(NINE + 5 * HOUR);
    expect(driver.read(triggers)).toMatchObject([{ shopper: 'u1', status: 'fired', products: [{ sku: 'P1', quantity: expected }] }]);
  });

  test('two carts of a hundred products are one of a hundred, those of the later one first', () => {
    const driver = shop(OPTIONS, partitions);
    for (const [who, minute] of [[{ anonymousId: 'a1' }, 0], [{ userId: 'u1' }, 10]] as const) {
      const products = Array.from({ length: 100 }, (_, i) => product(`${minute}-${i}`));
      driver.send(clickstream, Object.values(who).join(), shopEvent('Product Added', { ...who, time: NINE + minute * MINUTE, products }));
    }
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 20 * MINUTE }));
    driver.tick(NINE + 5 * HOUR);
    const products = driver.read(triggers).flatMap((trigger) => trigger.products);
    expect(products.filter(({ sku }) => sku.startsWith('10-'))).toHaveLength(100);
    expect(products).toHaveLength(100);
  });

  test('a cart of a device that an order of its user has taken leaves alone what the user put in since', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'a1', shopEvent('Product Added', { anonymousId: 'a1', time: NINE, products: [product('P1')] }));
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', time: NINE + 10 * MINUTE, lines: [orderLine('P1', 1, 1n)] }));
    driver.send(clickstream, 'u1', shopEvent('Product Added', { userId: 'u1', time: NINE + 15 * MINUTE, products: [product('P2')] }));
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 20 * MINUTE }));
    driver.tick(NINE + 5 * HOUR);
    expect(driver.read(triggers)).toMatchObject([{ shopper: 'u1', status: 'fired', at: NINE + HOUR + 15 * MINUTE, products: [{ sku: 'P2' }] }]);
  });

  test('what was bought as a guest and as a user has one rhythm', () => {
    const driver = shop(OPTIONS, partitions);
    const buy = (who: object, n: number): void => {
      driver.send(orders, `R${n}`, orderEvent('completed', `R${n}`, { ...who, time: NINE + n * 10 * DAY, lines: [orderLine('TEA', 1, 30_000n)] }));
      driver.tick(NINE + n * 10 * DAY + MINUTE);
    };
    buy({ userId: 'u1' }, 0);
    for (const n of [1, 2]) buy({ anonymousId: 'a1' }, n);
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 21 * DAY }));
    driver.tick(NINE + 31 * DAY);
    expect(driver.read(triggers)).toMatchObject([{ rule: 'replenishment_due', shopper: 'u1', status: 'fired', at: NINE + 30 * DAY }]);
  });

  test('two customers on one device stay two (D24)', () => {
    const driver = shop(OPTIONS, partitions);
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'dev-1', userId: 'u1', time: NINE }));
    driver.send(clickstream, 'u1', shopEvent('Product Added', { anonymousId: 'dev-1', userId: 'u1', cartId: 'c1', time: NINE + MINUTE, products: [product('P1')] }));
    driver.send(clickstream, 'dev-1', shopEvent('Product Viewed', { anonymousId: 'dev-1', time: NINE + 6 * MINUTE, products: [product('P8')] }));
    driver.send(clickstream, 'u2', shopEvent('', { type: 'identify', anonymousId: 'dev-1', userId: 'u2', time: NINE + 7 * MINUTE }));
    driver.send(orders, 'O2', orderEvent('completed', 'O2', { userId: 'u2', cartId: 'c2', time: NINE + 8 * MINUTE, lines: [orderLine('P8', 1, 1n)] }));
    driver.tick(NINE + 2 * HOUR);
    expect(driver.read(triggers)).toMatchObject([{ shopper: 'u1', status: 'fired', at: NINE + 61 * MINUTE, products: [{ sku: 'P1' }] }]);
    const [one, other] = ['u1', 'u2'].map((id) => driver.row('shoppers', profiles, id)!);
    expect(one).toMatchObject({ bought: [], recent: [{ sku: 'P8' }, { sku: 'P1' }] });
    expect(other).toMatchObject({ bought: ['P8'], recent: [] });
  });

  describe('what an anonymous id did counts for the user it becomes', () => {
    const anonymous = (event: string, minute: number, more: Parameters<typeof shopEvent>[1] = {}): Parameters<Driver['send']>[2] => shopEvent(event, { anonymousId: 'a1', time: NINE + minute * MINUTE, ...more });
    const becomesU1 = (driver: Driver, minute: number): void => driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + minute * MINUTE }));
    const outcomes = (driver: Driver): string[] => driver.read(triggers).map(({ shopper, status, reason }) => `${shopper} ${status === 'fired' ? status : reason}`).sort();

    test('the triggers it was sent, to the cap', () => {
      const driver = shop({ ...OPTIONS, cap: { count: 1, windowMs: DAY } }, partitions);
      driver.send(clickstream, 'a1', anonymous('Product Added', 0, { cartId: 'c1', products: [product('P1')] }));
      driver.tick(NINE + HOUR);
      becomesU1(driver, 61);
      driver.send(clickstream, 'u1', add('u1', 'c2', 'P2', NINE + 62 * MINUTE));
      driver.tick(NINE + 3 * HOUR);
      expect(outcomes(driver)).toEqual(['a1 fired', 'u1 frequency_cap']);
    });

    test('its no to marketing', () => {
      const driver = shop(OPTIONS, partitions);
      driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
      driver.send(clickstream, 'a1', anonymous('Consent Updated', 10, { marketingConsent: false }));
      becomesU1(driver, 20);
      driver.tick(NINE + 2 * HOUR);
      expect(outcomes(driver)).toEqual(['u1 opted_out']);
    });

    test.each([[null, []], ['c1', []], ['c2', ['u1 fired']]])('its order of cart %j: the cart of the user that it took is not reminded of', (cartId, expected) => {
      const driver = shop(OPTIONS, partitions);
      driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
      driver.send(orders, 'O1', orderEvent('completed', 'O1', { anonymousId: 'a1', cartId, time: NINE + 10 * MINUTE, lines: [orderLine('P1', 1, 1n)] }));
      becomesU1(driver, 20);
      driver.tick(NINE + 2 * HOUR);
      expect(outcomes(driver)).toEqual(expected);
    });
  });

  test('an order that names its cart takes that one; one that names none takes every cart of its shopper', () => {
    const driver = shop(OPTIONS, partitions);
    for (const id of ['c1', 'c2', 'c3']) driver.send(clickstream, 'u1', add('u1', id, `P-${id}`, NINE));
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c2', time: NINE + MINUTE, lines: [orderLine('P-c2', 1, 1n)] }));
    driver.tick(NINE + HOUR);
    expect(driver.read(triggers).map(({ status, products }) => [status, products[0]!.sku])).toEqual([['fired', 'P-c1'], ['fired', 'P-c3']]);
    driver.send(orders, 'O2', orderEvent('completed', 'O2', { userId: 'u1', time: NINE + 2 * HOUR, lines: [orderLine('P-c1', 1, 1n)] }));
    expect(driver.read(triggers).slice(2).map(({ status, products }) => [status, products[0]!.sku])).toEqual([['recovered', 'P-c1'], ['recovered', 'P-c3']]);
  });
});

test('opting out between the cart and the timer suppresses, once, and opting in later releases nothing (D10)', () => {
  const driver = shop();
  driver.send(clickstream, 'u4', add('u4', 'c4', 'P1', NINE));
  driver.send(clickstream, 'u4', shopEvent('', { type: 'identify', userId: 'u4', marketingConsent: false, time: NINE + 40 * MINUTE }));
  driver.tick(NINE + HOUR);
  driver.send(clickstream, 'u4', shopEvent('', { type: 'identify', userId: 'u4', marketingConsent: true, time: NINE + 2 * HOUR }));
  driver.tick(NINE + 5 * HOUR);
  expect(driver.read(triggers)).toMatchObject([{ shopper: 'u4', status: 'suppressed', reason: 'opted_out' }]);
});

test.each(['before', 'after'] as const)('a no of a user is not undone by the yes of a device, where the login is read %s what the device did', (when) => {
  const told = new Driver([shoppers()]);
  told.send(clickstream, 'u1', shopEvent('', { type: 'identify', userId: 'u1', marketingConsent: false, time: NINE }));
  told.send(clickstream, 'a1', shopEvent('Consent Updated', { anonymousId: 'a1', marketingConsent: true, time: NINE + MINUTE }));
  told.send(clickstream, 'a1', shopEvent('Product Added', { anonymousId: 'a1', time: NINE + 2 * MINUTE, products: [product('P1')] }));
  told.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 3 * MINUTE }));
  const driver = new Driver([marketingTriggers(OPTIONS)]);
  const login = (): void => told.read(userMerges).forEach((merge) => driver.send(userMerges, merge.from, merge));
  if (when === 'before') login();
  const of = (shopper: string): void => told.read(interactions).filter((event) => event.shopper === shopper).forEach((event) => driver.send(interactions, shopper, event));
  of('u1'); // all of it, as another partition may be read first
  of('a1');
  if (when === 'after') login();
  driver.tick(NINE + 2 * HOUR);
  expect(driver.read(triggers)).toMatchObject([{ shopper: 'u1', status: 'suppressed', reason: 'opted_out' }]);
});

test('the cap counts over all rules and suppressed triggers do not use it up', () => {
  const driver = shop({ ...OPTIONS, cap: { count: 1, windowMs: DAY } });
  driver.send(clickstream, 'u6', add('u6', 'c1', 'P1', NINE));
  driver.send(clickstream, 'u6', add('u6', 'c2', 'P2', NINE + MINUTE));
  driver.tick(NINE + 2 * HOUR);
  driver.send(clickstream, 'u6', add('u6', 'c3', 'P3', NINE + 25 * HOUR));
  driver.tick(NINE + 27 * HOUR);
  expect(driver.read(triggers).map(({ status, reason }) => (status === 'fired' ? status : reason))).toEqual(['fired', 'frequency_cap', 'fired']);
});

test.each([1, 60, 1_000])('a cap of %i is reached', (count) => {
  const driver = shop({ ...OPTIONS, cap: { count, windowMs: 7 * DAY } });
  for (let i = 0; i < count + 2; i++) {
    const time = NINE + 2 * HOUR * Math.floor(i / 100);
    if (i % 100 === 0) driver.tick(time);
    driver.put(clickstream, 'u1', shopEvent('Product Added', { userId: 'u1', time, cartId: `c${i}`, products: [product('P1')] }));
  }
  driver.tick(NINE + DAY);
  expect(driver.read(triggers).map(({ status }) => status).sort()).toEqual([...Array.from({ length: count }, () => 'fired'), 'suppressed', 'suppressed']);
});

test('three rules due at one second send no more than the cap allows; suppressed ones do not use it up (D06)', () => {
  const driver = shop({ ...OPTIONS, cap: { count: 2, windowMs: 7 * DAY } });
  const cart = (id: string, time: number): void => driver.send(clickstream, 'u6', add('u6', id, `P-${id}`, time - HOUR));
  const outcome = (shopper: string): string[] => driver.read(triggers).filter((trigger) => trigger.shopper === shopper).map(({ status, reason }) => (status === 'fired' ? status : reason));
  for (const [day, id] of [[1, 'mon'], [2, 'tue'], [3, 'wed'], [8, 'next']] as const) {
    driver.tick(NINE + day * DAY - HOUR);
    cart(id, NINE + day * DAY + MINUTE * (day === 8 ? 2 : 1));
    driver.tick(NINE + day * DAY + 5 * MINUTE);
  }
  expect(outcome('u6')).toEqual(['fired', 'fired', 'frequency_cap', 'fired']);
  driver.tick(NINE + 20 * DAY - HOUR);
  for (const id of ['a', 'b']) driver.send(clickstream, 'u7', add('u7', id, `P-${id}`, NINE + 20 * DAY - HOUR));
  driver.send(inventory, 'P4', stock('P4', 0, NINE + 20 * DAY - HOUR));
  driver.send(clickstream, 'u7', shopEvent('Back In Stock Subscribed', { userId: 'u7', products: [product('P4')], time: NINE + 20 * DAY - HOUR }));
  driver.tick(NINE + 20 * DAY);
  driver.send(inventory, 'P4', stock('P4', 3, NINE + 20 * DAY));
  expect(outcome('u7').sort()).toEqual(['fired', 'fired', 'frequency_cap']);
});

test('back in stock fires at the first unit, not on flags or less negative numbers, and not again without asking (D08)', () => {
  const driver = shop();
  const subscribe = (minute: number): void => driver.send(clickstream, 'u1', shopEvent('Back In Stock Subscribed', { userId: 'u1', products: [product('P4')], time: NINE + minute * MINUTE }));
  driver.send(inventory, 'P4', stock('P4', 0, NINE));
  subscribe(0);
  driver.send(inventory, 'P4', { ...stock('P4', 0, NINE + MINUTE), availability: 'in_stock' });
  driver.send(inventory, 'P4', { ...stock('P4', null, NINE + MINUTE), availability: 'on_order' });
  const becomes = (...quantities: number[]): void => quantities.forEach((quantity, i) => driver.send(inventory, 'P4', stock('P4', quantity, NINE + (i + 2) * MINUTE)));
  becomes(0, -2, -1, 0);
  expect(driver.read(triggers)).toEqual([]);
  expect(driver.row('item-watch', productRows, 'P4')).toMatchObject({ restocks: 0 });
  becomes(0, -2, -1, 0, 5, 6, 0, 3);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'back_in_stock', shopper: 'u1', causeId: 'P4#1', products: [{ sku: 'P4', stock: 5 }] }]);
  driver.send(inventory, 'P4', stock('P4', 0, NINE + HOUR));
  subscribe(61);
  driver.send(inventory, 'P4', stock('P4', 2, NINE + 62 * MINUTE));
  expect(driver.read(triggers).slice(1)).toMatchObject([{ rule: 'back_in_stock', status: 'fired', causeId: 'P4#3', products: [{ stock: 2 }] }]);
  // A price in another currency than the shop's, and the next one in it.
  for (const [n, currency] of ['USD', 'EUR'].entries()) {
    const minute = 120 + 60 * n;
    driver.send(inventory, 'P4', { ...stock('P4', 0, NINE + minute * MINUTE, 20_000n), currency });
    subscribe(minute + 1);
    driver.send(inventory, 'P4', stock('P4', 2, NINE + (minute + 2) * MINUTE));
    expect(driver.read(triggers).at(-1)).toMatchObject({ products: [{ price: currency === 'EUR' ? 20_000n : null }] });
  }
});

test('what is bought every ten days is due again after ten', () => {
  const driver = shop();
  for (const n of [0, 1, 2]) {
    driver.send(orders, `R${n}`, orderEvent('completed', `R${n}`, { userId: 'u9', time: NINE + n * 10 * DAY, lines: [orderLine('TEA', 1, 30_000n)] }));
    driver.tick(NINE + n * 10 * DAY + MINUTE);
  }
  driver.tick(NINE + 29 * DAY);
  expect(driver.read(triggers)).toEqual([]);
  driver.tick(NINE + 31 * DAY);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'replenishment_due', shopper: 'u9', status: 'fired', at: NINE + 30 * DAY, products: [{ sku: 'TEA' }] }]);
});

test('an order that is told late changes the interval, and does not tell a shopper of the same purchase twice', () => {
  const driver = shop();
  const buy = (n: number, day: number): void => driver.send(orders, `L${n}`, orderEvent('completed', `L${n}`, { userId: 'u9', time: NINE + day * DAY, lines: [orderLine('TEA', 1, 30_000n)] }));
  for (const [n, day] of [0, 10, 20].entries()) buy(n, day);
  driver.tick(NINE + 31 * DAY);
  expect(driver.read(triggers)).toHaveLength(1);
  buy(3, 15);
  driver.tick(NINE + 40 * DAY);
  expect(driver.read(triggers)).toHaveLength(1);
});

test.each([[[0, 4, 30], 15], [[0, 20, 24, 44, 50], 13], [[0, 2, 12, 16], 4], [[0, 2, 5], undefined]])('what was bought on days %j is usually bought every %s days: the median of the gaps', (days, every) => {
  const driver = shop();
  for (const day of days) {
    driver.send(orders, `D${day}`, orderEvent('completed', `D${day}`, { userId: 'u9', time: NINE + day * DAY, lines: [orderLine('TEA', 1, 30_000n)] }));
    driver.tick(NINE + day * DAY + MINUTE);
  }
  for (let day = days.at(-1)! + 1; day <= 90; day++) driver.tick(NINE + day * DAY);
  const told = driver.read(triggers).filter(({ causeId }) => causeId === `TEA@${NINE + days.at(-1)! * DAY}`);
  expect(told.map(({ reason, at }) => [reason, (at - NINE) / DAY])).toEqual(every === undefined ? [] : [[`TEA is usually bought every ${every} days.`, days.at(-1)! + every]]);
});

test('what is due again has quantity and price of the last purchase, whichever order is told last, and no price of another currency', () => {
  const driver = shop();
  const buy = (sku: string, day: number, units: number, currency = 'EUR'): void =>
    driver.send(orders, `${sku}${day}`, orderEvent('completed', `${sku}${day}`, { userId: 'u9', currency, time: NINE + day * DAY, lines: [orderLine(sku, units, BigInt(units) * 10_000n)] }));
  for (const day of [0, 10, 20]) for (const sku of ['TEA', 'CUP']) buy(sku, day, 1 + day, sku === 'CUP' && day === 20 ? 'USD' : 'EUR');
  buy('TEA', 5, 2);
  buy('TEA', 15, 3);
  for (const day of [26, 32]) driver.tick(NINE + day * DAY);
  const told = driver.read(triggers).map(({ products }) => products[0]!);
  expect(told.toSorted((a, b) => (a.sku < b.sku ? -1 : 1))).toMatchObject([{ sku: 'CUP', quantity: 21, price: null }, { sku: 'TEA', quantity: 21, price: 210_000n }]);
});

test('purchases at the same time, as files of days have them, are told together, at the highest price, whichever came first and under which device', () => {
  const told = (devices: readonly string[]): unknown => {
    const driver = shop();
    const buy = (id: string, day: number, units: number): void =>
      driver.send(orders, `${id}${day}`, orderEvent('completed', `${id}${day}`, { anonymousId: id, time: NINE + day * DAY, lines: [orderLine('TEA', units, BigInt(units) * 10_000n)] }));
    for (const day of [0, 10]) buy('d1', day, 1);
    for (const id of devices) buy(id, 20, Number(id.slice(1)));
    for (const id of devices) driver.send(clickstream, id, shopEvent('', { type: 'identify', messageId: `login-${id}`, anonymousId: id, userId: 'u9', time: NINE + 21 * DAY }));
    driver.tick(NINE + 31 * DAY);
    return driver.read(triggers).map(({ shopper, products }) => [shopper, products[0]?.quantity, products[0]?.price]);
  };
  for (const devices of [['d1', 'd2', 'd3'], ['d3', 'd2', 'd1'], ['d2', 'd3', 'd1']]) expect(told(devices)).toEqual([['u9', 6, 30_000n]]);
});

test('a device that was to be reminded later does not have its user told twice of the same purchase', () => {
  const driver = shop();
  const buy = (id: string, day: number): void =>
    driver.send(orders, `${id}${day}`, orderEvent('completed', `${id}${day}`, { ...(id === 'u9' ? { userId: id } : { anonymousId: id }), time: NINE + day * DAY, lines: [orderLine('TEA', 1, 10_000n)] }));
  for (const day of [-65, -25, 15]) buy('dev', day);
  for (const day of [0, 10, 20]) buy('u9', day);
  driver.tick(NINE + 35 * DAY);
  driver.send(clickstream, 'dev', shopEvent('', { type: 'identify', anonymousId: 'dev', userId: 'u9', time: NINE + 35 * DAY }));
  driver.tick(NINE + 60 * DAY);
  expect(driver.read(triggers).map(({ causeId, at }) => [causeId, (at - NINE) / DAY])).toEqual([[`TEA@${NINE + 20 * DAY}`, 30]]);
});

test('what an order that is told late makes due later waits until then', () => {
  const driver = shop();
  const buy = (n: number, day: number): void => driver.send(orders, `W${n}`, orderEvent('completed', `W${n}`, { userId: 'u9', time: NINE + day * DAY, lines: [orderLine('TEA', 1, 30_000n)] }));
  for (const [n, day] of [0, 5, 10].entries()) buy(n, day);
  driver.tick(NINE + 11 * DAY);
  for (const [n, day] of [-8, -16, -24].entries()) buy(n + 3, day);
  driver.tick(NINE + 17 * DAY);
  expect(driver.read(triggers)).toEqual([]);
  driver.tick(NINE + 19 * DAY);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'replenishment_due', status: 'fired', at: NINE + 18 * DAY }]);
});

test.each([[1, 0], [2, 0], [3, 1], [365, 1], [366, 0]])('what is bought every %i days is due again %i times', (days, times) => {
  const driver = shop();
  for (const n of [0, 1, 2]) {
    driver.send(orders, `R${n}`, orderEvent('completed', `R${n}`, { userId: 'u9', time: NINE + n * days * DAY, lines: [orderLine('TEA', 1, 30_000n)] }));
    driver.tick(NINE + n * days * DAY + MINUTE);
  }
  driver.tick(NINE + 3 * days * DAY + MINUTE);
  expect(driver.read(triggers)).toHaveLength(times);
});

test.each([[23, 'fired'], [25, 'suppressed']])('a cart that is told %i hours late is %s on a wall log', (hours, status) => {
  const driver = shop();
  driver.tick(NINE + hours * HOUR);
  driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
  driver.tick(NINE + hours * HOUR);
  driver.tick(NINE + hours * HOUR + 1);
  expect(driver.read(triggers)).toMatchObject([{ status }]);
});

test.each([[DAY - 1, 'frequency_cap'], [DAY, 'The cart was left for 60 minutes without an order.']])('a trigger %i ms after another one, of which one a day may be, says: %s', (after, reason) => {
  const driver = shop({ ...OPTIONS, cap: { count: 1, windowMs: DAY } });
  driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
  driver.tick(NINE + HOUR);
  driver.send(clickstream, 'u1', add('u1', 'c2', 'P2', NINE + after));
  driver.tick(NINE + after + HOUR);
  expect(driver.read(triggers)[1]).toMatchObject({ reason });
});

test('a cause that is history on a wall log is suppressed as history', () => {
  const driver = shop();
  driver.tick(NINE + 30 * DAY);
  driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
  driver.tick(NINE + 30 * DAY + MINUTE);
  expect(driver.read(triggers)).toMatchObject([{ status: 'suppressed', reason: 'history' }]);
});

test('a writer of topics whose clock is ahead: an order takes the cart that came before it', () => {
  const driver = shop();
  driver.tick(NINE);
  driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE + 13 * HOUR), NINE + MINUTE);
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + 13 * HOUR + MINUTE, lines: [orderLine('P1', 1, 1n)] }), NINE + 2 * MINUTE);
  driver.send(clickstream, 'u2', add('u2', 'c2', 'P1', NINE + 13 * HOUR), NINE + MINUTE);
  driver.tick(NINE + 5 * HOUR);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'cart_abandonment', shopper: 'u2', status: 'fired' }]);
});

test.each(['c1', null])('the last step of a checkout, dated by a clock that is half a minute ahead, is of the cart that its order takes (%j); what is put in minutes later is a new cart', (cartId) => {
  for (const orderFirst of [true, false]) {
    const driver = shop();
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE));
    driver.tick(NINE + MINUTE);
    const order = (): void => driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId, time: NINE + MINUTE + 5_000, lines: [orderLine('P1', 1, 1n)] }));
    if (orderFirst) order();
    driver.send(clickstream, 'u1', shopEvent('Payment Info Entered', { userId: 'u1', cartId: 'c1', time: NINE + MINUTE + 30_000, products: [product('P1')] }), NINE + MINUTE);
    if (!orderFirst) order();
    driver.send(clickstream, 'u1', add('u1', 'c1', 'P2', NINE + 3 * MINUTE));
    driver.tick(NINE + 5 * HOUR);
    expect(driver.read(triggers).map(({ status, products }) => [status, products.map(({ sku }) => sku).join()])).toEqual([['fired', 'P2']]);
  }
});

test('a cart that was dated by a clock three hours ahead, which was set right since, is taken by its order, and what is put in after that is not', () => {
  const driver = shop();
  driver.tick(NINE + 3 * HOUR);
  driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE + 3 * HOUR));
  driver.tick(NINE + MINUTE);
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + 5 * MINUTE, lines: [orderLine('P1', 1, 1n)] }));
  driver.send(clickstream, 'u1', add('u1', 'c1', 'P2', NINE + 10 * MINUTE));
  driver.tick(NINE + 5 * HOUR);
  expect(driver.read(triggers).map(({ status, products }) => [status, products.map(({ sku }) => sku).join()])).toEqual([['fired', 'P2']]);
});

test('a cart that was dated by such a clock is left by the order of another one', () => {
  const driver = shop();
  driver.tick(NINE + 3 * HOUR);
  driver.send(clickstream, 'u1', add('u1', 'c1', 'P1', NINE + 3 * HOUR));
  driver.tick(NINE + MINUTE);
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c2', time: NINE + 5 * MINUTE, lines: [orderLine('P2', 1, 1n)] }));
  driver.tick(NINE + 5 * HOUR);
  expect(driver.read(triggers)).toMatchObject([{ status: 'fired', causeId: `c1@${NINE + 3 * HOUR}` }]);
});

test('a purchase and its cart may arrive in either order', () => {
  const order = orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + 10 * MINUTE, lines: [orderLine('P1', 1, 1n)] });
  const cart = add('u1', 'c1', 'P1', NINE);
  for (const orderFirst of [true, false]) {
    const driver = shop();
    if (orderFirst) driver.send(orders, 'O1', order);
    driver.send(clickstream, 'u1', cart);
    if (!orderFirst) driver.send(orders, 'O1', order);
    driver.tick(NINE + 5 * HOUR);
    expect(driver.read(triggers)).toEqual([]);
  }
});

test('a view that was on its way when its shopper logged in is one of a known shopper', () => {
  const before = new Driver([shoppers()]);
  before.send(clickstream, 'a1', shopEvent('Product Viewed', { anonymousId: 'a1', time: NINE, products: [product('P1')] }));
  const driver = new Driver([marketingTriggers({ ...OPTIONS, browsedAfterMs: 4 * HOUR })]);
  driver.tick(NINE);
  driver.send(userMerges, 'a1', { mergeId: 'm1', from: 'a1', to: 'u1', time: NINE, erased: [], fromProven: true, toProven: true, forgotten: false });
  for (const view of before.read(interactions)) driver.send(interactions, 'a1', view);
  driver.tick(NINE + 4 * HOUR);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'browse_abandonment', status: 'fired', shopper: 'u1', products: [{ sku: 'P1' }] }]);
});

test('the order of one cart leaves what is known of an item that stands in another one', () => {
  const driver = shop();
  driver.send(inventory, 'P1', stock('P1', 7, NINE - MINUTE, 49_900n));
  for (const cartId of ['c1', 'c2']) driver.send(clickstream, 'u1', shopEvent('Product Added', { userId: 'u1', cartId, time: NINE, products: [product('P1')] }));
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + MINUTE, lines: [orderLine('P2', 1, 1n)] }));
  driver.tick(NINE + HOUR);
  expect(driver.read(triggers)).toMatchObject([{ causeId: `c2@${NINE}`, value: 49_900n, products: [{ sku: 'P1', price: 49_900n, stock: 7 }] }]);
});

test('what is due long after an order is caused by the order, and dated by it', () => {
  const driver = shop({ ...OPTIONS, winBackAfterMs: 90 * DAY });
  for (const day of [0, 10, 20]) {
    driver.send(orders, `O${day}`, orderEvent('completed', `O${day}`, { userId: 'u1', time: NINE + day * DAY, lines: [orderLine('TEA', 1, 30_000n)] }));
    driver.tick(NINE + day * DAY);
  }
  for (let day = 21; day <= 110; day++) driver.tick(NINE + day * DAY);
  expect(driver.read(triggers)).toMatchObject([
    { rule: 'replenishment_due', status: 'fired', causeId: `TEA@${NINE + 20 * DAY}`, causedAt: NINE + 20 * DAY, at: NINE + 30 * DAY },
    { rule: 'win_back', status: 'fired', causeId: `order@${NINE + 20 * DAY}`, causedAt: NINE + 20 * DAY, at: NINE + 110 * DAY },
  ]);
});

test.each([[undefined, 0], [{ from: 21, to: 8, timezone: 'UTC' }, 1]])('with quiet hours %j a visitor who says no more than a time zone leaves %i rows', (quietHours, rows) => {
  const driver = shop({ ...OPTIONS, quietHours });
  driver.send(clickstream, 'a1', shopEvent('Product Viewed', { anonymousId: 'a1', timezone: 'Europe/Paris', products: [product('P1')] }));
  expect(driver.dump('marketing-triggers').filter((row) => row.includes('a1'))).toHaveLength(rows);
});

describe.each([1, 3])('a reminded cart and an order under two ids that a login joins (%i partitions)', (partitions) => {
  test.each([['a1', 'u1'], ['u1', 'a1']])('the cart of %s is recovered by the order of %s, once', (carter, buyer) => {
    const driver = shop(OPTIONS, partitions);
    const idOf = (id: string): Partial<Pick<ShopEvent, 'anonymousId' | 'userId'>> => (id === 'a1' ? { anonymousId: id } : { userId: id });
    driver.send(clickstream, carter, shopEvent('Product Added', { ...idOf(carter), time: NINE, products: [product('P1')] }));
    driver.tick(NINE + HOUR);
    driver.send(orders, 'O1', orderEvent('completed', 'O1', { ...idOf(buyer), time: NINE + 2 * HOUR, lines: [orderLine('P1', 1, 1n)] }));
    driver.tick(NINE + 2 * HOUR);
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 3 * HOUR }));
    driver.tick(NINE + 5 * HOUR);
    const [fired] = driver.read(triggers).filter(({ status }) => status === 'fired');
    expect(fired).toMatchObject({ shopper: carter, rule: 'cart_abandonment' });
    expect(driver.read(triggers).filter(({ status }) => status !== 'fired')).toMatchObject([{ id: fired!.id, status: 'recovered', shopper: 'u1', causeId: fired!.causeId, causedAt: NINE, products: [{ sku: 'P1' }] }]);
  });
});

test.each([[true], [false]])('a reminded cart that was emptied is recovered by the order, filled again before it: %s, and is no cart until then', (isFilledAgain) => {
  const driver = shop({ ...OPTIONS, browsedAfterMs: HOUR });
  const does = (event: string, sku: string, time: number): void => driver.send(clickstream, 'u1', shopEvent(event, { userId: 'u1', cartId: 'c1', time, products: [product(sku, { quantity: 1 })] }));
  does('Product Added', 'P1', NINE);
  driver.tick(NINE + HOUR);
  does('Product Viewed', 'P2', NINE + 2 * HOUR);
  does('Product Removed', 'P1', NINE + 2 * HOUR + MINUTE);
  driver.tick(NINE + 4 * HOUR);
  expect(driver.read(triggers).map(({ rule, status }) => `${rule} ${status}`)).toEqual(['cart_abandonment fired', 'browse_abandonment fired']);
  if (isFilledAgain) does('Product Added', 'P2', NINE + 4 * HOUR);
  driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', cartId: 'c1', time: NINE + 4 * HOUR + MINUTE, lines: [orderLine('P2', 1, 1n)] }));
  driver.tick(NINE + 40 * DAY);
  const [fired, , ...rest] = driver.read(triggers);
  expect(rest).toMatchObject([{ id: fired!.id, status: 'recovered', products: isFilledAgain ? [{ sku: 'P2' }] : [] }]);
  expect(driver.dump('marketing-triggers').filter((row) => /cart|forget|abandoned/.test(row))).toEqual([]);
});

describe('a reminded cart that was emptied', () => {
  const emptied = (): Driver => {
    const driver = shop();
    does(driver, 'Product Added', 'c1', 'P1', NINE, 20n);
    driver.tick(NINE + HOUR);
    return driver;
  };
  const does = (driver: Driver, event: string, cartId: string | null, sku: string, time: number, price: bigint | null = null): void =>
    driver.send(clickstream, 'u1', shopEvent(event, { userId: 'u1', cartId, time, currency: price === null ? null : 'USD', products: [product(sku, { quantity: 1, price })] }));
  const told = (driver: Driver): string[] => driver.read(triggers).slice(1).map(({ rule, value, products }) => `${rule} ${products.map(({ sku }) => sku).join()} ${value}`);

  test('begins anew with what is put in, at no checkout and in no currency', () => {
    const driver = emptied();
    driver.send(inventory, 'P2', stock('P2', 7, NINE, 30n));
    does(driver, 'Checkout Started', 'c1', 'P1', NINE + 2 * HOUR);
    does(driver, 'Product Removed', 'c1', 'P1', NINE + 2 * HOUR + MINUTE);
    does(driver, 'Product Added', 'c1', 'P2', NINE + 2 * HOUR + 2 * MINUTE);
    driver.tick(NINE + 5 * HOUR);
    expect(told(driver)).toEqual(['cart_abandonment P2 30']);
  });

  test('is left with what was put in before and is told late', () => {
    const driver = emptied();
    does(driver, 'Product Removed', 'c1', 'P1', NINE + 2 * HOUR + MINUTE);
    does(driver, 'Product Added', 'c1', 'P2', NINE + 2 * HOUR);
    driver.tick(NINE + 5 * HOUR);
    expect(told(driver)).toEqual(['cart_abandonment P2 null']);
  });

  test('is not the one of a checkout that names none, while another has something in it', () => {
    const driver = emptied();
    does(driver, 'Product Added', 'c2', 'P1', NINE + 2 * HOUR);
    does(driver, 'Product Removed', 'c1', 'P1', NINE + 2 * HOUR + MINUTE);
    does(driver, 'Checkout Started', null, 'P1', NINE + 2 * HOUR + 2 * MINUTE);
    driver.tick(NINE + 5 * HOUR);
    expect(told(driver)).toEqual(['checkout_abandonment P1 null']);
  });
});

describe.each([['before', [0, 1]], ['after', [1, 0]]])('the last step of a checkout, told %s its order', (_, order) => {
  test.each([[5, []], [6, ['checkout_abandonment']]])('%i minutes after the order leads to %j', (minutes, told) => {
    const driver = shop();
    driver.send(clickstream, 'u1', shopEvent('Product Added', { userId: 'u1', time: NINE, products: [product('P1')] }));
    const steps = [
      () => driver.send(clickstream, 'u1', shopEvent('Payment Info Entered', { userId: 'u1', time: NINE + (1 + minutes) * MINUTE, products: [product('P1')] })),
      () => driver.send(orders, 'O1', orderEvent('completed', 'O1', { userId: 'u1', time: NINE + MINUTE, lines: [orderLine('P1', 1, 1n)] })),
    ];
    for (const step of order) steps[step]!();
    driver.tick(NINE + 2 * HOUR);
    expect(driver.read(triggers).map(({ rule }) => rule)).toEqual(told);
  });
});
