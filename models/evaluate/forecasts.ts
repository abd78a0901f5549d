/**
 * Rolling-origin evaluation: the forecaster lives through the sales once, period by period, and is asked at every cut-off.
 * What it knows at a cut-off is what was sold up to and including it; nothing later has touched its state or its weights.
 */
import * as demand from '../forecast/demand-forecaster.js';
import { BASELINES, type BaselineForecast, type SeasonIndex } from './forecast-baselines.js';
import * as calibration from './forecast-calibration.js';
import * as detail from './forecast-detail.js';
import * as metrics from './forecast-metrics.js';
import * as totals from './forecast-totals.js';
import type { Plan } from '../forecast/planned-days.js';
import { lived } from './living.js';
import { openAfter, salesByPeriod } from './open-periods.js';

export const PROBABILITIES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;

/** Sales by SKU and period; the three arrays are parallel, a cell may occur several times and adds up. */
export interface SalesTable {
  skus: number;
  periods: number;
  sku: Int32Array;
  period: Int32Array;
  units: Float64Array;
  /** By SKU; −1 where none is told. */
  category?: Int32Array;
}

export interface ForecastProtocol {
  /** Last period known, one a cut-off, ascending. */
  cutoffs: readonly number[];
  horizon: number;
  season: number;
  daysAPeriod: number;
  /** Periods between a SKU's first sale and the cut-off, at least. */
  minHistory: number;
  /** Periods with a sale up to the cut-off, at least. */
  minSelling: number;
  /** Day since 1970-01-01 of the first period, where periods are days. */
  firstDay?: number;
  /** Periods that are known in advance. */
  plan?: Plan;
}

/** What another forecaster says of the same histories. */
export interface Rival {
  name: string;
  /** By the wall, on all cores that it takes. */
  seconds: number;
  cpuSeconds: number;
  forecasts: BaselineForecast[];
}

/** Asked once a cut-off, with the histories of the SKUs that are scored. */
export type Rivals = (histories: readonly Float64Array[], horizon: number, season: number) => readonly Rival[];

export interface Judged extends metrics.ForecastScores {
  /** Share of open periods between the outer quantiles, ties shared out, over all cut-offs: what no closed interval of rare sales can show. */
  coverage_80_shared: number;
}

export interface ForecastEvaluation {
  overall: Judged;
  cutoffs: metrics.ForecastScores[];
  classes: (Judged & { class: string })[];
  baselines: (metrics.ForecastScores & { model: string; cpuSeconds: number })[];
  rivals: (metrics.ForecastScores & { model: string; seconds: number; cpuSeconds: number })[];
  totals: totals.TotalScores[];
  /** SQL by lead, ours first. */
  horizons: { name: string; sql: number[] }[];
  calibration: calibration.Calibration[];
  examples: detail.Example[];
  updates: number;
  /** Processor time of living through all periods once, and of forecasting every SKU at each cut-off: nothing of reading, judging or other forecasters. */
  learnSeconds: number;
  predictSeconds: number;
}

