import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import { confirmedPurchases, deadLetters, orders, purchases, sales } from '../../schemas/topics.js';
import type { Sale } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { DAY, MINUTE, NINE, orderEvent, orderLine } from '../support/events.js';

const ledger = (): Driver => new Driver([orderLedger()]);
const net = (driver: Driver): { units: number; amount: bigint } =>
  driver.read(sales).reduce((sum, { quantity, amount }) => ({ units: sum.units + quantity, amount: sum.amount + amount }), { units: 0, amount: 0n });

test('an order reported three times counts once, on its first day (D07)', () => {
  const driver = ledger();
  const report = (messageId: string, time: number): void => driver.send(orders, 'O-100', orderEvent('completed', 'O-100', { messageId, userId: 'u1', time, lines: [orderLine('P5', 1, 179_400n)] }));
  report('m-1', NINE);
  report('m-3', NINE + 5_000);
  report('m-2', NINE + DAY);
  expect(driver.read(sales)).toMatchObject([{ sku: 'P5', quantity: 1, amount: 179_400n, time: NINE, kind: 'sale' }]);
  expect(driver.read(purchases)).toHaveLength(1);
  expect(driver.count('millrace_duplicates_total')).toBe(2);
});

test.each([null, '', 'all-of-them', 'a\u001fb'])('orders that a foreign writer keyed by %j are each booked, under their own ids', (key) => {
  const driver = new Driver([orderLedger()], { partitions: 3 });
  for (const id of ['A', 'B', 'C']) {
    for (let i = 0; i < 2; i++) driver.write(orders.name, key, orders.codec.encode(orderEvent('completed', id, { messageId: `${id}${i}`, lines: [orderLine('P5', 1, 100n)] })));
  }
  driver.run();
  expect(driver.read(sales).map(({ orderId }) => orderId).sort()).toEqual(['A', 'B', 'C']);
  driver.send(orders, 'A', orderEvent('cancelled', 'A'));
  expect(net(driver)).toEqual({ units: 2, amount: 200n });
});

test('partial refunds take back what they name, on the day of the order, each once (D13)', () => {
  const driver = ledger();
  driver.send(orders, 'O-8', orderEvent('completed', 'O-8', { userId: 'u1', total: 600_000n, lines: [orderLine('P1', 3, 200_000n)] }));
  const refund = (messageId: string): void => driver.send(orders, 'O-8', orderEvent('refunded', 'O-8', { messageId, total: 200_000n, time: NINE + DAY, lines: [orderLine('P1', 1, 200_000n)] }));
  refund('rf1');
  refund('rf1');
  expect(net(driver)).toEqual({ units: 2, amount: 400_000n });
  refund('rf2');
  expect(net(driver)).toEqual({ units: 1, amount: 200_000n });
  expect(driver.read(sales).every(({ time }) => time === NINE)).toBe(true);
});

test('what becomes of an order is booked under the source of its first report, so that sums by source hold whole orders', () => {
  const driver = ledger();
  const file = (ordinal: number) => ({ name: 'history', ordinal });
  const report = (id: string, kind: 'completed' | 'updated' | 'refunded', units: number, more: Parameters<typeof orderEvent>[2]): void =>
    driver.send(orders, id, orderEvent(kind, id, { lines: [orderLine('P1', units, 10_000n)], ...more }));
  report('OLD', 'completed', 3, { source: file(7) });
  report('OLD', 'updated', 2, { time: NINE + DAY });
  report('OLD', 'refunded', 1, { time: NINE + DAY });
  report('SAME', 'completed', 2, { confirmed: false });
  report('SAME', 'completed', 2, { source: file(8) });
  report('OTHER', 'completed', 2, { confirmed: false });
  report('OTHER', 'completed', 5, { source: file(9) });
  report('FIRST', 'refunded', 1, { source: file(10) });
  report('FIRST', 'completed', 2, {});
  const sums: Record<string, { source: Sale['source']; units: number; claimed: number }> = {};
  for (const { orderId, source, quantity, claimed } of driver.read(sales)) {
    const of = `${orderId} ${source?.name ?? 'live'}`;
    sums[of] = { source, units: (sums[of]?.units ?? 0) + quantity, claimed: (sums[of]?.claimed ?? 0) + claimed };
  }
  expect(sums).toEqual({
    'OLD history': { source: file(7), units: 1, claimed: 0 }, 'SAME live': { source: null, units: 2, claimed: 0 },
    'OTHER live': { source: null, units: 5, claimed: 0 }, 'FIRST live': { source: null, units: 1, claimed: 0 },
  });
});

