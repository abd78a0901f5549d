import { expect, test } from 'vitest';
import { Unavailable } from '../../pipeline/core/errors.js';
import { collectProduct } from '../../producers/catalog.js';
import { collect } from '../../producers/collect.js';
import { isObject } from '../../producers/fields.js';
import { runSimulation, simulatedShop, type SimulatedCall, type SimulatedRequest, type SimulatedShop } from '../../producers/simulate.js';

const START = Date.UTC(2026, 2, 10, 10);
const shop = { currency: 'EUR', timezone: 'Europe/Berlin' };
const settings = { seed: 7, shoppers: 300, items: 200 };

/** The first events of a shop at 20 a second. */
const story = (of: SimulatedShop, events: number): SimulatedCall[] => Array.from({ length: events }, (_, index) => of.next(START + index * 50));

const properties = ({ call }: SimulatedCall): Readonly<Record<string, unknown>> => (isObject(call['properties']) ? call['properties'] : {});
const named = (calls: readonly SimulatedCall[], event: string): SimulatedCall[] => calls.filter(({ call }) => call['event'] === event);
const products = (call: SimulatedCall): { sku: string; quantity: number }[] => {
  const list = properties(call)['products'];
  return Array.isArray(list) ? list.filter(isObject).map((one) => ({ sku: String(one['sku']), quantity: Number(one['quantity']) })) : [];
};
const shopperOf = (of: SimulatedShop, { call }: SimulatedCall): number => of.truth.shopperOf(String(call['anonymousId'])) ?? -1;
/** What a collector would keep: each message once, nothing that is not what it seems. */
const clean = (calls: readonly SimulatedCall[]): SimulatedCall[] => calls.filter(({ odd }) => odd === undefined);

test('the same seed and run tell the same story', () => {
  expect(story(simulatedShop(settings), 600)).toEqual(story(simulatedShop(settings), 600));
  expect(story(simulatedShop(settings), 200)).not.toEqual(story(simulatedShop({ ...settings, seed: 8 }), 200));
});

test('a shop that opens again has the same products and people, and repeats no message or order id', () => {
  const first = simulatedShop({ ...settings, run: 'monday' });
  const second = simulatedShop({ ...settings, run: 'tuesday' });
  expect(second.products).toEqual(first.products);
  expect(second.truth.taste(5)).toEqual(first.truth.taste(5));
  const ids = (of: SimulatedShop): Set<unknown> => new Set(story(of, 1_000).flatMap((one) => [one.call['messageId'], properties(one)['order_id'] ?? one.call['messageId']]));
  const earlier = ids(first);
  expect([...ids(second)].filter((id) => earlier.has(id))).toEqual([]);
});

test('the collector takes every call but the broken ones, with the key it is sent with', () => {
  const calls = story(simulatedShop(settings), 4_000);
  const refused = calls.filter(({ key, call }, index) =>
    'errors' in collect(call, { receivedAt: START + index * 50 + 20, sentAt: START + index * 50 + 10, shop, scope: key, newId: () => 'none' }));
  expect(refused.filter(({ odd }) => odd !== 'broken')).toEqual([]);
  expect(refused.length).toBe(calls.filter(({ odd }) => odd === 'broken').length);
  expect(refused.length).toBeGreaterThan(0);
});

test('the catalogue is taken as it is, and no two products share a sku or a name', () => {
  const { products: rows } = simulatedShop(settings);
  expect(rows.filter((row) => 'errors' in collectProduct(row, { receivedAt: START, shop }))).toEqual([]);
  expect(new Set(rows.map(({ sku }) => sku)).size).toBe(200);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(200);
});

test('within a minute carts are left, orders completed, and an awaited product comes back', () => {
  const of = simulatedShop(settings);
  const calls = clean(story(of, 1_200));
  const who = (event: string): Set<number> => new Set(named(calls, event).map((call) => shopperOf(of, call)));
  const left = [...who('Product Added')].filter((one) => !who('Order Completed').has(one));
  expect(left.length).toBeGreaterThan(5);
  expect(who('Order Completed').size).toBeGreaterThan(5);
  const awaited = new Map(named(calls, 'Back In Stock Subscribed').map((call) => [properties(call)['sku'], Date.parse(String(call.call['timestamp']))]));
  const back = named(calls, 'Inventory Updated').filter((call) => Number(properties(call)['quantity']) > 0 && Date.parse(String(call.call['timestamp'])) > (awaited.get(properties(call)['sku']) ?? Infinity));
  expect(back.length).toBeGreaterThan(0);
});

