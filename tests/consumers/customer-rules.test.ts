import { describe, expect, test } from 'vitest';
import { marketingTriggers, type MarketingTriggerOptions } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { clickstream, deadLetters, marketingTriggers as triggers, orders } from '../../schemas/topics.js';
import type { OrderEvent } from '../../schemas/types.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, shopEvent } from '../support/events.js';

const OPTIONS: MarketingTriggerOptions = { abandonedAfterMs: HOUR, cap: { count: 0, windowMs: 7 * DAY }, consentByDefault: true, currency: 'EUR' };
const welcoming = { welcomesNew: true };
/** 500 EUR. */
const vips = { vipSpend: 5_000_000n };

function shop(options: Partial<MarketingTriggerOptions>, more: DriverOptions = {}): Driver {
  const driver = new Driver([shoppers(), orderLedger(), marketingTriggers({ ...OPTIONS, ...options })], more);
  driver.tick(NINE - MINUTE);
  return driver;
}

/** Somebody orders, for so many euros. */
const buys = (driver: Driver, userId: string, orderId: string, time: number, euros = 10, more: Partial<OrderEvent> = {}): void =>
  driver.send(orders, orderId, orderEvent('completed', orderId, { userId, time, lines: [orderLine(`P-${orderId}`, 1, BigInt(euros) * 10_000n)], ...more }));
const refunds = (driver: Driver, orderId: string, time: number): void => driver.send(orders, orderId, orderEvent('refunded', orderId, { time, messageId: `refund-${orderId}` }));
const becomes = (driver: Driver, anonymousId: string, userId: string, time: number): void =>
  driver.send(clickstream, userId, shopEvent('', { type: 'identify', anonymousId, userId, time, messageId: `${anonymousId} is ${userId}` }));
const told = (driver: Driver): string[] => driver.read(triggers).map(({ rule, shopper, status, reason }) => `${rule} ${shopper} ${status === 'suppressed' ? reason : status}`);

describe.each([1, 3])('who orders for the first time, on %i partition(s)', (partitions) => {
  test('is welcomed once, whatever they order after that, and what of before comes late', () => {
    const driver = shop(welcoming, { partitions });
    buys(driver, 'u1', 'O1', NINE);
    buys(driver, 'u1', 'O2', NINE + 1);
    driver.tick(NINE + MINUTE);
    buys(driver, 'u1', 'O0', NINE - HOUR);
    driver.tick(NINE + 400 * DAY);
    buys(driver, 'u1', 'O3', NINE + 400 * DAY);
    driver.tick(NINE + 401 * DAY);
    expect(driver.read(triggers)).toMatchObject([{ rule: 'new_customer_welcome', shopper: 'u1', status: 'fired', causeId: `order@${NINE}`, causedAt: NINE, at: NINE, reason: 'There was no order before this one.', products: [] }]);
  });

  test('as a guest is not welcomed again as the user they become, nor for an order of either id', () => {
    const driver = shop(welcoming, { partitions });
    buys(driver, 'u1', 'O1', NINE, 10, { userId: null, anonymousId: 'a1' });
    driver.tick(NINE + MINUTE);
    becomes(driver, 'a1', 'u1', NINE + 2 * MINUTE);
    buys(driver, 'u1', 'O2', NINE + 3 * MINUTE);
    buys(driver, 'u1', 'O3', NINE + 4 * MINUTE, 10, { userId: null, anonymousId: 'a1' });
    driver.tick(NINE + HOUR);
    expect(told(driver)).toEqual(['new_customer_welcome a1 fired']);
  });

  test('in quiet hours is welcomed in the morning, once for two ids that are joined, and not if one of them has ordered before', () => {
    const driver = shop({ ...welcoming, quietHours: { from: 21, to: 8, timezone: 'UTC' } }, { partitions });
    const night = Date.UTC(2026, 2, 2, 23);
    buys(driver, 'old', 'O0', NINE);
    driver.tick(NINE + MINUTE);
    driver.tick(night);
    for (const [index, [anonymousId, userId]] of [['a1', 'new'], ['a2', 'old'], ['a3', 'fresh']].entries()) {
      buys(driver, '', `A${index}`, night + MINUTE, 10, { userId: null, anonymousId: anonymousId! });
      if (userId === 'new') buys(driver, 'new', 'O1', night + 2 * MINUTE);
      becomes(driver, anonymousId!, userId!, night + 3 * MINUTE);
    }
    for (const minutes of [8, 4, 6]) buys(driver, 'late', `L${minutes}`, night + minutes * MINUTE);
    driver.tick(night + HOUR);
    expect(told(driver)).toEqual(['new_customer_welcome old fired']);
    // By ten past eight everybody has been told.
    driver.tick(Date.UTC(2026, 2, 3, 8, 10));
    expect(told(driver).slice(1).sort()).toEqual(['new_customer_welcome fresh fired', 'new_customer_welcome late fired', 'new_customer_welcome new fired']);
    for (const [who, minutes] of [['new', 1], ['late', 4]] as const) expect(driver.read(triggers).find(({ shopper }) => shopper === who)).toMatchObject({ causeId: `order@${night + minutes * MINUTE}` });
    expect(driver.dump('marketing-triggers').filter((row) => /welcome/.test(row))).toEqual([]);
  });
});

