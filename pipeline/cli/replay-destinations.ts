import { callDoor } from '../../infra/embedded-log/door.js';
import { pinoJournal } from '../../infra/journal/pino.js';
import { caughtUp, consumersCaughtUp } from '../caught-up.js';
import type { Config } from '../config.js';
import { ConfigError } from '../core/errors.js';
import type { NewRecord } from '../core/log.js';
import { noMetrics, type Journal } from '../core/metrics.js';
import { openEngine } from '../engine.js';
import { inStep } from '../in-step.js';
import { knownLines, type KnownLines } from '../known-lines.js';
import { startMillrace } from '../main.js';
import { uploader } from '../replay-upload.js';
import { checkShop } from '../shop-of-log.js';
import { askRunning, installationDirectory } from './installation.js';

/** What the command line says of where a file goes. */
export interface Where {
  readonly clock?: 'wall' | 'file';
  readonly url?: string;
}

/** Where the records go, and how to wait until they have had all their effects. */
export interface Destination {
  readonly partitions: number;
  /** The log's, whatever --clock says: a log that was made with the file's clock goes by it when the next file leaves the option out. */
  readonly clock: 'wall' | 'file';
  /** Lines of the source that were taken before; absent where nobody can tell. */
  known?(): Promise<KnownLines>;
  send(records: readonly NewRecord[]): Promise<void>;
  finish(onLag: (records: number) => void): Promise<void>;
  /** The same of consumers alone; of a log that may have the file's clock. */
  settled?(): Promise<void>;
  /** End what was started for it, whatever came of the file: a part that runs on keeps the process alive. */
  stop(): Promise<void>;
}

/** @throws ConfigError where the configuration lacks what `where` asks for */
export async function destinationOf(config: Config, where: Where, source: string): Promise<Destination> {
  if (where.url !== undefined) return { ...uploader(where.url, source, config.ADMIN_TOKENS[0]), clock: 'wall' };
  if (config.KAFKA_BROKERS.length > 0) return cluster(config, where, source);
  return (await runningIn(config.DATA_DIR, config, where.clock, source)) ?? (await runningDemo(config, where, source)) ?? ourselves(config, where, source);
}

/** As other commands find it: where DATA_DIR has no log of its own. A demo that rests takes no file, since `start` would not have it. */
async function runningDemo(config: Config, { clock }: Where, source: string): Promise<Destination | undefined> {
  const directory = installationDirectory(config);
  if (directory === config.DATA_DIR) return undefined;
  if (clock === 'file') {
    process.stderr.write(`Into a log of its own in ${config.DATA_DIR}, since the demo's has the wall's clock. Commands with this DATA_DIR ask it from now on, not the demo.\n`);
    return undefined;
  }
  const demo = await runningIn(directory, config, clock, source);
  if (demo) process.stderr.write(`Into the demo that runs in ${directory}.\n`);
  return demo;
}

/** The topics alone: whoever ran tasks here would take partitions from the processes of the cluster, and give them back at the end. */
async function cluster(config: Config, { clock }: Where, source: string): Promise<Destination> {
  const { log, close } = await openEngine({ config, metrics: noMetrics, journal: journalOf(config), clock, makesRecords: true });
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
async function runningIn(directory: string, config: Config, clock: Where['clock'], source: string): Promise<Destination | undefined> {
  const running = await askRunning(directory, { kind: 'log' });
  if (!running) return undefined;
  checkShop(directory, config);
  const { partitions, clock: its } = running.answer as Pick<Destination, 'partitions' | 'clock'>;
  if (clock !== undefined && clock !== its) throw new ConfigError([`The running log has the clock "${its}"; --clock ${clock} needs a fresh DATA_DIR.`]);
  return {
    partitions,
    clock: its,
    known: async () => (await callDoor(directory, { kind: 'known-lines', source })) as KnownLines,
    send: async (records) => void (await callDoor(directory, { kind: 'append', records: records.map(({ value, ...record }) => ({ ...record, value: value?.toString('base64') ?? null })) })),
    finish: async () => void (await callDoor(directory, { kind: 'caught-up' })),
    settled: async () => void (await callDoor(directory, { kind: 'consumers-caught-up' })),
    stop: async () => {},
  };
}

/** Nobody runs: run the whole topology here until everything has had its effects. */
async function ourselves(config: Config, { clock }: Where, source: string): Promise<Destination> {
  const millrace = await startMillrace({ config, role: 'all', demo: false, journal: journalOf(config), withoutHttp: true, clock });
  const { engine, topology, rowSink } = millrace;
  return {
    partitions: engine.log.partitions,
    clock: engine.log.clock,
    known: () => Promise.race([knownLines(engine, topology, source), millrace.failed]),
    send: async (records) => void (await engine.log.append(records)),
    finish: (onLag) => Promise.race([caughtUp(engine, topology, rowSink, onLag), millrace.failed]),
    settled: () => Promise.race([consumersCaughtUp(engine, topology, () => {}), millrace.failed]),
    stop: () => millrace.stop(),
  };
}

const journalOf = ({ LOG_LEVEL: level }: Config): Journal => pinoJournal(level === 'info' ? 'warn' : level);
