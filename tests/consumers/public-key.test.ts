import fc from 'fast-check';
import { expect, test } from 'vitest';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import { aliases, aliasOf } from '../../consumers/shoppers/aliases.js';
import { carts } from '../../consumers/triggers/carts.js';
import { contacts } from '../../consumers/triggers/contacts.js';
import { erasureOf } from '../../pipeline/erasure.js';
import { collect, type CollectContext } from '../../producers/collect.js';
import { Logins } from '../../producers/logins.js';
import { clickstream, deadLetters, erasures, interactions, marketingTriggers as triggers, orders, sales } from '../../schemas/topics.js';
import type { UserProfile } from '../../schemas/types.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { HOUR, MINUTE, NINE, orderEvent, orderLine } from '../support/events.js';

/** What anybody can do who has taken the write key from the page, to a shop whose customer is carol. */
class Shop {
  readonly driver: Driver;
  readonly #logins = new Logins();
  #serial = 0;

  constructor(options: DriverOptions = {}) {
    this.driver = new Driver([shoppers(), orderLedger(), marketingTriggers({ abandonedAfterMs: HOUR, cap: { count: 0, windowMs: 0 }, consentByDefault: true, currency: 'EUR' })], options);
    this.driver.tick(NINE);
  }

  /** Write what a door makes of a call, without running; `minute` after nine. */
  put(call: object, minute = 0, by: Partial<CollectContext> = {}): void {
    const receivedAt = NINE + minute * MINUTE;
    const outcome = collect({ type: 'track', ...call }, { receivedAt, shop: { currency: 'EUR', timezone: 'UTC' }, scope: 'browser', newId: () => `m${this.#serial++}`, ...by });
    if ('errors' in outcome) throw new Error(JSON.stringify(outcome.errors));
    for (const record of this.#logins.placed(outcome.ok)) {
      if (record.topic === 'clickstream') this.driver.put(clickstream, record.key, record.value);
      if (record.topic === 'orders') this.driver.put(orders, record.key, record.value);
    }
    this.#logins.written(outcome.ok);
  }

  page(call: object, minute = 0, provenUser?: string): void {
    this.put(call, minute, { provenUser });
    this.driver.run();
  }

  server(call: object, minute = 0): void {
    this.put(call, minute, { scope: 'server' });
    this.driver.run();
  }

  profile(id: string): UserProfile | undefined {
    return this.driver.row('shoppers', profiles, id);
  }

  others(id: string): string[] {
    return [...new Set(this.driver.subs('shoppers', aliases, id).map(aliasOf))];
  }

  recent(id: string): string[] {
    return this.profile(id)?.recent.map(({ sku }) => sku) ?? [];
  }

  cart(id: string): string[] {
    return this.driver.row('marketing-triggers', carts, id, 'default')?.lines.map(({ sku }) => sku).sort() ?? [];
  }

  erase(id: string, minute: number): void {
    this.driver.send(clickstream, id, erasureOf(id, NINE + minute * MINUTE));
  }
}

const added = (who: object, sku: string, properties: object = {}): object => ({ event: 'Product Added', ...who, properties: { product_id: sku, ...properties } });
const carol = { userId: 'carol' };

/** Each way to say that carol's id is mallory's. */
const claims = {
  'an alias': { type: 'alias', previousId: 'carol', userId: 'mallory' },
  'an alias of an anonymous id': { type: 'alias', anonymousId: 'carol', userId: 'mallory' },
  'a login': { type: 'identify', anonymousId: 'carol', userId: 'mallory' },
};

test.each(Object.entries(claims))('%s by a page does not take a known user over: what it says counts for the one whom it names', (_, claim) => {
  const shop = new Shop({ partitions: 4 });
  shop.server(added(carol, 'P1'));
  shop.page(claim, 1);
  // It comes in one go with the login, which it carries.
  shop.page(added({ userId: 'mallory', anonymousId: 'carol' }, 'P2'), 1);
  shop.page(added(carol, 'P3'), 2);
  shop.driver.tick(NINE + 2 * HOUR);
  expect([shop.recent('carol'), shop.recent('mallory')]).toEqual([['P3', 'P1'], ['P2']]);
  expect([shop.profile('mallory')?.events, shop.others('mallory')]).toEqual([2, []]);
  expect(shop.driver.read(triggers).map(({ shopper, products }) => [shopper, products.map(({ sku }) => sku)]).sort()).toEqual([['carol', ['P1', 'P3']], ['mallory', ['P2']]]);
  expect(shop.driver.count('millrace_merges_refused_total')).toBeGreaterThan(0);
  expect(shop.driver.read(deadLetters)).toEqual([]);
  shop.erase('mallory', 130);
  expect(shop.recent('carol')).toEqual(['P3', 'P1']);
  expect(shop.driver.read(erasures)).toMatchObject([{ ids: ['mallory'] }]);
});