test('an order dated ahead on its topic happened when it was written, and what is taken back of it with it', () => {
  const driver = ledger();
  driver.tick(NINE);
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', time: NINE + 13 * 60 * MINUTE, lines: [orderLine('P1', 2, 10_000n)] }), NINE + 1);
  driver.send(orders, 'R', orderEvent('refunded', 'R', { time: NINE + 3 * DAY, lines: [orderLine('P2', 1, 10_000n)] }), NINE + 2);
  driver.tick(NINE + DAY);
  driver.send(orders, 'O', orderEvent('refunded', 'O', { time: NINE + DAY, lines: [orderLine('P1', 1, 10_000n)] }));
  driver.send(orders, 'R', orderEvent('completed', 'R', { userId: 'u2', time: NINE, lines: [orderLine('P2', 2, 10_000n)] }));
  expect(driver.read(sales).map(({ orderId, quantity, time, reportedAt }) => [orderId, quantity, time - NINE, reportedAt - NINE])).toEqual([['O', 2, 1, 1], ['O', -1, 1, DAY], ['R', 2, 0, 0], ['R', -1, 0, 2]]);
  expect(driver.read(purchases).every(({ time }) => time <= NINE + DAY)).toBe(true);
  expect(driver.count('millrace_times_clamped_total')).toBe(2);
});

test('orders written while no task ran have their own times, though no tick has told of them', () => {
  const driver = ledger();
  driver.tick(NINE);
  for (const day of [1, 2, 3]) driver.send(orders, `O${day}`, orderEvent('completed', `O${day}`, { userId: 'u1', time: NINE + day * DAY, lines: [orderLine('P1', 1, 10_000n)] }));
  expect(driver.read(sales).map(({ time }) => (time - NINE) / DAY)).toEqual([1, 2, 3]);
});

test('a refund never takes back more than was bought', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 2, 10_000n)] }));
  driver.send(orders, 'O', orderEvent('refunded', 'O', { lines: [orderLine('P1', 5, 10_000n)] }));
  driver.send(orders, 'O', orderEvent('cancelled', 'O'));
  expect(net(driver)).toEqual({ units: 0, amount: 0n });
});

test('a refund before its order waits for it', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('refunded', 'O', { time: NINE + MINUTE, lines: [orderLine('P1', 1, 10_000n)] }));
  expect(driver.read(sales)).toEqual([]);
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 2, 10_000n)] }));
  expect(net(driver)).toEqual({ units: 1, amount: 10_000n });
});

test('of refunds before their order fifty wait for it, and those behind them are set aside with the reason', () => {
  const driver = ledger();
  for (let i = 0; i < 60; i++) driver.send(orders, 'O', orderEvent('refunded', 'O', { lines: [orderLine(`P${i}`, 1, 1n)] }));
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: Array.from({ length: 60 }, (_, i) => orderLine(`P${i}`, 1, 1n)) }));
  expect(driver.read(sales).filter(({ kind }) => kind === 'refund').map(({ sku }) => sku)).toEqual(Array.from({ length: 50 }, (_, i) => `P${i}`));
  expect(driver.read(deadLetters).map(({ code }) => code)).toEqual(Array.from({ length: 10 }, () => 'too_many_waiting'));
});

test('all refunds before their order wait for it', () => {
  const driver = ledger();
  for (const units of [1, 2]) driver.send(orders, 'O', orderEvent('refunded', 'O', { time: NINE + units * MINUTE, lines: [orderLine('P1', units, 10_000n)] }));
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 5, 10_000n)] }));
  expect(net(driver)).toEqual({ units: 2, amount: 20_000n });
});

