import { expect, test } from 'vitest';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { replenishments } from '../../consumers/triggers/replenishment.js';
import { shopDays } from '../../pipeline/core/shop-day.js';
import { clickstream, marketingTriggers as triggers, orders } from '../../schemas/topics.js';
import type { OrderEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, shopEvent } from '../support/events.js';

const shop = (timeZone = 'UTC', quietHours?: { from: number; to: number; timezone: string }): Driver => {
  const driver = new Driver([shoppers(), orderLedger(), marketingTriggers({ abandonedAfterMs: HOUR, cap: { count: 0, windowMs: 0 }, consentByDefault: true, currency: 'EUR', days: shopDays(timeZone), quietHours })], { clock: 'file' });
  driver.tick(NINE - 400 * DAY);
  return driver;
};

const tea = (units: number, price = 30_000n): OrderEvent['lines'][number] => orderLine('TEA', units, price);

const buys = (driver: Driver, id: string, time: number, lines = [tea(1)], more: Partial<OrderEvent> = {}): void => {
  driver.tick(time);
  driver.send(orders, id, orderEvent('completed', id, { userId: 'u1', time, lines, ...more }));
};

const sendsBack = (driver: Driver, id: string, time: number, lines: OrderEvent['lines'], kind: 'refunded' | 'cancelled' = 'refunded'): void => {
  driver.tick(time);
  driver.send(orders, id, orderEvent(kind, id, { userId: 'u1', time, lines }));
};

/** When, in days after the first purchase, how many units and at which price. */
const told = (driver: Driver): unknown[] => driver.read(triggers).map(({ rule, status, at, products }) => [rule, status, (at - NINE) / DAY, products[0]?.quantity, products[0]?.price]);

test('all lines of an order, and all orders of the last day, are what was bought', () => {
  const driver = shop();
  for (const day of [0, 10]) buys(driver, `O${day}`, NINE + day * DAY);
  buys(driver, 'O20', NINE + 20 * DAY, [tea(2, 20_000n), orderLine('CUP', 9, 1n), tea(3, 10_000n)]);
  buys(driver, 'O20b', NINE + 20 * DAY + 5 * HOUR, [tea(1, 40_000n)]);
  driver.tick(NINE + 40 * DAY);
  expect(told(driver)).toEqual([['replenishment_due', 'fired', 30 + 5 / 24, 6, 40_000n]]);
});

test('a till that buys all day has one row of bounded size, and no rhythm', () => {
  const driver = shop();
  for (let i = 0; i < 200; i++) buys(driver, `O${i}`, NINE + i * 30 * MINUTE);
  driver.tick(NINE + 40 * DAY);
  expect(driver.row('marketing-triggers', replenishments, 'u1', 'TEA')!.orders).toHaveLength(50);
  expect(told(driver)).toEqual([]);
});

test('days are those of the shop: an evening is one day though UTC has begun another', () => {
  // 19:00, 21:00 and 19:30 in New York.
  const evening = Date.UTC(2026, 0, 15, 0);
  const times = [evening, evening + 2 * HOUR, evening + 30 * DAY + HOUR / 2];
  const [home, utc] = ['America/New_York', 'UTC'].map((zone) => {
    const driver = shop(zone);
    for (const [i, time] of times.entries()) buys(driver, `O${i}`, time);
    buys(driver, 'O3', evening + 31 * DAY - 2 * HOUR);
    driver.tick(evening + 80 * DAY);
    return driver.read(triggers).map(({ reason }) => reason);
  });
  // Of New York they are three days: 14 January, 13 and 14 February. Of UTC only two and a half months would say so.
  expect(home).toEqual(['TEA is usually bought every 16 days.']);
  expect(utc).toEqual([]);
});

test.each([['America/New_York', [Date.UTC(2026, 1, 6, 14), Date.UTC(2026, 1, 20, 14), Date.UTC(2026, 2, 6, 14)], Date.UTC(2026, 2, 20, 13)], ['UTC', [NINE, NINE + 3 * DAY - HOUR, NINE + 6 * DAY - 2 * HOUR], NINE + 9 * DAY - 2 * HOUR]])('what is bought at some hour of each so many days is due at that hour, also when the clocks of %s have changed', (zone, times, due) => {
  const driver = shop(zone);
  for (const [i, time] of times.entries()) buys(driver, `O${i}`, time);
  driver.tick(due + 20 * DAY);
  expect(driver.read(triggers)).toMatchObject([{ rule: 'replenishment_due', at: due }]);
});

