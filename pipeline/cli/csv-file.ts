/** Columns of a CSV file, gzipped or not, with the line of whatever is wrong. */
import { DataFileError, eachRow, openFile } from './text-lines.js';

/** The names that a column goes by: a file must have it under one of them. */
export type ColumnNames = readonly string[];

/**
 * Calls `row` with the cells of the wanted columns, in the order asked for, and what parts cells; the header may name them in any order
 * and case. `wanted` empty: every column, in the file's order. A column of `optional` that the file lacks is empty. Answers the header.
 */
export async function readCsv(
  file: string,
  wanted: readonly ColumnNames[],
  row: (cells: string[], line: number, separator: string) => void,
  optional: readonly ColumnNames[] = [],
): Promise<string[]> {
  let header: string[] | undefined;
  let columns: number[] = [];
  await eachRow(file, await openFile(file), ({ cells, line }, separator) => {
    if (header === undefined) {
      header = cells.map((cell) => cell.trim());
      columns = columnsOf(file, header, wanted, optional);
      return;
    }
    if (cells.length !== header.length) {
      throw new DataFileError(`Line ${line} of ${file} has ${cells.length} cells where the header has ${header.length}.`);
    }
    row(columns.map((column) => cells[column] ?? ''), line, separator);
  });
  if (header === undefined) throw new DataFileError(`${file} is empty.`);
  return header;
}

function columnsOf(file: string, header: readonly string[], wanted: readonly ColumnNames[], optional: readonly ColumnNames[]): number[] {
  const names = header.map((name) => name.toLowerCase());
  const twice = names.findIndex((name, at) => name !== '' && names.indexOf(name) < at);
  if (twice >= 0) throw new DataFileError(`Line 1 of ${file} names the column ${header[twice]} twice.`);
  if (wanted.length === 0) return header.map((_, i) => i);
  const placeOf = (column: ColumnNames): number => {
    const found = names.flatMap((name, at) => (column.includes(name) ? [at] : []));
    if (found.length > 1) throw new DataFileError(`Line 1 of ${file} names one column twice, as ${found.map((at) => header[at]).join(' and as ')}: take out the one that should not be read.`);
    return found[0] ?? -1;
  };
  const missing = wanted.filter((column) => placeOf(column) < 0);
  if (missing.length > 0) {
    throw new DataFileError(`Line 1 of ${file} must name the columns ${wanted.map(([name]) => name).join(', ')}; it lacks ${missing.map((column) => column.join(' or ')).join(', ')}.`);
  }
  return [...wanted, ...optional].map(placeOf);
}
