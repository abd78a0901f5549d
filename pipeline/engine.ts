import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { openChdb } from '../infra/clickhouse/chdb.js';
import { openClickHouse } from '../infra/clickhouse/server.js';
import { openDoor } from '../infra/embedded-log/door.js';
import { clockOf, openEmbeddedLog, type EmbeddedLog } from '../infra/embedded-log/log.js';
import { openKafkaLog } from '../infra/kafka-log/index.js';
import { useRegistry } from '../infra/schema-registry/registry.js';
import { openTableStores } from '../infra/table-store/stores.js';
import { allTopics } from '../schemas/topics.js';
import type { Config } from './config.js';
import { ConfigError, Unavailable } from './core/errors.js';
import type { Log } from './core/log.js';
import type { Journal, Metrics } from './core/metrics.js';
import type { RowSink } from './core/row-sink.js';
import type { Surroundings } from './core/run-task.js';
import { observedStores, type ObservedStores } from './serving/views.js';
import { agreeOnShop, checkShop, shopSettings } from './shop-of-log.js';

/** Rows of a compacted topic may have been deleted for good after half of Kafka's delete.retention.ms (1 day). */
const STORE_MAX_AGE_MS = 43_200_000;

/** The world behind the ports: log, stores, ClickHouse, snapshots. */
export interface Engine extends Surroundings {
  readonly log: Log;
  /** Stores of the tasks; on the embedded engine the views read them as well. */
  readonly owned: ObservedStores;
  /** Stores of the views: they follow the tables' topics by themselves on Kafka. */
  readonly viewed: ObservedStores;
  /** Where snapshots of learners are kept, and the log that they belong to. */
  readonly snapshotPlace: { readonly directory: string; readonly log: string };
  /** The embedded log's lock, at which other processes ask. */
  readonly door: EmbeddedLog['door'] | undefined;
  /** What the embedded log cannot be written for, while it cannot. */
  logFailure(): string | undefined;
  /** Opened once; undefined where there is no SQL. */
  openRowSink(): Promise<RowSink | undefined>;
  /** Everything that has been applied to stores is on the disk. */
  flush(): Promise<void>;
  /** Rejects when the stores of this process are of no use any more, and a start makes new ones. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** Clock of a log that is created now, or that an existing one must have; absent: whatever it has, wall for a new one. */
  readonly clock?: 'wall' | 'file' | undefined;
  /** On Kafka, too, no other process may have the data directory: each would take the other out of its groups, and their stores wait for each other. */
  readonly alone?: boolean;
  /** Records are made with the shop's settings, which must be those with which the log was. */
  readonly makesRecords?: boolean;
}

/** Open what the configuration names: Kafka and ClickHouse servers, or their embedded counterparts. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { DATA_DIR: directory, KAFKA_BROKERS: brokers } = options.config;
  makeDataDirectory(directory);
  const place = options.alone && brokers.length > 0 ? await openDoor(directory) : undefined;
  place?.refuse(`The process in ${directory} runs on Kafka: set KAFKA_BROKERS, and the rest of its configuration.`);
  try {
    const engine = await openIn(options);
    return { ...engine, close: () => engine.close().finally(() => place?.close()) };
  } catch (error) {
    await place?.close();
    throw error;
  }
}

async function openIn(options: EngineOptions): Promise<Engine> {
  const { config, metrics, journal } = options;
  const registry = config.SCHEMA_REGISTRY_URL ? await useRegistry(config.SCHEMA_REGISTRY_URL, journal) : undefined;
  const learnSchemas = registry ? registry.learnSchemas : () => Promise.resolve();
  const isKafka = config.KAFKA_BROKERS.length > 0;
  metrics.gauge('millrace_fallback', isKafka ? 0 : 1, { kind: 'embedded' });
  if (!isKafka) journal.info({ directory: config.DATA_DIR }, 'No KAFKA_BROKERS: running on the embedded log.');
  const opened = isKafka ? await onKafka(options) : await embedded(options);
  try {
    await opened.log.ensureTopics(allTopics);
    if (isKafka && options.makesRecords) await agreeOnShop(opened.log, config);
  } catch (error) {
    await opened.log.close();
    await opened.close();
    throw error;
  }
  let rowSink: Promise<RowSink | undefined> | undefined;
  return {
    ...opened,
    metrics,
    journal,
    learnSchemas,
    openStore: opened.owned.open,
    openRowSink: () => (rowSink ??= openSink(config, { metrics, journal })),
    async close() {
      await opened.log.close();
      await (await rowSink?.catch(() => undefined))?.close();
      await opened.close();
    },
  };
}

/** @throws ConfigError where there is no folder that can be written, nor can one be made */
function makeDataDirectory(directory: string): void {
  try {
    makeFolder(resolve(directory));
    accessSync(directory, constants.W_OK);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') throw new Error(`There is no room for ${directory}: ${(cause as Error).message}`, { cause });
    throw new ConfigError([`DATA_DIR is ${directory}, where nothing can be written: ${(cause as Error).message}. Name a folder, or where one can be made.`], { cause });
  }
}