test('money back without goods changes revenue, not units', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 2, 100_000n)] }));
  driver.send(orders, 'O', orderEvent('refunded', 'O', { total: 50_000n }));
  expect(net(driver)).toEqual({ units: 2, amount: 150_000n });
});

test('whatever is taken back of an order, changed in it and told again leaves no less than nothing and no more than its lines', () => {
  const unit = fc.integer({ min: 0, max: 5 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('refunded' as const), total: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ kind: fc.constantFrom('refunded' as const, 'updated' as const), a: unit, b: unit }),
    fc.record({ kind: fc.constant('cancelled' as const) }),
  );
  const linesOf = (told: object) => ('a' in told && 'b' in told ? [orderLine('A', Number(told.a), 10_000n), orderLine('B', Number(told.b), 30_000n)] : []);
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
    const driver = ledger();
    driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: linesOf({ a: 3, b: 2 }) }));
    let worth = 90_000n;
    steps.forEach(({ kind, ...told }, n) => {
      const lines = linesOf(told);
      if (kind === 'updated') worth = lines.reduce((sum, { quantity, price }) => sum + price * BigInt(quantity), 0n);
      driver.send(orders, 'O', orderEvent(kind, 'O', { messageId: `m${n}`, total: 'total' in told ? BigInt(told.total) * 10_000n : null, lines }));
      const { units, amount } = net(driver);
      expect(units).toBeGreaterThanOrEqual(0);
      expect(amount >= 0n && amount <= worth).toBe(true);
    });
  }), { numRuns: 300 });
});

test.each([[199_999n, 2], [200_000n, 0], [200_001n, 0]])('a refund of %i without goods, of an order worth 200,000, leaves %i units', (total, units) => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', country: 'FR', lines: [orderLine('P1', 2, 100_000n)] }));
  driver.send(orders, 'O', orderEvent('refunded', 'O', { total }));
  expect(net(driver).units).toBe(units);
  // Money back is of the order's country, too.
  expect(driver.read(sales).map(({ country }) => country)).toEqual(['FR', 'FR']);
});

test('money that was given back without goods is not given back again with them', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 2, 100_000n)] }));
  const refund = (more: Parameters<typeof orderEvent>[2]): [number, bigint] => {
    driver.send(orders, 'O', orderEvent('refunded', 'O', more));
    return [net(driver).units, net(driver).amount];
  };
  expect(refund({ total: 30_000n })).toEqual([2, 170_000n]);
  expect(refund({ total: 90_000n })).toEqual([2, 80_000n]);
  expect(refund({ lines: [orderLine('P1', 1, 100_000n)] })).toEqual([1, 0n]);
  expect(refund({ total: null })).toEqual([0, 0n]);
});

test('whatever comes back of an order, in goods, in money or both, it is never more than was paid', () => {
  const back = fc.record({
    kind: fc.constantFrom('refunded' as const, 'cancelled' as const), total: fc.constantFrom(null, 10_000n, 70_000n, 250_000n),
    lines: fc.array(fc.tuple(fc.constantFrom('P1', 'P2'), fc.integer({ min: 1, max: 3 })), { maxLength: 2 }),
  });
  fc.assert(fc.property(fc.array(back, { maxLength: 6 }), fc.nat(6), (backs, before) => {
    const driver = ledger();
    const take = ({ kind, total, lines }: (typeof backs)[number]): void =>
      driver.send(orders, 'O', orderEvent(kind, 'O', { total, lines: lines.map(([sku, units]) => orderLine(sku, units, 100_000n)) }));
    backs.slice(0, before).forEach(take);
    driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 1, 100_000n), orderLine('P2', 2, 50_000n), orderLine('P1', 1, 70_000n)] }));
    backs.slice(before).forEach((one) => {
      take(one);
      const { units, amount } = net(driver);
      expect(amount >= 0n && (units > 0 || amount === 0n)).toBe(true);
    });
  }), { numRuns: 300 });
});

test('an update books the difference on the day of the order', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 2, 100_000n), orderLine('P2', 1, 50_000n)] }));
  driver.send(orders, 'O', orderEvent('updated', 'O', { time: NINE + DAY, lines: [orderLine('P1', 3, 100_000n), orderLine('P3', 1, 70_000n)] }));
  expect(net(driver)).toEqual({ units: 4, amount: 370_000n });
});