test('whoever is known first by a history, or by what they sent back, is no new customer; nothing is told of it', () => {
  const driver = shop(welcoming);
  driver.tick(NINE);
  buys(driver, 'u1', 'O1', NINE - 2 * DAY);
  driver.send(orders, 'C1', orderEvent('line', 'C1', { userId: 'u2', time: NINE, lines: [orderLine('P1', -1, 10_000n)] }));
  buys(driver, 'u3', 'O3', NINE - 23 * HOUR);
  driver.tick(NINE + MINUTE);
  for (const userId of ['u1', 'u2']) buys(driver, userId, `N-${userId}`, NINE + MINUTE);
  driver.tick(NINE + HOUR);
  expect(told(driver)).toEqual(['new_customer_welcome u3 fired']);
});

test('whoever ordered first while nobody was welcomed is not welcomed later; who may not be written to is not, either', () => {
  const off = shop({});
  buys(off, 'u1', 'O1', NINE);
  off.tick(NINE + HOUR);
  expect(told(off)).toEqual([]);
  const driver = shop({ ...welcoming, consentByDefault: false });
  buys(driver, 'u1', 'O1', NINE);
  driver.tick(NINE + MINUTE);
  driver.send(clickstream, 'u1', shopEvent('Consent Updated', { userId: 'u1', marketingConsent: true, time: NINE + 2 * MINUTE }));
  buys(driver, 'u1', 'O2', NINE + 3 * MINUTE);
  driver.tick(NINE + HOUR);
  expect(told(driver)).toEqual(['new_customer_welcome u1 opted_out']);
});

