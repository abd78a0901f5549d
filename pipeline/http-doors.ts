import type { ExtraRoute, HttpDoors, HttpSettings } from '../infra/http/doors.js';
import type { AddressLimit } from '../infra/http/limits.js';
import { refuse } from '../infra/http/problem.js';
import type { PrometheusMetrics } from '../infra/metrics/prometheus.js';
import { DEMO_KEYS, type Config } from './config.js';
import { Unavailable } from './core/errors.js';
import type { RowSink } from './core/row-sink.js';
import { shopDays } from './core/shop-day.js';
import { erase } from './door-answers.js';
import type { Engine } from './engine.js';
import { inStep } from './in-step.js';
import type { Role } from './main.js';
import type { RunningScorer } from './parts.js';
import { bounded, limitMet, refusalOf } from './read-only-sql.js';
import { ForecastDoor } from './serving/forecast-door.js';
import { observeForecasts } from './serving/forecast-gauges.js';
import { KeptTotals } from './serving/kept-totals.js';
import { isNamed } from './serving/named-items.js';
import { shopSettings } from './shop-of-log.js';
import { reorderDefaults } from './topology.js';

/** A consumer, as far as others ask for it. */
interface Restoring {
  readonly name: string;
  isReady(): boolean;
}

/** What stands behind the doors of a process; a part that its role leaves out is undefined. */
interface Behind {
  readonly role: Role;
  readonly engine: Engine;
  readonly metrics: PrometheusMetrics;
  readonly consumers: readonly Restoring[];
  readonly scorer: RunningScorer | undefined;
  readonly rowSink: RowSink | undefined;
  readonly forecasting: () => ForecastDoor;
  readonly extra: readonly ExtraRoute[];
}

/** What a process answers over HTTP. */
export function doorsOf({ role, engine, metrics, consumers, scorer, rowSink, forecasting, extra }: Behind): HttpDoors {
  const { log, logFailure } = engine;
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
    ready: readinessOf(role, { consumers, scorer, sql: rowSink?.engine ?? null, log: log.engine, logFailure }, metrics),
    sql: rowSink && ((query, until) => answerSql(rowSink, query, until)),
    extra,
  };
}

/** What the configuration says of the doors. */
export const settingsOf = (config: Config, demo: boolean): HttpSettings => ({
  shop: shopSettings(config),
  keys: keysOf(config, demo), shopperTokenSecret: config.SHOPPER_TOKEN_SECRET ?? '', addressLimit: addressLimitOf(config), placements: config.PLACEMENTS, loopbackOnly: demo,
});

const BURST_SECONDS = 10;
const addressLimitOf = ({ ADDRESS_EVENTS_PER_SECOND: perSecond, TRUSTED_PROXIES: trustedProxies }: Config): AddressLimit | undefined =>
  (perSecond === 0 ? undefined : { perSecond, burst: BURST_SECONDS * perSecond, trustedProxies });

const keysOf = (config: Config, demo: boolean): HttpSettings['keys'] => ({
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
export function forecastDoors({ log }: Engine, config: Config, scorer: RunningScorer | undefined): () => ForecastDoor {
  const days = shopDays(config.SHOP_TIMEZONE);
  return () => {
    const { views, items, forecastFreshness: freshness } = scoringOr404(scorer);
    return new ForecastDoor({ views, items, freshness, days, plan: config.SHOP_CALENDAR, reorder: reorderDefaults(config), hours: config.FORECAST_HOURS, now: log.clock === 'wall' ? Date.now() : views.logTime() });
  };
}

/** A process that only scores is ready once it has caught up, one that only runs consumers once what it was given is restored; one that takes events, too, is from the start: nobody else would take them. One whose disk is full stays ready, since it answers. */
export function readinessOf(
  role: Role, { consumers, scorer, sql, log, logFailure }: { readonly consumers: readonly Restoring[]; readonly scorer: Pick<RunningScorer, 'isReady'> | undefined; readonly sql: string | null; readonly log: string; logFailure(): string | undefined }, metrics: PrometheusMetrics,
): HttpDoors['ready'] {
  const isReady = (restoring: readonly string[]): boolean => {
    if (role === 'consumers') return restoring.length === 0;
    return role !== 'scorer' || scorer?.isReady() === true;
  };
  return () => {
    const restoring = consumers.filter((consumer) => !consumer.isReady()).map(({ name }) => name);
    return { ready: isReady(restoring), parts: { restoring, scorer: scorer?.isReady() ?? null, sql, log, logFailure: logFailure() ?? null, stoppedSinks: stoppedSinks(metrics) } };
  };
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