test('an update that changes a price alone changes revenue, not units, and what comes back of it later comes back at the new price', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 2, 100_000n), orderLine('P2', 1, 50_000n)] }));
  driver.send(orders, 'O', orderEvent('updated', 'O', { time: NINE + DAY, lines: [orderLine('P1', 2, 80_000n), orderLine('P2', 1, 50_000n)] }));
  expect(net(driver)).toEqual({ units: 3, amount: 210_000n });
  expect(driver.read(sales).every(({ time }) => time === NINE)).toBe(true);
  driver.send(orders, 'O', orderEvent('cancelled', 'O', { time: NINE + 2 * DAY }));
  expect(net(driver)).toEqual({ units: 0, amount: 0n });
});

test('the books of an order are its latest report, by SKU and currency, whatever was reported before', () => {
  const line = fc.tuple(fc.constantFrom('P1', 'P1', 'P2'), fc.integer({ min: -1, max: 4 }), fc.constantFrom(50_000n, 70_000n)).map(([sku, units, price]) => orderLine(sku, units, price));
  const report = fc.record({ currency: fc.constantFrom('EUR', 'USD'), lines: fc.array(line, { minLength: 1, maxLength: 4 }), userId: fc.constantFrom(null, 'u1') });
  fc.assert(fc.property(fc.array(report, { minLength: 1, maxLength: 4 }), (reports) => {
    const driver = ledger();
    reports.forEach((more, i) => driver.send(orders, 'O', orderEvent(i === 0 ? 'completed' : 'updated', 'O', { ...more, time: NINE + i * MINUTE })));
    const books = (of: readonly { sku: string; quantity: number; price: bigint; currency: string }[]): string[] => {
      const sums = new Map<string, [number, bigint]>();
      for (const { sku, quantity, price, currency } of of) {
        const [units, amount] = sums.get(`${sku} ${currency}`) ?? [0, 0n];
        sums.set(`${sku} ${currency}`, [units + quantity, amount + price * BigInt(quantity)]);
      }
      return [...sums].filter(([, [units, amount]]) => units !== 0 || amount !== 0n).map(([key, sum]) => `${key} ${sum.join(' ')}`).sort();
    };
    const { currency, lines } = reports.at(-1)!;
    expect(books(driver.read(sales))).toEqual(books(lines.map((one) => ({ ...one, currency }))));
    expect(driver.read(sales).every(({ shopper }) => shopper === reports[0]!.userId)).toBe(true);
  }), { numRuns: 200 });
});

test('an order or an update without products is a dead letter: it neither keeps out nor takes back the one that has them', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', total: 50_000n }));
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 2, 100_000n)] }));
  driver.send(orders, 'O', orderEvent('updated', 'O'));
  expect(driver.read(deadLetters).map(({ code }) => code)).toEqual(['no_lines', 'no_lines']);
  expect(net(driver)).toEqual({ units: 2, amount: 200_000n });
});

test('amounts that cannot be written down are dead letters, not crashes', () => {
  const driver = ledger();
  for (const quantity of [1e12, Number.NaN, Infinity]) driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', quantity, 10n ** 18n - 1n)] }));
  expect(driver.read(deadLetters).map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'amount_out_of_range'));
  expect(driver.read(sales)).toEqual([]);
});

test('what a page claims of an order neither keeps out nor changes what the shop reports of it', () => {
  const driver = ledger();
  const report = (confirmed: boolean, userId: string, price: bigint, time = NINE): void =>
    driver.send(orders, 'O-5', orderEvent('completed', 'O-5', { userId, time, confirmed, lines: [orderLine('P1', 2, price)] }));
  report(false, 'thief', 1n, NINE - 30 * DAY);
  report(true, 'u1', 100_000n);
  expect(net(driver)).toEqual({ units: 2, amount: 200_000n });
  expect(driver.read(sales).reduce((units, { quantity, time }) => units + (time === NINE ? quantity : 0), 0)).toBe(2);
  expect(driver.read(purchases).map(({ shopper, kind, revenue }) => [shopper, kind, revenue])).toEqual([['thief', 'completed', 2n], ['thief', 'cancelled', -2n], ['u1', 'completed', 200_000n]]);
  report(false, 'thief', 1n);
  report(true, 'u1', 300_000n);
  driver.send(orders, 'O-5', orderEvent('refunded', 'O-5', { time: NINE + DAY, lines: [orderLine('P1', 1, 0n)] }));
  expect(net(driver)).toEqual({ units: 1, amount: 100_000n });
});

