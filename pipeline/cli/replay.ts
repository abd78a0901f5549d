import { open, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { SingleBar } from 'cli-progress';
import { Command, Option } from 'commander';
import { callDoor } from '../../infra/embedded-log/door.js';
import { pinoJournal } from '../../infra/journal/pino.js';
import { sentenceOf } from '../../producers/fields.js';
import { CHUNK_BYTES, type Summary } from '../../producers/formats/format.js';
import { formats, type FormatName } from '../../producers/formats/index.js';
import { caughtUp, consumersCaughtUp } from '../caught-up.js';
import { readConfig, type Config } from '../config.js';
import { ConfigError } from '../core/errors.js';
import type { NewRecord } from '../core/log.js';
import { noMetrics, type Journal } from '../core/metrics.js';
import { openEngine } from '../engine.js';
import { inStep } from '../in-step.js';
import { startMillrace } from '../main.js';
import { GaveUp, replay, ticks } from '../replay.js';
import { uploader } from '../replay-upload.js';
import { exitingWell, REFUSED, TRY_AGAIN, TryAgain } from './exit.js';
import { askRunning, installationDirectory } from './installation.js';
import { textOf } from './text-lines.js';

interface Options {
  readonly format: FormatName;
  readonly source?: string;
  readonly speed?: string;
  readonly clock?: 'wall' | 'file';
  readonly url?: string;
  readonly patience: string;
  readonly json?: boolean;
}

/** Where the records go, and how to wait until they have had all their effects. */
interface Destination {
  readonly partitions: number;
  /** The log's, whatever --clock says: a log that was made with the file's clock goes by it when the next file leaves the option out. */
  readonly clock: 'wall' | 'file';
  send(records: readonly NewRecord[]): Promise<void>;
  finish(onLag: (records: number) => void): Promise<void>;
  /** The same of consumers alone; of a log that may have the file's clock. */
  settled?(): Promise<void>;
  /** End what was started for it, whatever came of the file: a part that runs on keeps the process alive. */
  stop(): Promise<void>;
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
    source, get receivedAt() { return Date.now(); }, shop: { currency: config.SHOP_CURRENCY, timezone: config.SHOP_TIMEZONE },
  });
  // A file that is none of its format ends here: opened first, an empty log would stand where there was none, and be what `sql` asks.
  const first = await reading.records.next();
  const destination = await destinationOf(config, options, source);
  const { clock, partitions } = destination;
  const began = performance.now();
  const bar = new SingleBar({ format: '{stage} {bar} {percentage}% | {rate} events/s | {eta_formatted} left', stream: process.stderr, noTTYOutput: false, clearOnComplete: true, hideCursor: true });
  const rate = (events: number): string => Math.round(events / Math.max(0.001, (performance.now() - began) / 1000)).toLocaleString('en');
  bar.start(size, 0, { stage: 'reading   ', rate: '0' });
  let summary: Summary;
  try {
    const replayed = await replay({
      reading: { records: from(first, reading.records), summary: reading.summary }, send: (records) => destination.send(records), partitions, clock, settled: destination.settled, speed: speedOf(options, clock), patienceMs: Number(options.patience) * 1_000,
      onProgress: (events) => bar.update(bytesRead, { stage: 'reading   ', rate: rate(events) }),
      onRetry: (error) => process.stderr.write(`${error.message} The same batch is sent again for ${options.patience} s.\n`),
    }).catch((error: unknown) => {
      if (!(error instanceof GaveUp)) throw error;
      throw new TryAgain(`${error.message} Given up after ${Math.round(error.afterMs / 1_000)} s: start the same command again, what was taken does not count twice.`, { cause: error });
    });
    summary = replayed.summary;
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
  const seconds = (performance.now() - began) / 1000;
  const events = summary.read + summary.refused;
  for (const [kind, count] of Object.entries(summary.odd)) process.stderr.write(`${count.toLocaleString('en')} records are odd: ${kind}\n`);
  for (const { line, errors } of summary.examples.slice(0, 5)) process.stderr.write(`Line ${line} of ${file} refused: ${sentenceOf(errors)}\n`);
  const report = { events, accepted: summary.read, rejected: summary.refused, refused: summary.examples, seconds: Number(seconds.toFixed(3)), odd: summary.odd };
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${events} events, ${summary.read} accepted, ${summary.refused} rejected${linesOf(summary)}, ${seconds.toFixed(1)} s (${rate(events)}/s)\n`);
  if (summary.refused > 0) process.stderr.write('Put right, these lines are a file of their own: in this one they count as read, and are passed over.\n');
  // A script that loads history must not go on as if all of it had come.
  if (summary.refused > 0) process.exitCode = REFUSED;
}

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

async function destinationOf(config: Config, options: Options, source: string): Promise<Destination> {
  if (options.url !== undefined) return { ...uploader(options.url, source, config.ADMIN_TOKENS[0]), clock: 'wall' };
  if (config.KAFKA_BROKERS.length > 0) return cluster(config, options, source);
  return (await runningIn(config.DATA_DIR, options.clock)) ?? (await runningDemo(config, options)) ?? ourselves(config, options);
}

/** As other commands find it: where DATA_DIR has no log of its own. A demo that rests takes no file, since `start` would not have it. */
async function runningDemo(config: Config, { clock }: Options): Promise<Destination | undefined> {
  const directory = installationDirectory(config);
  if (directory === config.DATA_DIR || clock === 'file') return undefined;
  const demo = await runningIn(directory, clock);
  if (demo) process.stderr.write(`Into the demo that runs in ${directory}.\n`);
  return demo;
}

/** The topics alone: whoever ran tasks here would take partitions from the processes of the cluster, and give them back at the end. */
async function cluster(config: Config, { clock }: Options, source: string): Promise<Destination> {
  const { log, close } = await openEngine({ config, metrics: noMetrics, journal: journalOf(config), clock });
  const waits = inStep(log);
  return {
    partitions: log.partitions,
    clock: log.clock,
    async send(records) {
      await waits(source, records);
      await log.append(records);
    },
    finish: async () => void process.stderr.write('All of it stands in the topics; the consumers of the cluster read on from there.\n'),
    stop: close,
  };
}

/** The process that runs in the data directory, if there is one. */
async function runningIn(directory: string, clock: Options['clock']): Promise<Destination | undefined> {
  const running = await askRunning(directory, { kind: 'log' });
  if (!running) return undefined;
  const { partitions, clock: its } = running.answer as Pick<Destination, 'partitions' | 'clock'>;
  if (clock !== undefined && clock !== its) throw new ConfigError([`The running log has the clock "${its}"; --clock ${clock} needs a fresh DATA_DIR.`]);
  return {
    partitions,
    clock: its,
    send: async (records) => void (await callDoor(directory, { kind: 'append', records: records.map(({ value, ...record }) => ({ ...record, value: value?.toString('base64') ?? null })) })),
    finish: async () => void (await callDoor(directory, { kind: 'caught-up' })),
    settled: async () => void (await callDoor(directory, { kind: 'consumers-caught-up' })),
    stop: async () => {},
  };
}

/** Nobody runs: run the whole topology here until everything has had its effects. */
async function ourselves(config: Config, { clock }: Options): Promise<Destination> {
  const millrace = await startMillrace({ config, role: 'all', demo: false, journal: journalOf(config), withoutHttp: true, clock });
  const { engine, topology, rowSink } = millrace;
  return {
    partitions: engine.log.partitions,
    clock: engine.log.clock,
    send: async (records) => void (await engine.log.append(records)),
    finish: (onLag) => Promise.race([caughtUp(engine, topology, rowSink, onLag), millrace.failed]),
    settled: () => Promise.race([consumersCaughtUp(engine, topology, () => {}), millrace.failed]),
    stop: () => millrace.stop(),
  };
}

const journalOf = ({ LOG_LEVEL: level }: Config): Journal => pinoJournal(level === 'info' ? 'warn' : level);
