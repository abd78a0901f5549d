import fc from 'fast-check';
import { expect, test } from 'vitest';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import { worthOfAll } from '../../consumers/orders/worth.js';
import { contacts } from '../../consumers/triggers/contacts.js';
import { spendings } from '../../consumers/triggers/spending.js';
import { rows } from '../../pipeline/core/rows.js';
import { erasureOf } from '../../pipeline/erasure.js';
import { clickstream, confirmedPurchases, deadLetters, marketingTriggers as triggers, orders, purchases, sales } from '../../schemas/topics.js';
import type { OrderEvent, OrderState } from '../../schemas/types.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, purchase, shopEvent } from '../support/events.js';

/** VIPs have spent 500 EUR. */
const rules = () => marketingTriggers({ abandonedAfterMs: HOUR, cap: { count: 0, windowMs: 0 }, consentByDefault: true, currency: 'EUR', vipSpend: 5_000_000n });

function shop(partitions = 3, options: DriverOptions = {}): Driver {
  const driver = new Driver([shoppers(), orderLedger(), rules()], { partitions, ...options });
  driver.tick(NINE - MINUTE);
  return driver;
}

/** A report of O1: units of P1 at 100 EUR. */
const report = (driver: Driver, kind: OrderEvent['kind'], minute: number, units: number, more: Partial<OrderEvent> = {}): void =>
  driver.send(orders, 'O1', orderEvent(kind, 'O1', { time: NINE + minute * MINUTE, lines: [orderLine('P1', units, 1_000_000n)], ...more }));
const spent = (driver: Driver): bigint | undefined => driver.row('marketing-triggers', spendings, 'u1', 'O1')?.amount;
const told = (driver: Driver): string[] => driver.read(triggers).map(({ rule, status, causeId }) => `${rule} ${status} ${causeId}`);

test.each([true, false])('an order that is updated has cost what it came to then, and its refund gives that back (the shop told it first: %s)', (confirmed) => {
  const driver = shop();
  report(driver, 'completed', 0, 1, { userId: 'u1', confirmed });
  report(driver, 'updated', 1, 6);
  driver.tick(NINE + HOUR);
  expect([spent(driver), told(driver)]).toEqual([6_000_000n, [`vip fired order@${NINE}`]]);
  report(driver, 'refunded', 61, 2);
  expect(spent(driver)).toBe(4_000_000n);
  report(driver, 'updated', 62, 4, { total: 3_500_000n, discount: 500_000n });
  report(driver, 'cancelled', 63, 0, { lines: [] });
  expect(spent(driver)).toBe(0n);
});

test('an order that becomes one of another currency is none of the shop\'s, and was none until it came back', () => {
  const driver = shop();
  report(driver, 'completed', 0, 6, { userId: 'u1' });
  report(driver, 'updated', 1, 6, { currency: 'USD' });
  expect(spent(driver)).toBe(0n);
  report(driver, 'updated', 2, 6);
  expect(spent(driver)).toBe(6_000_000n);
});

test('who becomes a VIP by the first order is told of, where it came by way of a former id and the purchase after it', () => {
  const driver = new Driver([rules()]);
  driver.tick(NINE - MINUTE);
  const first = purchase('u1', 'O1', { known: true, revenue: 6_000_000n });
  driver.send(confirmedPurchases, 'u1', first);
  driver.tick(NINE + MINUTE);
  driver.send(purchases, 'u1', first);
  driver.tick(NINE + HOUR);
  expect(told(driver)).toEqual([`vip fired order@${NINE}`]);
});

test.each([1, 3])('what a device claimed and the shop reports as its user\'s has been bought by them, whenever the device was joined (%i partitions)', (partitions) => {
  for (const joinedAt of [1, 4]) for (const reportedAt of [2, 3]) {
    const driver = shop(partitions);
    const join = (): void => driver.send(clickstream, 'device', shopEvent('', { type: 'identify', anonymousId: 'device', userId: 'u1', time: NINE + joinedAt * MINUTE }));
    if (joinedAt === 1) join();
    report(driver, 'completed', 3, 1, { anonymousId: 'device', confirmed: false });
    report(driver, 'completed', reportedAt, 1, { userId: 'u1' });
    if (joinedAt === 4) join();
    expect(driver.row('shoppers', profiles, 'u1')?.bought).toEqual(['P1']);
    report(driver, 'cancelled', 5, 0, { lines: [] });
    expect(driver.row('shoppers', profiles, 'u1')?.bought).toEqual([]);
  }
});

test('a cancellation that was on its way when its shopper was erased brings no row of theirs back', () => {
  const driver = shop();
  report(driver, 'completed', 0, 1, { userId: 'u1' });
  driver.send(clickstream, 'u1', erasureOf('u1', NINE + MINUTE));
  driver.send(purchases, 'u1', purchase('u1', 'O1', { kind: 'cancelled', time: NINE + 2 * MINUTE, lines: [{ sku: 'P1', quantity: -1, price: 1_000_000n }] }));
  driver.tick(NINE + 500 * DAY);
  expect(driver.dump('shoppers').filter((row) => row.includes('"u1'))).toEqual([]);
});

const states = rows<OrderState>('', 'OrderState');

