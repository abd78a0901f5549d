import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { shoppers } from '../../consumers/shoppers.js';
import { outcomes } from '../../consumers/triggers/intent.js';
import { consumer, joining, on, type Consumer, type Context, type Merging } from '../../pipeline/core/consumer.js';
import { BadEvent, ConfigError } from '../../pipeline/core/errors.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { NOBODY, PROGRESS_KEY, restOf, rowKey, rows } from '../../pipeline/core/rows.js';
import { progressOf } from '../../pipeline/core/progress.js';
import { erasureOf } from '../../pipeline/erasure.js';
import { codec } from '../../schemas/codec.js';
import { clickstream, deadLetters, interactions, inventory, marketingTriggers as triggers, marketingTriggersState, orders, sales, shoppersMoves, userMerges, userProfiles } from '../../schemas/topics.js';
import type { Interaction, Watermark } from '../../schemas/types.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { DAY, HOUR, MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

const counters = rows<Watermark>('count', 'Watermark');

const told: Interaction = { shopper: '', known: false, anonymousId: null, messageId: '', type: 'track', event: '', time: NINE, receivedAt: NINE, sessionId: '', sessionStart: false, products: [], cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null, query: null, list: null, currency: null, value: null, marketingConsent: null, timezone: null, recent: [], continues: null, refused: false, source: null };

/** Counts events a shopper; refuses the product `bad` after having changed everything it can, and crashes on `bug`. */
function counting(onBug: () => void = () => {}): Consumer {
  return consumer({
    name: 'counting',
    table: userProfiles,
    inputs: [on(clickstream, ({ key, value }, ctx) => {
      const next = (ctx.get(counters, key)?.next ?? 0) + 1;
      ctx.put(counters, key, { next });
      ctx.schedule('later', key, value.time + HOUR);
      ctx.emit(interactions, key, { ...told, shopper: key, messageId: value.messageId, event: value.event, time: value.time, receivedAt: value.time });
      if (value.event === 'bad') throw new BadEvent('bad_id', 'It is bad.');
      if (value.event === 'bug') onBug();
    })],
    samePartitionOutputs: [interactions],
    timers: { later: ({ key }, ctx) => ctx.put(counters, key, { next: 100 }) },
  });
}

test('a refused record leaves no output, state or timer, and is kept whole', () => {
  const driver = new Driver([counting()]);
  driver.tick(NINE);
  driver.send(clickstream, 'u1', shopEvent('bad', { userId: 'u1' }));
  driver.tick(NINE + DAY);
  expect(driver.row('counting', counters, 'u1')).toBeUndefined();
  expect(driver.read(interactions)).toEqual([]);
  const [letter] = driver.read(deadLetters);
  expect(letter).toMatchObject({ code: 'bad_id', topic: 'clickstream', offset: 1, consumer: 'counting' });
  expect(clickstream.codec.decode(letter!.value)).toMatchObject({ event: 'bad' });
});

test('a table that another version wrote stops the task with what to do, instead of making dead letters of good records', () => {
  const store = memoryStore();
  const progress = codec('Progress').encode({ offsets: {}, ticks: {}, time: 0, applied: {}, crashes: {} });
  progress.writeInt32BE(1, 1);
  store.apply([{ key: PROGRESS_KEY, value: progress }], 1);
  expect(() => progressOf(store)).toThrow(ConfigError);
  expect(() => progressOf(store)).toThrow(/cannot be read. Schema id 1 is not known: another version of Millrace.*TOPIC_PREFIX/);
});

test('a row that another version wrote stops the task, too, and the record that met it is no dead letter', () => {
  const driver = new Driver([counting()]);
  driver.send(clickstream, 'u1', shopEvent('good', { userId: 'u1' }));
  const row = counters.codec.encode({ next: 1 });
  row.writeInt32BE(1, 1);
  driver.openStore(userProfiles.name, 0).apply([{ key: rowKey('u1', restOf('count')), value: row }], 9);
  expect(() => driver.send(clickstream, 'u1', shopEvent('good', { userId: 'u1' }))).toThrow(ConfigError);
  expect(driver.read(deadLetters)).toEqual([]);
});

