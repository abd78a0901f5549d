import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collectBatch } from '../../producers/batch.js';
import { collectProduct } from '../../producers/catalog.js';
import { Successions } from '../../producers/replaces-ring.js';
import { collect, type CollectContext, type CollectedRecord } from '../../producers/collect.js';
import { collectGa4 } from '../../producers/ga4.js';
import { sentenceOf } from '../../producers/fields.js';
import { encodeRecords } from '../../producers/publish.js';
import { clickstream, orders } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';

const receivedAt = Date.UTC(2026, 2, 10, 10, 0, 31);
const context: CollectContext = { receivedAt, shop: { currency: 'GBP', timezone: 'Europe/London' }, scope: 'server', newId: () => 'new-id' };

const recordsOf = (body: unknown, over: Partial<CollectContext> = {}): readonly CollectedRecord[] => {
  const outcome = collect(body, { ...context, ...over });
  if ('errors' in outcome) throw new Error(JSON.stringify(outcome.errors));
  return outcome.ok.records;
};
const click = (body: unknown): ShopEvent => {
  const record = recordsOf(body)[0]!;
  if (record.topic !== 'clickstream') throw new Error(record.topic);
  return record.value;
};
const wrong = (body: unknown, over: Partial<CollectContext> = {}): string[] => {
  const outcome = collect(body, { ...context, ...over });
  return 'errors' in outcome ? outcome.errors.map(({ path, code }) => `${path} ${code}`).sort() : [];
};
const view = { type: 'track', messageId: 'm', anonymousId: 'a1', event: 'Product Viewed', properties: { product_id: 'P1' } };
const withProperties = (properties: object, event = 'Product Added') => ({ ...view, event, properties });

describe('a call', () => {
  test('becomes a clickstream record with what it says in its fields', () => {
    const event = click({
      ...view, userId: 'u1', timestamp: '2026-03-10T09:00:00Z',
      context: { page: { url: 'https://s/p', referrer: 'https://g/' }, campaign: { name: 'spring' }, locale: 'en-GB', timezone: 'Europe/Berlin' },
      properties: { product_id: 'P1', name: 'Cup', category: 'Kitchen', brand: 'B', variant: 'red', price: 12.99, quantity: '2', position: 3, cart_id: 'c1', recommendation_id: 'r1', placement: 'home', currency: 'eur', value: 25.98, colour: 'red' },
    });
    expect(event).toEqual({
      messageId: 'm', type: 'track', event: 'Product Viewed', userId: 'u1', anonymousId: 'a1', previousId: null,
      time: Date.UTC(2026, 2, 10, 9), receivedAt,
      products: [{ sku: 'P1', name: 'Cup', category: 'Kitchen', brand: 'B', variant: 'red', price: 129_900n, quantity: 2, position: 3 }],
      cartId: 'c1', checkoutId: null, orderId: null, recommendationId: 'r1', placement: 'home', query: null, list: null,
      currency: 'EUR', value: 259_800n, url: 'https://s/p', referrer: 'https://g/', campaign: 'spring', locale: 'en-GB',
      timezone: 'Europe/Berlin', marketingConsent: null, traits: null, properties: '{"colour":"red"}', source: null, restored: null, claim: null, login: null,
    });
  });

  test('is keyed by userId where it has one, else by anonymousId', () => {
    expect(recordsOf({ ...view, userId: 'u1' })[0]!.key).toBe('u1');
    expect(recordsOf(view)[0]!.key).toBe('a1');
    expect(recordsOf({ ...view, userId: null })[0]!.key).toBe('a1');
    expect(recordsOf({ ...view, userId: '' })[0]!.key).toBe('a1');
  });

  test('gets an id when it has none', () => {
    expect(click({ ...view, messageId: undefined }).messageId).toBe('new-id');
  });

  test('needs a call, a name and somebody', () => {
    expect(wrong(null)).toEqual([' not_an_object']);
    expect(wrong([])).toEqual([' not_an_object']);
    expect(wrong({})).toEqual(['event required', 'type required', 'userId required']);
    expect(wrong({ ...view, event: '  ' })).toEqual(['event empty']);
    expect(wrong({ ...view, event: 5 })).toEqual(['event wrong_type']);
    expect(wrong({ ...view, type: 'charge' })).toEqual(['type unknown_type']);
    expect(wrong(view, { type: 'page' })).toEqual(['type unknown_type']);
    expect(wrong({ ...view, properties: [1] })).toEqual(['properties not_an_object', 'properties.product_id required']);
  });

  test('has its name as Segment’s spec writes it, whatever its case, so that it stands once in ClickHouse', () => {
    const spec = [
      'Products Searched', 'Product List Viewed', 'Product List Filtered', 'Promotion Viewed', 'Promotion Clicked', 'Product Clicked', 'Product Viewed', 'Product Added',
      'Product Removed', 'Cart Viewed', 'Checkout Started', 'Checkout Step Viewed', 'Checkout Step Completed', 'Payment Info Entered', 'Order Completed', 'Order Updated',
      'Order Refunded', 'Order Cancelled', 'Coupon Entered', 'Coupon Applied', 'Coupon Denied', 'Coupon Removed', 'Product Added to Wishlist', 'Product Removed from Wishlist',
      'Wishlist Product Added to Cart', 'Product Shared', 'Cart Shared', 'Product Reviewed',
    ];
    const properties = { product_id: 'P1', order_id: 'O-1', products: [{ product_id: 'P1', quantity: 1, price: 1 }] };
    expect(spec.map((event) => click({ ...view, event: ` ${event.toUpperCase()}`, properties }).event)).toEqual(spec);
  });

  test.each(['order completed', ' Order Completed ', 'ORDER COMPLETED', 'order_completed', 'orderCompleted', 'Order-Completed'])('of the name %j is the order that it says: as an event of the shop’s own it would be lost without a word', (event) => {
    expect(recordsOf(withProperties({ order_id: 'O', products: [{ sku: 'P1' }] }, event))).toMatchObject([{ value: { event: 'Order Completed' } }, { topic: 'orders' }]);
    expect(wrong(withProperties({}, event.replace(/order/i, 'Order').replace(/completed/i, 'Refunded')), { scope: 'browser' })).toContain('event needs_server_key');
  });

  test('of an unknown name is the shop’s own event', () => {
    expect(click({ ...view, event: 'Lamp Rubbed', properties: { wishes: 3 } })).toMatchObject({ event: 'Lamp Rubbed', products: [], properties: '{"wishes":3}' });
  });

  test('page, screen, identify, group and alias keep what is theirs', () => {
    expect(click({ type: 'page', anonymousId: 'a', name: 'Home', properties: { url: 'https://s/', title: 'T' } })).toMatchObject({ type: 'page', event: 'Home', url: 'https://s/', properties: '{"title":"T"}' });
    expect(click({ type: 'screen', anonymousId: 'a' })).toMatchObject({ type: 'screen', event: '' });
    expect(click({ type: 'identify', userId: 'u', traits: { email: 'a@b.c' } })).toMatchObject({ type: 'identify', traits: '{"email":"a@b.c"}' });
    expect(click({ type: 'group', userId: 'u', groupId: 7 })).toMatchObject({ type: 'group', properties: '{"groupId":"7"}' });
    expect(click({ type: 'alias', userId: 'u', previousId: 'a' })).toMatchObject({ type: 'alias', previousId: 'a' });
    expect(wrong({ type: 'alias', userId: 'u' })).toEqual(['previousId required']);
    expect(wrong({ type: 'alias', previousId: 'a' })).toEqual(['userId required']);
  });

  test('keeps no e-mail address but in traits', () => {
    expect(click(withProperties({ product_id: 'P1', email: 'a@b.c', customer_email: 'a@b.c', size: 1 })).properties).toBe('{"size":1}');
  });
});

