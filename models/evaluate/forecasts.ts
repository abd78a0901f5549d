/**
 * Rolling-origin evaluation: the forecaster lives through the sales once, period by period, and is asked at every cut-off.
 * What it knows at a cut-off is what was sold up to and including it; nothing later has touched its state or its weights.
 */
import * as demand from '../forecast/demand-forecaster.js';
import { BASELINES, type Baseline, type BaselineForecast, type SeasonIndex } from './forecast-baselines.js';
import * as calibration from './forecast-calibration.js';
import * as detail from './forecast-detail.js';
import { Life } from './forecast-life.js';
import * as metrics from './forecast-metrics.js';
import * as totals from './forecast-totals.js';
import type { Plan } from '../forecast/planned-days.js';
import type { SkuForecast } from '../forecast/sku-forecast.js';
import { historiesOf } from './histories.js';
import { openAfter, salesByPeriod } from './open-periods.js';

export const PROBABILITIES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;
const LEVELS = Float64Array.from(PROBABILITIES);

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

/** One way to forecast, or one class of SKUs, with its scores at each cut-off. */
class Tally {
  readonly scores: metrics.ForecastScores[] = [];
  #sums = metrics.init();

  add(scored: metrics.ScoredSeries): void {
    metrics.add(this.#sums, scored, LEVELS);
  }

  /** The cut-off is over. */
  close(): metrics.ForecastScores {
    const scores = metrics.scores(this.#sums);
    this.scores.push(scores);
    this.#sums = metrics.init();
    return scores;
  }

  mean(): metrics.ForecastScores {
    return metrics.meanScores(this.scores);
  }
}

interface RivalTally {
  readonly tally: Tally;
  seconds: number;
  cpuSeconds: number;
}

/** A SKU that is scored at a cut-off: what was known of it and what came. */
interface Case {
  readonly sku: number;
  /** Period of its first sale, with which the history begins. */
  readonly first: number;
  readonly history: Float64Array;
  readonly actual: Float64Array;
  readonly scale: metrics.Scale;
  readonly open: readonly boolean[];
}

/**
 * Scores the forecaster, the baselines and rivals at each cut-off of the protocol. `cpuSeconds` is the processor time until now;
 * `progress` is told a sentence after each cut-off.
 */
export function evaluateForecasts(
  table: SalesTable,
  protocol: ForecastProtocol,
  cpuSeconds: () => number,
  progress: (sentence: string) => void,
  rivals: Rivals = () => [],
): ForecastEvaluation {
  const contest = new Contest(table, protocol, cpuSeconds, rivals);
  protocol.cutoffs.forEach((cutoff, c) => {
    const { series, sql } = contest.judge(cutoff);
    progress(`Cut-off ${c + 1} of ${protocol.cutoffs.length}: ${series} series${series > 0 ? `, SQL ${sql.toFixed(4)}` : ''}.`);
  });
  return contest.evaluation();
}

/** All that forecast, and what they have scored until now. */
class Contest {
  readonly #table: SalesTable;
  readonly #protocol: ForecastProtocol;
  readonly #cpuSeconds: () => number;
  readonly #rivals: Rivals;
  readonly #model: demand.DemandForecaster;
  readonly #life: Life;
  readonly #histories: ReturnType<typeof historiesOf>;
  readonly #sales: Int32Array;
  readonly #own: { readonly tally: Tally; readonly promises: calibration.Counts; readonly detail: detail.Detail };
  readonly #classes = demand.CLASS_NAMES.map((name) => ({ name, tally: new Tally(), promises: calibration.init(LEVELS) }));
  readonly #baselines: { readonly baseline: Baseline; readonly tally: Tally; readonly detail: detail.Detail; cpuSeconds: number }[];
  readonly #others = new Map<string, RivalTally>();
  readonly #totals: totals.TotalScores[][] = [];
  readonly #gallery = detail.gallery();
  #predictSeconds = 0;

  constructor(table: SalesTable, protocol: ForecastProtocol, cpuSeconds: () => number, rivals: Rivals) {
    const { horizon, season, daysAPeriod, firstDay, plan } = protocol;
    this.#table = table;
    this.#protocol = protocol;
    this.#cpuSeconds = cpuSeconds;
    this.#rivals = rivals;
    this.#model = demand.init({ skus: table.skus, seasonPeriods: season, daysAPeriod, horizon, probabilities: PROBABILITIES, firstDay, plan });
    this.#life = new Life(table, this.#model, season, cpuSeconds);
    this.#histories = historiesOf(table, horizon);
    this.#sales = salesByPeriod(table);
    this.#own = { tally: new Tally(), promises: calibration.init(LEVELS), detail: detail.init(horizon, LEVELS) };
    this.#baselines = BASELINES.map((baseline) => ({ baseline, tally: new Tally(), detail: detail.init(horizon, LEVELS), cpuSeconds: 0 }));
  }

  /** Lives up to a cut-off and scores everybody there. Cut-offs ascend. */
  judge(cutoff: number): metrics.ForecastScores {
    const { horizon, season } = this.#protocol;
    this.#life.until(cutoff);
    const factors = this.#life.seasonFactors();
    const open = openAfter(this.#sales, cutoff, horizon);
    const ofTotals = totals.init(cutoff + 1, horizon);
    const forecast = demand.blankForecast(this.#model);
    const scored: Case[] = [];
    for (let sku = 0; sku < this.#table.skus; sku++) {
      const first = this.#histories.first[sku];
      if (first > cutoff) continue;
      const history = this.#histories.read(sku, first, cutoff + 1);
      const actual = this.#histories.read(sku, cutoff + 1, cutoff + 1 + horizon);
      this.#predict(sku, forecast);
      totals.add(ofTotals, this.#table.category?.[sku] ?? -1, history, actual, forecast);
      if (!this.#isScored(history)) continue;
      const one = { sku, first, history, actual, scale: metrics.seasonalScale(history, season), open };
      this.#judgeOwn(one, forecast, cutoff);
      this.#judgeBaselines(one, factors);
      scored.push(one);
    }
    this.#judgeRivals(scored);
    this.#totals.push(totals.scores(ofTotals, this.#model.shared, open, season, LEVELS));
    for (const { tally } of [...this.#classes, ...this.#baselines]) tally.close();
    return this.#own.tally.close();
  }

  #predict(sku: number, forecast: SkuForecast): void {
    const began = this.#cpuSeconds();
    demand.predict(this.#model, sku, forecast);
    this.#predictSeconds += this.#cpuSeconds() - began;
  }

  #isScored(history: Float64Array): boolean {
    const { minHistory, minSelling } = this.#protocol;
    return history.length > minHistory && history.filter((units) => units > 0).length >= minSelling;
  }

  #judgeOwn(one: Case, forecast: SkuForecast, cutoff: number): void {
    const scored = { ...forecast, ...one };
    const ofClass = this.#classes[demand.frequencyClass(this.#model, one.sku)];
    for (const { tally, promises } of [this.#own, ofClass]) {
      tally.add(scored);
      calibration.add(promises, scored);
    }
    detail.add(this.#own.detail, scored);
    if (cutoff === this.#protocol.cutoffs.at(-1)) detail.consider(this.#gallery, scored, this.#protocol.season);
  }

  #judgeBaselines(one: Case, factors: readonly number[]): void {
    const { horizon, season } = this.#protocol;
    const index: SeasonIndex = { factors, firstPhase: one.first % season };
    for (const plain of this.#baselines) {
      const began = this.#cpuSeconds();
      const made = plain.baseline.forecast(one.history, index, horizon, LEVELS);
      plain.cpuSeconds += this.#cpuSeconds() - began;
      const scored = { ...one, ...made, ...edges(made.quantiles) };
      plain.tally.add(scored);
      detail.add(plain.detail, scored);
    }
  }

  #judgeRivals(cases: readonly Case[]): void {
    const { horizon, season } = this.#protocol;
    for (const { name, seconds, cpuSeconds, forecasts } of this.#rivals(cases.map(({ history }) => history), horizon, season)) {
      const known = this.#others.get(name) ?? { tally: new Tally(), seconds: 0, cpuSeconds: 0 };
      this.#others.set(name, known);
      known.seconds += seconds;
      known.cpuSeconds += cpuSeconds;
      forecasts.forEach((made, i) => known.tally.add({ ...cases[i], ...made, ...edges(made.quantiles) }));
      known.tally.close();
    }
  }

  evaluation(): ForecastEvaluation {
    const own = this.#own;
    return {
      overall: { ...own.tally.mean(), coverage_80_shared: calibration.sharedCoverage(own.promises) },
      cutoffs: own.tally.scores,
      classes: this.#classes.map(({ name, tally, promises }) => ({ class: name, ...tally.mean(), coverage_80_shared: calibration.sharedCoverage(promises) })),
      baselines: this.#baselines.map(({ baseline, cpuSeconds, tally }) => ({ model: baseline.name, cpuSeconds, ...tally.mean() })),
      rivals: [...this.#others].map(([model, { seconds, cpuSeconds, tally }]) => ({ model, seconds, cpuSeconds, ...tally.mean() })),
      totals: (this.#totals[0] ?? []).map(({ of, model }) => ({
        of, model, ...metrics.meanScores(this.#totals.flatMap((scores) => scores.filter((one) => one.of === of && one.model === model))),
      })),
      horizons: [{ name: 'millrace', sql: detail.byHorizon(own.detail) }, ...this.#baselines.map((one) => ({ name: one.baseline.name, sql: detail.byHorizon(one.detail) }))],
      calibration: calibration.calibration(own.promises),
      examples: detail.examples(this.#gallery),
      updates: this.#life.updates,
      learnSeconds: this.#life.seconds,
      predictSeconds: this.#predictSeconds,
    };
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
