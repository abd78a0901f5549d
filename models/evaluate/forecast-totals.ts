/**
 * Totals judged like SKUs: the shop, and its categories where they are told. A total is what the SKUs sold that are known at the cut-off.
 *
 *   ours          sums of the means of all these SKUs, quantiles of a count with the sum's two moments (forecast/totals.ts)
 *   textbook      each on the total's own history, which no SKU's forecast has seen: what bottom-up has to beat
 */
import { sharedAt, total, type Shared } from '../forecast/totals.js';
import { BASELINES, type SeasonIndex } from './forecast-baselines.js';
import * as metrics from './forecast-metrics.js';

export interface TotalScores extends metrics.ForecastScores {
  /** Whose totals: 'shop' or 'categories'. */
  readonly of: string;
  readonly model: string;
}

/** One total's SKUs at a cut-off, added one after the other. */
interface Sum {
  readonly history: Float64Array;
  readonly actual: Float64Array;
  readonly members: { means: Float64Array; quantiles: Float64Array }[];
}

export interface Totals {
  readonly shop: Sum;
  readonly categories: Map<number, Sum>;
}

export const init = (periods: number, horizon: number): Totals => ({ shop: sum(periods, horizon), categories: new Map() });

const sum = (periods: number, horizon: number): Sum => ({ history: new Float64Array(periods), actual: new Float64Array(horizon), members: [] });

/** `category` is −1 where none is told; `history` ends at the cut-off; `means` and `quantiles` are copied. */
export function add(
  { shop, categories }: Totals,
  category: number,
  history: Float64Array,
  actual: Float64Array,
  forecast: { means: Float64Array; quantiles: Float64Array },
): void {
  const member = { means: forecast.means.slice(), quantiles: forecast.quantiles.slice() };
  const into = [shop];
  if (category >= 0) {
    const known = categories.get(category) ?? sum(shop.history.length, shop.actual.length);
    categories.set(category, known);
    into.push(known);
  }
  for (const one of into) {
    const from = one.history.length - history.length;
    history.forEach((units, t) => { one.history[from + t] = (one.history[from + t] ?? 0) + units; });
    actual.forEach((units, h) => { one.actual[h] = (one.actual[h] ?? 0) + units; });
    one.members.push(member);
  }
}

/** Scores of one cut-off, ours first, by what the model says that SKUs share; intervals are judged on `open` periods. */
export function scores({ shop, categories }: Totals, shared: Shared, open: readonly boolean[], season: number, probabilities: Float64Array): TotalScores[] {
  const groups: [string, Sum[]][] = [['shop', [shop]], ['categories', [...categories.values()]]];
  return groups.filter(([, sums]) => sums.some(({ members }) => members.length > 0)).flatMap(([of, sums]) => {
    const ours = metrics.init();
    const plain = BASELINES.map(() => metrics.init());
    for (const one of sums) {
      const { history, actual, members } = one;
      const scored = { scale: metrics.seasonalScale(history, season), actual, open };
      metrics.add(ours, { ...scored, ...bottomUp(members, actual.length, probabilities, shared) }, probabilities);
      const index = ownSeason(history, season);
      BASELINES.forEach((baseline, b) => {
        const forecast = baseline.forecast(history, index, actual.length, probabilities);
        metrics.add(plain[b] ?? metrics.init(), { ...scored, ...forecast, ...outer(forecast.quantiles, probabilities.length) }, probabilities);
      });
    }
    return [{ of, model: 'millrace', ...metrics.scores(ours) }, ...BASELINES.map(({ name }, b) => ({ of, model: name, ...metrics.scores(plain[b] ?? metrics.init()) }))];
  });
}

function bottomUp(members: Sum['members'], horizon: number, probabilities: Float64Array, shared: Shared) {
  const n = probabilities.length;
  const means = new Float64Array(horizon);
  const quantiles = new Float64Array(horizon * n);
  for (let h = 0; h < horizon; h++) {
    const made = total(members.map((member) => ({ mean: member.means[h] ?? 0, quantiles: member.quantiles.subarray(h * n, (h + 1) * n) })), probabilities, sharedAt(shared, (h + 1) / horizon));
    means[h] = made.mean;
    quantiles.set(made.quantiles, h * n);
  }
  return { means, quantiles, ...outer(quantiles, n) };
}

/** The outer quantiles are the 80 % interval. */
function outer(quantiles: Float64Array, n: number): { low: Float64Array; high: Float64Array } {
  const at = (p: number): Float64Array => Float64Array.from({ length: quantiles.length / n }, (_, h) => quantiles[h * n + p] ?? 0);
  return { low: at(0), high: at(n - 1) };
}

/** Mean of each phase of the total's own history, over their mean. */
function ownSeason(history: Float64Array, season: number): SeasonIndex {
  const sums = Array.from({ length: season }, () => ({ units: 0, periods: 0 }));
  history.forEach((units, t) => {
    const phase = sums[t % season];
    if (phase === undefined) return;
    phase.units += units;
    phase.periods++;
  });
  const means = sums.map(({ units, periods }) => units / Math.max(1, periods));
  const mean = means.reduce((all, one) => all + one, 0) / season;
  return { factors: means.map((one) => (mean > 0 ? one / mean : 1)), firstPhase: 0 };
}
