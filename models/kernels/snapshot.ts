/**
 * The byte form of a model's state: kind, version, then named typed arrays, each aligned to eight bytes.
 * Little-endian, as every machine Node runs on; equal states give equal bytes.
 */

const MAGIC = 0x53524d31; // "1MRS"

type Column = Int32Array | Uint32Array | Float32Array | Float64Array | Uint8Array;
type ColumnKind = 'i32' | 'u32' | 'f32' | 'f64' | 'u8';
interface Layout {
  readonly kind: string;
  readonly version: number;
  readonly columns: readonly { readonly name: string; readonly type: ColumnKind; readonly length: number }[];
}

/** A snapshot that this code cannot read: of another model, of another version, or cut short. The answer is to learn anew. */
export class UnreadableSnapshot extends Error {
  readonly code = 'unreadable_snapshot';
}

/** A column of a snapshot, and what writes it to where it stands in there, a part at a time: each undefined is a pause. A large one never stands twice. */
export interface WrittenColumn {
  readonly name: string;
  readonly type: ColumnKind;
  readonly length: number;
  readonly write: (bytes: Uint8Array, at: number) => Iterable<undefined>;
}

export const columnsOf = (columns: Readonly<Record<string, Column>>): WrittenColumn[] =>
  Object.entries(columns).map(([name, column]) => ({
    name, type: typeOf(column), length: column.length,
    write(bytes, at) {
      bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
      return [];
    },
  }));

export function pack(kind: string, version: number, columns: Readonly<Record<string, Column>>): Uint8Array {
  return whole(packParts(kind, version, columnsOf(columns)));
}

/** What is made in parts, without the pauses. */
export function whole(parts: Generator<undefined, Uint8Array>): Uint8Array {
  let part = parts.next();
  while (!part.done) part = parts.next();
  return part.value;
}

/** The same with the pauses of what writes the columns. */
export function* packParts(kind: string, version: number, columns: readonly WrittenColumn[]): Generator<undefined, Uint8Array> {
  const layout: Layout = { kind, version, columns: columns.map(({ name, type, length }) => ({ name, type, length })) };
  const head = new TextEncoder().encode(JSON.stringify(layout));
  const places: number[] = [];
  let size = aligned(8 + head.length);
  for (const { type, length } of columns) {
    places.push(size);
    size = aligned(size + length * widthOf(type));
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, head.length, true);
  bytes.set(head, 8);
  for (const [i, { write }] of columns.entries()) yield* write(bytes, places[i]!);
  return bytes;
}

export interface Unpacked {
  i32(name: string): Int32Array;
  u32(name: string): Uint32Array;
  f32(name: string): Float32Array;
  f64(name: string): Float64Array;
  u8(name: string): Uint8Array;
}

export function unpack(kind: string, version: number, bytes: Uint8Array): Unpacked {
  const layout = readLayout(bytes);
  if (layout.kind !== kind) throw new UnreadableSnapshot(`The snapshot is of ${layout.kind}, not of ${kind}.`);
  if (layout.version !== version) {
    throw new UnreadableSnapshot(`The ${kind} snapshot has version ${layout.version}; this code reads version ${version}.`);
  }
  const found = new Map<string, { type: ColumnKind; data: ArrayBuffer }>();
  let at = aligned(8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true));
  for (const column of layout.columns) {
    const end = at + column.length * widthOf(column.type);
    if (end > bytes.length) throw new UnreadableSnapshot(`The ${kind} snapshot ends inside its column ${column.name}.`);
    // Copied, because the state will be written to and must own memory that is aligned for its type.
    found.set(column.name, { type: column.type, data: Uint8Array.from(bytes.subarray(at, end)).buffer });
    at = aligned(end);
  }
  const take = (name: string, type: ColumnKind): ArrayBuffer => {
    const column = found.get(name);
    if (column?.type !== type) throw new UnreadableSnapshot(`The ${kind} snapshot has no ${type} column ${name}.`);
    return column.data;
  };
  return {
    i32: (name) => new Int32Array(take(name, 'i32')),
    u32: (name) => new Uint32Array(take(name, 'u32')),
    f32: (name) => new Float32Array(take(name, 'f32')),
    f64: (name) => new Float64Array(take(name, 'f64')),
    u8: (name) => new Uint8Array(take(name, 'u8')),
  };
}

function readLayout(bytes: Uint8Array): Layout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || view.getUint32(0, true) !== MAGIC) throw new UnreadableSnapshot('These bytes are not a model snapshot.');
  const length = view.getUint32(4, true);
  if (8 + length > bytes.length) throw new UnreadableSnapshot('The snapshot ends inside its heading.');
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Layout;
  } catch (cause) {
    throw new UnreadableSnapshot('The heading of the snapshot is not readable.', { cause });
  }
}

function aligned(offset: number): number {
  return (offset + 7) & ~7;
}

function typeOf(column: Column): ColumnKind {
  if (column instanceof Int32Array) return 'i32';
  if (column instanceof Uint32Array) return 'u32';
  if (column instanceof Float32Array) return 'f32';
  if (column instanceof Float64Array) return 'f64';
  return 'u8';
}

function widthOf(type: ColumnKind): number {
  switch (type) {
    case 'i32':
    case 'u32':
    case 'f32':
      return 4;
    case 'f64':
      return 8;
    case 'u8':
      return 1;
  }
}
