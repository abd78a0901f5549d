import { ConfigError } from '../core/errors.js';

/** The command did all it could, and some of what it was given could not be read: EX_DATAERR of sysexits.h. */
export const REFUSED = 65;
/** EX_TEMPFAIL of sysexits.h. */
export const TRY_AGAIN = 75;

/** Whom the command needs does not answer; later it may. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
}

const CONFIGURATION = 78;

/** Run a command: a sentence on stderr and exit code 1, or every problem and 78 when the configuration is at fault. */
export async function exitingWell(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const problem of error.problems) process.stderr.write(`${problem}\n`);
      process.exitCode = CONFIGURATION;
    } else {
      process.stderr.write(`${(error as Error).message}\n`);
      if (process.env['LOG_LEVEL'] === 'debug') process.stderr.write(`${(error as Error).stack ?? ''}\n`);
      process.exitCode = error instanceof TryAgain ? TRY_AGAIN : 1;
    }
  }
}
