import { writeFile } from 'node:fs/promises';
import { DataFileError } from './text-lines.js';

/** A figure as reports have it: none is measured to more than five places. */
export const round = (value: number): number => Number(value.toFixed(5));

/** For `JSON.stringify`: every figure, however deep it stands, as reports have it. */
export const rounded = (_: string, value: unknown): unknown => (typeof value === 'number' ? round(value) : value);

/** @throws DataFileError that says why the page cannot be written */
export async function writePage(file: string, html: string): Promise<void> {
  await writeFile(file, html).catch((error: unknown) => {
    throw new DataFileError(`The report ${file} cannot be written: ${error instanceof Error ? error.message : 'unknown error'}.`);
  });
}