/** Step by step: where the system takes no folder, as in /proc, Node's `recursive` goes on for ever. */
function makeFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) throw new Error(`${path} is no folder`);
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

type Opened = Pick<Engine, 'log' | 'owned' | 'viewed' | 'snapshotPlace' | 'door' | 'logFailure' | 'flush' | 'failed' | 'close'>;

async function embedded({ config, clock, journal, makesRecords = false }: EngineOptions): Promise<Opened> {
  const directory = config.DATA_DIR;
  if (makesRecords) checkShop(directory, config);
  const log = await openEmbeddedLog({ directory, clock: clock ?? clockOf(directory) ?? 'wall' });
  if (log.cutBytes > 0) journal.warn({ bytes: log.cutBytes }, 'The end of the log was torn and has been cut off; nothing of it had been acknowledged.');
  const stores = await opened(log, () => {
    if (makesRecords) log.noteShop(shopSettings(config));
    return openTableStores({ directory, identityOf: () => log.id, journal });
  });
  log.holdBack(() => stores.flushed());
  const owned = observedStores(stores.open);
  return {
    log, owned, viewed: owned, door: log.door, logFailure: () => log.failure(), snapshotPlace: { directory: join(directory, 'snapshots'), log: log.id },
    flush: async () => void (await stores.flushed()),
    failed: stores.failed,
    close: () => stores.close(),
  };
}

/** What stands on a log; where it cannot be opened the log is closed: it would keep the process alive. */
async function opened<T>(log: Log, open: () => T): Promise<T> {
  try {
    return open();
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function onKafka({ config, clock, metrics, journal, makesRecords = false }: EngineOptions): Promise<Opened> {
  if (clock === 'file') throw new ConfigError(['--clock file needs a log of its own: unset KAFKA_BROKERS and name a fresh DATA_DIR.']);
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username = '', KAFKA_SASL_PASSWORD: password = '' } = config;
  const ca = config.KAFKA_TLS_CA_FILE;
  if (ca !== undefined && !existsSync(ca)) throw new ConfigError([`KAFKA_TLS_CA_FILE names ${ca}, which does not exist.`]);
  const log = await openKafkaLog({
    brokers: config.KAFKA_BROKERS, clientId: 'millrace', prefix: config.TOPIC_PREFIX, partitions: config.TOPIC_PARTITIONS, allowsMore: !makesRecords,
    replicationFactor: config.TOPIC_REPLICATION, stateDirectory: join(config.DATA_DIR, 'members'), metrics, journal,
    ssl: ca === undefined ? config.KAFKA_TLS : { ca: [readFileSync(ca, 'utf8')] },
    sasl: mechanism && { mechanism, username, password } as Parameters<typeof openKafkaLog>[0]['sasl'],
  });
  const storesIn = (folder: string): ReturnType<typeof openTableStores> =>
    openTableStores({ directory: join(config.DATA_DIR, folder), identityOf: () => log.id, maxAgeMs: STORE_MAX_AGE_MS, rebuilt: true, journal });
  const { tasks, views } = await opened(log, () => ({ tasks: storesIn('tasks'), views: storesIn('views') }));
  const failed = Promise.race([tasks.failed, views.failed]);
  failed.catch(() => {}); // a command may not listen
  return {
    log, owned: observedStores(tasks.open), viewed: observedStores(views.open), door: undefined, logFailure: () => log.failure(),
    snapshotPlace: { directory: join(config.DATA_DIR, 'snapshots'), log: log.id },
    flush: async () => void (await Promise.all([tasks.flushed(), views.flushed()])),
    failed,
    close: async () => void (await Promise.all([tasks.close(), views.close()])),
  };
}

async function openSink(config: Config, ports: { metrics: Metrics; journal: Journal }): Promise<RowSink | undefined> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password, CLICKHOUSE_DATABASE: database, SHOP_TIMEZONE: shopTimeZone } = config;
  const sink = url === undefined
    ? await openChdb({ directory: join(config.DATA_DIR, 'clickhouse'), database, shopTimeZone }, ports)
    : openClickHouse({ url, user, password, database, shopTimeZone });
  return sink && withTables(sink);
}

/** Make the tables now, or where the server is away once a sink asks for them: it must not keep events from being taken. They are made once a process. */
async function withTables(sink: RowSink): Promise<RowSink> {
  let made: Promise<void> | undefined;
  const ensure = (): Promise<void> => (made ??= sink.ensure().catch((error: unknown) => {
    made = undefined;
    throw error;
  }));
  try {
    await ensure();
  } catch (error) {
    if (error instanceof Unavailable) return { ...sink, ensure };
    await sink.close();
    throw error;
  }
  return { ...sink, ensure };
}
