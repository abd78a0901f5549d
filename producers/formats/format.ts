import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import type { CollectedRecord, Shop } from '../collect.js';
import type { FieldError } from '../fields.js';

/** A record of a file, in file order. `source` inside it makes reading the file again harmless. */
export type FileRecord = CollectedRecord & { readonly time: number };

export interface FileOptions {
  /** Name of the source: with the ordinal it identifies a record for ever. */
  readonly source: string;
  /** When the replay began: the receipt time of all records. */
  readonly receivedAt: number;
  readonly shop: Shop;
  /** Zone of times without one, where the format does not say; the format's own default otherwise. */
  readonly timezone?: string | undefined;
}

/** What was found so far; it may be read while the records are. */
export interface Summary {
  /** Records of the file that were understood. */
  read: number;
  /** Records that could not be understood, with the first of them. */
  refused: number;
  readonly examples: { readonly ordinal: number; readonly errors: readonly FieldError[] }[];
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

const MAX_EXAMPLES = 20;

export function refuse(summary: Summary, ordinal: number, errors: readonly FieldError[]): void {
  summary.refused++;
  if (summary.examples.length < MAX_EXAMPLES) summary.examples.push({ ordinal, errors });
}

/** A file's text, unpacked when its first bytes say gzip, whatever it is called. `onBytes` sees what was read of the file. */
export async function* fileText(path: string, onBytes: (bytes: number) => void = () => {}): AsyncGenerator<string> {
  const file = await open(path, 'r');
  const head = Buffer.alloc(2);
  await file.read(head, 0, 2, 0);
  await file.close();
  const bytes = createReadStream(path, { highWaterMark: 256 * 1024 });
  bytes.on('data', (chunk) => onBytes(chunk.length));
  const text = head[0] === 0x1f && head[1] === 0x8b ? bytes.pipe(createGunzip({ chunkSize: 256 * 1024 })) : bytes;
  // A read error does not travel through a pipe: without this the reader would wait for ever.
  bytes.on('error', (error) => text.destroy(error));
  text.setEncoding('utf8');
  try {
    for await (const chunk of text as AsyncIterable<string>) yield chunk;
  } finally {
    bytes.destroy();
  }
}
