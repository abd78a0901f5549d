import { setTimeout as delay } from 'node:timers/promises';
import { TransactionFlags, type Database, type RootDatabase } from 'lmdb';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { Journal } from '../../pipeline/core/metrics.js';
import type { Damage } from './damage.js';
import { messageOf } from './environment.js';
import type { LmdbStore } from './store.js';

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
/** After a failure lmdb may never tell its reason. */
const REASON_MS = 1_000;

interface WriteBehindOptions {
  readonly path: string;
  readonly damage: Damage;
  readonly journal: Journal;
  readonly now: () => number;
  /** Rows that may wait before they are written. */
  readonly waitingRows?: number | undefined;
}

/** Stores that take part in a transaction, and how many rows waited in them. */
interface Leaving {
  readonly stores: readonly LmdbStore[];
  readonly rows: number;
}

/** Writes what waits in the stores of one environment, all of it in one transaction, and one transaction at a time. */
export class WriteBehind {
  readonly #root: RootDatabase;
  readonly #positions: Database<Buffer, string>;
  readonly #options: WriteBehindOptions;
  readonly #waitingRows: number;
  readonly #stores: LmdbStore[] = [];
  /** Rows that wait in all stores together. */
  #waiting = 0;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;
  /** Set, it ends all writing. After damage a transaction would not only fail: lmdb rejects a promise that nobody holds, which ends the process. */
  #damaged: Unavailable | undefined;

  constructor(root: RootDatabase, positions: Database<Buffer, string>, options: WriteBehindOptions) {
    this.#root = root;
    this.#positions = positions;
    this.#options = options;
    this.#waitingRows = options.waitingRows ?? WRITE_ROWS;
  }

  /** Whether the last transaction failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  add(store: LmdbStore): void {
    this.#stores.push(store);
  }

  /**
   * A store is about to change so many rows.
   *
   * @throws Unavailable where too many rows wait already and cannot be written
   */
  changing(rows: number): void {
    if (!this.#writing && this.#waiting > this.#waitingRows * MOST_TIMES_ROWS) this.#writeNow();
    this.#waiting += rows + 1;
    // Rows that cannot be written wait on: whoever changes many more of them hears of it.
    if (this.#waiting > this.#waitingRows) void this.#write().catch(() => {});
    else this.#writeSoon();
  }

  /**
   * Resolves when all that waits now is on the disk.
   *
   * @throws Unavailable where it cannot be written
   */
  async flush(): Promise<void> {
    await this.#writing?.catch(() => {});
    await this.#write();
  }

  /** Writes what can be written, for the last time; the rest stands in the log. */
  async close(): Promise<void> {
    await this.flush().catch(() => {});
    clearTimeout(this.#timer);
  }

  #writeSoon(): void {
    this.#timer ??= setTimeout(() => void this.#write().catch(() => {}), WRITE_MS).unref();
  }

  /** On lmdb's thread. One at a time: a later transaction must not be overtaken by an earlier one. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeOnThread().finally(() => {
      this.#writing = undefined;
      if (this.#waiting > 0) this.#writeSoon();
    });
    return this.#writing;
  }

  async #writeOnThread(): Promise<void> {
    const leaving = this.#takeUp();
    try {
      await this.#root.batch(() => {
        for (const store of leaving.stores) store.write();
        void this.#positions.put('flush', Buffer.from(String(this.#options.now())));
      });
    } catch (error) {
      throw this.#notWritten(leaving, await reasonOf(error));
    }
    // A snapshot from before the commit would lack the rows that no longer wait.
    this.#root.resetReadTxn();
    this.#written(leaving);
    await this.#positions.flushed;
  }

  /** On the thread of whoever changes rows, which slows it down. */
  #writeNow(): void {
    const leaving = this.#takeUp();
    try {
      // Braces, no expression: a promise as result would leave the transaction open.
      this.#root.transactionSync(() => {
        for (const store of leaving.stores) store.write();
      }, COMMIT);
    } catch (error) {
      throw this.#notWritten(leaving, error);
    }
    this.#written(leaving);
  }

  #takeUp(): Leaving {
    if (this.#damaged) throw this.#damaged;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = this.#waiting;
    this.#waiting = 0;
    return { stores: this.#stores.filter((store) => store.leave()), rows };
  }

  #written({ stores }: Leaving): void {
    for (const store of stores) store.written();
    if (this.#isFailing) this.#options.journal.info({}, 'Rows of tables are written again.');
    this.#isFailing = false;
  }

  /** Answers what the failure means. */
  #notWritten({ stores, rows }: Leaving, cause: unknown): Unavailable {
    const { path, damage, journal } = this.#options;
    for (const store of stores) store.notWritten();
    this.#waiting += rows;
    const meant = damage.of(cause);
    if (meant !== cause) this.#damaged = new Unavailable(messageOf(meant), { cause });
    const error = this.#damaged ?? new Unavailable(`The table stores in ${path} cannot be written (is the disk full?): ${messageOf(cause)}.`, { cause });
    if (!this.#isFailing) journal.warn({ error: error.message }, 'Rows of tables wait in memory, and stand in the log, until they can be written.');
    this.#isFailing = true;
    return error;
  }
}

/** lmdb tells by a promise of its own, a moment later, why a commit failed: nobody waiting for it would end the process. */
async function reasonOf(failure: unknown): Promise<unknown> {
  if (!(failure instanceof Error) || !('commitError' in failure)) return failure;
  return Promise.race([Promise.resolve(failure.commitError).catch((reason: unknown) => reason), delay(REASON_MS, failure, { ref: false })]);
}