test.each([['the server', null], ['carol, who proves it', 'carol']])('%s may give a known id up', (_, provenUser) => {
  const shop = new Shop({ partitions: 4 });
  shop.server(added(carol, 'P1'));
  const alias = { type: 'alias', previousId: 'carol', userId: 'caroline' };
  if (provenUser === null) shop.server(alias, 1);
  else shop.page(alias, 1, provenUser);
  // Neither of them is mallory's by that.
  shop.page(claims['an alias'], 1);
  shop.server(added(carol, 'P2'), 2);
  shop.page({ type: 'alias', previousId: 'caroline', userId: 'mallory' }, 3, 'mallory');
  shop.page(added(carol, 'P3'), 4);
  expect([shop.recent('caroline'), shop.cart('caroline'), shop.recent('mallory'), shop.cart('mallory')]).toEqual([['P3', 'P2', 'P1'], ['P1', 'P2', 'P3'], [], []]);
});

test('a device still leads to whoever logged in on it last', () => {
  const shop = new Shop({ partitions: 4 });
  const device = { anonymousId: 'device' };
  shop.page(added(device, 'P1'));
  shop.server({ type: 'identify', ...device, userId: 'carol' }, 1);
  shop.page(added(device, 'P2'), 2);
  shop.page({ type: 'identify', ...device, userId: 'dan' }, 3);
  shop.page(added(device, 'P3'), 4);
  expect([shop.cart('carol'), shop.cart('dan')]).toEqual([['P1', 'P2'], ['P3']]);
  expect(shop.driver.count('millrace_merges_refused_total')).toBe(0);
});

test.each([
  ['an event', [added(carol, 'P1')]],
  ['an order', [{ event: 'Order Completed', ...carol, properties: { order_id: 'O1', products: [{ product_id: 'P0', quantity: 1, price: 1 }] } }, added(carol, 'P1')]],
  ['a login', [added({ anonymousId: 'device' }, 'P1'), { type: 'identify', anonymousId: 'device', ...carol }]],
])('an id that a page gave away before %s makes it a user’s is theirs from then on, and no erasure of the other reaches it', (_, calls) => {
  const shop = new Shop({ partitions: 4 });
  for (const claim of Object.values(claims)) shop.page(claim);
  calls.forEach((call, at) => shop.page(call, 1 + at));
  shop.page(added(carol, 'P2'), 10);
  expect([shop.recent('carol'), shop.cart('carol'), shop.recent('mallory'), shop.cart('mallory')]).toEqual([['P2', 'P1'], ['P1', 'P2'], [], []]);
  expect(shop.others('mallory')).toEqual([]);
  shop.erase('mallory', 20);
  expect(shop.driver.read(erasures)).toMatchObject([{ ids: ['mallory'] }]);
  expect(shop.cart('carol')).toEqual(['P1', 'P2']);
});

test('an order that comes without an event makes its customer a user, and the order is theirs', () => {
  const shop = new Shop({ partitions: 4 });
  for (const claim of Object.values(claims)) shop.page(claim);
  shop.driver.send(orders, 'O1', orderEvent('completed', 'O1', { ...carol, time: NINE + MINUTE, lines: [orderLine('P0', 1, 10_000n)] }));
  const boughtAt = (id: string): number => shop.driver.row('marketing-triggers', contacts, id)?.boughtAt ?? 0;
  expect([shop.profile('carol')?.bought, shop.profile('mallory')?.bought, boughtAt('carol'), boughtAt('mallory')]).toEqual([['P0'], [], NINE + MINUTE, 0]);
  expect(shop.profile('carol')).toMatchObject({ known: true });
});

test('a page that claims an order under the message id of the shop’s refund, or says anything under that of an erasure, keeps neither out', () => {
  const shop = new Shop({ partitions: 4 });
  const order = (more: object): object => ({ event: 'Order Completed', ...carol, properties: { order_id: 'O1', products: [{ product_id: 'P0', quantity: 1, price: 1 }] }, ...more });
  for (let twice = 0; twice < 2; twice++) shop.page(order({ messageId: 'refund-1' }));
  shop.server(order({ messageId: 'order-1' }), 1);
  shop.server(order({ event: 'Order Refunded', messageId: 'refund-1' }), 2);
  expect(shop.driver.read(sales).map(({ kind, quantity }) => [kind, quantity])).toEqual([['sale', 1], ['adjustment', 0], ['refund', -1]]);
  shop.page({ ...added(carol, 'P1'), messageId: 'erase-carol' }, 3);
  shop.server({ event: 'User Erased', ...carol, messageId: 'erase-carol' }, 4);
  expect(shop.profile('carol')).toBeUndefined();
});