describe('ids', () => {
  test.each(['undefined', 'null', 'NaN', '[object Object]', 'true', 'false', '0', ' ', 'None', 'guest', 'Anonymous', '(not set)', 'N/A', '{{ user.id }}', '${userId}', '[object Undefined]'])('D03: the placeholder %j is nobody', (id) => {
    expect(wrong({ type: 'identify', anonymousId: 'a1', userId: id })).toEqual(['userId placeholder_id']);
    expect(wrong({ ...view, anonymousId: id })).toEqual(['anonymousId placeholder_id']);
  });

  test('of shoppers keep their spaces and their case, as Segment\u2019s do, and only as a whole are anybody\u2019s or nobody\u2019s', () => {
    for (const userId of [' u1', 'u1 ', 'U1', '00', 'guest-17', 'anonymous@shop.example', 'n/a/7']) expect(recordsOf({ ...view, userId })[0]!.key).toBe(userId);
  });

  test('D03: an empty userId is refused where the call exists to name it', () => {
    expect(wrong({ type: 'identify', anonymousId: 'a1', userId: '' })).toEqual(['userId placeholder_id']);
    expect(wrong({ type: 'identify', userId: '' })).toEqual(['userId placeholder_id']);
  });

  test('D21: whole numbers become their digits, rounded ones are refused', () => {
    expect(recordsOf({ type: 'identify', userId: 4711 })[0]!.key).toBe('4711');
    expect(wrong({ ...view, userId: 2 ** 53 + 2 })).toEqual(['userId unsafe_number']);
    expect(wrong({ ...view, userId: 1.5 })).toEqual(['userId unsafe_number']);
    expect(wrong({ ...view, userId: 0 })).toEqual(['userId placeholder_id']);
    for (const id of [{}, [], true]) expect(wrong({ ...view, userId: id })).toEqual(['userId wrong_type']);
  });

  test('emoji and slashes are fine; NUL, 300 characters and halves of pairs are not', () => {
    expect(recordsOf({ ...view, userId: '🙂/ü' })[0]!.key).toBe('🙂/ü');
    expect(wrong({ ...view, userId: 'a\u0000b' })).toEqual(['userId control_character']);
    expect(wrong({ ...view, userId: 'a\u001fb' })).toEqual(['userId control_character']);
    expect(wrong({ ...view, userId: 'x'.repeat(300) })).toEqual(['userId id_too_long']);
    expect(wrong({ ...view, userId: 'é'.repeat(129) })).toEqual(['userId id_too_long']);
    expect(wrong({ ...view, userId: '\ud83d' })).toEqual(['userId wrong_type']);
    expect(wrong(withProperties({ product_id: 'undefined', cart_id: 'null' }))).toEqual(['properties.cart_id placeholder_id', 'properties.product_id placeholder_id']);
  });
});

