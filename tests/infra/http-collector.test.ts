import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { interactions, sales } from '../../schemas/topics.js';
import { Driver } from '../support/driver.js';
import { Unavailable } from '../../pipeline/core/errors.js';
import { decodeToken } from '../../infra/http/position-token.js';
import { ADMIN, basic, bearer, BROWSER, NOW, SECRET, SERVER, signShopper, startHttp } from './http-server.js';

let http: Awaited<ReturnType<typeof startHttp>>;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.server.close());
beforeEach(() => {
  http.accepted.length = 0;
});

const view = { type: 'track', messageId: 'm1', anonymousId: 'a1', event: 'Product Viewed', properties: { product_id: 'P9' }, timestamp: '2026-03-02T09:00:00Z' };

describe('Segment’s HTTP API', () => {
  test('a call is answered with its position once it is in the log', async () => {
    const { status, json } = await http.post('/v1/track', view);
    expect(status).toBe(200);
    expect(json).toMatchObject({ accepted: 1, messageId: 'm1' });
    expect(decodeToken(json['token']!)).toEqual({ positions: [{ topic: 'clickstream', partition: http.accepted[0]!.partition, offset: expect.any(Number) }], merges: [] });
    expect(http.values('clickstream')).toMatchObject([{ event: 'Product Viewed', products: [{ sku: 'P9' }], anonymousId: 'a1' }]);
  });

  test.each(['/v1/t', '/v1/p', '/v1/i', '/v1/s', '/v1/g', '/v1/a'])('the short path %s is taken', async (path) => {
    const type = { t: 'track', p: 'page', i: 'identify', s: 'screen', g: 'group', a: 'alias' }[path.slice(-1)];
    const { status } = await http.post(path, { type, userId: 'u1', event: 'X', previousId: 'a1', groupId: 'g1' });
    expect(status).toBe(200);
  });

  test('the key may stand in the body, the query, or a Bearer header', async () => {
    expect((await http.post('/v1/track', { ...view, writeKey: BROWSER }, {})).status).toBe(200);
    expect((await http.post(`/v1/track?writeKey=${BROWSER}`, view, {})).status).toBe(200);
    expect((await http.post('/v1/track', view, bearer(SERVER))).status).toBe(200);
  });

  test('a missing or unknown key is refused before the log is asked', async () => {
    for (const headers of [{}, basic('wk_other'), { authorization: 'Digest x' }, basic('')]) {
      const { status, headers: answered } = await http.post('/v1/track', view, headers);
      expect(status).toBe(401);
      expect(answered.get('www-authenticate')).toContain('millrace');
    }
    expect(http.accepted).toEqual([]);
  });

  test('D16: a beacon as text/plain is read as JSON and may come from any origin', async () => {
    const headers = { 'content-type': 'text/plain;charset=UTF-8', origin: 'https://shop.example' };
    const beacon = await http.post('/v1/track', { ...view, writeKey: BROWSER, messageId: 'bc1' }, headers);
    expect(beacon.status).toBe(200);
    expect(beacon.headers.get('access-control-allow-origin')).toBe('*');
    expect(http.values('clickstream')).toMatchObject([{ messageId: 'bc1', products: [{ sku: 'P9' }] }]);
    const broken = await http.post('/v1/track', 'hello', headers);
    expect(broken.status).toBe(400);
    expect(broken.text).toContain('not JSON');
  });

  test('a preflight is answered for browser routes', async () => {
    const response = await fetch(`${http.url}/v1/track`, { method: 'OPTIONS', headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' } });
    expect(response.status).toBe(204);
    // Authorization must be named; the star is for traceparent and its like.
    expect(response.headers.get('access-control-allow-headers')?.split(', ')).toEqual(expect.arrayContaining(['authorization', 'content-type', '*']));
  });

  test('RudderStack’s beacon path takes its key from the query', async () => {
    const { status } = await http.post(`/beacon/v1/batch?writeKey=${BROWSER}`, { batch: [view] }, { 'content-type': 'text/plain' });
    expect(status).toBe(200);
  });

  test('gzip is unpacked; other packings are refused; a bomb is not unpacked', async () => {
    expect((await http.post('/v1/track', gzipSync(JSON.stringify(view)), { ...basic(BROWSER), 'content-encoding': 'gzip' })).status).toBe(200);
    expect((await http.post('/v1/track', gzipSync(JSON.stringify(view)), { ...basic(BROWSER), 'content-encoding': 'X-GZIP' })).status).toBe(200);
    expect((await http.post('/v1/track', 'x', { ...basic(BROWSER), 'content-encoding': 'br' })).status).toBe(415);
    expect((await http.post('/v1/track', 'x', { ...basic(BROWSER), 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await http.post('/v1/batch', gzipSync(Buffer.alloc(20_000_000, 32)), { ...basic(BROWSER), 'content-encoding': 'gzip' })).status).toBe(413);
  });

  test('a body that is not JSON by its type is refused', async () => {
    expect((await http.post('/v1/track', view, { ...basic(BROWSER), 'content-type': 'application/xml' })).status).toBe(415);
  });

  test.each(['utf-16', '"UTF-16LE"', 'iso-8859-1', 'nonsense'])('bytes of the charset %s are refused by its name, at every door, not read as others', async (charset) => {
    for (const [path, method, type] of [['/v1/track', 'POST', 'application/json'], ['/v1/recommend', 'POST', 'text/plain'], ['/v1/products', 'PUT', 'text/csv']] as const) {
      const response = await fetch(http.url + path, { method, headers: { ...bearer(ADMIN), 'content-type': `${type}; charset=${charset}` }, body: JSON.stringify(view) });
      expect(response.status).toBe(415);
      expect(await response.text()).toContain(charset.replaceAll('"', ''));
    }
    expect(http.values('clickstream')).toEqual([]);
    for (const named of ['CharSet="UTF8"', "charset='utf-8'", 'charset=']) {
      expect((await http.post('/v1/track', view, { ...basic(BROWSER), 'content-type': `application/json; ${named}` })).status).toBe(200);
    }
  });

  test('a wrong call names every wrong field and is kept as a dead letter', async () => {
    const { status, headers, json } = await http.post('/v1/track', { type: 'track', messageId: 'p1', userId: 'undefined', timestamp: 'yesterday', event: 'Order Completed', properties: { order_id: 'O-77', currency: 'GBP', total: '1,299.00', products: [{ product_id: 'TV1', quantity: '1', price: '1,299.00' }] } });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect((json['errors']! as { path: string }[]).map((error) => error.path).sort()).toEqual(['properties.products[0].price', 'properties.total', 'timestamp', 'userId']);
    expect(http.values('clickstream')).toEqual([]);
    expect(http.values('dead-letters')).toMatchObject([{ consumer: 'collector', partition: -1, code: expect.any(String) }]);
  });

  test('an order goes to orders and to the clickstream', async () => {
    const { status, json } = await http.post('/v1/track', { messageId: 'm', userId: 'u7', event: 'Order Completed', properties: { order_id: 'O-78', currency: 'GBP', total: '1299.00', products: [{ product_id: 'TV1', quantity: '1', price: '1299.00' }] } });
    expect(status).toBe(200);
    expect(http.values('orders')).toMatchObject([{ kind: 'completed', orderId: 'O-78', total: 12_990_000n, lines: [{ sku: 'TV1', quantity: 1, price: 12_990_000n }] }]);
    expect(http.values('clickstream')).toMatchObject([{ event: 'Order Completed', orderId: 'O-78', value: 12_990_000n }]);
    expect(decodeToken(json['token']!)?.positions).toHaveLength(2);
  });

  test('an order is changed or taken back with a server key only', async () => {
    const refund = { messageId: 'r1', anonymousId: 'a1', event: 'Order Refunded', properties: { order_id: 'O-1' } };
    const { status, json } = await http.post('/v1/track', refund);
    expect([status, json['errors']]).toMatchObject([403, [{ path: 'event', code: 'needs_server_key' }]]);
    expect(http.values('orders')).toEqual([]);
    expect((await http.post('/v1/track', refund, basic(SERVER))).status).toBe(200);
  });

  test('a page says yes to marketing for a known user with that shopper’s token only', async () => {
    const yes = { messageId: 'c1', anonymousId: 'a1', userId: 'u1', traits: { marketing_opt_in: true } };
    const token = (userId: string): string => signShopper(userId, SECRET, NOW + 60_000);
    expect((await http.post('/v1/identify', yes)).status).toBe(403);
    expect((await http.post('/v1/identify', yes, { ...basic(BROWSER), 'x-shopper-token': token('u2') })).status).toBe(403);
    expect((await http.post('/v1/identify', yes, { ...basic(BROWSER), 'x-shopper-token': token('u1') })).status).toBe(200);
    const batch = await http.post('/v1/batch', { shopperToken: token('u1'), batch: [{ ...yes, type: 'identify' }] });
    expect([batch.status, batch.json['accepted']]).toEqual([200, 1]);
    expect((await http.post('/v1/identify', yes, basic(SERVER))).status).toBe(200);
  });

  test('a refused call is kept so that it can be sent again by itself: with its type, its batch’s context and sentAt', async () => {
    await http.post('/v1/identify', { userId: 'null' });
    await http.post('/v1/batch', { sentAt: '2026-03-10T10:00:30Z', context: { locale: 'de' }, batch: [{ type: 'track', anonymousId: 'a1', event: '' }, view] });
    await http.post(`/mp/collect?api_secret=${BROWSER}`, { client_id: 'g1', events: [{ name: 'view_item', params: { items: [{ price: 1 }] } }] }, {});
    const kept = http.values('dead-letters').map((letter) => JSON.parse(String((letter as { value: Buffer }).value)) as unknown);
    expect(kept).toEqual([
      { type: 'identify', userId: 'null' },
      { type: 'track', anonymousId: 'a1', event: '', context: { locale: 'de' }, sentAt: '2026-03-10T10:00:30Z' },
      { type: 'track', anonymousId: 'g1', event: 'Product Viewed', properties: { products: [{ price: 1 }] }, context: { page: {} } },
    ]);
  });

  test('numbers of a refused call are kept as they were sent, those that none here can hold among them', async () => {
    const letters = (): string[] => http.values('dead-letters').map((letter) => String((letter as { value: Buffer }).value));
    await http.post('/v1/track', '\uFEFF{"anonymousId":12345678901234567890,"event":"Product Viewed","properties":{"product_id":"P\\"1e400","price":1e400,"quantity":-2E+999,"position":3}}');
    await http.post('/v1/batch', '{"context":{"locale":"de"},"batch":[{"type":"track","anonymousId":"a1","event":"Product Viewed","properties":{"product_id":"P1","price":1e400}},{"type":"track","anonymousId":"a1","event":""}]}');
    await http.post(`/mp/collect?api_secret=${BROWSER}`, '{"client_id":"g1","timestamp_micros":1773136830000000,"events":[{"name":"view_item","params":{"items":[{"item_id":"P1","price":1e400}]}}]}', {});
    expect(letters()).toEqual([
      '{"type":"track","anonymousId":12345678901234567890,"event":"Product Viewed","properties":{"product_id":"P\\"1e400","price":1e400,"quantity":-2E+999,"position":3}}',
      '{"type":"track","anonymousId":"a1","event":"Product Viewed","properties":{"product_id":"P1","price":1e400},"context":{"locale":"de"}}',
      '{"type":"track","anonymousId":"a1","event":"","context":{"locale":"de"}}',
      '{"anonymousId":"g1","timestamp":1773136830000,"properties":{"products":[{"product_id":"P1","price":1e400}]},"context":{"page":{}},"type":"track","event":"Product Viewed"}',
    ]);
  });

  test('a number is told as it was sent, where none here can hold it', async () => {
    const told = (errors: unknown): string[] => (errors as { path: string; message: string }[]).map(({ path, message }) => `${path} ${message.replace(/[;:] .*/, '')}`);
    const one = await http.post('/v1/track', '{"anonymousId":12345678901234567890,"event":"Product Viewed","properties":{"product_id":"P1","price":1e400,"quantity":-2E+999}}');
    expect(told(one.json['errors'])).toEqual([
      'anonymousId 12345678901234567890 is not a whole number within ±2^53', 'properties.price 1e400 is too large', 'properties.quantity -2E+999 is not a number',
    ]);
    const many = `{"batch":[{"type":"page","anonymousId":"a1"},{"type":"track","anonymousId":"a1","event":"Cart Viewed","properties":{"products":[{"product_id":"P1","price":1e400,"quantity":1${'0'.repeat(400)}}]}}]}`;
    const { errors } = ((await http.post('/v1/batch', many)).json['rejected'] as { errors: object[] }[])[0]!;
    expect(told(errors)).toEqual(['properties.products[0].price 1e400 is too large', `properties.products[0].quantity 1${'0'.repeat(39)}… is not a number`]);
    const ga4 = await http.post(`/mp/collect?api_secret=${BROWSER}`, '{"client_id":"g1","events":[{"name":"view_item","params":{"items":[{"item_id":"P1","price":1e400}]}}]}', {});
    expect(told(ga4.json['errors'])).toEqual(['events[0].params.items[0].price 1e400 is too large']);
    expect(http.values('dead-letters').every((letter) => !/Infinity|1\.8e308/.test((letter as { message: string }).message))).toBe(true);
  });

  test('what a browser key says without effect is told with the answer, and its shopper and the server hear nothing of it', async () => {
    const alias = { messageId: 'm1', previousId: 'u1', userId: 'u2' };
    const stamped = { ...view, messageId: 'm2', userId: 'u1', context: { consent: { marketing: true } } };
    const joined = await http.post('/v1/alias', alias);
    expect([joined.status, joined.json]).toMatchObject([200, { accepted: 1, messageId: 'm1', warnings: [{ path: 'previousId', code: 'unproven', message: expect.stringContaining('not joined') }] }]);
    const batch = await http.post('/v1/batch', { batch: [{ ...view }, { ...stamped }, { ...alias, type: 'alias', previousId: undefined, anonymousId: 'a9' }] });
    expect([batch.status, batch.json]).toMatchObject([200, { accepted: 3, rejected: [], warnings: [
      { index: 1, messageId: 'm2', path: 'context.consent', code: 'unproven', message: expect.stringContaining('has no effect') }, { index: 2, messageId: 'm1', path: 'anonymousId', code: 'unproven' },
    ] }]);
    const token = { ...basic(BROWSER), 'x-shopper-token': signShopper('u1', SECRET, NOW + 60_000) };
    for (const headers of [token, basic(SERVER)]) {
      expect((await http.post('/v1/alias', alias, headers)).json).not.toHaveProperty('warnings');
      expect((await http.post('/v1/batch', { batch: [stamped] }, headers)).json).not.toHaveProperty('warnings');
    }
    // A login as any other, an event of somebody unknown, and a no, which is believed.
    for (const call of [{ type: 'identify', anonymousId: 'a1', userId: 'u1' }, { ...stamped, userId: undefined }, { ...stamped, context: { consent: { marketing: false } } }]) {
      expect((await http.post('/v1/batch', { batch: [call] })).json).not.toHaveProperty('warnings');
    }
  });

  test('what a batch says once for all its calls makes no more of it than a few times its size, refused or accepted', async () => {
    const bytesOf = (topic: string): number => http.accepted.filter((record) => record.topic === topic).reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    const few = { locale: 'de', page: { url: 'x'.repeat(32_000) } };
    const refused = await http.post('/v1/batch', { context: few, batch: Array.from({ length: 1_000 }, (_, i) => ({ messageId: `b${i}` })) });
    expect(refused.json).toMatchObject({ accepted: 0 });
    expect(bytesOf('dead-letters')).toBeLessThan(2_000_000);
    const letters = http.values('dead-letters') as { id: string; message: string; value: Buffer }[];
    expect(letters).toHaveLength(1_000);
    // Each call is kept, and the context at least once.
    expect(JSON.parse(String(letters[0]!.value))).toEqual({ messageId: 'b0', context: few });
    expect(JSON.parse(String(letters[999]!.value))).toEqual({ messageId: 'b999' });
    expect(letters[999]!.message).toContain(`the dead letter of the first call that was refused, ${letters[0]!.id}`);
    const page = { url: 'u'.repeat(4_000), referrer: 'r'.repeat(4_000) };
    const accepted = await http.post('/v1/batch', { context: { page }, batch: Array.from({ length: 1_000 }, (_, i) => ({ ...view, messageId: `g${i}` })) });
    expect(bytesOf('clickstream')).toBeLessThan(2_100_000);
    expect(Number(accepted.json['accepted'])).toBeGreaterThan(200);
    expect(accepted.json['rejected']).toContainEqual({ index: 999, messageId: 'g999', errors: [expect.objectContaining({ code: 'too_large' })] });
    expect(http.values('clickstream')).toHaveLength(Number(accepted.json['accepted']));
  });

  test('stock and prices need a server key', async () => {
    const call = { messageId: 'i1', event: 'Inventory Updated', properties: { product_id: 'P4', quantity: -2 } };
    expect((await http.post('/v1/track', { ...call, anonymousId: 'a' })).status).toBe(403);
    expect((await http.post('/v1/track', call, basic(SERVER))).status).toBe(200);
    expect(http.values('inventory')).toMatchObject([{ sku: 'P4', quantity: -2, price: null }]);
  });
});

describe('batches', () => {
  test('good calls are taken, bad ones named and kept', async () => {
    const { status, json } = await http.post('/v1/batch', { batch: [view, { ...view, messageId: 'm2', anonymousId: 'null' }, 7, { ...view, messageId: 'm3' }], sentAt: '2026-03-10T10:00:30Z' });
    expect(status).toBe(200);
    expect(json).toMatchObject({ accepted: 2, rejected: [{ index: 1, messageId: 'm2', errors: [{ path: 'anonymousId', code: 'placeholder_id' }] }, { index: 2, messageId: null, errors: [{ code: 'not_an_object' }] }] });
    expect(http.values('clickstream')).toHaveLength(2);
    expect(http.values('dead-letters')).toHaveLength(2);
  });

  test('a login takes the way of the device, and what follows it in one batch, which carries it; of other shoppers it does not', async () => {
    const told = (more: object): object => ({ ...view, anonymousId: 'phone-1', timestamp: '2026-03-10T10:00:00Z', ...more });
    const batch = [told({ messageId: 'b1' }), told({ messageId: 'b2', type: 'identify', userId: 'u7' }), told({ messageId: 'b3', userId: 'u7' }), told({ messageId: 'b4', userId: 'u8' }), told({ messageId: 'b5', userId: 'u7', anonymousId: 'phone-2' })];
    expect((await http.post('/v1/batch', { batch }, basic(SERVER))).status).toBe(200);
    const written = http.accepted.filter(({ topic }) => topic === 'clickstream').slice(-5);
    expect(written.map(({ key }) => key)).toEqual(['phone-1', 'phone-1', 'phone-1', 'u8', 'u7']);
    const login = { messageId: 'b2', time: Date.parse('2026-03-10T10:00:00Z'), claim: null };
    expect(http.values('clickstream').slice(-5).map((value) => (value as { login: unknown }).login)).toEqual([null, null, login, null, null]);
  });

  test('what comes by another request within a moment of a login goes by way of the device, too, and its token waits for where that leads', async () => {
    let now = Date.parse('2026-03-10T10:00:00Z');
    const shop = await startHttp({ now: () => now });
    const told = (more: object): object => ({ ...view, anonymousId: 'phone-3', userId: 'u9', timestamp: '2026-03-10T10:00:00Z', ...more });
    await shop.post('/v1/identify', told({ messageId: 'c1', type: 'identify' }), basic(SERVER));
    const { json } = await shop.post('/v1/track', told({ messageId: 'c2' }), basic(SERVER));
    now += 6_000;
    await shop.post('/v1/track', told({ messageId: 'c3' }), basic(SERVER));
    await shop.server.close();
    const time = Date.parse('2026-03-10T10:00:00Z');
    expect(shop.accepted.map(({ key }) => key)).toEqual(['phone-3', 'phone-3', 'u9']);
    expect(shop.values('clickstream').map((value) => (value as { login: unknown }).login)).toEqual([null, { messageId: 'c1', time, claim: null }, null]);
    expect(decodeToken(json['token']!)).toMatchObject({ merges: ['phone-3'] });
  });

  test('what a page sends behind a login without waiting for its answer goes by way of the device, too', async () => {
    let write = (): void => {};
    const durable = new Promise<void>((resolve) => { write = resolve; });
    const keys: (string | null)[] = [];
    const shop = await startHttp({
      accept: async (records) => {
        keys.push(...records.map(({ key }) => key));
        await durable;
        return records.map(({ topic, partition }, offset) => ({ topic, partition, offset }));
      },
    });
    const told = (more: object): object => ({ ...view, anonymousId: 'phone-4', userId: 'u9', ...more });
    const login = shop.post('/v1/identify', told({ messageId: 'd1', type: 'identify' }), basic(SERVER));
    await expect.poll(() => keys).toHaveLength(1);
    const next = shop.post('/v1/track', told({ messageId: 'd2' }), basic(SERVER));
    await expect.poll(() => keys).toHaveLength(2);
    write();
    await Promise.all([login, next]);
    await shop.server.close();
    expect(keys).toEqual(['phone-4', 'phone-4']);
  });

  test('a login that is refused for its size is carried by nothing behind it', async () => {
    const batch = [
      { ...view, messageId: 'b1', type: 'identify', userId: 'u7', traits: { note: 'x'.repeat(15_000) }, context: { page: { url: '門'.repeat(4_000), referrer: '門'.repeat(4_000) } } },
      { ...view, messageId: 'b2', userId: 'u7' },
    ];
    expect((await http.post('/v1/batch', { batch }, basic(SERVER))).json).toMatchObject({ accepted: 1, rejected: [{ index: 0, errors: [{ code: 'too_large' }] }] });
    expect(http.accepted.filter(({ topic }) => topic === 'clickstream').map(({ key }) => key)).toEqual(['u7']);
  });

  test('a batch of bad calls only is a bad request that names their fields', async () => {
    const { status, json } = await http.post('/v1/batch', { batch: [{ ...view, userId: {} }] });
    expect(status).toBe(400);
    expect(json['errors']).toMatchObject([{ path: 'batch[0].userId', code: 'wrong_type' }]);
  });

  test('an empty batch is fine, a missing or mistyped one is not', async () => {
    expect((await http.post('/v1/batch', { batch: [] })).json).toMatchObject({ accepted: 0, rejected: [] });
    expect((await http.post('/v1/batch', {})).json['errors']).toMatchObject([{ path: 'batch', code: 'required' }]);
    expect((await http.post('/v1/batch', { batch: {}, sentAt: 'x' })).json['errors']).toMatchObject([{ path: 'batch' }, { path: 'sentAt' }]);
  });

  test('10,000 calls and 5 MB are too large, and 5 MB are not read', async () => {
    expect((await http.post('/v1/batch', { batch: Array.from({ length: 10_000 }, () => ({})) })).status).toBe(413);
    expect((await http.post('/v1/batch', Buffer.alloc(5_000_000, 32))).status).toBe(413);
    expect((await http.post('/v1/track', { ...view, properties: { text: 'x'.repeat(40_000) } })).status).toBe(413);
    expect(http.accepted).toEqual([]);
  });

  test('GA4’s fields are told what is wrong with them in GA4’s own terms', async () => {
    const told = async (body: object): Promise<string[]> => ((await http.post(`/mp/collect?api_secret=${SERVER}`, body, {})).json['errors']! as { path: string; message: string }[]).map(({ path, message }) => `${path} ${message}`);
    const events = [{ name: 'view_item', params: { items: [{ item_id: 'S1' }] } }];
    expect(await told({ client_id: 'c', timestamp_micros: 'now', events })).toEqual(['events[0].timestamp_micros This must be a number of microseconds since 1970.']);
    expect(await told({ client_id: 'c', timestamp_micros: 1_772_445_600, events })).toEqual([expect.stringMatching(/before 1990.*or it is not in microseconds/)]);
    expect(await told({ events })).toEqual(['user_id A request needs a client_id or a user_id.']);
    expect((await http.post('/v1/track', { ...view, timestamp: 1_772_445_600 })).json['errors']).toMatchObject([{ path: 'timestamp', message: expect.stringContaining('seconds instead of milliseconds') }]);
  });

  test('GA4’s Measurement Protocol is mapped', async () => {
    const { status, json } = await http.post(`/mp/collect?measurement_id=G-1&api_secret=${SERVER}`, {
      client_id: 'c.1', user_id: 'u1', timestamp_micros: '1772445600000000',
      events: [
        { name: 'purchase', params: { transaction_id: 'T1', currency: 'EUR', value: 30.03, items: [{ item_id: 'S1', item_name: 'Cup', price: 10.01, quantity: 3 }] } },
        { name: 'add_to_cart', params: { items: [{ item_id: 'S1', price: '1,5' }] } },
      ],
    }, {});
    expect(status).toBe(200);
    expect(json).toMatchObject({ accepted: 1, rejected: [{ index: 1, errors: [{ path: 'events[1].params.items[0].price' }] }] });
    expect(http.values('orders')).toMatchObject([{ orderId: 'T1', userId: 'u1', anonymousId: 'c.1', total: 300_300n, currency: 'EUR', lines: [{ sku: 'S1', quantity: 3, price: 100_100n }], time: 1_772_445_600_000 }]);
  });
});

describe('when things fail', () => {
  test('D12: a log that does not answer is 503 with Retry-After; the retry counts once, and only what comes after it is a duplicate', async () => {
    let isDown = true;
    const driver = new Driver([shoppers(), orderLedger()]);
    const flaky = await startHttp({
      accept: async (records) => {
        if (isDown) throw new Unavailable('The log in /data/log cannot be written.', { told: 'The log cannot be written (ENOSPC: no space left on device)' });
        for (const { topic, key, value } of records) driver.write(topic, key, value);
        driver.run();
        return records.map(({ topic, partition }, offset) => ({ topic, partition, offset }));
      },
    });
    const order = { type: 'track', messageId: 'r-1', userId: 'u1', event: 'Order Completed', properties: { order_id: 'O-1', total: 20, products: [{ product_id: 'P1', quantity: 1, price: 20 }] } };
    const first = await flaky.post('/v1/track', order);
    expect(first.status).toBe(503);
    expect(first.headers.get('retry-after')).toBe('1');
    expect(first.json).toMatchObject({ detail: 'The log cannot be written (ENOSPC: no space left on device); send the same again.' });
    expect((await flaky.post('/v1/batch', { batch: [order] })).status).toBe(503);
    isDown = false;
    const counted = (): unknown => [driver.read(sales).map(({ orderId, quantity }) => [orderId, quantity]), driver.read(interactions).length, driver.count('millrace_duplicates_total')];
    expect((await flaky.post('/v1/track', order)).status).toBe(200);
    expect(counted()).toEqual([[['O-1', 1]], 1, 0]);
    expect((await flaky.post('/v1/track', order)).status).toBe(200);
    expect(counted()).toEqual([[['O-1', 1]], 1, 2]);
    await flaky.server.close();
  });

  test('an address that sends too much with a browser key is told when to come back, whoever it says that it is', async () => {
    let now = NOW;
    const limited = await startHttp({ now: () => now }, { addressLimit: { perSecond: 2, burst: 4, trustedProxies: 0 } });
    let taken = 0;
    for (let i = 0; i < 50; i++) if ((await limited.post('/v1/track', { ...view, messageId: `m${i}`, anonymousId: `new-${i}` })).status === 200) taken++;
    expect([taken, limited.accepted.length]).toEqual([4, 4]);
    const { status, headers } = await limited.post('/v1/batch', { batch: [view, view] });
    expect([status, headers.get('retry-after')]).toEqual([429, '1']);
    expect((await limited.post('/v1/recommend', { anonymousId: 'a' })).status).toBe(429);
    expect((await limited.post('/v1/track', view, { ...basic(BROWSER), 'x-forwarded-for': '203.0.113.9' })).status).toBe(429);
    expect((await limited.post('/v1/track', view, basic(SERVER))).status).toBe(200);
    now += 1_000;
    expect((await limited.post('/v1/batch', { batch: [view, view] })).status).toBe(200);
    // More at once than waits in the bucket is taken, and owed.
    now += 10_000;
    expect((await limited.post('/v1/batch', { batch: Array.from({ length: 8 }, () => view) })).status).toBe(200);
    now += 2_000;
    expect((await limited.post('/v1/track', view)).status).toBe(429);
    now += 500;
    expect((await limited.post('/v1/track', view)).status).toBe(200);
    await limited.server.close();
  });

  test('behind trusted proxies an address is what the farthest of them saw; an IPv6 network of 64 bits is one', async () => {
    const limited = await startHttp({}, { addressLimit: { perSecond: 1, burst: 1, trustedProxies: 2 } });
    const from = async (forwarded: string): Promise<number> => (await limited.post('/v1/track', view, { ...basic(BROWSER), 'x-forwarded-for': forwarded })).status;
    expect(await from('203.0.113.1, 10.0.0.1')).toBe(200);
    expect(await from('203.0.113.2, 10.0.0.1')).toBe(200);
    expect(await from('made-up, 203.0.113.1, 10.0.0.1')).toBe(429);
    expect(await from('2001:db8:0:7::1, 10.0.0.1')).toBe(200);
    expect(await from('2001:0DB8::7:9:8:7:6, 10.0.0.1')).toBe(429);
    expect(await from('2001:db8:0:8::1, 10.0.0.1')).toBe(200);
    expect(await from('::ffff:203.0.113.2, 10.0.0.1')).toBe(429);
    // Asked past the outer proxy: the inner one saw who it was.
    expect(await from('203.0.113.5')).toBe(200);
    expect(await from('203.0.113.6')).toBe(200);
    expect(await from('203.0.113.6')).toBe(429);
    await limited.server.close();
  });

  test('a fault of ours is 500 with the request id and no inner detail', async () => {
    const broken = await startHttp({ accept: () => Promise.reject(new Error('secret detail')) });
    const { status, text } = await broken.post('/v1/track', view, { ...basic(BROWSER), 'x-request-id': 'req-1' });
    expect(status).toBe(500);
    expect(text).toContain('req-1');
    expect(text).not.toContain('secret detail');
    await broken.server.close();
  });
});
