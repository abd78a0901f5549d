/**
 * Demand over a stretch of days, from daily forecasts: what a stock has to cover.
 *
 *   mean = Σ μ_d,  variance = Σ σ_d² + ρ Σ_{d≠e} σ_d σ_e + μ̄² Var(lead time)
 *   the sum ~ negative binomial with these two moments
 *
 * σ_d is that of the day's quantiles with an exponential tail above the last one, as long as the day's mean asks for: most of what a
 * SKU sells that seldom sells lies there. ρ = 0.1 because days share the error of their level. With an uncertain lead time the number
 * of days is random, and each day of it moves the demand by the mean day μ̄ (countedDeviation says how far that goes). Days beyond the
 * forecast repeat its last week.
 * No forecast, or zero days, is a demand of zero. Units are units; times are days.
 */
import { negativeBinomialQuantiles } from '../forecast/negative-binomial.js';
import { correlationOf, unlearned, type SharedError, type Stretch } from './shared-error.js';

/** No stock covers everything: the quantile of probability 1 is infinite. */
export const MOST_SERVICE = 0.9999;

export interface DayOfDemand {
  mean: number;
  /** At ascending `probabilities`. */
  quantiles: readonly number[];
}

export interface DemandForecast {
  probabilities: readonly number[];
  days: readonly DayOfDemand[];
  /** What has been learned of how far its days err together. */
  shared?: SharedError;
}

type Moments = Pick<DemandOverTime, 'mean' | 'variance'>;

export interface DemandOverTime extends Stretch {
  readonly variance: number;
}

/** Lead time: `days` on average, give or take `deviationDays`. */
export interface LeadTime {
  days: number;
  deviationDays?: number;
}

/**
 * What counts of the deviation of a lead time where `days` are to be covered at `level`: √(1 / 2(1 − level)) times the days. There the
 * quantile is highest. With more, two moments say that nearly all lead times are nothing and some are endless, and the quantile falls to nothing.
 */
export const countedDeviation = ({ days, deviationDays = 0 }: LeadTime, level: number): number =>
  Math.min(deviationDays, days * Math.sqrt(0.5 / (1 - Math.min(MOST_SERVICE, level))));

export function demandOver(forecast: DemandForecast, days: number, deviationDays = 0): DemandOverTime {
  const whole = Math.max(0, Math.min(3_650, Number.isFinite(days) ? days : 0));
  let mean = 0;
  let squares = 0;
  let spread = 0;
  for (let d = 0; d < whole; d++) {
    // A lead time of 2.5 days covers half of the third.
    const share = Math.min(1, whole - d);
    const day = dayAt(forecast, d);
    const deviation = deviationOf(day, forecast.probabilities);
    mean += share * Math.max(0, day.mean);
    squares += share * deviation * deviation;
    spread += share * deviation;
  }
  const perDay = whole > 0 ? mean / whole : Math.max(0, dayAt(forecast, 0).mean);
  const deviation = Math.max(0, Number.isFinite(deviationDays) ? deviationDays : 0);
  const products = Math.max(0, spread * spread - squares);
  const shared = correlationOf(forecast.shared ?? unlearned, perDay) * products;
  return { days: whole, mean, squares, products, variance: squares + shared + (perDay * deviation) ** 2 };
}

/** The demand that is not exceeded with this probability, at most `MOST_SERVICE`. */
export function demandQuantile(demand: Moments, probability: number): number {
  const p = Math.min(MOST_SERVICE, Number.isNaN(probability) ? 0.5 : probability);
  return p > 0 ? (demandQuantiles(demand, [p])[0] ?? 0) : 0;
}

/** The same at ascending probabilities, which are more than 0. */
export function demandQuantiles({ mean, variance }: Moments, probabilities: readonly number[]): number[] {
  const out: number[] = [];
  negativeBinomialQuantiles(mean, Math.max(0, (variance - mean) / mean ** 2), probabilities, out);
  return out;
}

function dayAt(forecast: DemandForecast, d: number): DayOfDemand {
  const known = forecast.days.length;
  if (known === 0) return { mean: 0, quantiles: [] };
  const index = d < known ? d : Math.max(0, known - 7) + ((d - known) % Math.min(7, known));
  return forecast.days[index] ?? { mean: 0, quantiles: [] };
}

/**
 * Poisson's at least. Each quantile stands for the probability up to the next one, the last for that of the tail. Below the first one lies as
 * much again as twice its distance from the second: down to nothing it would be a deviation of 6.4 for a steady twenty a day, which has 4.5.
 */
function deviationOf({ mean, quantiles }: DayOfDemand, probabilities: readonly number[]): number {
  const units = Math.max(0, mean);
  const [first = 0, second = 0] = quantiles;
  let [below, reached, lower, squares] = [Math.max(0, first - 2 * (second - first)), 0, 0, 0];
  probabilities.forEach((p, i) => {
    const quantile = quantiles[i] ?? 0;
    const middle = (below + quantile) / 2;
    const share = p - reached;
    lower += share * middle;
    squares += share * (middle - units) ** 2;
    below = quantile;
    reached = p;
  });
  const rest = 1 - reached;
  if (!(rest > 0)) return Math.sqrt(Math.max(units, squares));
  const excess = Math.max(0, (units - lower) / rest - below);
  return Math.sqrt(Math.max(units, squares + rest * ((below + excess - units) ** 2 + excess ** 2)));
}