describe.each([1, 3])('a VIP, on %i partition(s)', (partitions) => {
  test('is told of when what was spent reaches the bar, and again only after it was below and is reached again', () => {
    const driver = shop(vips, { partitions });
    const on = (day: number, orderId: string, euros: number): void => {
      driver.tick(NINE + day * DAY - HOUR);
      buys(driver, 'u1', orderId, NINE + day * DAY, euros);
      driver.tick(NINE + day * DAY + MINUTE);
    };
    on(0, 'O1', 499);
    expect(told(driver)).toEqual([]);
    on(10, 'O2', 1);
    expect(driver.read(triggers)).toMatchObject([{ rule: 'vip', shopper: 'u1', status: 'fired', causeId: `order@${NINE + 10 * DAY}`, causedAt: NINE + 10 * DAY, at: NINE + 10 * DAY, reason: '500.00 EUR were spent in 365 days.', value: 5_000_000n, currency: 'EUR', products: [] }]);
    on(20, 'O3', 300);
    on(364, 'O4', 200);
    // The first order is 365 days old: 501 are left, and 202 when the third is.
    on(366, 'O5', 1);
    expect(told(driver)).toHaveLength(1);
    driver.tick(NINE + 376 * DAY);
    on(380, 'O6', 1);
    expect(told(driver)).toHaveLength(1);
    on(386, 'O7', 300);
    expect(told(driver)).toEqual(['vip u1 fired', 'vip u1 fired']);
    driver.tick(NINE + 800 * DAY);
    expect(driver.dump('marketing-triggers').filter((row) => /spent|expired/.test(row))).toEqual([]);
  });

  test('is below the bar when an order is given back, and told of again for the next one alone', () => {
    const driver = shop(vips, { partitions });
    buys(driver, 'u1', 'O1', NINE, 600);
    driver.tick(NINE + MINUTE);
    refunds(driver, 'O1', NINE + 2 * MINUTE);
    driver.tick(NINE + 3 * MINUTE);
    // It is older than what was told, and late.
    buys(driver, 'u1', 'O0', NINE - HOUR, 700);
    driver.tick(NINE + 4 * MINUTE);
    expect(told(driver)).toEqual(['vip u1 fired']);
    refunds(driver, 'O0', NINE + 5 * MINUTE);
    driver.tick(NINE + 6 * MINUTE);
    buys(driver, 'u1', 'O2', NINE + 7 * MINUTE, 600);
    driver.tick(NINE + 8 * MINUTE);
    expect(told(driver)).toEqual(['vip u1 fired', 'vip u1 fired']);
  });

  test('is none by what only a page says they ordered; once the shop reports it they are, told of once, whichever price and day either says', () => {
    for (const [price, time] of [[300, NINE], [299, NINE + 3 * MINUTE]] as const) {
      const driver = shop(vips, { partitions });
      buys(driver, 'u1', 'O1', NINE, 300, { confirmed: false });
      buys(driver, 'u1', 'O2', NINE + MINUTE, 250, { confirmed: false });
      driver.tick(NINE + 2 * MINUTE);
      buys(driver, 'u1', 'O1', time, price, { confirmed: true });
      driver.tick(NINE + 4 * MINUTE);
      expect(told(driver)).toEqual([]);
      for (let again = 0; again < 2; again++) buys(driver, 'u1', 'O2', NINE + MINUTE, 250, { confirmed: true });
      driver.tick(NINE + 5 * MINUTE);
      buys(driver, 'u1', 'O3', NINE + 6 * MINUTE, 10);
      driver.tick(NINE + 7 * MINUTE);
      expect(driver.read(deadLetters)).toEqual([]);
      expect(told(driver)).toEqual(['vip u1 fired']);
      expect(driver.read(triggers)[0]!.value).toBe(BigInt(price + 250) * 10_000n);
    }
  });

  test('is one also where the page claimed it for the device, of which some came back before the shop reported it for who it became', () => {
    const driver = shop(vips, { partitions });
    for (const [orderId, euros] of [['O1', 450], ['O2', 100]] as const) buys(driver, '', orderId, NINE, euros, { userId: null, anonymousId: 'a1', confirmed: false });
    driver.tick(NINE + MINUTE);
    becomes(driver, 'a1', 'u1', NINE + MINUTE);
    refunds(driver, 'O2', NINE + 2 * MINUTE);
    for (const [orderId, euros] of [['O1', 450], ['O2', 100]] as const) buys(driver, 'u1', orderId, NINE, euros, { confirmed: true });
    driver.tick(NINE + 3 * MINUTE);
    expect(told(driver)).toEqual([]);
    buys(driver, 'u1', 'O3', NINE + 4 * MINUTE, 50);
    driver.tick(NINE + HOUR);
    expect(told(driver)).toEqual(['vip u1 fired']);
  });

  test('is two ids that are one shopper, by what both have spent; what either was told of they are not told again', () => {
    const driver = shop(vips, { partitions });
    for (const [anonymousId, euros] of [['a1', 300], ['a2', 600], ['a3', 600]] as const) buys(driver, '', `A-${anonymousId}`, NINE, euros, { userId: null, anonymousId });
    buys(driver, 'u1', 'O1', NINE, 200);
    driver.tick(NINE + MINUTE);
    expect(told(driver).sort()).toEqual(['vip a2 fired', 'vip a3 fired']);
    driver.tick(NINE + 2 * DAY);
    becomes(driver, 'a1', 'u1', NINE + 2 * DAY);
    driver.tick(NINE + 2 * DAY + MINUTE);
    expect(told(driver).filter((one) => !one.includes(' a'))).toEqual(['vip u1 fired']);
    becomes(driver, 'a2', 'u2', NINE + 2 * DAY + 4 * MINUTE);
    buys(driver, 'u2', 'O2', NINE + 2 * DAY + 5 * MINUTE, 600);
    becomes(driver, 'a3', 'u3', NINE + 2 * DAY + 5 * MINUTE);
    driver.tick(NINE + 2 * DAY + 6 * MINUTE);
    refunds(driver, 'A-a3', NINE + 2 * DAY + 7 * MINUTE);
    driver.tick(NINE + 2 * DAY + 8 * MINUTE);
    buys(driver, 'u3', 'O3', NINE - MINUTE, 600);
    driver.tick(NINE + 2 * DAY + HOUR);
    expect(told(driver)).toHaveLength(3);
  });
});

