import { collect, type CollectContext, type CollectedRecord, type Outcome } from '../collect.js';
import { isObject, type Json } from '../fields.js';
import { microsToTime, segmentCall } from '../ga4.js';
import { Logins } from '../logins.js';
import { fileTime, parseTime } from '../times.js';
import { emptySummary, future, refuse, type FileOptions, type FileRecord, type Format, type Summary } from './format.js';
import { jsonLines } from './json-items.js';

function sourced(record: CollectedRecord, source: string, ordinal: number): FileRecord {
  const place = { name: source, ordinal };
  switch (record.topic) {
    case 'clickstream': return { ...record, value: { ...record.value, source: place }, time: record.value.time };
    case 'orders': return { ...record, value: { ...record.value, source: place }, time: record.value.time };
    case 'inventory': case 'catalog': return { ...record, time: record.value.time };
  }
}

/** Lines of JSON, each some calls, which errors name by `list` where it is several; every call takes one ordinal, whether it is understood or not. */
async function* readCalls(text: AsyncIterable<string>, options: FileOptions, summary: Summary, list: 'batch' | 'events', callsOf: (line: unknown) => readonly unknown[]): AsyncGenerator<readonly FileRecord[]> {
  let ordinal = 0;
  const logins = new Logins();
  // A call without an id is known by its place: the same after every replay.
  const context: CollectContext = { get receivedAt() { return options.receivedAt; }, shop: options.shop, scope: 'server', newId: () => `${options.source}:${ordinal}` };
  for await (const items of jsonLines(text)) {
    const records: FileRecord[] = [];
    for (const item of items) {
      const calls = 'value' in item ? callsOf(item.value) : [item];
      for (const [at, call] of calls.entries()) {
        const outcome: Outcome = 'problem' in item
          ? { errors: [item.problem] }
          : withoutFuture(call, collect(call, context), options.receivedAt);
        if ('errors' in outcome) refuse(summary, item.line, calls.length > 1 ? outcome.errors.map((error) => ({ ...error, path: `${list}[${at}]${error.path === '' ? '' : '.'}${error.path}` })) : outcome.errors);
        else {
          summary.read++;
          for (const record of logins.placed(outcome.ok)) records.push(sourced(record, options.source, ordinal));
          logins.written(outcome.ok);
        }
        ordinal++;
      }
    }
    if (records.length > 0) yield records;
  }
}

/** A client's clock that is days ahead is corrected where it sends; in a file nothing says by how much. */
function withoutFuture(call: unknown, outcome: Outcome, readAt: number): Outcome {
  if ('errors' in outcome || !outcome.ok.clamped || !isObject(call)) return outcome;
  const path = (call['timestamp'] ?? null) === null ? 'originalTimestamp' : 'timestamp';
  const time = parseTime(call[path]);
  return time === undefined || fileTime(time, readAt) !== undefined ? outcome : { errors: [future(path, time)] };
}

/** In a file the time of sending says nothing: there is no receipt to compare it with, and exports hold corrected times. */
function withoutSending(call: unknown): unknown {
  if (!isObject(call)) return call;
  const { sentAt: _, ...rest } = call;
  return rest;
}

/** Segment calls, one a line; a line may also be a whole `{batch: […]}`. */
export const segmentNdjson: Format = (text, options) => {
  const summary = emptySummary();
  const callsOf = (line: unknown): readonly unknown[] => (isObject(line) && Array.isArray(line['batch']) ? line['batch'] : [line]).map(withoutSending);
  return { records: readCalls(text, options, summary, 'batch', callsOf), summary };
};

/** `{string_value: "a"} | {int_value: "5"} | …` of GA4's export to BigQuery. */
function exportedValue(value: unknown): unknown {
  if (!isObject(value)) return value;
  return value['string_value'] ?? value['int_value'] ?? value['double_value'] ?? value['float_value'];
}

function exportedParams(list: unknown): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const entry of Array.isArray(list) ? (list as unknown[]) : []) {
    if (isObject(entry) && typeof entry['key'] === 'string' && entry['key'] !== '__proto__') params[entry['key']] = exportedValue(entry['value']);
  }
  return params;
}

/** A row of the BigQuery export as a Segment call: client and user ids, microseconds, params as a list of pairs. */
function exportedCall(row: Json): Json {
  const ecommerce = isObject(row['ecommerce']) ? row['ecommerce'] : {};
  const order = { ...(ecommerce['transaction_id'] !== '(not set)' && { transaction_id: ecommerce['transaction_id'] }), value: ecommerce['purchase_revenue'], shipping: ecommerce['shipping_value'], tax: ecommerce['tax_value'] };
  const given = Object.fromEntries(Object.entries(order).filter(([, value]) => value !== undefined && value !== null));
  const params = { ...given, ...exportedParams(row['event_params']), items: row['items'] };
  return segmentCall(row['event_name'], params, { userId: row['user_id'], anonymousId: row['user_pseudo_id'], timestamp: microsToTime(row['event_timestamp']) });
}

/** GA4: rows of the BigQuery export, or Measurement Protocol payloads, one a line. */
export const ga4Ndjson: Format = (text, options) => {
  const summary = emptySummary();
  const callsOf = (line: unknown): readonly unknown[] => {
    if (!isObject(line)) return [line];
    if (line['event_name'] !== undefined) return [exportedCall(line)];
    const events = line['events'];
    if (!Array.isArray(events)) return [line];
    return events.map((event: unknown) => (isObject(event)
      ? segmentCall(event['name'], isObject(event['params']) ? event['params'] : {}, { userId: line['user_id'], anonymousId: line['client_id'], timestamp: microsToTime(event['timestamp_micros'] ?? line['timestamp_micros']) })
      : event));
  };
  return { records: readCalls(text, options, summary, 'events', callsOf), summary };
};
