import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { startGenerator } from '../../pipeline/bench/load-order.js';
import { listening } from '../../pipeline/bench/peers/echo.js';
import { fromSource } from '../support/run-module.js';

const QUESTIONS = { path: '/', authorization: 'Basic none', bodies: ['{}'] };
const generator = (): ReturnType<typeof startGenerator> => startGenerator(fromSource(new URL('../../pipeline/bench/load.ts', import.meta.url)));

test('in an open loop all that is due while a server stalls has waited, and comes at its rate all the same', async () => {
  const load = generator();
  let asked = 0;
  let stalledUntil = 0;
  const server = createServer((request, response) => {
    if (++asked === 100) stalledUntil = performance.now() + 400;
    request.resume().on('end', () => setTimeout(() => response.end('{}'), Math.max(0, stalledUntil - performance.now())));
  });
  try {
    const port = await listening(server);
    const { requests, latencies } = await load.run({ kind: 'open', port, ...QUESTIONS, rate: 200, seconds: 2 });
    expect(requests).toBe(asked);
    expect(requests).toBeGreaterThan(340);
    expect(requests).toBeLessThan(460);
    // 80 or so were due in these 400 ms. Who sends the next one only after an answer would have seen one slow request a connection.
    const slow = latencies.filter((ms) => ms > 100).length;
    expect(slow).toBeGreaterThan(40);
    expect(Math.min(...latencies)).toBeGreaterThan(0);
  } finally {
    load.stop();
    server.close();
    server.closeAllConnections();
  }
});

test('the bare peer answers each body with itself, in a process of its own', async () => {
  const peer = generator();
  try {
    const { port } = await peer.run({ kind: 'echo' });
    const answer = await fetch(`http://127.0.0.1:${port}/any`, { method: 'POST', body: '{"userId":"shopper-7"}' });
    expect([answer.status, await answer.text()]).toEqual([200, '{"userId":"shopper-7"}']);
  } finally {
    peer.stop();
  }
});
