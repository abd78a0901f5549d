import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { orders } from '../../schemas/topics.js';
import type { OrderEvent } from '../../schemas/types.js';
import { ADMIN, basic, bearer, SERVER, startHttp } from './http-server.js';
import { formats } from '../../producers/formats/index.js';
import { encodeRecords } from '../../producers/publish.js';

let http: Awaited<ReturnType<typeof startHttp>>;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.server.close());
beforeEach(() => {
  http.accepted.length = 0;
});

describe('the catalogue', () => {
  const put = async (body: string | Uint8Array, type: string, headers: Record<string, string> = bearer(ADMIN)) => {
    const response = await fetch(`${http.url}/v1/products`, { method: 'PUT', headers: { 'content-type': type, ...headers }, body: body as string });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const skus = (): string[] => http.values('catalog').map((value) => (value as { sku: string }).sku);

  test('is filled from a JSON list, JSON lines and CSV', async () => {
    expect(await put('[{"product_id":"P1","price":"1.50"},{"sku":"P2"}]', 'application/json')).toMatchObject({ status: 200, json: { accepted: 2, rejectedCount: 0 } });
    expect(await put('{"product_id":"P3","availability":"hidden"}', 'application/json')).toMatchObject({ status: 200, json: { accepted: 1 } });
    expect(await put('{"id":"P4"}\nnope\n{"id":"P5","price":"1,5"}\n', 'application/x-ndjson')).toMatchObject({ status: 200, json: { accepted: 1, rejectedCount: 2, rejected: [{ index: 1 }, { index: 2, errors: [{ path: 'price' }] }] } });
    expect(await put('sku,name,price\nP6,"Cup, red",2\nP7\n', 'text/csv; charset=utf-8')).toMatchObject({ status: 200, json: { accepted: 1, rejectedCount: 1 } });
    expect(await put('sku,name,price,quantity\n\nP6,"Cup,\nred",2,1\nP7,Jug\nP9,Cup, red,2,1\n', 'text/csv')).toMatchObject({ status: 200, json: { accepted: 1, rejectedCount: 2, rejected: [
      { index: 1, errors: [{ code: 'missing_columns', message: 'Line 5 ends before price, quantity.' }] },
      { index: 2, errors: [{ code: 'surplus_columns', message: expect.stringContaining('Line 6 has 5 cells, the header names 4') }] },
    ] } });
    expect(await put('sku,price\nP7\n', 'text/csv')).toMatchObject({ status: 400, json: { errors: [{ path: '[0]', code: 'missing_columns', message: 'Line 2 ends before price.' }] } });
    expect(await put(gzipSync('sku\nP8\n'), 'text/csv', { ...bearer(ADMIN), 'content-encoding': 'gzip' })).toMatchObject({ status: 200, json: { accepted: 1 } });
    expect(skus()).toEqual(['P1', 'P2', 'P3', 'P4', 'P6', 'P6', 'P8']);
    expect(http.values('catalog')[4]).toMatchObject({ name: 'Cup, red', price: 20_000n, currency: 'GBP' });
  });

  test.each([['application/json', '[{"sku":"B1"}]'], ['application/json', '{"sku":"B1"}'], ['application/x-ndjson', '{"sku":"B1"}\n{"sku":"B2"}'], ['text/csv', 'sku,name\nB1,x\n']])('behind a byte order mark is read as without it: %s, %s', async (type, text) => {
    expect(await put(`\uFEFF${text}`, type)).toMatchObject({ status: 200, json: { rejectedCount: 0 } });
    expect(skus()[0]).toBe('B1');
  });

  test('with prices in another currency than the shop\'s is taken, with a warning a currency that says what becomes of them', async () => {
    const rows = [{ sku: 'P1', price: 1, currency: 'GBP' }, { sku: 'P2', price: '12.99 USD' }, { sku: 'P3', price: 1, currency: 'usd' }, { sku: 'P4', currency: 'USD' }, { sku: 'P5', price: 'x', currency: 'USD' }];
    const warnings = [{ index: 1, count: 2, path: 'currency', code: 'other_currency', message: expect.stringContaining('The price is in USD, the shop\'s currency is GBP') }];
    expect(await put(JSON.stringify(rows), 'application/json')).toMatchObject({ status: 200, json: { accepted: 4, rejectedCount: 1, warnings } });
    expect(await put('[{"sku":"P1","price":1}]', 'application/json')).toMatchObject({ json: { warnings: [] } });
  });

  test.each([['text/csv', ''], ['text/csv', '\n'], ['text/csv', 'sku,name\n'], ['application/x-ndjson', '\n'], ['application/json', ' '], ['application/json', '']])('without a row is no success: %s, %j', async (type, text) => {
    expect(await put(text, type)).toMatchObject({ status: 400, json: { accepted: 0, detail: expect.stringContaining('has no rows') } });
    expect((await put('[]', 'application/json')).status).toBe(200);
  });

  test('in an object is refused with what to send instead', async () => {
    expect(await put('{"products":[{"sku":"P1"}]}', 'application/json')).toMatchObject({ status: 400, json: { errors: [{ path: '[0].products', message: expect.stringContaining('Send the list itself') }] } });
  });

  test('in 2,000 rows is taken in pieces', async () => {
    const rows = Array.from({ length: 2000 }, (_, index) => ({ sku: `S${index}` }));
    expect(await put(JSON.stringify(rows), 'application/json')).toMatchObject({ status: 200, json: { accepted: 2000 } });
    expect(new Set(skus()).size).toBe(2000);
  });

  test('with a forgotten quote is taken up to it, and refused with its line', async () => {
    expect(await put(`sku,price,name\nR0,1,pot\nR1,3,"pan of 12 inch\n${'R2,4,lid\n'.repeat(1998)}`, 'text/csv')).toMatchObject({ status: 400, json: { accepted: 1, detail: 'The quote that opens in line 3 is never closed.' } });
    expect(skus()).toEqual(['R0']);
  });

  test.each([
    ['Line 1 names the column name twice.', 'product_id,name,name\nP1,Cup,Jug\n'],
    ['lines end in CR alone', 'sku,name\rP1,Cup\rP2,Jug\r'],
    ['lines end in CR alone: save it', `sku,name\r${'P1,Cup\r'.repeat(200_000)}`],
    ['Line 1 names no column sku or product_id or id or item_id: does the file lack its header', 'P8,Tasse,3.50'],
    ['something else than commas', 'sku;name\nP1;Cup\n'],
  ])('is not guessed at where a CSV file cannot be read by its first line: %s', async (sentence, text) => {
    expect(await put(text, 'text/csv')).toMatchObject({ status: 400, json: { accepted: 0, detail: expect.stringContaining(sentence) } });
    expect(skus()).toEqual([]);
  });

  test('of a CSV file may have lines that end in CR twice before LF, returns within quotes, and columns without a name', async () => {
    expect(await put('sku,"a\rb",,\r\r\nP1,x,,\r\r\n', 'text/csv')).toMatchObject({ status: 200, json: { accepted: 1, rejectedCount: 0 } });
  });

  test('without an end or a beginning is not read over and over', async () => {
    // By processor time, which what else runs on the machine does not lengthen.
    const began = process.cpuUsage();
    for (const type of ['text/csv', 'application/json']) expect(await put(Buffer.from(type === 'text/csv' ? 'sku,name\nP1,caf\xe9\n' : '[{"sku":"P1","name":"caf\xe9"}]', 'latin1'), type)).toMatchObject({ status: 400, json: { detail: expect.stringContaining('not UTF-8') } });
    expect(await put(`sku,name\nP1,"${'x'.repeat(8_000_000)}`, 'text/csv')).toMatchObject({ status: 400, json: { detail: expect.stringContaining('quote') } });
    expect(await put(`{"sku":"${'x'.repeat(8_000_000)}`, 'application/x-ndjson')).toMatchObject({ status: 400 });
    expect(await put(' '.repeat(40_000_000), 'application/json')).toMatchObject({ status: 400, json: { accepted: 0 } });
    // The client is still sending when it is refused, and reads why all the same.
    expect(await put(`[${' '.repeat(40_000_000)}`, 'application/json')).toMatchObject({ status: 400 });
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(10_000);
  });

  test('that is broken says where, and keeps what came before', async () => {
    expect(await put('[{"sku":"P1"},', 'application/json')).toMatchObject({ status: 400, json: { accepted: 1, detail: 'The list has no end.' } });
    // What was wrong before it is not to be found out by a second upload.
    expect(await put('[{"sku":"P1"},{"name":"nobody"},', 'application/json')).toMatchObject({ status: 400, json: { accepted: 1, rejectedCount: 1, rejected: [{ index: 1, errors: [{ path: 'product_id', code: 'required' }] }] } });
    expect(await put('[{"price":1}]', 'application/json')).toMatchObject({ status: 400, json: { errors: [{ path: '[0].product_id', code: 'required' }] } });
    expect(await put('x', 'application/xml')).toMatchObject({ status: 415 });
    expect(await put('not gzip', 'text/csv', { ...bearer(ADMIN), 'content-encoding': 'gzip' })).toMatchObject({ status: 400 });
  });

  test('in one upload takes no ring of products that replace each other: what closes it is refused by the names of all, and the rest taken', async () => {
    const rows = ['P1,', 'A,C', 'P2,P1', 'B,A', 'C,B', 'P3,C', 'P4,'].join('\n');
    const message = 'C cannot take the place of B, which takes that of A, which takes that of C. Change the attribute "replaces" of one of them.';
    const rejected = [{ index: 4, errors: [{ path: 'replaces', code: 'replaces_ring', message }] }];
    expect(await put(`sku,replaces\n${rows}`, 'text/csv')).toMatchObject({ status: 200, json: { accepted: 6, rejectedCount: 1, rejected } });
    expect(skus()).toEqual(['P1', 'A', 'P2', 'B', 'P3', 'P4']);
    // Put right, and then the other way round, it is no ring: a later row of a product takes back what an earlier one said.
    expect(await put('[{"sku":"A","replaces":"B"},{"sku":"A"},{"sku":"B","attributes":{"replaces":" A "}}]', 'application/json')).toMatchObject({ json: { accepted: 3 } });
    expect(await put('[{"sku":"A","replaces":"B"},{"sku":"A","op":"delete"},{"sku":"B","replaces":"A"}]', 'application/json')).toMatchObject({ json: { accepted: 3 } });
    expect(await put('[{"sku":"B","replaces":"A"}]', 'application/json')).toMatchObject({ json: { accepted: 1 } });
  });

  test('is the admin’s', async () => {
    expect((await put('[]', 'application/json', {})).status).toBe(401);
    expect((await put('[]', 'application/json', basic(SERVER))).status).toBe(403);
  });
});

test('records of a file source are taken by the admin only, whole, and with their source', async () => {
  const value: OrderEvent = {
    messageId: 'f:0', kind: 'line', confirmed: true, orderId: '536365', userId: null, anonymousId: null, time: 1, receivedAt: 2, currency: 'GBP', total: null, shipping: null, tax: null, discount: null, coupon: null,
    cartId: null, checkoutId: null, recommendationId: null, country: null, lines: [{ sku: 'A', name: null, category: null, quantity: -1, price: 10n }], source: { name: 'f', ordinal: 0 }, restored: null,
  };
  const record = { topic: 'orders', key: '536365', value: orders.codec.encode(value).toString('base64') };
  expect((await http.post('/v1/sources/f', { records: [record] }, bearer(SERVER))).status).toBe(403);
  expect((await http.post('/v1/sources/other', { records: [record] }, bearer(ADMIN))).status).toBe(400);
  for (const bad of [{ ...record, key: 'x' }, { ...record, topic: 'sales' }, { ...record, value: 'AAAA' }, { ...record, value: '' }, 5]) {
    expect((await http.post('/v1/sources/f', { records: [record, bad] }, bearer(ADMIN))).status).toBe(400);
  }
  expect((await http.post('/v1/sources/f', { records: [5, record, { ...record, topic: 'sales' }] }, bearer(ADMIN))).json['errors']).toMatchObject([{ path: 'records[0]' }, { path: 'records[2]', message: expect.stringContaining('topic') }]);
  expect(http.accepted).toEqual([]);
  expect((await http.post('/v1/sources/f', { records: [record] }, bearer(ADMIN))).json).toMatchObject({ accepted: 1 });
  expect(http.values('orders')).toEqual([value]);
});

test('a file is taken whose lines log in, by the keys that its reader gives them', async () => {
  const at = '2026-03-02T09:00:00Z';
  const lines = [
    { type: 'track', event: 'Product Viewed', anonymousId: 'a1', properties: { product_id: 'P1' }, timestamp: at, messageId: 'l1' },
    { type: 'identify', anonymousId: 'a1', userId: 'u1', timestamp: at, messageId: 'l2' },
    { type: 'track', event: 'Product Viewed', anonymousId: 'a1', userId: 'u1', properties: { product_id: 'P2' }, timestamp: at, messageId: 'l3' },
    { type: 'alias', previousId: 'old', userId: 'u1', timestamp: at, messageId: 'l4' },
  ];
  const text = (async function* () { yield lines.map((line) => JSON.stringify(line)).join('\n'); })();
  const { records } = formats['segment-ndjson'](text, { source: 'g', receivedAt: Date.parse('2026-03-10T10:00:00Z'), shop: { currency: 'GBP', timezone: 'Europe/London' } });
  const sent: object[] = [];
  for await (const some of records) for (const { topic, key, value } of encodeRecords(some, 1)) sent.push({ topic, key, value: value!.toString('base64') });
  http.accepted.length = 0;
  expect((await http.post('/v1/sources/g', { records: sent }, bearer(ADMIN))).json).toMatchObject({ accepted: 4 });
  expect(http.accepted.map(({ key }) => key)).toEqual(['a1', 'a1', 'a1', 'old']);
});

test('a product is deleted by an admin', async () => {
  expect((await http.get('/v1/products/P%2F1', bearer(SERVER), 'DELETE')).status).toBe(403);
  const { status, text } = await http.get('/v1/products/P%2F1', bearer(ADMIN), 'DELETE');
  expect([status, JSON.parse(text)]).toMatchObject([200, { deleted: 'P/1' }]);
  expect(http.values('catalog').at(-1)).toMatchObject({ sku: 'P/1', op: 'delete' });
  expect((await http.get('/v1/products/undefined', bearer(ADMIN), 'DELETE')).status).toBe(400);
});

test('a product that is surely nobody’s is not deleted but not found; where a process cannot tell, the deletion is taken', async () => {
  const knowing = await startHttp({ isNamed: async (sku) => (sku === 'sly' ? undefined : sku === 'P1') });
  const deleted = async (sku: string) => {
    const response = await fetch(`${knowing.url}/v1/products/${sku}`, { method: 'DELETE', headers: bearer(ADMIN) });
    return [response.status, response.headers.get('content-type')?.split(';', 1)[0]];
  };
  expect(await Promise.all(['P1', 'P-1', 'sly'].map(deleted))).toEqual([[200, 'application/json'], [404, 'application/problem+json'], [200, 'application/json']]);
  expect(knowing.values('catalog')).toMatchObject([{ sku: 'P1' }, { sku: 'sly' }]);
  await knowing.server.close();
});
