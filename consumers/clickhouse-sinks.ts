import type { LogRecord } from '../pipeline/core/log.js';
import type { Row, SinkSpec } from '../pipeline/core/row-sink.js';
import { levelsOf } from '../schemas/categories.js';
import { countedWhenGiven } from '../schemas/recommendation-ids.js';
import * as topics from '../schemas/topics.js';
import type { Topic } from '../schemas/topics.js';
import type { SourcePosition } from '../schemas/types.js';

/**
 * Which topics go to which tables of schemas/clickhouse, and how a record becomes a row. The encoders are total: every
 * record that its codec reads becomes a row, however odd, since one refused row would hold up all that come after it.
 */
const DAY_MS = 86_400_000;
const MOST_DATES = 1_000;
/** DateTime64 holds the years 1900 to 2299. A day less at each end, so that the date is in range in every time zone. */
const EARLIEST = Date.UTC(1900, 0, 2);
const LATEST = Date.UTC(2299, 11, 30);
/** Decimal(18, 4) in ten-thousandths. */
const MOST_MONEY = 10n ** 18n - 1n;

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);

/** Dates that were made lately. Rows come in the order of time, and to make a Date costs more than all the rest of a row. */
const dates = new Map<number, string>();

function dateOf(day: number): string {
  const known = dates.get(day);
  if (known !== undefined) return known;
  if (dates.size >= MOST_DATES) dates.clear();
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  dates.set(day, date);
  return date;
}

const digits = (value: number | bigint, count: number): string => String(value).padStart(count, '0');

/** `2026-01-31 08:15:00.250`, UTC. */
function instant(ms: number): string {
  const time = clamp(ms, EARLIEST, LATEST);
  const day = Math.floor(time / DAY_MS);
  const rest = Math.floor(time - day * DAY_MS);
  const seconds = Math.floor(rest / 1_000);
  const minutes = Math.floor(seconds / 60);
  return `${dateOf(day)} ${digits(Math.floor(minutes / 60), 2)}:${digits(minutes % 60, 2)}:${digits(seconds % 60, 2)}.${digits(rest % 1_000, 3)}`;
}

const localDay = (day: number): string => instant(day * DAY_MS).slice(0, 10);

/** A count of ten-thousandths as a decimal. */
function money(value: bigint): string {
  const size = value < 0n ? -value : value;
  const text = digits(size > MOST_MONEY ? MOST_MONEY : size, 5);
  return `${value < 0n ? '-' : ''}${text.slice(0, -4)}.${text.slice(-4)}`;
}

const moneyOrNull = (value: bigint | null): string | null => (value === null ? null : money(value));

