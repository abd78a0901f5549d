import { createConnection } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { ADMIN, basic, BROWSER, SERVER, startHttp } from './http-server.js';

let http: Awaited<ReturnType<typeof startHttp>>;
beforeAll(async () => {
  http = await startHttp();
});
afterAll(() => http.server.close());

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
    const slow = await startHttp({}, { headersTimeoutMs: 3_000 });
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
