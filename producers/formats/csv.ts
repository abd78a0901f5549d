import { MAX_LINE, NotJson } from './json-items.js';

/**
 * Rows of a CSV file (RFC 4180: quotes, doubled quotes, line breaks within quotes), a list of rows a chunk. The state
 * lives across chunks: a quoted cell may be cut anywhere.
 */
export async function* csvRows(chunks: AsyncIterable<string>, separator = ','): AsyncGenerator<string[][]> {
  let rest = '';
  for await (const chunk of chunks) {
    const { rows, end } = completeRows(rest + chunk, separator, false);
    rest = end;
    if (rest.length > MAX_LINE) throw new NotJson(`A row is longer than ${MAX_LINE} characters: is a quote missing?`);
    if (rows.length > 0) yield rows;
  }
  const { rows } = completeRows(rest, separator, true);
  if (rows.length > 0) yield rows;
}

/** Rows that are complete in `text`, and what follows the last of them. */
function completeRows(text: string, separator: string, isLast: boolean): { rows: string[][]; end: string } {
  const rows: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const row = plainRow(text, at, separator) ?? quotedRow(text, at, separator, isLast);
    if (!row || (!isLast && row.next > text.length)) break;
    if (row.cells.length > 1 || row.cells[0] !== '') rows.push(row.cells);
    at = row.next;
  }
  return { rows, end: text.slice(at) };
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

function quotedRow(text: string, start: number, separator: string, isLast: boolean): Row | undefined {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    let cell = '';
    if (text[at] === '"') {
      at++;
      for (;;) {
        const close = text.indexOf('"', at);
        if (close < 0) {
          if (!isLast) return undefined;
          cells.push(cell + text.slice(at));
          return { cells, next: text.length };
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
    while (at < text.length && text[at] !== separator && text[at] !== '\n') at++;
    if (at >= text.length && !isLast) return undefined;
    cell += text.slice(begin, text[at] === '\n' && text.charCodeAt(at - 1) === 13 && at > begin ? at - 1 : at);
    cells.push(cell);
    if (text[at] !== separator) return { cells, next: at + 1 };
    at++;
  }
}
