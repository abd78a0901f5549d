import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../pipeline/config.js';
import { silentJournal } from '../../pipeline/core/metrics.js';
import { callAt } from '../support/call.js';
import { folderForTests } from '../support/folder.js';
import '../support/threads-from-source.mjs';
import { startMillrace, type Millrace, type Role } from '../../pipeline/main.js';
import { reconcile } from '../../pipeline/reconcile.js';
import { listDeadLetters } from '../../pipeline/dead-letters.js';
import { marketingTriggers } from '../../schemas/topics.js';
import type { MarketingTrigger } from '../../schemas/types.js';

const KEYS = { WRITE_KEYS: 'wk', SERVER_KEYS: 'sk', ADMIN_TOKENS: 'at' };
const WAIT_MS = 60_000;
/** Five processes start and stop in one, on machines that do much else. */
const TEST_MS = 240_000;

export interface SpineSetting {
  /** Processes of the installation, by role. */
  readonly roles: readonly Role[];
  readonly environment: Readonly<Record<string, string>>;
}

/** One click, one order, one forecast, one trigger and one aggregate, end to end: the same on every engine. */
export function spineContract(name: string, { roles, environment }: SpineSetting): void {
  describe(`the spine on ${name}`, { timeout: TEST_MS }, () => {
    const folder = folderForTests();
    let processes: Millrace[] = [];
    const startOne = (role: Role, number: number): Promise<Millrace> => {
      const config = readConfig({ PORT: '0', HOST: '127.0.0.1', DATA_DIR: join(folder, `${number}`), CART_ABANDONED_AFTER_SECONDS: '2', SHOP_TIMEZONE: 'America/Chicago', ...KEYS, ...environment });
      return startMillrace({ config, role, demo: false, journal: silentJournal });
    };
    const start = async (): Promise<void> => {
      // What topics and schemas there are is known to the others, which share a thread here, once the first is up.
      const first = await startOne(roles[0]!, 0);
      processes = [first, ...await Promise.all(roles.slice(1).map((role, number) => startOne(role, number + 1)))];
    };
    const stop = async (): Promise<void> => void (await Promise.all(processes.map((running) => running.stop())));
    const portOf = (role: Role): number => processes[Math.max(0, roles.indexOf(role))]!.port;
    const call = (role: Role, method: string, path: string, body?: unknown, key?: string) => callAt(portOf(role), method, path, body, key);
    const track = async (event: string, who: object, properties: object): Promise<string> => {
      const { status, json } = await call('collector', 'POST', '/v1/track', { event, ...who, properties });
      expect(status).toBe(200);
      return String(json['token']);
    };
    const recommend = async (who: object, more: object = {}): Promise<{ skus: string[]; stale: unknown; model: unknown }> => {
      const { json } = await call('scorer', 'POST', '/v1/recommend', { ...who, limit: 10, ...more });
      return { skus: (json['items'] as unknown as { sku: string }[]).map(({ sku }) => sku), stale: json['stale'], model: json['model'] };
    };
    const rows = async (sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
      const sink = processes.find(({ rowSink }) => rowSink)?.rowSink;
      return sink ? sink.query(sql) : [];
    };
    const triggers = async (): Promise<MarketingTrigger[]> => {
      const { log } = processes[0]!.engine;
      const ranges = await log.ranges(marketingTriggers.name);
      const reader = log.reader(ranges.map(({ start: offset }, partition) => ({ topic: marketingTriggers.name, partition, offset })));
      const found: MarketingTrigger[] = [];
      // A busy machine may take a second for the first fetch from a broker.
      for (let empty = 0; empty < 10;) {
        const records = await reader.poll(1_000, 100);
        if (records.length === 0) empty++;
        for (const { value } of records) if (value) found.push(marketingTriggers.codec.decode(value));
      }
      await reader.close();
      return found;
    };
    const eventually = async <T>(look: () => Promise<T>, fits: (value: T) => boolean): Promise<T> => {
      const until = Date.now() + WAIT_MS;
      for (;;) {
        const value = await look();
        if (fits(value) || Date.now() > until) return value;
        await delay(200);
      }
    };

    const unequal = async (): Promise<readonly unknown[]> => {
      const { engine, rowSink } = processes.find((running) => running.rowSink)!;
      return (await reconcile(engine.log, rowSink!)).filter(({ equal }) => !equal);
    };
    /** Interactions counted once what was sent before has arrived: a second brings no more, and ClickHouse has what the log has. */
    const settled = async (): Promise<number> => {
      const count = async (): Promise<number> => Number((await rows('SELECT count() AS n FROM millrace.interactions'))[0]!['n']);
      let last = -1;
      return eventually(async () => {
        const before = last;
        await delay(1_000);
        last = await count();
        return before === last && (await unequal()).length === 0 ? last : -1;
      }, (counted) => counted >= 0);
    };

    beforeAll(start, TEST_MS);
    afterAll(stop, TEST_MS);

    test('a click is in the next answer: read your writes by token', async () => {
      const products = Array.from({ length: 6 }, (_, i) => ({ sku: `P${i}`, name: `Product ${i}`, price: '10.00', quantity: i === 5 ? 0 : 9 }));
      expect((await call('collector', 'PUT', '/v1/products', products, 'at')).status).toBe(200);
      // Somebody shows that P1 leads to P2.
      for (let round = 0; round < 3; round++) for (const sku of ['P1', 'P2']) await track('Product Viewed', { anonymousId: `seed-${round}-x` }, { product_id: sku });
      await eventually(() => recommend({ anonymousId: 'nobody-1234' }), ({ skus }) => skus.length >= 5);
      const after = await track('Product Viewed', { anonymousId: 'reader-0001' }, { product_id: 'P1' });
      const answer = await eventually(() => recommend({ anonymousId: 'reader-0001' }, { after }), ({ stale, skus }) => stale !== true && skus[0] === 'P2');
      expect(answer.skus[0]).toBe('P2');
      expect(answer.skus).not.toContain('P5');
      expect(answer.model).not.toBe('trending/1');
    });

    test('an order is booked once, forecast, counted by shop day, and never recommended again', async () => {
      const order = { order_id: 'O-31', currency: 'EUR', total: '20.00', products: [{ product_id: 'P2', quantity: 2, price: '10.00' }] };
      const time = '2026-01-01T05:50:00Z';
      for (const messageId of ['m-1', 'm-3', 'm-2']) await call('collector', 'POST', '/v1/track', { event: 'Order Completed', messageId, userId: 'buyer-1', timestamp: time, properties: order });
      const sold = await eventually(() => rows("SELECT sum(quantity) AS units, toString(sum(amount)) AS amount FROM millrace.sales WHERE order_id = 'O-31'"), ([row]) => Number(row?.['units']) >= 2);
      expect(Number(sold[0]!['units'])).toBe(2);
      expect(Number(sold[0]!['amount'])).toBe(20);
      const days = await eventually(() => rows('SELECT toString(day) AS day, toFloat64(net) AS net FROM millrace.revenue_by_shop_day ORDER BY day'), (found) => found.length > 0);
      expect(days).toMatchObject([{ day: '2025-12-31' }]);
      const forecast = await eventually(() => call('scorer', 'GET', '/v1/forecasts/P2', undefined), ({ status }) => status === 200);
      expect(forecast.json['days']).toHaveLength(28);
      expect(forecast.json['lastSaleDay']).toBe('2025-12-31');
      const { skus } = await eventually(() => recommend({ userId: 'buyer-1' }), (answer) => !answer.skus.includes('P2'));
      expect(skus).not.toContain('P2');
      expect(skus.length).toBeGreaterThan(0);
    });

    test('an abandoned cart fires once, one that was bought does not, and a restock tells who waits', async () => {
      await track('Product Added', { userId: 'leaver-1' }, { product_id: 'P3', cart_id: 'c-1', price: '10.00', quantity: 1 });
      // In one call: on a busy machine the cart might be abandoned between two.
      await call('collector', 'POST', '/v1/batch', { batch: [
        { type: 'track', event: 'Product Added', userId: 'payer-1', properties: { product_id: 'P3', cart_id: 'c-2', price: '10.00', quantity: 1 } },
        { type: 'track', event: 'Order Completed', userId: 'payer-1', properties: { order_id: 'O-9', cart_id: 'c-2', total: '10.00', currency: 'EUR', products: [{ product_id: 'P3', quantity: 1, price: '10.00' }] } },
      ] });
      await track('Back In Stock Subscribed', { userId: 'waiter-1' }, { product_id: 'P5' });
      // A restock that comes before it is known who waits tells nobody; the next one does.
      const fired = await eventually(async () => {
        for (const quantity of [0, 4]) await track('Inventory Updated', {}, { product_id: 'P5', quantity });
        await delay(500);
        return triggers();
      }, (found) => found.length >= 3);
      await delay(4_000);
      expect((await triggers()).map(({ rule, shopper, status }) => `${rule} ${shopper} ${status}`).sort()).toEqual(['back_in_stock waiter-1 fired', 'cart_abandonment leaver-1 fired', 'new_customer_welcome payer-1 fired']);
      expect(fired.find(({ rule }) => rule === 'back_in_stock')!.products).toMatchObject([{ sku: 'P5', name: 'Product 5', price: 100_000n, stock: 4 }]);
      const inClickHouse = await eventually(() => rows('SELECT id, rule, status FROM millrace.marketing_triggers'), (found) => found.length >= 3);
      expect(inClickHouse).toHaveLength(3);
    });

    test('a visit goes on through a login within one batch, whose token is met', async () => {
      for (let n = 0; n < 5; n++) {
        const [anonymousId, userId] = [`guest-${n}-phone`, `guest-${n}`];
        const view = (product_id: string): object => ({ type: 'track', event: 'Product Viewed', anonymousId, properties: { product_id } });
        const { json } = await call('collector', 'POST', '/v1/batch', { batch: [view('P0'), { type: 'identify', anonymousId, userId }, { ...view('P3'), userId }] });
        const answer = await eventually(() => recommend({ userId }, { after: String(json['token']) }), ({ stale }) => stale !== true);
        expect(answer.stale).not.toBe(true);
        expect((await call('scorer', 'GET', `/v1/users/${userId}`, undefined, 'at')).json).toMatchObject({ sessions: 1, events: 3, recent: [{ sku: 'P3' }, { sku: 'P0' }] });
      }
      const visits = () => rows(`SELECT toInt32(count()) AS views, toInt32(countIf(session_start)) AS starts, toInt32(uniqExact(session_id)) AS sessions, toInt32(uniqExactIf(shopper, products.sku[1] = 'P3' AND shopper NOT LIKE '%phone')) AS users
        FROM millrace.interactions WHERE event = 'Product Viewed' AND anonymous_id LIKE 'guest-%'`);
      expect(await eventually(visits, ([found]) => found?.['views'] === 10)).toEqual([{ views: 10, starts: 5, sessions: 5, users: 5 }]);
    });

    test('an erased shopper is named by no row any more, and the sums stay', async () => {
      const named = async (id: string): Promise<number> => {
        const tables = ['interactions', 'purchases', 'sales', 'marketing_triggers', 'recommendations'];
        const found = await rows(`SELECT ${tables.map((table) => `(SELECT count() FROM millrace.${table} WHERE shopper = '${id}')`).join(' + ')} + (SELECT count() FROM millrace.interactions WHERE anonymous_id = '${id}') AS n`);
        return Number(found[0]?.['n']);
      };
      const sums = () => rows('SELECT count() AS n, toString(sum(amount)) AS amount, sum(quantity) AS units FROM millrace.sales');
      await track('Product Viewed', { anonymousId: 'buyer-1-phone' }, { product_id: 'P1' });
      await call('collector', 'POST', '/v1/identify', { anonymousId: 'buyer-1-phone', userId: 'buyer-1' });
      await eventually(() => named('buyer-1-phone'), (n) => n > 0);
      const before = await sums();
      await eventually(() => call('scorer', 'GET', '/v1/users/buyer-1', undefined, 'at'), ({ json }) => JSON.stringify(json).includes('buyer-1-phone'));
      expect((await call('collector', 'DELETE', '/v1/users/buyer-1', undefined, 'at')).status).toBe(200);
      expect(await eventually(async () => (await named('buyer-1')) + (await named('buyer-1-phone')), (n) => n === 0)).toBe(0);
      expect(await sums()).toEqual(before);
      expect((await eventually(() => call('scorer', 'GET', '/v1/users/buyer-1-phone', undefined, 'at'), ({ status }) => status === 404)).status).toBe(404);
    });

    test('a click right after an erasure is the device’s, and does not bring the user back', async () => {
      const kept = (id: string) => call('scorer', 'GET', `/v1/users/${id}`, undefined, 'at');
      await track('Product Viewed', { anonymousId: 'buyer-2-phone' }, { product_id: 'P1' });
      await call('collector', 'POST', '/v1/identify', { anonymousId: 'buyer-2-phone', userId: 'buyer-2' });
      await eventually(() => kept('buyer-2'), ({ json }) => JSON.stringify(json).includes('"P1"'));
      expect((await call('collector', 'DELETE', '/v1/users/buyer-2', undefined, 'at')).status).toBe(200);
      for (const product_id of ['P2', 'P3']) await track('Product Viewed', { anonymousId: 'buyer-2-phone' }, { product_id });
      const devices = await eventually(() => kept('buyer-2-phone'), ({ json }) => ['P2', 'P3'].every((sku) => JSON.stringify(json).includes(`"${sku}"`)));
      expect(devices.json).toMatchObject({ id: 'buyer-2-phone', events: 2, recent: [{ sku: 'P3' }, { sku: 'P2' }] });
      expect((await kept('buyer-2')).status).toBe(404);
      const clicks = (where: string) => rows(`SELECT products.sku[1] AS sku FROM millrace.interactions WHERE event = 'Product Viewed' AND ${where} ORDER BY time`);
      expect(await eventually(() => clicks("shopper = 'buyer-2'"), (found) => found.length === 0)).toEqual([]);
      // The first click stands there until it is erased; the second, which was sent on to the user and came back, may come behind the last.
      const theirs = async () => (await clicks("shopper = 'buyer-2-phone'")).map(({ sku }) => sku);
      expect(await eventually(theirs, (found) => found.join() === 'P2,P3')).toEqual(['P2', 'P3']);
    });

    test('what cannot be understood is a dead letter, and the rest goes on', async () => {
      const { engine } = processes[0]!;
      await engine.log.append([{ topic: 'clickstream', partition: 0, key: 'u-poison', value: Buffer.from([7, 7, 7, 7, 7, 7]) }]);
      const letters = await eventually(() => listDeadLetters(engine.log, 10), (found) => found.length > 0);
      expect(letters).toMatchObject([{ code: 'wrong_magic_byte', topic: 'clickstream', consumer: 'shoppers' }]);
    });

    test('stopped and started again it stands where it stood', async () => {
      const before = await settled();
      await stop();
      await start();
      const { skus } = await eventually(() => recommend({ anonymousId: 'reader-0001' }), (answer) => answer.stale !== true && answer.skus[0] === 'P2');
      expect(skus[0]).toBe('P2');
      const after = await track('Product Viewed', { anonymousId: 'reader-0001' }, { product_id: 'P3' });
      await eventually(() => recommend({ anonymousId: 'reader-0001' }, { after }), ({ stale }) => stale !== true);
      const now = await eventually(() => rows('SELECT count() AS n, uniqExact(_partition, _offset) AS distinct FROM millrace.interactions'), ([row]) => Number(row?.['n']) > before);
      expect(Number(now[0]!['n'])).toBe(before + 1);
      expect(now[0]!['distinct']).toBe(now[0]!['n']);
      expect(await unequal()).toEqual([]);
    });

    test('the token of an order, and of a product, is met', async () => {
      const ordered = await track('Order Completed', { userId: 'buyer-9' }, { order_id: 'O-99', currency: 'EUR', total: '10.00', products: [{ product_id: 'P4', quantity: 1, price: '10.00' }] });
      const answer = await eventually(() => recommend({ userId: 'buyer-9' }, { after: ordered }), ({ stale }) => stale !== true);
      expect(answer.skus).not.toContain('P4');
      const { json } = await call('collector', 'PUT', '/v1/products', [{ sku: 'P0', name: 'Product 0', price: '10.00', quantity: 0 }], 'at');
      const changed = await eventually(() => recommend({ userId: 'buyer-9' }, { after: json['token'] }), ({ stale }) => stale !== true);
      expect(changed.skus).not.toContain('P0');
    });
  });
}
