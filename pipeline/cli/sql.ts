import { Command } from 'commander';
import { callDoor } from '../../infra/embedded-log/door.js';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { openClickHouse } from '../../infra/clickhouse/server.js';
import { join } from 'node:path';
import { readConfig, type Config } from '../config.js';
import { Unavailable } from '../core/errors.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import type { Row } from '../core/row-sink.js';
import { exitingWell } from './exit.js';

export function sqlCommand(): Command {
  return new Command('sql')
    .description('Ask the ClickHouse of this installation; one JSON object a line, 64-bit integers and decimals as strings.')
    .argument('<query>', 'a statement, for example "SELECT * FROM millrace.revenue_by_day"')
    .action((query: string) => exitingWell(async () => {
      for (const row of await answer(query, readConfig())) process.stdout.write(`${JSON.stringify(row)}\n`);
    }));
}

async function answer(query: string, config: Config): Promise<readonly Row[]> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password, CLICKHOUSE_DATABASE: database, SHOP_TIMEZONE: shopTimeZone } = config;
  if (url !== undefined) return askAndClose(openClickHouse({ url, user, password, database, shopTimeZone }), query);
  try {
    return await callDoor(config.DATA_DIR, { kind: 'sql', query }) as readonly Row[];
  } catch (error) {
    // Nobody runs in this directory: open it ourselves.
    if (!(error instanceof Unavailable)) throw error;
  }
  const sink = await openChdb({ directory: join(config.DATA_DIR, 'clickhouse'), database, shopTimeZone }, { metrics: noMetrics, journal: silentJournal });
  if (!sink) throw new Error('The optional package chdb is not installed, and CLICKHOUSE_URL names no server.');
  await sink.ensure();
  return askAndClose(sink, query);
}

async function askAndClose(sink: { query(sql: string): Promise<readonly Row[]>; close(): Promise<void> }, query: string): Promise<readonly Row[]> {
  try {
    return await sink.query(query);
  } finally {
    await sink.close();
  }
}
