import { corrected, init, learn, meanCost, meanOver, suggested, type Correction } from '../../models/inventory/base-stock-learning.js';
import { countedDeviation, demandOver, demandQuantile } from '../../models/inventory/demand-over-time.js';
import * as sharedError from '../../models/inventory/shared-error.js';
import { protectedTime } from '../../models/inventory/reorder-policies.js';
import { likelyDemands } from '../../models/inventory/unseen-demand.js';
import { partOnSale } from '../../models/forecast/shortages.js';
import { firstSale, windowStart, type SkuSeries } from '../../models/forecast/sku-series.js';
import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Forecast, SharedError, StockCycle, StockScore } from '../../schemas/types.js';
import { askedOf, cycleDays, demandOf, isSameDemand, type Terms } from './reorder.js';
import { SHOP } from './rows.js';

/** By SKU. */
export const cycleRows = rows<StockCycle>('cycle', 'StockCycle');
/** Of a partition. */
export const stockScoreRows = rows<StockScore>('stock-score', 'StockScore');
/** Of a partition. */
export const sharedErrorRows = rows<SharedError>('shared-error', 'SharedError');

/** Before that the level of a SKU is known less well than those of others, which say nothing about it then. */
const GROWN_UP_DAYS = 56;
const FORGETTING = 0.999;

/**
 * At a publication: a cycle that is over is judged by what was sold in it, and the next one begins tomorrow with the level that the
 * forecast asks for. Answers what has been learned of these terms: others begin anew. Where no cycle of theirs can be judged none begins.
 */
export function turnCycle(sku: string, series: SkuSeries, forecast: Forecast, terms: Terms, ctx: Context): StockCycle | undefined {
  const row = ctx.get(cycleRows, sku);
  const asked = askedOf(terms);
  const known = row && isSameDemand(row, asked) ? row : undefined;
  const days = cycleDays(terms, known?.cycles ?? 0);
  const isOver = known !== undefined && known.days > 0 && forecast.firstDay > known.from + known.days;
  if (known && !isOver && (known.days > 0 || days === undefined)) return known;
  const learned = known && isOver ? judge(known, series, ctx) : (known ?? init());
  if (days === undefined) return known && put(sku, { ...known, ...learned, days: 0 }, ctx);
  const time = protectedTime(terms.policy, terms.order.leadTime);
  const demand = demandOf(forecast, sharedErrorOf(series, forecast.firstDay, ctx.get(sharedErrorRows, SHOP)));
  const covered = demandOver(demand, Math.ceil(time.days), countedDeviation(time, asked.level));
  const { mean, squares: ownSquares, products } = demandOver(demand, days);
  // What was asked at first stays: little by little it else came to be another demand.
  return put(sku, {
    ...asked, ...known, ...learned, from: forecast.firstDay, days, textbook: demandQuantile(covered, asked.level), deviation: Math.sqrt(covered.variance), service: asked.level,
    mean, ownSquares, products,
  }, ctx);
}

function put(sku: string, cycle: StockCycle, ctx: Context): StockCycle {
  ctx.put(cycleRows, sku, cycle);
  return cycle;
}

/** What the cycles of the partition have taught of errors that days share, for a SKU whose forecast begins on a day. */
export const sharedErrorOf = (series: SkuSeries, firstDay: number, learned: SharedError | undefined): SharedError | undefined =>
  isGrownUp(series, firstDay) ? learned : undefined;

function isGrownUp(series: SkuSeries, day: number): boolean {
  const first = firstSale(series);
  return first !== null && day - first >= GROWN_UP_DAYS;
}

function judge(cycle: StockCycle, series: SkuSeries, ctx: Context): Correction {
  const { sold, missing } = seenOf(cycle, series);
  // Of what nobody could buy on any day only the forecast would speak.
  if (sold === undefined || (missing === 1 && sold === 0)) return cycle;
  const { service, days, mean, ownSquares: squares, products } = cycle;
  const shared = ctx.get(sharedErrorRows, SHOP) ?? sharedError.unlearned;
  const stretch = { days, mean, squares, products };
  const demands = likelyDemands(sold, missing, stretch, shared);
  const asked = { ...cycle, isWhole: !series.byFractions };
  const level = suggested(cycle, asked);
  const costOf = (one: number): number => meanCost(one, demands, service);
  const score = ctx.get(stockScoreRows, SHOP) ?? { cycles: 0, served: 0, learned: 0, textbook: 0, promised: 0, covered: 0, unseen: 0 };
  ctx.put(stockScoreRows, SHOP, {
    cycles: FORGETTING * score.cycles + 1,
    served: FORGETTING * score.served + costOf(level),
    learned: FORGETTING * score.learned + costOf(corrected(cycle, cycle)),
    textbook: FORGETTING * score.textbook + costOf(suggested(init(), asked)),
    promised: FORGETTING * score.promised + service,
    covered: FORGETTING * score.covered + meanOver(demands, (demand) => Number(demand <= level)),
    unseen: FORGETTING * score.unseen + missing,
  });
  if (isGrownUp(series, cycle.from)) ctx.put(sharedErrorRows, SHOP, sharedError.learn(shared, stretch, demands));
  return learn(cycle, asked, demands);
}

/** Units sold in the cycle, undefined where they are no longer known, and in what part of its time, 0 to 1, the shelf was empty. */
function seenOf({ from, days }: StockCycle, series: SkuSeries): { sold: number | undefined; missing: number } {
  const start = windowStart(series);
  if (from < start) return { sold: undefined, missing: 0 };
  let [sold, missing] = [0, 0];
  for (let day = from; day < from + days; day++) {
    const units = Math.max(0, series.units[day - start] ?? 0);
    sold += units;
    const part = partOnSale(series, day);
    // What sells all day without stock sells on order.
    if (units === 0 || part > 0) missing += 1 - part;
  }
  return { sold, missing: missing / days };
}
