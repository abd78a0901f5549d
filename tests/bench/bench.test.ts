import { expect, test } from 'vitest';
import type { Bench } from '../../pipeline/bench/bench.js';
import { alternating, quantile } from '../../pipeline/bench/bench.js';
import { collectorEmbedded } from '../../pipeline/bench/collector.js';
import { forecastOf } from '../../pipeline/bench/forecast.js';
import { benches } from '../../pipeline/bench/index.js';
import { runBenches } from '../../pipeline/bench/run.js';
import { taskCore } from '../../pipeline/bench/task-core.js';
import { zipf } from '../../pipeline/bench/events.js';
import { readConfig } from '../../pipeline/config.js';
import { fromSource } from '../support/run-module.js';

const loader = fromSource(new URL('../../pipeline/bench/load.ts', import.meta.url));
const options = { config: readConfig({}), seconds: 0.5, large: false, loader };

test('the task core is measured alone: events a CPU second, without a peer', { timeout: 120_000 }, async () => {
  const figures = await runBenches([taskCore], options);
  expect(figures.map(({ name }) => name)).toEqual(['task-core counts only', 'task-core state rows', 'task-core embedding fold']);
  for (const { ours, peer, ratio, conditions } of figures) {
    expect(ours).toBeGreaterThan(0);
    expect([peer, ratio]).toEqual([null, null]);
    expect(conditions).toMatchObject({ node: process.version, cores: expect.any(Number), load_average: expect.any(String), calibration_ms: expect.any(Number) });
  }
});

/** Fewer than are measured: what costs processor time here says nothing more. */
const SKUS = 4_000;

test('forecasts are measured as they run: the bank, all SKUs of a large shop, and a sale and a forecast in the consumer', { timeout: 240_000 }, async () => {
  const figures = await runBenches([forecastOf(SKUS)], options);
  expect(figures.map(({ name, unit }) => `${name}, ${unit}`)).toEqual([
    'forecast bank update, series-updates/s/core', 'forecast shop update, series-updates/s/core', `forecast ${SKUS} SKUs, s CPU`, `forecast ${SKUS} SKUs, no two days alike, s CPU`,
    'forecast sale in the consumer, µs CPU a sale', 'forecast published by the consumer, µs CPU a forecast', 'forecast first sale of a day, ms CPU', 'forecast record of a SKU in the table, bytes',
  ]);
  const [, , all, unlike, sale, published, , record] = figures;
  expect(all!.conditions).toMatchObject({ skus: SKUS, horizon_days: 28, quantiles: 9, days_learned: 56, days_asked_of_every_expert: 7 });
  expect(unlike!.conditions).toMatchObject({ days_asked_of_every_expert: 28 });
  // The bank's row is 252 bytes; a SKU that sells every day has 28 days beside it.
  expect(record!.ours).toBeGreaterThan(252);
  expect(record!.conditions['most']).toBeLessThan(700);
  for (const { ours } of figures) expect(ours).toBeGreaterThan(0);
  // What is published costs at least what the model's part of it does, and the sale is told apart from it.
  expect(published!.ours).toBeGreaterThan((all!.ours / SKUS) * 1e6);
  expect(sale!.conditions).toMatchObject({ skus: 2_000, sales: expect.any(Number), consumer: 'demand-forecasts' });
});

test('the collector is measured beside its bare peer, by a load generator of its own process', { timeout: 120_000 }, async () => {
  for (const { ours, peer, ratio } of await runBenches([collectorEmbedded], options)) {
    expect(Number.isFinite(ours)).toBe(true);
    expect(peer).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(0);
    expect(ratio! / (ours / peer!)).toBeCloseTo(1, 2);
  }
});

test('what needs services that are not named is left out, and says what it needs', async () => {
  const left: string[] = [];
  const needing = benches.filter(({ needs }) => needs.length > 0);
  expect(await runBenches(needing, { ...options, onSkipped: ({ name }: Bench, reason) => void left.push(`${name} ${reason}`) })).toEqual([]);
  expect(left).toContain('clickhouse needs KAFKA_BROKERS and CLICKHOUSE_URL');
  expect(left).toHaveLength(needing.length);
});

test('sides take turns in going first, and one odd round does not decide', async () => {
  const order: string[] = [];
  const values = [10, 1_000, 11];
  const result = await alternating(3, async () => { order.push('ours'); return values.shift()!; }, async () => { order.push('peer'); return 5; });
  expect(order).toEqual(['ours', 'peer', 'peer', 'ours', 'ours', 'peer']);
  expect(result).toEqual({ ours: 11, peer: 5, rounds: 3 });
});

test('quantiles are values that were seen', () => {
  const values = Array.from({ length: 100 }, (_, at) => at + 1);
  expect([quantile(values, 0), quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)]).toEqual([1, 51, 100, 100]);
});

test('Zipf-like access prefers the first ranks and reaches the last', () => {
  const draw = zipf(100, 'test');
  const counts = Array.from({ length: 100 }, () => 0);
  for (let at = 0; at < 20_000; at++) counts[draw()]!++;
  expect(counts[0]).toBeGreaterThan(5 * counts[30]!);
  expect(counts.every((count) => count > 0)).toBe(true);
});
