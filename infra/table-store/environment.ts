import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { ConfigError } from '../../pipeline/core/errors.js';

/** Two databases a partition of a table, and one for all positions. */
const MAX_DATABASES = 2_048;
/** Address space, not memory or disk. A shift would overflow: `2 << 30` is negative. */
const MAP_BYTES = 2 ** 36;

/**
 * How many numbers of free pages lmdb keeps in memory. Large commits free many, and by default (50,000) each later commit,
 * however small, would sort and save them all: 5.5 ms of CPU instead of 0.7 on a table of 60,000 rows. Not in its types.
 */
const FREE_PAGES = { maxFreeSpaceToLoad: 500, maxFreeSpaceToRetain: 1_000 };

/** For the files of a new environment. */
const FIRST_BYTES = 1 << 20;

/**
 * Opens or makes the LMDB environment in a folder.
 *
 * @throws ConfigError where its files cannot be opened
 * @throws Error where the disk has no room for them
 */
export function openEnvironment(path: string): RootDatabase {
  makeRoom(path);
  try {
    // All is written in batches of ours: lmdb's own, of what a turn of the event loop brings, has a promise that nobody can wait for, and its rejection would end the process.
    const options = { path, maxDbs: MAX_DATABASES, mapSize: MAP_BYTES, eventTurnBatching: false, ...FREE_PAGES };
    return open(options);
  } catch (cause) {
    throw new ConfigError([`The table stores in ${path} cannot be opened: ${messageOf(cause)}. If they are damaged, restore DATA_DIR from a copy; without the directory they are rebuilt from what the log still holds.`], { cause });
  }
}

/** lmdb maps its lock file and its first pages without asking whether the disk has room for them: without it a signal would end the process. */
function makeRoom(path: string): void {
  if (['data.mdb', 'lock.mdb'].every((name) => existsSync(join(path, name)))) return;
  const probe = join(path, 'room.new');
  try {
    mkdirSync(path, { recursive: true });
    writeFileSync(probe, new Uint8Array(FIRST_BYTES), { flush: true });
  } catch (cause) {
    throw new Error(`There is no room for table stores in ${path}: ${messageOf(cause)}`, { cause });
  } finally {
    rmSync(probe, { force: true });
  }
}

export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
