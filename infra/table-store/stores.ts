import { join } from 'node:path';
import { open, TransactionFlags, type RootDatabase } from 'lmdb';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import type { Position } from '../../pipeline/core/log.js';
import type { OpenStore } from '../../pipeline/core/store.js';
import { LmdbStore } from './store.js';

export interface TableStoresOptions {
  /** The data directory; the stores stand in its folder `tables`. */
  readonly directory: string;
  /** Which log, or which topic of it, a table's rows came from: rows of another one are wiped. */
  readonly identityOf: (table: string) => string;
  /** A store that was last changed longer ago is wiped: a compacted topic may have forgotten deletions since. */
  readonly maxAgeMs?: number | undefined;
  readonly now?: (() => number) | undefined;
  /** Rows that may wait to be written. */
  readonly waitingRows?: number | undefined;
}

/** The table stores of a data directory. */
export interface TableStores {
  readonly open: OpenStore;
  /** Resolves when all that was applied is on the disk, with the positions up to which it is. */
  flushed(): Promise<readonly Position[]>;
  close(): Promise<void>;
}

/** Two databases a partition of a table, and one for all positions. */
const MAX_DATABASES = 2_048;
/** Address space, not memory or disk. A shift would overflow: `2 << 30` is negative. */
const MAP_BYTES = 2 ** 36;
const FLUSH_MS = 1_000;
/** Visible when the call returns; on the disk with the next flush. */
const COMMIT = TransactionFlags.SYNCHRONOUS_COMMIT | TransactionFlags.NO_SYNC_FLUSH;
/**
 * Changes wait for company before they are written: a transaction costs more than the rows in it (a third of a process at
 * 200 clicks a second). What waits when the process dies stands in the log. More of them would hold the thread up for long.
 */
const WRITE_MS = 200;
const WRITE_ROWS = 2_000;

/**
 * How many numbers of free pages lmdb keeps in memory. Large commits free many, and by default (50,000) each later commit,
 * however small, would sort and save them all: 5.5 ms of CPU instead of 0.7 on a table of 60,000 rows. Not in its types.
 */
const FREE_PAGES = { maxFreeSpaceToLoad: 500, maxFreeSpaceToRetain: 1_000 };

/**
 * One LMDB environment for all tables. A change is visible at once, in a transaction of LMDB soon, and reaches the disk
 * within a second or so: after a crash the environment stands at an older consistent state, and the log replays the rest.
 */
export function openTableStores(options: TableStoresOptions): TableStores {
  const { identityOf, maxAgeMs = Infinity, now = Date.now, waitingRows = WRITE_ROWS } = options;
  const path = join(options.directory, 'tables');
  const root = openEnvironment(path);
  const positions = root.openDB<Buffer, string>({ name: 'positions', encoding: 'binary' });
  const stores = new Map<string, { table: string; partition: number; store: LmdbStore }>();
  let waiting = 0;
  let writing: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function transact(work: () => void): void {
    try {
      // Braces, no expression: a promise as result would leave the transaction open.
      root.transactionSync(() => {
        work();
      }, COMMIT);
    } catch (error) {
      throw error instanceof Error && 'code' in error ? new Unavailable(`The table stores in ${path} cannot be written: ${error.message}.`, { cause: error }) : error;
    }
    flushSoon();
  }

  /** Write what waits, of all stores at once. */
  function write(): void {
    clearTimeout(writing);
    writing = undefined;
    if (waiting === 0) return;
    transact(() => {
      for (const { store } of stores.values()) store.write();
    });
    for (const { store } of stores.values()) store.written();
    waiting = 0;
  }

  function writeSoon(): void {
    writing ??= setTimeout(() => {
      writing = undefined;
      try {
        write();
      } catch {
        // The rows go on waiting. Whoever changes more of them hears of it once they have become many.
        writeSoon();
      }
    }, WRITE_MS).unref();
  }

  function changing(rows: number): void {
    if (waiting > waitingRows) write();
    waiting += rows + 1;
    writeSoon();
  }

  async function flush(): Promise<void> {
    write();
    clearTimeout(timer);
    timer = undefined;
    // Only an asynchronous write makes lmdb sync; the sync takes every commit before it along.
    await positions.put('flush', Buffer.from(String(now())));
    await positions.flushed;
  }

  /** Until a sync, LMDB may not use freed pages again: without one now and then the file grows for ever. */
  function flushSoon(): void {
    if (timer || flushing) return;
    timer = setTimeout(() => {
      // A disk that is full fails the next change too, where somebody hears of it; the log has the rows.
      flushing = flush().catch(() => {}).finally(() => (flushing = undefined));
    }, FLUSH_MS).unref();
  }

  return {
    open(table, partition) {
      const name = `${table}/${partition}`;
      const known = stores.get(name);
      if (known) return known.store;
      const store = new LmdbStore(root, positions, name, { identity: identityOf(table), now, changing, transact });
      if (store.isForeign || now() - store.changedAt > maxAgeMs) store.wipe();
      stores.set(name, { table, partition, store });
      return store;
    },

    async flushed() {
      const reached = [...stores.values()].map(({ table, partition, store }) => ({ topic: table, partition, offset: store.position }));
      await flush();
      return reached;
    },

    async close() {
      await flush();
      await flushing;
      clearTimeout(timer);
      clearTimeout(writing);
      await root.close();
    },
  };
}

function openEnvironment(path: string): RootDatabase {
  try {
    const options = { path, maxDbs: MAX_DATABASES, mapSize: MAP_BYTES, ...FREE_PAGES };
    return open(options);
  } catch (cause) {
    throw new ConfigError([`The table stores in ${path} cannot be opened: remove the directory to rebuild them from the log.`], { cause });
  }
}
