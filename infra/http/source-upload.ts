import { catalog, clickstream, inventory, orders, type Topic } from '../../schemas/topics.js';
import { UndecodableError } from '../../schemas/codec.js';
import type { ShopEvent } from '../../schemas/types.js';
import type { NewRecord } from '../../pipeline/core/log.js';
import { partitionOf } from '../../pipeline/core/partition.js';
import { keyOf as shopperKey } from '../../producers/collect.js';
import { isObject, type Errors } from '../../producers/fields.js';
import { parseJson, readBody } from './body.js';
import type { Exchange, House } from './exchange.js';
import { encodeToken } from './position-token.js';
import { badRequest } from './problem.js';

const MAX_BYTES = 8 * 1024 * 1024;
/** Wrong records that an answer names. */
const MAX_LISTED = 100;
const TOPICS: ReadonlyMap<unknown, Topic> = new Map<unknown, Topic>([clickstream, orders, inventory, catalog].map((topic) => [topic.name, topic as Topic]));

/** A decoded record of any of them: its key and its place in a file, as far as it has them. */
type Sourced = { readonly source?: { readonly name: string } | null; readonly restored?: object | null; readonly orderId?: unknown; readonly sku?: unknown };

const keyOf = (value: Sourced, topic: Topic): unknown => {
  switch (topic.key) {
    case 'shopper': return shopperKey(value as ShopEvent);
    case 'order': return value.orderId;
    case 'sku': return value.sku;
    case 'id': return undefined;
  }
};

/** What is wrong with one record of a file source, or the record for the log. */
function recordOf(item: unknown, source: string, partitions: number): NewRecord | string {
  if (!isObject(item)) return 'A record must be {topic, key, value}.';
  const { topic: name, key, value } = item;
  const topic = TOPICS.get(name);
  if (!topic) return 'The topic must be clickstream, orders, inventory or catalog.';
  if (typeof key !== 'string' || typeof value !== 'string') return 'key must be a text and value framed Avro in base64.';
  const bytes = Buffer.from(value, 'base64');
  try {
    const decoded = topic.codec.decode(bytes) as Sourced;
    // Of stock and products the latest counts, however often it is told.
    if (topic !== inventory && topic !== catalog && decoded.source?.name !== source && !decoded.restored) return `The record must name ${source} as its source, or its repetition would not be recognised.`;
    if (keyOf(decoded, topic) !== key) return 'The key must be the one that the record names.';
  } catch (error) {
    if (error instanceof UndecodableError) return error.message;
    throw error;
  }
  return { topic: topic.name, partition: partitionOf(key, partitions), key, value: bytes };
}

/**
 * Records of a replayed file: `{records: [{topic, key, value}]}`, value being framed Avro in base64. All or none are
 * taken; the sender repeats an unanswered batch unchanged, and (source, ordinal) makes the repetition harmless.
 */
export async function uploadSource(house: House, { request }: Exchange, source: string): Promise<object> {
  const body = parseJson(await readBody(request, MAX_BYTES, house.budget));
  const items = isObject(body) ? body['records'] : undefined;
  if (!Array.isArray(items)) throw badRequest([{ path: 'records', code: 'required', message: 'Send {records: [{topic, key, value}]}.' }]);
  const records: NewRecord[] = [];
  const errors: Errors = [];
  items.forEach((item: unknown, index) => {
    const record = recordOf(item, source, house.deps.partitions);
    if (typeof record !== 'string') records.push(record);
    else if (errors.length < MAX_LISTED) errors.push({ path: `records[${index}]`, code: 'wrong_type', message: record });
  });
  if (errors.length > 0) throw badRequest(errors);
  await house.deps.inStep?.(source, records);
  const positions = records.length === 0 ? [] : await house.deps.accept(records);
  house.deps.metrics.count('millrace_events_accepted_total', { source: 'file' }, records.length);
  return { accepted: records.length, token: encodeToken(positions) };
}
