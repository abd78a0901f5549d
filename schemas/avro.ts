import avro from 'avsc';
import type { RecordSchema } from './files.js';

/** Where avsc writes: a position in a buffer, and beyond its end nowhere. */
interface Tap {
  readonly buf: Buffer;
  pos: number;
  writeLong(value: number): void;
}

type Write = (tap: Tap, value: unknown) => void;

/** The longs that come back as they went in: beyond it avsc's arithmetic loses a sign, without a word. As a time, the year 144683. */
const EXACT = 2 ** 52;

function exact(value: number): number {
  if (Math.abs(value) >= EXACT) throw new Error(`invalid long: ${value} is not within ±2^52`);
  return value;
}

/** Avro decimal(p, 4) as a bigint count of ten-thousandths: money is never a float. */
class DecimalType extends avro.types.LogicalType {
  protected override _fromValue(bytes: Buffer): bigint {
    if (bytes.length === 0) return 0n;
    if (bytes.length <= 6) return BigInt(bytes.readIntBE(0, bytes.length));
    let value = BigInt(bytes.readInt8(0));
    for (let i = 1; i < bytes.length; i++) value = (value << 8n) | BigInt(bytes[i] ?? 0);
    return value;
  }

  protected override _toValue(value: unknown): Buffer | undefined {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) return undefined;
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64BE(value);
    let start = 0;
    while (start < 7 && bytes[start] === (bytes[start + 1]! & 128 ? 255 : 0)) start++;
    return bytes.subarray(start);
  }

  /** The fewest bytes of its two's complement, straight into the buffer: one of their own would cost more than all the rest. */
  protected _write(tap: Tap, value: unknown): void {
    if (typeof value === 'bigint' && BigInt.asIntN(48, value) === value) {
      const number = Number(value);
      let length = 1;
      for (let most = 128; length < 6 && (number >= most || number < -most); most *= 256) length++;
      tap.writeLong(length);
      if (tap.pos + length <= tap.buf.length) tap.buf.writeIntBE(number, tap.pos, length);
      tap.pos += length;
      return;
    }
    const bytes = this._toValue(value);
    if (!bytes) throw new Error(`invalid decimal: ${String(value)}`);
    tap.writeLong(bytes.length);
    if (tap.pos + bytes.length <= tap.buf.length) bytes.copy(tap.buf, tap.pos);
    tap.pos += bytes.length;
  }

  protected override _resolve(type: avro.Type): ((value: bigint) => bigint) | undefined {
    return type instanceof DecimalType ? (value) => value : undefined;
  }
}

/** Milliseconds since 1970 as a number. */
class TimestampType extends avro.types.LogicalType {
  protected override _fromValue(value: number): number {
    return exact(value);
  }

  protected override _toValue(value: unknown): unknown {
    return typeof value === 'number' ? exact(value) : undefined;
  }

  protected override _resolve(): (value: number) => number {
    return (value) => exact(value);
  }
}

/** The function by which avsc writes a value of a type; not in its types. */
function writerOf(type: avro.Type): Write {
  const write: unknown = Reflect.get(type, '_write');
  if (typeof write !== 'function') throw new Error(`avsc has changed: ${type.typeName} has no _write.`);
  return (tap, value) => write.call(type, tap, value);
}

/** A value or null. avsc would try the value with each type of the union before it writes it with one. */
class NullableType extends avro.types.UnwrappedUnionType {
  // At the first value: a type that is still being made cannot write.
  #write: Write | undefined;

  protected _write(tap: Tap, value: unknown): void {
    if (value === null) return tap.writeLong(0);
    tap.writeLong(1);
    (this.#write ??= writerOf(this.types[1]!))(tap, value);
  }
}

/** A whole number that comes back as it went in. */
class ExactLongType extends avro.types.LongType {
  readonly #write = writerOf(new avro.types.LongType());

  protected _read(tap: { readLong(): number }): number {
    return exact(tap.readLong());
  }

  protected _write(tap: Tap, value: unknown): void {
    this.#write(tap, typeof value === 'number' ? exact(value) : value);
  }
}

/** Bytes of a text whose length takes one byte. */
const SHORT = 64;

/** Writes a short text of ASCII alone; answers whether it was one. Beyond the end of the buffer nothing is written, which avsc sees by the position. */
function writeAscii(tap: Tap, text: string): boolean {
  const { buf, pos } = tap;
  const { length } = text;
  if (length >= SHORT) return false;
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 127) return false;
    buf[pos + 1 + at] = unit;
  }
  buf[pos] = 2 * length;
  tap.pos = pos + 1 + length;
  return true;
}

/** A text. avsc asks the engine for the bytes of each before it writes it; most are short and ASCII, and have one a character. */
class TextType extends avro.types.StringType {
  readonly #write = writerOf(new avro.types.StringType());

  protected _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'string' || !writeAscii(tap, value)) this.#write(tap, value);
  }
}

function hook(schema: unknown, options: unknown): avro.Type | undefined {
  if (Array.isArray(schema) && schema.length === 2 && schema[0] === 'null') return new NullableType(schema, options);
  if (schema === 'string') return new TextType();
  return schema === 'long' ? new ExactLongType() : undefined;
}

/** Compile a record schema; the result encodes, decodes and validates. */
export function compile(schema: RecordSchema): avro.Type {
  return avro.Type.forSchema(structuredClone(schema) as unknown as avro.Schema, {
    wrapUnions: 'never',
    typeHook: hook,
    logicalTypes: { decimal: DecimalType, 'timestamp-millis': TimestampType },
  } as unknown as avro.ForSchemaOptions);
}

export type AvroType = avro.Type;
