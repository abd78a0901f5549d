import fc from 'fast-check';

/** Avro as it stands in the schema files. */
export type Avro = string | readonly Avro[] | AvroObject;

interface AvroObject {
  readonly type: Avro;
  readonly name?: string;
  readonly doc?: string;
  readonly logicalType?: string;
  readonly precision?: number;
  readonly scale?: number;
  readonly fields?: readonly { readonly name: string; readonly type: Avro; readonly doc?: string }[];
  readonly items?: Avro;
  readonly values?: Avro;
  readonly symbols?: readonly string[];
}

/** Whole numbers that the codec carries: zigzag doubles them, and a double ends at 2^53. Every time and offset is far below. */
const longs = fc.integer({ min: 1 - 2 ** 52, max: 2 ** 52 - 1 });
const decimals = fc.bigInt(-(10n ** 18n) + 1n, 10n ** 18n - 1n);

const primitives: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  int: fc.integer(),
  long: longs,
  float: fc.float(),
  double: fc.double(),
  string: fc.string({ unit: 'grapheme' }),
  bytes: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
};

/** Values of an Avro type. */
export function valuesOf(avro: Avro, named: Map<string, Avro> = new Map()): fc.Arbitrary<unknown> {
  if (typeof avro === 'string') return primitives[avro] ?? valuesOf(named.get(avro)!, named);
  if (isUnion(avro)) return fc.oneof(...avro.map((branch) => valuesOf(branch, named)));
  if (avro.name !== undefined) named.set(avro.name, avro);
  if (avro.logicalType === 'decimal') return decimals;
  switch (avro.type) {
    case 'array': return fc.array(valuesOf(avro.items!, named), { maxLength: 4 });
    case 'map': return fc.dictionary(fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'), valuesOf(avro.values!, named), { maxKeys: 4, noNullPrototype: true });
    case 'enum': return fc.constantFrom(...avro.symbols!);
    case 'record': return fc.record(Object.fromEntries(avro.fields!.map((field) => [field.name, valuesOf(field.type, named)])));
    default: return valuesOf(avro.type, named);
  }
}

/** Every record in an Avro type, those inside it included. */
export function recordsIn(avro: Avro): AvroObject[] {
  if (typeof avro === 'string') return [];
  if (isUnion(avro)) return avro.flatMap((branch) => recordsIn(branch));
  const inside = [avro.items, avro.values, ...(avro.fields ?? []).map(({ type }) => type), ...(typeof avro.type === 'string' ? [] : [avro.type])];
  return [...(avro.type === 'record' ? [avro] : []), ...inside.flatMap((part) => (part === undefined ? [] : recordsIn(part)))];
}

/** Every decimal in an Avro type. */
export function decimalsIn(avro: Avro): AvroObject[] {
  if (typeof avro === 'string') return [];
  if (isUnion(avro)) return avro.flatMap((branch) => decimalsIn(branch));
  if (avro.logicalType === 'decimal') return [avro];
  const inside = [avro.items, avro.values, ...(avro.fields ?? []).map(({ type }) => type), ...(typeof avro.type === 'string' ? [] : [avro.type])];
  return inside.flatMap((part) => (part === undefined ? [] : decimalsIn(part)));
}

const isUnion = (avro: Avro): avro is readonly Avro[] => Array.isArray(avro);
