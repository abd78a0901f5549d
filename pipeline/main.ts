import { createHttpServer, type HttpServer } from '../infra/http/server.js';
import { prometheusMetrics, type PrometheusMetrics } from '../infra/metrics/prometheus.js';
import { TRIGGER_RULES } from '../schemas/trigger-rules.js';
import type { Config } from './config.js';
import { consoleRoutes } from './console.js';
import { ConfigError, DEAD_LETTER_CODES } from './core/errors.js';
import type { Journal } from './core/metrics.js';
import type { RowSink } from './core/row-sink.js';
import { sleep } from './core/sleep.js';
import { steadyClock } from './core/steady-clock.js';
import { topologyProblems, type Topology } from './core/topology.js';
import { untilAvailable } from './core/until-available.js';
import { answerDoor } from './door-answers.js';
import { openEngine, type Engine } from './engine.js';
import { doorsOf, forecastDoors, settingsOf } from './http-doors.js';
import { startConsumers, startLearners, startScorer, startSinks, type Running, type RunningScorer } from './parts.js';
import { topologyOf } from './topology.js';
import { startWebhooks } from './webhooks.js';

/** A cluster that starts together with this process may take a while; one that is not there must be said to be missing. */
const OPEN_WITHIN_MS = 60_000;

/** How long a start that failed waits for what it had begun. */
const GIVE_UP_AFTER_MS = 10_000;

export type Role = 'all' | 'collector' | 'consumers' | 'scorer' | 'sinks';

export interface StartOptions {
  readonly config: Config;
  readonly role: Role;
  readonly demo: boolean;
  readonly journal: Journal;
  /** Answer nothing over HTTP: a replay without a running process. */
  readonly withoutHttp?: boolean;
  readonly clock?: 'wall' | 'file' | undefined;
  /** Go on behind records that the log has lost before a consumer read them. */
  readonly skipsLost?: boolean;
}

/** A running Millrace process. */
export interface Millrace {
  readonly engine: Engine;
  readonly topology: Topology;
  readonly metrics: PrometheusMetrics;
  readonly rowSink: RowSink | undefined;
  readonly scorer: RunningScorer | undefined;
  readonly http: HttpServer | undefined;
  /** Port of the HTTP server; 0 without one. */
  readonly port: number;
  /** Where it listens: an address or a name. */
  readonly host: string;
  /** Rejects when a part has failed for good. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
  /** Parts that `stop` still waits for. */
  unstopped(): readonly string[];
}

/** Start the parts that a role names, on the engine that the configuration names. */
export async function startMillrace(options: StartOptions): Promise<Millrace> {
  const { config, role, demo, journal } = options;
  checkRole(options);
  const metrics = prometheusMetrics({ withProcess: true });
  const engine = await untilAvailable(() => openEngine({ config, metrics, journal, clock: options.clock, alone: true, makesRecords: true }), AbortSignal.timeout(OPEN_WITHIN_MS), journal, 'Start');
  const has = (name: Role): boolean => role === 'all' || role === name;
  const topology = topologyOf(config, engine.log.clock);
  const problems = topologyProblems(topology);
  if (problems.length > 0) throw new ConfigError(problems);
  startAtZero(metrics, topology);
  const settings = settingsOf(config, demo);
  const running: Running[] = [];
  try {
    const consumers = has('consumers') ? startConsumers(engine, topology, options.skipsLost) : [];
    running.push(...consumers);
    if (has('consumers')) running.push(...startLearners(engine, topology, config));
    const scorer = has('scorer') && !options.withoutHttp ? await startScorer(engine, config) : undefined;
    if (scorer) running.push(scorer);
    const rowSink = has('sinks') && !sendsAlone(options) ? await engine.openRowSink() : undefined;
    if (sendsAlone(options)) journal.warn({}, 'No CLICKHOUSE_URL: this process sends webhooks alone.');
    if (rowSink) running.push(...startSinks(engine, rowSink));
    if (has('sinks')) running.push(...startWebhooks(engine, config.webhooks));
    answerDoor(engine, topology, rowSink, settings.shop);
    const forecasting = forecastDoors(engine, config, scorer);
    const extra = consoleRoutes({
      engine, topology, metrics, scorer, rowSink, demo, currency: config.SHOP_CURRENCY,
      forecastOf: (sku) => forecasting().one(sku),
    });
    const doors = doorsOf({ role, engine, metrics, consumers, scorer, rowSink, forecasting, extra });
    const http = options.withoutHttp ? undefined : createHttpServer({ ...doors, metrics, journal, now: steadyClock.now }, settings);
    const host = config.HOST ?? (demo ? '127.0.0.1' : '0.0.0.0');
    const port = http ? await listen(http, config.PORT, host) : 0;
    const open = new Set(['http', ...running.map(({ name }) => name), 'engine']);
    return {
      engine, topology, metrics, rowSink, scorer, http, port, host,
      failed: Promise.race([engine.failed, ...running.map(({ failed }) => failed)]),
      async stop() {
        await http?.close();
        open.delete('http');
        await Promise.all(running.map((part) => part.stop().then(() => open.delete(part.name))));
        await engine.close();
        open.clear();
      },
      unstopped: () => [...open],
    };
  } catch (error) {
    await ended(running, engine, GIVE_UP_AFTER_MS);
    throw error;
  }
}

