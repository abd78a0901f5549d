import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clickhouseSinks } from '../../consumers/clickhouse-sinks.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import { statements, migrations } from '../../infra/clickhouse/migrations.js';
import { deadLetters, forecasts, marketingTriggers, purchases, recommendations } from '../../schemas/topics.js';
import { interactionRecord, recordOf, saleRecord, sinkOf } from '../contract/clickhouse-records.js';

const rowOf = (record: LogRecord) => sinkOf({ name: record.topic }).encode(record);
const place = { _partition: 0, _offset: 7 };
const NOON = Date.UTC(2026, 0, 1, 12);

test('every clean log goes to the table of its name', () => {
  expect(clickhouseSinks.map(({ topic, table }) => [topic, table])).toEqual([
    ['interactions', 'interactions'], ['purchases', 'purchases'], ['sales', 'sales'], ['forecasts', 'forecasts'],
    ['reorder-suggestions', 'reorder_suggestions'], ['marketing-triggers', 'marketing_triggers'], ['recommendations', 'recommendations'], ['dead-letters', 'dead_letters'],
  ]);
});

test('a sale becomes a row with exact money, its file source and both times', () => {
  const record = saleRecord(7, { amount: -2_550_001n, price: 10n, quantity: -0.5, claimed: -0.25, source: { name: 'uci', ordinal: 41 }, receivedAt: NOON + 250, time: -1 });
  expect(rowOf(record)).toEqual({
    sku: 'P1', order_id: 'O-1', line: 0, kind: 'sale', quantity: -0.5, claimed: -0.25, price: '0.0010', amount: '-255.0001', currency: 'EUR', shopper: null, country: null,
    reported_at: '2026-01-01 12:00:00.000', source: 'uci', ordinal: 41, time: '1969-12-31 23:59:59.999', time_ms: -1,
    received_at: '2026-01-01 12:00:00.250', _topic: 'sales', ...place,
  });
});

test('any time is written as ISO 8601 has it, and one that DateTime64 cannot hold as the nearest that it can', () => {
  const times = fc.oneof(fc.integer({ min: Date.UTC(1900, 0, 2), max: Date.UTC(2299, 11, 30) }), fc.integer({ min: NOON - 100_000_000, max: NOON + 100_000_000 }));
  fc.assert(fc.property(times, (time) => {
    expect(rowOf(saleRecord(7, { time })).time).toBe(new Date(time).toISOString().replace('T', ' ').replace('Z', ''));
  }));
  expect([-(2 ** 51), 2 ** 51].map((time) => rowOf(saleRecord(7, { time })).time)).toEqual(['1900-01-02 00:00:00.000', '2299-12-30 00:00:00.000']);
});

test('an interaction carries its products as arrays of one length', () => {
  const record = interactionRecord(7, { products: [{ sku: 'a', price: null, quantity: 2, position: null, name: null }, { sku: 'b', price: 5n, quantity: null, position: 3, name: null }], value: 0n });
  expect(rowOf(record)).toMatchObject({
    'products.sku': ['a', 'b'], 'products.price': [null, '0.0005'], 'products.quantity': [2, null], 'products.position': [null, 3], value: '0.0000', source: '', ordinal: null,
  });
});

test('a purchase carries its lines', () => {
  const record = recordOf(purchases, 7, {
    known: true, shopper: 'u1', orderId: 'O-1', kind: 'refunded', time: NOON, receivedAt: NOON, currency: 'EUR', revenue: -1n,
    lines: [{ sku: 'a', quantity: -1, price: 1n }], cartId: null, recommendationId: 'r1', source: null,
  });
  expect(rowOf(record)).toMatchObject({ kind: 'refunded', revenue: '-0.0001', 'lines.sku': ['a'], 'lines.quantity': [-1], 'lines.price': ['0.0001'], recommendation_id: 'r1' });
});

test('a forecast keeps days as days, and numbers that JSON has no name for', () => {
  const record = recordOf(forecasts, 7, { sku: 'P1', madeAt: NOON, firstDay: 20_455, levels: [0.5], mean: [1.5, Infinity], quantiles: [[1], [NaN]], low: [0], high: [2], model: 'm/1', demandClass: 'slow', category: 'Home > Kitchen', shortDays: [{ day: 20_453, onSale: 0.25 }, { day: 20_454, onSale: NaN }], hours: [{ start: NOON, mean: 0.5, quantiles: [NaN] }] });
  expect(rowOf(record)).toEqual({
    sku: 'P1', first_day: '2026-01-02', levels: [0.5], mean: [1.5, 'inf'], quantiles: [[1], ['nan']], low: [0], high: [2], model: 'm/1', demand_class: 'slow', source: '',
    categories: ['Home', 'Home > Kitchen'], 'short.day': ['2025-12-31', '2026-01-01'], 'short.on_sale': [0.25, 'nan'],
    'hours.start': ['2026-01-01 12:00:00.000'], 'hours.mean': [0.5], 'hours.quantiles': [['nan']],
    time: '2026-01-01 12:00:00.000', time_ms: NOON, received_at: '2026-01-15 00:00:00.000', _topic: 'forecasts', ...place,
  });
});

test('a trigger and a recommendation carry their products', () => {
  const trigger = recordOf(marketingTriggers, 7, {
    id: 't', status: 'fired', rule: 'back_in_stock', version: 1, shopper: 'u', causeId: 'c', causedAt: NOON, at: NOON + 1, reason: 'It is back.',
    products: [{ sku: 'a', name: null, url: null, quantity: null, price: 1n, stock: 5 }], value: null, currency: null,
  });
  expect(rowOf(trigger)).toMatchObject({ status: 'fired', caused_at: '2026-01-01 12:00:00.000', time: '2026-01-01 12:00:00.001', 'products.stock': [5], 'products.price': ['0.0001'] });
  const answer = recordOf(recommendations, 7, {
    recommendationId: 'r', shopper: 'u', placement: null, time: NOON, model: 'm', stale: true, items: [{ sku: 'a', score: 0.25, reason: 'trending', propensity: 1 }], featureSet: '', features: Buffer.alloc(0),
  });
  expect(rowOf(answer)).toMatchObject({ stale: true, shown: true, 'items.sku': ['a'], 'items.score': [0.25], 'items.reason': ['trending'] });
});

test('a dead letter keeps its bytes, whatever they are', () => {
  const record = recordOf(deadLetters, 7, {
    id: 'clickstream/0/3', code: 'undecodable', message: 'No.', consumer: 'shoppers', topic: 'clickstream', partition: 0, offset: 3,
    key: null, value: Buffer.from([0, 255, 10]), at: NOON, stack: null, claim: null,
  });
  expect(rowOf(record)).toMatchObject({ key_base64: null, value_base64: 'AP8K', topic: 'clickstream', offset: 3, _topic: 'dead-letters', _offset: 7 });
});

test('a row has exactly the columns of its table', () => {
  const tables = migrations().flatMap((migration) => statements(migration, { database: 'd', shopTimeZone: 'UTC' }));
  const samples = [interactionRecord(1), saleRecord(1)];
  for (const record of samples) {
    const table = sinkOf({ name: record.topic }).table;
    const text = tables.find((statement) => statement.startsWith(`CREATE TABLE IF NOT EXISTS d.${table} `))!;
    const columns = [...text.matchAll(/^ {2}`?([a-z_.]+)`? +\S.*COMMENT/gm)].map((match) => match[1]);
    expect(Object.keys(rowOf(record)).sort()).toEqual(columns.sort());
  }
});
