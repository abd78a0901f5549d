import { createHttpServer, type HttpServer } from '../infra/http/server.js';
import type { ExtraRoute, HttpDoors } from '../infra/http/doors.js';
import type { AddressLimit } from '../infra/http/limits.js';
import { refuse } from '../infra/http/problem.js';
import { prometheusMetrics, type PrometheusMetrics } from '../infra/metrics/prometheus.js';
import { TRIGGER_RULES } from '../schemas/trigger-rules.js';
import { DEMO_KEYS, type Config } from './config.js';
import { consoleRoutes } from './console.js';
import { ConfigError, Unavailable } from './core/errors.js';
import type { Journal } from './core/metrics.js';
import type { RowSink } from './core/row-sink.js';
import { shopDays } from './core/shop-day.js';
import { sleep } from './core/sleep.js';
import { steadyClock } from './core/steady-clock.js';
import { topologyProblems, type Topology } from './core/topology.js';
import { inStep } from './in-step.js';
import { untilAvailable } from './core/until-available.js';
import { answerDoor, erase } from './door-answers.js';
import { openEngine, type Engine } from './engine.js';
import { startConsumers, startLearners, startScorer, startSinks, type Running, type RunningScorer } from './parts.js';
import { bounded, limitMet, refusalOf } from './read-only-sql.js';
import { ForecastDoor } from './serving/forecast-door.js';
import { KeptTotals } from './serving/kept-totals.js';
import { observeForecasts } from './serving/forecast-gauges.js';
import { isNamed } from './serving/named-items.js';
import { reorderDefaults, topologyOf } from './topology.js';
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
  const engine = await untilAvailable(() => openEngine({ config, metrics, journal, clock: options.clock, alone: true }), AbortSignal.timeout(OPEN_WITHIN_MS), journal, 'Start');
  const has = (name: Role): boolean => role === 'all' || role === name;
  const topology = topologyOf(config, engine.log.clock);
  const problems = topologyProblems(topology);
  if (problems.length > 0) throw new ConfigError(problems);
  startAtZero(metrics, topology);
  const shop = { currency: config.SHOP_CURRENCY, timezone: config.SHOP_TIMEZONE };
  const running: Running[] = [];
  try {
    if (has('consumers')) running.push(...startConsumers(engine, topology), ...startLearners(engine, topology, config));
    const scorer = has('scorer') && !options.withoutHttp ? await startScorer(engine, config) : undefined;
    if (scorer) running.push(scorer);
    const rowSink = has('sinks') && !sendsAlone(options) ? await engine.openRowSink() : undefined;
    if (sendsAlone(options)) journal.warn({}, 'No CLICKHOUSE_URL: this process sends webhooks alone.');
    if (rowSink) running.push(...startSinks(engine, rowSink));
    if (has('sinks')) running.push(...startWebhooks(engine, config.webhooks));
    answerDoor(engine, topology, rowSink, shop);
    const forecasting = forecastDoors(engine, config, scorer);
    const extra = consoleRoutes({
      engine, topology, metrics, scorer, rowSink, demo, currency: config.SHOP_CURRENCY,
      forecastOf: (sku) => forecasting().one(sku),
    });
    const http = options.withoutHttp ? undefined : createHttpServer(
      { ...doorsOf(engine, scorer, forecasting, rowSink, metrics, extra), ready: readinessOf(options.role, { scorer, sql: rowSink?.engine ?? null, log: engine.log.engine, logFailure: engine.logFailure }, metrics), metrics, journal, now: steadyClock.now },
      { shop, keys: keysOf(config, demo), shopperTokenSecret: config.SHOPPER_TOKEN_SECRET ?? '', addressLimit: addressLimitOf(config), placements: config.PLACEMENTS, loopbackOnly: demo },
    );
    const port = http ? await listen(http, config.PORT, config.HOST ?? (demo ? '127.0.0.1' : '0.0.0.0')) : 0;
    const open = new Set(['http', ...running.map(({ name }) => name), 'engine']);
    return {
      engine, topology, metrics, rowSink, scorer, http, port,
      failed: Promise.race(running.map(({ failed }) => failed)),
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

const BURST_SECONDS = 10;
const addressLimitOf = ({ ADDRESS_EVENTS_PER_SECOND: perSecond, TRUSTED_PROXIES: trustedProxies }: Config): AddressLimit | undefined =>
  (perSecond === 0 ? undefined : { perSecond, burst: BURST_SECONDS * perSecond, trustedProxies });

const keysOf = (config: Config, demo: boolean): { write: readonly string[]; server: readonly string[]; admin: readonly string[] } => ({
  write: [...config.WRITE_KEYS, ...(demo ? [DEMO_KEYS.write] : [])],
  server: [...config.SERVER_KEYS, ...(demo ? [DEMO_KEYS.server] : [])],
  admin: [...config.ADMIN_TOKENS, ...(demo ? [DEMO_KEYS.admin] : [])],
});

/** @throws Refusal 404 where this process has another role */
function scoringOr404(scorer: RunningScorer | undefined): RunningScorer {
  if (!scorer) throw refuse(404, 'This process does not score: ask one with the role scorer.');
  return scorer;
}

/** What a query asks forecasts of. Totals are kept for a moment. */
function forecastsOf(forecasting: () => ForecastDoor): HttpDoors['forecasts'] {
  const kept = new KeptTotals();
  return (wanted) => {
    if ('skus' in wanted) return forecasting().several(wanted.skus);
    if ('total' in wanted) return kept.of('', () => forecasting().ofShop());
    return kept.of(`category ${wanted.category}`, () => forecasting().ofCategory(wanted.category));
  };
}

/** Forecasts as of now, on the log's clock. */
function forecastDoors({ log }: Engine, config: Config, scorer: RunningScorer | undefined): () => ForecastDoor {
  const days = shopDays(config.SHOP_TIMEZONE);
  return () => {
    const { views, items, forecastFreshness: freshness } = scoringOr404(scorer);
    return new ForecastDoor({ views, items, freshness, days, plan: config.SHOP_CALENDAR, reorder: reorderDefaults(config), hours: config.FORECAST_HOURS, now: log.clock === 'wall' ? Date.now() : views.logTime() });
  };
}

function doorsOf(
  engine: Engine, scorer: RunningScorer | undefined, forecasting: () => ForecastDoor, rowSink: RowSink | undefined, metrics: PrometheusMetrics, extra: readonly ExtraRoute[],
): Omit<HttpDoors, 'ready'> {
  const { log } = engine;
  const scoring = (): RunningScorer => scoringOr404(scorer);
  return {
    async accept(records) {
      const positions = await log.append(records);
      for (const { topic } of records) metrics.count('millrace_topic_records_total', { topic });
      return positions;
    },
    inStep: inStep(log),
    partitions: log.partitions,
    recommend: (request) => scoring().scorer.recommend(request),
    score: (request) => scoring().scorer.score(request),
    similar: (request) => scoring().scorer.similar(request),
    forecast: (sku) => forecasting().one(sku),
    forecasts: forecastsOf(forecasting),
    isNamed: scorer && ((sku) => isNamed(log, scorer, sku)),
    user: (id) => scoring().scorer.user(id),
    async erase(id) {
      await erase(engine, id);
      return { erased: id };
    },
    metricsText() {
      if (scorer) observeForecasts(scorer.views, metrics);
      return metrics.text();
    },
    sql: rowSink && ((query, until) => answerSql(rowSink, query, until)),
    extra,
  };
}

/** A process that only scores is ready once it has caught up; one that takes events, too, is from the start: nobody else would take them. One whose disk is full stays ready, since it answers. */
export function readinessOf(
  role: StartOptions['role'], { scorer, sql, log, logFailure }: { readonly scorer: Pick<RunningScorer, 'isReady'> | undefined; readonly sql: string | null; readonly log: string; logFailure(): string | undefined }, metrics: PrometheusMetrics,
): HttpDoors['ready'] {
  return () => ({ ready: role !== 'scorer' || scorer?.isReady() === true, parts: { scorer: scorer?.isReady() ?? null, sql, log, logFailure: logFailure() ?? null, stoppedSinks: stoppedSinks(metrics) } });
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
  for (const code of ['crashed', 'bad_id', 'undecodable', 'unknown_schema', 'wrong_magic_byte', 'tombstone', 'no_lines', 'amount_out_of_range', 'bad_quantity', 'bad_ordering', 'replaces_ring', 'webhook_undelivered', 'webhook_refused']) metrics.count('millrace_dead_letters_total', { code }, 0);
  for (const rule of TRIGGER_RULES) metrics.count('millrace_triggers_total', { rule }, 0);
  for (const source of ['segment', 'ga4', 'products', 'file']) metrics.count('millrace_events_accepted_total', { source }, 0);
}

const stoppedSinks = (metrics: PrometheusMetrics): string[] =>
  [...metrics.byLabel('millrace_sink_stopped', 'table')].flatMap(([table, stopped]) => (stopped === 1 ? [table] : []));

/** @throws Refusal 400 with what ClickHouse says of the statement */
async function answerSql(rowSink: RowSink, query: string, until: AbortSignal): Promise<readonly object[]> {
  const refusal = refusalOf(query);
  if (refusal !== undefined) throw refuse(400, refusal);
  try {
    return await rowSink.look(bounded(query), until);
  } catch (error) {
    const limit = limitMet(error as Error);
    if (error instanceof Unavailable && limit === undefined) throw error;
    throw refuse(400, limit ?? (error as Error).message.slice(0, 1_000));
  }
}
