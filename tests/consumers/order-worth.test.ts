import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { confirmedPurchases, orders, purchases, sales } from '../../schemas/topics.js';
import type { OrderEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, NINE, orderEvent, orderLine } from '../support/events.js';

const cents = (amount: number): bigint => BigInt(Math.round(amount * 100)) * 100n;
const ledger = (): Driver => new Driver([orderLedger()]);
const net = (driver: Driver): bigint => driver.read(sales).reduce((sum, { amount }) => sum + amount, 0n);
const knives = [orderLine('KNIFE', 2, cents(94.9))];

function ordered(fields: Partial<OrderEvent>): Driver {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: knives, ...fields }));
  return driver;
}

/** What two knives of 94.90 came to. */
test.each([
  ['a discount that the total has', { total: 139.8, discount: 50 }, 139.8],
  ['one written below nothing', { total: 139.8, discount: -50 }, 139.8],
  ['with shipping and tax in the total', { total: 155.7, discount: 50, shipping: 5.9, tax: 10 }, 139.8],
  ['with shipping, and tax in the prices', { total: 145.7, discount: 50, shipping: 5.9, tax: 22.3 }, 139.8],
  ['by revenue, without shipping and tax', { total: 117.5, discount: 50, shipping: 5.9, tax: 22.3 }, 139.8],
  ['rounded by the shop', { total: 139.81, discount: 50 }, 139.81],
  ['a discount that the prices have already', { total: 189.8, discount: 50 }, 189.8],
  ['the same, with shipping', { total: 195.7, discount: 50, shipping: 5.9 }, 189.8],
  ['shipping that was given away', { total: 189.8, discount: 5.9, shipping: 5.9 }, 189.8],
  ['a discount without a total', { discount: 50 }, 189.8],
  ['a total that no discount explains', { total: 100 }, 189.8],
  ['a discount that is not what the total lacks', { total: 100, discount: 50 }, 189.8],
  ['goods for nothing', { total: 5.9, discount: 189.8, shipping: 5.9 }, 0],
  ['more off than the goods cost', { total: 0, discount: 195.7, shipping: 5.9 }, 0],
])('%s', (_, { total, discount, shipping, tax }: { total?: number; discount?: number; shipping?: number; tax?: number }, worth) => {
  const money = (amount: number | undefined): bigint | null => (amount === undefined ? null : cents(amount));
  const driver = ordered({ total: money(total), discount: money(discount), shipping: money(shipping), tax: money(tax) });
  expect(driver.read(sales)).toMatchObject([{ quantity: 2, price: cents(94.9), amount: cents(worth) }]);
  expect(driver.read(purchases)).toMatchObject([{ revenue: cents(worth) }]);
});

test('an order whose lines tell no price is worth its total, less what is not goods, by units', () => {
  const driver = ordered({ total: cents(100), shipping: cents(4), tax: cents(6), lines: [orderLine('A', 1, 0n), orderLine('B', 2, 0n)] });
  expect(driver.read(sales).map(({ sku, amount }) => [sku, amount])).toEqual([['A', cents(30)], ['B', cents(60)]]);
});

test('what was paid for an order with a discount is all that comes back of it, and a half of it with half of the goods', () => {
  const whole = ordered({ total: cents(139.8), discount: cents(50) });
  whole.send(orders, 'O', orderEvent('refunded', 'O', { time: NINE + DAY, total: cents(139.8) }));
  expect(whole.read(sales)).toMatchObject([{}, { kind: 'refund', quantity: -2, amount: cents(-139.8) }]);
  expect(whole.read(purchases).map(({ kind, revenue }) => [kind, revenue])).toEqual([['completed', cents(139.8)], ['refunded', cents(-139.8)]]);
  const half = ordered({ total: cents(139.8), discount: cents(50) });
  half.send(orders, 'O', orderEvent('refunded', 'O', { time: NINE + DAY, lines: [orderLine('KNIFE', 1, cents(94.9))] }));
  expect(half.read(sales).at(-1)).toMatchObject({ quantity: -1, amount: cents(-69.9) });
});

test('money that goes back without goods stands in purchases as in sales, and not twice once the goods follow', () => {
  const driver = ordered({});
  const sums = (): bigint[] => [net(driver), driver.read(purchases).reduce((sum, { revenue }) => sum + revenue, 0n)];
  driver.send(orders, 'O', orderEvent('refunded', 'O', { messageId: 'r1', time: NINE + DAY, total: cents(4) }));
  expect(sums()).toEqual([cents(185.8), cents(185.8)]);
  expect(driver.read(purchases).at(-1)).toMatchObject({ kind: 'refunded', lines: [] });
  driver.send(orders, 'O', orderEvent('cancelled', 'O', { messageId: 'c1', time: NINE + DAY }));
  expect(sums()).toEqual([0n, 0n]);
});

