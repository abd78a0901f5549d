import { sentence, suggestOrder, type Service } from '../../models/inventory/reorder-policies.js';
import type { DemandForecast } from '../../models/inventory/demand-over-time.js';
import { demandOver } from '../../models/inventory/demand-over-time.js';
import type { Forecast, ReorderSuggestion, Supply } from '../../schemas/types.js';

/** Terms of SKUs whose catalogue entry names none. */
export interface ReorderDefaults {
  readonly leadTimeDays: number;
  readonly leadTimeDeviationDays: number;
  readonly reviewDays: number;
  /** Share of cycles without a stock-out, 0 to 1. */
  readonly serviceLevel: number;
}

/** What to order of a SKU today; undefined where nobody knows its stock, or where it is no longer sold. */
export function suggestionOf(supply: Supply | undefined, forecast: Forecast, defaults: ReorderDefaults): ReorderSuggestion | undefined {
  if (!supply || supply.stock === null || supply.deleted) return undefined;
  const leadTimeDays = supply.leadTimeDays ?? defaults.leadTimeDays;
  const leadTimeDeviationDays = supply.leadTimeDeviationDays ?? defaults.leadTimeDeviationDays;
  const reviewDays = supply.reviewDays ?? defaults.reviewDays;
  const onOrder = supply.onOrder ?? 0;
  const demand: DemandForecast = { probabilities: forecast.levels, days: forecast.mean.map((mean, i) => ({ mean, quantiles: forecast.quantiles[i] ?? [] })) };
  const terms = {
    leadTime: { days: leadTimeDays, deviationDays: leadTimeDeviationDays },
    ...(supply.packSize === null ? {} : { packSize: supply.packSize }),
    ...(supply.minimumUnits === null ? {} : { minimumUnits: supply.minimumUnits }),
  };
  const { units, upTo, level, reasons } = suggestOrder(demand, { onHand: supply.stock, onOrder }, terms, serviceOf(supply, defaults), { kind: 'periodic', reviewDays });
  return {
    sku: forecast.sku, madeAt: forecast.madeAt, day: forecast.firstDay - 1, units, upTo, stock: supply.stock, onOrder, serviceLevel: level, leadTimeDays,
    leadTimeDeviationDays, reviewDays, demand: demandOver(demand, leadTimeDays + reviewDays).mean, model: forecast.model,
    reasons: reasons.map((reason) => ({ code: reason.code, text: sentence(reason) })),
  };
}

/** Both costs decide where both are known; else the level. */
function serviceOf({ shortageCost, excessCost, serviceLevel }: Supply, defaults: ReorderDefaults): Service {
  if (shortageCost !== null && excessCost !== null) return { shortageCost, excessCost };
  return { level: serviceLevel ?? defaults.serviceLevel };
}
