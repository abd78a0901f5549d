import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { encodeToken } from '../../infra/http/position-token.js';
import { badRequest } from '../../infra/http/problem.js';
import { ADMIN, basic, bearer, BROWSER, NOW, SECRET, SERVER, signShopper, startHttp } from './http-server.js';

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

describe('recommend', () => {
  test('passes a typed request on, with the positions of its token', async () => {
    const token = encodeToken([{ topic: 'clickstream', partition: 2, offset: 41 }], ['a1']);
    const { status, json } = await http.post('/v1/recommend', { userId: 7, limit: 3, filter: { category: ['a', 'b'] }, exclude: ['x', 'x '], items: ['P1', 'P1', 2], placement: 'home', context: { product_id: 7 }, after: token, explain: true }, basic(SERVER));
    expect([status, json]).toEqual([200, { door: 'recommend' }]);
    expect(http.asked[0]!.request).toEqual({ userId: '7', anonymousId: null, limit: 3, filter: [{ field: 'category', any: new Set(['a', 'b']) }], exclude: ['x'], items: ['P1', '2'], placement: 'home', context: '7', after: { positions: [{ topic: 'clickstream', partition: 2, offset: 41 }], merges: ['a1'] }, explain: true, compare: false, diversity: 0, fatigue: 0, explore: false, excludePurchased: null, shown: true, trusted: true });
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
    const wrong = { placement: ' ', filter: { price: { min: 50, max: 10 }, colour: 'red', brand: ['a', null] }, limit: 0 };
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
    const beside = await http.post('/v1/recommend', { anonymousId: 'a', requests: [{ limit: 2 }] }, basic(SERVER));
    expect(beside.json['errors']).toMatchObject([{ path: 'anonymousId', message: 'This takes requests. Each of them says all else itself.' }, { path: 'requests[0].userId' }]);
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

  test('a filter names numbers and booleans as the catalogue was told them', async () => {
    expect((await http.post('/v1/recommend', { anonymousId: 'a', filter: { 'attributes.size': [38, '39'], 'attributes.organic': true, 'attributes.weight': 1.5 } })).status).toBe(200);
    expect(http.asked[0]!.request).toMatchObject({ filter: [
      { field: 'attribute', name: 'size', any: new Set(['38', '39']) }, { field: 'attribute', name: 'organic', any: new Set(['true']) }, { field: 'attribute', name: 'weight', any: new Set(['1.5']) },
    ] });
  });

  test('a browser key asks for several only what it may ask for one', async () => {
    expect((await http.post('/v1/recommend', { requests: [{ anonymousId: 'a' }, { userId: 'somebody' }] })).status).toBe(403);
  });

  test('a shopper token stands for all of several questions, where one has none of its own', async () => {
    const [shopperToken, another] = [signShopper('u1', SECRET, NOW + 60_000), signShopper('u2', SECRET, NOW + 60_000)];
    const asked = (requests: readonly object[]) => http.post('/v1/recommend', { shopperToken, requests });
    expect((await asked([{ userId: 'u1', placement: 'home' }, { userId: 'u1', placement: 'cart' }])).status).toBe(200);
    expect((await asked([{ userId: 'u1' }, { userId: 'u2', shopperToken: another }])).status).toBe(200);
    expect((await asked([{ userId: 'u2' }])).status).toBe(403);
    expect((await asked([{ userId: 'u1', shopperToken: another }])).status).toBe(403);
  });

  test('as many SKUs and questions are read as may be named, of any length that they may have', async () => {
    const skus = Array.from({ length: 1_000 }, (_, n) => `${n}-${'x'.repeat(240)}`);
    for (const fields of [{ exclude: skus }, { items: skus }]) expect((await http.post('/v1/recommend', { anonymousId: 'a', ...fields })).status).toBe(200);
    expect((await http.post('/v1/score', { anonymousId: 'a', items: skus })).status).toBe(200);
    expect((await http.post('/v1/similar', { sku: 'P1', exclude: skus })).status).toBe(200);
    const newsletter = { userId: '8f14e45f-ceea-467f-a8d3-000000000001', shown: false, placement: 'newsletter', exclude: skus.slice(0, 10), filter: { inStock: true } };
    expect((await http.post('/v1/recommend', { requests: Array.from({ length: 100 }, () => newsletter) }, basic(SERVER))).status).toBe(200);
    expect((await http.post('/v1/recommend', { anonymousId: 'a', items: [], placement: 'x'.repeat(600_000) })).status).toBe(413);
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

  test('spaces around a key in its header are none of it', async () => {
    for (const authorization of [`bearer  ${BROWSER}`, `Basic   ${Buffer.from(`${BROWSER}:`).toString('base64')} `]) {
      expect((await http.post('/v1/recommend', { anonymousId: 'a' }, { authorization })).status).toBe(200);
    }
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
    const positions = [{ topic: 'catalog', partition: 1, offset: 7 }];
    expect((await http.post('/v1/similar', { product_id: 'P2', after: encodeToken(positions) })).status).toBe(200);
    expect(http.asked[1]!.request).toMatchObject({ sku: 'P2', after: { positions, merges: [] } });
    expect((await http.post('/v1/similar', { product_id: 'P2', after: 'none' })).json['errors']).toMatchObject([{ path: 'after', code: 'wrong_type' }]);
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

test('what only an operator can put right is no fault of the server: the client is asked to come back, and the log says it once', async () => {
  const noted: object[] = [];
  const denied = await startHttp({
    accept: () => Promise.reject(new ConfigError(['Kafka takes no records of clickstream. (TOPIC_AUTHORIZATION_FAILED)'])),
    journal: { ...silentJournal, error: (fields) => void noted.push(fields) },
  });
  onTestFinished(() => denied.server.close());
  for (let n = 0; n < 3; n++) {
    const { status, headers, text } = await denied.post('/v1/track', { userId: 'u', event: 'X' });
    expect([status, headers.get('retry-after')]).toEqual([503, '10']);
    expect(text).not.toContain('clickstream');
  }
  expect(noted).toEqual([{ error: 'Kafka takes no records of clickstream. (TOPIC_AUTHORIZATION_FAILED)' }]);
});

describe('the rest', () => {
  test('health, metrics and the description are open', async () => {
    expect((await http.get('/livez')).status).toBe(200);
    expect((await http.get('/readyz')).status).toBe(200);
    expect((await http.get('/metrics')).text).toContain('millrace_up');
    const described = await http.get('/openapi.yaml');
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
    expect((await http.get('/v1/forecasts/known%2Fsku', basic(SERVER))).text).toContain('known/sku');
    expect((await http.get('/v1/forecasts/unsold', basic(SERVER))).status).toBe(404);
    expect((await http.get('/v1/forecasts/known%2Fsku?days=5', basic(SERVER))).status).toBe(400);
    expect((await http.get('/v1/forecasts/known%2Fsku', basic(BROWSER))).status).toBe(403);
    expect((await http.get('/v1/forecasts/%E0%A4%A', basic(SERVER))).status).toBe(400);
    expect((await http.get('/v1/forecasts?sku=a&sku=b%20&sku=%20a', basic(SERVER))).text).toBe('{"skus":["a","b"]}');
    expect((await http.get('/v1/forecasts?category=kitchen', basic(SERVER))).text).toBe('{"category":"kitchen"}');
    expect((await http.get('/v1/forecasts?category=garden', basic(SERVER))).status).toBe(404);
    expect((await http.get('/v1/forecasts?total=shop', basic(SERVER))).text).toBe('{"total":"shop"}');
    for (const query of ['', '?sku=', '?total=', '?total=all', '?total=shop&category=kitchen', '?total=shop&total=shop', '?sku=a&category=kitchen', '?sku=a&horizon=7', `?${'sku=a&'.repeat(101)}`]) expect((await http.get(`/v1/forecasts${query}`, basic(SERVER))).status).toBe(400);
    expect((await http.get('/v1/users/u1', basic(SERVER))).status).toBe(403);
    expect((await http.get('/v1/users/u1', bearer(ADMIN))).status).toBe(200);
    expect((await http.get('/v1/users/u2', bearer(ADMIN))).status).toBe(404);
    for (const id of ['a%00b', 'undefined', '0', 'guest', '%20']) for (const method of ['GET', 'DELETE']) expect((await http.get(`/v1/users/${id}`, bearer(ADMIN), method)).status).toBe(400);
    expect((await http.get('/v1/users/u1', bearer(ADMIN), 'DELETE')).status).toBe(200);
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
    expect((await http.get('/console/shoppers/a1?q=x')).text).toBe('{"id":"a1","q":"x"}');
  });

  test('foreign SDKs get settings that lead here', async () => {
    const segment = await http.get(`/v1/projects/${BROWSER}/settings`, { origin: 'https://shop.example' });
    expect(JSON.parse(segment.text)).toMatchObject({ integrations: { 'Segment.io': { apiKey: BROWSER, apiHost: `127.0.0.1:${http.port}/v1`, protocol: 'http' } } });
    expect(segment.headers.get('access-control-allow-origin')).toBe('*');
    expect((await http.get('/v1/projects/other/settings')).status).toBe(404);
    expect(JSON.parse((await http.get('/sourceConfig/?p=npm', basic(BROWSER))).text)).toMatchObject({ source: { writeKey: BROWSER, enabled: true } });
    expect((await http.get('/sourceConfig/')).status).toBe(401);
  });

  test('the tracker is served', async () => {
    const { status, headers, text } = await http.get('/millrace.js');
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('javascript')]);
    expect(text).toContain('sendBeacon');
    expect([headers.get('access-control-allow-origin'), headers.get('cross-origin-resource-policy')]).toEqual(['*', 'cross-origin']);
  });

  test.each(['/', '/console.js', '/millrace.js', '/openapi.yaml'])('%s is there for who has it, and 412 for who asks for another edition', async (path) => {
    const { status, headers } = await http.get(path, {}, 'HEAD');
    const etag = headers.get('etag')!;
    expect([status, (await http.get(path, { 'if-match': '*' })).status, (await http.get(path, { 'if-match': etag })).status]).toEqual([200, 200, 200]);
    for (const [name, value] of [['if-match', '"x"'], ['if-unmodified-since', 'Mon, 01 Jan 2001 00:00:00 GMT']] as const) {
      const refused = await http.get(path, { [name]: value });
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

  test('a slash at the end of an address makes no other one of it', async () => {
    for (const path of ['/v1/track/', '/v1/recommend/?x=1']) expect((await http.post(path, { anonymousId: 'a', ...(path === '/v1/track/' && { event: 'Waved' }) })).status).toBe(200);
    expect((await http.get('/v1/track/')).status).toBe(405);
    expect((await http.get('/v1/track//')).status).toBe(404);
  });

  test('unknown addresses and methods are refused as problem documents', async () => {
    const missing = await http.get('/nothing/here');
    expect([missing.status, missing.headers.get('content-type'), missing.text]).toEqual([404, 'application/problem+json; charset=utf-8', expect.stringContaining('/openapi.yaml')]);
    expect((await http.get('/../../etc/passwd')).status).toBe(404);
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
    await Promise.all(['/warm', '/v1/forecasts/a'].map((path) => http.get(path, basic(SERVER))));
    await http.post('/v1/track', {}, basic('k'));
    const before = http.series.size;
    await Promise.all(Array.from({ length: 100 }, (_, i) => http.get(`/v1/x${i}`)));
    await Promise.all(Array.from({ length: 50 }, (_, i) => http.get(`/v1/forecasts/s${i}`, basic(SERVER))));
    await Promise.all(Array.from({ length: 50 }, (_, i) => http.post('/v1/track', { userId: `u${i}`, event: `Event ${i}`, properties: { product_id: `p${i}` } }, basic(i % 2 === 0 ? BROWSER : `unknown${i}`))));
    expect(http.series.size).toBe(before);
    expect([...http.series.keys()].join()).toContain('"route":"unmatched"');
  });

  test('a request keeps its id', async () => {
    expect((await http.get('/livez', { 'x-request-id': 'abc-1' })).headers.get('x-request-id')).toBe('abc-1');
    expect((await http.get('/livez', { 'x-request-id': 'a b"<' })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});
