import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import type { Figure } from '../bench/bench.js';
import { benches } from '../bench/index.js';
import { runBenches } from '../bench/run.js';
import { readConfig } from '../config.js';
import { exitingWell } from './exit.js';

interface Options {
  readonly seconds: string;
  readonly large?: boolean;
  readonly json?: boolean;
}

const known = benches.map(({ name, about, needs }) => `  ${name.padEnd(22)} ${about}${needs.length > 0 ? ` Needs ${needs.join(' and ')}.` : ''}`).join('\n');

export function benchCommand(): Command {
  return new Command('bench')
    .description('Measure ourselves beside bare peers, alternating in one run. Ratios travel between machines, absolute figures do not.')
    .argument('[name...]', 'measures to take; all that can be taken here by default')
    .option('--seconds <number>', 'how long each measures, its start not counted', '10')
    .option('--large', 'also with a million shoppers (minutes)')
    .option('--json', 'one JSON list on stdout')
    .addHelpText('after', `\nMeasures:\n${known}`)
    .action(async (names: string[], options: Options) => {
      await exitingWell(() => run(names, options));
      // kafkajs loses sight of a socket now and then, which would keep the process until the broker closes it.
      process.exit();
    });
}

async function run(names: readonly string[], { seconds, large, json }: Options): Promise<void> {
  const unknown = names.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) throw new Error(`There is no measure ${unknown.join(', ')}; there are ${benches.map(({ name }) => name).join(', ')}.`);
  const duration = Number(seconds);
  if (!(duration > 0)) throw new Error(`--seconds must be a number above 0, not "${seconds}".`);
  const chosen = names.length === 0 ? benches : benches.filter(({ name }) => names.includes(name));
  const figures = await runBenches(chosen, {
    config: readConfig(), seconds: duration, large: large ?? false,
    loader: [fileURLToPath(new URL('../bench/load.js', import.meta.url))],
    onStart: ({ name }) => process.stderr.write(`measuring ${name} …\n`),
    onSkipped: ({ name }, reason) => process.stderr.write(`${name} is left out: it ${reason}.\n`),
  });
  if (figures.length === 0) throw new Error('Nothing was measured.');
  process.stdout.write(json ? `${JSON.stringify(figures)}\n` : tableOf(figures));
}

function tableOf(figures: readonly Figure[]): string {
  const widest = Math.max(...figures.map(({ name }) => name.length));
  const lines = figures.map(({ name, ours, peer, ratio, unit, conditions }) => {
    const compared = peer === null ? '' : `  peer ${peer.toLocaleString('en')}  ratio ${ratio}`;
    const under = Object.entries(conditions).map(([key, value]) => `${key}=${value}`).join(', ');
    return `${name.padEnd(widest)}  ${ours.toLocaleString('en')} ${unit}${compared}\n${' '.repeat(widest)}  (${under})`;
  });
  return `${lines.join('\n')}\n`;
}