export function evaluateForecasts(
  table: SalesTable,
  protocol: ForecastProtocol,
  cpuSeconds: () => number,
  progress: (sentence: string) => void,
  rivals: Rivals = () => [],
): ForecastEvaluation {
  const { horizon, season, daysAPeriod } = protocol;
  const probabilities = Float64Array.from(PROBABILITIES);
  const model = demand.init({ skus: table.skus, seasonPeriods: season, daysAPeriod, horizon, probabilities: PROBABILITIES, firstDay: protocol.firstDay, plan: protocol.plan });
  const series = seriesOf(table, horizon);
  const sales = salesByPeriod(table);
  const living = lived(table);
  const phaseUnits = Array.from({ length: season }, () => 0);
  const phasePeriods = Array.from({ length: season }, () => 0);
  const cutoffScores: metrics.ForecastScores[] = [];
  const classSums = demand.CLASS_NAMES.map(() => protocol.cutoffs.map(() => metrics.init()));
  const baselineScores = BASELINES.map((): metrics.ForecastScores[] => []);
  const totalScores: totals.TotalScores[][] = [];
  const rivalScores = new Map<string, { seconds: number; cpuSeconds: number; scores: metrics.ForecastScores[] }>();
  const promises = calibration.init(probabilities);
  const classPromises = demand.CLASS_NAMES.map(() => calibration.init(probabilities));
  const own = detail.init(horizon, probabilities);
  const plainDetails = BASELINES.map(() => detail.init(horizon, probabilities));
  const gallery = detail.gallery();
  const isLast = (c: number): boolean => c === protocol.cutoffs.length - 1;
  const baselineSeconds = new Float64Array(BASELINES.length);
  let updates = 0;
  let learnSeconds = 0;
  let predictSeconds = 0;
  let from = 0;

  protocol.cutoffs.forEach((cutoff, c) => {
    const began = cpuSeconds();
    for (; from <= cutoff; from++) {
      const now = living.next().value;
      if (now === undefined) break;
      phaseUnits[from % season]! += now.sold;
      phasePeriods[from % season]!++;
      demand.learn(model, now.demand);
      updates += now.known.length;
    }
    learnSeconds += cpuSeconds() - began;

    const factors = seasonFactors(phaseUnits, phasePeriods);
    const sums = metrics.init();
    const baselineSums = BASELINES.map(() => metrics.init());
    const forecast = demand.blankForecast(model);
    const open = openAfter(sales, cutoff, horizon);
    const ofTotals = totals.init(cutoff + 1, horizon);
    const asked: { history: Float64Array; actual: Float64Array; scale: metrics.Scale; open: readonly boolean[] }[] = [];
    for (let sku = 0; sku < table.skus; sku++) {
      const first = series.first[sku] ?? Infinity;
      if (first > cutoff) continue;
      const history = series.read(sku, first, cutoff + 1);
      const actual = series.read(sku, cutoff + 1, cutoff + 1 + horizon);
      const askedAt = cpuSeconds();
      demand.predict(model, sku, forecast);
      predictSeconds += cpuSeconds() - askedAt;
      totals.add(ofTotals, table.category?.[sku] ?? -1, history, actual, forecast);
      if (cutoff - first < protocol.minHistory) continue;
      if (history.reduce((days, units) => days + (units > 0 ? 1 : 0), 0) < protocol.minSelling) continue;
      const scale = metrics.seasonalScale(history, season);
      const scored = { ...forecast, scale, actual, open };
      metrics.add(sums, scored, probabilities);
      detail.add(own, scored);
      calibration.add(promises, scored);
      asked.push({ history, actual, scale, open });
      if (isLast(c)) detail.consider(gallery, { sku, history, actual, quantiles: forecast.quantiles }, season);
      const at = demand.frequencyClass(model, sku);
      metrics.add(classSums[at]?.[c] ?? metrics.init(), scored, probabilities);
      calibration.add(classPromises[at] ?? promises, scored);
      const index: SeasonIndex = { factors, firstPhase: first % season };
      BASELINES.forEach((baseline, b) => {
        const plainAt = cpuSeconds();
        const plain = baseline.forecast(history, index, horizon, probabilities);
        baselineSeconds[b]! += cpuSeconds() - plainAt;
        const plainly = { ...scored, ...plain, ...edges(plain.quantiles) };
        metrics.add(baselineSums[b] ?? metrics.init(), plainly, probabilities);
        detail.add(plainDetails[b], plainly);
      });
    }
    for (const { name, seconds, cpuSeconds: spent, forecasts } of rivals(asked.map(({ history }) => history), horizon, season)) {
      const rivalSums = metrics.init();
      forecasts.forEach((plain, i) => metrics.add(rivalSums, { ...asked[i], ...plain, ...edges(plain.quantiles) }, probabilities));
      const known = rivalScores.get(name) ?? { seconds: 0, cpuSeconds: 0, scores: [] };
      rivalScores.set(name, { seconds: known.seconds + seconds, cpuSeconds: known.cpuSeconds + spent, scores: [...known.scores, metrics.scores(rivalSums)] });
    }
    totalScores.push(totals.scores(ofTotals, model.shared, open, season, probabilities));
    const scores = metrics.scores(sums);
    cutoffScores.push(scores);
    baselineSums.forEach((one, b) => baselineScores[b]?.push(metrics.scores(one)));
    progress(`Cut-off ${c + 1} of ${protocol.cutoffs.length}: ${scores.series} series${scores.series > 0 ? `, SQL ${scores.sql.toFixed(4)}` : ''}.`);
  });

  return {
    overall: { ...metrics.meanScores(cutoffScores), coverage_80_shared: calibration.sharedCoverage(promises) },
    cutoffs: cutoffScores,
    classes: demand.CLASS_NAMES.map((name, i) => ({
      class: name,
      ...metrics.meanScores((classSums[i] ?? []).map((one) => metrics.scores(one))),
      coverage_80_shared: calibration.sharedCoverage(classPromises[i] ?? promises),
    })),
    baselines: BASELINES.map((baseline, b) => ({ model: baseline.name, cpuSeconds: baselineSeconds[b]!, ...metrics.meanScores(baselineScores[b] ?? []) })),
    rivals: [...rivalScores].map(([model, one]) => ({ model, seconds: one.seconds, cpuSeconds: one.cpuSeconds, ...metrics.meanScores(one.scores) })),
    totals: (totalScores[0] ?? []).map(({ of, model }) => ({
      of, model, ...metrics.meanScores(totalScores.flatMap((scores) => scores.filter((one) => one.of === of && one.model === model))),
    })),
    horizons: [{ name: 'millrace', sql: detail.byHorizon(own) }, ...BASELINES.map(({ name }, b) => ({ name, sql: detail.byHorizon(plainDetails[b]) }))],
    calibration: calibration.calibration(promises),
    examples: detail.examples(gallery),
    updates,
    learnSeconds,
    predictSeconds,
  };
}

