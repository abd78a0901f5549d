/**
 * Forecast metrics over many series, with the definitions of the fev benchmark.
 *
 *   QL_p(y, q) = 2 |(y − q)(1[y ≤ q] − p)|
 *   SQL   = mean over series and periods of mean_p QL_p / s,    s = mean |y_t − y_(t−m)| of the series' history
 *   WQL   = Σ mean_p QL_p / Σ |y|
 *   MASE  = mean over series and periods of |y − q_½| / s
 *   RMSSE = mean over series of √(mean (y − μ)² / s₂),          s₂ = mean (y_t − y_(t−m))² of the history; of one series it is fev's
 *   pooled RMSSE = √(mean over series and periods of (y − μ)² / s₂), which is fev's of many; a few bursting series decide it
 *   bias  = Σ (μ − y) / Σ y;  coverage = share of open periods inside the interval
 *
 * A history shorter than the season has scale 1; a series whose scale is zero is left out of the scaled metrics, as in fev.
 */
export interface Scale {
  absolute: number;
  square: number;
}

export function seasonalScale(history: ArrayLike<number>, seasonPeriods: number): Scale {
  let absolute = 0;
  let square = 0;
  const count = history.length - seasonPeriods;
  if (count <= 0) return { absolute: 1, square: 1 };
  for (let t = seasonPeriods; t < history.length; t++) {
    const difference = (history[t] ?? 0) - (history[t - seasonPeriods] ?? 0);
    absolute += Math.abs(difference);
    square += difference * difference;
  }
  return { absolute: absolute / count, square: square / count };
}

export interface ScoredSeries {
  scale: Scale;
  actual: ArrayLike<number>;
  /** Period × probability. */
  quantiles: ArrayLike<number>;
  means: ArrayLike<number>;
  /** Interval bounds a period; where `open` is false the period says nothing about the interval. */
  low: ArrayLike<number>;
  high: ArrayLike<number>;
  open: ArrayLike<boolean>;
}

export interface ForecastScores {
  series: number;
  sql: number;
  wql: number;
  mase: number;
  rmsse: number;
  rmsse_pooled: number;
  bias: number;
  coverage_80: number;
}

export interface Accumulator {
  series: number;
  scaled: number;
  scaledPeriods: number;
  scaledLoss: number;
  scaledError: number;
  rootSquare: number;
  square: number;
  loss: number;
  actual: number;
  absoluteActual: number;
  forecast: number;
  covered: number;
  open: number;
}

export function init(): Accumulator {
  return {
    series: 0, scaled: 0, scaledPeriods: 0, scaledLoss: 0, scaledError: 0, rootSquare: 0, square: 0,
    loss: 0, actual: 0, absoluteActual: 0, forecast: 0, covered: 0, open: 0,
  };
}

export function add(sums: Accumulator, series: ScoredSeries, probabilities: ArrayLike<number>): void {
  const n = probabilities.length;
  const middle = Math.floor(n / 2);
  let loss = 0;
  let error = 0;
  let square = 0;
  for (let t = 0; t < series.actual.length; t++) {
    const y = series.actual[t] ?? 0;
    const mean = series.means[t] ?? 0;
    let periodLoss = 0;
    for (let p = 0; p < n; p++) {
      const q = series.quantiles[t * n + p] ?? 0;
      periodLoss += 2 * Math.abs((y - q) * ((y <= q ? 1 : 0) - (probabilities[p] ?? 0)));
    }
    loss += periodLoss / n;
    error += Math.abs(y - (series.quantiles[t * n + middle] ?? 0));
    square += (y - mean) ** 2;
    sums.actual += y;
    sums.absoluteActual += Math.abs(y);
    sums.forecast += mean;
    if (series.open[t] === true) {
      sums.open++;
      if (y >= (series.low[t] ?? 0) && y <= (series.high[t] ?? 0)) sums.covered++;
    }
  }
  sums.series++;
  sums.loss += loss;
  if (series.scale.absolute > 0) {
    const periods = series.actual.length;
    sums.scaled++;
    sums.scaledPeriods += periods;
    sums.scaledLoss += loss / series.scale.absolute;
    sums.scaledError += error / series.scale.absolute;
    sums.rootSquare += Math.sqrt(square / periods / series.scale.square);
    sums.square += square / series.scale.square;
  }
}

export function scores(sums: Accumulator): ForecastScores {
  return {
    series: sums.series,
    sql: ratio(sums.scaledLoss, sums.scaledPeriods),
    wql: ratio(sums.loss, sums.absoluteActual),
    mase: ratio(sums.scaledError, sums.scaledPeriods),
    rmsse: ratio(sums.rootSquare, sums.scaled),
    rmsse_pooled: Math.sqrt(ratio(sums.square, sums.scaledPeriods)),
    bias: ratio(sums.forecast - sums.actual, sums.actual),
    coverage_80: ratio(sums.covered, sums.open),
  };
}

/** Nothing to divide by is no score: JSON writes it as null. */
function ratio(sum: number, by: number): number {
  return by === 0 ? NaN : sum / by;
}

/** Mean of each score over cut-offs, without those that had nothing to score. */
export function meanScores(all: readonly ForecastScores[]): ForecastScores {
  const mean = (pick: (one: ForecastScores) => number): number => {
    const known = all.map(pick).filter((value) => Number.isFinite(value));
    return ratio(known.reduce((sum, value) => sum + value, 0), known.length);
  };
  return {
    series: mean((one) => one.series),
    sql: mean((one) => one.sql),
    wql: mean((one) => one.wql),
    mase: mean((one) => one.mase),
    rmsse: mean((one) => one.rmsse),
    rmsse_pooled: mean((one) => one.rmsse_pooled),
    bias: mean((one) => one.bias),
    coverage_80: mean((one) => one.coverage_80),
  };
}
