import { TransactionFlags, type Database, type RootDatabase, type RootDatabaseOptions } from 'lmdb';
import { Unavailable } from '../../pipeline/core/errors.js';
import { dueOf, TIMER } from '../../pipeline/core/rows.js';
import type { DueTimer, RowChange, TableStore } from '../../pipeline/core/store.js';
import { keyFits, MAX_KEY_BYTES, rowKeys, timerKeys } from './keys.js';

const NOTHING = Buffer.alloc(0);
const BEFORE_ALL: [number, string] = [-Infinity, ''];
/** Visible when the call returns; on the disk with the next flush. */
const COMMIT = TransactionFlags.SYNCHRONOUS_COMMIT | TransactionFlags.NO_SYNC_FLUSH;

interface StoreOptions {
  readonly identity: string;
  readonly now: () => number;
  /** Called after each change. */
  readonly changed: () => void;
}

/** Where a store stands, as kept beside its rows. */
interface Standing {
  readonly position: number;
  readonly changedAt: number;
  readonly identity: string;
}

/** One partition of a table in LMDB: a database of rows, one of its timers by due time, and its place among the positions. */
export class LmdbStore implements TableStore {
  readonly #root: RootDatabase;
  readonly #rows: Database<Buffer, string>;
  readonly #timers: Database<Buffer, [number, string]>;
  readonly #positions: Database<Buffer, string>;
  readonly #name: string;
  readonly #options: StoreOptions;
  #standing: Standing | undefined;
  /** The earliest pending timer's due time, while it is known: most ticks find nothing due. */
  #earliest: number | undefined;

  constructor(root: RootDatabase, positions: Database<Buffer, string>, name: string, options: StoreOptions) {
    const rows: RootDatabaseOptions & { name: string } = { name, encoding: 'binary', keyEncoder: rowKeys };
    const timers: RootDatabaseOptions & { name: string } = { name: `${name}/timers`, encoding: 'binary', keyEncoder: timerKeys };
    this.#root = root;
    this.#rows = root.openDB<Buffer, string>(rows);
    this.#timers = root.openDB<Buffer, [number, string]>(timers);
    this.#positions = positions;
    this.#name = name;
    this.#options = options;
    const standing = positions.get(name);
    this.#standing = standing && (JSON.parse(standing.toString()) as Standing);
  }

  get position(): number {
    return this.#standing?.position ?? 0;
  }

  /** When it was last changed; now for an empty store. */
  get changedAt(): number {
    return this.#standing?.changedAt ?? this.#options.now();
  }

  /** Whether its rows come from another log or topic. */
  get isForeign(): boolean {
    return this.#standing !== undefined && this.#standing.identity !== this.#options.identity;
  }

  get(key: string): Buffer | undefined {
    return keyFits(key) ? this.#rows.get(key) : undefined;
  }

  range(start: string, end: string): Iterable<{ key: string; value: Buffer }> {
    return keyFits(start) && keyFits(end) ? this.#rows.getRange({ start, end }) : [];
  }

  *timersUntil(until: number, after?: DueTimer): Iterable<DueTimer> {
    this.#earliest ??= this.#findEarliest();
    if (until < this.#earliest) return;
    const start: [number, string] = after ? [after.due, after.key] : BEFORE_ALL;
    // Due times are whole: the least key after every timer that is due.
    for (const [due, key] of this.#timers.getKeys({ start, end: [Math.floor(until) + 1, ''] })) {
      if (!after || due !== after.due || key !== after.key) yield { due, key };
    }
  }

  apply(changes: readonly RowChange[], position: number): void {
    const standing: Standing = { position, changedAt: this.#options.now(), identity: this.#options.identity };
    try {
      // Braces, no expression: a promise as result would leave the transaction open.
      this.#root.transactionSync(() => {
        for (const change of changes) this.#put(change);
        this.#positions.putSync(this.#name, Buffer.from(JSON.stringify(standing)));
      }, COMMIT);
    } catch (error) {
      // A failed transaction leaves the rows as they were, but the earliest timer may have been asked for within.
      this.#earliest = undefined;
      throw error instanceof Error && 'code' in error ? new Unavailable(`Table store ${this.#name} cannot be written: ${error.message}.`, { cause: error }) : error;
    }
    this.#standing = standing;
    this.#options.changed();
  }

  wipe(): void {
    this.#root.transactionSync(() => {
      this.#rows.clearSync();
      this.#timers.clearSync();
      this.#positions.removeSync(this.#name);
    }, COMMIT);
    this.#standing = undefined;
    this.#earliest = undefined;
    this.#options.changed();
  }

  size(): number {
    const stats = this.#rows.getStats();
    return 'entryCount' in stats && typeof stats.entryCount === 'number' ? stats.entryCount : 0;
  }

  #put({ key, value }: RowChange): void {
    if (!keyFits(key)) throw new Error(`A row key of ${key.length} characters is longer than the table store can hold (${MAX_KEY_BYTES} bytes).`);
    // Only a row that may be a timer costs a look at what it replaces.
    if (key.includes(TIMER)) this.#moveTimer(key, value);
    if (value === null) this.#rows.removeSync(key);
    else this.#rows.putSync(key, value);
  }

  #moveTimer(key: string, value: Buffer | null): void {
    const before = this.#rows.get(key);
    const oldDue = before && dueOf(key, before);
    const newDue = value ? dueOf(key, value) : undefined;
    if (oldDue === newDue) return;
    if (oldDue !== undefined) this.#timers.removeSync([oldDue, key]);
    if (newDue !== undefined) this.#timers.putSync([newDue, key], NOTHING);
    this.#earliest = undefined;
  }

  #findEarliest(): number {
    for (const [due] of this.#timers.getKeys({ start: BEFORE_ALL, limit: 1 })) return due;
    return Infinity;
  }
}
