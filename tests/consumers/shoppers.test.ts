import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventWeight } from '../../consumers/event-weights.js';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import { aliases, aliasOf } from '../../consumers/shoppers/aliases.js';
import { clickstream, deadLetters, interactions, purchases, userMerges } from '../../schemas/topics.js';
import { keyOf } from '../../producers/collect.js';
import { Logins } from '../../producers/logins.js';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { carts } from '../../consumers/triggers/carts.js';
import { didWith } from '../../pipeline/serving/reasons.js';
import { joinConsent } from '../../consumers/consent.js';
import type { ShopEvent, UserProfile } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, product, purchase, shopEvent } from '../support/events.js';

const view = (sku: string, time: number, more: object = {}): ReturnType<typeof shopEvent> => shopEvent('Product Viewed', { anonymousId: 'a1', time, products: [product(sku)], ...more });
const CARTS = { abandonedAfterMs: HOUR, cap: { count: 0, windowMs: 7 * DAY }, consentByDefault: true, currency: 'EUR' };
/** Other ids that lead to a shopper. */
const others = (driver: Driver, id: string): string[] => [...new Set(driver.subs('shoppers', aliases, id).map(aliasOf))];
const profile = (driver: Driver, key = 'a1'): ReturnType<Driver['row']> & object => driver.row('shoppers', profiles, key)!;

test('a message sent twice within a day counts once; the same id a day later is another', () => {
  const driver = new Driver([shoppers()]);
  driver.send(clickstream, 'a1', view('P1', NINE, { messageId: 'x' }));
  for (const receivedAt of [NINE + 23 * HOUR, NINE + DAY, NINE + DAY + 1_000]) driver.send(clickstream, 'a1', view('P1', NINE, { messageId: 'x', receivedAt }), receivedAt);
  driver.send(clickstream, 'a1', view('P1', NINE + 3 * DAY, { messageId: 'x' }));
  expect(driver.read(interactions)).toHaveLength(3);
  expect(driver.count('millrace_duplicates_total')).toBe(2);
});

test('of the last 500 messages of a shopper one that is sent again is known', () => {
  for (const [others, counted] of [[498, 499], [499, 501]] as const) {
    const driver = new Driver([shoppers()]);
    for (let i = 0; i <= others; i++) driver.write(clickstream.name, 'a1', clickstream.codec.encode(view('P1', NINE, { messageId: `x${i}` })));
    driver.run();
    driver.send(clickstream, 'a1', view('P1', NINE, { messageId: 'x0' }));
    expect(driver.read(interactions)).toHaveLength(counted);
  }
});

test('lines of a file are touches each, as they stand; of a page that sends twice at once, one', () => {
  for (const [isFile, touches] of [[true, 2], [false, 1]] as const) {
    const driver = new Driver([shoppers()]);
    for (const ordinal of [0, 1]) driver.send(clickstream, 'a1', view('P1', NINE + ordinal * 1_000, { source: isFile ? { name: 'file', ordinal } : null }));
    expect(profile(driver)).toMatchObject({ recent: Array.from({ length: touches }, () => ({ sku: 'P1' })) });
  }
});

test('a refund alone makes nobody known', () => {
  const driver = new Driver([shoppers()]);
  driver.send(purchases, 'u1', purchase('u1', 'O', { kind: 'refunded', lines: [{ sku: 'P1', quantity: -1, price: 1n }] }));
  expect(driver.row('shoppers', profiles, 'u1')).toBeUndefined();
});

test('a writer of topics that counts in microseconds is told nothing of a crash: what it says came later than it was written, came then', () => {
  const driver = new Driver([shoppers()]);
  driver.send(clickstream, 'u1', shopEvent('Product Viewed', { userId: 'u1', receivedAt: NINE * 1_000, products: [product('P1')] }), NINE);
  driver.tick(NINE);
  driver.send(clickstream, 'u1', shopEvent('Product Viewed', { userId: 'u1', time: NINE + 1, receivedAt: NINE * 1_000, products: [product('P2')] }), NINE + 2);
  expect(driver.read(deadLetters)).toEqual([]);
  expect(driver.read(interactions).map(({ receivedAt }) => receivedAt).at(-1)).toBe(NINE + 2);
});