describe('products', () => {
  test('are known by sku, product_id or id; an empty sku gives way', () => {
    expect(click(withProperties({ sku: 'S', product_id: 'P' }))).toMatchObject({ products: [{ sku: 'S' }], properties: '{"product_id":"P"}' });
    expect(click(withProperties({ sku: '', product_id: 'P' })).products[0]!.sku).toBe('P');
    expect(click(withProperties({ products: [{ id: 5 }, { sku: 'x' }] })).products.map((product) => product.sku)).toEqual(['5', 'x']);
  });

  test('terms of ordering that cannot be are refused, all by name', () => {
    const wrong = { sku: 'P1', reorder_policy: 'weekly', sell_until: '2026-02-30', lead_time_days: -1, service_level: '95', attributes: { pack_size: 0, cover_days: 'a week', excess_cost: 'NaN' } };
    const outcome = collectProduct(wrong, context);
    expect('errors' in outcome && outcome.errors.map(({ path, code }) => [path, code]).toSorted()).toEqual(
      [...['cover_days', 'excess_cost', 'lead_time_days', 'pack_size'].map((path) => [path, 'out_of_range']), ['reorder_policy', 'unknown_policy'], ['sell_until', 'invalid_time'], ['service_level', 'out_of_range'], ['shortage_cost', 'required']]);
    const right = { sku: 'P1', reorder_policy: 'newsvendor', sell_until: ' 2026-02-28 ', lead_time_days: 0, service_level: 0.95, pack_size: '', shortage_cost: 'Infinity', excess_cost: '0' };
    expect(collectProduct(right, context)).toMatchObject({ ok: { records: [{ value: { attributes: { lead_time_days: '0', shortage_cost: 'Infinity' } } }] } });
  });

  test('one cost without the other is refused: it would order as if nothing had been said', () => {
    const told = (terms: object): string[] => {
      const outcome = collectProduct({ sku: 'P1', ...terms }, context);
      return 'errors' in outcome ? outcome.errors.map(({ path, code }) => `${path} ${code}`) : [];
    };
    expect(told({ shortage_cost: 3 })).toEqual(['excess_cost required']);
    expect(told({ excess_cost: '0', shortage_cost: ' ', service_level: 0.9 })).toEqual(['shortage_cost required']);
    for (const both of [{}, { shortage_cost: 3, excess_cost: 0 }, { shortage_cost: '', excess_cost: null }]) expect(told(both)).toEqual([]);
  });

  test('have a sale price that is one, on days that are', () => {
    const told = (sale: object): string[] => {
      const outcome = collectProduct({ sku: 'P1', ...sale }, context);
      return 'errors' in outcome ? outcome.errors.map(({ path, code }) => `${path} ${code}`) : [];
    };
    for (const price of ['abc', '9,99', '-1', 'NaN', '1e3', '9.99 €', true]) expect(told({ sale_price: price })).toEqual(['sale_price not_a_number']);
    for (const price of [9.99, '9.99', '9.99 EUR', 0, '', ' ', null]) expect(told({ sale_price: price })).toEqual([]);
    for (const dates of ['tomorrow', '2026-11-24', '2026-02-30/2026-03-02', '2026-11-24T11/2026-11-29T23', '2026-11-24T25:00/2026-11-29T23:00', '2026-11-24T11:00 CET/2026-11-29', '2026-11-24/2026-11-25/2026-11-26']) {
      expect(told({ sale_price: '9.99', sale_price_effective_date: dates })).toEqual(['sale_price_effective_date invalid_time']);
      expect(told({ sale_price: '', sale_price_effective_date: dates })).toEqual([]);
    }
    for (const dates of ['2026-11-24/2026-11-29', ' 2026-11-24T11:00+0100 / 2026-11-29 23:00:00Z', '2026-11-24T11:00/2026-11-29T23:00:00', '']) expect(told({ sale_price: '9.99', sale_price_effective_date: dates })).toEqual([]);
    expect(told({ replaces: 'null', lead_time_days: '0x10', minimum_order: '1.2.3', ['n'.repeat(300)]: 1 })).toEqual([`${'n'.repeat(80)} too_large`, 'lead_time_days out_of_range', 'minimum_order out_of_range', 'replaces placeholder_id']);
    expect(told({ replaces: 'A\u001fB' })).toEqual(['replaces out_of_range']);
    expect(told({ pack_size: 1e-6, lead_time_days: '+3', on_order: '1e3', shortage_cost: '0', excess_cost: 'Infinity' })).toEqual([]);
  });

  test('and lines whose numbers are blank say nothing of them, with spaces or without', () => {
    for (const blank of ['', ' ', '\t', null]) {
      expect(recordsOf(withProperties({ order_id: 'O', total: blank, products: [{ sku: 'P1', price: blank, quantity: blank }] }, 'Order Completed'))[1]!.value).toMatchObject({ total: null, lines: [{ price: 0n, quantity: 1 }] });
      expect(collectProduct({ sku: 'P1', price: blank, quantity: blank, stock: 7, hidden: blank, availability: blank }, context)).toMatchObject({ ok: { records: [{ value: { price: null, quantity: 7, hidden: false } }] } });
      expect(wrong({ type: 'track', event: 'Inventory Updated', properties: { product_id: 'P1', quantity: blank } })).toEqual(['properties.quantity required']);
    }
  });

  test('do not take their own place', () => {
    for (const replaces of ['P1', ' P1 ', 'x'.repeat(257)]) {
      const outcome = collectProduct({ sku: 'P1 ', replaces }, context);
      expect('errors' in outcome && outcome.errors.map(({ path }) => path)).toEqual(['replaces']);
    }
    expect(collectProduct({ sku: 'P1', replaces: ' P0 ' }, context)).toMatchObject({ ok: { messageId: 'P1' } });
  });

  test('of a line as long as their file are taken one after the other, rings of up to 32 are seen and longer ones are not', () => {
    const closes = (length: number): boolean => {
      const upload = new Successions();
      const rows = Array.from({ length }, (_, i) => collectProduct({ sku: `P${i}`, replaces: `P${(i + 1) % length}` }, context));
      return rows.map((row) => upload.checked(row)).some((outcome) => 'errors' in outcome);
    };
    expect([2, 31, 32, 34].map(closes)).toEqual([true, true, true, false]);
    const upload = new Successions();
    const line = Array.from({ length: 30_000 }, (_, i) => collectProduct({ sku: `P${i}`, replaces: `P${i - 1}` }, context));
    const began = process.cpuUsage();
    expect(line.every((row) => 'ok' in upload.checked(row))).toBe(true);
    // Followed to its end each time it takes minutes.
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(2_000);
  });

  test('have no spaces around their SKU, whatever stands there; case counts, as spaces within do', () => {
    const skus = [' P1', 'P1 ', '\u00a0P1\u3000', 'p1', 'P 1', `${' '.repeat(20)}P1`];
    expect(click(withProperties({ products: skus.map((sku) => ({ sku })) })).products.map(({ sku }) => sku)).toEqual(['P1', 'P1', 'P1', 'p1', 'P 1', 'P1']);
    expect(wrong(withProperties({ products: [{ sku: ' '.repeat(20) }, { sku: '  ' }, { sku: 'P1\t' }] }))).toEqual([
      'properties.products[0].sku placeholder_id', 'properties.products[1].sku placeholder_id', 'properties.products[2].sku control_character',
    ]);
    const order = recordsOf({ ...withProperties({ order_id: 'O', currency: 'EUR', products: [{ sku: 'P1 ', price: 5 }] }, 'Order Completed') });
    expect(order.flatMap((record) => (record.topic === 'orders' ? record.value.lines.map(({ sku }) => sku) : []))).toEqual(['P1']);
    expect(recordsOf({ ...withProperties({ sku: ' P1', quantity: 3 }, 'Inventory Updated'), anonymousId: undefined })[0]).toMatchObject({ topic: 'inventory', key: 'P1', value: { sku: 'P1' } });
    expect(collectProduct({ sku: 'P1 ' }, context)).toMatchObject({ ok: { records: [{ key: 'P1', value: { sku: 'P1' } }] } });
  });

  test('must be there for events about a product', () => {
    expect(wrong(withProperties({}))).toEqual(['properties.product_id required']);
    expect(wrong(withProperties({ products: [] }))).toEqual(['properties.products required']);
    expect(wrong(withProperties({ products: 'P1' }))).toEqual(['properties.products wrong_type']);
    expect(wrong(withProperties({ products: [7, { product_id: 'P', price: -1 }] }))).toEqual(['properties.products[0] not_an_object', 'properties.products[1].price negative']);
    expect(wrong(withProperties({ products: Array.from({ length: 501 }, () => ({ sku: 'a' })) }))).toEqual(['properties.products too_many']);
  });

  test('are what a list of recommendations shows, in its order', () => {
    const served = (properties: object) => withProperties(properties, 'Recommendations Served');
    expect(click(served({ recommendation_id: 'r1', placement: 'home', products: [{ sku: 'P2' }, { product_id: 'P1', position: 2 }] }))).toMatchObject({ recommendationId: 'r1', placement: 'home', products: [{ sku: 'P2' }, { sku: 'P1', position: 2 }] });
    for (const properties of [{}, { products: [] }, { products: null }]) expect(wrong(served(properties))).toEqual(['properties.products required']);
    expect(wrong(served({ products: [{ name: 'nameless' }] }))).toEqual(['properties.products[0].product_id required']);
  });

  test('may be sold in fractions but not in negative numbers', () => {
    expect(click(withProperties({ product_id: 'P', quantity: 0.35 })).products[0]!.quantity).toBe(0.35);
    expect(wrong(withProperties({ product_id: 'P', quantity: -1 }))).toEqual(['properties.quantity negative']);
    for (const quantity of ['1,5', 'NaN', {}, Infinity, [1]]) expect(wrong(withProperties({ product_id: 'P', quantity }))).toEqual(['properties.quantity not_a_number']);
  });

  test('D15: amounts with a thousands comma are refused by name, plain decimals are exact', () => {
    const order = (total: unknown, price: unknown) => withProperties({ order_id: 'O-77', currency: 'GBP', total, products: [{ product_id: 'TV1', quantity: '1', price }] }, 'Order Completed');
    expect(wrong(order('1,299.00', '1,299.00'))).toEqual(['properties.products[0].price not_a_number', 'properties.total not_a_number']);
    expect(recordsOf(order('1299.00', '1299.00'))[1]!.value).toMatchObject({ total: 12_990_000n, lines: [{ price: 12_990_000n, quantity: 1 }] });
    expect(wrong(order('NaN', Number.NaN))).toHaveLength(2);
    for (const huge of ['123456789012345', 123456789012345, -1e308, '99999999999999.99999']) expect(wrong(order(huge, 1))).toEqual(['properties.total out_of_range']);
    expect(wrong(order('1e15', '1e15 EUR'))).toEqual(['properties.products[0].price not_a_number', 'properties.total not_a_number']);
    expect(wrong(order(-1, 1))).toEqual(['properties.total negative']);
  });
});