test('the shop confirms what a page has claimed under the same message id, too, and once', () => {
  const driver = ledger();
  for (const [confirmed, units] of [[false, 9], [true, 2], [true, 2], [false, 9]] as const) driver.send(orders, 'O-7', orderEvent('completed', 'O-7', { messageId: 'O-7', userId: 'u1', confirmed, lines: [orderLine('P1', units, 1n)] }));
  expect([net(driver).units, driver.count('millrace_duplicates_total')]).toEqual([2, 2]);
});

test('what came back of an order that a page has claimed cannot come back again once the shop confirms it at another price', () => {
  const driver = ledger();
  const lines = (price: bigint): { lines: ReturnType<typeof orderLine>[] } => ({ lines: [orderLine('P1', 1, price), orderLine('P1', 2, price)] });
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', confirmed: false, ...lines(100_000n) }));
  driver.send(orders, 'O', orderEvent('refunded', 'O', { time: NINE + MINUTE, lines: [orderLine('P1', 1, 100_000n)] }));
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', time: NINE + MINUTE, ...lines(90_000n) }));
  expect(net(driver).units).toBe(2);
  driver.send(orders, 'O', orderEvent('cancelled', 'O', { time: NINE + 2 * MINUTE }));
  expect(net(driver).units).toBe(0);
});

test('money given back of what a page has claimed is no more than the order that the shop reports', () => {
  const driver = ledger();
  const report = (confirmed: boolean, units: number): void => driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', confirmed, lines: [orderLine('P1', units, 10_000n)] }));
  report(false, 3);
  driver.send(orders, 'O', orderEvent('refunded', 'O', { total: 20_000n }));
  report(true, 1);
  expect(net(driver)).toEqual({ units: 0, amount: 0n });
  driver.send(orders, 'O', orderEvent('cancelled', 'O'));
  expect(net(driver)).toEqual({ units: 0, amount: 0n });
});

test('an order of which some came back, confirmed for another shopper, was bought by them as far as it is left', () => {
  const driver = ledger();
  const report = (confirmed: boolean, userId: string): void => driver.send(orders, 'O', orderEvent('completed', 'O', { userId, confirmed, lines: [orderLine('P1', 1, 1n), orderLine('P2', 3, 10n)] }));
  report(false, 'page');
  driver.send(orders, 'O', orderEvent('refunded', 'O', { lines: [orderLine('P1', 1, 1n), orderLine('P2', 1, 10n)] }));
  report(true, 'u1');
  expect(driver.read(purchases).map(({ shopper, kind, lines, revenue }) => [shopper, kind, lines.length, revenue])).toEqual([
    ['page', 'completed', 2, 31n], ['page', 'refunded', 2, -11n], ['page', 'cancelled', 1, -20n], ['u1', 'completed', 1, 20n]]);
});

test('what comes back of an order that the shop reports for a known shopper, hours after the page, is booked where the order stands', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('completed', 'O', { anonymousId: 'device', confirmed: false, lines: [orderLine('P1', 3, 10n)], time: NINE }));
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', lines: [orderLine('P1', 3, 10n)], time: NINE + 20 * 60 * MINUTE }), NINE + DAY);
  driver.send(orders, 'O', orderEvent('refunded', 'O', { lines: [orderLine('P1', 1, 10n)], time: NINE + DAY }), NINE + DAY);
  expect(driver.read(sales).map(({ kind, quantity, time }) => [kind, quantity, time - NINE])).toEqual([['sale', 3, 0], ['adjustment', 0, 0], ['refund', -1, 0]]);
  // The carts of the user go by the shop's word of when it was, not by the page's.
  expect(driver.read(purchases).filter(({ shopper, kind }) => shopper === 'u1' && kind === 'completed').map(({ time }) => time - NINE)).toEqual([20 * 60 * MINUTE]);
});