test('what happened a minute ahead of when it was written keeps its time: two clocks may differ by so much', () => {
  for (const [ahead, time] of [[MINUTE, NINE + MINUTE], [MINUTE + 1, NINE]] as const) {
    const driver = new Driver([shoppers()]);
    driver.tick(NINE);
    driver.send(clickstream, 'a1', view('P1', NINE + ahead), NINE);
    expect(driver.read(interactions)).toMatchObject([{ time }]);
  }
});

test.each([1, 4])('a login that many events carry is told once (%i partitions)', (partitions) => {
  const driver = new Driver([shoppers()], { partitions });
  for (let i = 0; i < 3; i++) driver.send(clickstream, 'a1', view(`P${i}`, NINE + i * MINUTE, { userId: 'u1', login: { messageId: 'm', time: NINE } }));
  expect(driver.read(userMerges)).toMatchObject([{ mergeId: 'm', from: 'a1', to: 'u1' }]);
  expect(profile(driver, 'u1')).toMatchObject({ events: 3 });
});

test('thirty minutes without an event end a session, by event time', () => {
  const driver = new Driver([shoppers()]);
  for (const [sku, time] of [['P1', NINE], ['P2', NINE + 30 * MINUTE], ['P3', NINE + 61 * MINUTE], ['P4', NINE + 40 * MINUTE]] as const) driver.send(clickstream, 'a1', view(sku, time));
  expect(driver.read(interactions).map(({ sessionStart, recent }) => [sessionStart, recent])).toEqual([
    [true, []], [false, ['P1']], [true, []], [false, ['P3']],
  ]);
  expect(profile(driver)).toMatchObject({ sessions: 2, events: 4, recent: [{ sku: 'P3' }, { sku: 'P4' }, { sku: 'P2' }, { sku: 'P1' }] });
});

test('a click, the page it leads to and the cart from there are one touch; a page viewed again, or much later, is another', () => {
  const driver = new Driver([shoppers()]);
  const say = (event: string, sku: string, minute: number): void => driver.send(clickstream, 'a1', shopEvent(event, { anonymousId: 'a1', time: NINE + minute * MINUTE, products: [product(sku)] }));
  const said = [['Product Viewed', 'P0', 0], ['Product Clicked', 'P1', 1], ['Product Viewed', 'P1', 1.1], ['Product Added', 'P1', 3], ['Product Viewed', 'P2', 4], ['Product Viewed', 'P2', 5], ['Product Added', 'P2', 20], ['Product Viewed', 'P1', 21]] as const;
  for (const [event, sku, minute] of said) say(event, sku, minute);
  expect(driver.read(interactions).map(({ recent, continues }) => [recent, continues])).toEqual([
    [[], null],
    [['P0'], null], [['P0'], 'Product Clicked'], [['P0'], 'Product Viewed'],
    [['P1', 'P0'], null], [['P2', 'P1', 'P0'], null], [['P2', 'P2', 'P1', 'P0'], null],
    [['P2', 'P2', 'P2', 'P1', 'P0'], null],
  ]);
  expect(profile(driver)).toMatchObject({ events: 8, recent: [{ sku: 'P1' }, { sku: 'P2' }, { sku: 'P2' }, { sku: 'P2' }, { sku: 'P1', event: 'Product Added', time: NINE + 3 * MINUTE }, { sku: 'P0' }] });
});

test('a touch is the same whichever of its events comes first', () => {
  fc.assert(fc.property(fc.shuffledSubarray(['Product Clicked', 'Product Viewed', 'Product Added'], { minLength: 3 }), (events) => {
    const driver = new Driver([shoppers()]);
    driver.send(clickstream, 'a1', view('P0', NINE));
    for (const [at, event] of events.entries()) driver.send(clickstream, 'a1', shopEvent(event, { anonymousId: 'a1', time: NINE + MINUTE + at, products: [product('P1')] }));
    expect(profile(driver)).toMatchObject({ recent: [{ sku: 'P1', event: 'Product Added' }, { sku: 'P0' }] });
    expect(driver.read(interactions).slice(1).every(({ recent }) => recent.join() === 'P0')).toBe(true);
  }), { numRuns: 6 });
});

test('an event of a touch that comes late leaves the touch when it was', () => {
  const driver = new Driver([shoppers()]);
  for (const [event, second] of [['Product Viewed', 60], ['Product Clicked', 50]] as const) driver.send(clickstream, 'a1', shopEvent(event, { anonymousId: 'a1', time: NINE + second * 1000, products: [product('P1')] }));
  expect(profile(driver)).toMatchObject({ events: 2, recent: [{ sku: 'P1', time: NINE + MINUTE }] });
});

