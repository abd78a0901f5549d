/** Lines and rows of a text file or pipe, gzipped or not; whatever keeps it from being read is a sentence. */
import { csvRows, opened, separatorOf, type CsvRow, type Opened } from '../../producers/formats/csv.js';
import { fileText, NotUtf8 } from '../../producers/formats/format.js';
import { lines, NotJson } from '../../producers/formats/json-items.js';

/** A file that cannot be read as what it should be; the message is a sentence for the user. */
export class DataFileError extends Error {
  override name = 'DataFileError';
}

/** A command's action for which a file that is not what it should be is a sentence and exit code 1, not a stack. */
export const tellingDataErrors = <Options>(run: (options: Options) => Promise<void>) => async (options: Options): Promise<void> => {
  try {
    await run(options);
  } catch (error) {
    if (!(error instanceof DataFileError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
};

/** The file's text and its first line that is not blank: that tells what it holds. */
export const openFile = (file: string): Promise<Opened> => opened(textOf(file));

/**
 * The text of a file, opened by its name or before.
 * @throws DataFileError that names the file
 */
export async function* textOf(file: string, from: Parameters<typeof fileText>[0] = file, onBytes?: (bytes: number) => void): AsyncGenerator<string> {
  try {
    yield* fileText(from, onBytes);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Calls `take` with every line that is not blank, without its end, and its number from 1. @throws DataFileError for a line without end */
export async function eachLine(file: string, text: AsyncIterable<string>, take: (text: string, line: number) => void): Promise<void> {
  let line = 0;
  for await (const some of tellingFile(file, lines(text))) {
    for (const whole of some) {
      line++;
      if (whole.trim() !== '') take(whole, line);
    }
  }
}

/** Calls `take` with every row of a table that has anything in it: spreadsheets end theirs with `,,`. Answers what parts its cells. */
export async function eachRow(file: string, { first, text }: Opened, take: (row: CsvRow, separator: string) => void): Promise<void> {
  const separator = separatorOf(first);
  for await (const rows of tellingFile(file, csvRows(text, separator))) {
    for (const row of rows) if (row.cells.some((cell) => cell.trim() !== '')) take(row, separator);
  }
}

/** What a reader yields; what it says of text that it cannot part names the file. */
async function* tellingFile<T>(file: string, parts: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* parts;
  } catch (error) {
    throw error instanceof NotJson ? new DataFileError(`${file}: ${error.message}`) : error;
  }
}

function unreadable(file: string, error: unknown): DataFileError {
  if (error instanceof NotUtf8) return new DataFileError(`${file}: ${error.message}`);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new DataFileError(`The file ${file} does not exist.`);
  if (code === 'EISDIR') return new DataFileError(`${file} is a folder.`);
  return new DataFileError(`${file} cannot be read to its end: ${error instanceof Error ? error.message : 'unknown error'}.`);
}
