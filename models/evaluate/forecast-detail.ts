/**
 * What a page about forecasts shows beyond the scores: error by horizon, and a few series to look at.
 *
 *   SQL by lead h     mean over series of mean_p QL_p(y_h, q_h) / s, as in forecast-metrics.ts
 *   examples          of the last cut-off: a steady seller, an intermittent one, one whose level moved most, one that died
 */
import type { ScoredSeries } from './forecast-metrics.js';

export interface Example {
  readonly kind: 'steady' | 'intermittent' | 'trending' | 'dead';
  readonly sku: number;
  readonly history: Float64Array;
  readonly actual: Float64Array;
  /** Period × probability. */
  readonly quantiles: Float64Array;
}

export interface Detail {
  readonly probabilities: Float64Array;
  readonly horizon: number;
  readonly loss: Float64Array;
  scaled: number;
}

export function init(horizon: number, probabilities: Float64Array): Detail {
  return { probabilities, horizon, loss: new Float64Array(horizon), scaled: 0 };
}

export function add(detail: Detail, { actual, quantiles, scale }: ScoredSeries): void {
  const { probabilities, horizon, loss } = detail;
  const n = probabilities.length;
  if (!(scale.absolute > 0)) return;
  detail.scaled++;
  for (let h = 0; h < horizon; h++) {
    const y = actual[h] ?? 0;
    let sum = 0;
    for (let p = 0; p < n; p++) {
      const q = quantiles[h * n + p] ?? 0;
      sum += 2 * Math.abs((y - q) * ((y <= q ? 1 : 0) - (probabilities[p] ?? 0)));
    }
    loss[h] = (loss[h] ?? 0) + sum / n / scale.absolute;
  }
}

export function byHorizon({ loss, scaled }: Detail): number[] {
  return Array.from(loss, (sum) => (scaled > 0 ? sum / scaled : 0));
}

/** A series that could be shown; `quantiles` may be a view that is copied when it is taken. */
export interface Candidate {
  readonly sku: number;
  readonly history: Float64Array;
  readonly actual: Float64Array;
  readonly quantiles: Float64Array;
}

/** The best of each kind so far, by a merit of its own. */
export interface Gallery {
  readonly best: Map<Example['kind'], { merit: number; example: Example }>;
}

export function gallery(): Gallery {
  return { best: new Map() };
}

export function consider({ best }: Gallery, candidate: Candidate, season: number): void {
  const recent = candidate.history.subarray(-8 * season);
  if (recent.length < 4 * season) return;
  const selling = recent.reduce((days, units) => days + (units > 0 ? 1 : 0), 0) / recent.length;
  const half = Math.floor(recent.length / 2);
  const [before, after] = [mean(recent.subarray(0, half)), mean(recent.subarray(half))];
  const [silent, earlier] = [mean(candidate.history.subarray(-2 * season)), mean(candidate.history.subarray(0, -2 * season))];
  const spread = Math.sqrt(recent.reduce((sum, units) => sum + (units - mean(recent)) ** 2, 0) / recent.length);
  offer('steady', selling > 0.6 ? (selling * mean(recent)) / (spread + 1) : 0);
  offer('intermittent', selling > 0.08 && selling < 0.3 ? 1 / (1 + Math.abs(Math.log(after / before))) : 0);
  offer('trending', selling > 0.4 && before > 0 && after > 0 ? Math.abs(Math.log(after / before)) : 0);
  offer('dead', silent === 0 ? earlier : 0);

  function offer(kind: Example['kind'], merit: number): void {
    if (!(merit > (best.get(kind)?.merit ?? 0)) || !Number.isFinite(merit)) return;
    const { sku, history, actual, quantiles } = candidate;
    best.set(kind, { merit, example: { kind, sku, history: history.slice(), actual: actual.slice(), quantiles: quantiles.slice() } });
  }
}

export function examples({ best }: Gallery): Example[] {
  return [...best.values()].map(({ example }) => example);
}

function mean(values: Float64Array): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
