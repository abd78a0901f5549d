/** A change of one row: null deletes. */
export interface RowChange {
  readonly key: string;
  readonly value: Buffer | null;
}

/** Key of a pending timer: rows of kind `_timer`, found by due time. */
export interface DueTimer {
  readonly due: number;
  /** Row key of the timer. */
  readonly key: string;
}

/** The order in which timers fire. */
export const isEarlier = (a: DueTimer, b: DueTimer): boolean => a.due < b.due || (a.due === b.due && a.key < b.key);

/**
 * Local copy of one partition of a table: its rows, and the offset in the table's topic up to which they are applied. Both change together,
 * and only by committed rows. It is a cache: it may be wiped, and is then rebuilt from the log.
 */
export interface TableStore {
  /** Offset of the table's topic up to which rows are applied; 0 when empty. */
  readonly position: number;
  get(key: string): Buffer | undefined;
  /** Rows with start ≤ key < end in key order. */
  range(start: string, end: string): Iterable<{ key: string; value: Buffer }>;
  /** Pending timers with due ≤ `until`, by (due, key), beginning behind `after`. */
  timersUntil(until: number, after?: DueTimer): Iterable<DueTimer>;
  /** Apply changes and move to `position`, atomically. */
  apply(changes: readonly RowChange[], position: number): void;
  wipe(): void;
}

/** Opens the store of one partition of a table. The same arguments give the same store. */
export type OpenStore = (table: string, partition: number) => TableStore;
