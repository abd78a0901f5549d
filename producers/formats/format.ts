import { createReadStream, type ReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { CollectedRecord, Shop } from '../collect.js';
import type { FieldError } from '../fields.js';

/** A record of a file, in file order. `source` inside it makes reading the file again harmless. */
export type FileRecord = CollectedRecord & { readonly time: number };

export interface FileOptions {
  /** Name of the source: with the ordinal it identifies a record for ever. */
  readonly source: string;
  /** When a record is read: its receipt time. Of a pipe that is read for days, what the clock says meanwhile. */
  readonly receivedAt: number;
  readonly shop: Shop;
}

/** What was found so far; it may be read while the records are. */
export interface Summary {
  /** Records of the file that were understood. */
  read: number;
  /** Records that could not be understood, with the lines of the first of them, from 1. */
  refused: number;
  readonly examples: { readonly line: number; readonly errors: readonly FieldError[] }[];
  /** Odd records by kind: they are taken as what they are. */
  readonly odd: Record<string, number>;
}

export interface Reading {
  /** Records, some at a time. */
  readonly records: AsyncGenerator<readonly FileRecord[]>;
  readonly summary: Summary;
}

/** A file format: text in, records out. */
export type Format = (text: AsyncIterable<string>, options: FileOptions) => Reading;

export const emptySummary = (): Summary => ({ read: 0, refused: 0, examples: [], odd: {} });

export const noteOdd = (summary: Summary, kind: string): void => {
  summary.odd[kind] = (summary.odd[kind] ?? 0) + 1;
};

/** A time that no file can tell of. */
export const future = (path: string, time: number): FieldError => ({
  path, code: 'time_out_of_range', message: `${Number.isNaN(new Date(time).getTime()) ? time : new Date(time).toISOString()} has not come yet.`,
});

const MAX_EXAMPLES = 20;

export function refuse(summary: Summary, line: number, errors: readonly FieldError[]): void {
  summary.refused++;
  if (summary.examples.length < MAX_EXAMPLES) summary.examples.push({ line, errors });
}

export const CHUNK_BYTES = 256 * 1024;

/** Bytes that are no text as it is read here; the message is a sentence. */
export class NotUtf8 extends Error {
  override readonly name = 'NotUtf8';
}

/**
 * A file's text, unpacked when its first bytes say gzip, whatever it is called. `onBytes` sees what was read of the file.
 * It is opened once and read from its beginning only: a pipe gives its bytes to the first who asks, and cannot go back.
 * @throws NotUtf8
 */
export async function* fileText(from: string | ReadStream, onBytes: (bytes: number) => void = () => {}): AsyncGenerator<string> {
  const file = typeof from === 'string' ? createReadStream(from, { highWaterMark: CHUNK_BYTES }) : from;
  const chunks = counted(file, onBytes);
  try {
    const head: Buffer[] = [];
    while (Buffer.concat(head).length < 2) {
      const next = await chunks.next();
      if (next.done === true) break;
      head.push(next.value);
    }
    const bytes = Readable.from(joined(head, chunks), { objectMode: false });
    const [first, second] = Buffer.concat(head);
    const text = first === 0x1f && second === 0x8b ? pipeline(bytes, createGunzip({ chunkSize: CHUNK_BYTES }), () => {}) : bytes;
    yield* decoded(text as AsyncIterable<Buffer>);
  } finally {
    file.destroy();
  }
}

const SAVE_AS = 'Save it as UTF-8 (in a spreadsheet "CSV UTF-8", in a shell with iconv).';

/** UTF-8 as text, without its byte order mark. Wrong bytes would all become the same character, and two ids one. @throws NotUtf8 */
async function* decoded(bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isBegin = true;
  try {
    for await (const chunk of bytes) {
      // UTF-16, as spreadsheets save "Unicode text": every other byte of ASCII is zero.
      if (isBegin && chunk.includes(0)) throw new NotUtf8(`The file is no UTF-8 text: it has zero bytes, as UTF-16 has. ${SAVE_AS}`);
      isBegin = false;
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } catch (cause) {
    throw cause instanceof TypeError ? new NotUtf8(`The file is no UTF-8 text: it has bytes of another encoding, such as Latin-1. ${SAVE_AS}`, { cause }) : cause;
  }
}

async function* counted(file: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of file) {
    onBytes(chunk.length);
    yield chunk;
  }
}

async function* joined(head: readonly Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* head;
  yield* rest;
}
