import { demandForecasts } from '../../consumers/demand-forecasts.js';
import { HORIZON_DAYS } from '../../consumers/demand/forecast.js';
import { live, type Publication } from '../../consumers/demand/publication.js';
import { demandRows, LEVELS } from '../../consumers/demand/rows.js';
import * as forecaster from '../../models/forecast/demand-forecaster.js';
import * as bank from '../../models/forecast/expert-bank.js';
import { unlike } from '../../models/forecast/sku-forecast.js';
import { SEASON_DAYS } from '../../models/forecast/sku-series.js';
import { openTableStores } from '../../infra/table-store/stores.js';
import { random } from '../../producers/simulate/random.js';
import { demandForecasts as table, forecasts, sales } from '../../schemas/topics.js';
import { splitRowKey } from '../core/rows.js';
import type { LogRecord } from '../core/log.js';
import { noMetrics } from '../core/metrics.js';
import { shopDays } from '../core/shop-day.js';
import { Task } from '../core/task.js';
import { cpuSeconds, figure, median, type Bench, type Figure } from './bench.js';

/** Days that are learned: of all SKUs at once, and by the consumer. The first half warms up. */
const HISTORY_DAYS = 56;
const CONSUMER_SKUS = 2_000;
/** Days played in the consumer, of which the first warm up. */
const WARMED_DAYS = 2;
const FEWEST_DAYS = 3;
const DAYS_A_SECOND = 1.4;
const COMMIT = 5_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FIRST_DAY = Date.UTC(2026, 0, 5) / DAY_MS;
const BY = 'CPU seconds of the process, collector of garbage included';
const DEMAND = 'invented: a SKU sells on 2 to 100 % of days, evenly by the logarithm, fewer on weekends; sizes geometric, mean 3.5';

export const forecast: Bench = forecastOf(100_000);

/** Forecasts of a shop of so many SKUs; what the consumer costs is measured with a few thousand of them. */
export function forecastOf(skus: number): Bench {
  return {
    name: 'forecast',
    about: `What demand forecasts cost, by CPU time: a day of a series in the bank, and with calendar and judging; ${skus.toLocaleString('en')} SKUs × ${HORIZON_DAYS} days × ${LEVELS.length} quantiles; a sale and a forecast in the consumer that runs.`,
    needs: [],
    async run({ seconds, folder }) {
      return [...ofModels(skus, seconds), ...await ofConsumer(seconds, folder)];
    },
  };
}

/** Draws the units that SKUs sell on a day, in order of SKU; the same on every machine. */
function inventedDemand(skus: number): (day: number, into: Float64Array) => void {
  const { uniform } = random('bench demand');
  const shares = Float64Array.from({ length: skus }, () => 0.02 ** uniform());
  return (day, into) => {
    const weekend = day % SEASON_DAYS >= 5 ? 0.6 : 1;
    for (let sku = 0; sku < skus; sku++) into[sku] = uniform() < shares[sku] * weekend ? 1 + Math.floor(-3 * Math.log(1 - uniform())) : 0;
  };
}

/** Forecasts of all SKUs. `grows`: each day is worth so many times the one before. */
function ofAll(name: string, skus: number, model: forecaster.DemandForecaster, grows: number, seconds: number, conditions: Record<string, unknown>): Figure {
  const out = forecaster.blankForecast(model);
  const periods = forecaster.periodsAhead(model, Array.from({ length: HORIZON_DAYS }, (_, i) => i + 1)).map((period, i) => ({ ...period, exposure: period.exposure * grows ** i }));
  const predict = (first: number): void => {
    for (let sku = 0; sku < first; sku++) forecaster.predict(model, sku, out, periods);
  };
  predict(skus / 20);
  const spent: number[] = [];
  for (let round = 0; round < Math.max(1, Math.round(seconds / 2)); round++) spent.push(cpu(() => predict(skus)));
  return figure(name, median(spent), null, 's CPU', {
    ...conditions, rounds: spent.length, horizon_days: HORIZON_DAYS, days_asked_of_every_expert: unlike(periods), quantiles: LEVELS.length, with: 'means and 80 % intervals; in one buffer, nothing encoded',
  });
}