const report = (kind: 'completed' | 'updated', units: number, confirmed: boolean, userId = 'u1') => ({ kind, userId, confirmed, lines: [orderLine('A', units, cents(10))] });
const goodwill = (total: number) => ({ kind: 'refunded' as const, total: cents(total) });

test.each([
  ['a claim that is confirmed', [report('completed', 1, false), goodwill(4), report('completed', 1, true)], 6],
  ['one of another shopper', [report('completed', 1, false), goodwill(4), report('completed', 1, true, 'u2')], 6],
  ['one that the shop reports otherwise', [report('completed', 1, false), goodwill(4), report('completed', 3, true)], 26],
  ['an order that becomes less than what was given back', [report('completed', 2, true), goodwill(14), report('updated', 1, true)], 0],
  ['one that becomes more', [report('completed', 1, true), goodwill(4), report('updated', 3, true)], 26],
])('what an order came to is the same in the books and for who counts what was spent, after money was given back: %s', (_, reports, worth) => {
  const driver = ledger();
  reports.forEach((event, i) => driver.send(orders, 'O', orderEvent(event.kind, 'O', { messageId: `m${i}`, time: NINE + i, ...event })));
  // An update of an order that the shop had reported is not told to purchases.
  const told = reports.some(({ kind }) => kind === 'updated') ? [confirmedPurchases] : [purchases, confirmedPurchases];
  const sums = told.map((topic) => driver.read(topic).reduce((sum, { revenue }) => sum + revenue, 0n));
  expect([net(driver), ...sums]).toEqual([net(driver), ...told].map(() => cents(worth)));
});

test('a discount is shared by what lines cost, and an update tells it anew', () => {
  const driver = ordered({ total: cents(27), discount: cents(3), lines: [orderLine('A', 1, cents(10)), orderLine('B', 2, cents(10))] });
  expect(driver.read(sales).map(({ amount }) => amount)).toEqual([cents(9), cents(18)]);
  driver.send(orders, 'O', orderEvent('updated', 'O', { messageId: 'm2', total: cents(30), lines: [orderLine('A', 1, cents(10)), orderLine('B', 2, cents(10))] }));
  expect(net(driver)).toBe(cents(30));
});

test('the shop\'s word on what a page has claimed is the sale: nothing of the claim stays in what was sold', () => {
  for (const kind of ['completed', 'updated'] as const) {
    const driver = ordered({ confirmed: false, lines: [orderLine('KNIFE', 10_000, cents(500))] });
    driver.send(orders, 'O', orderEvent(kind, 'O', { messageId: 'm2', userId: 'u1', lines: [orderLine('KNIFE', 1, cents(1.99))] }));
    const sold = driver.read(sales).filter((sale) => sale.kind === 'sale');
    expect([sold.reduce((units, { quantity }) => units + quantity, 0), sold.reduce((sum, { amount }) => sum + amount, 0n), net(driver)]).toEqual([1, cents(1.99), cents(1.99)]);
  }
});

test('whatever an order was cheaper by, what comes back of it in pieces adds up to what was paid, to the last digit', () => {
  const line = fc.record({ sku: fc.constantFrom('A', 'B'), units: fc.integer({ min: 1, max: 7 }), price: fc.integer({ min: 1, max: 9_999 }) });
  const back = fc.record({ sku: fc.constantFrom('A', 'B'), units: fc.constantFrom(0.5, 1, 2, 3) });
  fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.array(back, { maxLength: 6 }), (bought, part, returns) => {
    const lines = bought.map(({ sku, units, price }) => orderLine(sku, units, BigInt(price) * 100n));
    const goods = bought.reduce((sum, { units, price }) => sum + BigInt(units * price) * 100n, 0n);
    const discount = cents(Math.floor(Number(goods) / 100 * part) / 100);
    const driver = ordered({ total: goods - discount, discount, lines });
    const paid = net(driver);
    expect(paid === goods - discount || (paid === goods && discount <= 100n * BigInt(lines.length))).toBe(true);
    returns.forEach(({ sku, units }, i) => {
      const before = net(driver);
      driver.send(orders, 'O', orderEvent('refunded', 'O', { messageId: `r${i}`, time: NINE + DAY, lines: [orderLine(sku, units, 0n)] }));
      expect(net(driver) >= 0n && net(driver) <= before).toBe(true);
    });
    driver.send(orders, 'O', orderEvent('cancelled', 'O', { messageId: 'c', time: NINE + DAY }));
    expect(net(driver)).toBe(0n);
    expect(driver.read(purchases).reduce((sum, { revenue }) => sum + revenue, 0n)).toBe(0n);
  }), { numRuns: 150 });
});
