import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Journal } from '../../pipeline/core/metrics.js';

const OF_DAMAGE = /^MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID)\b/;
const MARK = 'damaged';
const RUNBOOK = 'docs/runbook.md#a-damaged-table-store';

/** What becomes of an environment whose pages are not what lmdb wrote, as after a fault of the disk or a copy that was cut off. */
export interface Damage {
  /** What a failure of lmdb means: an error that says what to do where it is damage, else the failure itself. */
  of(cause: unknown): unknown;
  /** Rejects once damage was met in stores that the log holds whole: they are rebuilt from it by the next start. */
  readonly failed: Promise<never>;
}

/** `rebuilt`: the log holds every row, so that damaged stores may be removed, which happens here if a start before this one met damage. */
export function watchDamage(path: string, rebuilt: boolean, journal: Journal): Damage {
  const mark = join(path, MARK);
  if (rebuilt && existsSync(mark)) {
    rmSync(path, { recursive: true });
    journal.warn({ path, runbook: RUNBOOK }, `The table stores in ${path} were damaged: they have been removed, and are rebuilt from the log.`);
  }
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => {}); // who listens is the owner's choice; Node must not end the process for it
  let isTold = false;
  const tell = (sentence: string, cause: Error): void => {
    isTold = true;
    if (!rebuilt) return journal.error({ err: cause, path, runbook: RUNBOOK }, sentence);
    try {
      writeFileSync(mark, '');
    } catch (error) {
      journal.error({ err: error, path, runbook: RUNBOOK }, `${path} cannot be marked as damaged: remove it before the next start.`);
    }
    fail(new ConfigError([sentence], { cause }));
  };
  return {
    failed,
    of(cause) {
      if (!(cause instanceof Error) || !OF_DAMAGE.test(cause.message)) return cause;
      const cure = rebuilt ? 'The next start removes them and rebuilds them from the log.' : 'Stop the process and restore DATA_DIR from a copy; without this folder they are rebuilt from what the log still holds.';
      const sentence = `The table stores in ${path} are damaged (${cause.message}). ${cure} See ${RUNBOOK}.`;
      if (!isTold) tell(sentence, cause);
      return new Error(sentence, { cause });
    },
  };
}