test('what is spent in another currency does not count, nor does what is given back of an order that is not known', () => {
  const driver = shop(vips);
  buys(driver, 'u1', 'O1', NINE, 900, { currency: 'USD' });
  buys(driver, 'u1', 'O0', NINE - 366 * DAY, 400);
  driver.tick(NINE + MINUTE);
  refunds(driver, 'O0', NINE + 2 * MINUTE);
  expect(told(driver)).toEqual([]);
  buys(driver, 'u1', 'O2', NINE + 3 * MINUTE, 500);
  driver.tick(NINE + HOUR);
  expect(told(driver)).toEqual(['vip u1 fired']);
});

test('an order that the shop updates to another currency counts no longer, and one that it updates to its own does', () => {
  const driver = shop(vips);
  const becomesOf = (orderId: string, currency: string, time: number): void =>
    driver.send(orders, orderId, orderEvent('updated', orderId, { time, messageId: `update-${orderId}`, currency, lines: [orderLine(`P-${orderId}`, 1, 6_000_000n)] }));
  buys(driver, 'u1', 'O1', NINE, 600);
  buys(driver, 'u2', 'O2', NINE, 600, { currency: 'USD' });
  driver.tick(NINE + MINUTE);
  expect(told(driver)).toEqual(['vip u1 fired']);
  becomesOf('O1', 'USD', NINE + 2 * MINUTE);
  becomesOf('O2', 'EUR', NINE + 2 * MINUTE);
  driver.tick(NINE + 3 * MINUTE);
  buys(driver, 'u1', 'O3', NINE + 4 * MINUTE, 499);
  refunds(driver, 'O1', NINE + 5 * MINUTE);
  driver.tick(NINE + 6 * MINUTE);
  expect(told(driver)).toEqual(['vip u1 fired', 'vip u2 fired']);
  buys(driver, 'u1', 'O4', NINE + 7 * MINUTE, 1);
  driver.tick(NINE + HOUR);
  expect(told(driver)).toEqual(['vip u1 fired', 'vip u2 fired', 'vip u1 fired']);
});

test('orders of a history make VIPs without a trigger, by those of the last 365 days', () => {
  const driver = shop(vips);
  driver.tick(NINE);
  for (const [userId, first, second] of [['u1', 400, 100], ['u2', 200, 100]] as const) {
    buys(driver, userId, `${userId}-1`, NINE - first * DAY, 300);
    buys(driver, userId, `${userId}-2`, NINE - second * DAY, 300);
  }
  driver.tick(NINE + MINUTE);
  expect(told(driver)).toEqual(['vip u2 history']);
  // News, although what is told last is older.
  buys(driver, 'u3', 'u3-2', NINE + MINUTE, 300);
  buys(driver, 'u3', 'u3-1', NINE - 3 * DAY, 300);
  for (const userId of ['u1', 'u2']) buys(driver, userId, `${userId}-3`, NINE + MINUTE, 250);
  driver.tick(NINE + HOUR);
  expect(told(driver).sort()).toEqual(['vip u1 fired', 'vip u2 history', 'vip u3 fired']);
});

