import { afterEach, beforeEach, expect, test } from 'vitest';
import { webhookLimits } from '../../infra/webhook/endpoint.js';
import { shownDeadLetter } from '../../pipeline/dead-letters.js';
import { fired, idsOf, SOON, trigger, World } from './webhook-world.js';

let world: World;
beforeEach(async () => { world = await new World().open(); });
afterEach(() => world.close());

test('D18: an endpoint that never answers delays and repeats nothing of another; its own deliveries end as dead letters', async () => {
  const [dead, healthy] = [await world.receiver(() => undefined), await world.receiver()];
  let later = 0;
  const webhooks = [world.send(dead, { limits: { timeoutMs: 50, firstWaitMs: 20, giveUpAfterMs: 120_000 }, ports: { now: () => Date.now() + later } }), world.send(healthy)];
  for (const { name } of webhooks) await world.ready(name);
  await world.write(...fired(50));
  await expect.poll(() => healthy.deliveries.length, SOON).toBe(50);
  // What a process after a crash goes on from has moved on, whatever the other does.
  await expect.poll(() => world.stores.at(-1), SOON).toBe('50 next:50 pending:');
  await expect.poll(() => new Set(dead.ids).size, SOON).toBe(50);
  expect(await world.letters()).toEqual([]);
  later = 120_000;
  await expect.poll(() => world.letters(), SOON).toHaveLength(50);
  await Promise.all(webhooks.map((webhook) => webhook.stop()));
  expect([...healthy.ids].sort()).toEqual(idsOf(50).sort());
  const [letter] = await world.letters();
  expect(letter).toMatchObject({ code: 'webhook_undelivered', consumer: webhooks[0]!.name, topic: 'marketing-triggers', message: expect.stringMatching(/^Not sent to 127\.0\.0\.1-[0-9a-f]{8}: it did not arrive within .* h; the last attempt: no answer within 0\.05 s\.$/) });
  expect(shownDeadLetter(letter!)).toMatchObject({ decoded: { rule: 'cart_abandonment', value: '1138000' } });
  expect(new Set(dead.ids)).toEqual(new Set(idsOf(50)));
  expect(healthy.ids).toHaveLength(50);
});

test('a process that dies between delivery and commit sends again, with the same id and bytes; what was committed stays sent', async () => {
  const marketing = await world.receiver();
  let isDead = false;
  const first = world.send(marketing, { isDead: () => isDead });
  await world.ready(first.name);
  await world.write(trigger('t1'));
  await expect.poll(() => world.stores.at(-1), SOON).toBe('1 next:1 pending:');
  isDead = true;
  await world.write(trigger('t2'));
  await expect.poll(() => marketing.ids, SOON).toEqual(['t1-fired', 't2-fired']);
  await first.stop();
  const second = world.send(marketing);
  await expect.poll(() => marketing.ids, SOON).toEqual(['t1-fired', 't2-fired', 't2-fired']);
  expect(marketing.deliveries[2]!.body.equals(marketing.deliveries[1]!.body)).toBe(true);
  await second.stop();
});

test('an end lets what is under way arrive and stores it, begins nothing more, and the next start repeats nothing', async () => {
  const marketing = await world.receiver(() => (response) => void setTimeout(() => response.writeHead(200).end(), 300));
  const first = world.send(marketing, { limits: { atOnce: 2, finishMs: 10_000 } });
  await world.ready(first.name);
  await world.write(...fired(4));
  await expect.poll(() => marketing.ids, SOON).toHaveLength(2);
  await first.stop();
  expect(world.counts.get('millrace_webhook_deliveries_total delivered')).toBe(2);
  expect(world.stores.at(-1)).toBe('2 next:4 pending:2,3');
  const second = world.send(marketing, { limits: { finishMs: 10_000 } });
  await expect.poll(() => marketing.ids, SOON).toHaveLength(4);
  await second.stop();
  expect(marketing.ids.toSorted()).toEqual(idsOf(4));
  expect(world.stores.at(-1)).toBe('4 next:4 pending:');
});

