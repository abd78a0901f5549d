import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { itemWatch } from '../../consumers/item-watch.js';
import { marketingTriggers } from '../../consumers/marketing-triggers.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import { tooLarge } from '../../infra/kafka-log/rounds.js';
import { consumer, on, type Consumer } from '../../pipeline/core/consumer.js';
import type { Lease, Log, LogRecord, NewRecord } from '../../pipeline/core/log.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { noMetrics, silentJournal } from '../../pipeline/core/metrics.js';
import { rows } from '../../pipeline/core/rows.js';
import { runTask } from '../../pipeline/core/run-task.js';
import { MAX_VALUE_BYTES } from '../../pipeline/core/sizes.js';
import { clickstream, deadLetters, interactions, itemInterests, orders, sales, shoppersMoves, userProfiles } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { erasureOf } from '../../pipeline/erasure.js';
import { Driver, type DriverOptions } from '../support/driver.js';
import { MINUTE, NINE, orderEvent, orderLine, product, shopEvent } from '../support/events.js';

const all = (): Consumer[] => [shoppers(), orderLedger(), itemWatch({ priceDropPercent: 10 }), marketingTriggers({ abandonedAfterMs: 60 * MINUTE, cap: { count: 0, windowMs: 0 }, consentByDefault: true, currency: 'EUR' })];
/** Ids as long as they may be: they stand in each wish. */
const [DEVICE, USER] = ['a', 'u'].map((id) => id.padEnd(256, '-')) as [string, string];
/** 26 wishes of long SKUs at once: 20 such events are as many as are kept, and more than a piece of a move holds. */
const wish = (i: number, at = i): ShopEvent => shopEvent('Product Added to Wishlist', { messageId: `w${i}`, anonymousId: DEVICE, products: Array.from({ length: 26 }, (_, of) => product(`${i}-${of}-`.padEnd(256, 'x'))), time: NINE + at });
const login = (anonymousId: string, userId: string, time: number): ShopEvent => shopEvent('', { messageId: `${anonymousId}-${userId}`, type: 'identify', anonymousId, userId, time });
const write = (driver: Driver, key: string, event: ShopEvent): void => driver.write(clickstream.name, key, clickstream.codec.encode(event));
const dataOf = (driver: Driver, topic: string): NewRecord[] => driver.records(topic).filter(({ tick }) => !tick).map((record) => ({ ...record, tick: undefined }));

test('a shopper whose rows no Kafka batch holds moves in pieces, which arrive as one', () => {
  const driver = new Driver([shoppers()], { partitions: 2, batch: () => 500 });
  driver.tick(NINE);
  for (let i = 0; i < 20; i++) write(driver, DEVICE, wish(i));
  for (let i = 0; i < 2_600; i++) write(driver, DEVICE, shopEvent('Order Completed', { messageId: `o${i}`, anonymousId: DEVICE, orderId: `${i}-`.padEnd(256, 'x'), time: NINE + 1_000 + i }));
  write(driver, USER, login(DEVICE, USER, NINE + MINUTE));
  driver.run();
  const moves = dataOf(driver, shoppersMoves.name);
  expect(moves.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)).toBeGreaterThan(1_200_000);
  expect(tooLarge(moves)).toBeUndefined();
  const rowsOf = (kind: string): string[] => driver.dump('shoppers').filter((row) => row.includes(`\\u001f${kind}\\u001f`));
  expect([rowsOf('interest').length, rowsOf('order').length]).toEqual([500, 2_600]);
  expect([...rowsOf('interest'), ...rowsOf('order')].every((row) => row.includes(`"${USER}\\u001f`))).toBe(true);
  expect(driver.row('shoppers', profiles, USER)).toMatchObject({ events: 2_621 });
  expect(driver.dump('shoppers').some((row) => row.includes('_piece'))).toBe(false);
});

