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
import { historiesOf } from './histories.js';
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

/** One way to forecast, with its scores at each cut-off. */
interface Contender {
  readonly model: string;
  seconds: number;
  cpuSeconds: number;
  readonly scores: metrics.ForecastScores[];
}

const contender = (model: string): Contender => ({ model, seconds: 0, cpuSeconds: 0, scores: [] });

export function evaluateForecasts(
  table: SalesTable,
  protocol: ForecastProtocol,
  cpuSeconds: () => number,
  progress: (sentence: string) => void,
  rivals: Rivals = () => [],
): ForecastEvaluation {
  const { cutoffs, horizon, season, daysAPeriod, firstDay, plan } = protocol;
  const probabilities = Float64Array.from(PROBABILITIES);
  const model = demand.init({ skus: table.skus, seasonPeriods: season, daysAPeriod, horizon, probabilities: PROBABILITIES, firstDay, plan });
  const life = new Life(table, model, season, cpuSeconds);
  const histories = historiesOf(table, horizon);
  const sales = salesByPeriod(table);
  const own = { scores: [] as metrics.ForecastScores[], promises: calibration.init(probabilities), detail: detail.init(horizon, probabilities) };
  const classes = demand.CLASS_NAMES.map((name) => ({ name, sums: cutoffs.map(() => metrics.init()), promises: calibration.init(probabilities) }));
  const plain = BASELINES.map((baseline) => ({ ...contender(baseline.name), baseline, detail: detail.init(horizon, probabilities) }));
  const others = new Map<string, Contender>();
  const totalScores: totals.TotalScores[][] = [];
  const gallery = detail.gallery();
  let predictSeconds = 0;

  cutoffs.forEach((cutoff, c) => {
    life.until(cutoff);
    const factors = life.seasonFactors();
    const sums = metrics.init();
    const plainSums = plain.map(() => metrics.init());
    const forecast = demand.blankForecast(model);
    const open = openAfter(sales, cutoff, horizon);
    const ofTotals = totals.init(cutoff + 1, horizon);
    const asked: { history: Float64Array; actual: Float64Array; scale: metrics.Scale; open: readonly boolean[] }[] = [];
    for (let sku = 0; sku < table.skus; sku++) {
      const first = histories.first[sku];
      if (first > cutoff) continue;
      const history = histories.read(sku, first, cutoff + 1);
      const actual = histories.read(sku, cutoff + 1, cutoff + 1 + horizon);
      const askedAt = cpuSeconds();
      demand.predict(model, sku, forecast);
      predictSeconds += cpuSeconds() - askedAt;
      totals.add(ofTotals, table.category?.[sku] ?? -1, history, actual, forecast);
      if (cutoff - first < protocol.minHistory || history.filter((units) => units > 0).length < protocol.minSelling) continue;
      const scale = metrics.seasonalScale(history, season);
      const scored = { ...forecast, scale, actual, open };
      const ofClass = classes[demand.frequencyClass(model, sku)];
      for (const into of [sums, ofClass.sums[c]]) metrics.add(into, scored, probabilities);
      for (const { promises } of [own, ofClass]) calibration.add(promises, scored);
      detail.add(own.detail, scored);
      asked.push({ history, actual, scale, open });
      if (c === cutoffs.length - 1) detail.consider(gallery, { sku, history, actual, quantiles: forecast.quantiles }, season);
      const index: SeasonIndex = { factors, firstPhase: first % season };
      plain.forEach((one, b) => {
        const plainAt = cpuSeconds();
        const made = one.baseline.forecast(history, index, horizon, probabilities);
        one.cpuSeconds += cpuSeconds() - plainAt;
        const plainly = { ...scored, ...made, ...edges(made.quantiles) };
        metrics.add(plainSums[b], plainly, probabilities);
        detail.add(one.detail, plainly);
      });
    }
    for (const { name, seconds, cpuSeconds: spent, forecasts } of rivals(asked.map(({ history }) => history), horizon, season)) {
      const rivalSums = metrics.init();
      forecasts.forEach((made, i) => metrics.add(rivalSums, { ...asked[i], ...made, ...edges(made.quantiles) }, probabilities));
      const one = others.get(name) ?? contender(name);
      others.set(name, one);
      one.seconds += seconds;
      one.cpuSeconds += spent;
      one.scores.push(metrics.scores(rivalSums));
    }
    totalScores.push(totals.scores(ofTotals, model.shared, open, season, probabilities));
    const scores = metrics.scores(sums);
    own.scores.push(scores);
    plain.forEach((one, b) => one.scores.push(metrics.scores(plainSums[b])));
    progress(`Cut-off ${c + 1} of ${cutoffs.length}: ${scores.series} series${scores.series > 0 ? `, SQL ${scores.sql.toFixed(4)}` : ''}.`);
  });

  return {
    overall: { ...metrics.meanScores(own.scores), coverage_80_shared: calibration.sharedCoverage(own.promises) },
    cutoffs: own.scores,
    classes: classes.map(({ name, sums, promises }) => ({
      class: name, ...metrics.meanScores(sums.map((one) => metrics.scores(one))), coverage_80_shared: calibration.sharedCoverage(promises),
    })),
    baselines: plain.map(({ model: name, cpuSeconds: spent, scores }) => ({ model: name, cpuSeconds: spent, ...metrics.meanScores(scores) })),
    rivals: [...others.values()].map(({ scores, ...one }) => ({ ...one, ...metrics.meanScores(scores) })),
    totals: (totalScores[0] ?? []).map(({ of, model: name }) => ({
      of, model: name, ...metrics.meanScores(totalScores.flatMap((scores) => scores.filter((one) => one.of === of && one.model === name))),
    })),
    horizons: [{ name: 'millrace', sql: detail.byHorizon(own.detail) }, ...plain.map((one) => ({ name: one.model, sql: detail.byHorizon(one.detail) }))],
    calibration: calibration.calibration(own.promises),
    examples: detail.examples(gallery),
    updates: life.updates,
    learnSeconds: life.seconds,
    predictSeconds,
  };
}

/** The forecaster lives through the sales, once; beside it what each phase of the season has sold until now. */
class Life {
  readonly #model: demand.DemandForecaster;
  readonly #periods: ReturnType<typeof lived>;
  readonly #phases: { units: number; periods: number }[];
  readonly #cpuSeconds: () => number;
  #next = 0;
  /** Periods of SKUs that were learned. */
  updates = 0;
  /** Processor time of that. */
  seconds = 0;

  constructor(table: SalesTable, model: demand.DemandForecaster, season: number, cpuSeconds: () => number) {
    this.#model = model;
    this.#periods = lived(table);
    this.#phases = Array.from({ length: season }, () => ({ units: 0, periods: 0 }));
    this.#cpuSeconds = cpuSeconds;
  }

  until(cutoff: number): void {
    const began = this.#cpuSeconds();
    for (; this.#next <= cutoff; this.#next++) {
      const now = this.#periods.next().value;
      if (now === undefined) break;
      const phase = this.#phases[this.#next % this.#phases.length];
      phase.units += now.sold;
      phase.periods++;
      demand.learn(this.#model, now.demand);
      this.updates += now.known.length;
    }
    this.seconds += this.#cpuSeconds() - began;
  }

  seasonFactors(): number[] {
    const means = this.#phases.map(({ units, periods }) => units / Math.max(1, periods));
    const overall = means.reduce((sum, mean) => sum + mean, 0) / means.length;
    return means.map((mean) => (overall > 0 ? mean / overall : 1));
  }
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
