import { expect, test } from 'vitest';
import { prometheusMetrics } from '../../infra/metrics/prometheus.js';
import { readConfig } from '../../pipeline/config.js';
import { consoleRoutes, type ConsoleParts } from '../../pipeline/console.js';
import type { Engine } from '../../pipeline/engine.js';
import { topologyOf } from '../../pipeline/topology.js';

interface State {
  readonly demo: boolean;
  readonly readers: readonly { readonly name: string; readonly kind: string; readonly lag: number | null; readonly lagSeconds: number | null }[];
}

/** What the console of a process is told first. */
async function stateOf(tell: (metrics: ConsoleParts['metrics']) => void, demo = false): Promise<State> {
  const metrics = prometheusMetrics({ withProcess: false });
  tell(metrics);
  const log = { engine: 'kafka', clock: 'wall', ranges: async () => [], reader: () => ({ poll: async () => [], close: async () => {} }) };
  const parts: ConsoleParts = {
    engine: { log } as unknown as Engine, topology: topologyOf(readConfig({}), 'wall'), metrics, scorer: undefined, rowSink: undefined, demo, currency: 'EUR', forecastOf: () => undefined,
  };
  const stream = consoleRoutes(parts).find(({ path }) => path === '/console/stream')!;
  for await (const state of await stream.answer({} as never) as AsyncIterable<State>) return state;
  throw new Error('The stream has ended.');
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