function ofModels(skus: number, seconds: number): Figure[] {
  const rows = bank.init(skus, SEASON_DAYS);
  const model = forecaster.init({ skus, seasonPeriods: SEASON_DAYS, horizon: HORIZON_DAYS, probabilities: LEVELS });
  const demandOf = inventedDemand(skus);
  const demand = new Float64Array(skus);
  const rates: { bank: number[]; shop: number[] } = { bank: [], shop: [] };
  for (let day = 0; day < HISTORY_DAYS; day++) {
    demandOf(day, demand);
    const spentByBank = cpu(() => {
      for (let sku = 0; sku < skus; sku++) bank.learn(rows, sku, demand[sku], 1, day % SEASON_DAYS);
    });
    const spentByShop = cpu(() => forecaster.learn(model, demand));
    if (day < HISTORY_DAYS / 2) continue;
    rates.bank.push(skus / spentByBank);
    rates.shop.push(skus / spentByShop);
  }
  const common = { skus, days_learned: HISTORY_DAYS, demand: DEMAND, by: BY };
  const updated = { ...common, rounds: rates.bank.length, of: 'one day of one SKU is one update' };
  return [
    figure('forecast bank update', median(rates.bank), null, 'series-updates/s/core', { ...updated, bytes_a_sku: rows.width * Float32Array.BYTES_PER_ELEMENT }),
    figure('forecast shop update', median(rates.shop), null, 'series-updates/s/core', { ...updated, with: 'calendar index, panels and judging' }),
    ofAll(`forecast ${skus} SKUs`, skus, model, 1, seconds, common),
    // Trend and days of the month at their worst: no two days of the four weeks are alike.
    ofAll(`forecast ${skus} SKUs, no two days alike`, skus, model, 1.02, seconds, common),
  ];
}

