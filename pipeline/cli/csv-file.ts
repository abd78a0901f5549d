/** Rows of a CSV file, gzipped or not, with the line of whatever is wrong. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A file that cannot be read as what it should be; the message is a sentence for the user. */
export class DataFileError extends Error {
  override name = 'DataFileError';
}

/**
 * Calls `row` with the cells of the wanted columns, in the order asked for; the header may name them in any order and case.
 * `wanted` empty: every column, in the file's order. Answers the header.
 */
export async function readCsv(
  file: string,
  wanted: readonly string[],
  row: (cells: string[], line: number) => void,
): Promise<string[]> {
  const input = await openText(file);
  // The reader of lines may end quietly when its stream fails: the failure is kept here, and looked at after the last line.
  let failure: Error | undefined;
  input.on('error', (error) => (failure = error));
  const lines = createInterface({ input, crlfDelay: Infinity });
  try {
    return await readLines(file, lines, wanted, row, () => failure);
  } catch (error) {
    if (failure === undefined || error instanceof DataFileError) throw error;
    throw unreadable(file, failure);
  }
}

function unreadable(file: string, failure: Error): DataFileError {
  return new DataFileError(`${file} cannot be read to its end: ${failure.message}.`);
}

async function readLines(
  file: string,
  lines: AsyncIterable<string>,
  wanted: readonly string[],
  row: (cells: string[], line: number) => void,
  failure: () => Error | undefined,
): Promise<string[]> {
  let header: string[] | undefined;
  let separator = ',';
  let columns: number[] = [];
  let line = 0;
  for await (const raw of lines) {
    line++;
    const text = line === 1 ? raw.replace(/^\uFEFF/, '') : raw;
    if (text.trim() === '') continue;
    if (header === undefined) {
      separator = separatorOf(text);
      header = cellsOf(text, separator).map((cell) => cell.trim());
      columns = columnsOf(file, header, wanted);
      continue;
    }
    const cells = cellsOf(text, separator);
    if (cells.length !== header.length) {
      throw new DataFileError(`Line ${line} of ${file} has ${cells.length} cells where the header has ${header.length}.`);
    }
    row(columns.map((column) => cells[column] ?? ''), line);
  }
  const failed = failure();
  if (failed !== undefined) throw unreadable(file, failed);
  if (header === undefined) throw new DataFileError(`${file} is empty.`);
  return header;
}

async function openText(file: string): Promise<Readable> {
  const magic = Buffer.alloc(2);
  try {
    const handle = await open(file);
    try {
      await handle.read(magic, 0, 2, 0);
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const why = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be opened (${code})`;
    throw new DataFileError(`The file ${file} ${why}.`);
  }
  const bytes = createReadStream(file);
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return bytes;
  const text = createGunzip();
  bytes.on('error', (error) => text.destroy(error));
  return bytes.pipe(text);
}

function separatorOf(header: string): string {
  const counts = [',', ';', '\t'].map((separator) => ({ separator, count: header.split(separator).length }));
  return counts.reduce((best, one) => (one.count > best.count ? one : best)).separator;
}

function columnsOf(file: string, header: readonly string[], wanted: readonly string[]): number[] {
  if (wanted.length === 0) return header.map((_, i) => i);
  const names = header.map((name) => name.toLowerCase());
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new DataFileError(`Line 1 of ${file} must name the columns ${wanted.join(', ')}; it lacks ${missing.join(', ')}.`);
  }
  return wanted.map((name) => names.indexOf(name));
}

function cellsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator);
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] ?? '';
    if (quoted && char === '"' && line[i + 1] === '"') {
      cell += '"';
      i++;
    } else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      cells.push(cell);
      cell = '';
    } else cell += char;
  }
  cells.push(cell);
  return cells;
}