test('an order is of the currency that the shop reports, where a page claimed another one', () => {
  const driver = ledger();
  for (const [confirmed, currency] of [[false, 'USD'], [true, 'EUR']] as const) {
    driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', confirmed, currency, lines: [orderLine('P1', 2, 100_000n)] }));
  }
  const sums = (currency: string): bigint => driver.read(sales).reduce((sum, line) => sum + (line.currency === currency ? line.amount : 0n), 0n);
  expect([sums('USD'), sums('EUR')]).toEqual([0n, 200_000n]);
});

test('money is given back in the currency of its order: a refund in another one, before the order or after it, is a dead letter and counts once it is put right', () => {
  const driver = ledger();
  const refund = (messageId: string, currency: string): void => driver.send(orders, 'O', orderEvent('refunded', 'O', { messageId, currency, total: 50_000n }));
  refund('early', 'EUR');
  refund('early-2', 'EUR');
  refund('right', 'USD');
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', currency: 'USD', lines: [orderLine('P1', 2, 100_000n)] }));
  refund('late', 'EUR');
  const letters = driver.read(deadLetters);
  expect(letters.map(({ id, code, consumer, topic, key }) => [id, code, consumer, topic, String(key)])).toEqual(
    ['order-ledger/orders/0/O/early', 'order-ledger/orders/0/O/early-2', 'order-ledger/orders/0/4'].map((id) => [id, 'other_currency', 'order-ledger', 'orders', 'O']));
  expect(letters[2]!.message).toBe('Order O is in USD and this refund in EUR: nothing is converted. Say it in USD, or name the products that came back.');
  expect(net(driver)).toEqual({ units: 2, amount: 150_000n });
  for (const { value } of letters) driver.send(orders, 'O', { ...orders.codec.decode(value!), currency: 'USD', total: 10_000n });
  expect(net(driver)).toEqual({ units: 2, amount: 120_000n });
  expect(new Set(driver.read(sales).map(({ currency }) => currency))).toEqual(new Set(['USD']));
});

test('a refund that names no currency, and goods whatever it names, come back in the currency of the order', () => {
  const driver = ledger();
  driver.send(orders, 'O', orderEvent('refunded', 'O', { currency: '', total: 50_000n }));
  driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', currency: 'USD', lines: [orderLine('P1', 3, 100_000n)] }));
  driver.send(orders, 'O', orderEvent('refunded', 'O', { currency: 'EUR', total: 90_000n, lines: [orderLine('P1', 1, 90_000n)] }));
  driver.send(orders, 'O', orderEvent('cancelled', 'O', { currency: '' }));
  expect(driver.read(sales).map(({ amount, currency }) => [amount, currency])).toEqual([[300_000n, 'USD'], [-50_000n, 'USD'], [-100_000n, 'USD'], [-200_000n, 'USD'], [50_000n, 'USD']]);
  expect(driver.read(purchases).map(({ revenue, currency }) => [revenue, currency])).toEqual([[300_000n, 'USD'], [-50_000n, 'USD'], [-100_000n, 'USD'], [-150_000n, 'USD']]);
});

test('whatever comes back of an order that changes its currency, nothing of it is left in another one than its own', () => {
  const lines = fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => [orderLine('A', a + 1, 10_000n), orderLine('B', b, 30_000n)]);
  const currency = fc.constantFrom('EUR', 'USD');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('refunded' as const), currency, total: fc.constantFrom(10_000n, 40_000n) }),
    fc.record({ kind: fc.constantFrom('refunded' as const, 'updated' as const, 'completed' as const), currency, lines }),
    fc.record({ kind: fc.constant('cancelled' as const), currency }),
  );
  fc.assert(fc.property(lines, fc.array(step, { maxLength: 8 }), (first, steps) => {
    const driver = ledger();
    driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', confirmed: false, lines: first }));
    for (const { kind, ...more } of steps) driver.send(orders, 'O', orderEvent(kind, 'O', more));
    const sums = ['EUR', 'USD'].map((of) => driver.read(sales).reduce((sum, { currency, amount }) => sum + (currency === of ? amount : 0n), 0n));
    expect(sums.every((sum) => sum >= 0n) && sums.includes(0n)).toBe(true);
  }), { numRuns: 500 });
});

