import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { BaseQueryParams, ClickHouseClient } from '@clickhouse/client';
import { Unavailable } from '../../pipeline/core/errors.js';
import type { RowSink } from '../../pipeline/core/row-sink.js';
import { clickHouseError } from './engine-errors.js';
import { rowsOf, tablesOf } from './tables.js';
import type { InsertSettings, QueryParameters } from './tables.js';

export interface ClickHouseAddress {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: string | undefined;
  readonly shopTimeZone: string;
}

const REQUEST_MS = 60_000;

/** Rows in a ClickHouse server, over HTTP. */
export function openClickHouse({ url, user = 'default', password = '', database = 'millrace', shopTimeZone }: ClickHouseAddress): RowSink {
  const connect = (to: string) =>
    // Errors are named and logged by who asked.
    createClient({ url, username: user, password, database: to, request_timeout: REQUEST_MS, application: 'millrace', log: { level: ClickHouseLogLevel.OFF } });
  const client = connect(database);
  return tablesOf(
    {
      engine: 'clickhouse',
      async prepare() {
        // Not through `client`: a server refuses every request that names a database it does not have.
        const anywhere = connect('default');
        try {
          await answered(run(anywhere, `CREATE DATABASE IF NOT EXISTS ${database}`));
        } finally {
          await anywhere.close();
        }
      },
      run: (sql) => answered(run(client, sql)),
      ask: (sql, params) => answered(ask(client, sql, params)),
      look: (sql, until) => answered(ask(client, sql, {}, { abort_signal: until, clickhouse_settings: UNTIL_GONE })),
      insert: (table, columns, lines, settings) => answered(insert(client, table, columns, lines, settings)),
      close: () => client.close(),
    },
    { database, shopTimeZone },
  );
}

type Until = Pick<BaseQueryParams, 'abort_signal' | 'clickhouse_settings'>;

/** A server goes on with what nobody waits for, but for what only reads and says so; 2 lets a statement have SETTINGS of its own. */
const UNTIL_GONE = { readonly: '2', cancel_http_readonly_queries_on_client_close: 1 } as const;

async function run(client: ClickHouseClient, sql: string): Promise<void> {
  await client.command({ query: sql, clickhouse_settings: { wait_end_of_query: 1 } });
}

/** By `exec`, since `insert` would parse the lines back into objects. */
async function insert(client: ClickHouseClient, table: string, columns: readonly string[], lines: readonly Buffer[], settings: InsertSettings): Promise<void> {
  const { stream } = await client.exec({
    query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT JSONCompactEachRow`,
    values: Readable.from(lines, { objectMode: false }),
    clickhouse_settings: { ...settings, wait_end_of_query: 1 },
  });
  // The connection goes back to the pool once its answer was read.
  await text(stream);
}

/** By `exec`, which leaves the statement as it is: one with a FORMAT or without rows is answered too. */
async function ask(client: ClickHouseClient, sql: string, params: QueryParameters = {}, { abort_signal, clickhouse_settings }: Until = {}) {
  const { stream } = await client.exec({
    query: sql,
    query_params: { ...params },
    ...(abort_signal ? { abort_signal } : {}),
    clickhouse_settings: {
      ...clickhouse_settings,
      default_format: 'JSONEachRow',
      output_format_json_quote_64bit_integers: 1,
      output_format_json_quote_decimals: 1,
      output_format_json_quote_denormals: 1,
      // Or an error after the first rows would come as one more row.
      wait_end_of_query: 1,
    },
  });
  return rowsOf(await text(stream));
}

/** Name errors for who must act. What ClickHouse did not say itself comes from the way to it. */
async function answered<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof ClickHouseError) throw clickHouseError(Number(error.code), error);
    if (error instanceof TypeError || error instanceof SyntaxError || !(error instanceof Error)) throw error;
    throw new Unavailable(`ClickHouse does not answer: ${error.message}`, { cause: error });
  }
}
