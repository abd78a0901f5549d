import fc from 'fast-check';
import type { LogRecord } from '../../pipeline/core/log.js';
import { allTopics } from '../../schemas/topics.js';

/** What is used of a compiled Avro type. */
interface AvroShape {
  readonly typeName: string;
  readonly fields?: readonly { readonly name: string; readonly type: AvroShape }[];
  readonly itemsType?: AvroShape;
  readonly types?: readonly AvroShape[];
  readonly symbols?: readonly string[];
}

/** Of the codec, not of Avro. */
const MOST = 2 ** 52 - 1;
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', '\0', 'a\0b', '🛒🧵', "'", '"', '\\', '\n\t', '\u2028', 'null', 'nan', '𝕏'.repeat(200), '{"a":[1'));
const long = fc.oneof(fc.integer(), fc.maxSafeInteger().filter((n) => Math.abs(n) < MOST), fc.constantFrom(-62_135_596_800_000, 253_402_300_799_999, MOST, -MOST, 0, -1));
const decimal = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(0n, -1n, 10n ** 18n, -(2n ** 63n)));

/** Any value of an Avro type, the ends of its range included. */
function anyValue(type: AvroShape): fc.Arbitrary<unknown> {
  switch (type.typeName) {
    case 'null': return fc.constant(null);
    case 'boolean': return fc.boolean();
    case 'int': return fc.oneof(fc.integer(), fc.constantFrom(2 ** 31 - 1, -(2 ** 31)));
    case 'long': case 'logical:timestamp-millis': return long;
    case 'logical:decimal': return decimal;
    case 'double': return fc.double();
    case 'string': return text;
    case 'bytes': return fc.uint8Array().map((bytes) => Buffer.from(bytes));
    case 'enum': return fc.constantFrom(...type.symbols!);
    case 'array': return fc.array(anyValue(type.itemsType!), { maxLength: 5 });
    case 'record': return fc.record(Object.fromEntries(type.fields!.map((field) => [field.name, anyValue(field.type)])));
    default:
      if (type.types) return fc.oneof(...type.types.map(anyValue));
      throw new Error(`No values are known for Avro's ${type.typeName}.`);
  }
}

/** Any record of a topic that its codec can write. */
export function anyRecord(topicName: string): fc.Arbitrary<LogRecord> {
  const topic = allTopics.find(({ name }) => name === topicName)!;
  return fc.tuple(anyValue(topic.codec.type as unknown as AvroShape), fc.nat()).map(([value, offset]) => ({
    topic: topicName, partition: 0, offset, key: 'key', value: topic.codec.encode(value), tick: null, writtenAt: Date.UTC(2026, 0, 15),
  }));
}