test('a login of a history makes a VIP of two ids without a trigger', () => {
  const driver = shop(vips);
  driver.tick(NINE);
  buys(driver, '', 'A1', NINE - 100 * DAY, 300, { userId: null, anonymousId: 'a1' });
  buys(driver, 'u1', 'O1', NINE - 100 * DAY, 300);
  becomes(driver, 'a1', 'u1', NINE - 99 * DAY);
  driver.tick(NINE + MINUTE);
  expect(told(driver)).toEqual(['vip u1 history']);
});

test('in quiet hours who is a VIP is decided in the morning', () => {
  const driver = shop({ ...vips, quietHours: { from: 21, to: 8, timezone: 'UTC' } });
  const night = Date.UTC(2026, 2, 2, 23);
  driver.tick(night);
  for (const userId of ['u1', 'u2']) buys(driver, userId, `O-${userId}`, night + MINUTE, 600);
  driver.tick(night + HOUR);
  refunds(driver, 'O-u2', night + 2 * HOUR);
  driver.tick(night + 3 * HOUR);
  expect(told(driver)).toEqual([]);
  driver.tick(Date.UTC(2026, 2, 3, 8, 10));
  expect(told(driver)).toEqual(['vip u1 fired']);
});

test('lines of an order add up; sums that money cannot say stop nobody', () => {
  const driver = shop(vips);
  const line = (userId: string, orderId: string, price: bigint): void =>
    driver.send(orders, orderId, orderEvent('line', orderId, { userId, time: NINE, messageId: `${orderId}-${price}`, lines: [orderLine('P1', 1, price)] }));
  for (const price of [3_000_000n, 2_000_000n]) line('u1', 'L1', price);
  for (let n = 1n; n <= 11n; n++) line('u2', 'L2', 10n ** 18n - n);
  line('u2', 'L3', 10n ** 18n - 1n);
  driver.tick(NINE + MINUTE);
  expect(driver.read(deadLetters)).toEqual([]);
  expect(driver.read(triggers)).toMatchObject([{ shopper: 'u1', value: 5_000_000n }, { shopper: 'u2', value: null, currency: null }]);
});

test('who ordered under two ids is to be won back by the latest order of both, once', () => {
  const driver = shop({ winBackAfterMs: 90 * DAY });
  buys(driver, '', 'A1', NINE, 10, { userId: null, anonymousId: 'a1' });
  driver.tick(NINE + 10 * DAY);
  buys(driver, 'u1', 'O1', NINE + 10 * DAY);
  driver.tick(NINE + 20 * DAY);
  becomes(driver, 'a1', 'u1', NINE + 20 * DAY);
  for (let day = 21; day < 200; day++) driver.tick(NINE + day * DAY);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'win_back', shopper: 'u1', causedAt: NINE + 10 * DAY, at: NINE + 100 * DAY, reason: 'There was no order for 90 days.' }]);
});

test('what was told of as due again is not told again for a purchase of another id that a login brings', () => {
  const driver = shop({});
  const tea = (who: Partial<OrderEvent>, day: number): void => {
    driver.tick(NINE + day * DAY);
    driver.send(orders, `T${day}`, orderEvent('completed', `T${day}`, { ...who, time: NINE + day * DAY, lines: [orderLine('TEA', 1, 1n)] }));
  };
  tea({ userId: 'u1' }, 0);
  tea({ anonymousId: 'a1' }, 5);
  for (const day of [10, 20]) tea({ userId: 'u1' }, day);
  driver.tick(NINE + 31 * DAY);
  becomes(driver, 'a1', 'u1', NINE + 31 * DAY);
  driver.tick(NINE + 60 * DAY);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'replenishment_due', shopper: 'u1', causeId: `TEA@${NINE + 20 * DAY}`, at: NINE + 30 * DAY }]);
});
