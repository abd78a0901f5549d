import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Position } from '../../pipeline/core/log.js';
import { silentJournal, type Journal } from '../../pipeline/core/metrics.js';
import type { OpenStore } from '../../pipeline/core/store.js';
import { watchDamage } from './damage.js';
import { messageOf, openEnvironment } from './environment.js';
import { LmdbStore } from './store.js';
import { WriteBehind } from './write-behind.js';

export interface TableStoresOptions {
  /** The data directory; the stores stand in its folder `tables`. */
  readonly directory: string;
  /** Which log, or which topic of it, a table's rows came from: rows of another one are wiped. */
  readonly identityOf: (table: string) => string;
  /** A store that was last changed longer ago is wiped: a compacted topic may have forgotten deletions since. */
  readonly maxAgeMs?: number | undefined;
  /** Whether the log holds every row: stores that are found damaged are then removed by the next start, and rebuilt. */
  readonly rebuilt?: boolean | undefined;
  readonly now?: (() => number) | undefined;
  readonly journal?: Journal | undefined;
  /** Rows that may wait before they are written. */
  readonly waitingRows?: number | undefined;
  /** How the environment is opened; tests put a failing one in its place. */
  readonly openEnvironment?: ((path: string) => RootDatabase) | undefined;
}

/** The table stores of a data directory. */
export interface TableStores {
  readonly open: OpenStore;
  /** Resolves when all that was applied is on the disk, with the positions up to which it is. */
  flushed(): Promise<readonly Position[]>;
  /** Rejects when stores that the log holds whole were found damaged: the process must start again. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** After a failure lmdb may wait at its end for a sync that never comes. */
const CLOSE_MS = 1_000;

/**
 * One LMDB environment for all tables. A change is visible at once and reaches LMDB and the disk within a second or so (WriteBehind):
 * after a crash the environment stands at an older consistent state, and the log replays the rest.
 *
 * @throws ConfigError where the environment is damaged or cannot be opened
 */
export function openTableStores(options: TableStoresOptions): TableStores {
  const { identityOf, maxAgeMs = Infinity, now = Date.now, waitingRows, journal = silentJournal } = options;
  const path = join(options.directory, 'tables');
  const damage = watchDamage(path, options.rebuilt ?? false, journal);
  const root = (options.openEnvironment ?? openEnvironment)(path);
  const opened = <T>(attempt: () => T): T => {
    try {
      return attempt();
    } catch (cause) {
      const meant = damage.of(cause);
      if (meant !== cause) throw new ConfigError([messageOf(meant)], { cause });
      throw new Error(`A table store in ${path} cannot be opened (is the disk full?): ${messageOf(cause)}`, { cause });
    }
  };
  const positions = opened(() => root.openDB<Buffer, string>({ name: 'positions', encoding: 'binary' }));
  const writer = new WriteBehind(root, positions, { path, damage, journal, now, waitingRows });
  const stores = new Map<string, { table: string; partition: number; store: LmdbStore }>();

  return {
    failed: damage.failed,
    open(table, partition) {
      const name = `${table}/${partition}`;
      const known = stores.get(name);
      if (known) return known.store;
      const store = opened(() => new LmdbStore(root, positions, name, { identity: identityOf(table), now, changing: (rows) => writer.changing(rows), failureOf: damage.of }));
      if (store.isForeign || now() - store.changedAt > maxAgeMs) store.wipe();
      stores.set(name, { table, partition, store });
      writer.add(store);
      return store;
    },

    async flushed() {
      const reached = [...stores.values()].map(({ table, partition, store }) => ({ topic: table, partition, offset: store.position }));
      await writer.flush();
      return reached;
    },

    async close() {
      await writer.close();
      await (writer.isFailing ? Promise.race([root.close(), delay(CLOSE_MS)]) : root.close());
      damage.closed();
    },
  };
}
