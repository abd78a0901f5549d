import fc from 'fast-check';
import { expect, test } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers as triggerRules } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import { contacts } from '../../consumers/triggers/contacts.js';
import { restOf, rowKey, TIMER } from '../../pipeline/core/rows.js';
import { clickstream, interactions, inventory, marketingTriggers, orders, purchases, userMerges } from '../../schemas/topics.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, product, purchase, shopEvent, stock } from '../support/events.js';

const TABLES = ['shoppers', 'item-watch', 'marketing-triggers'];
const shop = (forgetAfterMs = 400 * DAY, partitions = 1, options: DriverOptions = {}): Driver => new Driver([shoppers({ forgetAfterMs }), orderLedger(), itemWatch({ priceDropPercent: 10 }),
  triggerRules({ abandonedAfterMs: HOUR, browsedAfterMs: 2 * HOUR, quietHours: { from: 21, to: 8, timezone: 'UTC' }, highIntentPercent: 30, cap: { count: 0, windowMs: 0 }, consentByDefault: true, currency: 'EUR' })], { partitions, ...options });
const view = (id: string, time: number, more: object = {}) => shopEvent('Product Viewed', { anonymousId: id, time, products: [product('P1')], ...more });
/** Rows of a shopper in the tables. */
const rowsOf = (driver: Driver, id: string, tables = TABLES): number => tables.flatMap((table) => driver.dump(table)).filter((row) => row.includes(id)).length;
const days = (driver: Driver, from: number, to: number): void => { for (let day = from; day <= to; day++) driver.tick(NINE + day * DAY); };

test('who came once is gone after 400 days, and their message ids after one', () => {
  const driver = shop();
  driver.tick(NINE);
  const empty = TABLES.map((table) => driver.dump(table).length);
  for (let i = 0; i < 1_000; i++) driver.put(clickstream, `visitor-${i}`, view(`visitor-${i}`, NINE + i));
  driver.run();
  driver.tick(NINE + 2 * DAY);
  expect(driver.dump('shoppers').filter((row) => row.includes('\\u001fseen"'))).toEqual([]);
  expect(driver.row('shoppers', profiles, 'visitor-7')).toMatchObject({ events: 1 });
  driver.tick(NINE + 399 * DAY);
  expect(driver.row('shoppers', profiles, 'visitor-7')).toMatchObject({ events: 1 });
  driver.tick(NINE + 401 * DAY);
  // The shop's own rows of what visits lead to stay.
  expect([rowsOf(driver, 'visitor-'), driver.dump('shoppers').length - empty[0]!, driver.dump('item-watch').length - empty[1]!]).toEqual([0, 0, 0]);
});

test('whoever comes back is as they were, a message of today that is sent twice counts once, and their time begins anew', () => {
  const driver = shop();
  for (const day of [0, 300, 650]) {
    driver.tick(NINE + day * DAY);
    for (const at of [0, HOUR]) driver.send(clickstream, 'a', view('a', NINE + day * DAY, { messageId: `m${day}`, receivedAt: NINE + day * DAY }), NINE + day * DAY + at);
  }
  expect(driver.row('shoppers', profiles, 'a')).toMatchObject({ events: 3, sessions: 3 });
  driver.tick(NINE + (650 + 399) * DAY);
  expect(driver.row('shoppers', profiles, 'a')).toMatchObject({ events: 3 });
  driver.tick(NINE + (650 + 402) * DAY);
  expect(rowsOf(driver, '"a')).toBe(0);
});

test('what was dated back long ago is known again for a day, and goes then: nobody has been seen since', () => {
  const driver = shop();
  driver.tick(NINE);
  for (const at of [0, HOUR]) driver.send(clickstream, 'a', view('a', NINE - 900 * DAY, { messageId: 'm', receivedAt: NINE }), NINE + at);
  driver.tick(NINE + 23 * HOUR);
  driver.send(clickstream, 'a', view('a', NINE - 900 * DAY, { messageId: 'm', receivedAt: NINE }), NINE + 23 * HOUR);
  expect(driver.read(interactions)).toHaveLength(1);
  driver.tick(NINE + 2 * DAY);
  expect(rowsOf(driver, '"a', ['shoppers'])).toBe(0);
});

