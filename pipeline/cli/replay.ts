import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { SingleBar } from 'cli-progress';
import { Command, Option } from 'commander';
import { sentenceOf } from '../../producers/fields.js';
import { CHUNK_BYTES, type Summary } from '../../producers/formats/format.js';
import { formats, type FormatName } from '../../producers/formats/index.js';
import { readConfig } from '../config.js';
import { ConfigError } from '../core/errors.js';
import { GaveUp, replay, ticks } from '../replay.js';
import { shopSettings } from '../shop-of-log.js';
import { exitingWell, REFUSED, TRY_AGAIN, TryAgain } from './exit.js';
import { destinationOf, type Destination, type Where } from './replay-destinations.js';
import { textOf } from './text-lines.js';

interface Options extends Where {
  readonly format: FormatName;
  readonly source?: string;
  readonly speed?: string;
  readonly patience: string;
  readonly json?: boolean;
}

const A_DAY_A_SECOND = 86_400;

const EXIT_CODES = `
Examples:
  millrace replay online-retail.csv.gz --format online-retail
  ADMIN_TOKENS=at_1 millrace replay events.ndjson --format segment-ndjson --url http://localhost:8080

Exit codes: 0 all was taken, ${REFUSED} all but what was refused (its lines are named), 1 it ended early, ${TRY_AGAIN} it was not taken for
as long as --patience (the same command goes on from there), 78 the configuration is wrong.`;

export function replayCommand(): Command {
  return new Command('replay')
    .description('Carry a file of events or orders through the topics. Replaying the same source twice changes nothing.')
    .argument('<file>', 'the file, gzipped or not')
    .addOption(new Option('--format <format>', 'what the file holds').choices(Object.keys(formats)).makeOptionMandatory())
    .option('--source <name>', 'name of the source; the file name by default')
    .option('--speed <speed>', `"max", or how many seconds of the file pass in one (default: "max"; ${A_DAY_A_SECOND} for millrace-ndjson on the wall's clock)`)
    .addOption(new Option('--clock <clock>', 'file: the log ticks by the file\'s time (a fresh DATA_DIR only); wall: what is older than a day is history').choices(['file', 'wall']))
    .option('--url <url>', 'send over HTTP to a running Millrace (needs ADMIN_TOKENS)')
    .option('--patience <seconds>', 'how long to try again while what should take the events does not', '60')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', EXIT_CODES)
    .action((file: string, options: Options) => exitingWell(() => run(file, options)));
}

async function run(file: string, options: Options): Promise<void> {
  if (!(speedOf(options, 'wall') > 0)) throw new Error(`--speed must be "max" or a number above 0, not "${options.speed}".`);
  if (!(Number(options.patience) >= 0)) throw new Error(`--patience must be a number of seconds, not "${options.patience}".`);
  if (options.url !== undefined && options.clock === 'file') throw new ConfigError(['--clock file cannot be had by --url: ticks of a file are written where the log is, in DATA_DIR.']);
  // Before anything else is: what comes through standard input would be lost to the in-process ClickHouse.
  const opened = await open(file).catch(() => { throw new Error(`There is no file ${file}.`); });
  try {
    await carry(opened, file, options);
  } finally {
    // Not awaited: a pipe closes only once its writer has said more or ended, and what is wrong with it must be said before.
    opened.close().catch(() => {});
  }
}

/** What an installation has lived holds stock beside sales: read as fast as it goes, one would be days ahead of the other. */
const speedOf = ({ speed, format }: Options, clock: Destination['clock']): number =>
  (speed === undefined ? (format === 'millrace-ndjson' && clock === 'wall' ? A_DAY_A_SECOND : Infinity) : speed === 'max' ? Infinity : Number(speed));

