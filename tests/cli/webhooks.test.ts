import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { Endpoint, webhookLimits } from '../../infra/webhook/endpoint.js';
import { problemOf, receiver, type Received } from '../../infra/webhook/receiver.js';
import { lineOf, webhooksCommand } from '../../pipeline/cli/webhooks.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { systemPorts, triggerMessage } from '../../pipeline/webhooks.js';
import { marketingTriggers } from '../../schemas/topics.js';
import { trigger } from '../infra/webhook-world.js';
import { said } from '../support/command.js';
import { secret } from '../support/webhook-receiver.js';

const on = said();
const another = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
const never = new AbortController().signal;
afterEach(() => void vi.unstubAllEnvs());

/** A receiver with its address, and what it was told. */
async function receiving(): Promise<{ url: string; told: Received[]; problems: string[] }> {
  const [told, problems]: [Received[], string[]] = [[], []];
  const server = receiver([another, secret], (one) => void told.push(one), (problem) => void problems.push(problem)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, told, problems };
}

test('what Millrace sends is verified and told in a line, and known when it comes again', async () => {
  const { url, told } = await receiving();
  const endpoint = new Endpoint({ url, secret }, { metrics: noMetrics, journal: silentJournal, ...systemPorts }, webhookLimits);
  const message = triggerMessage({ value: marketingTriggers.codec.encode(trigger('t1')) })!;
  for (let time = 0; time < 2; time++) expect(await endpoint.send(message, never, never, () => false)).toEqual({ kind: 'delivered' });
  endpoint.close();
  expect(told).toEqual([false, true].map((isRepeated) => ({ id: 't1-fired', body: message.body.toString(), isRepeated })));
  expect(told.map(lineOf)).toEqual(['trigger.fired', 'trigger.fired (again)'].map((type) => ['2026-11-30T12:00:00.000Z', type, 'cart_abandonment', 'shopper of t1', 'The cart was left for 60 minutes without an order.'].join('\t')));
});

test('a delivery without a signature, with an old one or that of another secret is refused with the reason', async () => {
  const { url, told, problems } = await receiving();
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);
  expect((await fetch(url)).status).toBe(405);
  expect((await fetch(url, { method: 'POST', body: 'x'.repeat(2 << 20) }).catch(() => ({ status: 413 }))).status).toBe(413);
  expect([told, problems]).toEqual([[], [expect.stringContaining('lacks webhook-id')]]);
  const headers = { 'webhook-id': 'x', 'webhook-timestamp': '1000', 'webhook-signature': 'v1,AAAA' };
  expect(problemOf(headers, Buffer.from('{}'), [secret], 1_301_000)).toContain('more than five minutes');
  expect(problemOf(headers, Buffer.from('{}'), [secret], 1_299_000)).toBe('It is not signed with our secret.');
});

test('a test is sent to each address, and what it answers is said; it ends with 1 where one does not take it', async () => {
  const { url, told } = await receiving();
  vi.stubEnv('WEBHOOK_URLS', `${url},${url}other`);
  vi.stubEnv('WEBHOOK_SECRETS', `${secret},whsec_${Buffer.alloc(32, 9).toString('base64')}`);
  await webhooksCommand().parseAsync(['test'], { from: 'user' });
  expect(on.out).toMatch(/^127\.0\.0\.1-\w{8}: delivered\n127\.0\.0\.1-\w{8}: not delivered, status 401\n$/);
  expect([on.err, process.exitCode]).toEqual(['1 of 2 did not take it.\n', 1]);
  expect(told.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([{ type: 'trigger.test', data: { status: 'test' } }]);
});

test('without an address it says what to set', async () => {
  await webhooksCommand().parseAsync(['test'], { from: 'user' });
  expect([on.err, process.exitCode]).toEqual([expect.stringContaining('WEBHOOK_URLS and WEBHOOK_SECRETS are not set'), 78]);
});
