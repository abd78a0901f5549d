import { clickhouseSinks } from '../../consumers/clickhouse-sinks.js';
import type { LogRecord } from '../../pipeline/core/log.js';
import { JsonLines } from '../../pipeline/core/json-lines.js';
import type { SinkSpec } from '../../pipeline/core/row-sink.js';
import { interactions, sales } from '../../schemas/topics.js';
import type { Topic } from '../../schemas/topics.js';
import type { Interaction, Sale } from '../../schemas/types.js';

/** The sink of a topic, as it runs. */
export function sinkOf(topic: Topic<never> | { readonly name: string }): SinkSpec {
  const found = clickhouseSinks.find((spec) => spec.topic === topic.name);
  if (!found) throw new Error(`No sink carries ${topic.name}.`);
  return found;
}

/** A committed record as the log hands it out: encoded and read back. */
export const recordOf = <T>(topic: Topic<T>, offset: number, value: T, partition = 0): LogRecord => ({
  topic: topic.name, partition, offset, key: 'key', value: topic.codec.encode(value), tick: null, writtenAt: Date.UTC(2026, 0, 15),
});

/** Rows of records as a sink inserts them. */
export function blockOf(records: readonly LogRecord[]): { columns: string[]; lines: readonly Buffer[] } {
  const rows = records.map((record) => sinkOf({ name: record.topic }).encode(record));
  const lines = new JsonLines();
  for (const row of rows) lines.add(row);
  return { columns: Object.keys(rows[0] ?? {}), lines: lines.pieces() };
}

export const sale = (over: Partial<Sale> = {}): Sale => ({
  sku: 'P1', orderId: 'O-1', line: 0, kind: 'sale', time: Date.UTC(2026, 0, 1, 12), reportedAt: Date.UTC(2026, 0, 1, 12), receivedAt: Date.UTC(2026, 0, 1, 12),
  quantity: 1, price: 200_000n, amount: 200_000n, currency: 'EUR', shopper: null, country: null, source: null, claimed: 0, ...over,
});

export const interaction = (over: Partial<Interaction> = {}): Interaction => ({
  shopper: 'u1', known: false, anonymousId: null, messageId: 'm1', type: 'track', event: 'Product Viewed', time: Date.UTC(2026, 0, 1, 12), receivedAt: Date.UTC(2026, 0, 1, 12),
  sessionId: 's1', sessionStart: true, products: [], cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null, query: null,
  list: null, currency: null, value: null, marketingConsent: null, timezone: null, recent: [], continues: null, refused: false, source: null, ...over,
});

export const saleRecord = (offset: number, over: Partial<Sale> = {}): LogRecord => recordOf(sales, offset, sale(over));
export const interactionRecord = (offset: number, over: Partial<Interaction> = {}): LogRecord => recordOf(interactions, offset, interaction(over));
