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
  /** Called before each change. @throws Unavailable when too much waits already and cannot be written */
  readonly changing: (rows: number) => void;
  /** What a failure of lmdb means. */
  readonly failureOf: (cause: unknown) => unknown;
}

/** Where a store stands, as kept beside its rows. */
interface Standing {
  readonly position: number;
  readonly changedAt: number;
  readonly identity: string;
}

/**
 * One partition of a table in LMDB: a database of rows, one of its timers by due time, and its place among the positions.
 * What is applied waits in memory, where it is read already, until a transaction for all stores has written it.
 */
export class LmdbStore implements TableStore {
  readonly #rows: Database<Buffer, string>;
  readonly #timers: Database<Buffer, [number, string]>;
  readonly #positions: Database<Buffer, string>;
  readonly #name: string;
  readonly #options: StoreOptions;
  /** Newest first: what waits, and behind it what is being written. */
  #layers: readonly [WaitingRows, WaitingRows?] = [new WaitingRows()];
  #standing: Standing | undefined;
  #leaving: Standing | undefined;
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
    for (const layer of this.#layers) {
      const waiting = layer?.get(key);
      if (waiting !== undefined) return waiting ?? undefined;
      if (layer?.isWhole) return undefined;
    }
    if (!keyFits(key)) return undefined;
    try {
      return this.#rows.get(key);
    } catch (cause) {
      throw this.#options.failureOf(cause);
    }
  }

  range(start: string, end: string): Iterable<{ key: string; value: Buffer }> {
    if (!keyFits(start) || !keyFits(end)) return [];
    return this.#layered(this.#read(() => this.#rows.getRange({ start, end })), (layer, below) => layer.over(below, start, end));
  }

  timersUntil(until: number, after?: DueTimer): Iterable<DueTimer> {
    return this.#layered(this.#read(() => this.#storedTimers(until, after)), (layer, below) => layer.timersOver(below, until, after));
  }

  apply(changes: readonly RowChange[], position: number): void {
    for (const { key } of changes) {
      if (!keyFits(key)) throw new Error(`A row key of ${key.length} characters is longer than the table store can hold (${MAX_KEY_BYTES} bytes).`);
    }
    this.#options.changing(changes.length);
    const [waiting] = this.#layers;
    for (const change of changes) waiting.put(change);
    this.#standing = { position, changedAt: this.#options.now(), identity: this.#options.identity };
  }

  wipe(): void {
    this.#layers = [new WaitingRows(true), this.#layers[1]];
    this.#standing = undefined;
    this.#options.changing(0);
  }

  /** Take up what waits for `write`; what comes from now on waits for the next. Answers whether there is anything. */
  leave(): boolean {
    const [waiting] = this.#layers;
    if (this.#standing === this.#written && !waiting.isWhole) return false;
    this.#layers = [new WaitingRows(), waiting];
    this.#leaving = this.#standing;
    return true;
  }

  /** Put what was taken up into the transaction that is open, in this turn of the event loop. */
  write(): void {
    const [, leaving] = this.#layers;
    if (!leaving) return;
    if (leaving.isWhole) {
      void this.#rows.clearAsync();
      void this.#timers.clearAsync();
    }
    for (const [key, value] of leaving.changes()) this.#put(key, value, leaving.isWhole);
    if (this.#leaving) void this.#positions.put(this.#name, Buffer.from(JSON.stringify(this.#leaving)));
    else void this.#positions.remove(this.#name);
  }

  /** The transaction is committed. */
  written(): void {
    this.#layers = [this.#layers[0]];
    this.#written = this.#leaving;
    this.#earliest = undefined;
  }

  /** The transaction failed: what it would have written waits again. */
  notWritten(): void {
    const [waiting, leaving] = this.#layers;
    if (!leaving || waiting.isWhole) return void (this.#layers = [waiting]);
    for (const [key, value] of waiting.changes()) leaving.put({ key, value });
    this.#layers = [leaving];
  }

  #layered<T>(stored: Iterable<T>, lay: (layer: WaitingRows, below: Iterable<T>) => Iterable<T>): Iterable<T> {
    const [waiting, leaving] = this.#layers;
    const written = leaving ? lay(leaving, leaving.isWhole ? [] : stored) : stored;
    return lay(waiting, waiting.isWhole ? [] : written);
  }

  *#read<T>(rows: () => Iterable<T>): Iterable<T> {
    try {
      yield* rows();
    } catch (cause) {
      throw this.#options.failureOf(cause);
    }
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

  #put(key: string, value: Buffer | null, wiped: boolean): void {
    // Only a row that may be a timer costs a look at what it replaces.
    if (key.includes(TIMER)) this.#moveTimer(key, value, wiped ? undefined : this.#rows.get(key));
    if (value === null) void this.#rows.remove(key);
    else void this.#rows.put(key, value);
  }

  #moveTimer(key: string, value: Buffer | null, before: Buffer | undefined): void {
    const oldDue = before && dueOf(key, before);
    const newDue = value ? dueOf(key, value) : undefined;
    if (oldDue === newDue) return;
    if (oldDue !== undefined) void this.#timers.remove([oldDue, key]);
    if (newDue !== undefined) void this.#timers.put([newDue, key], NOTHING);
  }

  #findEarliest(): number {
    for (const [due] of this.#timers.getKeys({ start: BEFORE_ALL, limit: 1 })) return due;
    return Infinity;
  }
}