test.each([false, true])('what a shopper had bought or dismissed before is said of what they touch; where they buy an item again (%s), what was dismissed alone', (repurchases) => {
  const driver = new Driver([shoppers({ repurchases })]);
  driver.send(purchases, 'a1', purchase('a1', 'o1', { lines: [{ sku: 'P1', quantity: 1, price: 0n }] }));
  driver.send(clickstream, 'a1', shopEvent('Recommendation Dismissed', { anonymousId: 'a1', time: NINE, products: [product('P2')] }));
  for (const sku of ['P1', 'P2', 'P3']) driver.send(clickstream, 'a1', view(sku, NINE + MINUTE));
  expect(driver.read(interactions).map(({ refused }) => refused)).toEqual([false, !repurchases, true, false]);
});

test('where nobody takes an item twice an event follows the whole history that is kept, each item once', () => {
  const driver = new Driver([shoppers({ repeats: false })]);
  for (let n = 0; n < 60; n++) driver.send(clickstream, 'a1', view(`P${n}`, NINE + n * HOUR));
  driver.send(clickstream, 'a1', view('P59', NINE + 60 * HOUR));
  driver.send(clickstream, 'a1', view('P60', NINE + 61 * HOUR));
  const contexts = driver.read(interactions).map(({ recent }) => recent);
  expect(contexts[2]).toEqual(['P1', 'P0']);
  expect(contexts.at(-1)).toEqual(Array.from({ length: 49 }, (_, at) => `P${59 - at}`));
});

test('an event whose order has a space around its id is refused by name, as that order is; an order of no id is none', () => {
  const driver = new Driver([shoppers()]);
  for (const orderId of ['O-1 ', 'O-1', '', null]) driver.send(clickstream, 'u1', shopEvent('Order Completed', { userId: 'u1', orderId, products: [product('P1')] }));
  expect(driver.read(deadLetters).map(({ message }) => message)).toEqual(['orderId cannot be used: "O-1 " begins or ends with a space.']);
  expect(driver.read(interactions).map(({ orderId }) => orderId)).toEqual(['O-1', '', null]);
});

test('placeholder ids are dead letters, and nobody has a profile under them (D03)', () => {
  const driver = new Driver([shoppers()]);
  const ids = ['undefined', '[object Object]', 'null', 'NaN', '', ' ', 'true', '0'];
  for (const id of ids) driver.send(clickstream, id, shopEvent('Product Viewed', { userId: id, products: [product('P1')] }));
  expect(driver.read(deadLetters).map(({ code }) => code)).toEqual(ids.map(() => 'bad_id'));
  expect(driver.read(interactions)).toEqual([]);
  for (const id of ids) expect(driver.row('shoppers', profiles, id)).toBeUndefined();
});

test('identify moves the anonymous profile, and what comes late at the old id follows', () => {
  const driver = new Driver([shoppers()], { partitions: 4 });
  driver.send(clickstream, 'a1', view('P1', NINE));
  driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + MINUTE }));
  driver.send(clickstream, 'a1', view('P2', NINE + 2 * MINUTE));
  expect(driver.row('shoppers', profiles, 'a1')).toBeUndefined();
  expect(profile(driver, 'u1')).toMatchObject({ known: true, events: 3, recent: [{ sku: 'P2' }, { sku: 'P1' }] });
  expect(others(driver, 'u1')).toEqual(['a1']);
  expect(driver.read(interactions).filter(({ products }) => products[0]?.sku === 'P2').map(({ shopper }) => shopper)).toEqual(['u1']);
});

