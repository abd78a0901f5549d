import type { FieldError } from '../fields.js';
import { MAX_LINE, NotJson } from './json-items.js';

export interface CsvRow {
  readonly cells: string[];
  /** Line of the text in which it begins, from 1. */
  readonly line: number;
}

/** A text whose first line, blank ones aside, is known before it is read; without its byte order mark. */
export interface Opened {
  readonly first: string;
  readonly text: AsyncGenerator<string>;
}

/** Whether a line that is not blank has come to its end. One pattern for it would begin anew at each character of a long line. */
function hasLine(text: string): boolean {
  const from = text.search(/\S/);
  return from >= 0 && text.includes('\n', from);
}

export async function opened(chunks: AsyncIterable<string>): Promise<Opened> {
  const rest = chunks[Symbol.asyncIterator]();
  let begin = '';
  while (!hasLine(begin) && begin.length <= MAX_LINE) {
    const next = await rest.next();
    if (next.done === true) break;
    begin += next.value;
  }
  async function* text(): AsyncGenerator<string> {
    yield begin;
    yield* { [Symbol.asyncIterator]: () => rest };
  }
  return { first: /\S.*/.exec(begin)?.[0] ?? '', text: text() };
}

/** What parts the cells of a table, by its first line: whichever parts it most often outside quotes; blanks where nothing else does. */
export function separatorOf(first: string): string {
  const bare = first.replace(/"[^"]*"/g, '');
  const counts = ['\t', ';', ',', '::'].map((separator) => ({ separator, count: bare.split(separator).length }));
  const most = counts.reduce((best, one) => (one.count > best.count ? one : best));
  return most.count > 1 ? most.separator : ' ';
}

/** What is wrong with a row that has not a cell for each column: its values may stand under the names of others. */
export function misfit({ cells, line }: CsvRow, header: readonly string[]): FieldError | undefined {
  if (cells.length === header.length) return undefined;
  if (cells.length > header.length) {
    return { path: '', code: 'surplus_columns', message: `Line ${line} has ${cells.length} cells, the header names ${header.length}: is a separator in a text without quotes?` };
  }
  return { path: '', code: 'missing_columns', message: `Line ${line} ends before ${header.slice(cells.length).join(', ')}.` };
}

/**
 * Rows of a CSV file (RFC 4180: quotes, doubled quotes, line breaks within quotes), a list of rows a chunk. The state
 * lives across chunks: a quoted cell may be cut anywhere.
 * @throws NotJson for a quote that is never closed: all that follows it would be one cell; and for lines that end in CR alone
 */
export async function* csvRows(chunks: AsyncIterable<string>, separator = ','): AsyncGenerator<CsvRow[]> {
  let rest = '';
  let line = 1;
  for await (const chunk of chunks) {
    const { rows, end, nextLine } = completeRows(rest + chunk, line, separator, false);
    [rest, line] = [end, nextLine];
    if (rest.length > MAX_LINE && line === 1) refuseBareReturns(rest);
    if (rest.length > MAX_LINE) throw new NotJson(`The row that begins in line ${line} is longer than ${MAX_LINE} characters: is a quote missing?`);
    if (rows.length > 0) yield rows;
  }
  const { rows } = completeRows(rest, line, separator, true);
  if (rows.length > 0) yield rows;
}

/** Rows that are complete in `text`, which begins in `line`, and what follows the last of them. */
function completeRows(text: string, line: number, separator: string, isLast: boolean): { rows: CsvRow[]; end: string; nextLine: number } {
  const rows: CsvRow[] = [];
  let at = 0;
  let nextLine = line;
  while (at < text.length) {
    const plain = plainRow(text, at, separator);
    const row = plain ?? quotedRow(text, at, nextLine, separator, isLast);
    if (!row || (!isLast && row.next > text.length)) break;
    if (nextLine === 1) refuseBareReturns(text.slice(at, row.next));
    if (row.cells.length > 1 || row.cells[0] !== '') rows.push({ cells: row.cells, line: nextLine });
    nextLine += plain ? 1 : breaksIn(text, at, row.next);
    at = row.next;
  }
  return { rows, end: text.slice(at), nextLine };
}

/** All of such a file would be its first row. */
function refuseBareReturns(first: string): void {
  if (/\r[^\r\n]/.test(first.replace(/"[^"]*"/g, ''))) throw new NotJson('Its lines end in CR alone: save it with LF or CRLF line ends (in a spreadsheet "CSV UTF-8").');
}

function breaksIn(text: string, from: number, to: number): number {
  let breaks = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) breaks++;
  return breaks;
}

interface Row {
  readonly cells: string[];
  readonly next: number;
}

/** A row that ends in this text and has no quote: split in one call. */
function plainRow(text: string, at: number, separator: string): Row | undefined {
  const end = text.indexOf('\n', at);
  if (end < 0) return undefined;
  const line = text.slice(at, text.charCodeAt(end - 1) === 13 && end > at ? end - 1 : end);
  return line.includes('"') ? undefined : { cells: line.split(separator), next: end + 1 };
}

/** A row of the text, which begins in `line`; without `isLast` none whose end may be in the next chunk. @throws NotJson for a quote that is never closed */
function quotedRow(text: string, start: number, line: number, separator: string, isLast: boolean): Row | undefined {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    let cell = '';
    if (text[at] === '"') {
      const opens = at++;
      for (;;) {
        const close = text.indexOf('"', at);
        if (close < 0) {
          if (!isLast) return undefined;
          throw new NotJson(`The quote that opens in line ${line + breaksIn(text, start, opens)} is never closed.`);
        }
        cell += text.slice(at, close);
        // The quote after this one may stand in the next chunk: it would be a doubled quote.
        if (close + 1 >= text.length && !isLast) return undefined;
        at = close + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
    }
    const begin = at;
    while (at < text.length && text[at] !== '\n' && !text.startsWith(separator, at)) at++;
    if (at >= text.length && !isLast) return undefined;
    cell += text.slice(begin, text[at] === '\n' && text.charCodeAt(at - 1) === 13 && at > begin ? at - 1 : at);
    cells.push(cell);
    if (!text.startsWith(separator, at)) return { cells, next: at + 1 };
    at += separator.length;
  }
}