describe('orders and stock', () => {
  test('an order needs its id, and its currency must exist', () => {
    expect(wrong(withProperties({ currency: 'EURO' }, 'Order Completed'))).toEqual(['properties.currency unknown_currency', 'properties.order_id required', 'properties.products required']);
    expect(wrong(withProperties({ order_id: 'undefined' }, 'Order Cancelled'))).toEqual(['properties.order_id placeholder_id']);
  });

  test('is of the order, cart and checkout without the spaces around their ids: it would count twice where a page and a server differ in one (D07)', () => {
    const order = (properties: object) => recordsOf({ ...view, event: 'Order Completed', properties: { products: [{ product_id: 'P1', quantity: 1, price: 5 }], ...properties } });
    const records = order({ order_id: ' O-1 ', cart_id: 'c1 ', checkout_id: ' k 1' });
    expect(records).toMatchObject([{ topic: 'clickstream' }, { topic: 'orders', key: 'O-1' }]);
    for (const { value } of records) expect(value).toMatchObject({ orderId: 'O-1', cartId: 'c1', checkoutId: 'k 1' });
    expect(wrong({ ...view, event: 'Order Cancelled', properties: { order_id: ' '.repeat(20) } })).toEqual(['properties.order_id placeholder_id']);
  });

  test.each([['Order Completed', 'completed', 'GBP'], ['Order Updated', 'updated', 'GBP'], ['Order Refunded', 'refunded', ''], ['Order Cancelled', 'cancelled', '']])('%s is of kind %s, keyed by its order, in the shop’s currency unless it is the order’s', (event, kind, currency) => {
    const [first, second] = recordsOf(withProperties({ order_id: 12, total: 5, products: [{ product_id: 'P1' }] }, event));
    expect(first!.topic).toBe('clickstream');
    expect(second).toMatchObject({ topic: 'orders', key: '12', value: { kind, orderId: '12', currency, lines: [{ sku: 'P1', quantity: 1, price: 0n }] } });
  });

  test('an order needs its products, and so does an update of one; a refund and a cancellation may name none', () => {
    for (const event of ['Order Completed', 'Order Updated']) {
      for (const products of [undefined, null, []]) expect(wrong(withProperties({ order_id: 'O', total: 5, products }, event))).toEqual(['properties.products required']);
      expect(wrong(withProperties({ order_id: 'O', products: 'P1' }, event))).toEqual(['properties.products wrong_type']);
      expect(wrong(withProperties({ order_id: 'O', product_id: 'P1', price: 3 }, event))).toEqual([]);
    }
    for (const event of ['Order Refunded', 'Order Cancelled']) expect(wrong(withProperties({ order_id: 'O', total: 5 }, event))).toEqual([]);
  });

  test('what cannot be written down as money is refused, line by line and in all', () => {
    const order = (...lines: object[]) => wrong(withProperties({ order_id: 'O', products: lines }, 'Order Completed'));
    const line = { product_id: 'P1', price: '99999999999999.9999' };
    expect(order({ ...line, quantity: 1 })).toEqual([]);
    expect(order({ ...line, quantity: 3 })).toEqual(['properties.products out_of_range']);
    expect(order(line, { ...line, product_id: 'P2' })).toEqual(['properties.products out_of_range']);
  });

  test('a browser may place an order, not change it nor take it back', () => {
    const order = { order_id: 'O', products: [{ product_id: 'P1' }] };
    expect(wrong(withProperties(order, 'Order Completed'), { scope: 'browser' })).toEqual([]);
    for (const event of ['Order Updated', 'Order Refunded', 'Order Cancelled']) expect(wrong(withProperties(order, event), { scope: 'browser' })).toEqual(['event needs_server_key']);
    const refund = collectGa4({ client_id: 'c', events: [{ name: 'refund', params: { transaction_id: 'O' } }] }, { ...context, scope: 'browser' });
    expect(refund).toMatchObject({ outcomes: [{ errors: [{ path: 'events[0].name', code: 'needs_server_key' }] }] });
  });

  test('a browser orders ten thousand units of a product at most, a server what it says', () => {
    const order = (units: number) => withProperties({ order_id: 'O', products: [{ product_id: 'P1' }, { product_id: 'P2', quantity: units }] }, 'Order Completed');
    expect(wrong(order(10_000), { scope: 'browser' })).toEqual([]);
    expect(wrong({ ...order(1), properties: { ...order(1).properties, products: [6_000, 5_000, 5_000].map((quantity) => ({ product_id: 'P', quantity, price: 1 })) } }, { scope: 'browser' }))
      .toEqual(['properties.products[1].quantity out_of_range', 'properties.products[2].quantity out_of_range']);
    for (const units of [10_001, 1e9]) expect(wrong(order(units), { scope: 'browser' })).toEqual(['properties.products[1].quantity out_of_range']);
    expect(wrong(order(1e9))).toEqual([]);
  });

  test('a browser reports orders of three days, a server those of years', () => {
    const order = (daysAgo: number) => ({ ...withProperties({ order_id: 'O', products: [{ product_id: 'P1' }] }, 'Order Completed'), timestamp: new Date(receivedAt - daysAgo * 86_400_000).toISOString() });
    expect(wrong(order(3), { scope: 'browser' })).toEqual([]);
    for (const daysAgo of [3.1, 800]) expect(wrong(order(daysAgo), { scope: 'browser' })).toEqual(['timestamp time_out_of_range']);
    expect(wrong({ ...order(0), sentAt: new Date(receivedAt + 800 * 86_400_000).toISOString() }, { scope: 'browser' })).toEqual(['timestamp time_out_of_range']);
    expect(wrong(order(800))).toEqual([]);
    const ga4 = collectGa4({ client_id: 'c', timestamp_micros: (receivedAt - 4 * 86_400_000) * 1000, events: [{ name: 'purchase', params: { transaction_id: 'O', items: [{ item_id: 'P1' }] } }] }, { ...context, scope: 'browser' });
    expect(ga4).toMatchObject({ outcomes: [{ errors: [{ path: 'events[0].timestamp_micros', code: 'time_out_of_range' }] }] });
  });

  test('an event with a price is in the currency of the shop, unless it names one', () => {
    const currencyOf = (properties: object) => (recordsOf(withProperties(properties))[0]!.value as { currency: string | null }).currency;
    expect(currencyOf({ product_id: 'P1', price: '9.50' })).toBe('GBP');
    expect(currencyOf({ product_id: 'P1', value: 3 })).toBe('GBP');
    expect(currencyOf({ product_id: 'P1', price: '9.50', currency: 'USD' })).toBe('USD');
    expect(currencyOf({ product_id: 'P1' })).toBeNull();
  });

  test('stock and price changes need no shopper, but a server key', () => {
    const stock = { type: 'track', messageId: 'i', event: 'Inventory Updated', properties: { product_id: 'P4', quantity: -2, in_stock: true } };
    expect(recordsOf(stock)).toEqual([{ topic: 'inventory', key: 'P4', value: { messageId: 'i', sku: 'P4', quantity: -2, availability: null, price: null, currency: null, time: receivedAt, receivedAt } }]);
    expect(recordsOf({ ...stock, event: 'Price Changed', properties: { currency: 'USD', products: [{ sku: 'A', price: 1, currency: 'gbp' }, { sku: 'B', price: 2 }] } })).toMatchObject([{ value: { currency: 'GBP' } }, { value: { currency: 'USD' } }]);
    expect(recordsOf({ ...stock, event: 'Price Changed', properties: { product_id: 'A', price: 1 } })).toMatchObject([{ value: { currency: null } }]);
    expect(recordsOf({ ...stock, event: 'Price Changed', properties: { products: [{ sku: 'A', price: '1.50' }, { sku: 'B', price: 2 }] } })).toMatchObject([{ key: 'A', value: { price: 15_000n, quantity: null, messageId: 'i' } }, { key: 'B', value: { messageId: 'i/1' } }]);
    expect(wrong(stock, { scope: 'browser' })).toEqual(['event needs_server_key']);
    expect(wrong({ ...view, event: 'User Erased' }, { scope: 'browser' })).toEqual(['event needs_server_key']);
    expect(wrong({ ...stock, properties: { products: [] } })).toEqual(['properties.products required']);
    expect(wrong({ ...stock, properties: { product_id: 'P' } })).toEqual(['properties.quantity required']);
    for (const quantity of [-1e308, 1e12 + 1, '999999999999999']) expect(wrong({ ...stock, properties: { product_id: 'P', quantity } })).toEqual(['properties.quantity out_of_range']);
    expect(recordsOf({ ...stock, properties: { product_id: 'P', quantity: -1e12 } })).toMatchObject([{ value: { quantity: -1e12 } }]);
    expect(wrong({ ...stock, event: 'Price Changed', properties: { product_id: 'P', price: -1 } })).toEqual(['properties.price negative']);
    expect(wrong({ ...stock, event: 'Price Changed', properties: { currency: 'euro', products: [{ sku: 'P', price: 1, currency: 'pounds' }] } })).toEqual(['properties.currency unknown_currency', 'properties.products[0].currency unknown_currency']);
  });
});

