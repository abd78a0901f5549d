import { format } from 'node:util';
import type { Journal } from '../../pipeline/core/metrics.js';

/**
 * What libraries say on the console becomes lines of the log, the same one not twice in a row: lmdb prints the stack of every write that a full disk
 * refuses, which whoever reads JSON lines cannot read.
 */
export function consoleInto(journal: Journal, on: Pick<Console, 'error' | 'warn'> = console): void {
  let last = '';
  const say = (...words: readonly unknown[]): void => {
    const said = format(...words);
    if (said !== last) journal.warn({ said }, 'A library says something. The same is not told again until it says something else.');
    last = said;
  };
  Object.assign(on, { error: say, warn: say });
}