test('a refused record leaves the pending timer of its key as it was', () => {
  const driver = new Driver([counting()]);
  driver.tick(NINE);
  driver.send(clickstream, 'u1', shopEvent('good', { userId: 'u1', time: NINE }));
  driver.send(clickstream, 'u1', shopEvent('bad', { userId: 'u1', time: NINE + 5 * HOUR }));
  driver.tick(NINE + HOUR);
  expect(driver.row('counting', counters, 'u1')).toEqual({ next: 100 });
});

/** Sets a timer for each shopper who comes by, and tells of each that fires, and of each who is back. */
function reminding(fired: () => void = () => {}): Consumer {
  const tell = (key: string, event: string, ctx: Context): void => ctx.emit(interactions, key, { ...told, shopper: key, messageId: `${event} ${key}`, event });
  return consumer({
    name: 'reminding', table: userProfiles, samePartitionOutputs: [interactions],
    inputs: [on(clickstream, ({ key, value }, ctx) => (value.event === 'back' ? tell(key, 'back', ctx) : ctx.schedule('due', key, value.time)))],
    timers: { due: ({ key }, ctx) => {
      tell(key, 'reminded', ctx);
      fired();
    } },
  });
}

/** Twenty shoppers whose timers are due at one tick, the later ones first, and one record behind it. */
function remind(driver: Driver): Driver {
  driver.tick(NINE);
  for (let i = 0; i < 20; i++) driver.put(clickstream, `u${i}`, shopEvent('came', { userId: `u${i}`, time: NINE + (20 - i) * MINUTE }), NINE);
  driver.run();
  driver.queueTick(NINE + DAY);
  driver.put(clickstream, 'u0', shopEvent('back', { userId: 'u0', time: NINE + DAY }));
  return driver;
}

const inOrder = [...Array.from({ length: 20 }, (_, i) => `reminded u${19 - i}`), 'back u0'];

test('timers of one tick are committed in pieces, in the order of their times, and what stands behind the tick waits for all of them', () => {
  const driver = remind(new Driver([reminding()], { batch: () => 3 }));
  const sofar: number[] = [];
  driver.run(() => sofar.push(driver.read(interactions).length));
  expect(driver.read(interactions).map(({ messageId }) => messageId)).toEqual(inOrder);
  expect(sofar.map((count, at) => count - (sofar[at - 1] ?? 0)).every((count) => count <= 3)).toBe(true);
  expect(driver.records(interactions.name).findIndex(({ tick }) => tick?.time === NINE + DAY)).toBe(21);
});

test('a task that is dropped between two pieces goes on with the next timer, and no record passes the rest', () => {
  for (const drops of ['lost', 'kept'] as const) {
    let commits = 0;
    const driver = remind(new Driver([reminding()], { batch: () => 3, crash: () => (++commits % 2 === 0 ? drops : undefined) }));
    driver.run();
    expect(driver.read(interactions).map(({ messageId }) => messageId)).toEqual(inOrder);
  }
});

test('a timer whose handler crashes once fires before any record behind its tick, and so do all after it', () => {
  let fired = 0;
  const driver = remind(new Driver([reminding(() => { if (++fired === 5) throw new Error('flaky'); })]));
  driver.run();
  expect(fired).toBe(21);
  expect(driver.read(interactions).map(({ messageId }) => messageId)).toEqual(inOrder);
});

test('a time at the end of what can be written down stops no task: what it would set off is never due', () => {
  const driver = new Driver([counting()]);
  driver.tick(NINE);
  driver.send(clickstream, 'u1', shopEvent('good', { userId: 'u1', time: 2 ** 52 - 1 }));
  driver.send(clickstream, 'u2', shopEvent('good', { userId: 'u2', time: NINE }));
  driver.tick(NINE + DAY);
  expect([driver.row('counting', counters, 'u1'), driver.row('counting', counters, 'u2')]).toEqual([{ next: 1 }, { next: 100 }]);
});