/** Stop what a start had begun before it failed. What hangs or fails meanwhile must not keep the reason from being said: never rejects. */
export async function ended(running: readonly Pick<Running, 'stop'>[], engine: Pick<Engine, 'close'>, withinMs: number): Promise<void> {
  const stopped = new AbortController();
  const all = Promise.allSettled(running.map((part) => part.stop())).then(() => engine.close());
  await Promise.race([
    all.catch(() => undefined).finally(() => stopped.abort()),
    sleep(withinMs, stopped.signal),
  ]);
}

const NO_SUCH_HOST = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL']);

/** @throws ConfigError when the host is none of this machine's, or the port is not to be had */
export async function listen(http: Pick<HttpServer, 'listen'>, port: number, host: string): Promise<number> {
  try {
    return await http.listen(port, host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new ConfigError([`PORT is ${port}, which another process has (${code} at ${host}).`]);
    if (code === 'EACCES') throw new ConfigError([`PORT is ${port}, which this process may not take (${code} at ${host}).`]);
    if (code !== undefined && NO_SUCH_HOST.has(code)) throw new ConfigError([`HOST is ${host}, which is no address of this machine (${code}).`]);
    throw error;
  }
}

/** A process on Kafka makes no ClickHouse of its own for its sinks: it would have a part of the rows. */
const sendsAlone = ({ role, config }: StartOptions): boolean => role === 'sinks' && config.CLICKHOUSE_URL === undefined;

/** @throws ConfigError when a role cannot run alone, or would run without keys */
function checkRole({ config, role, demo, withoutHttp }: StartOptions): void {
  const problems: string[] = [];
  if (role !== 'all' && config.KAFKA_BROKERS.length === 0) problems.push(`--role ${role} needs KAFKA_BROKERS: the embedded log is one process, start it with --role all.`);
  if (role === 'sinks' && config.CLICKHOUSE_URL === undefined && config.webhooks.length === 0) problems.push('--role sinks needs CLICKHOUSE_URL, WEBHOOK_URLS or both.');
  const needsKeys = !withoutHttp && !demo && (role === 'all' || role === 'collector' || role === 'scorer');
  if (needsKeys && config.WRITE_KEYS.length + config.SERVER_KEYS.length === 0) {
    problems.push('Neither WRITE_KEYS nor SERVER_KEYS is set: nobody could publish. Set them, or try the demo shop with --demo.');
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Counters that alerts look at start at 0: of a series that begins with its first increase, Prometheus sees no increase. */
function startAtZero(metrics: PrometheusMetrics, { consumers, sinks }: Topology): void {
  for (const { name: consumer } of consumers) {
    for (const counter of ['millrace_handler_crashes_total', 'millrace_duplicates_total', 'millrace_records_total', 'millrace_commits_total']) metrics.count(counter, { consumer }, 0);
  }
  for (const { topics } of sinks) for (const { name } of topics) metrics.count('millrace_sink_rows_total', { table: name.replaceAll('-', '_') }, 0);
  metrics.count('millrace_late_sales_total', { consumer: 'demand-forecasts' }, 0);
  metrics.count('millrace_unlisted_claims_total', { consumer: 'demand-forecasts' }, 0);
  for (const reason of ['history', 'opted_out', 'recent_order', 'frequency_cap', 'holdout']) metrics.count('millrace_triggers_suppressed_total', { reason }, 0);
  for (const code of DEAD_LETTER_CODES) metrics.count('millrace_dead_letters_total', { code }, 0);
  for (const rule of TRIGGER_RULES) metrics.count('millrace_triggers_total', { rule }, 0);
  for (const source of ['segment', 'ga4', 'products', 'file']) metrics.count('millrace_events_accepted_total', { source }, 0);
}
