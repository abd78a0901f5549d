import type { Database, RootDatabase, RootDatabaseOptions } from 'lmdb';
import { dueOf, TIMER } from '../../pipeline/core/rows.js';
import type { DueTimer, RowChange, TableStore } from '../../pipeline/core/store.js';
import { keyFits, MAX_KEY_BYTES, rowKeys, timerKeys } from './keys.js';
import { WaitingRows } from './waiting.js';

const NOTHING = Buffer.alloc(0);
const BEFORE_ALL: [number, string] = [-Infinity, ''];

interface StoreOptions {
  readonly identity: string;
  readonly now: () => number;
  /** Called before each change: writes what waits when it has become much. @throws Unavailable when that fails */
  readonly changing: (rows: number) => void;
  /** Run `work` in one transaction. @throws Unavailable when it cannot be committed */
  readonly transact: (work: () => void) => void;
}

/** Where a store stands, as kept beside its rows. */
interface Standing {
  readonly position: number;
  readonly changedAt: number;
  readonly identity: string;
}

/**
 * One partition of a table in LMDB: a database of rows, one of its timers by due time, and its place among the positions.
 * What is applied waits in memory, where it is read already, until a transaction for all stores writes it.
 */
export class LmdbStore implements TableStore {
  readonly #rows: Database<Buffer, string>;
  readonly #timers: Database<Buffer, [number, string]>;
  readonly #positions: Database<Buffer, string>;
  readonly #name: string;
  readonly #options: StoreOptions;
  readonly #waiting = new WaitingRows();
  #standing: Standing | undefined;
  #written: Standing | undefined;
  /** The earliest stored timer's due time, while it is known: most ticks find nothing due. */
  #earliest: number | undefined;

  constructor(root: RootDatabase, positions: Database<Buffer, string>, name: string, options: StoreOptions) {
    const rows: RootDatabaseOptions & { name: string } = { name, encoding: 'binary', keyEncoder: rowKeys };
    const timers: RootDatabaseOptions & { name: string } = { name: `${name}/timers`, encoding: 'binary', keyEncoder: timerKeys };
    this.#rows = root.openDB<Buffer, string>(rows);
    this.#timers = root.openDB<Buffer, [number, string]>(timers);
    this.#positions = positions;
    this.#name = name;
    this.#options = options;
    const standing = positions.get(name);
    this.#standing = standing && (JSON.parse(standing.toString()) as Standing);
    this.#written = this.#standing;
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
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return waiting ?? undefined;
    return keyFits(key) ? this.#rows.get(key) : undefined;
  }

  range(start: string, end: string): Iterable<{ key: string; value: Buffer }> {
    if (!keyFits(start) || !keyFits(end)) return [];
    const stored = this.#rows.getRange({ start, end });
    return this.#waiting.size === 0 ? stored : this.#waiting.over(stored, start, end);
  }

  timersUntil(until: number, after?: DueTimer): Iterable<DueTimer> {
    return this.#waiting.timersOver(this.#storedTimers(until, after), until, after);
  }

  apply(changes: readonly RowChange[], position: number): void {
    for (const { key } of changes) {
      if (!keyFits(key)) throw new Error(`A row key of ${key.length} characters is longer than the table store can hold (${MAX_KEY_BYTES} bytes).`);
    }
    this.#options.changing(changes.length);
    for (const change of changes) this.#waiting.put(change);
    this.#standing = { position, changedAt: this.#options.now(), identity: this.#options.identity };
  }

  /** Put what waits into the transaction that is open. */
  write(): void {
    if (this.#standing === undefined || this.#standing === this.#written) return;
    for (const [key, value] of this.#waiting.changes()) this.#put(key, value);
    this.#positions.putSync(this.#name, Buffer.from(JSON.stringify(this.#standing)));
  }

  /** The transaction is committed. */
  written(): void {
    this.#waiting.clear();
    this.#written = this.#standing;
  }

  wipe(): void {
    this.#options.transact(() => {
      this.#rows.clearSync();
      this.#timers.clearSync();
      this.#positions.removeSync(this.#name);
    });
    this.#waiting.clear();
    this.#standing = undefined;
    this.#written = undefined;
    this.#earliest = undefined;
  }

  *#storedTimers(until: number, after: DueTimer | undefined): Iterable<DueTimer> {
    this.#earliest ??= this.#findEarliest();
    if (until < this.#earliest) return;
    const start: [number, string] = after ? [after.due, after.key] : BEFORE_ALL;
    // Due times are whole: the least key after every timer that is due.
    for (const [due, key] of this.#timers.getKeys({ start, end: [Math.floor(until) + 1, ''] })) {
      if (!after || due !== after.due || key !== after.key) yield { due, key };
    }
  }

  #put(key: string, value: Buffer | null): void {
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
