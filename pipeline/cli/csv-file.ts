/** Rows of a CSV file, gzipped or not, with the line of whatever is wrong. */
import { DataFileError, eachLine } from './text-lines.js';

/**
 * Calls `row` with the cells of the wanted columns, in the order asked for; the header may name them in any order and case.
 * `wanted` empty: every column, in the file's order. A column of `optional` that the file lacks is empty. Answers the header.
 */
export async function readCsv(
  file: string,
  wanted: readonly string[],
  row: (cells: string[], line: number) => void,
  optional: readonly string[] = [],
): Promise<string[]> {
  let header: string[] | undefined;
  let separator = ',';
  let columns: number[] = [];
  await eachLine(file, (text, line) => {
    if (header === undefined) {
      separator = separatorOf(text);
      header = cellsOf(text, separator).map((cell) => cell.trim());
      const names = header.map((name) => name.toLowerCase());
      columns = [...columnsOf(file, header, wanted), ...optional.map((name) => names.indexOf(name))];
      return;
    }
    const cells = cellsOf(text, separator);
    if (cells.length !== header.length) {
      throw new DataFileError(`Line ${line} of ${file} has ${cells.length} cells where the header has ${header.length}.`);
    }
    row(columns.map((column) => cells[column] ?? ''), line);
  });
  if (header === undefined) throw new DataFileError(`${file} is empty.`);
  return header;
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