test('an end does not wait long for an endpoint that does not answer', async () => {
  const marketing = await world.receiver(() => undefined);
  const webhook = world.send(marketing, { limits: { finishMs: 50, timeoutMs: 600_000 } });
  await world.ready(webhook.name);
  await world.write(trigger('t1'));
  await expect.poll(() => marketing.ids, SOON).toHaveLength(1);
  const before = Date.now();
  await webhook.stop();
  expect(Date.now() - before).toBeLessThan(5_000);
  expect(world.stores.at(-1)).toBe('0 next:0 pending:');
});

test('a delivery that is still tried keeps those behind it from being sent again, after one restart and after two', async () => {
  let isRepaired = false;
  const marketing = await world.receiver((_, { data }) => (data['id'] === 't0' && !isRepaired ? 500 : 200));
  const first = world.send(marketing, { limits: { firstWaitMs: 60_000 } });
  await world.ready(first.name);
  await world.write(...fired(20));
  await expect.poll(() => world.stores.at(-1), SOON).toBe('0 next:20 pending:0');
  await first.stop();
  // Where it stands must not be forgotten while the log is read again, a record at a time.
  const before = world.stores.length;
  const second = world.send(marketing, { limits: { window: 1, firstWaitMs: 60_000 } });
  await expect.poll(() => marketing.ids, SOON).toHaveLength(21);
  await second.stop();
  expect(new Set(world.stores.slice(before))).toEqual(new Set(['0 next:20 pending:0']));
  isRepaired = true;
  const third = world.send(marketing);
  await world.write(trigger('t20'));
  await expect.poll(() => world.stores.at(-1), SOON).toBe('21 next:21 pending:');
  await third.stop();
  expect([...marketing.ids].sort()).toEqual([...idsOf(21), 't0-fired', 't0-fired'].sort());
});

test('what an endpoint does not take waits in the log, but for a window of deliveries, and follows when it does', async () => {
  let isAway = true;
  const marketing = await world.receiver(() => (isAway ? 500 : 200));
  const webhook = world.send(marketing, { limits: { window: 3, firstWaitMs: 100 } });
  await world.ready(webhook.name);
  await world.write(...fired(10));
  await expect.poll(() => marketing.ids.length, SOON).toBeGreaterThan(6);
  expect(new Set(marketing.ids)).toEqual(new Set(idsOf(3)));
  expect(world.stores.at(-1)).toBe('0 next:0 pending:');
  expect(world.gauges.get('millrace_webhook_lag_records')).toBe(10);
  expect(world.gauges.get('millrace_webhook_lag_seconds')).toBeGreaterThan(0);
  isAway = false;
  await expect.poll(() => world.counts.get('millrace_webhook_deliveries_total delivered'), SOON).toBe(10);
  await webhook.stop();
  expect(new Set(marketing.ids)).toEqual(new Set(idsOf(10)));
  expect(world.gauges.get('millrace_webhook_lag_records')).toBe(0);
});

test('recovered follows its fired, and takes the place of one that has not arrived', async () => {
  let isAway = true;
  const marketing = await world.receiver(() => (isAway ? 500 : 200));
  const webhook = world.send(marketing, { ports: world.standingClock });
  await world.ready(webhook.name);
  await world.write(trigger('t1'), trigger('t2'));
  await expect.poll(() => world.sleeps, SOON).toEqual([1_000, 1_000]);
  isAway = false;
  await world.write(trigger('t1', { status: 'recovered' }));
  await expect.poll(() => world.taken, SOON).toBe(3);
  world.pass(1_000);
  await expect.poll(() => world.counts.get('millrace_webhook_deliveries_total delivered'), SOON).toBe(2);
  expect(marketing.ids.slice(2).sort()).toEqual(['t1-recovered', 't2-fired']);
  expect(world.counts.get('millrace_webhook_deliveries_total superseded')).toBe(1);
  await world.write(trigger('t2', { status: 'recovered' }), trigger('t3'), trigger('t3', { status: 'recovered' }));
  await expect.poll(() => world.counts.get('millrace_webhook_deliveries_total delivered'), SOON).toBe(4);
  await webhook.stop();
  expect(marketing.ids.filter((id) => id.startsWith('t3'))).toEqual(['t3-recovered']);
});