test('a visit goes on through a login: what is viewed after it follows what was viewed before, in the same session', () => {
  const driver = new Driver([shoppers()], { partitions: 4 });
  const login = (time: number, anonymousId = 'a1'): void => driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId, userId: 'u1', time }));
  const said = (): unknown[] => driver.read(interactions).filter(({ products }) => products.length > 0).sort((a, b) => a.time - b.time).map(({ sessionId, sessionStart, recent }) => [sessionId, sessionStart, recent.join()]);
  ['A', 'B'].forEach((sku, at) => driver.send(clickstream, 'a1', view(sku, NINE + at * MINUTE)));
  login(NINE + 3 * MINUTE);
  driver.send(clickstream, 'u1', view('C', NINE + 4 * MINUTE, { userId: 'u1' }));
  driver.send(clickstream, 'a1', view('D', NINE + 33 * MINUTE));
  const id = `a1@${NINE}`;
  expect(said()).toEqual([[id, true, ''], [id, false, 'A'], [id, false, 'B,A'], [id, false, 'C,B,A']]);
  expect(profile(driver, 'u1')).toMatchObject({ sessions: 1, sessionId: id, sessionStart: NINE });
  // The next day on another device, which has looked at nothing yet; and an hour later on one that was last used in the morning.
  login(NINE + DAY, 'a2');
  driver.send(clickstream, 'u1', view('E', NINE + DAY + 1, { userId: 'u1', anonymousId: 'a2' }));
  driver.send(clickstream, 'a3', view('F', NINE + DAY + 2, { anonymousId: 'a3' }));
  login(NINE + DAY + HOUR, 'a3');
  driver.send(clickstream, 'u1', view('G', NINE + DAY + HOUR + 1, { userId: 'u1', anonymousId: 'a3' }));
  expect(said().slice(4)).toEqual([[`u1@${NINE + DAY + 1}`, true, ''], [`a3@${NINE + DAY + 2}`, true, ''], [`u1@${NINE + DAY + HOUR + 1}`, true, '']]);
});

test('the visit of a device is that of the user it is joined with where they were less than thirty minutes apart, whichever began first', () => {
  const visit = fc.record({ start: fc.integer({ min: 0, max: 90 }), minutes: fc.integer({ min: 0, max: 30 }) });
  fc.assert(fc.property(visit, visit, (own, devices) => {
    const driver = new Driver([shoppers()]);
    for (const [key, { start, minutes }] of [['u1', own], ['a1', devices]] as const) for (const at of [start, start + minutes]) driver.send(clickstream, key, view('P1', NINE + at * MINUTE, { anonymousId: key }));
    const [end, devicesEnd] = [own.start + own.minutes, devices.start + devices.minutes];
    const login = Math.max(end, devicesEnd);
    driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + login * MINUTE }));
    // What the user did under their own id more than thirty minutes before the login is over.
    const isOne = login - end <= 30 && Math.max(own.start, devices.start) - Math.min(end, devicesEnd) <= 30;
    const last = login - end > 30 || devices.start > own.start ? devices.start : own.start;
    expect(profile(driver, 'u1')).toMatchObject({ sessions: isOne ? 1 : 2, sessionStart: NINE + MINUTE * (isOne ? Math.min(own.start, devices.start) : last) });
  }), { numRuns: 200 });
});

/** Written in one go, as a batch is: nothing is read in between. Keys are those of the collector. */
function inOneGo(driver: Driver, events: readonly ShopEvent[]): void {
  const logins = new Logins();
  for (const value of events) {
    const call = { records: [{ topic: 'clickstream' as const, key: keyOf(value), value }] };
    const [placed] = logins.placed(call);
    driver.write(clickstream.name, placed!.key, clickstream.codec.encode(placed!.value as ShopEvent));
    logins.written(call);
  }
  driver.run();
}

const identified = (userId: string, time: number): ShopEvent => shopEvent('', { type: 'identify', anonymousId: 'a1', userId, time });
const said = (driver: Driver): unknown[] => driver.read(interactions).filter(({ products }) => products.length > 0).sort((a, b) => a.time - b.time).map(({ shopper, sessionId, sessionStart, recent }) => [shopper, sessionId, sessionStart, recent.join()]);

test.each([1, 4])('a login within one batch begins no second session, nor do the views behind it forget those before (%i partitions)', (partitions) => {
  const driver = new Driver([shoppers()], { partitions, batch: () => 1_000 });
  const mine = { userId: 'u1' };
  inOneGo(driver, [view('A', NINE), identified('u1', NINE + 1), view('B', NINE + 2, mine), view('C', NINE + 3, mine)]);
  // The page that is opened next says so again.
  inOneGo(driver, [identified('u1', NINE + MINUTE), view('D', NINE + MINUTE + 1, mine)]);
  const id = `a1@${NINE}`;
  expect(said(driver)).toEqual([['a1', id, true, ''], ['u1', id, false, 'A'], ['u1', id, false, 'B,A'], ['u1', id, false, 'C,B,A']]);
  expect(profile(driver, 'u1')).toMatchObject({ sessions: 1, events: 6, known: true, recent: ['D', 'C', 'B', 'A'].map((sku) => ({ sku })) });
  expect(others(driver, 'u1')).toEqual(['a1']);
});

