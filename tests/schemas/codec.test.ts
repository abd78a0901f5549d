import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from '../../schemas/avro.js';
import { allCodecs, codec, learnSchema, schemaIdOf, UndecodableError } from '../../schemas/codec.js';
import { currentSchemas, frozenSchemas, type RecordSchema } from '../../schemas/files.js';
import { amountOf } from '../../schemas/money.js';
import { allTopics, marketingTriggers, sales } from '../../schemas/topics.js';
import type { Sale, Timer, Watermark } from '../../schemas/types.js';
import { decimalsIn, recordsIn, valuesOf, type Avro } from './records.js';

const asAvro = (schema: RecordSchema): Avro => schema as unknown as Avro;

const sale: Sale = {
  sku: 'P1', orderId: 'O-1', line: 0, kind: 'sale', time: 1, reportedAt: 2, receivedAt: 3, quantity: 2, price: 129_900n, amount: 259_800n,
  currency: 'EUR', shopper: null, country: null, source: null, claimed: 0,
};

function codeOf(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof UndecodableError) return error.code;
    throw error;
  }
  return 'decoded';
}

describe.each(allCodecs().map(({ name, schema }) => ({ name, schema })))('$name', ({ name, schema }) => {
  test('comes back as it went in, framed as Confluent frames it', () => {
    const { encode, decode, id } = bound(name);
    fc.assert(fc.property(valuesOf(asAvro(schema)), (value) => {
      const bytes = encode(value);
      expect(schemaIdOf(bytes)).toBe(id);
      expect(decode(bytes)).toEqual(value);
    }), { numRuns: 30 });
  });

  test('is documented, and so are all its fields', () => {
    const documented = (doc: string | undefined): boolean => doc !== undefined && /^\S.*\.$/s.test(doc);
    const silent = recordsIn(asAvro(schema)).flatMap(({ name, doc, fields = [] }) => [
      ...(documented(doc) ? [] : [name]),
      ...fields.filter((field) => !documented(field.doc)).map((field) => `${name}.${field.name}`),
    ]);
    expect(silent).toEqual([]);
  });

  test('has money as decimal(18, 4) only', () => {
    expect(decimalsIn(asAvro(schema)).filter(({ precision, scale }) => precision !== 18 || scale !== 4)).toEqual([]);
  });
});

function bound(name: string): { id: number; encode: (value: unknown) => Buffer; decode: (bytes: Buffer | null) => unknown } {
  const found = codec<unknown>(name);
  return { id: found.id, encode: (value) => found.encode(value), decode: (bytes) => found.decode(bytes) };
}

describe('money', () => {
  test.each([0n, 1n, -1n, 127n, 128n, -128n, -129n, 255n, 256n, 10n ** 18n - 1n, 1n - 10n ** 18n, 97_477_479_300n])('%s ten-thousandths stay exactly that', (price) => {
    expect(sales.codec.decode(sales.codec.encode({ ...sale, price })).price).toBe(price);
  });

  test('is big-endian two’s complement in the fewest bytes, as Avro says: any client reads it', () => {
    const bytesOf = (value: bigint): string => {
      const some = sales.codec.encode({ ...sale, price: value });
      const other = sales.codec.encode({ ...sale, price: 0n });
      // The field is a length and that many bytes; everything before it is equal.
      const from = some.findIndex((byte, index) => byte !== other[index]);
      return some.subarray(from).toString('hex');
    };
    expect(bytesOf(127n)).toMatch(/^7f/);
    expect(bytesOf(128n)).toMatch(/^040080/);
    expect(bytesOf(-129n)).toMatch(/^04ff7f/);
  });

  test('that does not fit is refused, and so is a float', () => {
    expect(() => sales.codec.encode({ ...sale, price: 2n ** 63n })).toThrow(/invalid/);
    expect(() => sales.codec.encode({ ...sale, price: 12.99 as unknown as bigint })).toThrow(/invalid/);
  });

  test('times a whole quantity is exact, times a fraction it is rounded half away from zero', () => {
    expect(amountOf(1n, 3)).toBe(3n);
    expect(amountOf(129_900n, -2)).toBe(-259_800n);
    expect(amountOf(1n, 0.5)).toBe(1n);
    expect(amountOf(-1n, 0.5)).toBe(-1n);
    expect(amountOf(10_000n, 1.2345)).toBe(12_345n);
    fc.assert(fc.property(fc.bigInt(-(10n ** 12n), 10n ** 12n), fc.integer({ min: -10_000, max: 10_000 }), (price, quantity) => {
      expect(amountOf(price, quantity)).toBe(price * BigInt(quantity));
      expect(amountOf(-price, quantity)).toBe(-amountOf(price, quantity));
    }));
  });
});

