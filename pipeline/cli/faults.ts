import { fileURLToPath } from 'node:url';
import { SingleBar } from 'cli-progress';
import { Command, Option } from 'commander';
import { runFaults, type FaultsReport } from '../faults/run.js';
import { wholeFrom } from './counts.js';
import { exitingWell } from './exit.js';

interface Options {
  readonly kills: number;
  readonly seed: string;
  readonly engine: 'embedded' | 'kafka';
  readonly json?: boolean;
}

export function faultsCommand(): Command {
  return new Command('faults')
    .description('Kill processes of a fresh installation while events are published, and count what is lost or doubled in topics and ClickHouse.')
    .option('--kills <number>', 'processes to kill with SIGKILL, one at a time', wholeFrom(0), 10)
    .option('--seed <seed>', 'decides who is killed when, and what is published', '1')
    .addOption(new Option('--engine <engine>', 'kafka needs KAFKA_BROKERS and CLICKHOUSE_URL; it uses a topic prefix and a database of its own').choices(['embedded', 'kafka']).default('embedded'))
    .option('--json', 'one JSON object on stdout')
    .action((options: Options) => exitingWell(() => run(options)));
}

async function run({ kills, seed, engine, json }: Options): Promise<void> {
  const bar = new SingleBar({ format: '{stage} {bar} {value}/{total} kills | {duration_formatted}', stream: process.stderr, hideCursor: true, clearOnComplete: true });
  bar.start(kills, 0, { stage: 'starting' });
  let report: FaultsReport;
  try {
    const entry = [fileURLToPath(new URL('millrace.js', import.meta.url))];
    report = await runFaults({ kills, seed, engine, environment: process.env, entry, onProgress: (done, stage) => bar.update(done, { stage }) });
  } finally {
    bar.stop();
  }
  for (const { name, end, tail } of report.own_exits) process.stderr.write(`${name} ended by itself (${end}):\n${tail}\n`);
  for (const example of report.examples) process.stderr.write(`${example}\n`);
  if (!report.drained) process.stderr.write('Not everything had arrived when it was counted: what is late counts as lost.\n');
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : textOf(report));
  if (report.lost + report.duplicated + report.triggers_lost + report.triggers_duplicated + report.profiles_wrong > 0) process.exitCode = 1;
}

const textOf = (report: FaultsReport): string => [
  `${report.kills} kills in ${report.seconds} s: ${report.sent} messages and sales sent, ${report.repeated} requests repeated`,
  `lost ${report.lost}, duplicated ${report.duplicated} (${report.in_topics} in topics, ${report.in_clickhouse} in ClickHouse)`,
  `${report.triggers} triggers: lost ${report.triggers_lost}, duplicated ${report.triggers_duplicated}; profiles wrong ${report.profiles_wrong}`,
  '',
].join('\n');
