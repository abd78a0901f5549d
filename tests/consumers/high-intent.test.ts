import { describe, expect, test } from 'vitest';
import { marketingTriggers, type MarketingTriggerOptions } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { outcomes } from '../../consumers/triggers/intent.js';
import { situationOf, wordsOf, type Situation } from '../../consumers/triggers/situations.js';
import { NOBODY, restOf, rowKey } from '../../pipeline/core/rows.js';
import { clickstream, interactions, marketingTriggers as triggers, marketingTriggersState, orders } from '../../schemas/topics.js';
import type { ShopEvent, VisitOutcomes } from '../../schemas/types.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, product, shopEvent } from '../support/events.js';

const OPTIONS: MarketingTriggerOptions = { abandonedAfterMs: 2 * DAY, highIntentPercent: 35, cap: { count: 0, windowMs: 7 * DAY }, consentByDefault: true, currency: 'EUR' };

function shop(options: Partial<MarketingTriggerOptions> = {}, more: DriverOptions = {}): Driver {
  const driver = new Driver([shoppers(), orderLedger(), marketingTriggers({ ...OPTIONS, ...options })], more);
  driver.tick(NINE - MINUTE);
  return driver;
}

const NOTHING: Situation = { products: 0, isAgain: false, isInCart: false, isAtCheckout: false, isCustomer: false };
const LOOKED = situationOf({ ...NOTHING, products: 1 });
const FILLED = situationOf({ ...NOTHING, products: 1, isInCart: true });

/** What every partition has seen before. */
function knowing(driver: Driver, said: Readonly<Record<string, VisitOutcomes>>): Driver {
  const rows = Object.entries(said).map(([sub, value]) => ({ key: rowKey(NOBODY, restOf(outcomes.name, sub)), value: outcomes.codec.encode(value) }));
  for (let partition = 0; partition < driver.partitions; partition++) driver.openStore(marketingTriggersState.name, partition).apply(rows, 0);
  return driver;
}

/** Half of the visits with a cart end with an order, and nobody orders otherwise. */
const CARTS_ORDER = { all: { visits: 1_000, orders: 200 }, [FILLED]: { visits: 400, orders: 200 }, [LOOKED]: { visits: 1_000, orders: 200 } };

const does = (driver: Driver, event: string, who: Partial<ShopEvent>, time: number, ...skus: string[]): void =>
  driver.send(clickstream, who.userId ?? who.anonymousId!, shopEvent(event, { ...who, time, products: skus.map((sku) => product(sku)) }));
const orders1 = (driver: Driver, userId: string, orderId: string, time: number): void =>
  driver.send(orders, orderId, orderEvent('completed', orderId, { userId, time, lines: [orderLine('P1', 1, 10_000n)] }));
const told = (driver: Driver): string[] => driver.read(triggers).filter(({ rule }) => rule === 'high_intent').map(({ shopper, status, reason }) => `${shopper} ${status === 'suppressed' ? reason : status}`);
const counted = (driver: Driver, sub: string | number): VisitOutcomes | undefined => driver.row('marketing-triggers', outcomes, NOBODY, String(sub));
const u1 = { userId: 'u1' };

/** So many shoppers look at a product and fill a cart, and half of them order; as many only look. */
function learn(driver: Driver, count: number): void {
  for (let n = 0; n < count; n++) {
    const userId = `learned-${n}`;
    does(driver, 'Product Viewed', { userId }, NINE, 'P1');
    does(driver, 'Product Added', { userId }, NINE + MINUTE, 'P1');
    if (n % 2 === 0) orders1(driver, userId, `O-${n}`, NINE + 2 * MINUTE);
    does(driver, 'Product Viewed', { userId: `looked-${n}` }, NINE, 'P2');
  }
  driver.tick(NINE + DAY);
}