describe('bytes that are no record', () => {
  const bytes = sales.codec.encode(sale);
  const withId = (id: number): Buffer => {
    const changed = Buffer.from(bytes);
    changed.writeInt32BE(id, 1);
    return changed;
  };

  test.each([
    { what: 'no value at all', value: null, code: 'tombstone' },
    { what: 'another first byte', value: Buffer.concat([Buffer.from([1]), bytes.subarray(1)]), code: 'wrong_magic_byte' },
    { what: 'fewer bytes than a header', value: bytes.subarray(0, 4), code: 'wrong_magic_byte' },
    { what: 'JSON', value: Buffer.from('{"sku":"P1"}'), code: 'wrong_magic_byte' },
    { what: 'a schema id that nobody gave', value: withId(2_000_000_000), code: 'unknown_schema' },
    { what: 'the schema id of another record', value: withId(marketingTriggers.codec.id), code: 'undecodable' },
    { what: 'a header and nothing', value: bytes.subarray(0, 5), code: 'undecodable' },
    { what: 'an end that is missing', value: bytes.subarray(0, bytes.length - 3), code: 'undecodable' },
  ])('$what: $code', ({ value, code }) => {
    expect(codeOf(() => sales.codec.decode(value))).toBe(code);
  });

  test('are told apart whatever they are: decoding answers a record or a code', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, framed) => {
      const value = framed ? Buffer.concat([bytes.subarray(0, 5), noise]) : Buffer.from(noise);
      expect(['decoded', 'wrong_magic_byte', 'unknown_schema', 'undecodable']).toContain(codeOf(() => sales.codec.decode(value)));
    }), { numRuns: 200 });
  });
});

describe('a whole number', () => {
  /** Avro's zigzag of any 64-bit number, as another client writes it. */
  const zigzag = (value: bigint): Buffer => {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return Buffer.from([...bytes, Number(rest)]);
  };
  const watermark = codec<Watermark>('Watermark');
  const timer = codec<Timer>('Timer');
  const beyond = fc.oneof(fc.bigInt(2n ** 52n, 2n ** 63n - 1n), fc.bigInt(-(2n ** 63n), -(2n ** 52n)));

  test('beyond ±2^52 is refused when it is read, with the number and not rounded', () => {
    fc.assert(fc.property(beyond, (value) => {
      expect(codeOf(() => watermark.decode(Buffer.concat([watermark.encode({ next: 0 }).subarray(0, 5), zigzag(value)])))).toBe('undecodable');
      expect(codeOf(() => timer.decode(Buffer.concat([timer.encode({ due: 0, payload: '' }).subarray(0, 5), zigzag(value), Buffer.from([0])])))).toBe('undecodable');
    }));
    expect(() => watermark.decode(Buffer.concat([watermark.encode({ next: 0 }).subarray(0, 5), zigzag(2n ** 60n)]))).toThrow('is not within ±2^52');
  });

  test('beyond ±2^52 is refused when it is written', () => {
    for (const next of [2 ** 52, -(2 ** 52), 2 ** 60, Infinity, NaN, 0.5]) expect(() => watermark.encode({ next })).toThrow('invalid');
    expect(() => timer.encode({ due: -(2 ** 52) - 1, payload: '' })).toThrow('invalid');
  });

  test('within ±2^52 comes back exactly, as any client writes it', () => {
    fc.assert(fc.property(fc.bigInt(1n - 2n ** 52n, 2n ** 52n - 1n), (value) => {
      expect(watermark.encode({ next: Number(value) }).subarray(5)).toEqual(zigzag(value));
      expect(watermark.decode(watermark.encode({ next: Number(value) }))).toEqual({ next: Number(value) });
    }));
  });
});

test('a text is written as its bytes in UTF-8 behind their number, of whatever length and script, and not beyond the end of a buffer', () => {
  const type = compile({ type: 'record', name: 'Text', fields: [{ name: 'text', type: 'string' }] } as unknown as RecordSchema);
  const lengths = [0, 1, 31, 32, 62, 63, 64, 65, 140];
  const texts = ['a', '\u007f', '\u0080', 'ß', '中', '😀'].flatMap((character) => lengths.flatMap((length) => [character.repeat(length), `${'a'.repeat(length)}${character}`]));
  for (const text of texts) {
    const bytes = Buffer.from(text);
    const length = 2 * bytes.length;
    const expected = Buffer.from([...(length < 128 ? [length] : [(length & 127) | 128, length >> 7]), ...bytes]);
    expect(type.toBuffer({ text })).toEqual(expected);
    const short = Buffer.alloc(expected.length + 2, 0xee);
    // A negative answer says how many bytes are missing.
    expect(type.encode({ text }, short.subarray(0, expected.length), 1)).toBe(-1);
    expect(short.subarray(expected.length)).toEqual(Buffer.from([0xee, 0xee]));
  }
});

test('values that do not fit a nullable field are refused', () => {
  for (const value of [1, {}, [], true]) expect(() => sales.codec.encode({ ...sale, shopper: value as unknown as string })).toThrow('invalid');
});

test('a record of a foreign writer is read once its schema is known: what it lacks is the default, what is new is left out', () => {
  const { schema } = currentSchemas().find((one) => one.schema.name === 'Sale')!;
  const fields = [...schema.fields.filter(({ name }) => name !== 'country'), { name: 'channel', type: 'string', doc: 'Channel.', default: '' }];
  const foreign = bound('Sale');
  const id = 1_900_000_001;
  const written = writtenBy({ ...schema, fields }, { ...sale, channel: 'web' }, id);
  expect(codeOf(() => foreign.decode(written))).toBe('unknown_schema');
  learnSchema(id, { ...schema, fields });
  expect(foreign.decode(written)).toEqual({ ...sale, country: null });
});

function writtenBy(schema: RecordSchema, value: object, id: number): Buffer {
  const body = compile(schema).toBuffer(value);
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return Buffer.concat([header, body]);
}

test('every topic has a record with a static id, and no two topics one name', () => {
  const ids = new Set([...frozenSchemas().values()].flat().map(({ id }) => id));
  expect(allTopics.filter((topic) => !ids.has(topic.codec.id))).toEqual([]);
  expect(new Set(allTopics.map(({ name }) => name)).size).toBe(allTopics.length);
});