test('who has a user id or has ordered stays; with 0 everybody does', () => {
  const driver = shop();
  driver.tick(NINE);
  driver.send(clickstream, 'u', view('u', NINE, { anonymousId: null, userId: 'u' }));
  driver.send(clickstream, 'd', view('d', NINE));
  driver.send(clickstream, 'd', shopEvent('', { type: 'identify', anonymousId: 'd', userId: 'v', time: NINE + MINUTE }));
  driver.send(clickstream, 'o', view('o', NINE));
  driver.send(orders, 'O-1', orderEvent('completed', 'O-1', { anonymousId: 'o', lines: [orderLine('P1', 1, 10_000n)], time: NINE + MINUTE }));
  days(driver, 1, 3);
  driver.tick(NINE + 2_000 * DAY);
  expect(['u', 'v', 'o'].map((id) => driver.row('shoppers', profiles, id)?.events)).toEqual([1, 2, 1]);
  expect(driver.dump('shoppers').filter((row) => row.includes('\\u001fseen"') || row.includes('_timer'))).toEqual([]);
  const never = shop(0);
  never.tick(NINE);
  never.send(clickstream, 'a', view('a', NINE));
  never.tick(NINE + 4_000 * DAY);
  expect(never.row('shoppers', profiles, 'a')).toMatchObject({ events: 1 });
});

test('a visitor who waits for an item takes their place in its list along', () => {
  const driver = shop(400 * DAY, 4);
  driver.tick(NINE);
  driver.send(inventory, 'P8', stock('P8', 0, NINE));
  driver.send(clickstream, 'waiting-1', shopEvent('Back In Stock Subscribed', { anonymousId: 'waiting-1', products: [product('P8')] }));
  driver.tick(NINE + 100 * DAY);
  expect(rowsOf(driver, 'waiting-1', ['item-watch'])).toBeGreaterThan(0);
  driver.tick(NINE + 402 * DAY);
  expect(rowsOf(driver, 'waiting-1')).toBe(0);
});

test('lines of a file leave nobody behind, either', () => {
  const driver = shop();
  driver.tick(NINE);
  driver.send(clickstream, 'a', view('a', NINE, { source: { name: 'file', ordinal: 0 } }));
  driver.send(clickstream, 'a', view('a', NINE + MINUTE, { source: { name: 'file', ordinal: 1 } }));
  driver.tick(NINE + 402 * DAY);
  expect(rowsOf(driver, '"a')).toBe(0);
});

/** Rows under an id of its own, in tables of those who follow merges. */
const under = (driver: Driver, id: string): number => TABLES.flatMap((table) => driver.dump(table)).filter((row) => row.split(' ')[1]!.startsWith(`"${id}\\u001f`)).length;
const login = (device: string, user: string, time: number) => shopEvent('', { type: 'identify', anonymousId: device, userId: user, time, messageId: `${device}-${user}-${time}` });

test.each([1, 4])('where a device leads is forgotten 400 days after it was seen last, by all who follow it, and it is somebody new then: %i partitions', (partitions) => {
  const driver = shop(400 * DAY, partitions);
  driver.tick(NINE);
  driver.send(clickstream, 'dev', view('dev', NINE));
  driver.send(clickstream, 'dev', login('dev', 'user', NINE + MINUTE));
  expect(under(driver, 'dev')).toBe(3);
  driver.tick(NINE + 300 * DAY);
  driver.send(clickstream, 'dev', view('dev', NINE + 300 * DAY, { messageId: 'm300' }));
  driver.tick(NINE + 699 * DAY);
  driver.send(orders, 'O-1', orderEvent('completed', 'O-1', { anonymousId: 'dev', lines: [orderLine('P1', 1, 10_000n)], time: NINE + 699 * DAY }));
  expect([driver.row('shoppers', profiles, 'user'), driver.row('marketing-triggers', contacts, 'user')]).toMatchObject([{ events: 3, bought: ['P1'] }, { boughtAt: NINE + 699 * DAY }]);
  driver.tick(NINE + 1_098 * DAY);
  expect(under(driver, 'dev')).toBe(3);
  driver.tick(NINE + 1_100 * DAY);
  expect(under(driver, 'dev')).toBe(0);
  driver.send(clickstream, 'dev', view('dev', NINE + 1_100 * DAY, { messageId: 'm1100' }));
  expect([driver.row('shoppers', profiles, 'dev')?.events, driver.row('shoppers', profiles, 'user')?.events]).toEqual([1, 3]);
});

test('a device that was heard of no more after its login is forgotten by all, too, though time came later than the login', () => {
  const driver = shop();
  driver.tick(NINE);
  // Ticks are a moment behind: the login is of a time that its task does not know yet.
  driver.send(clickstream, 'dev', login('dev', 'user', NINE + MINUTE));
  driver.tick(NINE + 402 * DAY);
  expect(under(driver, 'dev')).toBe(0);
  driver.send(clickstream, 'dev', view('dev', NINE + 402 * DAY, { marketingConsent: false }));
  expect(['dev', 'user'].map((id) => driver.row('marketing-triggers', contacts, id)?.consent)).toEqual([false, undefined]);
});