test('who logs in within one batch on the device of another is told apart from them', () => {
  const driver = new Driver([shoppers()], { partitions: 4, batch: () => 1_000 });
  inOneGo(driver, [view('A', NINE), identified('u1', NINE + 1), view('B', NINE + 2, { userId: 'u1' }), identified('u2', NINE + 3), view('C', NINE + 4, { userId: 'u2' }), view('D', NINE + 5, { userId: 'u1' })]);
  // Its clock is behind: the device is u2's, and still this view is u3's.
  inOneGo(driver, [identified('u3', NINE - MINUTE), view('E', NINE - MINUTE + 1, { userId: 'u3' })]);
  const recent = (id: string): unknown => (driver.row('shoppers', profiles, id) as UserProfile).recent.map(({ sku }) => sku);
  expect([recent('u1'), recent('u2'), recent('u3')]).toEqual([['D', 'B', 'A'], ['C'], ['E']]);
});

test.each([1, 2, 4, 7])('what happened on a device between the logins of two people is the first one\'s, whichever way the events name them (%i partitions)', (partitions) => {
  for (const named of [true, false]) {
    for (const oneTime of [false, true]) {
      const driver = new Driver([shoppers(), marketingTriggers(CARTS)], { partitions, batch: () => 1_000 });
      const at = (ms: number): number => (oneTime ? NINE : NINE + ms);
      const by = (userId: string): { userId: string | null } => ({ userId: named ? userId : null });
      const added = (sku: string, time: number, more: Partial<ShopEvent>): ShopEvent => view(sku, time, { event: 'Product Added', ...more });
      inOneGo(driver, [view('A', at(0)), identified('u1', at(1)), added('B', at(2), by('u1')), identified('u2', at(3)), view('C', at(4), by('u2')), added('D', at(5), by('u2'))]);
      const skus = (id: string): string => (profile(driver, id) as UserProfile | undefined)?.recent.map(({ sku }) => sku).sort().join() ?? '';
      const cart = (id: string): string => (driver.row('marketing-triggers', carts, id, 'default')?.lines ?? []).map(({ sku }) => sku).join();
      expect([skus('u1'), skus('u2'), skus('a1'), cart('u1'), cart('u2'), cart('a1')]).toEqual(['A,B', 'C,D', '', 'B', 'D', '']);
    }
  }
});

test.each([1, 2, 4, 7])('two ids that are said to be each other are one shopper, who is no alias of themselves (%i partitions)', (partitions) => {
  const driver = new Driver([shoppers()], { partitions });
  const alias = (previousId: string, userId: string, time: number): void => { const event = shopEvent('', { type: 'alias', anonymousId: null, previousId, userId, time }); driver.send(clickstream, keyOf(event), event); };
  driver.send(clickstream, 'a', view('P1', NINE, { anonymousId: null, userId: 'a' }));
  driver.send(clickstream, 'b', view('P2', NINE + 1, { anonymousId: null, userId: 'b' }));
  alias('a', 'b', NINE + 2);
  expect(profile(driver, 'b')).toMatchObject({ recent: [{ sku: 'P2' }, { sku: 'P1' }] });
  expect(others(driver, 'b')).toEqual(['a']);
  alias('b', 'a', NINE + 3);
  driver.send(clickstream, 'a', view('P3', NINE + 4, { anonymousId: null, userId: 'a' }));
  driver.send(clickstream, 'b', view('P4', NINE + 5, { anonymousId: null, userId: 'b' }));
  const kept = ['a', 'b'].flatMap((id) => { const row = driver.row('shoppers', profiles, id); return row ? [[id, others(driver, id), row.recent.map(({ sku }) => sku).join()]] : []; });
  expect(driver.read(deadLetters)).toEqual([]);
  expect(kept).toEqual([['b', ['a'], 'P4,P3,P2,P1']]);
});

