import { init, learn, predict, type SeasonalSmoothing } from '../models/forecast/seasonal-smoothing.js';
import { consumer, on, type Consumer, type Context } from '../pipeline/core/consumer.js';
import { rows } from '../pipeline/core/rows.js';
import type { ShopDays } from '../pipeline/core/shop-day.js';
import { demandForecasts as forecastTable, forecasts, sales } from '../schemas/topics.js';
import type { DemandState, Forecast, Sale } from '../schemas/types.js';

export const HORIZON_DAYS = 28;
export const LEVELS = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95] as const;
export const MODEL = 'seasonal-smoothing/1';

/** A multiple of 7. */
const MOST_FOLDED_DAYS = 735;

export const demandStates = rows<DemandState>('', 'DemandState');

export interface DemandForecastOptions {
  readonly days: ShopDays;
  /** At most one publication of a SKU in this time. */
  readonly publishEveryMs: number;
}

/** Updates the demand model of a SKU in place with every sale and publishes its forecast, net of refunds and cancellations. */
export function demandForecasts({ days, publishEveryMs }: DemandForecastOptions): Consumer {
  return consumer({
    name: 'demand-forecasts',
    table: forecastTable,
    inputs: [on(sales, ({ key, value }, ctx) => onSale(key, value, ctx))],
    outputs: [forecasts],
    timers: { publish: ({ key, due }, ctx) => publish(key, due, ctx) },
  });

  function onSale(sku: string, sale: Sale, ctx: Context): void {
    const before = ctx.get(demandStates, sku);
    const model = before ? copyOf(before) : init();
    const revision = learn(model, { day: days.dayOf(sale.time), units: sale.quantity });
    if (revision === 'level-only') ctx.count('millrace_late_sales_total');
    ctx.put(demandStates, sku, { ...model, publishedAt: before?.publishedAt ?? 0 });
    // Before the first tick nobody knows what time it is: the forecast waits for it.
    if (ctx.time === 0) ctx.schedule('publish', sku, sale.time);
    else if (!before || before.publishedAt + publishEveryMs <= ctx.now) publish(sku, ctx.now, ctx);
    else ctx.schedule('publish', sku, before.publishedAt + publishEveryMs);
  }

  function publish(sku: string, at: number, ctx: Context): void {
    const state = ctx.get(demandStates, sku);
    if (!state) return;
    ctx.put(demandStates, sku, { ...state, publishedAt: at });
    ctx.emit(forecasts, sku, forecastOf(sku, state, at, days));
  }
}

/** The forecast that a state gives, from the day after the last one known (or today, if that is later). */
export function forecastOf(sku: string, state: DemandState, now: number, days: ShopDays): Forecast {
  const after = Math.max(state.lastDay, now > 0 ? days.dayOf(now) : 0);
  const path = predict(copyOf(state), HORIZON_DAYS, LEVELS, state.lastDay + foldedGap(after - state.lastDay));
  return {
    sku, madeAt: now, firstDay: after + 1, levels: LEVELS, mean: path.map(({ mean }) => mean), quantiles: path.map(({ quantiles }) => quantiles), model: MODEL,
  };
}

/** Days without a sale that are worth folding: after two years nothing is left to forget, so a longer gap keeps its weekday only. */
const foldedGap = (gap: number): number => (gap <= MOST_FOLDED_DAYS ? gap : MOST_FOLDED_DAYS - 7 + (gap % 7));

const copyOf = ({ lastDay, days, recent, censored, level, exposure, season, excess, square }: DemandState): SeasonalSmoothing => ({
  lastDay, days, recent: [...recent], censored: [...censored], level, exposure, season: [...season], excess, square,
});