test('an alias that is refused makes the id that it names a user’s as any event does', () => {
  const shop = new Shop({ partitions: 4 });
  shop.server(added({ userId: 'caroline' }, 'P1'));
  shop.page(claims['an alias']);
  shop.page({ type: 'alias', previousId: 'caroline', ...carol }, 1);
  expect([shop.profile('carol')?.events, shop.profile('mallory')?.events]).toEqual([1, 1]);
});

test('whenever a page claims her id, and however records fall into batches and tasks crash, what a new customer does is hers', () => {
  const first = [
    added({ anonymousId: 'device' }, 'P1'), { type: 'identify', anonymousId: 'device', ...carol }, added({ anonymousId: 'device', ...carol }, 'P2'), added({ anonymousId: 'device' }, 'P3'),
    { event: 'Order Completed', ...carol, properties: { order_id: 'O1', cart_id: 'other', products: [{ product_id: 'P4', quantity: 1, price: 1 }] } }, added(carol, 'P5'),
  ];
  const told = fc.array(fc.oneof(fc.constantFrom(...Object.values(claims)), fc.constant('run' as const)), { maxLength: 4 });
  fc.assert(fc.property(fc.record({
    partitions: fc.constantFrom(1, 4), batches: fc.infiniteStream(fc.integer({ min: 1, max: 9 })), crashes: fc.infiniteStream(fc.constantFrom(undefined, undefined, undefined, 'lost' as const, 'kept' as const)),
    between: fc.array(told, { minLength: first.length + 1, maxLength: first.length + 1 }),
  }), ({ partitions, batches, crashes, between }) => {
    const shop = new Shop({ partitions, batch: () => batches.next().value, crash: () => crashes.next().value });
    between.forEach((claimed, at) => {
      for (const claim of claimed) {
        if (claim === 'run') shop.driver.run();
        else shop.put(claim, at);
      }
      if (first[at]) shop.put(first[at], at);
    });
    shop.driver.run();
    expect([shop.recent('carol').sort(), shop.cart('carol'), shop.profile('carol')?.bought]).toEqual([['P1', 'P2', 'P3', 'P5'], ['P1', 'P2', 'P3', 'P5'], ['P4']]);
    expect([shop.recent('mallory'), shop.cart('mallory'), shop.profile('mallory')?.bought ?? [], shop.others('mallory')]).toEqual([[], [], [], []]);
    expect([shop.profile('carol')?.known, shop.others('carol')]).toEqual([true, ['device']]);
  }), { numRuns: 60 });
});

test('what a device or a user sent before the erasure and sends again brings nobody back; what they do after it is new', () => {
  const shop = new Shop({ partitions: 4 });
  const retried = [
    [{ event: 'Products Searched', ...carol, messageId: 'search', properties: { query: 'present for dan' } }, 1],
    [{ ...added({ anonymousId: 'device' }, 'P1'), messageId: 'cart' }, 2],
    [{ type: 'identify', anonymousId: 'device', ...carol, messageId: 'login' }, 3],
  ] as const;
  const send = (receivedAt: number): void => retried.forEach(([call, minute]) => shop.put({ ...call, timestamp: new Date(NINE + minute * MINUTE).toISOString() }, receivedAt));
  send(3);
  shop.driver.run();
  shop.erase('carol', 5);
  send(6);
  shop.driver.run();
  for (const id of ['carol', 'device']) for (const table of ['shoppers', 'marketing-triggers']) expect(shop.driver.dump(table).filter((row) => row.includes(`"${id}`))).toEqual([]);
  expect(shop.driver.read(interactions).filter(({ query }) => query !== null)).toHaveLength(1);
  expect(shop.driver.count('millrace_events_before_erasure_total')).toBe(3);
  shop.page(added({ anonymousId: 'device' }, 'P2'), 7);
  shop.page(added(carol, 'P3'), 8);
  send(9);
  shop.driver.run();
  expect([shop.recent('device'), shop.recent('carol')]).toEqual([['P2'], ['P3']]);
});

