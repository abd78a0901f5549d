import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { Position } from '../../pipeline/core/log.js';
import { decodeToken } from '../../infra/http/position-token.js';
import { millrace, MillraceError } from '../../producers/node-sdk/client.js';
import { clickstream } from '../../schemas/topics.js';
import { SERVER, startHttp } from '../infra/http-server.js';

let failures = 0;
let written: string[] = [];
let http: Awaited<ReturnType<typeof startHttp>>;
beforeAll(async () => {
  http = await startHttp({
    accept: async (records): Promise<Position[]> => {
      if (failures-- > 0) throw new Unavailable('not now');
      written.push(...records.filter((record) => record.topic === 'clickstream').map((record) => clickstream.codec.decode(record.value).messageId));
      return records.map(({ topic, partition }, offset) => ({ topic, partition, offset }));
    },
  });
});
afterAll(() => http.server.close());
beforeEach(() => {
  failures = 0;
  written = [];
});

test('calls arrive in order, in batches, and flush answers with their position', async () => {
  const client = millrace({ url: http.url, key: SERVER, batchSize: 10 });
  const ids = Array.from({ length: 25 }, (_, index) => `m${index}`);
  for (const messageId of ids) client.track({ messageId, userId: 'u1', event: 'Product Viewed', properties: { sku: 'A' } });
  const token = await client.flush();
  expect(written).toEqual(ids);
  expect(decodeToken(token!)?.positions).toMatchObject([{ topic: 'clickstream' }]);
});

test('what the log could not take is sent again under the same ids', async () => {
  const client = millrace({ url: http.url, key: SERVER });
  failures = 1;
  client.identify({ messageId: 'again', userId: 'u1' });
  client.alias({ messageId: 'alias', userId: 'u1', previousId: 'a1' });
  await client.flush();
  expect(written).toEqual(['again', 'alias']);
});

test('refused calls are told, with the fields that were wrong', async () => {
  const refused: unknown[] = [];
  const client = millrace({ url: http.url, key: SERVER, onRefused: (error, calls) => refused.push([error.problem.errors?.map(({ path }) => path), calls.length]) });
  client.track({ userId: 'undefined', event: 'X' });
  client.page({ userId: 'u1', name: 'Home' });
  await client.flush();
  expect(refused).toEqual([[['userId'], 1]]);
  expect(written).toHaveLength(1);
});

test.each([
  ['throws', () => { throw new Error('a fault of the shop'); }],
  ['is refused later', () => Promise.reject(new Error('a fault of the shop'))],
])('a callback that %s holds up no other call', async (_, onRefused) => {
  const client = millrace({ url: http.url, key: SERVER, onRefused });
  const warned = once(process, 'warning');
  client.track({ userId: 'undefined', event: 'X' });
  await client.flush();
  expect(String((await warned)[0])).toContain('a fault of the shop');
  client.page({ messageId: 'after', userId: 'u1', name: 'Home' });
  await client.flush();
  expect(written).toEqual(['after']);
});

test.each(['null', '[]', '<html>Welcome to the train</html>'])('200 from something between, %s, has taken nothing: what was sent is sent again', async (text) => {
  let asked = 0;
  const client = millrace({ url: http.url, key: SERVER, fetch: (...request) => (asked++ === 0 ? Promise.resolve(new Response(text)) : fetch(...request)) });
  client.page({ messageId: 'm', userId: 'u1', name: 'Home' });
  await client.flush();
  expect([asked, written]).toEqual([2, ['m']]);
});

test('refused calls that nobody asked to be told of are a warning of the process', async () => {
  const client = millrace({ url: http.url, key: SERVER });
  const warned = once(process, 'warning');
  client.track({ userId: 'undefined', event: 'X' });
  await client.flush();
  expect(await warned).toMatchObject([{ message: expect.stringContaining('Millrace refused a call: batch[0].userId: "undefined" is what a program writes') }]);
});

test('questions are answered or fail with the problem', async () => {
  const client = millrace({ url: http.url, key: SERVER });
  expect(await client.recommend({ userId: 'u1', limit: 3 })).toEqual({ door: 'recommend' });
  expect(await client.forecast('known/sku')).toEqual({ sku: 'known/sku' });
  await expect(client.recommend({ limit: 0 })).rejects.toThrow(MillraceError);
  await expect(client.forecast('unsold')).rejects.toMatchObject({ status: 404 });
});

test('a server that has been away too long is noticed by the caller', () => {
  const client = millrace({ url: http.url, key: SERVER, maxWaiting: 1, fetch: () => new Promise(() => {}) });
  client.track({ userId: 'u', event: 'X' });
  expect(() => client.track({ userId: 'u', event: 'X' })).toThrow('wait already');
});

test('calls that are too large for one batch leave in several, in their order; the one that is too large by itself is told', async () => {
  const refused: unknown[] = [];
  const client = millrace({ url: http.url, key: SERVER, onRefused: (error, calls) => refused.push([error.status, calls.length]) });
  const ids = Array.from({ length: 40 }, (_, index) => `large${index}`);
  for (const messageId of ids) client.track({ messageId, userId: 'u1', event: 'Imported', properties: { pad: 'x'.repeat(messageId === 'large7' ? 600_000 : 15_000) } });
  const token = await client.flush();
  expect(token).toBeDefined();
  expect(written).toEqual(ids.filter((id) => id !== 'large7'));
  expect(refused).toEqual([[413, 1]]);
});

test('a call is what it was when it was made, and one that is no JSON is an error of whoever makes it and holds up no other', async () => {
  const client = millrace({ url: http.url, key: SERVER });
  expect(() => client.track({ userId: 'u1', event: 'X', properties: { cents: 12n } })).toThrow(TypeError);
  const call = { messageId: 'as it was', userId: 'u1', event: 'Product Viewed', properties: { sku: 'A' } };
  client.track(call);
  call.messageId = 'changed later';
  call.properties.sku = '';
  await client.flush();
  expect(written).toEqual(['as it was']);
});

test('a server that takes connections and answers nothing holds up a question for as long as it was told, and a batch is sent again', async () => {
  let asked = 0;
  const silent = createServer(() => { asked++; });
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const client = millrace({ url: `http://127.0.0.1:${port}`, key: SERVER, timeoutMs: 100 });
  await expect(client.recommend({ userId: 'u1' })).rejects.toMatchObject({ name: 'TimeoutError' });
  client.track({ userId: 'u1', event: 'Product Viewed', properties: { sku: 'A' } });
  await expect.poll(() => asked, { timeout: 5_000 }).toBeGreaterThanOrEqual(3);
});
