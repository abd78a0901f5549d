import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { ConfigError } from '../../pipeline/core/errors.js';
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

/**
 * How many numbers of free pages lmdb keeps in memory. Large commits free many, and by default (50,000) each later commit,
 * however small, would sort and save them all: 5.5 ms of CPU instead of 0.7 on a table of 60,000 rows. Not in its types.
 */
const FREE_PAGES = { maxFreeSpaceToLoad: 500, maxFreeSpaceToRetain: 1_000 };

/**
 * One LMDB environment for all tables. A change is visible at once and reaches the disk within a second or so: after a
 * crash of the machine the environment falls back to an older consistent state, and the log replays the rest.
 */
export function openTableStores(options: TableStoresOptions): TableStores {
  const { identityOf, maxAgeMs = Infinity, now = Date.now } = options;
  const path = join(options.directory, 'tables');
  const root = openEnvironment(path);
  const positions = root.openDB<Buffer, string>({ name: 'positions', encoding: 'binary' });
  const stores = new Map<string, { table: string; partition: number; store: LmdbStore }>();
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    // Only an asynchronous write makes lmdb sync; the sync takes every commit before it along.
    await positions.put('flush', Buffer.from(String(now())));
    await positions.flushed;
  }

  /** Until a sync, LMDB may not use freed pages again: without one now and then the file grows for ever. */
  function changed(): void {
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
      const store = new LmdbStore(root, positions, name, { identity: identityOf(table), now, changed });
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
