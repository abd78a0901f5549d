import { resolve } from 'node:path';
import { Command } from 'commander';
import { readConfig } from '../config.js';
import { exportEvents, type Exported } from '../export-events.js';
import { exitingWell } from './exit.js';
import { askInstallation } from './installation.js';

interface Options {
  readonly out: string;
  readonly json?: boolean;
}

export function exportCommand(): Command {
  const events = new Command('events')
    .description('Write every event, order, product and stock that the log still holds into a file that replay reads: to carry a shop over to another installation or version. Shoppers who were erased are left out.')
    .requiredOption('--out <file>', 'a new file; gzipped when its name ends with .gz')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', `
Example:
  millrace export events --out shop.ndjson.gz
  DATA_DIR=./new millrace replay shop.ndjson.gz --format millrace-ndjson`)
    .action((options: Options) => exitingWell(() => run(options)));
  return new Command('export').description('Write what an installation holds into files.').addCommand(events);
}

async function run({ out, json }: Options): Promise<void> {
  const path = resolve(out);
  const exported = await askInstallation(readConfig(), { kind: 'export-events', path }, (engine) => exportEvents(engine, path)) as Exported;
  process.stdout.write(json ? `${JSON.stringify(exported)}\n` : sentenceOf(exported, out));
}

function sentenceOf({ events, erased, unreadable, since }: Exported, out: string): string {
  const without = [[erased, 'of erased shoppers'], [unreadable, 'that nobody can read']].filter(([count]) => count !== 0).map(([count, of]) => `, without ${count} ${of}`).join('');
  return since === null ? 'The log holds no events.\n' : `${events} events since ${since} in ${out}${without}\n`;
}
