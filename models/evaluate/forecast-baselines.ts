/**
 * The textbook forecasts that the bank has to beat, each from one series' history.
 *
 *   zero                       0
 *   seasonal naive             ŷ(t + h) = y of the same phase, one season ago; every quantile is that value
 *   smoothing × season         SES(0.05) of y over the index, times the index; negative-binomial quantiles
 *   TSB × season               size (0.1) × frequency (0.02), negative-binomial quantiles
 *   SBA                        size (0.1) ÷ interval (0.1) × 0.95, negative-binomial quantiles
 *   weighted quantiles         empirical quantiles of y over the index with weights 0.98^age, times the index
 *
 * The index is the mean of all series' units by phase (no unit, mean 1), passed in. The dispersion is the moment estimate
 * Σ v ((y − f)² − f) / Σ v f² with v = 0.98^age. A history without a sale answers zero.
 * Sources: Syntetos and Boylan 2005 (SBA); Teunter, Syntetos and Babai 2011 (TSB).
 */
import { negativeBinomialQuantiles } from '../forecast/negative-binomial.js';

export interface BaselineForecast {
  /** Period × probability. */
  quantiles: Float64Array;
  means: Float64Array;
}

export interface Baseline {
  name: string;
  forecast: (history: Float64Array, index: SeasonIndex, horizon: number, probabilities: Float64Array) => BaselineForecast;
}

export interface SeasonIndex {
  /** Factor of each phase; 0 is closed. */
  factors: readonly number[];
  /** Phase of the history's first period. */
  firstPhase: number;
}

const MEMORY = 0.98;

export const BASELINES: readonly Baseline[] = [
  { name: 'zero', forecast: (_history, _index, horizon, p) => blank(horizon, p.length) },
  { name: 'seasonal naive', forecast: seasonalNaive },
  { name: 'smoothing x season + NB', forecast: smoothing },
  { name: 'TSB x season + NB', forecast: tsb },
  { name: 'SBA + NB', forecast: sba },
  { name: 'weighted quantiles x season', forecast: weightedQuantiles },
];

function blank(horizon: number, probabilities: number): BaselineForecast {
  return { quantiles: new Float64Array(horizon * probabilities), means: new Float64Array(horizon) };
}

function factorAt(index: SeasonIndex, t: number): number {
  return index.factors[(index.firstPhase + t) % index.factors.length] ?? 1;
}

function seasonalNaive(history: Float64Array, index: SeasonIndex, horizon: number, p: Float64Array): BaselineForecast {
  const out = blank(horizon, p.length);
  const season = index.factors.length;
  for (let h = 0; h < horizon; h++) {
    const back = history.length - season + (h % season);
    const value = Math.max(0, history[back >= 0 ? back : history.length - 1] ?? 0);
    out.means[h] = value;
    out.quantiles.fill(value, h * p.length, (h + 1) * p.length);
  }
  return out;
}

function smoothing(history: Float64Array, index: SeasonIndex, horizon: number, p: Float64Array): BaselineForecast {
  let units = 0;
  let exposure = 0;
  return smoothed(history, index, horizon, p, (y, factor) => {
    units = 0.95 * units + 0.05 * y;
    exposure = 0.95 * exposure + 0.05 * factor;
    return exposure > 0 ? units / exposure : 0;
  });
}

function tsb(history: Float64Array, index: SeasonIndex, horizon: number, p: Float64Array): BaselineForecast {
  let frequency = 0;
  let size = 0;
  return smoothed(history, index, horizon, p, (y, factor) => {
    if (factor <= 0) return frequency * size;
    frequency += 0.02 * ((y > 0 ? 1 : 0) - frequency);
    if (y > 0) size = size === 0 ? y : size + 0.1 * (y - size);
    return frequency * size;
  });
}

function sba(history: Float64Array, index: SeasonIndex, horizon: number, p: Float64Array): BaselineForecast {
  const flat: SeasonIndex = { factors: index.factors.map(() => 1), firstPhase: index.firstPhase };
  let size = 0;
  let interval = 0;
  let since = 1;
  return smoothed(history, flat, horizon, p, (y) => {
    if (y > 0) {
      size = size === 0 ? y : size + 0.1 * (y - size);
      interval = interval === 0 ? since : interval + 0.1 * (since - interval);
      since = 1;
    } else since++;
    return interval > 0 ? (0.95 * size) / interval : 0;
  });
}

function smoothed(
  history: Float64Array,
  index: SeasonIndex,
  horizon: number,
  p: Float64Array,
  step: (y: number, factor: number) => number,
): BaselineForecast {
  let level = 0;
  let excess = 0;
  let square = 0;
  history.forEach((units, t) => {
    const y = Math.max(0, units);
    const factor = factorAt(index, t);
    const expected = level * factor;
    excess = MEMORY * excess + (1 - MEMORY) * ((y - expected) ** 2 - expected);
    square = MEMORY * square + (1 - MEMORY) * expected * expected;
    level = step(y, factor);
  });
  const dispersion = square > 0 ? Math.max(0, excess / square) : 0;
  const out = blank(horizon, p.length);
  for (let h = 0; h < horizon; h++) {
    const mean = level * factorAt(index, history.length + h);
    out.means[h] = mean;
    negativeBinomialQuantiles(mean, dispersion, p, out.quantiles, h * p.length);
  }
  return out;
}

function weightedQuantiles(history: Float64Array, index: SeasonIndex, horizon: number, p: Float64Array): BaselineForecast {
  const out = blank(horizon, p.length);
  const seen: { value: number; weight: number }[] = [];
  let total = 0;
  let mean = 0;
  history.forEach((units, t) => {
    const factor = factorAt(index, t);
    if (factor < 0.02) return;
    const weight = MEMORY ** (history.length - 1 - t);
    const value = Math.max(0, units) / factor;
    seen.push({ value, weight });
    total += weight;
    mean += weight * value;
  });
  if (total <= 0) return out;
  seen.sort((a, b) => a.value - b.value);
  const base: number[] = [];
  let i = 0;
  let below = seen[0]?.weight ?? 0;
  for (const probability of p) {
    while (i < seen.length - 1 && below < probability * total) below += seen[++i]?.weight ?? 0;
    base.push(seen[i]?.value ?? 0);
  }
  for (let h = 0; h < horizon; h++) {
    const factor = factorAt(index, history.length + h);
    out.means[h] = (mean / total) * factor;
    base.forEach((value, k) => {
      out.quantiles[h * p.length + k] = value * factor;
    });
  }
  return out;
}