test('an order is of the day that the shop reports, where a page claimed another one', () => {
  const driver = ledger();
  for (const [confirmed, time] of [[false, NINE], [true, NINE + 2 * DAY]] as const) {
    driver.send(orders, 'O', orderEvent('completed', 'O', { userId: 'u1', confirmed, time, lines: [orderLine('P1', 2, 100_000n)] }));
  }
  const on = (time: number): number => driver.read(sales).reduce((units, line) => units + (line.time === time ? line.quantity : 0), 0);
  expect([on(NINE), on(NINE + 2 * DAY)]).toEqual([0, 2]);
});

test.each(['undefined', '[object Object]', 'null', 'NaN', ' ', 'true', '0', 'guest', '{{user}}'])('an order of the placeholder %j, written to the topic, is refused as over HTTP: nobody is everybody (D03)', (id) => {
  const driver = new Driver([shoppers(), orderLedger()]);
  for (const ids of [{ userId: id, anonymousId: 'a-3' }, { userId: null, anonymousId: id }]) driver.send(orders, 'O-3', orderEvent('completed', 'O-3', { ...ids, lines: [orderLine('P2', 1, 1n)] }));
  expect(driver.read(deadLetters).map(({ code }) => code)).toEqual(['bad_id', 'bad_id']);
  expect([driver.read(sales), driver.read(purchases), driver.row('shoppers', profiles, id)]).toEqual([[], [], undefined]);
});

test('a page and the shop that report the same order count once, from when the page said it (D07)', () => {
  const driver = ledger();
  [false, true, true, false].forEach((confirmed, i) => driver.send(orders, 'O-6', orderEvent('completed', 'O-6', { userId: 'u1', confirmed, time: NINE + i * 5_000, lines: [orderLine('P1', 1, 50_000n)] })));
  expect(driver.read(purchases)).toMatchObject([{ time: NINE }]);
  expect(driver.count('millrace_duplicates_total')).toBe(3);
  driver.send(orders, 'O-6', orderEvent('cancelled', 'O-6', { time: NINE + DAY }));
  expect(driver.read(sales).map(({ quantity, claimed, time }) => [quantity, claimed, time])).toEqual([[1, 1, NINE], [0, -1, NINE], [-1, 0, NINE]]);
});

test('lines of a file count each, even when identical, and once however often the file is replayed', () => {
  const driver = ledger();
  const replay = (): void => {
    for (let ordinal = 0; ordinal < 4; ordinal++) {
      driver.send(orders, '536365', orderEvent('line', '536365', { source: { name: 'uci', ordinal }, lines: [orderLine('85123A', ordinal === 3 ? -6 : 6, 25_500n)] }));
    }
  };
  replay();
  replay();
  expect(driver.read(sales).map(({ quantity, kind }) => [quantity, kind])).toEqual([[6, 'sale'], [6, 'sale'], [6, 'sale'], [-6, 'adjustment']]);
  expect(driver.read(purchases)).toEqual([]);
});

