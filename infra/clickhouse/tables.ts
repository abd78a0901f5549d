import { randomUUID } from 'node:crypto';
import { erasureStatements } from './erasure.js';
import type { Row, RowSink } from '../../pipeline/core/row-sink.js';
import { checkParameters, migrate } from './migrations.js';
import type { MigrationParameters } from './migrations.js';

export type QueryParameters = Readonly<Record<string, string | number>>;
export type InsertSettings = Readonly<Record<string, string | number>>;

/** What the two engines do differently. Each throws Unavailable where the outcome is unknown or will pass. */
export interface SqlEngine {
  readonly engine: RowSink['engine'];
  /** Make the database if it is missing and have statements mean it where they name none. */
  prepare(): Promise<void>;
  run(sql: string): Promise<void>;
  ask(sql: string, params?: QueryParameters): Promise<readonly Row[]>;
  look(sql: string, until: AbortSignal): Promise<readonly Row[]>;
  insert(table: string, columns: readonly string[], lines: readonly Buffer[], settings: InsertSettings): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every setting that decides whether a block is one part and is found again by its token, set each time: their defaults
 * changed in 24.7, 25.9, 26.1 and 26.2, and a server's profile may change them too.
 */
const exactlyOnce: InsertSettings = {
  async_insert: 0,
  insert_deduplicate: 1,
  deduplicate_insert: 'enable',
  deduplicate_blocks_in_dependent_materialized_views: 1,
  materialized_views_ignore_errors: 0,
  parallel_view_processing: 0,
  // One insert is one block: a block cut in two would be two tokens.
  max_insert_block_size: 1_048_576,
  max_insert_block_size_rows: 1_048_576,
  max_insert_block_size_bytes: 0,
  min_insert_block_size_rows: 1_048_576,
  min_insert_block_size_bytes: 1 << 30,
  use_strict_insert_block_limits: 0,
  max_insert_threads: 1,
  input_format_parallel_parsing: 0,
  // Years of receipt times may come in one block of a replay; refusing it would stop the sink for good.
  max_partitions_per_insert_block: 0,
  // A column that is missing in the table or a null where none may be is a mistake of ours, never a default.
  input_format_skip_unknown_fields: 0,
  input_format_null_as_default: 0,
  input_format_allow_errors_num: 0,
  input_format_allow_errors_ratio: 0,
  date_time_input_format: 'basic',
};

const PLACE = '_topic = {topic:String} AND _partition = {partition:UInt32}';

/** The port over an engine. */
export function tablesOf(engine: SqlEngine, parameters: MigrationParameters): RowSink {
  checkParameters(parameters);
  const { database } = parameters;
  let settings: InsertSettings | undefined;
  /** A server refuses settings that it does not know, and each version knows others. */
  const knownSettings = async (): Promise<InsertSettings> => {
    if (settings) return settings;
    const names = Object.keys(exactlyOnce).map((name) => `'${name}'`).join(', ');
    const known = new Set((await engine.ask(`SELECT name FROM system.settings WHERE name IN (${names})`)).map((row) => row['name']));
    settings = Object.fromEntries(Object.entries(exactlyOnce).filter(([name]) => known.has(name)));
    return settings;
  };
  const tableName = (table: string): string => {
    if (!/^[a-z_]+$/.test(table)) throw new Error(`${JSON.stringify(table)} is not the name of a table.`);
    return `${database}.${table}`;
  };
  return {
    engine: engine.engine,
    async ensure() {
      await engine.prepare();
      await migrate(engine, parameters);
    },
    async tableId(table) {
      const [row] = await engine.ask('SELECT toString(uuid) AS id FROM system.tables WHERE database = {database:String} AND name = {table:String}', { database, table });
      if (typeof row?.['id'] !== 'string') throw new Error(`ClickHouse has no table ${database}.${table}.`);
      return row['id'];
    },
    async insert(table, columns, lines, token) {
      await engine.insert(tableName(table), columns, lines, { ...(await knownSettings()), insert_deduplication_token: token });
    },
    async countRows(table, topic, partition, from, to) {
      const [row] = await engine.ask(
        `SELECT count() AS rows FROM ${tableName(table)} WHERE ${PLACE} AND _offset BETWEEN {from:UInt64} AND {to:UInt64} SETTINGS select_sequential_consistency = 1`,
        { topic, partition, from, to },
      );
      return Number(row?.['rows']);
    },
    async lastOffset(table, topic, partition) {
      const [row] = await engine.ask(
        `SELECT count() AS rows, max(_offset) AS last FROM ${tableName(table)} WHERE ${PLACE} SETTINGS select_sequential_consistency = 1`, { topic, partition },
      );
      return Number(row?.['rows']) === 0 ? undefined : Number(row?.['last']);
    },
    async erase(ids, before) {
      for (const statement of erasureStatements(database, ids, before, `erased-${randomUUID()}`)) await engine.run(statement);
    },
    query: (sql, params) => engine.ask(sql, params),
    look: (sql, until) => engine.look(sql, until),
    close: () => engine.close(),
  };
}

/**
 * Rows of an answer in JSONEachRow.
 * @throws SyntaxError for an answer in another form, which only a statement with a FORMAT of its own has
 */
export function rowsOf(text: string): Row[] {
  try {
    return text.split('\n').filter(Boolean).map(rowOf);
  } catch (error) {
    throw new SyntaxError('The answer is not in the format JSONEachRow, in which it is read: leave FORMAT out of the statement.', { cause: error });
  }
}

function rowOf(line: string): Row {
  const row: unknown = JSON.parse(line);
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new SyntaxError(`${line} is no row.`);
  return row as Row;
}
