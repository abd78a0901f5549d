import { productRows } from '../consumers/item-watch.js';
import { profiles } from '../consumers/shoppers.js';
import type { ExtraRoute } from '../infra/http/doors.js';
import type { PrometheusMetrics } from '../infra/metrics/prometheus.js';
import { formatMoney } from '../schemas/money.js';
import { interactions, marketingTriggers, products, sales, userProfiles } from '../schemas/topics.js';
import type { Interaction, MarketingTrigger } from '../schemas/types.js';
import { DEMO_KEYS } from './config.js';
import { inputTopics } from './core/consumer.js';
import type { RowSink } from './core/row-sink.js';
import { mermaid, type Topology } from './core/topology.js';
import type { Engine } from './engine.js';
import type { RunningScorer } from './parts.js';
import { observeForecasts } from './serving/forecast-gauges.js';

const KEPT = 20;
const SOLD_FOR_MS = 10_000;
/** A shopper id is personal: the console shows enough to recognise a row, not to use it. */
const shortened = (id: string): string => (id.length <= 8 ? id : `${id.slice(0, 6)}…`);

export interface ConsoleParts {
  readonly engine: Engine;
  readonly topology: Topology;
  readonly metrics: PrometheusMetrics;
  readonly scorer: RunningScorer | undefined;
  readonly rowSink: RowSink | undefined;
  readonly demo: boolean;
  readonly currency: string;
  /** What a SKU will sell, as the forecast door says it; undefined for one that never sold. */
  readonly forecastOf: (sku: string) => object | undefined;
}

/** Routes of the console page and the demo shop. Only the demo lets everyone look; otherwise the stream needs an admin token. */
export function consoleRoutes(parts: ConsoleParts): ExtraRoute[] {
  const { topology, demo } = parts;
  const scope = demo ? 'public' : 'admin';
  return [
    { method: 'GET', path: '/console/stream', scope, answer: () => watchStream(parts) },
    { method: 'GET', path: '/console/topology', scope, answer: () => ({ mermaid: mermaid(topology) }) },
    ...(demo ? shopRoutes(parts) : []),
  ];
}

function shopRoutes({ scorer, currency }: ConsoleParts): ExtraRoute[] {
  return [
    { method: 'GET', path: '/shop/config.json', scope: 'public', answer: () => ({ writeKey: DEMO_KEYS.write, currency }) },
    {
      method: 'GET', path: '/shop/products.json', scope: 'public',
      answer: () => (scorer ? [...scorer.views.mainRows(products, productRows)] : []).map(({ value }) => value).filter(({ hidden, deleted }) => !hidden && !deleted)
        .map(({ sku, name, category, brand, price, stock, attributes }) => ({ sku, name, category, brand, price: price === null ? null : formatMoney(price), stock, attributes })),
    },
  ];
}

/** One state of the console a second, for as long as somebody looks. */
async function* watchStream(parts: ConsoleParts): AsyncGenerator<object> {
  const latest = new LatestRecords(parts.engine);
  const rates = new Rates(parts);
  try {
    await latest.open();
    for (;;) {
      await latest.read();
      yield { ...rates.state(), triggers: latest.triggers.map((trigger) => shownTrigger(trigger, (sku) => parts.scorer?.items.nameOf(sku) ?? null)), shopper: await shopperState(parts, latest.shopper), product: productState(parts, latest.sold), quality: qualityOf(parts) };
      await new Promise((resolve) => { setTimeout(resolve, 1_000); });
    }
  } finally {
    await latest.close();
  }
}

/** A trigger as it is shown: a page's event brings no name of its own, the catalogue may know one. */
export const shownTrigger = ({ at, rule, status, shopper, reason, products }: MarketingTrigger, nameOf: (sku: string) => string | null) => ({
  at, rule, status, shopper: shortened(shopper), reason, products: products.map(({ sku, name }) => ({ sku, name: name ?? nameOf(sku) })),
});

async function shopperState({ scorer }: ConsoleParts, latest: readonly Interaction[]): Promise<object | null> {
  const shopper = latest[0]?.shopper;
  if (!scorer || shopper === undefined) return null;
  const profile = scorer.views.row(userProfiles, profiles, shopper);
  const answer = await scorer.scorer.preview(shopper, 6);
  return {
    id: shortened(shopper),
    lastEvents: latest.map(({ event, products, time }) => ({ event, sku: products[0]?.sku ?? null, name: (products[0] && scorer.items.nameOf(products[0].sku)) ?? null, at: time })),
    recommendations: answer.map(({ sku, score, reason }) => ({ sku, score, name: scorer.items.nameOf(sku), reason })),
    freshness: { lastEventAt: profile?.lastSeen ?? null },
  };
}

function productState({ scorer, forecastOf }: ConsoleParts, sku: string | undefined): object | null {
  const forecast = scorer && sku !== undefined ? forecastOf(sku) : undefined;
  return forecast ? { ...forecast, name: scorer?.items.nameOf(sku ?? '') ?? null } : null;
}