test.each([1, 2, 4, 7])('a device on which two people have logged in once is that of the one, then of the other, also for those who follow profiles (%i partitions)', (partitions) => {
  const driver = new Driver([shoppers(), marketingTriggers(CARTS)], { partitions, batch: () => 1_000 });
  const added = (sku: string, time: number): ShopEvent => view(sku, time, { event: 'Product Added' });
  inOneGo(driver, [added('A', NINE)]);
  inOneGo(driver, [identified('u1', NINE + 1), identified('u2', NINE + 2)]);
  inOneGo(driver, [added('B', NINE + 3)]);
  inOneGo(driver, [identified('u2', NINE + MINUTE), added('C', NINE + MINUTE + 1)]);
  const cart = (id: string): string => (driver.row('marketing-triggers', carts, id, 'default')?.lines ?? []).map(({ sku }) => sku).join();
  expect([cart('u1'), cart('u2'), cart('a1')]).toEqual(['A', 'B,C', '']);
});

test.each([1, 4])('a past visit that comes in one batch with its login counts as one, however many events it has (%i partitions)', (partitions) => {
  const driver = new Driver([shoppers()], { partitions, batch: () => 1_000 });
  driver.send(clickstream, 'u1', view('X', NINE + DAY, { userId: 'u1', anonymousId: 'other' }));
  inOneGo(driver, [view('A', NINE), identified('u1', NINE + 1), view('B', NINE + 2, { userId: 'u1' }), view('C', NINE + 3, { userId: 'u1' })]);
  driver.send(clickstream, 'u1', view('D', NINE + 4, { userId: 'u1', anonymousId: 'other' }));
  const id = `a1@${NINE}`;
  expect(said(driver).slice(0, 4).map((one) => (one as unknown[]).slice(1, 3))).toEqual([[id, true], [id, false], [id, false], [id, false]]);
  expect(profile(driver, 'u1')).toMatchObject({ sessions: 2, sessionId: `u1@${NINE + DAY}`, past: { id, start: NINE, lastSeen: NINE + 4 } });
});

test('events of the visit before that come late are of that visit', () => {
  const driver = new Driver([shoppers()]);
  for (const time of [0, MINUTE, 2 * HOUR, 2 * MINUTE, 3 * MINUTE, -DAY, -DAY + MINUTE]) driver.send(clickstream, 'a1', view('P1', NINE + time));
  expect(profile(driver)).toMatchObject({ sessions: 3, sessionId: `a1@${NINE + 2 * HOUR}` });
});

test.each(['u1', null])('events of the visit before that come late are of that visit after a login, too, which begins none (visit of %s)', (userId) => {
  const late = [view('P1', NINE + MINUTE, { userId }), view('P1', NINE + 2 * MINUTE, { userId })];
  const next = view('P2', NINE + 2 * HOUR + MINUTE, { userId: 'u1' });
  for (const following of [[...late, next], [next, ...late]]) {
    const driver = new Driver([shoppers()]);
    for (const event of [view('P1', NINE, { userId }), identified('u1', NINE + 2 * HOUR), ...following]) driver.send(clickstream, event.userId ?? 'a1', event);
    expect(profile(driver, 'u1')).toMatchObject({ sessions: 2, sessionId: `u1@${NINE + 2 * HOUR + MINUTE}`, past: { id: `${userId ?? 'a1'}@${NINE}` } });
  }
});

test('what comes late from before a login is no part of the visit that the login begins; what led to an order that ran ahead is one visit', () => {
  const driver = new Driver([shoppers()]);
  for (const event of [identified('u1', NINE + HOUR), view('P1', NINE, { userId: 'u1' }), view('P2', NINE + HOUR + MINUTE, { userId: 'u1' })]) driver.send(clickstream, 'u1', event);
  expect(profile(driver, 'u1')).toMatchObject({ sessions: 2, sessionId: `u1@${NINE + HOUR + MINUTE}`, past: { id: `u1@${NINE}` } });
  driver.send(purchases, 'u2', purchase('u2', 'O1', { time: NINE + HOUR }));
  for (const minute of [0, 20, 40, 60]) driver.send(clickstream, 'u2', view('P1', NINE + minute * MINUTE, { userId: 'u2' }));
  expect(profile(driver, 'u2')).toMatchObject({ sessions: 1, sessionId: `u2@${NINE}`, sessionStart: NINE, past: null });
});

