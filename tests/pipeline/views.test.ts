import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { profiles, shoppers } from '../../consumers/shoppers.js';
import type { After } from '../../infra/http/doors.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { itemWatch, productRows } from '../../consumers/item-watch.js';
import { orderLedger } from '../../consumers/order-ledger.js';
import { memoryStore } from '../../pipeline/core/memory-store.js';
import { restOf, rowKey } from '../../pipeline/core/rows.js';
import { reflected } from '../../pipeline/serving/read-your-writes.js';
import { observedStores, Views } from '../../pipeline/serving/views.js';
import { keyOf } from '../../producers/collect.js';
import { clickstream, inventory, orders, products, purchases, userProfiles, type Topic } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { Driver } from '../support/driver.js';
import { MINUTE, NINE, orderEvent, orderLine, product, shopEvent, stock } from '../support/events.js';

const PARTITIONS = 4;

/** A shop with views over it; `say` writes an event and answers the token's content, without running. */
function world(partitions = PARTITIONS) {
  const driver = new Driver([shoppers()], { partitions, batch: () => 1 });
  const views = new Views(observedStores(driver.openStore), partitions);
  const say = (event: ShopEvent, merges: After['merges'] = []): After => {
    const key = keyOf(event);
    const partition = partitionOf(key, partitions);
    driver.write(clickstream.name, key, clickstream.codec.encode(event), partition);
    const offset = driver.records(clickstream.name).filter((record) => record.partition === partition).length - 1;
    return { positions: [{ topic: clickstream.name, partition, offset }], merges };
  };
  const recent = (id: string): string[] => (views.row(userProfiles, profiles, views.canonical(userProfiles, id))?.recent ?? []).map(({ sku }) => sku);
  return { driver, views, say, recent };
}

const viewed = (sku: string, who: Partial<ShopEvent>, time: number): ShopEvent => shopEvent('Product Viewed', { ...who, time, products: [product(sku)] });
const identified = (anonymousId: string, userId: string, time: number): ShopEvent => shopEvent('', { type: 'identify', anonymousId, userId, time });

test.each([1, PARTITIONS])('after an identify the answer holds what the anonymous shopper did, whichever id is asked (%i partitions)', (partitions) => {
  const { driver, views, say, recent } = world(partitions);
  say(viewed('P1', { anonymousId: 'a1' }, NINE));
  driver.run();
  const after = say(identified('a1', 'u1', NINE + MINUTE), ['a1']);
  const answers: string[] = [];
  driver.run(() => {
    for (const id of ['u1', 'a1']) {
      if (views.reflects(userProfiles, id, after)) answers.push(`${views.canonical(userProfiles, id)} ${recent(id).join()}`);
    }
  });
  expect(answers.length).toBeGreaterThan(0);
  expect(new Set(answers)).toEqual(new Set(['u1 P1']));
  expect(views.reflects(userProfiles, 'u1', after) && views.reflects(userProfiles, 'a1', after)).toBe(true);
});

test.each([1, PARTITIONS])('an event of the known id is met for the anonymous id that leads there (%i partitions)', (partitions) => {
  const { driver, views, say, recent } = world(partitions);
  say(identified('a1', 'u1', NINE));
  driver.run();
  const after = say(viewed('P2', { anonymousId: 'a1', userId: 'u1' }, NINE + MINUTE));
  driver.run(() => expect(views.reflects(userProfiles, 'a1', after)).toBe(recent('a1').includes('P2')));
  expect(recent('a1')).toEqual(['P2']);
});

test.each([1, 2, PARTITIONS])('an event whose own login makes its device lead to the user is met when it is there, not when the rows of the device are (%i partitions)', (partitions) => {
  const { driver, views, say, recent } = world(partitions);
  say(viewed('P1', { anonymousId: 'a1' }, NINE));
  driver.run();
  const after = say(viewed('P2', { anonymousId: 'a1', userId: 'u1', login: { messageId: 'm', time: NINE + 1, claim: null } }, NINE + 2), ['a1']);
  driver.run(() => expect(!views.reflects(userProfiles, 'u1', after) || recent('u1').includes('P2')).toBe(true));
  expect(views.reflects(userProfiles, 'u1', after)).toBe(true);
});

test('a made-up token is never met, and opens no store', () => {
  const { driver, views } = world();
  driver.run();
  const opened = (partition: number): boolean => views.reflects(userProfiles, 'u1', { positions: [{ topic: clickstream.name, partition, offset: 0 }], merges: [] });
  expect([PARTITIONS, 2 ** 53 - 1].map(opened)).toEqual([false, false]);
  // Nor does it tell whether there is such a user.
  expect(views.reflects(userProfiles, 'u1', { positions: [], merges: ['nobody', ''] })).toBe(true);
});

