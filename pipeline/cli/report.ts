import { writeFile } from 'node:fs/promises';
import { DataFileError } from './text-lines.js';

/** A figure as reports have it: none is measured to more than five places. */
export const round = (value: number): number => Number(value.toFixed(5));

/** For `JSON.stringify`: every figure, however deep it stands, as reports have it. */
export const rounded = (_: string, value: unknown): unknown => (typeof value === 'number' ? round(value) : value);

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Rows of cells, the first of each to the left in its width, the others to the right in theirs; the last width holds for all that follow, too. */
export const inColumns = ([first = 0, ...widths]: readonly number[], rows: readonly (readonly (string | number)[])[]): string =>
  rows.map(([name = '', ...cells]) => String(name).padEnd(first) + cells.map((cell, at) => String(cell).padStart(widths[at] ?? widths.at(-1) ?? 0)).join('')).join('\n');

/** @throws DataFileError that says why the page cannot be written */
export async function writePage(file: string, html: string): Promise<void> {
  await writeFile(file, html).catch((error: unknown) => {
    throw new DataFileError(`The report ${file} cannot be written: ${error instanceof Error ? error.message : 'unknown error'}.`);
  });
}