test('crash anywhere equals no crash, and any batching equals one batch, also of moves in pieces that are sent on, undone or followed by more', () => {
  const play = (ends: 'stays' | 'leads on' | 'erased', more: number, options: DriverOptions): unknown => {
    const driver = new Driver(all(), options);
    driver.tick(NINE);
    for (let i = 0; i < 20; i++) driver.put(clickstream, DEVICE, wish(i));
    driver.put(clickstream, DEVICE, shopEvent('Product Added', { messageId: 'c', anonymousId: DEVICE, products: [product('P1')], time: NINE + 701 }));
    driver.run();
    driver.put(clickstream, USER, login(DEVICE, USER, NINE + 1_000));
    for (let i = 0; i < more; i++) driver.put(clickstream, DEVICE, wish(20 + i, 1_001 + i));
    if (ends === 'leads on') driver.put(clickstream, 'v', shopEvent('', { messageId: 'on', type: 'alias', previousId: USER, userId: 'v', time: NINE + 1_001 }));
    if (ends === 'erased') driver.put(clickstream, USER, { ...erasureOf(USER, NINE + 1_001), messageId: 'gone' });
    driver.run();
    driver.tick(NINE + 120 * MINUTE);
    expect(tooLarge(dataOf(driver, shoppersMoves.name))).toBeUndefined();
    expect(driver.read(shoppersMoves).filter(({ kind }) => kind === 'piece').length).toBeGreaterThan(1);
    return [
      ...all().map(({ name }) => driver.dump(name).filter((row) => !row.includes('_progress'))),
      ...[interactions, itemInterests, deadLetters].map((topic) => dataOf(driver, topic.name).map(({ partition, key, value }) => [partition, key, value?.toString('hex')])),
    ];
  };
  fc.assert(fc.property(fc.constantFrom('stays' as const, 'leads on' as const, 'erased' as const), fc.constantFrom(1, 3), fc.integer({ min: 0, max: 3 }), fc.infiniteStream(fc.integer({ min: 0, max: 9 })), fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (ends, partitions, more, dice, sizes) => {
    const smooth = play(ends, more, { partitions });
    expect(play(ends, more, { partitions, crash: () => { const die = dice.next().value; return die === 0 ? 'lost' : die === 1 ? 'kept' : undefined; } })).toEqual(smooth);
    expect(play(ends, more, { partitions, batch: () => sizes.next().value })).toEqual(smooth);
  }), { numRuns: 4 });
});

test('a last piece without all of the others is set aside, and what had come of its move goes', () => {
  const driver = new Driver([shoppers()]);
  const piece = (more: number) => ({ kind: 'piece' as const, mergeId: 'm', from: 'a', to: 'u', hops: 1, rows: [], topic: null, value: Buffer.from('part'), writtenAt: NINE, toProven: true, origin: {}, more });
  driver.send(shoppersMoves, 'u', piece(2));
  expect(driver.dump('shoppers').some((row) => row.includes('_piece'))).toBe(true);
  driver.send(shoppersMoves, 'u', piece(0));
  expect(driver.read(deadLetters)).toMatchObject([{ code: 'incomplete_move' }]);
  expect(driver.dump('shoppers').some((row) => row.includes('_piece'))).toBe(false);
});


const texts = rows<{ hashes: Buffer }>('text', 'SeenMessages');

/** Appends each event's name to a shopper's row, and sends all of it on where the event is told to. */
const growing = (): Consumer => consumer({
  name: 'growing', table: userProfiles, outputs: [interactions],
  inputs: [on(clickstream, ({ key, value: { event, orderId, messageId, time } }, ctx) => {
    const hashes = Buffer.concat([ctx.get(texts, key)?.hashes ?? Buffer.alloc(0), Buffer.alloc(400_000, event)]);
    ctx.put(texts, key, { hashes });
    if (orderId === null) return;
    ctx.emit(interactions, key, { shopper: key, known: false, anonymousId: null, messageId, type: 'track', event: hashes.toString(), time, receivedAt: time, sessionId: '', sessionStart: false, products: [], cartId: null, checkoutId: null, orderId, recommendationId: null, placement: null, query: null, list: null, currency: null, value: null, marketingConsent: null, timezone: null, recent: [], continues: null, refused: false, source: null });
  })],
});