test('how many units of an order are only claimed is told with each line of it: until the shop reports it, and never more than are left', () => {
  const reported = fc.record({
    kind: fc.constantFrom('completed' as const, 'updated' as const, 'refunded' as const, 'cancelled' as const), confirmed: fc.boolean(),
    time: fc.constantFrom(NINE, NINE + 2 * DAY), lines: fc.array(fc.tuple(fc.constantFrom('P1', 'P2', 'P3'), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 3 }),
  });
  fc.assert(fc.property(fc.array(reported, { minLength: 1, maxLength: 8 }), (reports) => {
    const driver = ledger();
    // Changing an order takes the shop's word.
    reports.forEach(({ kind, confirmed, time, lines }) => driver.send(orders, 'O', orderEvent(kind, 'O', {
      userId: 'u1', time, confirmed: confirmed || kind !== 'completed', lines: lines.map(([sku, units]) => orderLine(sku, units, 10_000n)),
    })));
    const first = reports.find(({ kind }) => kind === 'completed' || kind === 'updated');
    const isSure = reports.some(({ kind, confirmed }) => kind === 'updated' || (kind === 'completed' && confirmed));
    const told = driver.read(sales);
    expect(told.every(({ claimed, quantity }) => !Object.is(claimed, -0) && (quantity === 0 || Math.abs(claimed) <= Math.abs(quantity)))).toBe(true);
    const sums = (of: (sale: Sale) => number): number[] => ['P1', 'P2', 'P3'].map((sku) => told.filter((sale) => sale.sku === sku).reduce((sum, sale) => sum + of(sale), 0));
    expect(sums(({ claimed }) => claimed)).toEqual(first && !isSure ? sums(({ quantity }) => quantity) : [0, 0, 0]);
  }), { numRuns: 200 });
});

test('orders that the shop itself has reported are told apart, with what is left of them, whichever of its reports is the first', () => {
  const driver = ledger();
  const told = (): string[] => driver.read(confirmedPurchases).splice(seen).map(({ orderId, kind, lines }) => `${orderId} ${kind} ${lines.map(({ quantity, price }) => `${quantity}x${price}`).join()}`);
  let seen = 0;
  const report = (orderId: string, kind: 'completed' | 'updated' | 'refunded', units: number, price: bigint, confirmed = true): string[] => {
    seen = driver.read(confirmedPurchases).length;
    driver.send(orders, orderId, orderEvent(kind, orderId, { userId: 'u1', confirmed, lines: [orderLine('P1', units, price)] }));
    return told();
  };
  for (const orderId of ['same', 'other', 'updated', 'less']) expect(report(orderId, 'completed', 3, 10n, false)).toEqual([]);
  expect(report('less', 'refunded', 1, 10n)).toEqual([]);
  expect(report('same', 'completed', 3, 10n)).toEqual(['same completed 3x10']);
  expect(report('same', 'completed', 3, 10n)).toEqual([]);
  expect(report('other', 'completed', 3, 9n)).toEqual(['other completed 3x9']);
  expect(report('updated', 'updated', 2, 10n)).toEqual(['updated completed 2x10']);
  expect(report('updated', 'updated', 1, 10n)).toEqual(['updated cancelled -2x10', 'updated completed 1x10']);
  expect(report('updated', 'updated', 1, 10n)).toEqual([]);
  expect(report('less', 'completed', 3, 10n)).toEqual(['less completed 2x10']);
  expect(report('less', 'refunded', 1, 10n)).toEqual(['less refunded -1x10']);
  expect(report('sure', 'completed', 1, 10n)).toEqual(['sure completed 1x10']);
});

test('an order with a space around its id, written to the topic, is refused by name: it would be a second order', () => {
  const driver = ledger();
  for (const id of ['O-1 ', ' O-1', 'O 1']) driver.send(orders, id, orderEvent('completed', id, { lines: [orderLine('P1', 1, 50_000n)] }));
  expect(driver.read(deadLetters).map(({ code, message }) => [code, message])).toEqual([
    ['bad_id', 'orderId cannot be used: "O-1 " begins or ends with a space.'], ['bad_id', 'orderId cannot be used: " O-1" begins or ends with a space.'],
  ]);
  expect(driver.read(sales).map(({ orderId }) => orderId)).toEqual(['O 1']);
});

test.each([1e13, -1e300])('an order of %d units for nothing, written to the topic, is refused: sums of units would end in infinity', (quantity) => {
  const driver = ledger();
  for (const [id, units] of [['O-1', quantity], ['O-2', 1e12]] as const) driver.send(orders, id, orderEvent('completed', id, { lines: [orderLine('P1', units, 0n)] }));
  expect(driver.read(deadLetters)).toMatchObject([{ code: 'bad_quantity', message: `Order O-1 is of ${quantity} units of P1: a quantity must not exceed 10^12 in either direction.` }]);
  expect(driver.read(sales).map(({ orderId }) => orderId)).toEqual(['O-2']);
});
