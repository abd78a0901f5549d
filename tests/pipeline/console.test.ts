import { expect, onTestFinished, test, vi } from 'vitest';
import { prometheusMetrics } from '../../infra/metrics/prometheus.js';
import { readConfig } from '../../pipeline/config.js';
import { consoleRoutes, type ConsoleParts } from '../../pipeline/console.js';
import type { Engine } from '../../pipeline/engine.js';
import { topologyOf } from '../../pipeline/topology.js';

interface State {
  readonly demo: boolean;
  readonly sinks: readonly { readonly name: string; readonly perSecond: number }[];
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
    recommender: ['learner', 27_000_000, 86_400], 'co-visitation': ['learner', null, null], scorer: ['view', 5, 70],
  });
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