test('what a device tells in a file after its login is taken, though it is sent on and comes after later lines; the file once more changes nothing', () => {
  const driver = new Driver([shoppers()], { partitions: 4, batch: () => 1_000 });
  const read = (): void => {
    const lines: [string, ShopEvent][] = [
      ['a1', view('A', NINE)], ['u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + MINUTE })], ['a1', view('B', NINE + 2 * MINUTE)],
      ['u1', view('C', NINE + 3 * MINUTE, { userId: 'u1' })], ['a1', view('D', NINE + 4 * MINUTE)], ['u1', view('E', NINE + 5 * MINUTE, { userId: 'u1' })],
    ];
    lines.forEach(([key, event], ordinal) => {
      driver.write(clickstream.name, key, clickstream.codec.encode({ ...event, source: { name: 'file', ordinal } }));
      // The first lines are read before the others come.
      if (ordinal === 1) driver.run();
    });
    driver.run();
  };
  read();
  const viewed = (): unknown[] => driver.read(interactions).flatMap(({ products }) => products.map(({ sku }) => sku)).sort();
  expect(viewed()).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(profile(driver, 'u1')).toMatchObject({ events: 6, recent: ['E', 'D', 'C', 'B', 'A'].map((sku) => ({ sku })) });
  read();
  expect(viewed()).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(driver.count('millrace_duplicates_total')).toBe(6);
});

test('a later identify of the same device moves nothing of the earlier shopper', () => {
  const driver = new Driver([shoppers()], { partitions: 4 });
  const identify = (userId: string, time: number): void => driver.send(clickstream, userId, shopEvent('', { type: 'identify', anonymousId: 'd1', userId, time }));
  driver.send(clickstream, 'd1', view('P1', NINE, { anonymousId: 'd1' }));
  identify('u1', NINE + MINUTE);
  identify('u2', NINE + 2 * MINUTE);
  driver.send(clickstream, 'd1', view('P2', NINE + 3 * MINUTE, { anonymousId: 'd1' }));
  expect(profile(driver, 'u1')).toMatchObject({ recent: [{ sku: 'P1' }] });
  expect(profile(driver, 'u2')).toMatchObject({ recent: [{ sku: 'P2' }] });
});

test('a no of a known user is not undone by what comes under other ids: neither by a merge nor by events that follow one', () => {
  const said = (anonymousId: string | null, userId: string | null, marketingConsent: boolean, time: number, type: ShopEvent['type'] = 'track'): void =>
    driver.send(clickstream, userId ?? anonymousId!, shopEvent(type === 'track' ? 'Consent Updated' : '', { type, anonymousId, userId, marketingConsent, time }));
  const driver = new Driver([shoppers()], { partitions: 4 });
  said(null, 'u1', false, NINE);
  said('a1', null, true, NINE + MINUTE);
  driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 2 * MINUTE }));
  said('a1', null, true, NINE + 3 * MINUTE);
  said('u1', null, true, NINE + 4 * MINUTE);
  expect(profile(driver, 'u1')).toMatchObject({ marketingConsent: false });
  said(null, 'u1', true, NINE + 5 * MINUTE);
  expect(profile(driver, 'u1')).toMatchObject({ marketingConsent: true });
  said('a1', null, false, NINE + 6 * MINUTE);
  expect(profile(driver, 'u1')).toMatchObject({ marketingConsent: false });
});

test('consent joined by merges does not depend on which came first', () => {
  const word = fc.record({ said: fc.constantFrom(true, false, null), at: fc.integer({ min: 1, max: 9 }) });
  fc.assert(fc.property(word, word, word, fc.boolean(), (own, one, other, isProven) => {
    const joined = (first: typeof one, second: typeof one): boolean | null => joinConsent(joinConsent(own, first, isProven), second, isProven).said;
    expect(joined(one, other)).toBe(joined(other, one));
    expect(own.said === false && joined(one, other)).toBe(false);
    expect(!isProven && own.said !== true && joined(one, other)).not.toBe(true);
  }));
});

test('what was bought or dismissed is remembered', () => {
  const driver = new Driver([shoppers()]);
  driver.send(clickstream, 'a1', shopEvent('Recommendation Dismissed', { anonymousId: 'a1', products: [product('P7')] }));
  driver.send(purchases, 'a1', purchase('a1', 'O1', { lines: [{ sku: 'P1', quantity: 1, price: 1n }, { sku: 'P2', quantity: -1, price: 1n }] }));
  expect(profile(driver)).toMatchObject({ dismissed: ['P7'], bought: ['P1'] });
});

