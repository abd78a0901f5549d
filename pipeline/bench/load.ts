import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'node:http';
import { random } from '../../producers/simulate/random.js';
import type { ClickLoad, ClickResult, ClosedLoad, LoadResult, OpenLoad, Order } from './load-order.js';
import { echo, listening } from './peers/echo.js';

/** The load generator: a process of its own, so that it never shares a thread with what it measures. */

interface Answer {
  readonly status: number;
  readonly text: string;
}

function send(agent: Agent, port: number, path: string, authorization: string, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers: { authorization, 'content-type': 'application/json', 'content-length': body.length } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Closed loop: each connection sends the next request when it has the answer to the last. */
async function closedLoop({ port, path, authorization, bodies, connections, seconds }: ClosedLoad): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const buffers = bodies.map((body) => Buffer.from(body));
  const latencies: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1000;
  let next = 0;
  await Promise.all(Array.from({ length: connections }, async () => {
    while (performance.now() < end) {
      const sent = performance.now();
      const { status, text } = await send(agent, port, path, authorization, buffers[next++ % buffers.length]);
      if (status !== 200) throw new Error(`${path} answered ${status}: ${text.slice(0, 200)}`);
      latencies.push(performance.now() - sent);
    }
  }));
  agent.destroy();
  return { requests: latencies.length, seconds: (performance.now() - began) / 1000, latencies };
}

/**
 * Open loop: requests come at random, independent of each other and of the answers, as shoppers do (a Poisson process). Latency counts from
 * when a request was due, so that one which waits for its turn to be sent waits, too. Timers wake to the millisecond, which is in it.
 */
async function openLoop({ port, path, authorization, bodies, rate, seconds }: OpenLoad): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const buffers = bodies.map((body) => Buffer.from(body));
  const { uniform } = random('open loop');
  const latencies: number[] = [];
  const one = async (due: number, body: Buffer): Promise<void> => {
    const { status, text } = await send(agent, port, path, authorization, body);
    if (status !== 200) throw new Error(`${path} answered ${status}: ${text.slice(0, 200)}`);
    latencies.push(performance.now() - due);
  };
  const began = performance.now();
  const underWay: Promise<void>[] = [];
  for (let due = began; due < began + seconds * 1000; due -= (Math.log(1 - uniform()) / rate) * 1000) {
    // Timers cut off parts of a millisecond, and nobody asks before it is due.
    while (due > performance.now()) await delay(Math.ceil(due - performance.now()));
    underWay.push(one(due, buffers[underWay.length % buffers.length]));
  }
  await Promise.all(underWay);
  agent.destroy();
  return { requests: latencies.length, seconds: (performance.now() - began) / 1000, latencies };
}

/** Open loop: clicks come at their rate whether or not earlier ones were answered. */
async function clicks({ port, authorization, rate, seconds, shoppers, skus }: ClickLoad): Promise<ClickResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const began = performance.now();
  const accepted: number[] = [];
  const changed: number[] = [];
  let stale = 0;
  const one = async (number: number): Promise<void> => {
    const userId = `bench-${number % shoppers}`;
    const sku = `sku-${(number * 7919) % skus}`;
    const sent = performance.now();
    const click = await send(agent, port, '/v1/track', authorization, Buffer.from(JSON.stringify({ userId, event: 'Product Viewed', properties: { product_id: sku } })));
    if (click.status !== 200) throw new Error(`/v1/track answered ${click.status}: ${click.text.slice(0, 200)}`);
    const at = performance.now();
    accepted.push(at - sent);
    const { token } = JSON.parse(click.text) as { token: string };
    const answer = await send(agent, port, '/v1/recommend', authorization, Buffer.from(JSON.stringify({ userId, limit: 10, after: token })));
    if (answer.status !== 200) throw new Error(`/v1/recommend answered ${answer.status}: ${answer.text.slice(0, 200)}`);
    if ((JSON.parse(answer.text) as { stale?: boolean }).stale) stale++;
    else changed.push(performance.now() - at);
  };
  const underWay: Promise<void>[] = [];
  for (let number = 0; number < rate * seconds; number++) {
    const due = began + (number / rate) * 1000;
    if (due > performance.now()) await delay(due - performance.now());
    underWay.push(one(number));
  }
  await Promise.all(underWay);
  agent.destroy();
  return { accepted, changed, stale };
}

function carryOut(order: Order): Promise<LoadResult | ClickResult | { readonly port: number }> {
  switch (order.kind) {
    case 'closed': return closedLoop(order);
    case 'open': return openLoop(order);
    case 'clicks': return clicks(order);
    case 'echo': return listening(echo()).then((port) => ({ port }));
  }
}

process.on('message', (order: Order) => {
  carryOut(order).then((result) => process.send!(result), (error: Error) => process.send!({ error: error.message })).catch(() => process.exit(1));
});
process.on('disconnect', () => process.exit(0));