/** How recommendations and forecasts fared lately; absent where nothing was judged yet, or not in this process. */
function qualityOf({ metrics, scorer }: ConsoleParts): object {
  if (scorer) observeForecasts(scorer.views, metrics);
  const judged = [...metrics.byLabel('millrace_recommender_judged_events', 'model').values()][0] ?? 0;
  return {
    // A mean of nothing is 0, and would be read as the worst there is.
    ranking: judged > 0 ? Object.fromEntries(metrics.byLabel('millrace_recommender_quality', 'measure')) : {},
    judged,
    coverage: Object.fromEntries([...metrics.byLabel('millrace_forecast_coverage_ratio', 'class')].filter(([, ratio]) => !Number.isNaN(ratio))),
  };
}

/** Follows the newest triggers, one shopper for as long as they are active, and a product that sold. */
class LatestRecords {
  sold: string | undefined;
  #soldSince = 0;
  triggers: MarketingTrigger[] = [];
  shopper: Interaction[] = [];
  readonly #engine: Engine;
  #reader: ReturnType<Engine['log']['reader']> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async open(): Promise<void> {
    const { log } = this.#engine;
    const from = [];
    for (const { name } of [marketingTriggers, interactions, sales]) {
      for (const [partition, { start, end }] of (await log.ranges(name)).entries()) from.push({ topic: name, partition, offset: Math.max(start, end - KEPT) });
    }
    this.#reader = log.reader(from);
  }

  async read(): Promise<void> {
    const records = (await this.#reader?.poll(5_000, 0)) ?? [];
    for (const { topic, value } of records) {
      if (value === null) continue;
      if (topic === marketingTriggers.name) this.triggers = [marketingTriggers.codec.decode(value), ...this.triggers].slice(0, KEPT);
      else if (topic === sales.name) this.#sell(sales.codec.decode(value).sku);
      else this.#follow(interactions.codec.decode(value));
    }
  }

  /** The same product for a while: a drawing that changes its subject each second is none. */
  #sell(sku: string): void {
    if (this.sold !== undefined && performance.now() - this.#soldSince < SOLD_FOR_MS) return;
    this.sold = sku;
    this.#soldSince = performance.now();
  }

  #follow(interaction: Interaction): void {
    if (interaction.products.length === 0) return;
    const current = this.shopper[0];
    const isQuiet = !current || interaction.time - current.time > 15_000;
    if (current?.shopper === interaction.shopper) this.shopper = [interaction, ...this.shopper].slice(0, 8);
    else if (isQuiet) this.shopper = [interaction];
  }

  async close(): Promise<void> {
    await this.#reader?.close();
  }
}

/** Rates between one look and the next. */
class Rates {
  readonly #parts: ConsoleParts;
  #at = performance.now();
  #before = new Map<string, number>();

  constructor(parts: ConsoleParts) {
    this.#parts = parts;
  }