describe('consent', () => {
  const consent = (body: object) => click({ ...view, ...body }).marketingConsent;
  test('is read from traits, context and Consent Updated; a refusal wins', () => {
    expect(consent({})).toBeNull();
    expect(consent({ type: 'identify', traits: { marketing_opt_out: true } })).toBe(false);
    expect(consent({ type: 'identify', traits: { marketing_opt_out: false } })).toBe(true);
    expect(consent({ type: 'identify', traits: { marketing_consent: true, marketing_opt_out: 'true' } })).toBe(false);
    expect(consent({ context: { consent: { categoryPreferences: { Marketing: false } } } })).toBe(false);
    expect(consent({ context: { consent: { marketing: true } } })).toBe(true);
    expect(consent({ event: 'Consent Updated', properties: { marketing: false } })).toBe(false);
    expect(consent({ event: 'Consent Updated', properties: { categoryPreferences: { Marketing: false }, marketing: true } })).toBe(false);
  });

  test('Consent Updated that says neither yes nor no is refused: a no under a name of the shop’s own was taken, and nobody heeded it', () => {
    const updated = (properties: object, context: object = {}): string[] => wrong({ ...view, event: 'Consent Updated', properties, context });
    expect(updated({ newsletter: false })).toEqual(['properties.marketing required']);
    expect(updated({ categoryPreferences: { Advertising: false } })).toEqual(['properties.marketing required']);
    expect(updated({ marketing: { email: false } })).toEqual(['properties.marketing wrong_type']);
    expect(updated({ categoryPreferences: { Marketing: 'no' } })).toEqual(['properties.categoryPreferences.marketing wrong_type']);
    expect(updated({}, { consent: { categoryPreferences: { Marketing: false } } })).toEqual([]);
  });

  test('for a known user is not a public key’s to give, unless the shopper is proven; a no is believed from anyone', () => {
    const yes = { type: 'identify', userId: 'u1', anonymousId: 'a1', traits: { marketing_opt_in: true } };
    const browser = { scope: 'browser' as const };
    expect(wrong(yes, browser)).toEqual(['traits needs_server_key']);
    expect(wrong({ ...view, userId: 'u1', event: 'Consent Updated', properties: { marketing: true } }, browser)).toEqual(['properties needs_server_key']);
    expect(wrong(yes, { ...browser, provenUser: 'u2' })).toEqual(['traits needs_server_key']);
    expect(wrong(yes, { ...browser, provenUser: 'u1' })).toEqual([]);
    expect(wrong({ ...yes, traits: { marketing_opt_out: true } }, browser)).toEqual([]);
    expect(wrong({ ...view, event: 'Consent Updated', properties: { marketing: true } }, browser)).toEqual([]);
    const stamped = { ...view, userId: 'u1', context: { consent: { categoryPreferences: { Marketing: true } } } };
    expect(recordsOf(stamped, browser)).toMatchObject([{ value: { marketingConsent: null } }]);
    expect(recordsOf(stamped)).toMatchObject([{ value: { marketingConsent: true } }]);
  });

  test('that cannot be read is refused rather than taken for consent', () => {
    expect(wrong({ type: 'identify', userId: 'u', traits: { marketing_opt_out: 'yes' } })).toEqual(['traits.marketing_opt_out wrong_type']);
  });
});

