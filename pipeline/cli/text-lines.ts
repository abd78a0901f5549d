/** Lines of a text file or pipe, gzipped or not; whatever keeps it from being read is a sentence. */
import { fileText } from '../../producers/formats/format.js';

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

/** Calls `take` with every line that is not blank, trimmed of nothing but its end, and its number from 1. */
export async function eachLine(file: string, take: (text: string, line: number) => void): Promise<void> {
  const chunks = fileText(file);
  let rest = '';
  let line = 0;
  for (;;) {
    // Only reading is guarded: what `take` finds wrong with a line has its own sentence.
    const next = await chunks.next().catch((error: unknown) => {
      throw unreadable(file, error);
    });
    const lines = (next.done === true ? rest : rest + next.value).split('\n');
    rest = next.done === true ? '' : (lines.pop() ?? '');
    for (const text of lines) {
      line++;
      const whole = line === 1 ? text.replace(/^\uFEFF/, '') : text;
      if (whole.trim() !== '') take(whole.endsWith('\r') ? whole.slice(0, -1) : whole, line);
    }
    if (next.done === true) return;
  }
}

function unreadable(file: string, error: unknown): DataFileError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new DataFileError(`The file ${file} does not exist.`);
  if (code === 'EISDIR') return new DataFileError(`${file} is a folder.`);
  return new DataFileError(`${file} cannot be read to its end: ${error instanceof Error ? error.message : 'unknown error'}.`);
}
