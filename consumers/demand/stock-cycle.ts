import { corrected, cycleCost, init, isTrusted, learn, type Correction } from '../../models/inventory/base-stock-learning.js';
import { demandOver, demandQuantile } from '../../models/inventory/demand-over-time.js';
import { serviceLevel } from '../../models/inventory/reorder-policies.js';
import { isShort, windowStart, type SkuSeries } from '../../models/forecast/sku-series.js';
import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Forecast, StockCycle, StockScore } from '../../schemas/types.js';
import { demandOf, type Terms } from './reorder.js';
import { SHOP } from './rows.js';

/** By SKU. */
export const cycleRows = rows<StockCycle>('cycle', 'StockCycle');
/** Of a partition. */
export const stockScoreRows = rows<StockScore>('stock-score', 'StockScore');

/** A cycle is over while its days can still be looked up: four weeks are kept, and a quiet SKU is published once in one of them. */
const MOST_CYCLE_DAYS = 20;
const FORGETTING = 0.999;

/**
 * At a publication: a cycle that is over is judged by what was sold in it, and the next one begins tomorrow with the level that the
 * forecast asks for. Answers what has been learned.
 */
export function turnCycle(sku: string, series: SkuSeries, forecast: Forecast, terms: Terms, ctx: Context): Correction | undefined {
  const known = ctx.get(cycleRows, sku);
  const today = forecast.firstDay - 1;
  if (known && today < known.from + known.days) return known;
  const days = Math.min(MOST_CYCLE_DAYS, Math.ceil(terms.cycleDays));
  if (days <= 0) return known;
  const learned = known ? judge(known, series, ctx) : init();
  const covered = demandOver(demandOf(forecast), days);
  const service = serviceLevel(terms.service);
  const { shift, cycles, cost, textbookCost } = learned;
  ctx.put(cycleRows, sku, {
    from: forecast.firstDay, days, textbook: demandQuantile(covered, service), deviation: Math.sqrt(covered.variance), service, shift, cycles, cost, textbookCost,
  });
  return learned;
}

function judge(cycle: StockCycle, series: SkuSeries, ctx: Context): Correction {
  const demand = demandOfCycle(cycle, series);
  if (demand === undefined) return cycle;
  const { service, textbook } = cycle;
  const level = corrected(cycle, cycle);
  const score = ctx.get(stockScoreRows, SHOP) ?? { cycles: 0, served: 0, learned: 0, textbook: 0 };
  ctx.put(stockScoreRows, SHOP, {
    cycles: FORGETTING * score.cycles + 1,
    served: FORGETTING * score.served + cycleCost(isTrusted(cycle) ? level : textbook, demand, service),
    learned: FORGETTING * score.learned + cycleCost(level, demand, service),
    textbook: FORGETTING * score.textbook + cycleCost(textbook, demand, service),
  });
  return learn(cycle, cycle, demand);
}

/** Units sold in the cycle; undefined where they are no longer known, or where an empty shelf may have cut the demand off. */
function demandOfCycle({ from, days }: StockCycle, series: SkuSeries): number | undefined {
  const start = windowStart(series);
  if (from < start) return undefined;
  let demand = 0;
  for (let day = from; day < from + days; day++) {
    if (isShort(series, day) || isShort(series, day + 1)) return undefined;
    demand += Math.max(0, series.units[day - start] ?? 0);
  }
  return demand;
}