test('whoever does what led others to orders is told of with that event, once a visit, and why', () => {
  const driver = shop();
  learn(driver, 110);
  const now = NINE + DAY + MINUTE;
  does(driver, 'Product Viewed', u1, now, 'P3');
  expect(told(driver)).toEqual([]);
  does(driver, 'Product Added', u1, now + MINUTE, 'P3');
  does(driver, 'Product Viewed', u1, now + 2 * MINUTE, 'P4');
  does(driver, 'Product Removed', u1, now + 3 * MINUTE, 'P3');
  does(driver, 'Product Added', u1, now + 4 * MINUTE, 'P3');
  expect(driver.read(triggers).filter(({ rule }) => rule === 'high_intent')).toMatchObject([{
    shopper: 'u1', status: 'fired', causeId: `u1@${now}`, causedAt: now + MINUTE, at: now + MINUTE, products: [{ sku: 'P3' }],
    reason: 'One product, something in the cart: 55 of 110 visits like this ended with an order, 55 of 220 of all.',
  }]);
  driver.tick(now + HOUR);
  does(driver, 'Product Viewed', u1, now + 2 * HOUR, 'P5');
  expect(told(driver)).toEqual(['u1 fired', 'u1 fired']);
});

test('a new shop tells of nobody: of fewer than a hundred visits alike nothing is said', () => {
  const driver = shop({ highIntentPercent: 1 });
  learn(driver, 99);
  does(driver, 'Product Added', u1, NINE + DAY + MINUTE, 'P3');
  expect(told(driver)).toEqual([]);
});

describe.each([1, 3])('on %i partition(s)', (partitions) => {
  /** Counts of all partitions. */
  const sums = (driver: Driver, sub: number | string): number[] => {
    const all = Array.from({ length: partitions }, (_, partition) => driver.openStore(marketingTriggersState.name, partition).get(rowKey(NOBODY, restOf(outcomes.name, String(sub))))).flatMap((row) => (row ? [outcomes.codec.decode(row)] : []));
    return [all.reduce((sum, { visits }) => sum + visits, 0), all.reduce((sum, { orders: ordered }) => sum + ordered, 0)];
  };

  test('a visit counts once in each situation that it came through, when it is over; of what comes after its order nothing is learned', () => {
    const driver = shop({}, { partitions });
    for (const minute of [0, 2]) does(driver, 'Product Viewed', { userId: 'u2' }, NINE + minute * MINUTE, 'P1');
    does(driver, 'Product Viewed', u1, NINE, 'P1');
    does(driver, 'Product Added', u1, NINE + MINUTE, 'P1');
    does(driver, 'Product Removed', u1, NINE + MINUTE, 'P1');
    does(driver, 'Checkout Started', u1, NINE + 2 * MINUTE, 'P1');
    orders1(driver, 'u1', 'O1', NINE + 3 * MINUTE);
    for (const sku of ['P3', 'P4', 'P5']) does(driver, 'Product Viewed', u1, NINE + 4 * MINUTE, sku);
    driver.tick(NINE + 31 * MINUTE);
    expect(sums(driver, 'all')).toEqual([0, 0]);
    driver.tick(NINE + HOUR);
    expect(driver.dump('marketing-triggers').filter((row) => /visit/.test(row))).toEqual([]);
    expect(sums(driver, 'all')).toEqual([2, 1]);
    expect(sums(driver, LOOKED)).toEqual([2, 1]);
    expect(sums(driver, FILLED)).toEqual([1, 1]);
    expect(sums(driver, situationOf({ ...NOTHING, products: 1, isInCart: true, isAtCheckout: true }))).toEqual([1, 1]);
    expect(sums(driver, situationOf({ ...NOTHING, products: 1, isAgain: true }))).toEqual([1, 0]);
    expect(Array.from({ length: 64 }, (_, situation) => sums(driver, situation)[0]!).reduce((sum, count) => sum + count, 0)).toBe(5);
    // A page alone is no visit. Of the next visit, the one before it was over when it began, also where time has not passed.
    does(driver, 'Page', { userId: 'u3' }, NINE + 2 * HOUR);
    for (const hours of [2, 3]) does(driver, 'Product Viewed', u1, NINE + hours * HOUR, 'P1');
    driver.tick(NINE + 4 * HOUR);
    expect(sums(driver, 'all')).toEqual([4, 1]);
    expect(sums(driver, situationOf({ ...NOTHING, products: 1, isCustomer: true }))).toEqual([2, 0]);
  });

  test('an order that is told before the clicks that led to it is of their visit', () => {
    const driver = knowing(shop({}, { partitions }), { ...CARTS_ORDER, [LOOKED]: { visits: 1_000, orders: 900 } });
    orders1(driver, 'u1', 'O1', NINE + 3 * MINUTE);
    for (const [minute, sku] of [[0, 'P1'], [2, 'P2'], [4, 'P3']] as const) does(driver, 'Product Viewed', u1, NINE + minute * MINUTE, sku);
    expect(told(driver)).toEqual([]);
    const before = sums(driver, LOOKED);
    driver.tick(NINE + HOUR);
    expect(sums(driver, LOOKED)).toEqual(before.map((count) => count + 1));
    expect(sums(driver, situationOf({ ...NOTHING, products: 2 }))).toEqual([1, 1]);
  });

  test.each(['a1', 'u1'])('who logs in during a visit is told of once, and is one visit with what came before on both (%s was told of)', (first) => {
    const two = situationOf({ ...NOTHING, products: 2, isInCart: true });
    const driver = knowing(shop({}, { partitions }), { ...CARTS_ORDER, [two]: { visits: 400, orders: 200 } });
    const acts = (id: string): Partial<ShopEvent> => (id === 'a1' ? { anonymousId: 'a1' } : u1);
    does(driver, first === 'a1' ? 'Product Added' : 'Product Viewed', acts('a1'), NINE, 'P1');
    does(driver, first === 'u1' ? 'Product Added' : 'Product Viewed', acts('u1'), NINE + MINUTE, 'P2');
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 2 * MINUTE }));
    for (const minute of [3, 20, 40]) does(driver, 'Product Added', u1, NINE + minute * MINUTE, 'P1');
    expect(told(driver)).toEqual([`${first} fired`]);
    driver.tick(NINE + 2 * HOUR);
    expect(['all', LOOKED, FILLED, two].map((sub) => sums(driver, sub)[0])).toEqual([1_000, 1_000, 400, 400].map((before) => before * partitions + 1));
  });
});