test('a handler exception at one position three times becomes a dead letter with its stack, and the next record is taken', () => {
  let crashes = 0;
  const driver = new Driver([counting(() => { crashes++; throw new TypeError('undefined is not a cart'); })]);
  driver.write(clickstream.name, 'u1', clickstream.codec.encode(shopEvent('bug', { userId: 'u1' })));
  driver.send(clickstream, 'u1', shopEvent('good', { userId: 'u1' }));
  expect(crashes).toBe(3);
  expect(driver.read(deadLetters)).toMatchObject([{ code: 'crashed', message: 'undefined is not a cart', stack: expect.stringContaining('TypeError') }]);
  expect(driver.row('counting', counters, 'u1')).toEqual({ next: 1 });
});

test('a handler exception that does not come again leaves no trace', () => {
  let crashes = 0;
  const driver = new Driver([counting(() => { if (++crashes < 3) throw new Error('flaky'); })]);
  driver.send(clickstream, 'u1', shopEvent('bug', { userId: 'u1' }));
  expect(driver.read(deadLetters)).toEqual([]);
  expect(driver.row('counting', counters, 'u1')).toEqual({ next: 1 });
});

test('what is counted of records is told with their commit: a task that is dropped before counts them once, and what is refused or crashes counts as that alone', () => {
  let [drops, crashes] = [2, 0];
  const counted = consumer({
    name: 'counted', table: userProfiles,
    inputs: [on(clickstream, ({ value }, ctx) => {
      ctx.count('millrace_duplicates_total');
      if (value.event === 'bad') throw new BadEvent('bad_id', 'It is bad.');
      if (value.event === 'bug' && ++crashes < 3) throw new Error('flaky');
    })],
  });
  const driver = new Driver([counted], { batch: () => 3, crash: () => (drops-- > 0 ? 'lost' : undefined) });
  for (const event of ['good', 'bad', 'good', 'bug']) driver.put(clickstream, 'u1', shopEvent(event, { userId: 'u1' }), NINE);
  driver.run();
  expect([drops < 0, crashes]).toEqual([true, 3]);
  expect(['millrace_duplicates_total', 'millrace_dead_letters_total', 'millrace_handler_crashes_total'].map((name) => driver.count(name))).toEqual([3, 1, 2]);
});

test('records that a foreign partitioner put elsewhere go home and count once', () => {
  const driver = new Driver([counting()], { partitions: 4 });
  for (let partition = 0; partition < 4; partition++) driver.write(clickstream.name, 'u1', clickstream.codec.encode(shopEvent('good', { userId: 'u1' })), partition);
  driver.run();
  expect(driver.row('counting', counters, 'u1')).toEqual({ next: 4 });
  expect(driver.count('millrace_records_forwarded_total')).toBe(3);
});

