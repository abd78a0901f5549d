import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { openChdb } from '../../infra/clickhouse/chdb.js';
import { openClickHouse } from '../../infra/clickhouse/server.js';
import { readConfig, type Config } from '../config.js';
import { noMetrics, silentJournal } from '../core/metrics.js';
import type { Row, RowSink } from '../core/row-sink.js';
import { refusalOf } from '../read-only-sql.js';
import { exitingWell } from './exit.js';
import { askRunning, installationDirectory } from './installation.js';

export function sqlCommand(): Command {
  return new Command('sql')
    .description('Ask the ClickHouse of this installation; one JSON object a line, 64-bit integers and decimals as strings.')
    .argument('<query>', 'a statement, for example "SELECT * FROM millrace.revenue_by_shop_day"')
    .option('--write', 'also statements that change something or reach beyond ClickHouse: maintenance as docs/clickhouse.md describes it')
    .addHelpText('after', `\nTables, views and columns carry comments: millrace sql "SHOW TABLES", millrace sql "DESCRIBE sales".`)
    .action((query: string, { write }: { write?: boolean }) => exitingWell(async () => {
      const refusal = write ? undefined : refusalOf(query);
      if (refusal !== undefined) throw new Error(refusal);
      for (const row of await answer(query, write ?? false, readConfig())) process.stdout.write(`${JSON.stringify(row)}\n`);
    }));
}

async function answer(query: string, write: boolean, config: Config): Promise<readonly Row[]> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password, CLICKHOUSE_DATABASE: database, SHOP_TIMEZONE: shopTimeZone } = config;
  if (url !== undefined) return askAndClose(openClickHouse({ url, user, password, database, shopTimeZone }), query, write);
  const directory = installationDirectory(config);
  const running = await askRunning(directory, { kind: 'sql', query, write });
  if (running) return running.answer as readonly Row[];
  // Nobody runs here: open the rows ourselves. Opening what is not there would make an empty database of it.
  if (!existsSync(join(directory, 'clickhouse'))) throw new Error(`There are no rows of Millrace in ${directory}: set DATA_DIR, or CLICKHOUSE_URL.`);
  const sink = await openChdb({ directory: join(directory, 'clickhouse'), database, shopTimeZone }, { metrics: noMetrics, journal: silentJournal });
  if (!sink) throw new Error('The optional package chdb is not installed, and CLICKHOUSE_URL names no server.');
  // Tables by their bare name, as where Millrace runs; a database that is not there yet is said by the query itself.
  await sink.query(`USE ${database}`).catch(() => undefined);
  return askAndClose(sink, query, write);
}

async function askAndClose(sink: Pick<RowSink, 'query' | 'look' | 'close'>, query: string, write: boolean): Promise<readonly Row[]> {
  try {
    // Who ends the command ends its connection, and with it what a server reads for it.
    return await (write ? sink.query(query) : sink.look(query, new AbortController().signal));
  } finally {
    await sink.close();
  }
}