test('a visit is one through a login after which the session is that of the device, which has looked at no product', () => {
  const driver = knowing(shop(), CARTS_ORDER);
  driver.send(clickstream, 'a1', shopEvent('', { anonymousId: 'a1', type: 'page', time: NINE }));
  driver.put(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + MINUTE }));
  for (const minute of [1, 2]) does(driver, 'Product Added', u1, NINE + minute * MINUTE, 'P1');
  expect(new Set(driver.read(interactions).filter(({ event }) => event === 'Product Added').map(({ sessionId }) => sessionId))).toEqual(new Set([`u1@${NINE + MINUTE}`, `a1@${NINE}`]));
  driver.tick(NINE + 2 * HOUR);
  expect(told(driver)).toEqual(['u1 fired']);
  expect(counted(driver, 'all')).toEqual({ visits: 1_001, orders: 200 });
});

test.each([[[20, 40, 60], 61], [[20, 30], 31]])('a visit that goes on with pages alone for half an hour is counted and told of once (looked at after %j minutes)', (looks, again) => {
  const driver = knowing(shop(), CARTS_ORDER);
  does(driver, 'Product Added', u1, NINE, 'P1');
  for (const minutes of looks) {
    driver.tick(NINE + minutes * MINUTE);
    driver.send(clickstream, 'u1', shopEvent('', { ...u1, type: 'page', time: NINE + minutes * MINUTE }));
  }
  does(driver, 'Product Added', u1, NINE + again * MINUTE, 'P1');
  driver.tick(NINE + 2 * HOUR);
  expect(told(driver)).toEqual(['u1 fired']);
  expect(counted(driver, 'all')).toEqual({ visits: 1_001, orders: 200 });
});

test('a page that sends its view twice is no second look, nor is the cart from there; who comes back to a product looks again', () => {
  const driver = knowing(shop(), { all: { visits: 1_000, orders: 200 }, [situationOf({ ...NOTHING, products: 2, isAgain: true })]: { visits: 400, orders: 200 } });
  does(driver, 'Product Viewed', u1, NINE, 'P1');
  does(driver, 'Product Viewed', u1, NINE + 1_000, 'P1');
  does(driver, 'Product Viewed', u1, NINE + MINUTE, 'P2');
  expect(told(driver)).toEqual([]);
  does(driver, 'Product Viewed', u1, NINE + 2 * MINUTE, 'P1');
  expect(driver.read(triggers)).toMatchObject([{ products: [{ sku: 'P1' }, { sku: 'P2' }], reason: expect.stringMatching(/^Two or three products, one of them again: 200 of 400 /) }]);
});

