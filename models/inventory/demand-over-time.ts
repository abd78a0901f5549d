/**
 * Demand over a stretch of days, from daily forecasts: what a stock has to cover.
 *
 *   mean = Σ μ_d,  variance = Σ σ_d² + ρ Σ_{d≠e} σ_d σ_e + μ̄² Var(lead time)
 *   the sum ~ negative binomial with these two moments
 *
 * σ_d is read from the day's quantiles; ρ = 0.05 because days share the error of their level. With an uncertain lead time the number
 * of days is random, and each day of it moves the demand by the mean day μ̄. Days beyond the forecast repeat its last week.
 * No forecast, or zero days, is a demand of zero. Units are units; times are days.
 */
import { negativeBinomialQuantiles, normalQuantile } from '../forecast/negative-binomial.js';

const SHARED_ERROR = 0.05;

export interface DayOfDemand {
  mean: number;
  /** At ascending `probabilities`. */
  quantiles: readonly number[];
}

export interface DemandForecast {
  probabilities: readonly number[];
  days: readonly DayOfDemand[];
}

export interface DemandOverTime {
  days: number;
  mean: number;
  variance: number;
}

/** Lead time: `days` on average, give or take `deviationDays`. */
export interface LeadTime {
  days: number;
  deviationDays?: number;
}

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
  const shared = SHARED_ERROR * Math.max(0, spread * spread - squares);
  return { days: whole, mean, variance: squares + shared + (perDay * deviation) ** 2 };
}

/** The demand that is not exceeded with this probability; 1 answers the 0.9999 quantile, since nothing covers everything. */
export function demandQuantile(demand: DemandOverTime, probability: number): number {
  const p = Math.min(0.9999, Number.isNaN(probability) ? 0.5 : probability);
  if (!(p > 0) || !(demand.mean > 0)) return 0;
  const dispersion = Math.max(0, (demand.variance - demand.mean) / demand.mean ** 2);
  const out: number[] = [];
  negativeBinomialQuantiles(demand.mean, dispersion, [p], out);
  return out[0] ?? 0;
}

function dayAt(forecast: DemandForecast, d: number): DayOfDemand {
  const known = forecast.days.length;
  if (known === 0) return { mean: 0, quantiles: [] };
  const index = d < known ? d : Math.max(0, known - 7) + ((d - known) % Math.min(7, known));
  return forecast.days[index] ?? { mean: 0, quantiles: [] };
}

/** The upper half carries the risk: standard deviation of the normal that has the day's highest quantile, Poisson's at least. */
function deviationOf(day: DayOfDemand, probabilities: readonly number[]): number {
  const poisson = Math.sqrt(Math.max(0, day.mean));
  let deviation = poisson;
  probabilities.forEach((p, i) => {
    if (p <= 0.5 || p >= 1) return;
    deviation = Math.max(deviation, ((day.quantiles[i] ?? 0) - day.mean) / normalQuantile(p));
  });
  return deviation;
}
