import type { Log, LogRecord } from './log.js';
import type { Journal, Metrics } from './metrics.js';

/** One row by column name, in the same order for all rows of a table; 64-bit integers and decimals are strings. */
export type Row = Readonly<Record<string, unknown>>;

/** Where rows of clean logs go. Rows are known by `_topic`, `_partition` and `_offset`. */
export interface RowSink {
  readonly engine: 'clickhouse' | 'chdb';
  /** Create and upgrade the tables; safe to call again, and from several processes at once. */
  ensure(): Promise<void>;
  /** Identity of a table: another one once it was dropped and made again, or the address leads to another server. */
  tableId(table: string): Promise<string>;
  /**
   * Insert one block of rows, each a line with a JSON list of its values in the order of `columns`. The identical block may be sent again under the same token.
   * @throws Unavailable when it is not known whether it was inserted, anything else when it never will be.
   */
  insert(table: string, columns: readonly string[], lines: readonly Buffer[], token: string): Promise<void>;
  /** Rows of a partition with offsets in [from, to]. */
  countRows(table: string, topic: string, partition: number, from: number, to: number): Promise<number>;
  /** Highest offset of a partition that the table holds. */
  lastOffset(table: string, topic: string, partition: number): Promise<number | undefined>;
  /**
   * Take the ids of one shopper out of every table; rows, counts and sums stay. Safe to repeat. `before`: by table the offsets, one a partition,
   * from which on rows are left alone; of a table that it does not name all are erased. @throws Unavailable
   */
  erase(ids: readonly string[], before: ReadonlyMap<string, readonly number[]>): Promise<void>;
  /** Answer one statement; `{name:Type}` in it stands for a parameter. */
  query(sql: string, params?: Readonly<Record<string, string | number>>): Promise<readonly Row[]>;
  /**
   * Answer one statement that changes nothing, for as long as somebody waits for it: when `until` aborts, a server ends it. What runs in this
   * process cannot be ended; a statement that has not begun is left out.
   */
  look(sql: string, until: AbortSignal): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** One topic that goes to one table. */
export interface SinkSpec {
  /** Name of the consumer group. */
  readonly name: string;
  readonly topic: string;
  readonly table: string;
  /** Total over what its codec reads. @throws UndecodableError */
  readonly encode: (record: LogRecord) => Row;
}

export interface SinkPorts {
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** Wall clock in ms: it only tells whether a block is still inside the deduplication window. */
  readonly now: () => number;
  /** Of the log: by the wall's, silence is a sign that something stands still. */
  readonly clock: Log['clock'];
  readonly sleep: (ms: number, until: AbortSignal) => Promise<void>;
}

export interface SinkLimits {
  /** Rows of one block. Changing it is safe: a pending block keeps the range it was given. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** Under backlog a block is filled for this long. */
  readonly fillMs: number;
  /** Least time between two blocks that are not full: each makes a part that ClickHouse must merge. */
  readonly pauseMs: number;
}

export const sinkLimits: SinkLimits = { maxRows: 10_000, maxBytes: 16 << 20, fillMs: 200, pauseMs: 200 };

/** How long after its first attempt a block may be repeated by token alone: well inside the windows of schemas/clickhouse. */
export const DEDUPLICATION_MS = 3_600_000;
