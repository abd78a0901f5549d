import { collect, type CollectContext, type Outcome } from './collect.js';
import { isObject, type FieldError, type Json } from './fields.js';
import type { BatchOutcome } from './batch.js';
import { ga4Names } from './vocabulary.js';

/** What Google's own endpoint takes in one request. */
const MAX_EVENTS = 25;

/** GA4's names of an item's fields and ours. `item_id` is a SKU by any other name. */
const ITEM_FIELDS: ReadonlyMap<string, string> = new Map([
  ['item_id', 'product_id'], ['item_name', 'name'], ['item_category', 'category'], ['item_brand', 'brand'],
  ['item_variant', 'variant'], ['price', 'price'], ['quantity', 'quantity'], ['index', 'position'],
]);
const PARAM_FIELDS: ReadonlyMap<string, string> = new Map([
  ['transaction_id', 'order_id'], ['search_term', 'query'], ['item_list_id', 'list_id'], ['item_list_name', 'list'],
  ['items', 'products'], ['page_location', 'url'], ['page_referrer', 'referrer'],
]);
/** Names on the way back: an error names the field as the client wrote it. */
const CLIENT_NAMES: ReadonlyMap<string, string> = new Map(
  [...ITEM_FIELDS, ...PARAM_FIELDS].map(([theirs, ours]) => [ours, theirs]),
);

function renamed(from: Json, names: ReadonlyMap<string, string>): Record<string, unknown> {
  const to: Record<string, unknown> = {};
  for (const name in from) if (name !== '__proto__') to[names.get(name) ?? name] = from[name];
  return to;
}

/** GA4 microseconds (a number or digits) as ISO time; anything else is passed on to be refused. */
export function microsToTime(micros: unknown): unknown {
  const value = typeof micros === 'string' && /^\d{1,17}$/.test(micros) ? Number(micros) : micros;
  return typeof value === 'number' ? Math.floor(value / 1000) : (value ?? undefined);
}

/** A GA4 event as a Segment call. What is not understood is passed on as it is, so that it is refused by name. */
export function segmentCall(name: unknown, params: Json, envelope: Json): Json {
  const properties = renamed(params, PARAM_FIELDS);
  const items = params['items'];
  if (Array.isArray(items)) properties['products'] = items.map((item: unknown) => (isObject(item) ? renamed(item, ITEM_FIELDS) : item));
  const event = typeof name === 'string' ? (ga4Names.get(name) ?? name) : name;
  const call = { ...envelope, properties, context: { page: { url: params['page_location'], referrer: params['page_referrer'] } } };
  return event === 'page_view' ? { ...call, type: 'page', name: params['page_title'] } : { ...call, type: 'track', event };
}

/** `properties.products[0].price` → `params.items[0].price`. */
function clientPath(path: string, index: number): string {
  const names = path.replace(/^properties\b/, 'params').replace(/[a-z_]+/g, (name) => (name === 'product_id' ? 'item_id' : (CLIENT_NAMES.get(name) ?? name)));
  switch (path) {
    case 'userId': return 'user_id';
    case 'anonymousId': return 'client_id';
    case 'timestamp': return `events[${index}].timestamp_micros`;
    case 'event': return `events[${index}].name`;
    default: return `events[${index}].${names}`;
  }
}

/** What a message says in Segment's terms, in Google's. */
function clientMessage({ path, code, message }: FieldError): string {
  if (path === 'timestamp' && code === 'invalid_time') return 'This must be a number of microseconds since 1970.';
  if (path === 'userId' && code === 'required') return 'A request needs a client_id or a user_id.';
  return message.replace('is in seconds instead of milliseconds', 'is not in microseconds');
}

const inClientNames = (outcome: Outcome, index: number): Outcome =>
  'ok' in outcome ? outcome : { errors: outcome.errors.map((error) => ({ ...error, path: clientPath(error.path, index), message: clientMessage(error) })) };

/** The Segment call that an event of a request says; what is no event stays what it is. */
function callOf(event: unknown, body: Json): unknown {
  if (!isObject(event)) return event;
  const params = event['params'];
  return segmentCall(event['name'], isObject(params) ? params : {}, {
    anonymousId: body['client_id'],
    userId: body['user_id'],
    timestamp: microsToTime(event['timestamp_micros'] ?? body['timestamp_micros']),
  });
}

/** Read a GA4 Measurement Protocol request: `{client_id, user_id, timestamp_micros, events: [{name, params}]}`. */
export function collectGa4(body: unknown, context: CollectContext): BatchOutcome {
  if (!isObject(body)) return { errors: [{ path: '', code: 'not_an_object', message: 'A request must be a JSON object.' }] };
  const events = body['events'];
  if (!Array.isArray(events)) {
    return { errors: [{ path: 'events', code: events === undefined ? 'required' : 'wrong_type', message: 'This must be a list of events.' }] };
  }
  const errors: FieldError[] = [];
  if (events.length > MAX_EVENTS) errors.push({ path: 'events', code: 'too_many', message: `A request holds at most ${MAX_EVENTS} events; this one has ${events.length}.` });
  if (errors.length > 0) return { errors };
  const outcomes = events.map((event: unknown, index): Outcome => {
    if (!isObject(event)) return { errors: [{ path: `events[${index}]`, code: 'not_an_object', message: 'An event must be an object.' }] };
    if (!isObject(event['params'] ?? {})) return { errors: [{ path: `events[${index}].params`, code: 'not_an_object', message: 'This must be an object.' }] };
    return inClientNames(collect(callOf(event, body), { ...context, type: undefined }), index);
  });
  const callAt = (index: number): unknown => callOf(events[index], body);
  return { callAt, bareCallAt: callAt, outcomes };
}