describe('times and sizes', () => {
  test('D14: k1 is corrected, k2 clamped', () => {
    const k1 = { ...view, timestamp: '2026-03-13T10:00:00Z', sentAt: '2026-03-13T10:00:30Z' };
    expect(click(k1).time).toBe(Date.UTC(2026, 2, 10, 10, 0, 1));
    const k2 = collect({ ...k1, sentAt: undefined }, context);
    expect(k2).toMatchObject({ ok: { clamped: true, records: [{ value: { time: receivedAt } }] } });
  });

  test('clocks that were never set are refused, the far future is now', () => {
    expect(wrong({ ...view, timestamp: '0001-01-01T00:00:00Z' })).toEqual(['timestamp time_out_of_range']);
    expect(wrong({ ...view, timestamp: '' })).toEqual(['timestamp invalid_time']);
    expect(wrong({ ...view, originalTimestamp: 'x', sentAt: {} })).toEqual(['originalTimestamp invalid_time', 'sentAt invalid_time']);
    expect(click({ ...view, timestamp: '9999-12-31T00:00:00Z' }).time).toBe(receivedAt);
    expect(wrong({ ...view, timestamp: '2026-03-10T00:00:00Z', sentAt: '9999-01-01T00:00:00Z' })).toEqual(['sentAt time_out_of_range']);
  });

  test('properties may nest 32 levels and take 16 KiB', () => {
    const nested = (levels: number): object => JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels)) as object;
    expect(wrong(withProperties({ product_id: 'P', deep: nested(31) }))).toEqual([]);
    expect(wrong(withProperties({ product_id: 'P', deep: nested(32) }))).toEqual(['properties too_deep']);
    expect(wrong(withProperties({ product_id: 'P', deep: nested(100_000) }))).toEqual(['properties too_deep']);
    expect(wrong({ type: 'identify', userId: 'u', traits: nested(100_000) })).toEqual(['traits too_deep']);
    expect(wrong(withProperties({ product_id: 'P', note: 'x'.repeat(17_000) }))).toEqual(['properties too_large']);
  });

  test('with a number beyond all numbers in what has no field is refused: it would be kept as null', () => {
    expect(wrong(withProperties({ product_id: 'P', deep: { list: [1, JSON.parse('1e400')] } }))).toEqual(['properties out_of_range']);
    expect(collectProduct({ sku: 'P', price: JSON.parse('1e400') as unknown }, context)).toMatchObject({ errors: [{ message: 'A number beyond ±1.8e308 is too large: an amount must be below 10^14.' }] });
    expect(wrong({ type: 'identify', userId: 'u', traits: { weight: JSON.parse('-1e400') as number } })).toEqual(['traits out_of_range']);
    expect(wrong(withProperties({ product_id: 'P', deep: [1e300, null, 'Infinity'] }))).toEqual([]);
  });

  test('long texts are cut, not refused', () => {
    expect(click(withProperties({ product_id: 'P', name: 'é'.repeat(3000) })).products[0]!.name).toHaveLength(1024);
    expect(click(withProperties({ product_id: 'P', name: `${'x'.repeat(1023)}🙂` })).products[0]!.name).toBe('x'.repeat(1023));
  });
});

