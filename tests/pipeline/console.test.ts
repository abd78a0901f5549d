import { expect, onTestFinished, test, vi } from 'vitest';
import { prometheusMetrics } from '../../infra/metrics/prometheus.js';
import { readConfig } from '../../pipeline/config.js';
import { consoleRoutes, shownTrigger, type ConsoleParts } from '../../pipeline/console.js';
import type { Engine } from '../../pipeline/engine.js';
import { topologyOf } from '../../pipeline/topology.js';
import type { MarketingTrigger } from '../../schemas/types.js';

interface State {
  readonly demo: boolean;
  readonly sinks: readonly { readonly name: string; readonly perSecond: number }[];
  readonly stoppedTables: readonly string[];
  readonly webhooks: object | null;
  readonly quality: { readonly ranking: object; readonly judged: number };
  readonly readers: readonly { readonly name: string; readonly kind: string; readonly lag: number | null; readonly lagSeconds: number | null }[];
}

const withWebhooks = { WEBHOOK_URLS: 'https://a.example/', WEBHOOK_SECRETS: `whsec_${Buffer.alloc(32).toString('base64')}` };

/** What the console of a process is told first. */
const stateOf = async (tell: (metrics: ConsoleParts['metrics']) => void, demo = false): Promise<State> => (await statesOf([tell], demo))[0]!;

/** What it is told in turn, once each has been counted. */
async function statesOf(tells: readonly ((metrics: ConsoleParts['metrics']) => void)[], demo = false): Promise<State[]> {
  const metrics = prometheusMetrics({ withProcess: false });
  const [first, ...later] = tells;
  first!(metrics);
  const states: State[] = [];
  const log = { engine: 'kafka', clock: 'wall', ranges: async () => [], reader: () => ({ poll: async () => [], close: async () => {} }) };
  const parts: ConsoleParts = {
    engine: { log } as unknown as Engine, topology: topologyOf(readConfig(withWebhooks), 'wall'), metrics, scorer: undefined, rowSink: undefined, demo, currency: 'EUR', forecastOf: () => undefined,
  };
  // The console's seconds, whatever those of a busy machine are.
  let time = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => time);
  onTestFinished(() => clock.mockRestore());
  const stream = consoleRoutes(parts).find(({ path }) => path === '/console/stream')!;
  for await (const state of await stream.answer({} as never) as AsyncIterable<State>) {
    states.push(state);
    const next = later.shift();
    if (!next) break;
    next(metrics);
    time += 2_000;
  }
  return states;
}

test('the console says of each consumer, learner and scorer how far behind it is, and of what runs elsewhere nothing', async () => {
  const { readers } = await stateOf((metrics) => {
    for (const [partition, lag] of [['0', 3], ['1', 8]] as const) {
      metrics.gauge('millrace_consumer_lag_records', lag, { consumer: 'shoppers', partition });
      metrics.gauge('millrace_consumer_lag_seconds', 0, { consumer: 'shoppers', partition });
      metrics.gauge('millrace_task_time_lag_seconds', lag, { consumer: 'shoppers', partition });
    }
    metrics.gauge('millrace_consumer_lag_records', 27_000_000, { consumer: 'recommender', partition: 'all' });
    metrics.gauge('millrace_consumer_lag_seconds', 86_400, { consumer: 'recommender', partition: 'all' });
    metrics.gauge('millrace_consumer_lag_records', 5, { consumer: 'scorer', partition: 'awaited' });
    metrics.gauge('millrace_consumer_lag_seconds', 70, { consumer: 'scorer', partition: 'awaited' });
  });
  expect(Object.fromEntries(readers.map(({ name, kind, lag, lagSeconds }) => [name, [kind, lag, lagSeconds]]))).toEqual({
    shoppers: ['consumer', 8, 8], 'order-ledger': ['consumer', null, null], 'item-watch': ['consumer', null, null], 'demand-forecasts': ['consumer', null, null], 'marketing-triggers': ['consumer', null, null],
    recommender: ['learner', 27_000_000, 86_400], 'co-visitation': ['learner', null, null], scorer: ['view', 5, 70], clickhouse: ['sink', null, null], webhooks: ['sink', null, null],
  });
});