describe('crash anywhere equals no crash, and any batching equals one batch', () => {
  const all = (): Consumer[] => [shoppers({ forgetAfterMs: 2 * HOUR }), orderLedger(), itemWatch({ priceDropPercent: 10 }), marketingTriggers({ abandonedAfterMs: HOUR, browsedAfterMs: 2 * HOUR, quietAfterOrderMs: HOUR, winBackAfterMs: DAY / 2, welcomesNew: true, vipSpend: 15_000n, highIntentPercent: 30, quietHours: { from: 12, to: 14, timezone: 'UTC' }, holdoutPercent: 30, cap: { count: 2, windowMs: DAY }, consentByDefault: true, currency: 'EUR' })];
  const KINDS = ['view', 'add', 'order', 'identify', 'stock', 'tick', 'refund', 'subscribe', 'checkout', 'wish', 'unwish', 'price', 'alias', 'claim', 'erase', 'zone'] as const;
  type Step = { kind: (typeof KINDS)[number]; who: number; sku: number; minutes: number };
  const steps = fc.array(fc.record({
    kind: fc.constantFrom(...KINDS),
    who: fc.integer({ min: 0, max: 2 }), sku: fc.integer({ min: 0, max: 2 }), minutes: fc.integer({ min: 0, max: 50 }),
  }), { maxLength: 40, size: 'max' });

  function play(plan: readonly Step[], options: DriverOptions): { out: unknown; state: string[][] } {
    const driver = new Driver(all(), options);
    // Half of all visits with something in the cart, or a second look, have ended with an order.
    const known = ['all', ...Array.from({ length: 64 }, (_, situation) => String(situation))].map((sub) => (
      { key: rowKey(NOBODY, restOf(outcomes.name, sub)), value: outcomes.codec.encode({ visits: 200, orders: Number(sub) % 16 < 4 ? 0 : 100 }) }));
    for (let partition = 0; partition < driver.partitions; partition++) driver.openStore(marketingTriggersState.name, partition).apply(known, 0);
    let time = NINE;
    driver.tick(time);
    plan.forEach(({ kind, who, sku, minutes }, index) => {
      time += minutes * MINUTE;
      const shopper = `u${who}`;
      if (index % 2 === 1) driver.tick(time);
      const id = { messageId: `m${index}`, time: minutes % 5 === 0 ? time - minutes * 7 * MINUTE : time };
      switch (kind) {
        case 'view': return driver.send(clickstream, `a${who}`, shopEvent('Product Viewed', { ...id, anonymousId: `a${who}`, products: [product(`P${sku}`)] }));
        case 'add': return driver.send(clickstream, `a${who}`, shopEvent('Product Added', { ...id, anonymousId: `a${who}`, cartId: `c${sku}`, products: [product(`P${sku}`)] }));
        case 'subscribe': return driver.send(clickstream, shopper, shopEvent('Back In Stock Subscribed', { ...id, userId: shopper, products: [product(`P${sku}`)] }));
        case 'order': return driver.send(orders, `O${who}`, orderEvent('completed', `O${who}`, { ...id, userId: shopper, lines: [orderLine(`P${sku}`, 2, 10_000n)] }));
        case 'refund': return driver.send(orders, `O${who}`, orderEvent('refunded', `O${who}`, { ...id, lines: [orderLine(`P${sku}`, 1, 10_000n)] }));
        case 'identify': return driver.send(clickstream, shopper, shopEvent('', { ...id, type: 'identify', anonymousId: `a${who}`, userId: shopper }));
        case 'stock': return driver.send(inventory, `P${sku}`, { ...stock(`P${sku}`, who - 1, time, BigInt(10_000 + minutes * 100)), messageId: `m${index}` });
        case 'wish': return driver.send(clickstream, `a${who}`, shopEvent('Product Added to Wishlist', { ...id, anonymousId: `a${who}`, products: [product(`P${sku}`)] }));
        case 'unwish': return driver.send(clickstream, shopper, shopEvent('Product Removed from Wishlist', { ...id, userId: shopper, products: [product(`P${sku}`)] }));
        case 'price': return driver.send(inventory, `P${sku}`, { ...stock(`P${sku}`, 5, time, BigInt(1_000 * (60 - minutes))), messageId: `m${index}` });
        case 'alias': return driver.send(clickstream, shopper, shopEvent('', { ...id, type: 'alias', previousId: `u${sku}`, userId: shopper }));
        case 'claim': return driver.send(clickstream, `u${sku}`, shopEvent('', { ...id, type: 'alias', previousId: `u${sku}`, userId: shopper, claim: { provenUser: null } }));
        case 'erase': return driver.send(clickstream, shopper, { ...erasureOf(shopper, time), messageId: `m${index}` });
        case 'zone': return driver.send(clickstream, shopper, shopEvent('', { ...id, type: 'page', userId: shopper, timezone: ['Asia/Tokyo', 'America/New_York', 'UTC'][sku]! }));
        case 'checkout': return driver.send(clickstream, shopper, shopEvent('Checkout Started', { ...id, userId: shopper, products: [product(`P${sku}`)] }));
        case 'tick': return driver.tick(time);
      }
    });
    for (const later of [DAY, DAY + 5 * HOUR]) driver.tick(time + later);
    const fired = driver.read(triggers).filter(({ status }) => status === 'fired').map((trigger) => trigger.id);
    expect(new Set(fired).size).toBe(fired.length);
    const topics = [interactions, sales, triggers, deadLetters];
    return {
      out: topics.map((topic) => driver.records(topic.name).filter(({ tick }) => !tick).map(({ key, value, partition }) => [partition, key, value?.toString('hex')])),
      state: all().map(({ name }) => driver.dump(name).filter((row) => !row.includes('_progress'))),
    };
  }

  test('on one partition and on three', () => {
    fc.assert(fc.property(steps, fc.infiniteStream(fc.integer({ min: 0, max: 9 })), fc.infiniteStream(fc.integer({ min: 1, max: 5 })), fc.constantFrom(1, 3), (plan, dice, sizes, partitions) => {
      const smooth = play(plan, { partitions });
      const crashing = play(plan, {
        partitions,
        crash: () => { const die = dice.next().value; return die === 0 ? 'lost' : die === 1 ? 'kept' : undefined; },
        batch: () => sizes.next().value,
      });
      const batched = play(plan, { partitions, batch: () => sizes.next().value });
      expect(crashing).toEqual(smooth);
      expect(batched).toEqual(smooth);
    }), { numRuns: process.env['CI'] ? 60 : 30 });
  });
});