test('every kind of call that a shop makes occurs', () => {
  const calls = story(simulatedShop(settings), 5_000);
  const kinds = new Set(calls.map(({ call }) => String(call['event'] ?? call['type'])));
  expect([...kinds].sort()).toEqual([
    'Back In Stock Subscribed', 'Cart Viewed', 'Checkout Started', 'Inventory Updated', 'Order Completed', 'Payment Info Entered', 'Product Added',
    'Product List Viewed', 'Product Removed', 'Product Viewed', 'Recommendation Dismissed', 'identify', 'page',
  ]);
  expect(new Set(calls.map(({ odd }) => odd))).toEqual(new Set([undefined, 'duplicate', 'late', 'broken', 'reported twice']));
});

test('an order buys only what was put into the cart, and stock never falls below zero', () => {
  const of = simulatedShop(settings);
  const calls = clean(story(of, 6_000));
  const carts = new Set<string>();
  const wrong: unknown[] = [];
  for (const call of calls) {
    const entry = (sku: unknown): string => `${shopperOf(of, call)} ${String(sku)}`;
    switch (call.call['event']) {
      case 'Product Added': carts.add(entry(properties(call)['sku'])); break;
      case 'Inventory Updated': wrong.push(...[call].filter((one) => !(Number(properties(one)['quantity']) >= 0))); break;
      case 'Order Completed': wrong.push(...products(call).filter(({ sku }) => !carts.has(entry(sku)))); break;
      default: break;
    }
  }
  expect(named(calls, 'Order Completed').length).toBeGreaterThan(50);
  expect(wrong).toEqual([]);
});

test('somebody who browsed without a name is the same shopper after they said who they are', () => {
  const of = simulatedShop(settings);
  const identified = story(of, 3_000).filter(({ call }) => call['type'] === 'identify');
  expect(identified.length).toBeGreaterThan(10);
  for (const { call } of identified) expect(of.truth.shopperOf(String(call['anonymousId']))).toBe(of.truth.shopperOf(String(call['userId'])));
});

test('chances of the next item sum to one, and never name the item being looked at', () => {
  const of = simulatedShop(settings);
  for (const shopper of [0, 17, 299]) {
    for (const last of [null, of.products[0]!.sku, of.products[199]!.sku]) {
      const chances = of.truth.nextItem(shopper, last);
      expect([...chances.values()].reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 9);
      expect(chances.get(last ?? 'no product')).toBe(last === null ? undefined : 0);
    }
  }
});

test('what shoppers view is what their truth says: as often as predicted, and not what another one would view', () => {
  const of = simulatedShop({ seed: 3, shoppers: 40, items: 60 });
  const calls = clean(story(of, 12_000));
  const last = new Map<number, string | null>();
  let top = 0;
  let expectedTop = 0;
  let own = 0;
  let other = 0;
  let views = 0;
  for (const call of calls) {
    const shopper = shopperOf(of, call);
    if (call.call['type'] === 'page') last.set(shopper, null);
    if (call.call['event'] !== 'Product Viewed') continue;
    const sku = String(properties(call)['sku']);
    // A view that went astray (late, broken, twice) leaves a gap: only the first of a visit is sure then.
    if (last.get(shopper) === null) {
      const chances = of.truth.nextItem(shopper, null);
      const best = [...chances].sort((a, b) => b[1] - a[1]).slice(0, 5).map(([name]) => name);
      expectedTop += best.reduce((sum, name) => sum + chances.get(name)!, 0);
      top += best.includes(sku) ? 1 : 0;
      own += Math.log(chances.get(sku)!);
      other += Math.log(of.truth.nextItem((shopper + 1) % 40, null).get(sku)!);
      views++;
    }
    last.set(shopper, sku);
  }
  expect(views).toBeGreaterThan(500);
  expect(Math.abs(top - expectedTop) / views).toBeLessThan(0.05);
  expect((own - other) / views).toBeGreaterThan(0.5);
});

