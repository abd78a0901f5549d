import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Journal } from '../../pipeline/core/metrics.js';

const OF_DAMAGE = /^MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID)\b/;
/** What follows from a page that is no page, or from a full disk. */
const OF_DAMAGE_OR_NO_ROOM = /^MDB_(PAGE_FULL|BAD_TXN)\b/;
const ROOM_BYTES = 64 << 20;
const MARK = 'damaged';
const STARTS = 'starts';
/** lmdb ends the process by a signal at some damage, which then marks nothing: so many starts in a row that ended so soon count as damage. */
const MOST_STARTS = 3;
const SOON_MS = 300_000;
const RUNBOOK = 'docs/runbook.md#a-damaged-table-store';

/** What becomes of an environment whose pages are not what lmdb wrote, as after a fault of the disk or a copy that was cut off. */
export interface Damage {
  /** What a failure of lmdb means: an error that says what to do where it is damage, else the failure itself. */
  of(cause: unknown): unknown;
  /** Rejects once damage was met in stores that the log holds whole: they are rebuilt from it by the next start. */
  readonly failed: Promise<never>;
  /** The stores are closed in order. */
  closed(): void;
}

/** `rebuilt`: the log holds every row, so that damaged stores may be removed, which happens here if a start before this one met damage. */
export function watchDamage(path: string, rebuilt: boolean, journal: Journal): Damage {
  const mark = join(path, MARK);
  const starts = join(path, STARTS);
  const failed = rebuilt ? startsThatFailed(starts) : 0;
  if (rebuilt && (existsSync(mark) || failed >= MOST_STARTS)) {
    rmSync(path, { recursive: true });
    const why = failed >= MOST_STARTS ? `may be damaged, since ${failed} starts in a row ended within ${SOON_MS / 60_000} minutes` : 'were damaged';
    journal.warn({ path, runbook: RUNBOOK }, `The table stores in ${path} ${why}: they have been removed, and are rebuilt from the log.`);
  }
  const closed = rebuilt ? countStart(starts) : () => {};
  let fail: (error: Error) => void = () => {};
  const met = new Promise<never>((_, reject) => (fail = reject));
  met.catch(() => {}); // who listens is the owner's choice; Node must not end the process for it
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
    failed: met,
    closed,
    of(cause) {
      if (!(cause instanceof Error) || !isDamage(cause, path)) return cause;
      const cure = rebuilt ? 'The next start removes them and rebuilds them from the log.' : 'Stop the process and restore DATA_DIR from a copy; without this folder they are rebuilt from what the log still holds.';
      const sentence = `The table stores in ${path} are damaged (${cause.message}). ${cure} See ${RUNBOOK}.`;
      if (!isTold) tell(sentence, cause);
      return new Error(sentence, { cause });
    },
  };
}

function isDamage({ message }: Error, path: string): boolean {
  if (OF_DAMAGE.test(message)) return true;
  if (!OF_DAMAGE_OR_NO_ROOM.test(message)) return false;
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize > ROOM_BYTES;
}

/** Starts before this one that neither lasted nor ended in order. */
function startsThatFailed(file: string): number {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
}

/** Count a start until it has lasted. Answers what takes it back when it ends in order. */
function countStart(file: string): () => void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, String(startsThatFailed(file) + 1));
  } catch {
    // On a full disk, which is another matter.
  }
  const forget = (): void => rmSync(file, { force: true });
  const timer = setTimeout(forget, SOON_MS).unref();
  return () => {
    clearTimeout(timer);
    forget();
  };
}