test('rows that a login has sent count as arrived when they are there, not when their handler has crashed over them', () => {
  let joined = 0;
  const merging: Merging = {
    merges: userMerges, moves: shoppersMoves, rows: [joining(counters, ({ key, value }, ctx) => {
      if (++joined === 1) throw new Error('flaky');
      ctx.put(counters, key, value);
    })],
  };
  const driver = new Driver([consumer({ name: 'merging', table: userProfiles, merging, inputs: [on(clickstream, ({ key }, ctx) => ctx.put(counters, key, { next: 1 }))] })]);
  driver.send(clickstream, 'a1', shopEvent('good', { userId: 'a1' }));
  driver.put(userMerges, 'a1', { mergeId: 'm', from: 'a1', to: 'u1', time: NINE, erased: [], fromProven: false, toProven: false, forgotten: false });
  const store = driver.openStore(userProfiles.name, 0);
  const seen: [marks: number, rows: number][] = [];
  driver.run(() => seen.push([Object.keys(progressOf(store).applied).length, driver.row('merging', counters, 'u1')?.next ?? 0]));
  expect(joined).toBe(2);
  expect(seen.every(([marks, row]) => marks === row)).toBe(true);
  expect(seen.at(-1)).toEqual([1, 1]);
});

test('a wiped store rebuilds to the same rows', () => {
  const driver = new Driver([shoppers()]);
  driver.tick(NINE);
  for (let i = 0; i < 50; i++) driver.send(clickstream, `a${i % 7}`, shopEvent('Product Viewed', { anonymousId: `a${i % 7}`, time: NINE + i * MINUTE, products: [product(`P${i % 5}`)] }));
  const rebuilt = memoryStore();
  const changelog = driver.records(userProfiles.name);
  rebuilt.apply(changelog.map(({ key, value }) => ({ key: key!, value })), changelog.length);
  expect([...rebuilt.range('', '\uffff')].map(({ key, value }) => `0 ${JSON.stringify(key)} ${value.toString('hex')}`)).toEqual(driver.dump('shoppers'));
});
