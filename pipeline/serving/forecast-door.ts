import { demandStates, forecastOf } from '../../consumers/demand-forecasts.js';
import { demandForecasts } from '../../schemas/topics.js';
import type { ShopDays } from '../core/shop-day.js';
import type { Views } from './views.js';

/** Forecast of a SKU for the next 28 days, from its state as of `now`; undefined for a SKU that never sold. */
export function forecastAnswer(views: Views, days: ShopDays, sku: string, now: number): object | undefined {
  const state = views.row(demandForecasts, demandStates, sku);
  if (!state) return undefined;
  const { firstDay, levels, mean, quantiles, model } = forecastOf(sku, state, now, days);
  return {
    sku,
    model,
    asOf: new Date(now).toISOString(),
    lastSaleDay: isoDay(state.lastDay),
    levels,
    days: mean.map((units, i) => ({ date: isoDay(firstDay + i), mean: units, quantiles: quantiles[i] })),
  };
}

const isoDay = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