test('the record that makes a row too large for the log is a dead letter with its reason; those before and behind it count, whatever the batches', () => {
  for (const batch of [1, 100]) {
    const driver = new Driver([growing()], { batch: () => batch });
    for (const [key, event] of [['u', '1'], ['u', '2'], ['u', '3'], ['v', '4'], ['u', '5']] as const) write(driver, key, shopEvent(event, { userId: key }));
    driver.run();
    expect(driver.read(deadLetters).map(({ code, offset }) => [code, offset])).toEqual([['too_large', 2], ['too_large', 4]]);
    expect(driver.read(deadLetters)[0]).toMatchObject({ message: 'A row ("text") would have 1200009 bytes, and the log takes 1000000.', value: expect.any(Buffer) });
    expect([driver.row('growing', texts, 'u')?.hashes.length, driver.row('growing', texts, 'v')?.hashes.length]).toEqual([800_000, 400_000]);
  }
});

test('so is one that would be answered with a record too large, and its changes are undone', () => {
  const driver = new Driver([growing()]);
  for (const orderId of [null, null, 'O']) driver.send(clickstream, 'u', shopEvent('x', { userId: 'u', orderId }));
  expect(driver.read(deadLetters)).toMatchObject([{ code: 'too_large', message: expect.stringContaining('A record of interactions would have 1200') }]);
  expect(driver.row('growing', texts, 'u')?.hashes.length).toBe(800_000);
});

test('a refused record that no dead letter holds is told of without itself', () => {
  const driver = new Driver([growing()]);
  driver.write(clickstream.name, 'u', Buffer.alloc(MAX_VALUE_BYTES - 10, 7));
  driver.run();
  expect(driver.read(deadLetters)).toMatchObject([{ topic: clickstream.name, offset: 0, value: null, message: expect.stringContaining('999990 bytes, is too large for a dead letter') }]);
});

test('refunds that wait for an order that nobody knows are bounded, and none is dropped in silence', () => {
  const driver = new Driver([orderLedger()]);
  const refund = (i: number) => orderEvent('refunded', 'O-1', { messageId: `r${i}`, lines: Array.from({ length: 100 }, (_, line) => orderLine(`${i}-${line}-`.padEnd(250, 'x'), 1, 1n)) });
  for (let i = 0; i < 30; i++) driver.send(orders, 'O-1', refund(i));
  const refused = driver.read(deadLetters).length;
  expect(driver.read(deadLetters)[0]).toMatchObject({ code: 'too_many_waiting' });
  driver.send(orders, 'O-1', orderEvent('completed', 'O-1', { lines: Array.from({ length: 30 }, (_, i) => orderLine(`${i}-0-`.padEnd(250, 'x'), 1, 1n)) }));
  expect(driver.read(sales).filter(({ kind }) => kind === 'refund')).toHaveLength(30 - refused);
});

test('a task on a log whose commits hold no such record goes on, restarted once', async () => {
  const end = new AbortController();
  const events = [['u', '1'], ['u', '2'], ['u', '3'], ['v', '4'], ['u', '5'], ['v', '6']].map(([key, event], offset): LogRecord => ({ topic: clickstream.name, partition: 0, offset, key: key!, value: clickstream.codec.encode(shopEvent(event!, { userId: key! })), tick: null, writtenAt: NINE }));
  const store = memoryStore();
  const written: NewRecord[] = [];
  let [next, fences] = [0, 0];
  const lease: Lease = {
    partition: 0, revoked: end.signal, readTable: async () => {}, confirmed: async () => {}, storedOffset: async () => undefined, storeOffset: async () => {},
    fence: async () => void fences++,
    tableRange: async () => ({ start: 0, end: store.position }),
    seek: async (offsets) => void (next = offsets[clickstream.name] ?? 0),
    poll: async () => { await delay(1); const some = events.slice(next, next + 4); next += some.length; return some; },
    lineages: () => ({}),
    lag: () => ({ [clickstream.name]: events.length - next }),
    commit: async (outputs, changes) => {
      const large = tooLarge([...outputs, ...changes]);
      if (large) throw large;
      written.push(...outputs);
      return store.position + changes.length;
    },
  };
  const log = { engine: 'kafka', clock: 'wall', partitions: 1 } as unknown as Log;
  const running = runTask(lease, growing(), [], { log, openStore: () => store, metrics: noMetrics, journal: silentJournal, learnSchemas: async () => {} });
  await expect.poll(() => written.filter(({ topic }) => topic === deadLetters.name).length).toBe(2);
  await expect.poll(() => next).toBe(events.length);
  end.abort();
  await running;
  expect(fences).toBe(2);
});