test('whatever pages claim and the shop reports of three orders under three ids of one shopper, they have spent what the books have, and are told of once', () => {
  const step = fc.record({
    what: fc.constantFrom('completed', 'claimed', 'completed', 'updated', 'refunded', 'cancelled', 'joined', 'tick'), orderId: fc.constantFrom('O1', 'O2', 'O3'), who: fc.constantFrom('u1', 'one', 'two'),
    sku: fc.constantFrom('A', 'B'), units: fc.constantFrom(1, 2), euros: fc.integer({ min: 1, max: 500 }), isWhole: fc.boolean(), runs: fc.boolean(),
  });
  fc.assert(fc.property(fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 12 }), partitions: fc.constantFrom(1, 3), batches: fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
    crashes: fc.infiniteStream(fc.constantFrom(undefined, undefined, undefined, 'lost' as const, 'kept' as const)),
  }), ({ steps, partitions, batches, crashes }) => {
    const driver = shop(partitions, { batch: () => batches.next().value, crash: () => crashes.next().value });
    const join = (anonymousId: string, time: number): void => driver.put(clickstream, anonymousId, shopEvent('', { type: 'identify', anonymousId, userId: 'u1', time }));
    steps.forEach(({ what, orderId, who, sku, units, euros, isWhole, runs }, at) => {
      const time = NINE + at * MINUTE;
      if (what === 'tick') driver.tick(time);
      else if (what === 'joined') join(who === 'u1' ? 'one' : who, time);
      else {
        const lines = isWhole && (what === 'refunded' || what === 'cancelled') ? [] : [orderLine(sku, units, BigInt(euros) * 10_000n)];
        driver.put(orders, orderId, orderEvent(what === 'claimed' ? 'completed' : what, orderId, { time, confirmed: what !== 'claimed', ...(who === 'u1' ? { userId: who } : { anonymousId: who }), lines }));
      }
      if (runs) driver.run();
    });
    for (const hour of [1, 2]) driver.tick(NINE + hour * HOUR);
    for (const device of ['one', 'two']) join(device, NINE + 2 * HOUR);
    driver.run();
    driver.tick(NINE + 3 * HOUR);
    let all = 0n;
    for (const orderId of ['O1', 'O2', 'O3']) {
      const state = driver.row('order-ledger', states, orderId);
      const worth = state?.complete && state.confirmed ? worthOfAll(state.lines) : 0n;
      expect([orderId, driver.row('marketing-triggers', spendings, 'u1', orderId)?.amount ?? 0n]).toEqual([orderId, worth]);
      all += worth;
    }
    expect(driver.row('marketing-triggers', contacts, 'u1')?.isVip ?? false).toBe(all >= 5_000_000n);
    const ids = driver.read(triggers).map(({ id }) => id);
    expect([new Set(ids).size, all < 5_000_000n || ids.length > 0, driver.read(deadLetters)]).toEqual([ids.length, true, []]);
  }), { numRuns: 100 });
});

test('whatever a page claims of an order, and whenever, the books are what the shop alone has said: a refund that the claim could not hold is booked once the shop\'s own report is there', () => {
  const step = fc.record({
    what: fc.constantFrom('completed', 'claimed', 'claimed', 'updated', 'refunded', 'money', 'cancelled'), sku: fc.constantFrom('A', 'B'), units: fc.constantFrom(1, 2, 3), euros: fc.integer({ min: 1, max: 5 }), isWhole: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
    fc.pre(steps.some(({ what }) => what === 'completed' || what === 'updated'));
    const play = (claims: boolean): unknown => {
      const driver = new Driver([orderLedger()]);
      driver.tick(NINE);
      steps.forEach(({ what, sku, units, euros, isWhole }, at) => {
        if (what === 'claimed' && !claims) return;
        const kind = what === 'claimed' ? 'completed' : what === 'money' ? 'refunded' : what;
        const isAll = what === 'money' || (isWhole && (what === 'refunded' || what === 'cancelled'));
        driver.send(orders, 'O1', orderEvent(kind, 'O1', {
          time: NINE + at * MINUTE, messageId: `m${at}`, userId: 'u1', confirmed: what !== 'claimed', total: what === 'money' ? BigInt(euros) * 10_000n : null, lines: isAll ? [] : [orderLine(sku, units, BigInt(euros) * 10_000n)],
        }));
      });
      const [sold, bought] = [driver.read(sales), driver.read(purchases)];
      const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n);
      return {
        ...Object.fromEntries(['A', 'B'].map((sku) => [sku, {
          units: sold.filter((sale) => sale.sku === sku).reduce((units, { quantity }) => units + quantity, 0), claimed: sold.filter((sale) => sale.sku === sku).reduce((units, { claimed }) => units + claimed, 0),
          back: sum(sold.filter((sale) => sale.sku === sku && (sale.kind === 'refund' || sale.kind === 'cancellation')).map(({ amount }) => amount)), net: sum(sold.filter((sale) => sale.sku === sku).map(({ amount }) => amount)),
        }])),
        bought: steps.some(({ what }) => what === 'updated') || sum(bought.map(({ revenue }) => revenue)), letters: driver.read(deadLetters).length,
      };
    };
    expect(play(true)).toEqual(play(false));
  }), { numRuns: 500 });
});

test('an order that a page has claimed in another currency is booked as the shop reports it, with what was given back of it', () => {
  const driver = shop();
  report(driver, 'completed', 0, 1, { userId: 'u1', confirmed: false, currency: 'USD' });
  report(driver, 'refunded', 1, 0, { lines: [], currency: '', total: 300_000n });
  report(driver, 'completed', 2, 1, { userId: 'u1' });
  const net = (currency: string): bigint => driver.read(sales).filter((sale) => sale.currency === currency).reduce((sum, { amount }) => sum + amount, 0n);
  expect([net('USD'), net('EUR'), driver.read(deadLetters)]).toEqual([0n, 700_000n, []]);
});