test('of sinks it says the same: of ClickHouse by the table that is farthest behind, of webhooks by address, and what has stopped', async () => {
  const { readers, stoppedTables, webhooks } = await stateOf((metrics) => {
    for (const [table, partition, records, seconds, stopped] of [['sales', '0', 4, 1, 0], ['sales', '1', 0, 0, 1], ['forecasts', '0', 2, 9, 0]] as const) {
      metrics.gauge('millrace_sink_lag_records', records, { table, partition });
      metrics.gauge('millrace_sink_lag_seconds', seconds, { table, partition });
      metrics.gauge('millrace_sink_stopped', stopped, { table, partition });
    }
    for (const [endpoint, disabled] of [['a', 0], ['b', 1]] as const) metrics.gauge('millrace_webhook_disabled', disabled, { endpoint });
    metrics.gauge('millrace_webhook_lag_records', 12, { endpoint: 'a', partition: '0' });
    metrics.gauge('millrace_webhook_lag_seconds', 60, { endpoint: 'a', partition: '0' });
    for (const [outcome, times] of [['delivered', 5], ['dead_letter', 2], ['retried', 7]] as const) metrics.count('millrace_webhook_deliveries_total', { endpoint: 'a', outcome }, times);
  });
  const sinks = readers.filter(({ kind }) => kind === 'sink').map(({ name, lag, lagSeconds }) => [name, lag, lagSeconds]);
  expect([sinks, stoppedTables]).toEqual([[['clickhouse', 4, 9], ['webhook a', 12, 60], ['webhook b', null, null]], ['sales']]);
  expect(webhooks).toEqual({ isHere: true, delivered: 5, givenUp: 2, retried: 7, disabled: ['b'] });
  expect((await stateOf(() => {})).webhooks).toMatchObject({ isHere: false });
});

test('only the console of the demo knows of a shop', async () => {
  expect([(await stateOf(() => {})).demo, (await stateOf(() => {}, true)).demo]).toEqual([false, true]);
});

test('ClickHouse has a rate of its own: the rows that it takes, of all its tables; webhooks have theirs, of what arrived', async () => {
  const written = (table: string, rows: number) => (metrics: ConsoleParts['metrics']) => metrics.count('millrace_sink_rows_total', { table }, rows);
  const delivered = (n: number, metrics: ConsoleParts['metrics']) => {
    metrics.count('millrace_webhook_deliveries_total', { endpoint: 'a', outcome: 'delivered' }, n);
    metrics.count('millrace_webhook_deliveries_total', { endpoint: 'a', outcome: 'retried' }, 100);
  };
  const [before, after] = await statesOf([written('sales', 1_000), (metrics) => { written('sales', 30)(metrics); written('item_vectors_nobody_reads', 500)(metrics); written('marketing_triggers', 20)(metrics); delivered(7, metrics); }]);
  expect(before!.sinks).toEqual([{ name: 'clickhouse', perSecond: 0 }, { name: 'webhooks', perSecond: 0 }]);
  expect(after!.sinks).toEqual([{ name: 'clickhouse', perSecond: 25 }, { name: 'webhooks', perSecond: 3.5 }]);
});

test('of recommendations that nobody has judged yet it gives no figure: 0 would be the worst there is', async () => {
  const told = async (judged: number) => (await stateOf((metrics) => {
    metrics.gauge('millrace_recommender_judged_events', judged, { model: 'm' });
    metrics.gauge('millrace_recommender_quality', 0, { model: 'm', measure: 'ndcg_at_20' });
  })).quality;
  expect([await told(0), await told(1)]).toMatchObject([{ ranking: {}, judged: 0 }, { ranking: { ndcg_at_20: 0 }, judged: 1 }]);
  expect((await told(0)).ranking).toEqual({});
});

test('products of a trigger have the names of the catalogue where their events brought none', () => {
  const product = (sku: string, name: string | null) => ({ sku, name, url: null, quantity: 1, price: null, stock: null });
  const trigger: MarketingTrigger = {
    id: 'a', rule: 'browse_abandonment', version: 1, status: 'fired', at: 1, shopper: 'u-1', causeId: 'visit', causedAt: 0, reason: 'Looked at.', value: null, currency: 'EUR',
    products: [product('KIT-1', null), product('KIT-2', 'As it was told'), product('KIT-3', null)],
  };
  const names = shownTrigger(trigger, (sku) => (sku === 'KIT-3' ? null : `Catalogue's ${sku}`)).products.map(({ name }) => name);
  expect(names).toEqual(["Catalogue's KIT-1", 'As it was told', null]);
});
