import { Command } from 'commander';
import { readConfig } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { reconcile, type Reconciled } from '../reconcile.js';
import { exitingWell } from './exit.js';
import { askInstallation } from './installation.js';

export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description('Compare the clean topics with the tables of ClickHouse: records with rows, and sums of money. Exit code 1 when they differ.')
    .option('--json', 'one JSON array')
    .action(({ json }: { json?: boolean }) => exitingWell(async () => {
      let runsHere = false;
      const config = readConfig();
      const compared = await askInstallation(config, { kind: 'reconcile' }, async ({ log, openRowSink }) => {
        runsHere = config.KAFKA_BROKERS.length === 0;
        const rowSink = await openRowSink();
        if (!rowSink) throw new ConfigError(['The optional package chdb is not installed, and CLICKHOUSE_URL names no server.']);
        return reconcile(log, rowSink);
      }) as readonly Reconciled[];
      if (json) process.stdout.write(`${JSON.stringify(compared)}\n`);
      else for (const one of compared) process.stdout.write(`${sentenceOf(one)}\n`);
      const different = compared.filter(({ equal }) => !equal);
      if (different.length > 0 && runsHere) process.stderr.write('Nothing runs in DATA_DIR: what was written last may not be in ClickHouse yet. Start it, then ask again.\n');
      if (different.length > 0) throw new Error(`${different.length} of ${compared.length} partitions differ from their table.`);
    }));
}

function sentenceOf({ table, partition, records, rows, missing, doubled, logged, stored, equal }: Reconciled): string {
  const sums = logged === null ? '' : `, ${logged} against ${stored}`;
  const what = equal ? 'equal' : `DIFFERENT: ${missing} missing, ${doubled} doubled`;
  return `${table}/${partition}\t${records} records, ${rows} rows${sums}\t${what}`;
}