const yes = { event: 'Consent Updated', properties: { marketing: true } };
const no = { event: 'Consent Updated', properties: { marketing: false } };
const consents = (shop: Shop, id: string): unknown => [shop.profile(id)?.marketingConsent, shop.driver.row('marketing-triggers', contacts, id)?.consent ?? null];

test('a page says no yes to marketing for a known user, by whichever name it calls them', () => {
  const shop = new Shop({ partitions: 4 });
  shop.server(added(carol, 'P1'));
  shop.page({ ...yes, anonymousId: 'carol' }, 1);
  shop.page({ event: 'Product Viewed', anonymousId: 'carol', context: { consent: { marketing: true } }, properties: { product_id: 'P1' } }, 1);
  expect(consents(shop, 'carol')).toEqual([null, null]);
  shop.page({ ...yes, ...carol }, 2, 'carol');
  expect(consents(shop, 'carol')).toEqual([true, true]);
  shop.page({ ...no, anonymousId: 'carol' }, 3);
  expect(consents(shop, 'carol')).toEqual([false, false]);
});

test.each([
  ['an event', added(carol, 'P1')],
  ['an order', { event: 'Order Completed', ...carol, properties: { order_id: 'O1', products: [{ product_id: 'P0', quantity: 1, price: 1 }] } }],
  ['a login', { type: 'identify', anonymousId: 'device', ...carol }],
])('a yes that was said of an id before %s made it a user’s is gone, a no stays', (_, call) => {
  for (const [said, left] of [[yes, [null, null]], [no, [false, false]]] as const) {
    const shop = new Shop({ partitions: 4 });
    shop.page({ ...said, anonymousId: 'carol' });
    shop.server(call, 1);
    expect(consents(shop, 'carol')).toEqual(left);
  }
});

test('a device’s yes becomes a user’s with a login that is proven, and a no with any', () => {
  const after = (said: object, provenUser?: string): unknown => {
    const shop = new Shop({ partitions: 4 });
    shop.page({ ...said, anonymousId: 'device' });
    shop.page({ type: 'identify', anonymousId: 'device', ...carol }, 1, provenUser);
    return consents(shop, 'carol');
  };
  expect([after(yes), after(yes, 'mallory'), after(yes, 'carol'), after(no)]).toEqual([[null, null], [null, null], [true, true], [false, false]]);
});

test('a page’s titles stand in no trigger, be they a user’s own or come with a login; a shop’s own do, and those of who proves who they are', () => {
  const spam = { name: 'You have won! Claim at http://evil.example/x' };
  const shop = new Shop({ partitions: 4 });
  shop.page(added(carol, 'P1', spam));
  shop.page(added({ anonymousId: 'evil' }, 'P2', spam));
  shop.page({ event: 'Checkout Started', anonymousId: 'evil', properties: { products: [{ product_id: 'P2', ...spam }] } }, 1);
  shop.page({ type: 'identify', anonymousId: 'evil', ...carol }, 2);
  shop.server(added(carol, 'P3', { name: 'Tea' }), 3);
  shop.page(added(carol, 'P4', { name: 'Cup' }), 4, 'carol');
  shop.driver.tick(NINE + 2 * HOUR);
  expect(shop.driver.read(triggers).map(({ products }) => products.map(({ sku, name }) => [sku, name]).sort())).toEqual([[['P1', null], ['P2', null], ['P3', 'Tea'], ['P4', 'Cup']]]);
});

test('a shopper has no more open carts than a person, whichever ids they come by: an order looks at all of them', () => {
  const shop = new Shop({ partitions: 4 });
  for (const [at, anonymousId] of ['one', 'two'].entries()) {
    for (let cart = 0; cart < 120; cart++) shop.put(added({ anonymousId }, `P${cart}`, { cart_id: `${anonymousId}-${cart}` }), 30 * at + cart / 10);
    shop.put({ type: 'identify', anonymousId, ...carol }, 30 * at + 26);
  }
  shop.driver.run();
  const rows = (kind: string): string[] => shop.driver.dump('marketing-triggers').filter((row) => row.includes(`carol\\u001f${kind}\\u001f`));
  expect([rows('cart'), rows('cart').filter((row) => row.includes('two-')), rows('_timer\\u001fabandoned')].map(({ length }) => length)).toEqual([100, 100, 100]);
  shop.server({ event: 'Order Completed', ...carol, properties: { order_id: 'O1', products: [{ product_id: 'P1', quantity: 1, price: 1 }] } }, 60);
  expect(rows('cart')).toEqual([]);
});