/** A baseline promises its outer quantiles as its 80 % interval. */
function edges(quantiles: Float64Array): { low: Float64Array; high: Float64Array } {
  const n = PROBABILITIES.length;
  const periods = quantiles.length / n;
  return {
    low: Float64Array.from({ length: periods }, (_, t) => quantiles[t * n] ?? 0),
    high: Float64Array.from({ length: periods }, (_, t) => quantiles[t * n + n - 1] ?? 0),
  };
}

function seasonFactors(units: readonly number[], periods: readonly number[]): number[] {
  const means = units.map((sum, phase) => sum / Math.max(1, periods[phase] ?? 0));
  const overall = means.reduce((sum, mean) => sum + mean, 0) / means.length;
  return means.map((mean) => (overall > 0 ? mean / overall : 1));
}

/** Dense history of one SKU at a time; the first period is its first sale. */
function seriesOf(
  table: SalesTable,
  beyond: number,
): { first: Int32Array; read: (sku: number, from: number, to: number) => Float64Array } {
  const starts = new Int32Array(table.skus + 1);
  const first = new Int32Array(table.skus).fill(table.periods + beyond);
  table.sku.forEach((sku, cell) => {
    starts[sku + 1] = (starts[sku + 1] ?? 0) + 1;
    if ((table.units[cell] ?? 0) > 0) first[sku] = Math.min(first[sku] ?? 0, table.period[cell] ?? 0);
  });
  for (let sku = 0; sku < table.skus; sku++) starts[sku + 1] = (starts[sku + 1] ?? 0) + (starts[sku] ?? 0);
  const next = starts.slice();
  const order = new Int32Array(table.sku.length);
  table.sku.forEach((sku, cell) => {
    const at = next[sku] ?? 0;
    order[at] = cell;
    next[sku] = at + 1;
  });
  const read = (sku: number, from: number, to: number): Float64Array => {
    const dense = new Float64Array(Math.max(0, to - from));
    for (let i = starts[sku] ?? 0; i < (starts[sku + 1] ?? 0); i++) {
      const cell = order[i] ?? 0;
      const t = (table.period[cell] ?? 0) - from;
      if (t >= 0 && t < dense.length) dense[t] = (dense[t] ?? 0) + (table.units[cell] ?? 0);
    }
    // Returns on a day without sales are no negative demand.
    for (let t = 0; t < dense.length; t++) dense[t] = Math.max(0, dense[t] ?? 0);
    return dense;
  };
  return { first, read };
}