test('whoever waits for a token sees its event, through any chain of merges; and everyone is met in the end', () => {
  const id = fc.constantFrom('a1', 'a2', 'a3', 'u1', 'u2', 'u3');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('view' as const), id, sku: fc.integer({ min: 0, max: 99 }).map((n) => `P${n}`) }),
    fc.record({ kind: fc.constant('identify' as const), from: fc.constantFrom('a1', 'a2', 'a3'), to: fc.constantFrom('u1', 'u2', 'u3') }),
  );
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.constantFrom(1, 3, PARTITIONS), (steps, partitions) => {
    const { driver, views, say, recent } = world(partitions);
    let time = NINE;
    for (const next of steps) {
      time += 1_000;
      const asked = next.kind === 'view' ? next.id : next.to;
      const after = next.kind === 'view'
        ? say(viewed(next.sku, next.id.startsWith('a') ? { anonymousId: next.id } : { userId: next.id }, time))
        : say(identified(next.from, next.to, time), [next.from]);
      const isSeen = (): boolean => next.kind === 'identify' || recent(asked).includes(next.sku);
      driver.run(() => expect(!views.reflects(userProfiles, asked, after) || isSeen()).toBe(true));
      expect(views.reflects(userProfiles, asked, after)).toBe(true);
    }
  }), { numRuns: 120 });
});

/** Orders and stock go through a task of their own before a shopper's answer can hold them. */
describe.each([1, PARTITIONS])('a token of what does not go straight into a profile (%i partitions)', (partitions) => {
  function shop() {
    const driver = new Driver([shoppers(), orderLedger(), itemWatch()], { partitions, batch: () => 1 });
    const observed = observedStores(driver.openStore);
    const views = new Views(observed, partitions);
    const endOf = async (topic: string, partition: number): Promise<number> => driver.records(topic).filter((record) => record.partition === partition).length;
    const write = <T>(topic: Topic<T>, key: string, value: T): After => {
      driver.write(topic.name, key, topic.codec.encode(value));
      const partition = partitionOf(key, partitions);
      return { positions: [{ topic: topic.name, partition, offset: driver.records(topic.name).filter((record) => record.partition === partition).length - 1 }], merges: [] };
    };
    const asked = (after: After, deadlineMs = 300): Promise<boolean> => reflected({ views, endOf }, 'u1', after, deadlineMs);
    const bought = (): readonly string[] => views.row(userProfiles, profiles, 'u1')?.bought ?? [];
    return { driver, write, asked, bought };
  }

  test('an order is met when its purchase is in the profile, not before', async () => {
    const { driver, write, asked, bought } = shop();
    const after = write(orders, 'O-1', orderEvent('completed', 'O-1', { userId: 'u1', lines: [orderLine('P1', 1, 10_000n)] }));
    expect(await asked(after, 20)).toBe(false);
    const answer = asked(after);
    driver.run();
    expect(await answer).toBe(true);
    expect(bought()).toEqual(['P1']);
    expect(driver.records(purchases.name).length).toBe(1);
  });

  test('a stock count is met when the products have it', async () => {
    const { driver, write, asked } = shop();
    const after = write(inventory, 'P1', stock('P1', 3, NINE));
    expect(await asked(after, 20)).toBe(false);
    driver.run();
    expect(await asked(after, 0)).toBe(true);
  });
});

test('main rows of a table are read without walking through those of thousands who wait for one item', () => {
  const store = memoryStore();
  const driver = new Driver([itemWatch()]);
  for (const sku of ['P1', 'P2', 'P20', 'P3']) driver.send(inventory, sku, stock(sku, 0, NINE));
  const rows = [...driver.openStore('products', 0).range('', '\uffff')].filter(({ key }) => !key.includes('\u001f'));
  const waiting = Array.from({ length: 3_000 }, (_, i) => ({ key: rowKey('P2', restOf('watcher', `s${i}`)), value: Buffer.from('x') }));
  store.apply([...rows, ...waiting, { key: rowKey('', restOf('progress')), value: Buffer.from('x') }], 1);
  let read = 0;
  const counted = { ...observedStores(() => store).open('products', 0), *range(start: string, end: string) { for (const row of store.range(start, end)) { read++; yield row; } } };
  const views = new Views(observedStores(() => counted), 1);
  expect([...views.mainRows(products, productRows)].map(({ key, value }) => [key, value.sku])).toEqual([['P1', 'P1'], ['P2', 'P2'], ['P20', 'P20'], ['P3', 'P3']]);
  expect(read).toBeLessThan(50);
});