test('a trail of a time when none was forgotten goes when its device logs in again', () => {
  const driver = shop();
  driver.tick(NINE);
  driver.send(clickstream, 'dev', login('dev', 'user', NINE));
  const users = driver.openStore('user-profiles', 0);
  users.apply([{ key: rowKey('dev', restOf(TIMER, '_unseen')), value: null }], users.position);
  driver.tick(NINE + 300 * DAY);
  driver.send(clickstream, 'dev', login('dev', 'user', NINE + 300 * DAY));
  driver.tick(NINE + 699 * DAY);
  expect(under(driver, 'dev')).toBe(3);
  driver.tick(NINE + 702 * DAY);
  expect(under(driver, 'dev')).toBe(0);
});

test('a device that logs in again before it is told that its trail was forgotten leads on, and an erasure leaves no timer of it', () => {
  const driver = shop();
  driver.tick(NINE);
  // A login is dated a little ahead of the time of the tasks that take it.
  for (const id of ['dev', 'old', 'busy']) driver.send(clickstream, id, login(id, 'user', NINE + 1_500));
  driver.put(clickstream, 'busy', login('busy', 'user', NINE + 402 * DAY));
  driver.tick(NINE + 402 * DAY);
  expect(['dev', 'old', 'busy'].map((id) => under(driver, id))).toEqual([0, 0, 3]);
  driver.send(clickstream, 'dev', login('dev', 'user', NINE + 402 * DAY));
  driver.send(userMerges, 'dev', driver.read(userMerges).find(({ from, forgotten }) => from === 'dev' && forgotten)!);
  driver.send(clickstream, 'dev', view('dev', NINE + 402 * DAY));
  expect([driver.row('shoppers', profiles, 'dev'), driver.row('shoppers', profiles, 'user')?.events]).toEqual([undefined, 6]);
  expect(under(driver, 'dev')).toBe(3);
  driver.send(clickstream, 'user', shopEvent('User Erased', { userId: 'user', time: NINE + 402 * DAY }), NINE + 402 * DAY);
  driver.tick(NINE + 404 * DAY);
  expect([under(driver, 'dev'), under(driver, 'busy'), under(driver, 'user')]).toEqual([0, 0, 0]);
});

test('what a visitor said of marketing, and their time zone, go with them; who came back keeps their no', () => {
  const driver = shop();
  driver.tick(NINE);
  for (const id of ['gone', 'back', 'late']) driver.send(clickstream, id, view(id, NINE, { marketingConsent: false, timezone: 'Asia/Tokyo' }));
  driver.send(clickstream, 'u', view('u', NINE, { anonymousId: null, userId: 'u', marketingConsent: false }));
  driver.tick(NINE + 399 * DAY);
  driver.send(clickstream, 'back', view('back', NINE + 399 * DAY, { messageId: 'm399' }));
  expect(driver.row('marketing-triggers', contacts, 'gone')).toMatchObject({ consent: false, timezone: 'Asia/Tokyo' });
  driver.tick(NINE + 402 * DAY);
  // Here again before it was told that they are forgotten.
  driver.send(clickstream, 'late', view('late', NINE + 402 * DAY, { messageId: 'm402', marketingConsent: false }));
  const [forgotten] = driver.read(userMerges).filter(({ from }) => from === 'late');
  driver.send(userMerges, 'late', forgotten!);
  const contactsOf = ['gone', 'back', 'late', 'u'].map((id) => driver.row('marketing-triggers', contacts, id)?.consent);
  expect(contactsOf).toEqual([undefined, false, false, false]);
  expect(rowsOf(driver, '"gone')).toBe(0);
});

test('what was not bought for a year is kept no longer, nor what was due and told; what was bought again is', () => {
  const driver = shop();
  const kept = (): string[] => driver.dump('marketing-triggers').flatMap((row) => /replenish[a-z]*\\u001f(\w+)"|_timer\\u001funbought\\u001f(\w+)"/.exec(row)?.slice(1).filter(Boolean) ?? []);
  const buys = (sku: string, day: number): void => driver.send(purchases, 'u', purchase('u', `${sku}-${day}`, { time: NINE + day * DAY, lines: [{ sku, quantity: 1, price: 1n }] }), NINE + day * DAY);
  driver.tick(NINE);
  for (const sku of ['ONCE', 'TEA', 'AGAIN']) buys(sku, 0);
  for (const day of [10, 20]) {
    driver.tick(NINE + day * DAY);
    buys('TEA', day);
  }
  expect(kept().sort()).toEqual(['AGAIN', 'AGAIN', 'ONCE', 'ONCE', 'TEA', 'TEA', 'TEA']);
  driver.tick(NINE + 31 * DAY);
  expect(driver.read(marketingTriggers).map(({ rule, products }) => [rule, products[0]?.sku])).toEqual([['replenishment_due', 'TEA']]);
  driver.tick(NINE + 300 * DAY);
  buys('AGAIN', 300);
  driver.tick(NINE + 365 * DAY);
  expect([...new Set(kept())].sort()).toEqual(['AGAIN', 'ONCE', 'TEA']);
  driver.tick(NINE + 387 * DAY);
  expect([...new Set(kept())]).toEqual(['AGAIN']);
  driver.tick(NINE + 667 * DAY);
  expect(kept()).toEqual([]);
});

