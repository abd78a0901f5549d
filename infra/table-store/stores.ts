import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { open, TransactionFlags, type RootDatabase } from 'lmdb';
import { ConfigError, Unavailable } from '../../pipeline/core/errors.js';
import type { Position } from '../../pipeline/core/log.js';
import { silentJournal, type Journal } from '../../pipeline/core/metrics.js';
import type { OpenStore } from '../../pipeline/core/store.js';
import { watchDamage } from './damage.js';
import { LmdbStore } from './store.js';

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

/** Two databases a partition of a table, and one for all positions. */
const MAX_DATABASES = 2_048;
/** Address space, not memory or disk. A shift would overflow: `2 << 30` is negative. */
const MAP_BYTES = 2 ** 36;
/**
 * Changes wait for company before lmdb's thread writes and syncs them: a transaction costs more than the rows in it, and
 * the task's thread would stand still meanwhile. What waits when the process dies stands in the log.
 */
const WRITE_MS = 1_000;
const WRITE_ROWS = 5_000;
/** Where rows come faster than the thread writes them, as when a table is restored, their writer does it himself. */
const MOST_TIMES_ROWS = 4;
/** Visible when the call returns; on the disk with the next sync. */
const COMMIT = TransactionFlags.SYNCHRONOUS_COMMIT | TransactionFlags.NO_SYNC_FLUSH;

/**
 * How many numbers of free pages lmdb keeps in memory. Large commits free many, and by default (50,000) each later commit,
 * however small, would sort and save them all: 5.5 ms of CPU instead of 0.7 on a table of 60,000 rows. Not in its types.
 */
const FREE_PAGES = { maxFreeSpaceToLoad: 500, maxFreeSpaceToRetain: 1_000 };

/** After a failure lmdb may wait at its end for a sync that never comes, and its reason may never be told. */
const LONGEST_MS = 1_000;
/** For the files of a new environment. */
const FIRST_BYTES = 1 << 20;

/**
 * One LMDB environment for all tables. A change is visible at once and reaches LMDB and the disk within a second or so:
 * after a crash the environment stands at an older consistent state, and the log replays the rest.
 */
export function openTableStores(options: TableStoresOptions): TableStores {
  const { identityOf, maxAgeMs = Infinity, now = Date.now, waitingRows = WRITE_ROWS, journal = silentJournal } = options;
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
  const stores = new Map<string, { table: string; partition: number; store: LmdbStore }>();
  let waiting = 0;
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isFailing = false;
  /** After it a transaction would not only fail: lmdb rejects a promise that nobody holds, which ends the process. */
  let damaged: Unavailable | undefined;

  function takeUp(): { taken: readonly LmdbStore[]; rows: number } {
    clearTimeout(timer);
    timer = undefined;
    const rows = waiting;
    waiting = 0;
    return { taken: [...stores.values()].flatMap(({ store }) => (store.leave() ? [store] : [])), rows };
  }

  function failed({ taken, rows }: ReturnType<typeof takeUp>, cause: unknown): Unavailable {
    for (const store of taken) store.notWritten();
    waiting += rows;
    const meant = damage.of(cause);
    if (meant !== cause) damaged = new Unavailable(messageOf(meant), { cause });
    const error = damaged ?? new Unavailable(`The table stores in ${path} cannot be written (is the disk full?): ${messageOf(cause)}.`, { cause });
    if (!isFailing) journal.warn({ error: error.message }, 'Rows of tables wait in memory, and stand in the log, until they can be written.');
    isFailing = true;
    return error;
  }

  function succeeded(taken: readonly LmdbStore[]): void {
    for (const store of taken) store.written();
    if (isFailing) journal.info({}, 'Rows of tables are written again.');
    isFailing = false;
  }

  /** One transaction for all that waits in all stores, on lmdb's thread, and a sync. */
  async function writeBehind(): Promise<void> {
    if (damaged) throw damaged;
    const leaving = takeUp();
    const { taken } = leaving;
    try {
      await root.batch(() => {
        for (const store of taken) store.write();
        void positions.put('flush', Buffer.from(String(now())));
      });
    } catch (error) {
      throw failed(leaving, await reasonOf(error));
    }
    // A snapshot from before the commit would lack the rows that no longer wait.
    root.resetReadTxn();
    succeeded(taken);
    await positions.flushed;
  }

  /** One at a time: a later transaction must not be overtaken by an earlier one. */
  function write(): Promise<void> {
    writing ??= writeBehind().finally(() => {
      writing = undefined;
      if (waiting > 0) writeSoon();
    });
    return writing;
  }

  function writeSoon(): void {
    // Failed rows wait on; whoever changes many more of them hears of it.
    timer ??= setTimeout(() => void write().catch(() => {}), WRITE_MS).unref();
  }

  function writeNow(): void {
    if (damaged) throw damaged;
    const leaving = takeUp();
    const { taken } = leaving;
    try {
      // Braces, no expression: a promise as result would leave the transaction open.
      root.transactionSync(() => {
        for (const store of taken) store.write();
      }, COMMIT);
    } catch (error) {
      throw failed(leaving, error);
    }
    succeeded(taken);
  }

  function changing(rows: number): void {
    if (!writing && waiting > waitingRows * MOST_TIMES_ROWS) writeNow();
    waiting += rows + 1;
    if (waiting > waitingRows) void write().catch(() => {});
    else writeSoon();
  }

  return {
    failed: damage.failed,
    open(table, partition) {
      const name = `${table}/${partition}`;
      const known = stores.get(name);
      if (known) return known.store;
      const store = opened(() => new LmdbStore(root, positions, name, { identity: identityOf(table), now, changing, failureOf: damage.of }));
      if (store.isForeign || now() - store.changedAt > maxAgeMs) store.wipe();
      stores.set(name, { table, partition, store });
      return store;
    },

    async flushed() {
      const reached = [...stores.values()].map(({ table, partition, store }) => ({ topic: table, partition, offset: store.position }));
      await writing?.catch(() => {});
      await write();
      return reached;
    },

    async close() {
      // What cannot be written stands in the log.
      await writing?.catch(() => {});
      await write().catch(() => {});
      clearTimeout(timer);
      await (isFailing ? Promise.race([root.close(), delay(LONGEST_MS)]) : root.close());
      damage.closed();
    },
  };
}

/** lmdb tells by a promise of its own, a moment later, why a commit failed: nobody waiting for it would end the process. */
async function reasonOf(failure: unknown): Promise<unknown> {
  if (!(failure instanceof Error) || !('commitError' in failure)) return failure;
  return Promise.race([Promise.resolve(failure.commitError).catch((reason: unknown) => reason), delay(LONGEST_MS, failure, { ref: false })]);
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/**
 * lmdb maps its lock file and its first pages without asking whether the disk has room for them: without it a signal would end the process.
 * @throws Error when it has none
 */
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
