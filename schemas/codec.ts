import { compile, type AvroType } from './avro.js';
import { frozenSchemas, type RecordSchema } from './files.js';

/** The bytes cannot be decoded: `unknown_schema` may heal when a registry is asked, the rest never. */
export class UndecodableError extends Error {
  constructor(
    readonly code: 'tombstone' | 'wrong_magic_byte' | 'unknown_schema' | 'undecodable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const HEADER_BYTES = 5;
/** Most records fit; encoding is synchronous, so one is enough. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);
type Writer = { readonly name: string; readonly type: AvroType };
/** Schemas by the number of their file: what ids mean where there is no registry. */
const numbered = new Map<number, Writer>();
/** Schemas by the ids that a registry gave. */
const registered = new Map<number, Writer>();
let isRegistryUsed = false;
const codecs = new Map<string, Codec<unknown>>();

/** Schema id of a Confluent-framed value, or undefined when it is not framed. */
export function schemaIdOf(value: Uint8Array): number | undefined {
  if (value.length < HEADER_BYTES || value[0] !== 0) return undefined;
  return (value[1]! << 24) | (value[2]! << 16) | (value[3]! << 8) | value[4]!;
}

/** Encodes and decodes one record type in Confluent framing: byte 0, four bytes of schema id, Avro. */
export class Codec<T> {
  #id: number;
  readonly #type: AvroType;
  readonly #resolvers = new Map<number, ReturnType<AvroType['createResolver']>>();

  constructor(
    readonly name: string,
    readonly schema: RecordSchema,
    id: number,
  ) {
    this.#id = id;
    this.#type = compile(schema);
  }

  get id(): number {
    return this.#id;
  }

  get type(): AvroType {
    return this.#type;
  }

  /** Use the id that a registry gave to this schema. Records with earlier ids stay readable. */
  useId(id: number): void {
    this.#id = id;
    registered.set(id, { name: this.name, type: this.#type });
  }

  /** @throws Error when the value does not fit the schema */
  encode(value: T): Buffer {
    const end = this.#type.encode(value, scratch, HEADER_BYTES);
    // A negative end says that the scratch is too short.
    const bytes = end > 0 ? Buffer.from(scratch.subarray(0, end)) : Buffer.concat([Buffer.alloc(HEADER_BYTES), this.#type.toBuffer(value)]);
    bytes[0] = 0;
    bytes.writeInt32BE(this.#id, 1);
    return bytes;
  }

  /** @throws UndecodableError */
  decode(value: Uint8Array | null): T {
    if (value === null) throw new UndecodableError('tombstone', 'The record has no value.');
    const id = schemaIdOf(value);
    if (id === undefined) {
      throw new UndecodableError('wrong_magic_byte', 'The value does not start with a zero byte and a schema id.');
    }
    const bytes = Buffer.from(value.buffer, value.byteOffset + HEADER_BYTES, value.byteLength - HEADER_BYTES);
    try {
      return (id === this.#id ? this.#type.fromBuffer(bytes) : this.#type.fromBuffer(bytes, this.#resolver(id))) as T;
    } catch (cause) {
      if (cause instanceof UndecodableError) throw cause;
      throw new UndecodableError('undecodable', `The value is not a ${this.name}: ${(cause as Error).message}.`, { cause });
    }
  }

  #resolver(id: number): ReturnType<AvroType['createResolver']> {
    const known = this.#resolvers.get(id);
    if (known) return known;
    const writer = registered.get(id) ?? numbered.get(id);
    if (!writer) throw new UndecodableError('unknown_schema', `Schema id ${id} is not known: another version of Millrace wrote it, or another schema registry gave it.`);
    if (writer.name !== this.name) {
      throw new UndecodableError('undecodable', `Schema id ${id} is a ${writer.name}, not a ${this.name}.`);
    }
    const resolver = this.#type.createResolver(writer.type);
    this.#resolvers.set(id, resolver);
    return resolver;
  }
}

for (const [name, versions] of frozenSchemas()) {
  for (const { id, schema } of versions) numbered.set(id, { name, type: compile(schema) });
  const latest = versions.at(-1)!;
  codecs.set(name, new Codec(name, latest.schema, latest.id));
}

/** The codec of a record type by its Avro name. */
export function codec<T>(name: string): Codec<T> {
  const found = codecs.get(name);
  if (!found) throw new Error(`No schema is named ${name}; run "npm run schemas".`);
  return found as Codec<T>;
}

/** All codecs. */
export const allCodecs = (): Codec<unknown>[] => [...codecs.values()];

/** From now on ids are a registry's: a number of a file says nothing any more, unless the registry has no schema under it. */
export function useRegistryIds(): void {
  isRegistryUsed = true;
}

/** Make records of a writer's schema readable. */
export function learnSchema(id: number, schema: RecordSchema): void {
  // A registry's client may answer the name with its namespace.
  registered.set(id, { name: schema.name.slice(schema.name.lastIndexOf('.') + 1), type: compile(schema) });
}

/** The registry has no such id: answers whether it is the number of a file, written before there was a registry. */
export function keepNumber(id: number): boolean {
  const writer = numbered.get(id);
  if (writer) registered.set(id, writer);
  return writer !== undefined;
}

/** Whether this version has a file of that number, as commands of the same machine write them, a registry or not. */
export const isNumbered = (id: number): boolean => numbered.has(id);

/** Whether records with this schema id can be resolved without asking a registry. */
export const knowsSchema = (id: number): boolean => registered.has(id) || (!isRegistryUsed && numbered.has(id));