test('the last 1,000 items bought and the last 1,000 dismissed are remembered; of long SKUs as many as a row may hold', () => {
  const driver = new Driver([shoppers()]);
  for (let order = 0; order < 12; order++) {
    const lines = Array.from({ length: 100 }, (_, line) => ({ sku: `P${order * 100 + line}`, quantity: 1, price: 1n }));
    driver.send(purchases, 'a1', purchase('a1', `O${order}`, { lines }));
    for (const { sku } of lines) driver.send(clickstream, 'a1', shopEvent('Recommendation Dismissed', { anonymousId: 'a1', products: [product(sku)] }));
  }
  const { bought, dismissed } = profile(driver) as UserProfile;
  for (const remembered of [bought, dismissed]) {
    expect(remembered).toHaveLength(1_000);
    expect(remembered.toSorted()).toEqual(Array.from({ length: 1_000 }, (_, n) => `P${n + 200}`).toSorted());
  }
  const long = (n: number): string => `${n}-`.padEnd(100, 'ü');
  for (let n = 0; n < 300; n++) driver.send(clickstream, 'a2', shopEvent('Recommendation Dismissed', { anonymousId: 'a2', products: [product(long(n))] }));
  const kept = (profile(driver, 'a2') as UserProfile).dismissed;
  expect(kept[0]).toBe(long(299));
  expect(Buffer.byteLength(kept.join(''))).toBeLessThanOrEqual(40_000);
  expect(Buffer.byteLength(kept.join(''))).toBeGreaterThan(39_000);
});

test('what was ordered and cancelled is not bought, what was refunded is', () => {
  const driver = new Driver([shoppers()]);
  const lines = (quantity: number, ...skus: string[]) => skus.map((sku) => ({ sku, quantity, price: 1n }));
  driver.send(purchases, 'a1', purchase('a1', 'O1', { lines: lines(1, 'P1', 'P2', 'P3') }));
  driver.send(purchases, 'a1', purchase('a1', 'O1', { kind: 'refunded', lines: lines(-1, 'P1') }));
  driver.send(purchases, 'a1', purchase('a1', 'O1', { kind: 'cancelled', lines: lines(-1, 'P2') }));
  expect(profile(driver)).toMatchObject({ bought: ['P1', 'P3'] });
});

test('a record without a value is counted and passed (D17)', () => {
  const driver = new Driver([shoppers()]);
  driver.send(clickstream, 'u1', view('P1', NINE));
  driver.write(clickstream.name, 'u2', null);
  driver.send(clickstream, 'u1', view('P2', NINE + MINUTE));
  expect(driver.read(interactions).map(({ products }) => products[0]!.sku)).toEqual(['P1', 'P2']);
  expect(driver.count('millrace_dead_letters_total')).toBe(1);
  // There are no bytes to repair: it is counted under the code `tombstone`, and no dead letter.
  expect(driver.read(deadLetters)).toEqual([]);
});

test('poison bytes become a dead letter that holds them whole', () => {
  const driver = new Driver([shoppers()]);
  const poison = [Buffer.from([9, 9, 9, 9, 9, 9]), Buffer.from([0, 0, 0, 0xff, 0xff, 1]), Buffer.concat([clickstream.codec.encode(view('P1', NINE)).subarray(0, 9)])];
  for (const value of poison) driver.write(clickstream.name, 'u1', value);
  driver.run();
  expect(driver.read(deadLetters).map(({ code, value }) => [code, value])).toEqual([['wrong_magic_byte', poison[0]], ['unknown_schema', poison[1]], ['undecodable', poison[2]]]);
});

test.each(['constructor', '__proto__', 'hasOwnProperty', 'toString', 'valueOf'])('an event that is named %s is one that means nothing', (event) => {
  const driver = new Driver([shoppers()]);
  driver.send(clickstream, 'a1', shopEvent(event, { anonymousId: 'a1', products: [product('P1')] }));
  expect(driver.read(deadLetters)).toEqual([]);
  expect(driver.read(interactions)).toMatchObject([{ event, recent: [] }]);
  expect([eventWeight(event), didWith(event)]).toEqual([0, didWith('Product Viewed')]);
});
