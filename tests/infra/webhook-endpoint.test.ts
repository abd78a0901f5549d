import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shownDeadLetter } from '../../pipeline/dead-letters.js';
import { secret, triggerOf } from '../support/webhook-receiver.js';
import { AT, fired, idsOf, SOON, trigger, World } from './webhook-world.js';

let world: World;
beforeEach(async () => { world = await new World().open(); });
afterEach(() => world.close());

test('D04: a retry has the id and the bytes of the first attempt, and a signature of its own time; the next trigger has another id', async () => {
  const marketing = await world.receiver((n) => (n === 0 ? 500 : 200));
  const webhook = world.send(marketing, { limits: { firstWaitMs: 5_000 }, ports: world.leapingClock });
  await world.ready(webhook.name);
  await world.write(trigger('t1'));
  await expect.poll(() => world.counts.get('millrace_webhook_deliveries_total delivered'), SOON).toBe(1);
  await world.write(trigger('t2', { status: 'recovered' }), trigger('t3', { status: 'suppressed', reason: 'opted_out' }));
  await expect.poll(() => world.counts.get('millrace_webhook_deliveries_total delivered'), SOON).toBe(2);
  await webhook.stop();
  expect(marketing.ids).toEqual(['t1-fired', 't1-fired', 't2-recovered']);
  const [first, again] = marketing.deliveries;
  expect(again!.body.equals(first!.body)).toBe(true);
  expect(Number(again!.headers['webhook-timestamp']) - Number(first!.headers['webhook-timestamp'])).toBeGreaterThanOrEqual(5);
  for (const { headers, body } of marketing.deliveries) {
    const signed = createHmac('sha256', Buffer.alloc(32, 7)).update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body.toString()}`).digest('base64');
    expect(headers).toMatchObject({ 'webhook-signature': `v1,${signed}`, 'content-type': 'application/json' });
  }
  expect(JSON.parse(first!.body.toString())).toEqual({
    type: 'trigger.fired', timestamp: '2026-11-30T12:00:00.000Z',
    data: {
      id: 't1', status: 'fired', rule: 'cart_abandonment', version: 1, shopper: 'shopper of t1', causeId: `c@${AT}`, causedAt: '2026-11-30T11:00:00.000Z', at: '2026-11-30T12:00:00.000Z',
      reason: 'The cart was left for 60 minutes without an order.', products: [{ sku: 'P1', name: 'Knife', url: null, quantity: 2, price: '56.90', stock: 3 }], value: '113.80', currency: 'EUR',
    },
  });
});

test('the example of the page takes no other body, secret or time', async () => {
  const body = Buffer.from('{"type":"trigger.fired"}');
  const headersAt = (timestamp: number) => ({ 'webhook-id': 'x', 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${createHmac('sha256', Buffer.alloc(32, 7)).update(`x.${timestamp}.`).update(body).digest('base64')}` });
  const now = Math.floor(Date.now() / 1_000);
  expect(triggerOf(headersAt(now), body, secret)).toEqual({ id: 'x', type: 'trigger.fired' });
  expect(triggerOf({ ...headersAt(now), 'webhook-signature': `v1,AAAA ${headersAt(now)['webhook-signature']}` }, body, secret).id).toBe('x');
  expect(() => triggerOf(headersAt(now), Buffer.from('{"type":"trigger.fired" }'), secret)).toThrow('Not signed');
  expect(() => triggerOf(headersAt(now), body, `whsec_${Buffer.alloc(32, 8).toString('base64')}`)).toThrow('Not signed');
  expect(() => triggerOf({ ...headersAt(now), 'webhook-signature': '' }, body, secret)).toThrow('Not signed');
  for (const timestamp of [now - 301, now + 301, Number.NaN]) expect(() => triggerOf(headersAt(timestamp), body, secret)).toThrow('too long ago');
});

test('an endpoint has eight requests at once, and the next when one was answered', async () => {
  const open: (() => void)[] = [];
  const marketing = await world.receiver(() => (response) => void open.push(() => response.writeHead(204).end()));
  const webhook = world.send(marketing);
  await world.ready(webhook.name);
  await world.write(...fired(20));
  for (let answered = 0; answered < 20; answered++) {
    await expect.poll(() => open.length, SOON).toBe(Math.min(8, 20 - answered));
    open.shift()!();
  }
  await expect.poll(() => world.counts.get('millrace_webhook_deliveries_total delivered'), SOON).toBe(20);
  expect(marketing.mostAtOnce).toBe(8);
  await webhook.stop();
});

test('410 disables an endpoint until the next start: told once, and what it did not get it gets then', async () => {
  let isGone = true;
  const [gone, healthy] = [await world.receiver((n) => (isGone && n >= 1 ? 410 : 200)), await world.receiver()];
  const webhooks = [world.send(gone, { limits: { atOnce: 1 } }), world.send(healthy)];
  for (const { name } of webhooks) await world.ready(name);
  await world.write(trigger('t0'));
  await expect.poll(() => [gone.ids.length, healthy.ids.length], SOON).toEqual([1, 1]);
  await world.write(...fired(4).slice(1));
  await expect.poll(() => [gone.ids.length, healthy.ids.length], SOON).toEqual([2, 4]);
  await world.write(trigger('t4'));
  await expect.poll(() => healthy.ids, SOON).toHaveLength(5);
  expect(world.said.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { endpoint: webhooks[0]!.name.slice('webhook-'.length) }, sentence: expect.stringContaining('410') }]);
  expect(world.gauges.get('millrace_webhook_disabled')).toBe(1);
  await Promise.all(webhooks.map((webhook) => webhook.stop()));
  isGone = false;
  const again = world.send(gone);
  await expect.poll(() => new Set(gone.ids), SOON).toEqual(new Set(idsOf(5)));
  expect(gone.ids).toHaveLength(6);
  expect(world.gauges.get('millrace_webhook_disabled')).toBe(0);
  await again.stop();
});