/** JSON that looks enough like calls to get past the first checks. */
const jsonish = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.constantFrom('undefined', '1,299.00', 'NaN', '', 'a\u0000', '🙂', '\ud800', -1, 0, 1e308, 2 ** 60, '2026-01-01', '0001-01-01T00:00:00Z', 'EUR', 'P1'), tie('object'), fc.array(tie('value'), { maxLength: 3 })),
  object: fc.dictionary(fc.constantFrom('type', 'event', 'messageId', 'userId', 'anonymousId', 'timestamp', 'sentAt', 'properties', 'traits', 'context', 'products', 'product_id', 'sku', 'price', 'quantity', 'total', 'order_id', 'currency', 'consent', 'categoryPreferences', 'marketing', 'page', 'url', 'batch', 'events', 'params', 'items', 'name', 'timezone', '__proto__', 'constructor', 'attributes'), tie('value'), { maxKeys: 12 }),
})).object;
const call = fc.tuple(jsonish, jsonish, fc.constantFrom('Order Completed', 'Product Viewed', 'Inventory Updated', 'Price Changed', 'Consent Updated', 'X'), fc.constantFrom('track', 'identify', 'alias', 'page')).map(([body, properties, event, type]) => ({ type, event, anonymousId: 'a1', userId: 'u', properties, ...(body as object) }));

test('any JSON gives records that can be written and keyed, or named errors, never an exception', () => {
  fc.assert(fc.property(fc.oneof(call, jsonish, fc.jsonValue()), (value) => {
    const body: unknown = JSON.parse(JSON.stringify(value));
    for (const outcome of [collect(body, context), collectProduct(body, context)]) {
      const { errors, keys } = 'errors' in outcome ? { errors: outcome.errors, keys: [] } : { errors: [], keys: encodeRecords(outcome.ok.records, 12).map((record) => record.key) };
      expect(errors.length > 0 || (keys.length > 0 && keys.every((key) => key !== ''))).toBe(true);
    }
    expect(collectBatch({ batch: [body] }, context)).toBeDefined();
    expect(collectGa4(body, context)).toBeDefined();
    expect(collectGa4({ client_id: 'c', events: [{ name: 'purchase', params: body }] }, context)).toBeDefined();
  }), { numRuns: 500 });
});

test('collecting is pure: the same body gives the same records and is not changed', () => {
  fc.assert(fc.property(call, (value) => {
    const body: unknown = JSON.parse(JSON.stringify(value));
    const before = JSON.stringify(body);
    expect(collect(body, context)).toEqual(collect(body, context));
    expect(JSON.stringify(body)).toBe(before);
  }));
});

test('records are framed Avro that reads back as it was', () => {
  const records = recordsOf(withProperties({ order_id: 'O', total: 5, products: [{ sku: 'S', price: 1.25, quantity: 4 }] }, 'Order Completed'));
  const [first, second] = encodeRecords(records, 12);
  expect(clickstream.codec.decode(first!.value)).toMatchObject({ messageId: 'm' });
  expect(orders.codec.decode(second!.value)).toEqual(records[1]!.value);
});

test('a batch gives its context and time of sending to its calls', () => {
  const batch = collectBatch({ batch: [{ ...view, timestamp: '2026-03-13T10:00:00Z' }, { ...view, context: { locale: 'de' } }], sentAt: '2026-03-13T10:00:30Z', context: { locale: 'en', campaign: { name: 'c' } } }, context);
  expect(batch).toMatchObject({ outcomes: [{ ok: { records: [{ value: { time: Date.UTC(2026, 2, 10, 10, 0, 1), locale: 'en' } }] } }, { ok: { records: [{ value: { locale: 'de', campaign: 'c' } }] } }] });
});