  state(): object {
    const { engine, topology, metrics, rowSink, demo } = this.#parts;
    const sinceSeconds = Math.max(0.001, (performance.now() - this.#at) / 1000);
    const isFirst = this.#before.size === 0;
    this.#at = performance.now();
    const rate = (id: string, total: number): number => {
      const before = this.#before.get(id) ?? total;
      this.#before.set(id, total);
      return isFirst ? 0 : Math.max(0, total - before) / sinceSeconds;
    };
    const records = metrics.countsByLabel('millrace_records_total', 'consumer');
    const commits = metrics.countsByLabel('millrace_commits_total', 'consumer');
    const lag = metrics.byLabel('millrace_consumer_lag_records', 'consumer');
    // Task time says more of a task: it is behind where what feeds it is, too.
    const seconds = new Map([...metrics.byLabel('millrace_consumer_lag_seconds', 'consumer'), ...metrics.byLabel('millrace_task_time_lag_seconds', 'consumer')]);
    const written = metrics.countsByLabel('millrace_topic_records_total', 'topic');
    const rows = metrics.countsByLabel('millrace_sink_rows_total', 'table');
    const delivered = metrics.countsByLabel('millrace_webhook_deliveries_total', 'outcome').get('delivered') ?? 0;
    const accepted = metrics.total('millrace_events_accepted_total');
    return {
      now: Date.now(),
      engine: engine.log.engine,
      clock: engine.log.clock,
      demo,
      fallbacks: [...(engine.log.engine === 'embedded' ? ['embedded log'] : []), ...(rowSink ? [] : ['no SQL'])],
      sql: rowSink?.engine ?? null,
      eventsPerSecond: rate('accepted', accepted),
      totals: {
        accepted, rejected: metrics.total('millrace_events_rejected_total'), duplicates: metrics.total('millrace_duplicates_total'),
        deadLetters: metrics.total('millrace_dead_letters_total'), triggers: metrics.total('millrace_triggers_total'), recommendations: metrics.total('millrace_recommendations_total'),
      },
      // Null: not in this process.
      readers: [
        ...readersOf(topology).map(({ name, kind }) => ({
          name, kind, lag: lag.get(name) ?? null, lagSeconds: seconds.get(name) ?? null, commitsPerSecond: rate(`commits ${name}`, commits.get(name) ?? 0), perSecond: rate(`records ${name}`, records.get(name) ?? 0),
        })),
        ...sinkReadersOf(topology, metrics),
      ],
      stoppedTables: withOne(metrics, 'millrace_sink_stopped', 'table'),
      webhooks: webhooksOf(topology, metrics),
      sinks: topology.sinks.map(({ name, topics }) => ({ name, perSecond: rate(`rows ${name}`, name === 'webhooks' ? delivered : topics.reduce((sum, topic) => sum + (rows.get(topic.name.replaceAll('-', '_')) ?? 0), 0)) })),
      parts: partsOf(topology),
      topics: topicsOf(topology).map((topic) => ({ ...topic, perSecond: rate(`topic ${topic.name}`, written.get(topic.name) ?? 0) })),
    };
  }
}

const names = (topics: readonly { name: string }[]): string[] => topics.map(({ name }) => name);

const highest = (values: ReadonlyMap<string, number>): number | null => (values.size === 0 ? null : Math.max(...values.values()));

/** Labels at which a gauge that says yes by 1 says so. */
const withOne = (metrics: PrometheusMetrics, name: string, label: string): string[] => [...metrics.byLabel(name, label)].flatMap(([of, is]) => (is === 1 ? [of] : []));

/** ClickHouse as far behind as its last table, and the addresses of webhooks, or one line for all where another process sends them. They commit nothing. */
function sinkReadersOf({ sinks }: Topology, metrics: PrometheusMetrics): object[] {
  const endpoints = metrics.byLabel('millrace_webhook_disabled', 'endpoint');
  const [lag, seconds] = [metrics.byLabel('millrace_webhook_lag_records', 'endpoint'), metrics.byLabel('millrace_webhook_lag_seconds', 'endpoint')];
  return sinks.flatMap(({ name }) => {
    const sink = { kind: 'sink', commitsPerSecond: null };
    if (name === 'clickhouse') return [{ name, ...sink, lag: highest(metrics.byLabel('millrace_sink_lag_records', 'table')), lagSeconds: highest(metrics.byLabel('millrace_sink_lag_seconds', 'table')) }];
    if (endpoints.size === 0) return [{ name, ...sink, lag: null, lagSeconds: null }];
    return [...endpoints.keys()].map((endpoint) => ({ name: `webhook ${endpoint}`, ...sink, lag: lag.get(endpoint) ?? null, lagSeconds: seconds.get(endpoint) ?? null }));
  });
}

/** What became of deliveries since this process started; null where none are to be made, `isHere` false where another process makes them. */
function webhooksOf({ sinks }: Topology, metrics: PrometheusMetrics): object | null {
  if (!sinks.some(({ name }) => name === 'webhooks')) return null;
  const outcomes = metrics.countsByLabel('millrace_webhook_deliveries_total', 'outcome');
  return {
    isHere: metrics.byLabel('millrace_webhook_disabled', 'endpoint').size > 0,
    delivered: outcomes.get('delivered') ?? 0, givenUp: outcomes.get('dead_letter') ?? 0, retried: outcomes.get('retried') ?? 0,
    disabled: withOne(metrics, 'millrace_webhook_disabled', 'endpoint'),
  };
}

/** Who is to keep up with the log, beside sinks. */
const readersOf = ({ consumers, learners, views }: Topology): { name: string; kind: string }[] => [
  ...consumers.map(({ name }) => ({ name, kind: 'consumer' })), ...learners.map(({ name }) => ({ name, kind: 'learner' })), ...views.map(({ name }) => ({ name, kind: 'view' })),
];

/** Parts as the page draws them: what each reads and writes. */
export const partsOf = (topology: Topology): object[] => [
  ...topology.consumers.map((consumer) => ({ name: consumer.name, kind: 'consumer', reads: names(inputTopics(consumer)), writes: names([...consumer.outputs.map(({ topic }) => topic), consumer.table]) })),
  ...topology.learners.map(({ name, inputs, publishes }) => ({ name, kind: 'learner', reads: names(inputs), writes: names(publishes?.tables ?? []) })),
  ...topology.sinks.map(({ name, topics }) => ({ name, kind: 'sink', reads: names(topics), writes: [] })),
  ...topology.views.map(({ name, tables }) => ({ name, kind: 'view', reads: names(tables), writes: [] })),
];

/** Topics that a part writes, or a consumer or a sink reads. */
export function topicsOf(topology: Topology): { name: string; kind: string }[] {
  const topics = new Map<string, { name: string; kind: string }>();
  for (const consumer of topology.consumers) {
    for (const { name, kind } of [...inputTopics(consumer), ...consumer.outputs.map(({ topic }) => topic), consumer.table]) topics.set(name, { name, kind });
  }
  for (const { topics: carried } of topology.sinks) for (const { name, kind } of carried) topics.set(name, { name, kind });
  for (const { publishes } of topology.learners) for (const { name, kind } of publishes?.tables ?? []) topics.set(name, { name, kind });
  return [...topics.values()];
}