test('waits double up to five minutes for a day; then the trigger is a dead letter with the last answer', async () => {
  const marketing = await world.receiver(() => 503);
  const webhook = world.send(marketing, { ports: world.leapingClock });
  await world.ready(webhook.name);
  await world.write(trigger('t1'));
  await expect.poll(() => world.letters(), SOON).toMatchObject([{ code: 'webhook_undelivered', message: expect.stringMatching(/within 24 h; the last attempt: status 503\.$/) }]);
  await webhook.stop();
  expect(world.sleeps.slice(0, 11)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000]);
  expect(world.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(86_390_000);
  expect(world.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(86_400_000);
  expect(new Set(marketing.ids)).toEqual(new Set(['t1-fired']));
  // Told once, however often it is tried.
  expect(world.said.filter(({ level }) => level === 'warn')).toHaveLength(1);
  expect([...world.counts].filter(([name]) => name.startsWith('millrace_webhook_deliveries_total '))).toEqual([
    ['millrace_webhook_deliveries_total delivered', 0], ['millrace_webhook_deliveries_total retried', marketing.ids.length], ['millrace_webhook_deliveries_total dead_letter', 1], ['millrace_webhook_deliveries_total superseded', 0],
  ]);
});

test('Retry-After holds up the whole endpoint: in seconds, as a date, and an hour at most', async () => {
  const pauses = ['30', new Date(Date.now() + 3_000_000).toUTCString(), '999999', 'soon'];
  const marketing = await world.receiver((n) => (n < pauses.length ? (response) => response.writeHead(n % 2 ? 503 : 429, { 'retry-after': pauses[n] }).end() : 200));
  const webhook = world.send(marketing, { limits: { firstWaitMs: 1, longestWaitMs: 1 }, ports: world.leapingClock });
  await world.ready(webhook.name);
  await world.write(trigger('t1'));
  await expect.poll(() => world.counts.get('millrace_webhook_deliveries_total delivered'), SOON).toBe(1);
  await webhook.stop();
  const paused = world.sleeps.filter((ms) => ms > 1);
  expect(paused.map((ms) => Math.round(ms / 100_000))).toEqual([0, 30, 36]);
  expect(paused[0]).toBeGreaterThan(29_000);
  expect(marketing.ids).toHaveLength(5);
});

test('another 4xx is tried ten times and set aside; a redirect is not followed; others pass by meanwhile', async () => {
  const elsewhere = await world.receiver();
  const marketing = await world.receiver((_, { data }) => (data['id'] === 't0' ? 400 : data['id'] === 't1' ? (response) => response.writeHead(307, { location: elsewhere.url }).end() : 200));
  const webhook = world.send(marketing, { ports: world.leapingClock });
  await world.ready(webhook.name);
  await world.write(...fired(10));
  await expect.poll(() => world.letters(), SOON).toHaveLength(2);
  await webhook.stop();
  expect((await world.letters()).map(({ code, message }) => [code, message.replace(/^.*?: /, '')]).sort()).toEqual([
    ['webhook_refused', 'it was refused 10 times, the last time with status 307.'], ['webhook_refused', 'it was refused 10 times, the last time with status 400.'],
  ]);
  expect(elsewhere.ids).toEqual([]);
  expect(marketing.ids).toHaveLength(28);
  expect(world.counts.get('millrace_webhook_deliveries_total delivered')).toBe(8);
});

test('of an answer no more is read than a little', async () => {
  let isCut = false;
  const marketing = await world.receiver(() => (response) => {
    response.writeHead(200).on('close', () => { isCut = true; });
    const more = (): void => { while (!response.destroyed && response.write(Buffer.alloc(4_096))); };
    response.on('drain', more);
    more();
  });
  const webhook = world.send(marketing, { limits: { timeoutMs: 600_000 } });
  await world.ready(webhook.name);
  await world.write(trigger('t1'));
  await expect.poll(() => [world.counts.get('millrace_webhook_deliveries_total delivered'), isCut], SOON).toEqual([1, true]);
  await webhook.stop();
});

test('neither log nor dead letter says the secret, or the path, which may be one', async () => {
  const marketing = await world.receiver(() => 404);
  const webhook = world.send(marketing, { ports: world.leapingClock });
  await world.ready(webhook.name);
  await world.write(trigger('t1'));
  await expect.poll(() => world.letters(), SOON).toHaveLength(1);
  await webhook.stop();
  const told = JSON.stringify([world.said, (await world.letters()).map(shownDeadLetter), webhook.name, [...world.counts.keys()]]);
  expect(told).not.toMatch(new RegExp(`t0ken|whsec|${secret.slice(6, 20)}`));
});
