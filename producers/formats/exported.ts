/**
 * Lines of `millrace export events`: records of the source topics as they stood in another log, in JSON by the field names of their
 * schemas. What a line lacks has the schema's default, and what the schema lacks is left out, so that other versions' exports can be read.
 */
import type { RecordSchema } from '../../schemas/files.js';
import { formatMoney } from '../../schemas/money.js';
import { catalog, clickstream, inventory, orders, type Topic } from '../../schemas/topics.js';
import type { ShopEvent } from '../../schemas/types.js';
import { keyOf as shopperKey } from '../collect.js';
import { isObject, type FieldError } from '../fields.js';
import { parseMoney } from '../money.js';
import { emptySummary, refuse, type FileRecord, type Format, type Summary } from './format.js';
import { jsonLines } from './json-items.js';

/** Topics that are exported: all that is told from outside. */
export const exportedTopics = [catalog, inventory, clickstream, orders] as const;

type Avro = string | readonly Avro[] | { readonly type: Avro; readonly items?: Avro; readonly fields?: RecordSchema['fields']; readonly logicalType?: string };

/** A record of a source topic as one line. Money is text, since a float is none. */
export const exportedLine = (topic: Topic, value: unknown): string =>
  `${JSON.stringify({ topic: topic.name, value }, (_, field: unknown) => (typeof field === 'bigint' ? formatMoney(field) : field))}\n`;

/** JSON with money as text, as the schema's codec takes it. What does not fit stays as it is, and the codec refuses it. */
function revived(avro: Avro, json: unknown): unknown {
  if (typeof avro === 'string') return json;
  if ('length' in avro) return json === null ? null : revived(avro.find((type) => type !== 'null')!, json);
  if (avro.logicalType === 'decimal') return typeof json === 'string' ? parseMoney(json) : json;
  if (avro.type === 'array') return Array.isArray(json) ? json.map((item) => revived(avro.items!, item)) : json;
  if (avro.type !== 'record') return typeof avro.type === 'string' ? json : revived(avro.type, json);
  if (!isObject(json)) return json;
  return Object.fromEntries(avro.fields!.map(({ name, type, default: fallback }) => [name, json[name] === undefined ? fallback : revived(type as Avro, json[name])]));
}

function recordOf(line: unknown): FileRecord | FieldError {
  const { topic: name, value: json } = isObject(line) ? line : {};
  const topic: Topic | undefined = exportedTopics.find((candidate) => candidate.name === name);
  if (!topic) return { path: 'topic', code: 'unknown_type', message: `The topic must be ${exportedTopics.map((one) => one.name).join(', ')}: is this no file of millrace export events?` };
  const value = revived(topic.codec.schema as Avro, json);
  const wrong = misfit(topic, value);
  if (wrong !== undefined) return { path: wrong === '' ? 'value' : `value.${wrong}`, code: 'wrong_type', message: `This is not what the schema ${topic.codec.name} has here.` };
  const record = { topic: topic.name, key: keyOf(topic, value as Keyed), value, time: (value as Keyed).time } as FileRecord;
  if ((record.topic === 'clickstream' || record.topic === 'orders') && record.value.restored === null) {
    return { path: 'value.restored', code: 'required', message: 'Without its place in the log that it comes from, it would count again with each replay.' };
  }
  return record;
}

type Keyed = ShopEvent & { readonly orderId: string; readonly sku: string };

/** As this version keys it, whatever the exporting one did. */
const keyOf = (topic: Topic, value: Keyed): string => (topic.key === 'shopper' ? shopperKey(value) : topic.key === 'order' ? value.orderId : value.sku);

/** The path of what does not fit a topic's schema. */
function misfit({ codec }: Topic, value: unknown): string | undefined {
  let wrong: string | undefined;
  try {
    if (codec.type.isValid(value, { errorHook: (path) => { wrong ??= path.join('.'); } })) return undefined;
  } catch {
    // A number that no long holds exactly is thrown by its type.
  }
  return wrong ?? '';
}

async function* read(text: AsyncIterable<string>, summary: Summary): AsyncGenerator<readonly FileRecord[]> {
  for await (const items of jsonLines(text)) {
    const records: FileRecord[] = [];
    for (const item of items) {
      const record = 'problem' in item ? item.problem : recordOf(item.value);
      if ('code' in record) refuse(summary, item.line, [record]);
      else {
        summary.read++;
        records.push(record);
      }
    }
    if (records.length > 0) yield records;
  }
}

/** What `millrace export events` has written, of this version or another. */
export const millraceNdjson: Format = (text) => {
  const summary = emptySummary();
  return { records: read(text, summary), summary };
};