test('purchases of years ago, which a file tells in one go, do not go in one go', () => {
  const driver = shop();
  driver.tick(NINE);
  const lines = Array.from({ length: 400 }, (_, i) => ({ sku: `P${i}`, quantity: 1, price: 1n }));
  driver.send(purchases, 'u', purchase('u', 'O', { time: NINE - 900 * DAY, kind: 'line', source: { name: 'file', ordinal: 0 }, lines }), NINE);
  const kept = (hours: number): number => {
    driver.tick(NINE + hours * HOUR);
    return driver.dump('marketing-triggers').filter((row) => row.includes('\\u001freplenishment\\u001f')).length;
  };
  expect(kept(24)).toBe(400);
  const counts = [30, 36, 42].map(kept);
  [300, 200, 100].forEach((usual, i) => expect(Math.abs(counts[i]! - usual)).toBeLessThan(50));
  expect(kept(48)).toBe(0);
});

test('purchases of a file on the wall’s clock make the rhythm that they had, though the first of them are years old', () => {
  const driver = shop();
  driver.tick(NINE);
  for (const day of [-900, -600, -300]) {
    driver.send(purchases, 'u', purchase('u', `O${day}`, { time: NINE + day * DAY + HOUR, kind: 'line', source: { name: 'file', ordinal: day + 900 }, lines: [{ sku: 'TEA', quantity: 1, price: 1n }] }));
    driver.tick(NINE + (day + 900) * MINUTE / 300);
  }
  driver.tick(NINE + 2 * HOUR);
  expect(driver.read(marketingTriggers)).toMatchObject([{ rule: 'replenishment_due', status: 'fired', products: [{ sku: 'TEA' }] }]);
});

test('crash anywhere equals no crash, and any batching equals one batch, also of what is forgotten and of who comes back', () => {
  const visit = fc.record({ id: fc.constantFrom('a', 'b', 'c'), day: fc.constantFrom(0, 1, 399, 401, 402, 803), what: fc.constantFrom('view', 'no', 'login', 'order'), user: fc.constantFrom('u', 'v') });
  type Visit = typeof visit extends fc.Arbitrary<infer V> ? V : never;
  const play = (visits: readonly Visit[], options: DriverOptions): unknown => {
    const driver = shop(400 * DAY, 2, options);
    driver.tick(NINE);
    for (const day of [0, 1, 399, 401, 402, 803, 1_300]) {
      driver.tick(NINE + day * DAY);
      visits.filter((one) => one.day === day).forEach(({ id, what, user }, i) => {
        const time = NINE + day * DAY + i;
        if (what === 'login') driver.put(clickstream, id, login(id, user, time));
        else if (what === 'order') driver.put(orders, `${id}-${time}`, orderEvent('completed', `${id}-${time}`, { anonymousId: id, messageId: `o${id}${time}`, lines: [orderLine('P1', 1, 1n)], time }));
        else driver.put(clickstream, id, view(id, time, { messageId: `m${id}${time}`, marketingConsent: what === 'no' ? false : null }));
      });
      driver.run();
    }
    // Two that follow the same merges agree on where ids lead.
    const [here, there] = ['shoppers', 'marketing-triggers'].map((table) => driver.dump(table).flatMap((row) => /"([abc])\\u001f_redirect"/.exec(row)?.[1] ?? []));
    expect(there).toEqual(here);
    return TABLES.map((table) => driver.dump(table).filter((row) => !row.includes('_progress')));
  };
  fc.assert(fc.property(fc.array(visit, { maxLength: 12 }), fc.infiniteStream(fc.integer({ min: 0, max: 9 })), fc.infiniteStream(fc.integer({ min: 1, max: 20 })), (visits, dice, sizes) => {
    const smooth = play(visits, {});
    expect(play(visits, { crash: () => { const die = dice.next().value; return die === 0 ? 'lost' : die === 1 ? 'kept' : undefined; } })).toEqual(smooth);
    expect(play(visits, { batch: () => sizes.next().value })).toEqual(smooth);
  }), { numRuns: 30 });
});