/** JSON has no NaN and no infinities; ClickHouse reads their names. */
const double = (value: number): number | string => (Number.isFinite(value) ? value : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf');

const doubleOrNull = (value: number | null): number | string | null => (value === null ? null : double(value));

/** Columns that every raw table has. */
const common = (record: LogRecord, time: number, receivedAt: number): Row => ({
  time: instant(time),
  time_ms: time,
  received_at: instant(receivedAt),
  _topic: record.topic,
  _partition: record.partition,
  _offset: record.offset,
});

const fromSource = (source: SourcePosition | null): Row => ({ source: source?.name ?? '', ordinal: source?.ordinal ?? null });

/** Made by Millrace itself: it has no file source, and was received when it was written. */
const made = (record: LogRecord, time: number): Row => ({ source: '', ...common(record, time, record.writtenAt) });

const sink = <T>(topic: Topic<T>, row: (value: T, record: LogRecord) => Row): SinkSpec => {
  const table = topic.name.replaceAll('-', '_');
  return { name: `clickhouse-${topic.name}`, topic: topic.name, table, encode: (record) => row(topic.codec.decode(record.value), record) };
};

const interactions = sink(topics.interactions, (event, record) => ({
  shopper: event.shopper,
  anonymous_id: event.anonymousId,
  message_id: event.messageId,
  type: event.type,
  event: event.event,
  session_id: event.sessionId,
  session_start: event.sessionStart,
  'products.sku': event.products.map(({ sku }) => sku),
  'products.price': event.products.map(({ price }) => moneyOrNull(price)),
  'products.quantity': event.products.map(({ quantity }) => doubleOrNull(quantity)),
  'products.position': event.products.map(({ position }) => position),
  cart_id: event.cartId,
  checkout_id: event.checkoutId,
  order_id: event.orderId,
  recommendation_id: event.recommendationId,
  placement: event.placement,
  query: event.query,
  list: event.list,
  currency: event.currency,
  value: moneyOrNull(event.value),
  marketing_consent: event.marketingConsent,
  ...fromSource(event.source),
  ...common(record, event.time, event.receivedAt),
}));

const purchases = sink(topics.purchases, (purchase, record) => ({
  shopper: purchase.shopper,
  order_id: purchase.orderId,
  kind: purchase.kind,
  revenue: money(purchase.revenue),
  currency: purchase.currency,
  'lines.sku': purchase.lines.map(({ sku }) => sku),
  'lines.quantity': purchase.lines.map(({ quantity }) => double(quantity)),
  'lines.price': purchase.lines.map(({ price }) => money(price)),
  cart_id: purchase.cartId,
  recommendation_id: purchase.recommendationId,
  ...fromSource(purchase.source),
  ...common(record, purchase.time, purchase.receivedAt),
}));

const sales = sink(topics.sales, (sale, record) => ({
  sku: sale.sku,
  order_id: sale.orderId,
  line: sale.line,
  kind: sale.kind,
  quantity: double(sale.quantity),
  claimed: double(sale.claimed),
  price: money(sale.price),
  amount: money(sale.amount),
  currency: sale.currency,
  shopper: sale.shopper,
  country: sale.country,
  reported_at: instant(sale.reportedAt),
  ...fromSource(sale.source),
  ...common(record, sale.time, sale.receivedAt),
}));

const forecasts = sink(topics.forecasts, (forecast, record) => ({
  sku: forecast.sku,
  first_day: localDay(forecast.firstDay),
  levels: forecast.levels.map(double),
  mean: forecast.mean.map(double),
  quantiles: forecast.quantiles.map((day) => day.map(double)),
  low: forecast.low.map(double),
  high: forecast.high.map(double),
  'hours.start': forecast.hours.map(({ start }) => instant(start)),
  'hours.mean': forecast.hours.map(({ mean }) => double(mean)),
  'hours.quantiles': forecast.hours.map(({ quantiles }) => quantiles.map(double)),
  model: forecast.model,
  demand_class: forecast.demandClass,
  categories: forecast.category === null ? [] : levelsOf(forecast.category).reverse(),
  'short.day': forecast.shortDays.map(({ day }) => localDay(day)),
  'short.on_sale': forecast.shortDays.map(({ onSale }) => double(onSale)),
  ...made(record, forecast.madeAt),
}));

const reorderSuggestions = sink(topics.reorderSuggestions, (suggestion, record) => ({
  sku: suggestion.sku,
  day: localDay(suggestion.day),
  units: double(suggestion.units),
  up_to: double(suggestion.upTo),
  stock: double(suggestion.stock),
  on_order: double(suggestion.onOrder),
  service_level: double(suggestion.serviceLevel),
  lead_time_days: double(suggestion.leadTimeDays),
  lead_time_deviation_days: double(suggestion.leadTimeDeviationDays),
  review_days: double(suggestion.reviewDays),
  demand: double(suggestion.demand),
  'reasons.code': suggestion.reasons.map(({ code }) => code),
  'reasons.text': suggestion.reasons.map(({ text }) => text),
  model: suggestion.model,
  policy: suggestion.policy,
  ...made(record, suggestion.madeAt),
}));

const marketingTriggers = sink(topics.marketingTriggers, (trigger, record) => ({
  id: trigger.id,
  status: trigger.status,
  rule: trigger.rule,
  version: trigger.version,
  shopper: trigger.shopper,
  cause_id: trigger.causeId,
  caused_at: instant(trigger.causedAt),
  reason: trigger.reason,
  'products.sku': trigger.products.map(({ sku }) => sku),
  'products.name': trigger.products.map(({ name }) => name),
  'products.url': trigger.products.map(({ url }) => url),
  'products.quantity': trigger.products.map(({ quantity }) => doubleOrNull(quantity)),
  'products.price': trigger.products.map(({ price }) => moneyOrNull(price)),
  'products.stock': trigger.products.map(({ stock }) => doubleOrNull(stock)),
  value: moneyOrNull(trigger.value),
  currency: trigger.currency,
  ...made(record, trigger.at),
}));

const recommendations = sink(topics.recommendations, (answer, record) => ({
  recommendation_id: answer.recommendationId,
  shopper: answer.shopper,
  placement: answer.placement,
  model: answer.model,
  stale: answer.stale,
  shown: countedWhenGiven(answer.recommendationId) !== false,
  'items.sku': answer.items.map(({ sku }) => sku),
  'items.score': answer.items.map(({ score }) => double(score)),
  'items.reason': answer.items.map(({ reason }) => reason),
  'items.propensity': answer.items.map(({ propensity }) => double(propensity)),
  ...made(record, answer.time),
}));

const deadLetters = sink(topics.deadLetters, (letter, record) => ({
  id: letter.id,
  code: letter.code,
  message: letter.message,
  consumer: letter.consumer,
  topic: letter.topic,
  partition: letter.partition,
  offset: letter.offset,
  key_base64: letter.key?.toString('base64') ?? null,
  value_base64: letter.value?.toString('base64') ?? null,
  stack: letter.stack,
  ...made(record, letter.at),
}));

/** Every clean log that analysts read, one sink each. */
export const clickhouseSinks: readonly SinkSpec[] = [interactions, purchases, sales, forecasts, reorderSuggestions, marketingTriggers, recommendations, deadLetters];
