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
const MOST_DAYS = 3_650;
/** A demand stands as so many equally likely quantiles where it is cut off. */
const DRAWS = 64;
const MIDDLES = Array.from({ length: DRAWS }, (_, i) => (i + 0.5) / DRAWS);

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
  /** The running day, which is before `days`, and the part of its sales that is still to come, 0 to 1. Absent: it is over. */
  today?: { day: DayOfDemand; left: number };
}

export type Moments = Pick<DemandOverTime, 'mean' | 'variance'>;

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
 * quantile of 80 % and more is about as high as it gets. With more, two moments say that nearly all lead times are nothing and some are endless,
 * and the quantile falls to nothing.
 */
export const countedDeviation = ({ days, deviationDays = 0 }: LeadTime, level: number): number =>
  Math.min(deviationDays, days * Math.sqrt(0.5 / (1 - Math.min(MOST_SERVICE, level))));

export function demandOver(forecast: DemandForecast, days: number, deviationDays = 0): DemandOverTime {
  const whole = Math.max(0, Math.min(MOST_DAYS, Number.isFinite(days) ? days : 0));
  const { mean, squares, spread } = sumOf(stretch(forecast, 0, whole), forecast.probabilities);
  const perDay = whole > 0 ? mean / whole : Math.max(0, dayAt(forecast, 0).mean);
  const deviation = Math.max(0, Number.isFinite(deviationDays) ? deviationDays : 0);
  const products = Math.max(0, spread * spread - squares);
  const shared = correlationOf(forecast.shared ?? unlearned, perDay) * products;
  return { days: whole, mean, squares, products, variance: squares + shared + (perDay * deviation) ** 2 };
}

/** What a shelf of `onHand` units and an order have to meet: until the order is there, and in the days that it is sold for. */
export interface DemandMet extends Moments {
  /** Mean units that the shelf sells before the order is there. */
  readonly before: number;
  /** Demand of the days after it. */
  readonly after: Moments;
  /** Deviation of the whole running day, 0 where the shelf sells nothing of it. */
  readonly todayDeviation: number;
}

/**
 * Demand that can be met where an order is there after what is left of the running day and `wait.days` more, and is sold for `days`: before
 * it no more is sold than is on hand, and what goes beyond that is lost whatever is ordered. An order that comes a day earlier, on an empty
 * shelf, has a day's demand more to meet; none comes before the next day, by more than the days of `wait`.
 */
export function demandMet(forecast: DemandForecast, onHand: number, { days: waitDays, deviationDays = 0 }: LeadTime, days: number): DemandMet {
  const { probabilities, shared = unlearned, today } = forecast;
  const wait = Math.min(MOST_DAYS, Math.max(0, waitDays));
  const rest = today && today.left > 0 ? [{ day: today.day, share: today.left }] : [];
  const waited = sumOf([...rest, ...stretch(forecast, 0, wait)], probabilities);
  const sold = sumOf(stretch(forecast, wait, Math.min(MOST_DAYS, wait + Math.max(0, days))), probabilities);
  const length = (today?.left ?? 0) + wait + days;
  const correlation = length > 0 ? correlationOf(shared, (waited.mean + sold.mean) / length) : 0;
  const varianceOf = ({ squares, spread }: Sums): number => squares + correlation * Math.max(0, spread * spread - squares);
  const [all, after] = [varianceOf(waited), { mean: sold.mean, variance: varianceOf(sold) }];
  const before = cutOff({ mean: waited.mean, variance: all }, onHand);
  const both = all > 0 ? 2 * correlation * waited.spread * sold.spread * Math.sqrt(before.variance / all) : 0;
  const todayDeviation = today && onHand > 0 ? deviationOf(today.day, probabilities) : 0;
  const earlier = days > 0 ? (before.cut * Math.min(deviationDays, wait) * after.mean) / days : 0;
  return { before: before.mean, after, todayDeviation, mean: before.mean + after.mean, variance: before.variance + after.variance + both + earlier ** 2 };
}

/** Moments of as much of a demand as there are units for, and how likely it is that they do not do (`cut`, 0 to 1). */
function cutOff(demand: Moments, most: number): Moments & { readonly cut: number } {
  if (!(most > 0) || !(demand.mean > 0)) return { mean: 0, variance: 0, cut: demand.mean > 0 ? 1 : 0 };
  const quantiles = demandQuantiles(demand, MIDDLES);
  const met = quantiles.map((units) => Math.min(units, most));
  const mean = met.reduce((sum, units) => sum + units, 0) / met.length;
  return { mean, variance: met.reduce((sum, units) => sum + (units - mean) ** 2, 0) / met.length, cut: quantiles.filter((units) => units > most).length / met.length };
}

/** The demand that is not exceeded with this probability, at most `MOST_SERVICE`. */
export function demandQuantile(demand: Moments, probability: number): number {
  const p = Math.min(MOST_SERVICE, Number.isNaN(probability) ? 0.5 : probability);
  return p > 0 ? (demandQuantiles(demand, [p])[0] ?? 0) : 0;
}

/** The same at ascending probabilities, which are more than 0. */
export function demandQuantiles({ mean, variance }: Moments, probabilities: readonly number[]): number[] {
  const out: number[] = [];
  negativeBinomialQuantiles(mean, (variance - mean) / mean ** 2, probabilities, out);
  return out;
}

interface Sums {
  readonly mean: number;
  /** Σ σ_d². */
  readonly squares: number;
  /** Σ σ_d. */
  readonly spread: number;
}

interface Part {
  readonly day: DayOfDemand;
  readonly share: number;
}

/** The days from one time on and before another, in days from the first one's begin: of a time of 2.5 days half of the third. */
function stretch(forecast: DemandForecast, from: number, to: number): Part[] {
  const parts: Part[] = [];
  for (let d = Math.floor(from); d < to; d++) parts.push({ day: dayAt(forecast, d), share: Math.min(d + 1, to) - Math.max(d, from) });
  return parts;
}

function sumOf(parts: readonly Part[], probabilities: readonly number[]): Sums {
  let [mean, squares, spread] = [0, 0, 0];
  for (const { day, share } of parts) {
    const deviation = deviationOf(day, probabilities);
    mean += share * Math.max(0, day.mean);
    squares += share * deviation * deviation;
    spread += share * deviation;
  }
  return { mean, squares, spread };
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
