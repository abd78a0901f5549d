import avro from 'avsc';
import type { RecordSchema } from './files.js';

/** Avro decimal(p, 4) as a bigint count of ten-thousandths: money is never a float. */
class DecimalType extends avro.types.LogicalType {
  protected override _fromValue(bytes: Buffer): bigint {
    if (bytes.length === 0) return 0n;
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

  protected override _resolve(type: avro.Type): ((value: bigint) => bigint) | undefined {
    return type instanceof DecimalType ? (value) => value : undefined;
  }
}

/** Milliseconds since 1970 as a number. */
class TimestampType extends avro.types.LogicalType {
  protected override _fromValue(value: number): number {
    return value;
  }

  protected override _toValue(value: unknown): unknown {
    return typeof value === 'number' ? value : undefined;
  }

  protected override _resolve(): (value: number) => number {
    return (value) => value;
  }
}

/** Compile a record schema; the result encodes, decodes and validates. */
export function compile(schema: RecordSchema): avro.Type {
  return avro.Type.forSchema(structuredClone(schema) as unknown as avro.Schema, {
    wrapUnions: 'never',
    logicalTypes: { decimal: DecimalType, 'timestamp-millis': TimestampType },
  } as unknown as avro.ForSchemaOptions);
}

export type AvroType = avro.Type;
