import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { clickhouseSinks } from '../../consumers/clickhouse-sinks.js';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import type { RowSink } from '../../pipeline/core/row-sink.js';
import { bounded } from '../../pipeline/read-only-sql.js';
import { deadLetters, forecasts, interactions, marketingTriggers, sales } from '../../schemas/topics.js';
import type { TriggerStatus } from '../../schemas/types.js';
import { forecastAccuracy } from './clickhouse-accuracy.js';
import { anyRecord } from './clickhouse-odd-records.js';
import { recommendationOutcomes } from './clickhouse-recommendations.js';
import { blockOf, interaction, interactionRecord, recordOf, sale, saleRecord } from './clickhouse-records.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** What every engine of rows owes to the sinks; run on each of them. */
export function rowSinkContract(open: () => Promise<RowSink>): void {
  let sink: RowSink;
  const token = (): string => randomUUID();
  const one = async (sql: string) => (await sink.query(sql))[0];
  const insert = (records: Parameters<typeof blockOf>[0], as = token()) => {
    const { columns, lines } = blockOf(records);
    return sink.insert(records[0]!.topic.replaceAll('-', '_'), columns, lines, as);
  };

  beforeAll(async () => {
    sink = await open();
    await sink.ensure();
  });
  afterAll(() => sink.close());
  beforeEach(async () => {
    for (const table of [...clickhouseSinks.map((spec) => spec.table), 'revenue_by_shop_day_state', 'funnel_by_shop_day_state']) await sink.query(`TRUNCATE TABLE ${table}`);
  });

  test('its tables can be ensured again, and keep their identity', async () => {
    const before = await sink.tableId('sales');
    await sink.ensure();
    expect(await sink.tableId('sales')).toBe(before);
  });

  test('what was acknowledged is synced to the disk, also by the merge that takes it over', async () => {
    const tables = await sink.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' ORDER BY name");
    const synced = await sink.query(`SELECT name FROM system.tables WHERE database = currentDatabase() AND name != 'schema_migrations'
      AND engine_full LIKE '%fsync_after_insert = 1%' AND engine_full LIKE '%fsync_part_directory = 1%' AND engine_full LIKE '%min_rows_to_fsync_after_merge = 1%' ORDER BY name`);
    expect(synced).toEqual(tables);
    expect(synced).toHaveLength(10);
  });

  test('a statement that nobody waits for any more is not begun', async () => {
    const gone = new AbortController();
    const before = sink.look('SELECT sleep(0.3) AS slept', new AbortController().signal);
    const asked = sink.look("INSERT INTO sales (sku, _offset) VALUES ('x', 1)", gone.signal).catch((error: unknown) => error);
    gone.abort();
    expect(await asked).toBeInstanceOf(Error);
    expect(await before).toEqual([{ slept: 0 }]);
    expect(await one('SELECT count() AS rows FROM sales')).toEqual({ rows: '0' });
  });

  test('a statement that fails half-way leaves none of its rows to those that come after it, waiting or not', async () => {
    const fails = (): Promise<unknown> => sink.query("SELECT number FROM numbers(200000) SETTINGS max_result_rows = 100000, result_overflow_mode = 'throw'").catch((error: unknown) => error);
    expect(await fails()).toBeInstanceOf(Error);
    expect(await sink.query('SELECT 1 AS a WHERE 0')).toEqual([]);
    const [failed, ...answers] = await Promise.all([fails(), sink.query('SELECT 2 AS a WHERE 0'), sink.look('SELECT 3 AS a WHERE 0', new AbortController().signal), sink.query('SELECT 4 AS a')]);
    expect(failed).toBeInstanceOf(Error);
    expect(answers).toEqual([[], [], [{ a: 4 }]]);
    // Begun, and given up by who asked: its rows come to nobody.
    const gone = new AbortController();
    const slow = sink.look("SELECT number, sleepEachRow(0.002) AS slept FROM numbers(100000) SETTINGS max_block_size = 50, max_execution_time = 0.5", gone.signal).catch((error: unknown) => error);
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    gone.abort();
    expect(await slow).toBeInstanceOf(Error);
    expect(await sink.query('SELECT 5 AS a WHERE 0')).toEqual([]);
  });

  test('an erased shopper is named nowhere; rows, counts and sums stay', async () => {
    const odd = "o'\\\\br@x";
    await insert([saleRecord(1, { shopper: odd }), saleRecord(2, { shopper: 'b' }), saleRecord(3, { shopper: null })]);
    await insert([interactionRecord(1, { shopper: odd, anonymousId: 'a1', sessionId: `${odd}@17`, query: 'my name' }), interactionRecord(2, { shopper: 'b', sessionId: 'b@18' }), interactionRecord(3, { shopper: 'b', anonymousId: 'a1', sessionId: 'b@18' })]);
    const letter = (offset: number, value: string) => recordOf(deadLetters, offset, {
      id: `l${offset}`, code: 'required', message: '', consumer: 'collector', topic: 'clickstream', partition: -1, offset: -1, key: null, value: Buffer.from(value), at: 0, stack: null, claim: null,
    });
    await insert([letter(1, JSON.stringify({ userId: odd })), letter(2, JSON.stringify({ userId: 'b' })), letter(3, JSON.stringify({ anonymousId: 'a1' }))]);
    const figures = () => one('SELECT (SELECT count() FROM sales) AS rows, (SELECT sum(amount) FROM sales) AS amount, (SELECT uniqExact(shopper) FROM sales) AS shoppers, (SELECT count() FROM interactions) AS clicks');
    const before = await figures();
    // More than a statement takes: whoever had joined 85 devices could not be erased.
    await sink.erase([odd, ...Array.from({ length: 120 }, (_, i) => `device-${i}`), 'a1'], new Map());
    await sink.erase([odd, 'a1'], new Map());
    expect(await figures()).toEqual(before);
    const left = await sink.query("SELECT shopper, anonymous_id, session_id, query FROM interactions ORDER BY _offset");
    const pseudonym = String(left[0]!['shopper']);
    expect(pseudonym).toMatch(/^erased-/);
    expect(left).toEqual([
      { shopper: pseudonym, anonymous_id: null, session_id: `${pseudonym}@17`, query: null },
      expect.objectContaining({ shopper: 'b', session_id: 'b@18' }),
      expect.objectContaining({ shopper: 'b', anonymous_id: null, session_id: 'b@18' }),
    ]);
    expect((await sink.query('SELECT shopper FROM sales ORDER BY _offset')).map((row) => row['shopper'])).toEqual([pseudonym, 'b', null]);
    expect((await sink.query('SELECT value_base64 IS NULL AS isEmpty FROM dead_letters ORDER BY _offset')).map((row) => Number(row['isEmpty']))).toEqual([1, 0, 1]);
  });

  test('dead letters that were replayed are counted as that, and what says so as none', async () => {
    const letter = (offset: number, id: string, code: string) => recordOf(deadLetters, offset, {
      id, code, message: code, consumer: 'shoppers', topic: 'clickstream', partition: 0, offset: 1, key: null, value: null, at: offset, stack: null, claim: null,
    });
    await insert([letter(11, 'one', 'odd_one'), letter(12, 'two', 'odd_one'), letter(13, 'one', 'replayed'), letter(14, 'one', 'replayed')]);
    const codes = await sink.query("SELECT code, toInt32(records) AS records, toInt32(replayed) AS replayed, example FROM dead_letters_by_code WHERE consumer = 'shoppers'");
    expect(codes).toEqual([{ code: 'odd_one', records: 2, replayed: 1, example: 'odd_one' }]);
  });

  test('rows behind an erasure are of somebody new; each partition has its place', async () => {
    const who = { shopper: 'back', sessionId: 'back@17' };
    await insert([interactionRecord(4, who), interactionRecord(5, who), ...[9, 10].map((offset) => recordOf(interactions, offset, interaction(who), 1)), recordOf(interactions, 0, interaction(who), 2)]);
    await insert([saleRecord(7, { shopper: 'back' }), saleRecord(8, { shopper: 'back' })]);
    await sink.erase(['back'], new Map([['interactions', [5, 10]], ['sales', [8]]]));
    const left = (table: string) => sink.query(`SELECT _partition AS partition, toInt32(_offset) AS offset FROM ${table} WHERE shopper = 'back' ORDER BY _partition, _offset`);
    expect(await left('interactions')).toEqual([{ partition: 0, offset: 5 }, { partition: 1, offset: 10 }, { partition: 2, offset: 0 }]);
    expect(await left('sales')).toEqual([{ partition: 0, offset: 8 }]);
  });

  describe('a block', () => {
    test('repeated under its token is there once, in the views too', async () => {
      const block = [saleRecord(10), saleRecord(11, { orderId: 'O-2', amount: 400_000n, quantity: 2 })];
      await insert(block, 'a');
      await insert(block, 'a');
      expect(await one('SELECT count() AS n, sum(amount) AS amount FROM sales')).toEqual({ n: '2', amount: '60' });
      expect(await one('SELECT net, units, orders FROM revenue_by_shop_day')).toEqual({ net: '60', units: 3, orders: '2' });
    });

    test('repeated with twenty other blocks in between is there once', async () => {
      await insert([saleRecord(0)], 'first');
      for (let offset = 1; offset <= 20; offset++) await insert([saleRecord(offset)], `block ${offset}`);
      await insert([saleRecord(0)], 'first');
      expect(await one('SELECT count() AS n FROM sales')).toEqual({ n: '21' });
      expect(await one('SELECT net FROM revenue_by_shop_day')).toEqual({ net: '420' });
    });

    test('of equal rows under another token is added', async () => {
      await insert([saleRecord(1)], 'a');
      await insert([saleRecord(1)], 'b');
      expect(await one('SELECT count() AS n FROM sales')).toEqual({ n: '2' });
    });

    test('of ten thousand rows over two years of months is one block, and is there once', async () => {
      const block = Array.from({ length: 10_000 }, (_, offset) => saleRecord(offset, { receivedAt: Date.UTC(1990, offset % 24, 1), amount: 1n, quantity: 1 }));
      await insert(block, 'wide');
      await insert(block, 'wide');
      expect(await one('SELECT count() AS n, uniqExact(_offset) AS offsets, sum(amount) AS amount FROM sales')).toEqual({ n: '10000', offsets: '10000', amount: '1' });
      expect(await one('SELECT sum(net) AS net, sum(units) AS units FROM revenue_by_shop_day')).toEqual({ net: '1', units: 10_000 });
    });

    test('that failed in a view after the table had it is complete once it is repeated', async () => {
      const block = [saleRecord(1)];
      await sink.query('ALTER TABLE revenue_by_shop_day_state ADD CONSTRAINT broken CHECK net < 0');
      await expect(insert(block, 'a')).rejects.toThrow('broken');
      await sink.query('ALTER TABLE revenue_by_shop_day_state DROP CONSTRAINT broken');
      await insert(block, 'a');
      expect(await one('SELECT count() AS n FROM sales')).toEqual({ n: '1' });
      expect(await one('SELECT net FROM revenue_by_shop_day')).toEqual({ net: '20' });
    });

    test('may be inserted again under its token after its table was emptied', async () => {
      await insert([saleRecord(1)], 'a');
      await sink.query('TRUNCATE TABLE sales');
      await insert([saleRecord(1)], 'a');
      expect(await one('SELECT count() AS n FROM sales')).toEqual({ n: '1' });
    });

    test('with a row that the table cannot hold is refused for good and leaves nothing', async () => {
      const { columns, lines: [good, bad] } = blockOf([saleRecord(1), saleRecord(2)]);
      const tooLong = Buffer.from(String(bad).replace(']', ',1]'));
      const unreadable = Buffer.from(String(bad).replace('"20.0000"', '"twenty"'));
      const unknown = columns.map((name) => (name === 'line' ? 'no_such_column' : name));
      for (const [names, second] of [[columns, tooLong], [columns, unreadable], [unknown, bad]] as const) {
        const refused = await sink.insert('sales', names, [good!, second!], 'a').catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(Error);
        expect(refused).not.toBeInstanceOf(Unavailable);
      }
      expect(await one('SELECT count() AS n FROM sales')).toEqual({ n: '0' });
    });
  });

  test('the token of one insert does not reach the next statement', async () => {
    await insert([saleRecord(1)], 'a');
    await sink.query("INSERT INTO sales (sku, _offset) VALUES ('by hand', 2)");
    await sink.query("INSERT INTO sales (sku, _offset) VALUES ('by hand', 3)");
    expect(await one('SELECT count() AS n FROM sales')).toEqual({ n: '3' });
  });

  test('rows are counted by partition and offset, ends included', async () => {
    await insert([5, 7, 9].map((offset) => saleRecord(offset)));
    await insert([recordOf(sales, 7, sale(), 1)]);
    expect(await sink.countRows('sales', 'sales', 0, 5, 7)).toBe(2);
    expect(await sink.countRows('sales', 'sales', 0, 6, 6)).toBe(0);
    expect(await sink.countRows('sales', 'sales', 0, 0, Number.MAX_SAFE_INTEGER)).toBe(3);
    expect(await sink.lastOffset('sales', 'sales', 0)).toBe(9);
    expect(await sink.lastOffset('sales', 'sales', 2)).toBeUndefined();
  });

  test('any record of any topic that passed its codec becomes a row', async () => {
    for (const spec of clickhouseSinks) {
      const records = fc.sample(anyRecord(spec.topic), { numRuns: 300, seed: 7 }).map((record, offset) => ({ ...record, offset }));
      await insert(records);
      expect(await sink.countRows(spec.table, spec.topic, 0, 0, 299)).toBe(300);
    }
    // Infinities of a quantity stay in the raw rows and out of the sums.
    expect(await sink.query('SELECT day FROM revenue_by_shop_day WHERE NOT isFinite(units)')).toEqual([]);
    for (const view of ['revenue_by_shop_day', 'funnel_by_shop_day', 'forecasts_beside_actuals', 'forecast_days', 'short_days', 'forecast_accuracy', 'sales_by_shop_hour', 'forecast_hours', 'dead_letters_by_code', 'trigger_outcomes', 'recommended_items', 'recommendation_outcomes']) {
      await expect(sink.query(`SELECT * FROM ${view}`)).resolves.toBeInstanceOf(Array);
    }
  });

  test('odd values are kept as they are, or clamped where documented', async () => {
    const year = (y: number) => new Date(0).setUTCFullYear(y, 0, 1);
    await insert([
      interactionRecord(1, { shopper: 'NUL \0, emoji 🛒, /"\\\n', time: year(1), currency: null, products: [{ sku: '', price: null, quantity: 0.5, position: null, name: null }] }),
      interactionRecord(2, { time: year(9999), value: 10n ** 18n - 1n, receivedAt: year(9999) }),
      interactionRecord(3, { value: -(2n ** 63n) }),
    ]);
    expect(await sink.query('SELECT shopper, time, time_ms, value, `products.sku` AS sku, `products.quantity` AS quantity FROM interactions ORDER BY _offset')).toEqual([
      { shopper: 'NUL \0, emoji 🛒, /"\\\n', time: '1900-01-02 00:00:00.000', time_ms: String(year(1)), value: null, sku: [''], quantity: [0.5] },
      { shopper: 'u1', time: '2299-12-30 00:00:00.000', time_ms: String(year(9999)), value: '99999999999999.9999', sku: [], quantity: [] },
      { shopper: 'u1', time: '2026-01-01 12:00:00.000', time_ms: String(Date.UTC(2026, 0, 1, 12)), value: '-99999999999999.9999', sku: [], quantity: [] },
    ]);
  });

  describe('revenue by shop day', () => {
    test('cuts days in the zone of the shop', async () => {
      await insert([saleRecord(1, { time: Date.UTC(2026, 0, 1, 5, 50) })]);
      expect(await sink.query('SELECT day FROM revenue_by_shop_day')).toEqual([{ day: '2025-12-31' }]);
    });

    test('keeps gross when a part is refunded, and corrects the day of the order', async () => {
      await insert([
        saleRecord(1, { orderId: 'O-8', quantity: 3, amount: 600_000n }),
        saleRecord(2, { orderId: 'O-8', kind: 'refund', quantity: -1, amount: -200_000n, reportedAt: Date.UTC(2026, 2, 1) }),
        saleRecord(3, { orderId: 'adj', kind: 'adjustment', quantity: -2, amount: -5_000n }),
      ]);
      expect(await sink.query('SELECT gross, refunded, adjusted, net, units_sold, units, orders FROM revenue_by_shop_day')).toEqual([
        { gross: '60', refunded: '20', adjusted: '-0.5', net: '39.5', units_sold: 3, units: 0, orders: '1' },
      ]);
    });

    test('counts an order once though its lines come in several blocks', async () => {
      await insert([saleRecord(1, { orderId: 'O-1', sku: 'P1' }), saleRecord(2, { orderId: 'O-2', sku: 'P1' })]);
      await insert([saleRecord(3, { orderId: 'O-1', sku: 'P2' })]);
      expect(await one('SELECT orders FROM revenue_by_shop_day')).toEqual({ orders: '2' });
    });
  });

  test('the funnel counts shoppers once a step and events each time', async () => {
    const steps = ['Product Viewed', 'Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed', 'Cart Viewed'];
    await insert(steps.map((event, offset) => interactionRecord(offset, { event })));
    await insert([interactionRecord(6, { shopper: 'u2' }), interactionRecord(7)]);
    expect(await sink.query('SELECT * EXCEPT (source) FROM funnel_by_shop_day')).toEqual([
      { day: '2026-01-01', viewed_shoppers: '2', viewed_events: '4', added_shoppers: '1', added_events: '1', checkout_shoppers: '1', checkout_events: '1', ordered_shoppers: '1', ordered_events: '1' },
    ]);
  });

  test('forecasts stand beside what was sold, as they were before the day began', async () => {
    const forecast = (offset: number, madeAt: number, mean: number[]) =>
      recordOf(forecasts, offset, { sku: 'P1', madeAt, firstDay: Date.UTC(2026, 0, 1) / DAY, levels: [0.9], mean, quantiles: mean.map((units) => [units * 2]), low: mean.map((units) => units - 1), high: mean.map((units) => units + 1), model: 'm', demandClass: 'slow', category: null, shortDays: [], hours: [] });
    await insert([forecast(1, Date.UTC(2025, 11, 31, 12), [1, 2, 3, 4]), forecast(2, Date.UTC(2026, 0, 1, 12), [9, 8, 7, 6])]);
    await insert([saleRecord(1, { quantity: 5 }), saleRecord(2, { quantity: -1, kind: 'refund' }), saleRecord(3, { sku: 'P2', time: Date.UTC(2026, 0, 3, 12) })]);
    expect(await sink.query("SELECT day, forecast_units, quantiles, actual_units FROM forecasts_beside_actuals WHERE sku = 'P1' ORDER BY day")).toEqual([
      { day: '2026-01-01', forecast_units: 1, quantiles: [2], actual_units: 4 },
      { day: '2026-01-02', forecast_units: 8, quantiles: [16], actual_units: 0 },
      { day: '2026-01-03', forecast_units: 7, quantiles: [14], actual_units: 0 },
      { day: '2026-01-04', forecast_units: 6, quantiles: [12], actual_units: null },
    ]);
  });

  describe('the accuracy of forecasts', () => {
    forecastAccuracy(() => sink);
  });

  test('hours that were forecast stand beside what was sold in them, as they were before the hour began', async () => {
    const forecast = (offset: number, madeAt: number, first: number, means: number[]) => recordOf(forecasts, offset, {
      sku: 'P1', madeAt, firstDay: Date.UTC(2026, 0, 2) / DAY, levels: [0.9], mean: [1], quantiles: [[2]], low: [0], high: [3], model: 'm', demandClass: 'slow', category: null, shortDays: [],
      hours: means.map((mean, i) => ({ start: first + i * HOUR, mean, quantiles: [mean * 2] })),
    });
    const ten = Date.UTC(2026, 0, 1, 10);
    await insert([forecast(1, ten - 90_000, ten, [1, 2, 3, 4]), forecast(2, ten + 90_000, ten + HOUR, [8, 7, 6])]);
    await insert([
      saleRecord(1, { quantity: 5, time: ten + 59 * 60_000 }), saleRecord(2, { quantity: -1, kind: 'refund', time: ten + 59 * 60_000 }), saleRecord(3, { sku: 'P2', time: ten + 2 * HOUR + 1 }),
    ]);
    expect(await sink.query('SELECT sku, hour, day, hour_of_day, units FROM sales_by_shop_hour ORDER BY hour')).toEqual([
      { sku: 'P1', hour: '2026-01-01 10:00:00.000', day: '2026-01-01', hour_of_day: 4, units: 4 },
      { sku: 'P2', hour: '2026-01-01 12:00:00.000', day: '2026-01-01', hour_of_day: 6, units: 1 },
    ]);
    expect(await sink.query('SELECT hour_of_day, forecast_units, quantiles, actual_units FROM forecast_hours ORDER BY hour')).toEqual([
      { hour_of_day: 4, forecast_units: 1, quantiles: [2], actual_units: 4 },
      { hour_of_day: 5, forecast_units: 8, quantiles: [16], actual_units: 0 },
      { hour_of_day: 6, forecast_units: 7, quantiles: [14], actual_units: 0 },
      { hour_of_day: 7, forecast_units: 6, quantiles: [12], actual_units: null },
    ]);
  });

  test('triggers are counted by what became of them', async () => {
    const trigger = (offset: number, id: string, status: TriggerStatus, reason: string) =>
      recordOf(marketingTriggers, offset, {
        id, status, reason, rule: 'cart_abandonment', version: 1, shopper: 'u', causeId: 'c', causedAt: 0, at: Date.UTC(2026, 0, 1, 12 + offset), products: [], value: null, currency: null,
      });
    await insert([trigger(1, 'a', 'fired', ''), trigger(2, 'a', 'recovered', ''), trigger(3, 'b', 'fired', ''), trigger(4, 'c', 'suppressed', 'bought')]);
    expect(await sink.query('SELECT * FROM trigger_outcomes')).toEqual([
      { day: '2026-01-01', rule: 'cart_abandonment', fired: '2', recovered: '1', recovered_share: 0.5, suppressed: '1', suppressed_by_reason: { bought: '1' } },
    ]);
  });

  describe('recommendations', () => {
    recommendationOutcomes(() => sink);
  });

  describe('as docs/clickhouse.md says', () => {
    test('limits of a question hold beside its own settings, and rule over them', async () => {
      const ask = (settings: string) => sink.look(bounded(`SELECT number FROM numbers(100001) SETTINGS ${settings}`), new AbortController().signal);
      await expect(ask('max_threads = 1')).rejects.toThrow('Limit for result exceeded');
      expect(await ask('max_result_rows = 0')).toHaveLength(100_001);
    });

    test('an answer is read as JSONEachRow; another FORMAT is refused with what to leave out', async () => {
      const ask = (format: string) => sink.look(`SELECT 7 AS a FORMAT ${format}`, new AbortController().signal);
      expect(await ask('JSONEachRow')).toEqual([{ a: 7 }]);
      for (const format of ['CSV', 'TSV', 'JSON', 'JSONCompactEachRow']) await expect(ask(format)).rejects.toThrow('leave FORMAT out of the statement');
    });

    test('a day view can be built again from the raw rows', async () => {
      await insert([saleRecord(1), saleRecord(2, { orderId: 'O-2' })]);
      const before = await sink.query('SELECT * FROM revenue_by_shop_day');
      const [feed] = await sink.query("SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = 'revenue_by_shop_day_feed'");
      for (let again = 0; again < 2; again++) {
        await sink.query('TRUNCATE TABLE revenue_by_shop_day_state');
        await sink.query(`INSERT INTO revenue_by_shop_day_state ${String(feed?.['as_select'])}`);
        expect(await sink.query('SELECT * FROM revenue_by_shop_day')).toEqual(before);
      }
    });

    test('a table can be dropped, made again and filled again', async () => {
      await insert([saleRecord(1)], 'a');
      const before = await sink.tableId('sales');
      for (const statement of ['DROP TABLE sales', 'DROP VIEW revenue_by_shop_day_feed', 'TRUNCATE TABLE revenue_by_shop_day_state', 'TRUNCATE TABLE schema_migrations']) await sink.query(statement);
      await sink.ensure();
      expect(await sink.tableId('sales')).not.toBe(before);
      expect(await sink.lastOffset('sales', 'sales', 0)).toBeUndefined();
      await insert([saleRecord(1)], 'b');
      expect(await sink.query('SELECT net, orders FROM revenue_by_shop_day')).toEqual([{ net: '20', orders: '1' }]);
    });

    test('a database that other migrations made is refused with what to do, and left as it is', async () => {
      await insert([saleRecord(1)]);
      await sink.query("ALTER TABLE schema_migrations UPDATE checksum = 'of another version' WHERE version = 1 SETTINGS mutations_sync = 2");
      const before = await sink.query('SELECT * FROM schema_migrations ORDER BY version');
      const refusal: unknown = await sink.ensure().catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(ConfigError);
      expect(String(refusal)).toMatch(/made by another version of Millrace.*delete DATA_DIR\/clickhouse.*CLICKHOUSE_DATABASE/s);
      expect(await sink.query('SELECT * FROM schema_migrations ORDER BY version')).toEqual(before);
      expect(await sink.countRows('sales', 'sales', 0, 0, 9)).toBe(1);
      await sink.query('TRUNCATE TABLE schema_migrations');
      await sink.ensure();
    });

    test('rows of a torn block can be deleted', async () => {
      await insert([saleRecord(1), saleRecord(2)]);
      await sink.query('ALTER TABLE sales DELETE WHERE _partition = 0 AND _offset BETWEEN 2 AND 5 SETTINGS mutations_sync = 2');
      expect(await sink.countRows('sales', 'sales', 0, 0, 9)).toBe(1);
    });
  });

  test('an answer loses no digit: 64-bit integers and decimals are strings', async () => {
    expect(await sink.query("SELECT toUInt64(18446744073709551615) AS big, toDecimal64('99999999999999.9999', 4) AS money, 0.5 AS half, toInt32(7) AS small, 'x' AS text;")).toEqual([
      { big: '18446744073709551615', money: '99999999999999.9999', half: 0.5, small: 7, text: 'x' },
    ]);
    expect(await sink.query('SELECT {shopper:String} AS shopper, {n:UInt64} AS n', { shopper: "o'hara\\\n", n: 3 })).toEqual([{ shopper: "o'hara\\\n", n: '3' }]);
  });

  test('a wrong statement is refused for good, with the reason', async () => {
    const refused = await sink.query('SELECT nothing FROM nowhere').catch((error: unknown) => error);
    expect(refused).not.toBeInstanceOf(Unavailable);
    expect(String(refused)).toContain('nowhere');
  });

  test('every table and column says what it is', async () => {
    const silent = "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = '' AND table NOT LIKE '%_feed'";
    expect(await sink.query(silent)).toEqual([]);
    expect(await sink.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND comment = '' AND name NOT LIKE '%_feed'")).toEqual([]);
  });
}