describe('catalogue rows', () => {
  const row = (input: unknown) => {
    const outcome = collectProduct(input, context);
    return 'errors' in outcome ? outcome.errors.map(({ path, code }) => `${path} ${code}`) : outcome.ok.records[0]!.value;
  };
  test('are read under the names that feeds use', () => {
    expect(row({ id: 'P1', title: 'Cup', product_type: 'Kitchen', price: '12.99 EUR', link: 'https://s/p', image_link: 'https://s/i', stock: '4', colour: 'red', sizes: [1, 2] })).toEqual({
      sku: 'P1', op: 'upsert', name: 'Cup', category: 'Kitchen', furtherCategories: [], brand: null, price: 129_900n, currency: 'EUR', url: 'https://s/p', imageUrl: 'https://s/i',
      hidden: false, quantity: 4, availability: null, attributes: { colour: 'red', sizes: '["1","2"]' }, time: receivedAt, receivedAt,
    });
  });
  test.each([
    ['a list', { category: ['Cups', 'Gifts', 'Cups', '', null] }, ['Cups', ['Gifts']]],
    ['a list beside one, and of a feed', { category: 'Cups', categories: ['Gifts', 'Cups'], product_type: ['Home > Kitchen > Cups'] }, ['Cups', ['Gifts', 'Home > Kitchen > Cups']]],
    ['a cell with a list', { category: ' ', categories: '["Cups", "Gifts"]' }, ['Cups', ['Gifts']]],
    ['a text that only begins like a list', { category: '[Sale] Cups' }, ['[Sale] Cups', []]],
    ['no category', { category: [] }, [null, []]],
  ])('categories: %s', (_, said, [category, furtherCategories]) => {
    expect(row({ id: 'P1', ...said })).toMatchObject({ category, furtherCategories });
  });
  test.each([
    ['several values', ['S', 'M', 'S', 7, true, '', null], '["S","M","7","true"]'],
    ['one value', ['S'], 'S'],
    ['a cell with a list', '["S", "M"]', '["S","M"]'],
    ['a text that only begins like a list', '[S', '[S'],
    ['a list of objects', [{ size: 'S' }], '[{"size":"S"}]'],
  ])('attributes: %s', (_, size, kept) => {
    expect(row({ id: 'P1', size })).toMatchObject({ attributes: { size: kept } });
  });
  test('categories and values that are no texts, or too many of them, are refused by name', () => {
    expect(row({ id: 'P1', size: [null, ''] })).toMatchObject({ attributes: {} });
    const many = Array.from({ length: 1_000 }, (_, n) => `value ${n}`);
    expect(row({ id: 'P1', category: ['Cups', { name: 'Gifts' }], categories: many, attributes: { fits: many } })).toEqual(['category[1] wrong_type', 'categories too_many', 'fits too_large']);
    // Each list is short enough, all of them are not.
    expect(row({ id: 'P1', category: many.slice(0, 40), categories: many.slice(0, 64) })).toMatchObject({ furtherCategories: many.slice(1, 64) });
    expect(row({ id: 'P1', category: many.slice(0, 40), categories: many.slice(30, 90) })).toEqual(['categories too_many']);
  });
  test('of a list of too many categories nothing else is said, however wrong its entries are', () => {
    expect(row({ id: 'P1', product_type: Array.from({ length: 100_000 }, () => ({})) })).toEqual(['product_type too_many']);
  });
  const long = 'x'.repeat(1_023);
  test.each([
    ['a text', `${long}🫖`, long],
    ['one value', [`${long}🫖`], long],
    ['several values', [`${long}🫖`, 'y'], `["${long}","y"]`],
    ['JSON', [{ a: `${long.slice(7)}🫖` }], `[{"a":"${long.slice(7)}`],
  ])('an attribute that is too long is not cut within a character: %s', (_, form, kept) => {
    expect(row({ id: 'P1', form })).toMatchObject({ attributes: { form: kept } });
  });
  test('of an event the first category is kept: nobody\'s click is refused for several', () => {
    const event = (category: unknown) => recordsOf({ ...view, properties: { product_id: 'P1', category } })[0]!.value;
    expect(event(['Cups', 'Gifts'])).toMatchObject({ products: [{ category: 'Cups' }] });
    expect(event([])).toMatchObject({ products: [{ category: null }] });
    const list = (name: string, category: unknown) => recordsOf({ ...view, event: `Product List ${name}`, properties: { category } })[0]!.value;
    expect(list('Viewed', ['Cups', 'Gifts'])).toMatchObject({ list: 'Cups' });
    expect(list('Filtered', ['Cups'])).toMatchObject({ list: 'Cups' });
    expect(list('Viewed', [])).toMatchObject({ list: null });
  });
  test('hide and delete', () => {
    expect(row({ product_id: 'P3', availability: 'hidden' })).toMatchObject({ sku: 'P3', hidden: true });
    expect(row({ product_id: 'P4', deleted: true })).toMatchObject({ op: 'delete' });
    expect(row({ product_id: 'P4', op: 'delete' })).toMatchObject({ op: 'delete' });
  });
  test.each([
    ['in stock', { quantity: null, availability: 'in_stock', hidden: false }],
    ['https://schema.org/InStock', { quantity: null, availability: 'in_stock' }],
    ['OUT_OF_STOCK', { quantity: 0, availability: null, hidden: false }],
    ['http://schema.org/SoldOut', { quantity: 0 }],
    ['Pre-Order', { quantity: null, availability: 'on_order', hidden: false }],
    ['backorder', { quantity: null, availability: 'on_order' }],
    ['discontinued', { quantity: null, availability: null, hidden: true, attributes: { discontinued: 'true' } }],
    ['hidden', { quantity: null, availability: null, hidden: true, attributes: {} }],
    ['', { quantity: null, availability: null, hidden: false }],
  ])('availability %j is understood', (availability, meant) => {
    expect(row({ id: 'P1', availability })).toMatchObject(meant);
  });
  test('a number says more than “in stock”, “out of stock” more than a number', () => {
    expect(row({ id: 'P1', availability: 'in stock', quantity: 3 })).toMatchObject({ quantity: 3 });
    expect(row({ id: 'P1', availability: 'out of stock', quantity: 3 })).toMatchObject({ quantity: 0 });
    expect(row({ id: 'P1', availability: 'soon' })).toEqual(['availability unknown_availability']);
    expect(row({ id: 'P1', availability: 7 })).toEqual(['availability wrong_type']);
    const said = (properties: object) => recordsOf({ type: 'track', messageId: 'i', event: 'Inventory Updated', properties: { product_id: 'P1', ...properties } })[0]!.value;
    expect(said({ availability: 'in stock' })).toMatchObject({ quantity: null, availability: 'in_stock' });
    expect(said({ availability: 'out of stock' })).toMatchObject({ quantity: 0 });
  });
  test('are refused with every wrong field named', () => {
    expect(row({ price: '1,299.00', quantity: 'many', currency: 'XXXX' })).toEqual(['price not_a_number', 'currency unknown_currency', 'quantity not_a_number', 'product_id required']);
    expect(row({ product_id: 'P1', price: 123456789012345, stock: 1e308 })).toEqual(['price out_of_range', 'stock out_of_range']);
    expect(row('x')).toEqual([' not_an_object']);
    const told = [{ path: '', code: 'not_an_object' as const, message: 'Not JSON.' }, { path: 'price', code: 'negative' as const, message: 'Too little.' }];
    expect(sentenceOf(told)).toBe('Not JSON. price: Too little.');
  });
});