/** A clock that the simulation moves by pausing; stops after so many ms. */
function clock(stopAfterMs: number): { now: () => number; pause: (ms: number) => Promise<void>; signal: AbortSignal } {
  const stop = new AbortController();
  let time = START;
  return {
    now: () => time,
    pause: async (ms) => {
      time += ms;
      if (time - START >= stopAfterMs) stop.abort();
    },
    signal: stop.signal,
  };
}

const size = ({ body }: SimulatedRequest): number => (isObject(body) && Array.isArray(body['batch']) ? body['batch'].length : 0);

test('the driver sends the catalogue first, then the asked-for events a second until it is told to stop', async () => {
  const requests: SimulatedRequest[] = [];
  const { sent } = await runSimulation({ shop: simulatedShop(settings), send: async (request) => requests.push(request), rate: 30, ...clock(60_000) });
  expect(requests[0]).toMatchObject({ method: 'PUT', path: '/v1/products', key: 'admin' });
  expect(requests.slice(1).reduce((sum, request) => sum + size(request), 0)).toBe(sent);
  expect(sent).toBeGreaterThan(30 * 59);
  expect(sent).toBeLessThanOrEqual(30 * 60);
});

test('a shop that has told its catalogue before does not tell it again', async () => {
  const methods: string[] = [];
  await runSimulation({ shop: simulatedShop(settings), isKnown: true, send: async ({ method }) => methods.push(method), ...clock(5_000) });
  expect(new Set(methods)).toEqual(new Set(['POST']));
});

test('a batch that could not be taken is sent again unchanged; a failure that waiting cannot mend ends the simulation', async () => {
  const requests: string[] = [];
  let left = 3;
  await runSimulation({
    shop: simulatedShop(settings), rate: 20, ...clock(10_000),
    send: async (request) => {
      requests.push(JSON.stringify(request));
      if (requests.length > 3 && left-- > 0) throw new Unavailable('The log is busy.');
    },
  });
  expect(requests.slice(3, 7)).toEqual([requests[3], requests[3], requests[3], requests[3]]);
  await expect(runSimulation({ shop: simulatedShop(settings), send: async () => { throw new TypeError('a bug'); }, ...clock(10_000) })).rejects.toThrow('a bug');
});

test('after a long sleep the hours are not made up for', async () => {
  let time = START;
  const stop = new AbortController();
  const { sent } = await runSimulation({
    shop: simulatedShop(settings), rate: 20, now: () => time, signal: stop.signal, send: async () => undefined,
    pause: async () => {
      if (time > START) stop.abort();
      time += 8 * 3_600_000;
    },
  });
  expect(sent).toBeLessThanOrEqual(20 * 2 * 2);
});

test('the shop sold before it opened here: guests\' orders of past days, oldest first, more on a Friday than on a Sunday', () => {
  const of = simulatedShop(settings);
  const until = Date.UTC(2026, 2, 10, 15);
  const orders = of.ordersBefore(until, 28) as { messageId: string; timestamp: string; properties: { order_id: string; products: { sku: string; quantity: number }[] } }[];
  expect(orders).toEqual(simulatedShop({ ...settings, run: 'another' }).ordersBefore(until, 28));
  const times = orders.map(({ timestamp }) => Date.parse(timestamp));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect([Math.min(...times) >= Date.UTC(2026, 1, 10), Math.max(...times) < Date.UTC(2026, 2, 10)]).toEqual([true, true]);
  expect(new Set(orders.map(({ properties }) => properties.order_id)).size).toBe(orders.length);
  const on = (weekday: number): number => times.filter((time) => new Date(time).getUTCDay() === weekday).length;
  expect(on(5)).toBeGreaterThan(1.4 * on(0));
  const known = new Set(of.products.map(({ sku }) => sku));
  expect(orders.every(({ properties }) => properties.products.length > 0 && properties.products.every(({ sku, quantity }) => known.has(sku) && quantity > 0))).toBe(true);
  expect(of.ordersBefore(until, 0)).toEqual([]);
});