test('nobody is told of who has ordered in this visit, or whose event comes late; in the next one they are', () => {
  const driver = knowing(shop(), CARTS_ORDER);
  does(driver, 'Product Viewed', u1, NINE, 'P1');
  orders1(driver, 'u1', 'O1', NINE + MINUTE);
  does(driver, 'Product Added', u1, NINE + 2 * MINUTE, 'P1');
  driver.tick(NINE + 10 * MINUTE);
  does(driver, 'Product Added', { userId: 'u2' }, NINE + 4 * MINUTE, 'P1');
  expect(told(driver)).toEqual([]);
  does(driver, 'Product Added', { userId: 'u2' }, NINE + 11 * MINUTE, 'P1');
  expect(told(driver)).toEqual(['u2 fired']);
});

test('a checkout of an earlier visit is a cart by now', () => {
  const driver = knowing(shop(), CARTS_ORDER);
  does(driver, 'Checkout Started', u1, NINE, 'P1');
  driver.tick(NINE + HOUR);
  expect(told(driver)).toEqual([]);
  does(driver, 'Product Viewed', u1, NINE + 2 * HOUR, 'P1');
  expect(told(driver)).toEqual(['u1 fired']);
});

test('of a history nothing is learned, and nobody is told of', () => {
  const driver = knowing(shop(), CARTS_ORDER);
  driver.tick(NINE + DAY);
  does(driver, 'Product Added', u1, NINE + DAY - 2 * HOUR, 'P1');
  driver.tick(NINE + 2 * DAY);
  expect(told(driver)).toEqual([]);
  expect(counted(driver, 'all')).toEqual(CARTS_ORDER.all);
});

test('consent, the cap and who is held out are as for every rule; in quiet hours nobody is told of, unless they are there when they end', () => {
  const driver = knowing(shop({ cap: { count: 1, windowMs: 7 * DAY }, quietHours: { from: 21, to: 8, timezone: 'UTC' } }), CARTS_ORDER);
  driver.send(clickstream, 'u2', shopEvent('Consent Updated', { userId: 'u2', marketingConsent: false, time: NINE }));
  for (const userId of ['u1', 'u2']) for (const minute of [1, 2]) does(driver, 'Product Added', { userId }, NINE + minute * MINUTE, 'P1');
  driver.tick(NINE + HOUR);
  does(driver, 'Product Added', u1, NINE + HOUR, 'P1');
  expect(told(driver)).toEqual(['u1 fired', 'u2 opted_out', 'u1 frequency_cap']);
  const morning = Date.UTC(2026, 2, 3, 8);
  driver.tick(morning - 10 * MINUTE);
  does(driver, 'Product Added', { userId: 'u3' }, morning - 9 * MINUTE, 'P1');
  driver.tick(morning);
  expect(told(driver)).toHaveLength(3);
  does(driver, 'Product Added', { userId: 'u3' }, morning + MINUTE, 'P1');
  expect(told(driver).slice(3)).toEqual(['u3 fired']);
  const holding = knowing(shop({ holdoutPercent: 99 }), CARTS_ORDER);
  does(holding, 'Product Added', u1, NINE, 'P1');
  expect(told(holding)).toEqual(['u1 holdout']);
});

test('where the rule is off nothing is kept of visits', () => {
  const driver = shop({ highIntentPercent: 0 });
  does(driver, 'Product Added', u1, NINE, 'P1');
  driver.tick(NINE + HOUR);
  expect(driver.dump('marketing-triggers').filter((row) => /visit|outcomes/.test(row))).toEqual([]);
});

test('situations are few, each of its own, and can be said', () => {
  const facts = [false, true];
  const all = [0, 1, 2, 3, 4, 9].flatMap((products) => facts.flatMap((isAgain) => facts.flatMap((isInCart) => facts.flatMap((isAtCheckout) => facts.map((isCustomer) => situationOf({ products, isAgain, isInCart, isAtCheckout, isCustomer }))))));
  expect(new Set(all).size).toBe(64);
  expect(Math.max(...all)).toBe(63);
  expect(new Set(all.map(wordsOf)).size).toBe(64);
  expect(wordsOf(situationOf({ products: 3, isAgain: false, isInCart: true, isAtCheckout: true, isCustomer: true }))).toBe('Two or three products, something in the cart, at the checkout, ordered before');
  expect(wordsOf(situationOf({ products: 9, isAgain: true, isInCart: false, isAtCheckout: false, isCustomer: false }))).toBe('Four products or more, one of them again');
});
