import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openDoor } from '../../infra/embedded-log/door.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../infra/embedded-log/log.js';
import { deadLettersCommand, lineOf, replayedSentences, writtenSentences } from '../../pipeline/cli/dead-letters.js';
import { findDeadLetter, letterPage, listDeadLetters, replayDeadLetter, replayDeadLetters, SEARCHED, shownDeadLetter } from '../../pipeline/dead-letters.js';
import { runningLetters } from '../../pipeline/cli/running-letters.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { allTopics, clickstream, deadLetters, orders, sales } from '../../schemas/topics.js';
import type { DeadLetter, OrderEvent, ShopEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { NINE, orderEvent, orderLine } from '../support/events.js';
import { folderForTest, folderForTests } from '../support/folder.js';
import { everythingIn } from '../support/records.js';

const shop = { currency: 'EUR', timezone: 'UTC' };
const directory = folderForTests();
let log: EmbeddedLog;
beforeAll(async () => {
  log = await openEmbeddedLog({ directory, clock: 'wall' });
  await log.ensureTopics(allTopics);
});
afterAll(() => log.close());

const keep = async (id: string, value: string, more: Partial<DeadLetter> = {}): Promise<void> => {
  const letter = { id, code: 'required', message: '', consumer: 'collector', topic: 'clickstream', partition: -1, offset: -1, key: null, value: Buffer.from(value), at: NINE, stack: null, claim: null, ...more };
  await log.append([{ topic: deadLetters.name, partition: 0, key: id, value: deadLetters.codec.encode(letter) }]);
};
const written = async (): Promise<ShopEvent[]> => (await everythingIn(log, clickstream.name)).filter(({ tick }) => !tick).map(({ value }) => clickstream.codec.decode(value));

test('a refused call is repaired as JSON, taken at the time it came, and known again when it is replayed twice', async () => {
  await keep('request/r1/0', '{"type":"track","anonymousId":"a1","event":"Product Viewed","properties":{}}');
  await expect(replayDeadLetter(log, 'request/r1/0', undefined, shop)).rejects.toThrow(/product_id/);
  const repaired = '{"type":"track","anonymousId":"a1","event":"Product Viewed","properties":{"product_id":"P1"}}';
  const since = Date.now();
  expect((await replayDeadLetter(log, 'request/r1/0', repaired, shop)).replayedAt).toBeNull();
  expect((await replayDeadLetter(log, 'request/r1/0', Buffer.from(repaired).toString('base64'), shop)).replayedAt).toBeGreaterThanOrEqual(since);
  expect(await written()).toMatchObject(Array.from({ length: 2 }, () => ({ messageId: 'request/r1/0', time: NINE, receivedAt: NINE, products: [{ sku: 'P1' }] })));
});

test('a refused call is shown as it was sent: what no number here can hold as a text, not as null or rounded', async () => {
  await keep('request/r0/0', '{"anonymousId":12345678901234567890,"properties":{"price":1e400,"quantity":2.50}}');
  const letter = (await listDeadLetters(log, SEARCHED)).find(({ id }) => id === 'request/r0/0')!;
  expect(shownDeadLetter(letter)).toMatchObject({ decoded: { anonymousId: '12345678901234567890', properties: { price: '1e400', quantity: 2.5 } } });
});

test('a letter that is unknown, cut or no JSON is refused with a sentence', async () => {
  await keep('request/r2/0', '{"type":"tra');
  await expect(replayDeadLetter(log, 'request/r2/0', undefined, shop)).rejects.toThrow(/not JSON/);
  await expect(replayDeadLetter(log, 'request/r2/0', 'nonsense', shop)).rejects.toThrow('The value of dead letter request/r2/0 is not JSON: neither a JSON object nor one in base64.');
  await expect(replayDeadLetter(log, 'request/r2/0', '[]', shop)).rejects.toThrow('A call must be a JSON object');
  await expect(replayDeadLetter(log, 'request/none/0', undefined, shop)).rejects.toThrow(/no dead letter/);
  expect((await listDeadLetters(log, 10)).map(({ id }) => id)).toContain('request/r2/0');
});

test('what came with a browser key is collected again with its rights, not with those of whoever replays it', async () => {
  const letter = (id: string, call: object): Promise<void> => keep(id, JSON.stringify(call), { claim: { provenUser: null } });
  await letter('request/r6/0', { type: 'track', userId: 'carol', event: 'User Erased' });
  await expect(replayDeadLetter(log, 'request/r6/0', undefined, shop)).rejects.toThrow(/server key/);
  const alias = { type: 'alias', previousId: 'carol', userId: 'mallory' };
  await letter('request/r6/1', alias);
  await replayDeadLetter(log, 'request/r6/1', undefined, shop);
  await replayDeadLetter(log, 'request/r6/1', JSON.stringify({ ...alias, timestamp: NINE }), shop);
  expect((await written()).slice(-2).map(({ claim }) => claim)).toEqual([{ provenUser: null }, { provenUser: null }]);
});

test('what others have counted already is not written again', async () => {
  await keep('marketing-triggers/interactions/0/7', 'x', { topic: 'interactions', consumer: 'marketing-triggers', partition: 0, offset: 7, code: 'crashed' });
  await expect(replayDeadLetter(log, 'marketing-triggers/interactions/0/7', undefined, shop)).rejects.toThrow(/count twice/);
});

test('all with a code are replayed as they are, the oldest first; those that cannot be are named, and keep none of the others', async () => {
  const call = (sku: string): string => JSON.stringify({ type: 'track', anonymousId: 'a1', event: 'Product Viewed', properties: { product_id: sku } });
  const before = (await written()).length;
  await keep('request/r4/0', call('P4'), { code: 'mended', at: NINE + 2 });
  await keep('request/r3/0', call('P3'), { code: 'mended', at: NINE + 1 });
  await keep('request/r5/0', '{"type":"tra', { code: 'mended', at: NINE + 3 });
  const refused = [{ id: 'request/r5/0', message: expect.stringContaining('not JSON') }];
  expect(await replayDeadLetters(log, 'mended', shop)).toEqual({ replayed: 2, replayedBefore: 0, refused });
  expect((await written()).slice(before)).toMatchObject([{ products: [{ sku: 'P3' }] }, { products: [{ sku: 'P4' }] }]);
  expect(await replayDeadLetters(log, 'mended', shop)).toEqual({ replayed: 0, replayedBefore: 2, refused });
  expect((await written()).slice(before)).toHaveLength(2);
  expect(await replayDeadLetters(log, 'none', shop)).toEqual({ replayed: 0, replayedBefore: 0, refused: [] });
});

test('what was replayed is listed as that, and what says so is no letter: behind ten of them the latest letters are still found', async () => {
  await keep('request/r6/0', '{"type":"track","anonymousId":"a1","event":"Product Viewed","properties":{"product_id":"P6"}}', { at: NINE + 10 });
  await keep('request/r7/0', '{"type":"tra', { at: NINE + 9 });
  const letters = (await listDeadLetters(log, 1_000)).length;
  const since = Date.now();
  for (let time = 0; time < 10; time++) await replayDeadLetter(log, 'request/r6/0', undefined, shop);
  expect(await listDeadLetters(log, 1_000)).toHaveLength(letters);
  const [replayed, other] = await listDeadLetters(log, 2);
  expect([replayed?.id, replayed?.code, other?.id, other?.replayedAt]).toEqual(['request/r6/0', 'required', 'request/r7/0', null]);
  expect(replayed!.replayedAt).toBeGreaterThanOrEqual(since);
});

test('a record that two consumers set aside is written again once, and both letters are done with', async () => {
  const value = clickstream.codec.encode((await written())[0]!);
  for (const consumer of ['one', 'two']) await keep(`${consumer}/clickstream/0/3`, '', { consumer, value, key: Buffer.from('a1'), partition: 0, offset: 3, code: 'twice' });
  const before = (await written()).length;
  expect(await replayDeadLetters(log, 'twice', shop)).toEqual({ replayed: 1, replayedBefore: 0, refused: [] });
  expect(await replayDeadLetters(log, 'twice', shop)).toEqual({ replayed: 0, replayedBefore: 2, refused: [] });
  expect(await written()).toHaveLength(before + 1);
});

test('what is replayed in vain is replayed once the next time, too, though each time left a letter; two lines of a file that are alike are two', async () => {
  const driver = new Driver([orderLedger()]);
  driver.send(orders, 'O-9', orderEvent('completed', 'O-9', { currency: 'EUR', lines: [orderLine('P1', 1, 10n)] }));
  driver.send(orders, 'O-9', orderEvent('refunded', 'O-9', { currency: 'USD', total: 5n }));
  for (const ordinal of [0, 1]) driver.send(orders, 'O-8', orderEvent('line', 'O-8', { messageId: 'line', source: { name: 'file', ordinal }, lines: [orderLine('', 3, 10n)] }));
  const codes = ['other_currency', driver.read(deadLetters)[1]!.code];
  const replayed: number[][] = [];
  let kept = 0;
  for (let round = 0; round < 3; round++) {
    for (const letter of driver.read(deadLetters).slice(kept)) await keep(letter.id, '', letter);
    kept = driver.read(deadLetters).length;
    const { end } = (await log.ranges(orders.name))[0]!;
    replayed.push([(await replayDeadLetters(log, codes[0]!, shop)).replayed, (await replayDeadLetters(log, codes[1]!, shop)).replayed]);
    for (const { key, value } of (await everythingIn(log, orders.name, end)).filter(({ tick }) => !tick)) driver.write(orders.name, key, value);
    driver.run();
  }
  expect(replayed).toEqual([[1, 2], [1, 2], [1, 2]]);
  expect(driver.read(deadLetters)).toHaveLength(3 + 3 * 3);
});

test.each([{ source: { name: 'file', ordinal: 1 } }, { restored: { name: 'log 1/0', ordinal: 1 } }])('a line of a file that was refused counts once when it is replayed, though those behind it have been read: %j', async (place) => {
  const driver = new Driver([orderLedger()]);
  const line = (ordinal: number, sku: string): OrderEvent => {
    const [[kind, { name }]] = Object.entries(place) as [[string, { name: string }]];
    return orderEvent('line', `O-${ordinal}`, { [kind]: { name, ordinal }, lines: [orderLine(sku, 3, 10n)] });
  };
  for (const one of [line(0, 'P1'), line(1, ''), line(2, 'P1')]) driver.send(orders, one.orderId, one);
  const [letter] = driver.read(deadLetters);
  expect(driver.read(sales)).toHaveLength(2);
  const id = `${letter!.id} ${Object.keys(place).join()}`;
  await keep(id, '', { ...letter, id });
  const { start, end } = (await log.ranges(orders.name))[0]!;
  const again = async (): Promise<void> => {
    const repaired = orders.codec.encode(line(1, 'P1')).toString('base64');
    const [{ offset } = { offset: start }] = (await replayDeadLetter(log, id, repaired, shop)).positions;
    const [record] = await everythingIn(log, orders.name, offset);
    driver.write(orders.name, record!.key, record!.value);
    driver.run();
  };
  await again();
  await again();
  expect(driver.read(sales).map(({ orderId }) => orderId)).toEqual(['O-0', 'O-2', 'O-1']);
  expect((await log.ranges(orders.name))[0]!.end).toBe(end + 2);
});

test('the list says when each was set aside, and a replay says in words what it did', () => {
  const letter = { id: 'request/r1/0', at: NINE, code: 'required', message: 'This id is missing.', replayedAt: null };
  expect(lineOf(letter)).toBe(`request/r1/0\t${new Date(NINE).toISOString()}\trequired\tThis id is missing.`);
  expect(lineOf({ ...letter, replayedAt: NINE + 1 })).toContain(`\treplayed ${new Date(NINE + 1).toISOString()}: This id is missing.`);
  const positions = [{ topic: 'orders', partition: 2, offset: 7 }, { topic: 'clickstream', partition: 0, offset: 9 }];
  expect(writtenSentences('r', { positions, replayedAt: NINE })).toContain(` It had been before, at ${new Date(NINE).toISOString()}:`);
  expect(writtenSentences('r', { positions, replayedAt: null })).toBe('Dead letter r was written again, to orders 2/7, clickstream 0/9 (topic partition/offset).');
  expect(replayedSentences('crashed', { replayed: 1, replayedBefore: 0, refused: [] })).toBe('1 with the code crashed was written again.');
  expect(replayedSentences('crashed', { replayed: 0, replayedBefore: 2, refused: [{ id: 'r', message: 'Dead letter r is not JSON.' }] })).toBe('0 with the code crashed were written again, 2 had been before.\nDead letter r is not JSON.');
});

test('how many to list is a whole number: anything else was told as a fault of the log', async () => {
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  for (const limit of ['abc', '-5', '1.5', '0']) {
    const list = deadLettersCommand().commands.find((command) => command.name() === 'list')!.exitOverride();
    await expect(list.parseAsync([`--limit=${limit}`], { from: 'user' })).rejects.toThrow('It must be a whole number of 1 or more.');
  }
  told.mockRestore();
});

describe('of thousands', () => {
  const LETTERS = 3_000;
  beforeAll(async () => {
    const letters = Array.from({ length: LETTERS }, (_, i) => ({
      id: `many/${i}`, code: 'many', message: '', consumer: 'collector', topic: 'clickstream', partition: -1, offset: -1, key: null, value: Buffer.from('{"type":"tra'), at: NINE + 1_000 + i, stack: null, claim: null,
    }));
    await log.append(letters.map((letter) => ({ topic: deadLetters.name, partition: 0, key: letter.id, value: deadLetters.codec.encode(letter) })));
  });

  /** Turns that others had while it was done. */
  async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    await work();
    isOver = true;
    return turns;
  }

  test('one is found, and all with a code are tried again, while others have their turn every few of them', async () => {
    const found = await turnsDuring(async () => expect(await findDeadLetter(log, 'many/7')).toMatchObject({ id: 'many/7', replayedAt: null }));
    const replayed = await turnsDuring(async () => expect((await replayDeadLetters(log, 'many', shop)).refused).toHaveLength(LETTERS));
    expect(found).toBeGreaterThan(LETTERS / 500);
    expect(replayed).toBeGreaterThan(LETTERS / 100);
  });

  test('a page of large letters ends after a megabyte and some', async () => {
    const place = await openEmbeddedLog({ directory: folderForTest(), clock: 'wall' });
    await place.ensureTopics(allTopics);
    const letter = { id: 'large', code: 'required', message: '', consumer: 'collector', topic: 'clickstream', partition: -1, offset: -1, key: null, value: Buffer.alloc(200_000, 'x'), at: NINE, stack: null, claim: null };
    for (let i = 0; i < 50; i++) await place.append([{ topic: deadLetters.name, partition: 0, key: letter.id, value: deadLetters.codec.encode(letter) }]);
    const { values, isOver } = await letterPage(place, 0, 0);
    expect([values.length < 20, isOver]).toEqual([true, false]);
    await place.close();
  });

  test('the list of a running process is put together by whoever asks, page by page, and is the same', async () => {
    await replayDeadLetter(log, 'many/9', '{"type":"track","anonymousId":"a1","event":"Cart Viewed"}', shop);
    const place = folderForTest();
    const door = await openDoor(place);
    const pages: number[] = [];
    door.answer('dead-letter-ranges', () => log.ranges(deadLetters.name));
    door.answer('dead-letter-page', async ({ partition, offset }) => {
      const page = await letterPage(log, Number(partition), Number(offset));
      pages.push(page.values.length);
      return page;
    });
    const letters = runningLetters(place);
    expect(await listDeadLetters(letters, 100_000)).toEqual(await listDeadLetters(log, 100_000));
    expect((await findDeadLetter(letters, 'many/9')).replayedAt).toBeGreaterThan(NINE);
    await door.close();
    expect(Math.max(...pages)).toBeLessThanOrEqual(1_200);
    expect(pages.length).toBeGreaterThan(LETTERS / 1_200);
  });
});
