import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ConfigError } from '../../pipeline/core/errors.js';
import type { Journal, Metrics } from '../../pipeline/core/metrics.js';
import type { RowSink } from '../../pipeline/core/row-sink.js';
import { clickHouseError } from './engine-errors.js';
import { rowsOf, tablesOf } from './tables.js';

export interface ChdbPlace {
  /** One process at a time. */
  readonly directory: string;
  readonly database?: string | undefined;
  readonly shopTimeZone: string;
}

/** What is used of npm `chdb`. Not its own types: the package is optional, and the build must pass without it. */
interface Chdb {
  Session: new (path: string, options: { connectionArgs: readonly string[] }) => ChdbSession;
  drainPending(): Promise<void>;
}

interface ChdbSession {
  queryBindAsync(sql: string, params: object, options: { format: string; signal?: AbortSignal }): Promise<{ text(): string }>;
  insert(block: { table: string; columns: readonly string[]; values: Buffer; format: 'JSONCompactEachRow'; settings: object }): Promise<unknown>;
  close(): void;
}

/** Given when connecting: a setting made by a later statement would stay with the connection and reach others. */
const ANSWERS = ['--output_format_json_quote_64bit_integers=1', '--output_format_json_quote_decimals=1', '--output_format_json_quote_denormals=1'];

/**
 * chDB goes on where a write finds the disk full: an insert is acknowledged, or old parts are removed after a merge, though the new files are
 * empty. So it begins neither unless it can leave this much for what others write meanwhile, the log first.
 */
const KEEP_FREE = '--storage_configuration.disks.default.keep_free_space_bytes=268435456';

/** Old parts are removed by so many threads, each of which stays, with a stack and three open files: by default 128, which a shop's few tables do not need. */
const FEW_CLEANERS = '--max_parts_cleaning_thread_pool_size=4';

/**
 * Rows in ClickHouse inside this process, on threads of its own. Undefined where the optional package `chdb` cannot be
 * loaded: everything but SQL works without it.
 */
export async function openChdb({ directory, database = 'millrace', shopTimeZone }: ChdbPlace, { metrics, journal }: { metrics: Metrics; journal: Journal }): Promise<RowSink | undefined> {
  const chdb = load();
  metrics.gauge('millrace_fallback', 'failure' in chdb ? 1 : 0, { kind: 'no_sql' });
  if ('failure' in chdb) {
    journal.warn({ err: chdb.failure }, 'The optional package chdb cannot be loaded: SQL is not available, everything else works.');
    return undefined;
  }
  mkdirSync(directory, { recursive: true });
  emptyStandardInput();
  const session = open(chdb, directory);
  const begin = (sql: string, params: object, until: { signal?: AbortSignal }) => session.queryBindAsync(sql, params, { format: 'JSONEachRow', ...until });
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (sql: string, params: object = {}, until: { signal?: AbortSignal } = {}) => {
    const answer = last.then(() => begin(sql, params, until));
    // chDB keeps the rows of a statement that failed half-way, and hands them to the next one that has none: another takes them away first.
    last = answer.catch(() => begin('SELECT 1', {}, {})).catch(() => {});
    return rowsOf((await answered(answer)).text());
  };
  const run = async (sql: string) => void (await ask(sql));
  return tablesOf(
    {
      engine: 'chdb',
      async prepare() {
        await run(`CREATE DATABASE IF NOT EXISTS ${database} ENGINE = Atomic`);
        await run(`USE ${database}`);
      },
      run,
      ask: (sql, params) => ask(sql, params),
      look: (sql, signal) => ask(sql, {}, { signal }),
      insert: async (table, columns, lines, settings) => {
        await answered(session.insert({ table, columns, values: Buffer.concat(lines), format: 'JSONCompactEachRow', settings }));
      },
      async close() {
        await last;
        // A connection closed under a running statement would only be given up later, with the directory still locked.
        await chdb.drainPending();
        session.close();
        await chdb.drainPending();
      },
    },
    { database, shopTimeZone },
  );
}

/**
 * chDB takes what waits on standard input for rows of the next insert. Of a terminal or nothing it takes none, anything
 * else gives way to nothing: the number just closed is the lowest that is free, and so what opens next.
 */
function emptyStandardInput(): void {
  if (fstatSync(0).isCharacterDevice()) return;
  closeSync(0);
  openSync('/dev/null', 'r');
}

/** Not a static import, which would end the process where the package is missing. */
function load(): Chdb | { failure: unknown } {
  try {
    return createRequire(import.meta.url)('chdb') as Chdb;
  } catch (failure) {
    return { failure };
  }
}

function open(chdb: Chdb, directory: string): ChdbSession {
  try {
    return new chdb.Session(directory, { connectionArgs: [...ANSWERS, KEEP_FREE, FEW_CLEANERS] });
  } catch (cause) {
    throw new ConfigError([`The ClickHouse directory ${directory} cannot be opened; another process may be using it: ${(cause as Error).message}`], { cause });
  }
}

async function answered<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    const code = error instanceof Error && 'clickhouseCode' in error ? Number(error.clickhouseCode) : undefined;
    throw code !== undefined && error instanceof Error ? clickHouseError(code, error) : error;
  }
}