test('half of an order that comes back is not told of, before it is due; after it nothing changes', () => {
  const driver = shop();
  for (const day of [0, 10, 20]) buys(driver, `O${day}`, NINE + day * DAY, [tea(4)]);
  sendsBack(driver, 'O20', NINE + 25 * DAY, [tea(2)]);
  driver.tick(NINE + 31 * DAY);
  expect(told(driver)).toEqual([['replenishment_due', 'fired', 30, 2, 30_000n]]);
  sendsBack(driver, 'O20', NINE + 32 * DAY, [tea(1)]);
  driver.tick(NINE + 60 * DAY);
  expect(told(driver)).toHaveLength(1);
});

test.each(['refunded', 'cancelled'] as const)('an order that was %s is no purchase: what is left is due when it says, and is not told of where that is over', (kind) => {
  const [soon, late, few, all] = [shop(), shop(), shop(), shop()];
  for (const driver of [soon, late]) for (const day of [0, 10, 20, 28]) buys(driver, `O${day}`, NINE + day * DAY);
  sendsBack(soon, 'O28', NINE + 29 * DAY, [], kind);
  sendsBack(late, 'O28', NINE + 33 * DAY, [], kind);
  for (const driver of [few, all]) for (const day of [0, 10, 20]) buys(driver, `O${day}`, NINE + day * DAY);
  sendsBack(few, 'O10', NINE + 21 * DAY, [tea(1)], kind);
  for (const day of [0, 10, 20]) sendsBack(all, `O${day}`, NINE + (21 + day / 10) * DAY, [], kind);
  for (const driver of [soon, late, few, all]) driver.tick(NINE + 80 * DAY);
  expect([soon, late, few, all].map(told)).toEqual([[['replenishment_due', 'fired', 30, 1, 30_000n]], [], [], []]);
  expect(all.dump('marketing-triggers').filter((row) => row.includes('TEA'))).toEqual([]);
});

test('what was told of once is not told of again, though a later purchase of it came back', () => {
  const driver = shop();
  for (const day of [0, 10, 20]) buys(driver, `O${day}`, NINE + day * DAY);
  buys(driver, 'O31', NINE + 31 * DAY);
  sendsBack(driver, 'O31', NINE + 31 * DAY + HOUR, []);
  // A purchase that is told late makes the interval longer.
  driver.send(orders, 'LATE', orderEvent('completed', 'LATE', { userId: 'u1', time: NINE - 90 * DAY, lines: [tea(1)] }));
  driver.send(orders, 'LATER', orderEvent('completed', 'LATER', { userId: 'u1', time: NINE - 180 * DAY, lines: [tea(1)] }));
  driver.tick(NINE + 100 * DAY);
  expect(told(driver)).toEqual([['replenishment_due', 'fired', 30, 1, 30_000n]]);
});

test('a claim that the shop reports otherwise counts as the shop says', () => {
  const driver = shop();
  for (const day of [0, 10]) buys(driver, `O${day}`, NINE + day * DAY);
  buys(driver, 'O20', NINE + 20 * DAY, [tea(7)], { confirmed: false });
  driver.send(orders, 'O20', orderEvent('completed', 'O20', { userId: 'u1', time: NINE + 20 * DAY + MINUTE, lines: [tea(2)] }));
  driver.tick(NINE + 40 * DAY);
  expect(told(driver)).toMatchObject([['replenishment_due', 'fired', 30 + 1 / 1_440, 2, 30_000n]]);
});

test('a part that comes back in quiet hours, in which it has become due, leaves it due', () => {
  const driver = shop('UTC', { from: 21, to: 12, timezone: 'UTC' });
  for (const day of [0, 10, 20]) buys(driver, `O${day}`, NINE + day * DAY, [tea(4)]);
  driver.tick(NINE + 30 * DAY + HOUR);
  expect(told(driver)).toEqual([]);
  sendsBack(driver, 'O20', NINE + 30 * DAY + 2 * HOUR, [tea(1)]);
  driver.tick(NINE + 30 * DAY + 4 * HOUR);
  expect(driver.read(triggers)).toMatchObject([{ status: 'fired', products: [{ quantity: 3 }] }]);
});

test('what a guest bought and sent back is no purchase of the user whom they become', () => {
  const driver = shop();
  for (const day of [0, 10]) buys(driver, `O${day}`, NINE + day * DAY);
  for (const day of [12, 20]) buys(driver, `G${day}`, NINE + day * DAY, [tea(1)], { userId: null, anonymousId: 'a1' });
  driver.send(clickstream, 'u1', shopEvent('', { type: 'identify', anonymousId: 'a1', userId: 'u1', time: NINE + 21 * DAY }));
  driver.tick(NINE + 21 * DAY + MINUTE);
  driver.send(orders, 'G12', orderEvent('refunded', 'G12', { anonymousId: 'a1', time: NINE + 22 * DAY }));
  driver.tick(NINE + 60 * DAY);
  expect(told(driver)).toEqual([['replenishment_due', 'fired', 30, 1, 30_000n]]);
});