async function carry(opened: FileHandle, file: string, options: Options): Promise<void> {
  const { size } = await opened.stat();
  const config = readConfig();
  const source = options.source ?? basename(file);
  let bytesRead = 0;
  const text = textOf(file, opened.createReadStream({ highWaterMark: CHUNK_BYTES }), (bytes) => { bytesRead += bytes; });
  const reading = formats[options.format](text, {
    source, get receivedAt() { return Date.now(); }, shop: shopSettings(config),
  });
  // A file that is none of its format ends here: opened first, an empty log would stand where there was none, and be what `sql` asks.
  const first = await reading.records.next();
  const destination = await destinationOf(config, options, source);
  const { clock, partitions } = destination;
  const began = performance.now();
  const bar = new SingleBar({ format: '{stage} {bar} {percentage}% | {rate} events/s | {eta_formatted} left', stream: process.stderr, noTTYOutput: false, clearOnComplete: true, hideCursor: true });
  const rate = (events: number): string => rateOf(events, secondsSince(began));
  bar.start(size, 0, { stage: 'reading   ', rate: '0' });
  let summary: Summary;
  let repeated: number | null;
  try {
    const known = await destination.known?.();
    const replayed = await replay({
      reading: { records: from(first, reading.records), summary: reading.summary }, send: (records) => destination.send(records), partitions, known, clock, settled: destination.settled, speed: speedOf(options, clock), patienceMs: Number(options.patience) * 1_000,
      onProgress: (events) => bar.update(bytesRead, { stage: 'reading   ', rate: rate(events) }),
      onRetry: (error) => process.stderr.write(`${error.message} The same batch is sent again for ${options.patience} s.\n`),
    }).catch((error: unknown) => {
      if (!(error instanceof GaveUp)) throw error;
      throw new TryAgain(`${error.message} Given up after ${Math.round(error.afterMs / 1_000)} s: start the same command again, what was taken does not count twice.`, { cause: error });
    });
    summary = replayed.summary;
    // Lines that were carried over from another log are known by their places in that one.
    repeated = known && options.format !== 'millrace-ndjson' ? replayed.repeated : null;
    let most = 1;
    const finish = (): Promise<void> => destination.finish((lag) => {
      most = Math.max(most, lag);
      bar.setTotal(most);
      bar.update(most - lag, { stage: 'processing', rate: rate(replayed.written) });
    });
    await finish();
    if (clock === 'file' && Number.isFinite(replayed.time)) {
      // What a login carries over comes after the last line's time, and its timers may be due: they fire by a tick, and no line brings one any more.
      await destination.send(ticks(replayed.time + 1, partitions));
      await finish();
    }
  } finally {
    bar.stop();
    await destination.stop();
  }
  tell({ ...summary, repeated }, { file, source, seconds: secondsSince(began) }, options);
}

/** What became of the file: odd and refused lines on stderr, figures on stdout. */
function tell({ repeated, ...summary }: Summary & { repeated: number | null }, { file, source, seconds }: { file: string; source: string; seconds: number }, { json }: Options): void {
  const events = summary.read + summary.refused;
  for (const [kind, count] of Object.entries(summary.odd)) process.stderr.write(`${count.toLocaleString('en')} records are odd: ${kind}\n`);
  for (const { line, errors } of summary.examples.slice(0, 5)) process.stderr.write(`Line ${line} of ${file} refused: ${sentenceOf(errors)}\n`);
  const report = { events, accepted: summary.read, repeated, rejected: summary.refused, refused: summary.examples, seconds: Number(seconds.toFixed(3)), odd: summary.odd };
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${events} events, ${summary.read} accepted${repeated === null || repeated === 0 ? '' : ` (${repeated} known before, which change nothing)`}, ${summary.refused} rejected${linesOf(summary)}, ${seconds.toFixed(1)} s (${rateOf(events, seconds)}/s)\n`);
  if (repeated === null) process.stderr.write(`What ${source} had told before is accepted again and changes nothing; how many lines that are is not known here.\n`);
  if (summary.refused > 0) process.stderr.write('Put right, these lines are a file of their own: in this one they count as read, and are passed over.\n');
  // A script that loads history must not go on as if all of it had come.
  if (summary.refused > 0) process.exitCode = REFUSED;
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000;
const rateOf = (events: number, seconds: number): string => Math.round(events / Math.max(0.001, seconds)).toLocaleString('en');

async function* from<T>(first: IteratorResult<T, unknown>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

/** Where what was refused stands, as far as it is known. */
function linesOf({ refused, examples }: Summary): string {
  if (refused === 0) return '';
  const lines = [...new Set(examples.map(({ line }) => line))];
  return ` (${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}${refused > examples.length ? ', …' : ''})`;
}
