import { execFileSync } from 'node:child_process';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Unavailable } from '../../pipeline/core/errors.js';
import { shopperOf } from '../../infra/http/keys.js';
import { decodeToken, encodeToken } from '../../infra/http/position-token.js';
import { badRequest } from '../../infra/http/problem.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { orders } from '../../schemas/topics.js';
import type { OrderEvent } from '../../schemas/types.js';
import { textOf } from '../support/pages.js';
import { ADMIN, basic, bearer, BROWSER, NOW, SECRET, SERVER, signShopper, startHttp } from './http-server.js';
import { formats } from '../../producers/formats/index.js';
import { encodeRecords } from '../../producers/publish.js';

let http: Awaited<ReturnType<typeof startHttp>>;
beforeAll(async () => {
  http = await startHttp({
    sql: async () => [{ a: 1 }, { a: 2 }],
    extra: [{ method: 'GET', path: '/console/shoppers/:id', scope: 'public', answer: ({ params, query }) => ({ id: params['id'], q: query.get('q') }) }],
  });
});
afterAll(() => http.server.close());
beforeEach(() => {
  http.accepted.length = 0;
  http.asked.length = 0;
});

const get = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
  const response = await fetch(http.url + path, { method, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

describe('recommend', () => {
  test('passes a typed request on, with the positions of its token', async () => {
    const token = encodeToken([{ topic: 'clickstream', partition: 2, offset: 41 }], [{ from: 'a1', time: 5 }]);
    const { status, json } = await http.post('/v1/recommend', { userId: 7, limit: 3, filter: { category: ['a', 'b'] }, exclude: ['x', 'x '], items: ['P1', 'P1', 2], placement: 'home', context: { product_id: 7 }, after: token, explain: true }, basic(SERVER));
    expect([status, json]).toEqual([200, { door: 'recommend' }]);
    expect(http.asked[0]!.request).toEqual({ userId: '7', anonymousId: null, limit: 3, filter: [{ field: 'category', any: new Set(['a', 'b']) }], exclude: ['x'], items: ['P1', '2'], placement: 'home', context: '7', after: { positions: [{ topic: 'clickstream', partition: 2, offset: 41 }], merges: [{ from: 'a1', time: 5 }] }, explain: true, compare: false, diversity: 0, fatigue: 0, explore: false, excludePurchased: null, shown: true, trusted: true });
  });

  test('names every wrong field', async () => {
    for (const limit of [0, -1, 10_000, 1.5, '10']) expect((await http.post('/v1/recommend', { anonymousId: 'a', limit })).json['errors']).toMatchObject([{ path: 'limit', code: 'out_of_range' }]);
    const { status, json } = await http.post('/v1/recommend', { n: 5, filter: [1], exclude: ['ok', 'null', {}], after: 'x', userId: 'undefined' }, basic(SERVER));
    expect(status).toBe(400);
    expect((json['errors']! as { path: string }[]).map((error) => error.path).sort()).toEqual(['after', 'exclude[1]', 'exclude[2]', 'filter', 'n', 'userId']);
    expect((await http.post('/v1/recommend', {})).json['errors']).toMatchObject([{ path: 'userId', code: 'required' }]);
  });

  test('a token that names what no collector writes is none', async () => {
    for (const topic of ['nothing', 'interactions', 'user-profiles']) expect((await http.post('/v1/recommend', { anonymousId: 'a', after: encodeToken([{ topic, partition: 0, offset: 1 }]) })).json['errors']).toMatchObject([{ path: 'after', code: 'wrong_type' }]);
  });

  test('names a blank placement and every wrong condition of a filter, at every door, beside what else is wrong', async () => {
    const wrong = { placement: ' ', filter: { price: { min: 50, max: 10 }, colour: 'red', brand: 7 }, limit: 0 };
    const pathsOf = async (door: string, body: object): Promise<string[]> => {
      const { status, json } = await http.post(door, body);
      return [String(status), ...(json['errors']! as { path: string }[]).map(({ path }) => path).sort()];
    };
    const conditions = ['filter.brand', 'filter.colour', 'filter.price', 'limit'];
    expect(await pathsOf('/v1/recommend', { anonymousId: 'a', ...wrong })).toEqual(['400', ...conditions, 'placement']);
    expect(await pathsOf('/v1/recommend', { anonymousId: 'a', placement: '' })).toEqual(['400', 'placement']);
    expect(await pathsOf('/v1/recommend', { requests: [{ anonymousId: 'a' }, { anonymousId: 'a', ...wrong }] })).toEqual(['400', ...[...conditions, 'placement'].map((path) => `requests[1].${path}`)]);
    const { placement, ...ofSimilar } = wrong;
    expect(await pathsOf('/v1/similar', { sku: 'P1', ...ofSimilar })).toEqual(['400', ...conditions]);
    expect(await pathsOf('/v1/score', { anonymousId: 'a', items: ['P1'], placement })).toEqual(['400', 'placement']);
    expect(http.asked).toEqual([]);
  });

  test.each<[string, unknown, string]>([
    ['explore', 1, 'wrong_type'], ['explore', 'true', 'wrong_type'], ['explain', '0', 'wrong_type'], ['explain', [], 'wrong_type'], ['shown', 'false', 'wrong_type'], ['excludePurchased', 0, 'wrong_type'],
    ['placement', 'ho\u0000me', 'control_character'], ['placement', 'x'.repeat(257), 'too_large'], ['placement', 7, 'wrong_type'],
  ])('%s: %j is named, not taken for what it is nearly', async (path, value, code) => {
    expect((await http.post('/v1/recommend', { anonymousId: 'a', [path]: value })).json['errors']).toMatchObject([{ path, code }]);
    expect((await http.post('/v1/recommend', { requests: [{ anonymousId: 'a', [path]: value }] })).json['errors']).toMatchObject([{ path: `requests[0].${path}`, code }]);
    expect((await http.post('/v1/score', { anonymousId: 'a', items: [], compare: value })).json['errors']).toMatchObject([{ path: 'compare', code: 'wrong_type' }]);
    expect(http.asked).toEqual([]);
  });

  test('refuses a placement that is none of the shop\'s, where these are set, naming it and them', async () => {
    const strict = await startHttp({}, { placements: ['home', 'cart'] });
    onTestFinished(() => strict.server.close());
    const unknown = (path: string) => [{ path, code: 'unknown_placement', message: expect.stringContaining('"hone" is none of home, cart') }];
    expect((await strict.post('/v1/recommend', { anonymousId: 'a', placement: 'hone' })).json['errors']).toEqual(unknown('placement'));
    expect((await strict.post('/v1/recommend', { requests: [{ anonymousId: 'a', placement: 'cart' }, { anonymousId: 'a', placement: 'hone' }] })).json['errors']).toEqual(unknown('requests[1].placement'));
    for (const placement of ['home', null]) expect((await strict.post('/v1/recommend', { anonymousId: 'a', placement })).status).toBe(200);
    expect((await http.post('/v1/recommend', { anonymousId: 'a', placement: 'hone' })).status).toBe(200);
  });

  test('answers up to a hundred requests at once, in order, and names what is wrong in each', async () => {
    const { status, json } = await http.post('/v1/recommend', { requests: [{ userId: 'u', limit: 2 }, { anonymousId: 'a' }] }, basic(SERVER));
    expect([status, json]).toEqual([200, { answers: [{ door: 'recommend' }, { door: 'recommend' }] }]);
    expect(http.asked.map(({ request }) => (request as { userId: string | null }).userId)).toEqual(['u', null]);
    expect((await http.post('/v1/recommend', { requests: [] }, basic(SERVER))).json).toEqual({ answers: [] });
    const wrong = await http.post('/v1/recommend', { requests: [{ anonymousId: 'a' }, { anonymousId: 'a', limit: 0, diversity: 2, nonsense: 1 }, 7] }, basic(SERVER));
    expect(wrong.status).toBe(400);
    expect((wrong.json['errors']! as { path: string }[]).map(({ path }) => path).sort()).toEqual(['requests[1].diversity', 'requests[1].limit', 'requests[1].nonsense', 'requests[2]']);
    expect((await http.post('/v1/recommend', { requests: Array.from({ length: 101 }, () => ({ anonymousId: 'a' })) }, basic(SERVER))).json['errors']).toMatchObject([{ path: 'requests', code: 'too_many' }]);
    const explained = (limit: number) => ({ requests: [{ anonymousId: 'a', limit: 60, explain: true }, { anonymousId: 'a', limit, explain: true }, { anonymousId: 'a', limit: 100 }] });
    expect((await http.post('/v1/recommend', explained(40), basic(SERVER))).status).toBe(200);
    expect((await http.post('/v1/recommend', explained(41), basic(SERVER))).json['errors']).toMatchObject([{ path: 'requests', code: 'too_many' }]);
    const many = Array.from({ length: 101 }, (_, n) => `P${n}`);
    for (const path of ['/v1/recommend', '/v1/score']) expect((await http.post(path, { anonymousId: 'a', items: many, explain: true }, basic(SERVER))).json['errors']).toMatchObject([{ path: 'items', code: 'too_many' }]);
    expect((await http.post('/v1/recommend', { requests: 5 })).json['errors']).toMatchObject([{ path: 'requests', code: 'wrong_type' }]);
  });

  test('a browser key asks for several only what it may ask for one', async () => {
    expect((await http.post('/v1/recommend', { requests: [{ anonymousId: 'a' }, { userId: 'somebody' }] })).status).toBe(403);
  });

  test('a browser key may ask for an anonymous id, or for the userId that the shop signed', async () => {
    expect((await http.post('/v1/recommend', { anonymousId: 'a1' })).status).toBe(200);
    expect((await http.post('/v1/recommend', { anonymousId: 'a1', userId: 'u1' })).status).toBe(403);
    const shopperToken = signShopper('u1', SECRET, NOW + 60_000);
    expect((await http.post('/v1/recommend', { userId: 'u1', shopperToken })).status).toBe(200);
    expect((await http.post('/v1/recommend', { userId: 'u1' }, { ...basic(BROWSER), 'x-shopper-token': shopperToken })).status).toBe(200);
    expect((await http.post('/v1/recommend', { userId: 'u2', shopperToken })).status).toBe(403);
    expect((await http.post('/v1/score', { userId: 'u2', items: ['a'], shopperToken })).status).toBe(403);
    expect((await http.post('/v1/recommend', { userId: 'u1' }, basic(SERVER))).status).toBe(200);
  });

  test('D22: an empty list of items is a question with an empty answer, not an error', async () => {
    expect((await http.post('/v1/score', { anonymousId: 'a', items: [] })).status).toBe(200);
    expect(http.asked[0]!.request).toMatchObject({ items: [] });
    expect((await http.post('/v1/score', { anonymousId: 'a' })).json['errors']).toMatchObject([{ path: 'items', code: 'required' }]);
  });

  test('similar takes sku or product_id', async () => {
    expect((await http.post('/v1/similar', { product_id: 'P2', limit: 5 })).status).toBe(200);
    expect(http.asked[0]!.request).toEqual({ sku: 'P2', limit: 5, filter: null, exclude: [] });
    expect((await http.post('/v1/similar', {})).json['errors']).toMatchObject([{ path: 'product_id', code: 'required' }]);
  });

  test('similar notes to whom it is shown, whom a browser must have proved to be; a place needs somebody', async () => {
    const similar = (fields: object, headers = basic(BROWSER)) => http.post('/v1/similar', { sku: 'P2', ...fields }, headers);
    expect((await similar({ anonymousId: 'a', placement: 'home' })).status).toBe(200);
    expect((await similar({ userId: 'u1', shown: false }, basic(SERVER))).status).toBe(200);
    expect(http.asked.map(({ request }) => request)).toMatchObject([
      { to: { userId: null, anonymousId: 'a', trusted: false, placement: 'home', shown: true } }, { to: { userId: 'u1', trusted: true, placement: null, shown: false } },
    ]);
    expect((await similar({ userId: 'u1' })).status).toBe(403);
    for (const fields of [{ placement: 'home' }, { shown: false }]) expect((await similar(fields)).json['errors']).toMatchObject([{ path: 'userId', code: 'required' }]);
  });

  test('what serving refuses or cannot answer becomes the answer', async () => {
    const serving = await startHttp({
      recommend: () => { throw badRequest([{ path: 'placement', code: 'unknown_placement', message: 'There is no such placement.' }]); },
      score: () => Promise.reject(new Unavailable('starting')),
    });
    expect((await serving.post('/v1/recommend', { anonymousId: 'a' })).json['errors']).toMatchObject([{ path: 'placement' }]);
    const { status, headers } = await serving.post('/v1/score', { anonymousId: 'a', items: [] });
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    await serving.server.close();
  });
});

describe('shopper tokens', () => {
  test('hold for their shopper, secret and time', () => {
    const token = signShopper('ü/1', SECRET, NOW + 1000);
    expect(shopperOf(token, SECRET, NOW)).toBe('ü/1');
    expect(shopperOf(token, SECRET, NOW + 2000)).toBeUndefined();
    expect(shopperOf(token, 'other', NOW)).toBeUndefined();
    expect(shopperOf(token, '', NOW)).toBeUndefined();
    expect(shopperOf(signShopper('u', '', NOW + 1000), '', NOW)).toBeUndefined();
    const [, payload] = token.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    expect(shopperOf(none, SECRET, NOW)).toBeUndefined();
    expect(shopperOf(`${token}x`, SECRET, NOW)).toBeUndefined();
  });

  test('are signed as docs/keys.md says', () => {
    const [, lines = ''] = /```js\n(import \{ createHmac \}[\s\S]*?)```/.exec(textOf('docs/keys.md')) ?? [];
    const token = execFileSync(process.execPath, ['--input-type=module', '--eval', `${lines}\nconsole.log(shopperToken)`], { encoding: 'utf8', env: { ...process.env, SHOPPER_TOKEN_SECRET: SECRET } });
    expect(shopperOf(token.trim(), SECRET, Date.now())).toBe('u1');
  });

  test('that were changed anywhere do not hold', () => {
    const token = signShopper('u1', SECRET, NOW + 1000);
    fc.assert(fc.property(fc.nat(token.length - 2), fc.constantFrom('A', 'z', '.', '-'), (at, letter) => {
      fc.pre(token[at] !== letter);
      expect(shopperOf(token.slice(0, at) + letter + token.slice(at + 1), SECRET, NOW)).toBeUndefined();
    }));
  });
});

describe('position tokens', () => {
  test('hold the highest position of each partition', () => {
    const positions = [{ topic: 'a', partition: 0, offset: 5 }, { topic: 'a', partition: 0, offset: 7 }, { topic: 'b', partition: 0, offset: 1 }, { topic: 'a', partition: 0, offset: 6 }];
    expect(decodeToken(encodeToken(positions))?.positions).toEqual([{ topic: 'a', partition: 0, offset: 7 }, { topic: 'b', partition: 0, offset: 1 }]);
    expect(decodeToken(encodeToken([]))).toEqual({ positions: [], merges: [] });
  });

  test('anything else is no token, and no exception', () => {
    for (const token of ['', 'x', 'W10=', '....', Buffer.from('[["a",0,-1]]').toString('base64url'), Buffer.from('[["a",0,1.5]]').toString('base64url'), Buffer.from('{}').toString('base64url')]) expect(decodeToken(token)).toBeUndefined();
    fc.assert(fc.property(fc.string(), fc.jsonValue(), (text, value) => {
      decodeToken(text);
      decodeToken(Buffer.from(JSON.stringify(value)).toString('base64url'));
    }));
  });
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
  expect((await get('/v1/products/P%2F1', bearer(SERVER), 'DELETE')).status).toBe(403);
  const { status, text } = await get('/v1/products/P%2F1', bearer(ADMIN), 'DELETE');
  expect([status, JSON.parse(text)]).toMatchObject([200, { deleted: 'P/1' }]);
  expect(http.values('catalog').at(-1)).toMatchObject({ sku: 'P/1', op: 'delete' });
  expect((await get('/v1/products/undefined', bearer(ADMIN), 'DELETE')).status).toBe(400);
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

describe('the rest', () => {
  test('health, metrics and the description are open', async () => {
    expect((await get('/livez')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/metrics')).text).toContain('millrace_up');
    const described = await get('/openapi.yaml');
    expect(described.text).toContain('openapi: 3.1');
    const starting = await startHttp({ ready: () => ({ ready: false, parts: { views: 'restoring' } }) });
    expect((await fetch(`${starting.url}/readyz`)).status).toBe(503);
    await starting.server.close();
  });

  const own = Object.values(networkInterfaces()).flat().find((address) => address?.family === 'IPv4' && !address.internal)?.address;
  test.skipIf(own === undefined)('a demo cuts connections from other machines (skipped where this one has no address but loopback)', async () => {
    const demo = await startHttp({}, { loopbackOnly: true }, '0.0.0.0');
    expect((await fetch(`${demo.url}/livez`)).status).toBe(200);
    await expect(fetch(`http://${own}:${demo.port}/livez`)).rejects.toThrow('fetch failed');
    await demo.server.close();
    const open = await startHttp({}, {}, '0.0.0.0');
    expect((await fetch(`http://${own}:${open.port}/livez`)).status).toBe(200);
    await open.server.close();
  });

  test('forecasts need a server key, users the admin', async () => {
    expect((await get('/v1/forecasts/known%2Fsku', basic(SERVER))).text).toContain('known/sku');
    expect((await get('/v1/forecasts/unsold', basic(SERVER))).status).toBe(404);
    expect((await get('/v1/forecasts/known%2Fsku?days=5', basic(SERVER))).status).toBe(400);
    expect((await get('/v1/forecasts/known%2Fsku', basic(BROWSER))).status).toBe(403);
    expect((await get('/v1/forecasts/%E0%A4%A', basic(SERVER))).status).toBe(400);
    expect((await get('/v1/forecasts?sku=a&sku=b%20&sku=%20a', basic(SERVER))).text).toBe('{"skus":["a","b"]}');
    expect((await get('/v1/forecasts?category=kitchen', basic(SERVER))).text).toBe('{"category":"kitchen"}');
    expect((await get('/v1/forecasts?category=garden', basic(SERVER))).status).toBe(404);
    expect((await get('/v1/forecasts?total=shop', basic(SERVER))).text).toBe('{"total":"shop"}');
    for (const query of ['', '?sku=', '?total=', '?total=all', '?total=shop&category=kitchen', '?total=shop&total=shop', '?sku=a&category=kitchen', '?sku=a&horizon=7', `?${'sku=a&'.repeat(101)}`]) expect((await get(`/v1/forecasts${query}`, basic(SERVER))).status).toBe(400);
    expect((await get('/v1/users/u1', basic(SERVER))).status).toBe(403);
    expect((await get('/v1/users/u1', bearer(ADMIN))).status).toBe(200);
    expect((await get('/v1/users/u2', bearer(ADMIN))).status).toBe(404);
    for (const id of ['a%00b', 'undefined', '0', 'guest', '%20']) for (const method of ['GET', 'DELETE']) expect((await get(`/v1/users/${id}`, bearer(ADMIN), method)).status).toBe(400);
    expect((await get('/v1/users/u1', bearer(ADMIN), 'DELETE')).status).toBe(200);
    expect(http.asked).toEqual([{ door: 'erase', request: 'u1' }]);
  });

  test('SQL rows come as JSON lines', async () => {
    const { status, text } = await (async () => {
      const response = await fetch(`${http.url}/v1/sql`, { method: 'POST', headers: bearer(ADMIN), body: 'SELECT 1' });
      return { status: response.status, text: await response.text() };
    })();
    expect([status, text]).toEqual([200, '{"a":1}\n{"a":2}\n']);
    // As U+FFFD it would ask for another name.
    const wrong = await fetch(`${http.url}/v1/sql`, { method: 'POST', headers: bearer(ADMIN), body: Buffer.from("SELECT 'caf\xe9'", 'latin1') });
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('not UTF-8')]);
  });

  test('a question is given up when whoever asked has gone', async () => {
    let asked: AbortSignal | undefined;
    const patient = await startHttp({ sql: (_, until) => ((asked = until), new Promise(() => {})) });
    const leaving = new AbortController();
    const response = fetch(`${patient.url}/v1/sql`, { method: 'POST', headers: bearer(ADMIN), body: 'SELECT 1', signal: leaving.signal }).catch(() => 'gone');
    await expect.poll(() => asked?.aborted).toBe(false);
    leaving.abort();
    expect(await response).toBe('gone');
    await expect.poll(() => asked?.aborted).toBe(true);
    await patient.server.close();
  });

  test('pages may bring routes of their own', async () => {
    expect((await get('/console/shoppers/a1?q=x')).text).toBe('{"id":"a1","q":"x"}');
  });

  test('foreign SDKs get settings that lead here', async () => {
    const segment = await get(`/v1/projects/${BROWSER}/settings`, { origin: 'https://shop.example' });
    expect(JSON.parse(segment.text)).toMatchObject({ integrations: { 'Segment.io': { apiKey: BROWSER, apiHost: `127.0.0.1:${http.port}/v1`, protocol: 'http' } } });
    expect(segment.headers.get('access-control-allow-origin')).toBe('*');
    expect((await get('/v1/projects/other/settings')).status).toBe(404);
    expect(JSON.parse((await get('/sourceConfig/?p=npm', basic(BROWSER))).text)).toMatchObject({ source: { writeKey: BROWSER, enabled: true } });
    expect((await get('/sourceConfig/')).status).toBe(401);
  });

  test('the tracker is served', async () => {
    const { status, headers, text } = await get('/millrace.js');
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('javascript')]);
    expect(text).toContain('sendBeacon');
  });

  test.each(['/', '/console.js', '/millrace.js', '/openapi.yaml'])('%s is there for who has it, and 412 for who asks for another edition', async (path) => {
    const { status, headers } = await get(path, {}, 'HEAD');
    const etag = headers.get('etag')!;
    expect([status, (await get(path, { 'if-match': '*' })).status, (await get(path, { 'if-match': etag })).status]).toEqual([200, 200, 200]);
    for (const [name, value] of [['if-match', '"x"'], ['if-unmodified-since', 'Mon, 01 Jan 2001 00:00:00 GMT']] as const) {
      const refused = await get(path, { [name]: value });
      expect([refused.status, refused.headers.get('content-type')]).toEqual([412, 'application/problem+json; charset=utf-8']);
    }
  });

  test('a stream that is asked for its head alone begins nothing, and ends', async () => {
    let begun = 0;
    const stream = async function* () {
      begun++;
      yield {};
      await new Promise(() => {});
    };
    const one = await startHttp({ extra: [{ method: 'GET', path: '/console/stream', scope: 'public', answer: stream }] });
    onTestFinished(() => one.server.close());
    const { status, headers } = await fetch(`${one.url}/console/stream`, { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
    expect([status, headers.get('content-type'), begun]).toEqual([200, 'text/event-stream', 0]);
  });

  test('without the demo there is no shop: the page that says so is a 404', async () => {
    const shop = { method: 'GET', path: '/shop/config.json', scope: 'public', answer: () => ({}) } as const;
    for (const [extra, status] of [[[], 404], [[shop], 200]] as const) {
      const one = await startHttp({ extra });
      const response = await fetch(`${one.url}/shop`);
      const text = await response.text();
      const part = await fetch(`${one.url}/shop`, { headers: { range: 'bytes=0-3' } });
      expect([part.status, await part.text()]).toEqual([status, text]);
      await one.server.close();
      expect([response.status, response.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
      expect(text).toContain('shop.js');
    }
  });

  test('unknown addresses and methods are refused as problem documents', async () => {
    const missing = await get('/nothing/here');
    expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']);
    expect((await get('/../../etc/passwd')).status).toBe(404);
  });

  test.each([
    ['GET', '/v1/track', 'POST, OPTIONS'], ['POST', '/v1/products', 'PUT, OPTIONS'], ['GET', '/v1/products/', 'PUT, OPTIONS'], ['PUT', '/v1/products/P-1', 'DELETE, OPTIONS'],
    ['POST', '/v1/users/u1', 'GET, HEAD, DELETE, OPTIONS'], ['DELETE', '/v1/forecasts/known%2Fsku', 'GET, HEAD, OPTIONS'], ['HEAD', '/v1/sql', 'POST, OPTIONS'], ['PATCH', '/v1/forecasts', 'GET, HEAD, OPTIONS'],
    ['POST', '/', 'GET, HEAD, OPTIONS'], ['PUT', '/metrics', 'GET, HEAD, OPTIONS'], ['POST', '/millrace.js', 'GET, HEAD, OPTIONS'], ['POST', '/console.js', 'GET, HEAD, OPTIONS'], ['DELETE', '/console/shoppers/a1', 'GET, HEAD, OPTIONS'],
  ])('%s %s is refused as another method than it takes, before any key is asked for', async (method, path, allow) => {
    const response = await fetch(http.url + path, { method, ...(method !== 'GET' && method !== 'HEAD' && { body: '{}' }) });
    expect([response.status, response.headers.get('allow'), response.headers.get('content-type')]).toEqual([405, allow, 'application/problem+json; charset=utf-8']);
    const detail = `This takes ${allow.replace(', OPTIONS', '').replace('GET, HEAD', 'GET').replace(', ', ' or ')}, not ${method}.`;
    expect(await response.text()).toMatch(method === 'HEAD' ? /^$/ : `"detail":"${detail}"`);
    // A browser asks so before it tracks: that answer says what pages may do (tested above).
    const options = await fetch(http.url + path, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, path === '/v1/track' ? null : allow]);
  });

  test('what cannot be decoded, or is no route, is no matter of the method', async () => {
    const asked = async (path: string, method = 'POST'): Promise<number> => (await fetch(http.url + path, { method })).status;
    expect([await asked('/v1/users/%ZZ'), await asked('/v1/products/a/b'), await asked('/style.css.map'), await asked('/v1/users/')]).toEqual([400, 404, 404, 404]);
  });

  test('D05: what comes from outside never becomes a label', async () => {
    const unasked = await startHttp();
    for (const route of ['/v1/screen', '/metrics']) expect([...unasked.series.keys()].join()).toContain(`"route":"${route}"`);
    await unasked.server.close();
    for (let i = 0; i < 5; i++) await http.post('/v1/track', { userId: `u${i}`, event: 'Product Viewed', properties: { sku: `s${i}` } });
    await Promise.all(['/warm', '/v1/forecasts/a'].map((path) => get(path, basic(SERVER))));
    await http.post('/v1/track', {}, basic('k'));
    const before = http.series.size;
    await Promise.all(Array.from({ length: 100 }, (_, i) => get(`/v1/x${i}`)));
    await Promise.all(Array.from({ length: 50 }, (_, i) => get(`/v1/forecasts/s${i}`, basic(SERVER))));
    await Promise.all(Array.from({ length: 50 }, (_, i) => http.post('/v1/track', { userId: `u${i}`, event: `Event ${i}`, properties: { product_id: `p${i}` } }, basic(i % 2 === 0 ? BROWSER : `unknown${i}`))));
    expect(http.series.size).toBe(before);
    expect([...http.series.keys()].join()).toContain('"route":"unmatched"');
  });

  test('a request keeps its id', async () => {
    expect((await get('/livez', { 'x-request-id': 'abc-1' })).headers.get('x-request-id')).toBe('abc-1');
    expect((await get('/livez', { 'x-request-id': 'a b"<' })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('hostile clients', () => {
  const raw = (port: number, ...parts: readonly (string | Buffer)[]): Promise<string> => new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => { for (const part of parts) socket.write(part); });
    let text = '';
    socket.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });

  test('a body announced too large is refused before it is sent', async () => {
    const answer = await raw(http.port, `POST /v1/batch HTTP/1.1\r\nhost: x\r\nauthorization: Basic ${Buffer.from(`${BROWSER}:`).toString('base64')}\r\ncontent-type: application/json\r\ncontent-length: 5000000\r\n\r\n{`);
    expect(answer).toContain('413 Payload Too Large');
    expect(answer).toContain('problem+json');
  });

  test('a client that asks before it sends is told at once', async () => {
    const answer = await raw(http.port, `POST /v1/batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${BROWSER}\r\nexpect: 100-continue\r\ncontent-length: 5000000\r\n\r\n`);
    expect(answer).toContain('413');
    expect(answer).not.toContain('100 Continue');
  });

  test('an endless body is cut at the limit', async () => {
    const chunk = Buffer.alloc(100_000, 32);
    const parts = Array.from({ length: 30 }, () => [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n']).flat();
    const answer = await raw(http.port, `POST /v1/track HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${BROWSER}\r\ntransfer-encoding: chunked\r\n\r\n`, ...parts);
    expect(answer).toContain('413');
  });

  test('a client that never ends its headers is cut off, others are served', async () => {
    const slow = await startHttp({}, { headersTimeoutMs: 200 });
    const dripping = raw(slow.port, 'POST /v1/track HTTP/1.1\r\nhost: x\r\n');
    expect((await slow.post('/v1/track', { userId: 'u', event: 'X' })).status).toBe(200);
    // By itself Node waits for a minute.
    await dripping;
    await slow.server.close();
  });

  test('more bodies at once than memory is meant for are told to come back', async () => {
    const small = await startHttp({}, { maxBodiesBytes: 1000 });
    const { status, headers } = await small.post('/v1/batch', { batch: [], filler: 'x'.repeat(5000) });
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect((await small.post('/v1/track', { userId: 'u', event: 'X' })).status).toBe(200);
    await small.server.close();
  });

  test('a client that leaves in the middle of its request, or breaks it off, is no fault that is noted', async () => {
    const noted: string[] = [];
    const told = await startHttp({ journal: { ...silentJournal, error: (_, sentence) => void noted.push(sentence), warn: (_, sentence) => void noted.push(sentence) } });
    for (const rest of ['content-length: 500\r\n\r\n{"a"', 'transfer-encoding: chunked\r\n\r\nzz\r\n', 'content-encoding: gzip\r\ncontent-length: 500\r\n\r\n\x1f\x8b']) {
      for (const path of ['POST /v1/track', 'POST /v1/recommend', 'PUT /v1/products', 'POST /v1/sources/x']) {
        await new Promise<void>((resolve) => {
          const socket = createConnection(told.port, '127.0.0.1', () => socket.write(`${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN}\r\n${rest}`, () => setTimeout(() => socket.destroy(), 20)));
          socket.on('error', () => {});
          socket.on('close', () => resolve());
        });
      }
    }
    expect((await told.post('/v1/track', { userId: 'u', event: 'X' })).status).toBe(200);
    expect(noted).toEqual([]);
    await told.server.close();
  });

  test('a byte order mark before JSON is passed over', async () => {
    expect((await http.post('/v1/track', `\uFEFF${JSON.stringify({ userId: 'u', event: 'X' })}`)).status).toBe(200);
  });

  test('wrong bytes, broken, nested and empty JSON are bad requests', async () => {
    for (const body of ['', '{', '[', '{"a":NaN}', '"text"', 'null', '7', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), `${'['.repeat(16_000)}${']'.repeat(16_000)}`, `{"type":"track","event":"X","userId":"u","properties":${'{"a":'.repeat(4000)}1${'}'.repeat(4000)}}`, '{"__proto__":{"type":"track"},"constructor":1}']) {
      const { status, text } = await http.post('/v1/track', body);
      expect([String(body).slice(0, 40), status]).toEqual([String(body).slice(0, 40), 400]);
      expect(JSON.parse(text)).toMatchObject({ status: 400 });
    }
    expect((await http.post('/v1/batch', `{"batch":[${'['.repeat(100_000)}${']'.repeat(100_000)}]}`)).status).toBe(400);
  });

  test('any JSON at any door is answered, and never with a 5xx', async () => {
    const doors = ['/v1/track', '/v1/identify', '/v1/alias', '/v1/batch', '/mp/collect', '/v1/recommend', '/v1/score', '/v1/similar'];
    const field = fc.constantFrom('type', 'event', 'userId', 'anonymousId', 'properties', 'batch', 'events', 'params', 'items', 'limit', 'filter', 'after', 'sku', 'name', '__proto__');
    const body = fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.oneof(fc.jsonValue(), fc.array(fc.dictionary(field, fc.jsonValue()), { maxLength: 3 }))));
    await fc.assert(fc.asyncProperty(fc.constantFrom(...doors), body, async (path, value) => {
      const { status } = await http.post(path, JSON.stringify(value), basic(SERVER));
      expect([200, 400, 413]).toContain(status);
    }), { numRuns: 150 });
  });
});
