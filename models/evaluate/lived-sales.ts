/**
 * Sales of a file, lived through once by the forecaster: after each day what it says of every SKU that is old enough, of which it
 * knows nothing that came later.
 */
import * as demand from '../forecast/demand-forecaster.js';
import type { DayOfDemand } from '../inventory/demand-over-time.js';
import { PROBABILITIES, type SalesTable } from './forecasts.js';

export const WARM_UP_DAYS = 56;
const LEAST_SELLING_DAYS = 10;
const SEASON = 7;

export interface LivedDay {
  /** The day that has just been learned, from 0. */
  readonly t: number;
  /** Units by SKU and day, of all days of the file. */
  readonly units: readonly Float64Array[];
  /** SKUs first sold at least 56 days ago, with ten selling days or more. */
  readonly known: readonly number[];
  /** Demand of the days after it. */
  forecastOf(sku: number): DayOfDemand[];
}

/** One day after the other, from the 56th on. `firstDay` is that of the file since 1970-01-01: without it days of the month are not told apart. */
export function* livedSales(table: SalesTable, horizon: number, firstDay?: number): Generator<LivedDay> {
  const units = dense(table);
  const model = demand.init({ skus: table.skus, seasonPeriods: SEASON, horizon, probabilities: PROBABILITIES, firstDay });
  const forecast = demand.blankForecast(model);
  const n = PROBABILITIES.length;
  const today = new Float64Array(table.skus).fill(NaN);
  const first = new Int32Array(table.skus).fill(-1);
  const selling = new Int32Array(table.skus);
  for (let t = 0; t < table.periods; t++) {
    for (let sku = 0; sku < table.skus; sku++) {
      const sold = units[sku][t];
      if (sold > 0 && first[sku] < 0) first[sku] = t;
      if (first[sku] >= 0) today[sku] = sold;
      if (sold > 0) selling[sku]++;
    }
    demand.learn(model, today);
    if (t + 1 < WARM_UP_DAYS) continue;
    yield {
      t, units,
      get known() { return Array.from(first.keys()).filter((sku) => first[sku] >= 0 && t - first[sku] >= WARM_UP_DAYS - 1 && selling[sku] >= LEAST_SELLING_DAYS); },
      forecastOf(sku) {
        demand.predict(model, sku, forecast);
        return Array.from(forecast.means, (mean, d) => ({ mean, quantiles: Array.from(forecast.quantiles.subarray(d * n, (d + 1) * n)) }));
      },
    };
  }
}

function dense(table: SalesTable): Float64Array[] {
  const units = Array.from({ length: table.skus }, () => new Float64Array(table.periods));
  table.sku.forEach((sku, cell) => {
    units[sku][table.period[cell]] += table.units[cell];
  });
  // Returns on a day without sales are no negative demand.
  for (const days of units) for (let t = 0; t < days.length; t++) days[t] = Math.max(0, days[t]);
  return units;
}