test('a fired that waits because the endpoint asked for it is not sent once it has recovered, nor after its time', async () => {
  const marketing = await world.receiver((n) => (n === 0 ? (response) => response.writeHead(503, { 'retry-after': '60' }).end() : 200));
  const webhook = world.send(marketing, { ports: world.standingClock });
  await world.ready(webhook.name);
  await world.write(trigger('t1'));
  /** Until the last trigger, tried once and after its own second due again, waits for what the endpoint asked for. */
  const heldUp = async (): Promise<void> => {
    await expect.poll(() => world.sleeps.at(-1), SOON).toBe(1_000);
    world.pass(1_000);
    await expect.poll(() => world.sleeps.at(-1), SOON).toBe(59_000);
  };
  await heldUp();
  await world.write(trigger('t2'), trigger('t1', { status: 'recovered' }));
  await expect.poll(() => world.taken, SOON).toBe(3);
  world.pass(59_000);
  await expect.poll(() => marketing.ids, SOON).toHaveLength(3);
  expect(marketing.ids.toSorted()).toEqual(['t1-fired', 't1-recovered', 't2-fired']);
  marketing.answer = (n) => (n === 3 ? (response) => response.writeHead(503, { 'retry-after': '60' }).end() : 200);
  await world.write(trigger('t3'));
  await heldUp();
  world.pass(2 * webhookLimits.giveUpAfterMs);
  await expect.poll(() => world.letters(), SOON).toMatchObject([{ code: 'webhook_undelivered' }]);
  expect(marketing.ids.filter((id) => id === 't3-fired')).toHaveLength(1);
  await webhook.stop();
});

test('recovered waits for a fired that is being sent', async () => {
  let answerFired = (): void => {};
  const marketing = await world.receiver((n) => (n === 0 ? (response) => { answerFired = () => response.writeHead(200).end(); } : 200));
  const webhook = world.send(marketing);
  await world.ready(webhook.name);
  await world.write(trigger('t1'));
  await expect.poll(() => marketing.ids, SOON).toEqual(['t1-fired']);
  await world.write(trigger('t1', { status: 'recovered' }), trigger('t2'));
  await expect.poll(() => marketing.ids, SOON).toEqual(['t1-fired', 't2-fired']);
  answerFired();
  await expect.poll(() => marketing.ids, SOON).toEqual(['t1-fired', 't2-fired', 't1-recovered']);
  await webhook.stop();
});

test('a new endpoint gets what comes from now on, and one that was away what came meanwhile', async () => {
  const marketing = await world.receiver();
  await world.write(trigger('t0'));
  const first = world.send(marketing);
  await world.ready(first.name);
  await expect.poll(() => world.stores.at(-1), SOON).toBe('1 next:1 pending:');
  await first.stop();
  await world.write(trigger('t1'));
  const second = world.send(marketing);
  await expect.poll(() => marketing.ids, SOON).toEqual(['t1-fired']);
  await second.stop();
});

test('what no codec reads is a dead letter, and those behind it are sent', async () => {
  const marketing = await world.receiver();
  const webhook = world.send(marketing);
  await world.ready(webhook.name);
  await world.log.append([{ topic: 'marketing-triggers', partition: 0, key: 'k', value: Buffer.from('no Avro') }]);
  await world.write(trigger('t1'));
  await expect.poll(() => marketing.ids, SOON).toEqual(['t1-fired']);
  await expect.poll(() => world.letters(), SOON).toMatchObject([{ code: 'wrong_magic_byte', offset: 0, consumer: webhook.name }]);
  await webhook.stop();
});

test('an endpoint that is no longer named does not hold back the log', async () => {
  const marketing = await world.receiver();
  const webhook = world.send(marketing);
  await world.ready(webhook.name);
  await webhook.stop();
  for (let i = 0; i < 40; i++) await world.write(...fired(5));
  await world.reopen({ now: () => Date.now() + 10 * 365 * 86_400_000 });
  expect(await world.log.sweep()).toBeGreaterThan(0);
  expect((await world.log.ranges('marketing-triggers'))[0]!.start).toBeGreaterThan(0);
  const late = world.send(marketing);
  await expect.poll(() => marketing.ids.length, SOON).toBeGreaterThan(0);
  await late.stop();
});