/** What a sale and a forecast cost in the part that runs: with its codecs, timers and rows, each commit written to the table's store. */
async function ofConsumer(seconds: number, folder: string): Promise<Figure[]> {
  const days = shopDays('UTC');
  const stores = openTableStores({ directory: folder, identityOf: () => 'bench' });
  const store = stores.open(table.name, 0);
  const taskOf = (publication: Publication): Task => new Task({
    consumer: demandForecasts({ days, publication }), partition: 0, partitions: 1, store, tickedInputs: [{ topic: sales.name, writers: ['bench'] }], clock: 'wall', slackMs: 2_500, metrics: noMetrics,
  });
  let offset = 0;
  /** By SKU: key and value of its row as they were last written. */
  const rowBytes = new Map<string, number>();
  const record = (time: number, more: Pick<LogRecord, 'key' | 'value' | 'tick'>): LogRecord => ({ topic: sales.name, partition: 0, offset: offset++, writtenAt: time, ...more });
  const tickAt = (time: number): LogRecord => record(time, { key: null, value: null, tick: { writer: 'bench', time } });
  /** Answers how many forecasts were published. */
  const commit = async (task: Task, records: readonly LogRecord[]): Promise<number> => {
    task.receive(records);
    task.proceed(Infinity);
    const { rows, outputs } = task.stage();
    for (const { key, value } of rows) if (value && splitRowKey(key).kind === demandRows.name) rowBytes.set(key, Buffer.byteLength(key) + value.length);
    store.apply(rows, store.position + rows.length);
    task.committed();
    // Stores write behind: none of the cost is left for what is measured next.
    await stores.flushed();
    return outputs.filter(({ topic, tick }) => topic === forecasts.name && !tick).length;
  };
  const demandOf = inventedDemand(CONSUMER_SKUS);
  const demand = new Float64Array(CONSUMER_SKUS);
  /** A day's order lines: what a SKU sells is bought in one to three of them. */
  const linesOf = (day: number, time: number): LogRecord[] => {
    demandOf(day, demand);
    return Array.from(demand).flatMap((units, sku) => Array.from({ length: Math.min(3, units) }, (_, line) => record(time, saleOf(`sku-${sku}`, line, Math.ceil(units / 3), time))));
  };
  // After the hour in which all SKUs are forecast for the new day.
  const morningOf = (day: number): number => (FIRST_DAY + day) * DAY_MS + 1.5 * HOUR_MS;

  // Nothing is published while the past is learned, and everything on the first day that is played.
  const later = morningOf(HISTORY_DAYS) - HOUR_MS;
  const learning = taskOf({ soon: () => later, again: () => later });
  for (let day = 0; day < HISTORY_DAYS; day++) {
    const time = morningOf(day);
    const lines = [tickAt(time), ...linesOf(day, time)];
    for (let at = 0; at < lines.length; at += COMMIT) await commit(learning, lines.slice(at, at + COMMIT));
  }
  // What was published in that hour is not published again before the sales that are measured are over.
  const task = taskOf(live(days, 2 * HOUR_MS));
  const spent: { forecast: number[]; turn: number[]; sale: number[] } = { forecast: [], turn: [], sale: [] };
  const counted = { sales: 0, forecasts: 0 };
  const rounds = Math.max(FEWEST_DAYS, Math.round(seconds * DAYS_A_SECOND));
  for (let round = 0; round < WARMED_DAYS + rounds; round++) {
    const day = HISTORY_DAYS + round;
    const time = morningOf(day);
    const tick = tickAt(time);
    const [first, ...rest] = linesOf(day, time);
    const began = cpuSeconds();
    const made = await commit(task, [tick]);
    const published = cpuSeconds();
    await commit(task, [first]);
    const turned = cpuSeconds();
    const early = await commit(task, rest);
    const sold = cpuSeconds();
    if (round < WARMED_DAYS) continue;
    const aForecast = (published - began) / made;
    spent.forecast.push(aForecast * 1e6);
    spent.turn.push((turned - published) * 1e3);
    // The few that are new, or had been silent for months, are forecast at once.
    spent.sale.push(((sold - turned - early * aForecast) / rest.length) * 1e6);
    counted.sales += rest.length;
    counted.forecasts += made;
  }
  await stores.close();
  const bytes = [...rowBytes.values()].toSorted((a, b) => a - b);
  const common = { skus: CONSUMER_SKUS, days_learned: HISTORY_DAYS, rounds: spent.sale.length, demand: DEMAND, consumer: table.name, rows: 'LMDB, flushed after each commit', by: BY };
  return [
    figure('forecast sale in the consumer', median(spent.sale), null, 'µs CPU a sale', { ...common, sales: counted.sales, of: 'decoding, the series, the shop\'s days, rows and a timer; without the forecast that follows at most once a minute a SKU' }),
    figure('forecast published by the consumer', median(spent.forecast), null, 'µs CPU a forecast', { ...common, forecasts: counted.forecasts, of: 'a timer, four weeks of days lived again, 28 days × 9 quantiles, rounding, encoding and rows' }),
    figure('forecast first sale of a day', median(spent.turn), null, 'ms CPU', { ...common, most: Number(Math.max(...spent.turn).toPrecision(3)), of: 'judging what was forecast of the day that is over; every seventh day some hundreds of SKUs leave forecasts as well' }),
    figure('forecast record of a SKU in the table', median(bytes), null, 'bytes', { ...common, least: bytes[0] ?? 0, most: bytes.at(-1) ?? 0, of: 'key and value of its row: the bank as of 28 days ago, the units of the days since' }),
  ];
}

function saleOf(sku: string, line: number, quantity: number, time: number): Pick<LogRecord, 'key' | 'value' | 'tick'> {
  const value = sales.codec.encode({
    sku, orderId: `bench-${time}`, line, kind: 'sale', time, reportedAt: time, receivedAt: time, quantity, price: 125_000n, amount: 125_000n * BigInt(quantity), currency: 'EUR', shopper: null, country: null, source: null, claimed: 0,
  });
  return { key: sku, value, tick: null };
}

/** CPU seconds that something takes. */
function cpu(run: () => void): number {
  const began = cpuSeconds();
  run();
  return cpuSeconds() - began;
}
