import type { SkuSeries } from '../../models/forecast/sku-series.js';
import type { SharedError } from '../../models/inventory/shared-error.js';
import type { DemandForecast } from '../../models/inventory/demand-over-time.js';
import { protectedTime, sentence, serviceLevel, suggestOrder, waitDays, type OrderTerms, type Policy, type Service } from '../../models/inventory/reorder-policies.js';
import { policyOf } from '../../schemas/ordering.js';
import type { Forecast, ReorderSuggestion, SkuSuccessor, StockCycle, Supply } from '../../schemas/types.js';
import { rounded } from './forecast.js';

/** A cycle is over while its days can still be looked up: four weeks are kept, and a quiet SKU is published once in one of them. */
const MOST_CYCLE_DAYS = 20;
/** Three lead times of equal probability whose mean and variance are those that are told, in deviations. */
const LEAD_TIMES = [0, Math.sqrt(1.5), -Math.sqrt(1.5)];

/** As much may days, and the odds of being covered, differ. */
const SAME = 1.1;

/** Terms of SKUs whose catalogue entry names none. */
export interface ReorderDefaults {
  readonly policy: Policy['kind'];
  readonly leadTimeDays: number;
  readonly leadTimeDeviationDays: number;
  readonly reviewDays: number;
  /** Days that one order should last (reorder-point), or that are left to sell (newsvendor). */
  readonly coverDays: number;
  readonly packSize: number;
  readonly minimumUnits: number;
  /** Share of cycles without a stock-out, 0 to 1. */
  readonly serviceLevel: number;
}

/** The terms on which a SKU is ordered. */
export interface Terms {
  readonly policy: Policy;
  readonly order: OrderTerms & { readonly leadTime: { readonly days: number; readonly deviationDays: number } };
  readonly service: Service;
  /** 0 where orders are not placed at intervals. */
  readonly reviewDays: number;
  /** Whether the days to protect become fewer from day to day, towards the last on which it is sold. */
  readonly countsDown: boolean;
}

/** `firstDay`: tomorrow, the first day that an order of today can be sold on. */
export function termsOf(supply: Supply, defaults: ReorderDefaults, firstDay: number): Terms {
  const kind = policyOf(supply.policy ?? undefined) ?? defaults.policy;
  const leadTime = { days: supply.leadTimeDays ?? defaults.leadTimeDays, deviationDays: supply.leadTimeDeviationDays ?? defaults.leadTimeDeviationDays };
  const order = { leadTime, packSize: supply.packSize ?? defaults.packSize, minimumUnits: supply.minimumUnits ?? defaults.minimumUnits };
  const service = serviceOf(supply, defaults);
  const coverDays = supply.coverDays ?? defaults.coverDays;
  switch (kind) {
    case 'periodic': {
      const reviewDays = supply.reviewDays ?? defaults.reviewDays;
      return { order, service, reviewDays, countsDown: false, policy: { kind, reviewDays } };
    }
    case 'reorder-point': return { order, service, reviewDays: 0, countsDown: false, policy: { kind, orderDays: coverDays } };
    case 'newsvendor': {
      const sellingDays = supply.sellUntil === null ? coverDays : Math.max(0, supply.sellUntil - firstDay + 1 - waitDays(leadTime));
      return { order, service, reviewDays: 0, countsDown: supply.sellUntil !== null, policy: { kind, sellingDays } };
    }
  }
}

/**
 * Days of a SKU's cycle by its number: those whose demand its stock has to meet. Where the lead time is uncertain, cycles are as
 * different in length as deliveries are. Undefined where there are none, or where some would last too long to be judged.
 */
export function cycleDays({ policy, order }: Pick<Terms, 'policy' | 'order'>, cycle: number): number | undefined {
  const { days, deviationDays } = protectedTime(policy, order.leadTime);
  const lengths = LEAD_TIMES.map((deviations) => Math.max(1, Math.round(Math.ceil(days) + deviations * deviationDays)));
  return days > 0 && Math.max(...lengths) <= MOST_CYCLE_DAYS ? lengths[cycle % lengths.length] : undefined;
}

/** Of which demand a level is a quantile, and which one. */
export type Asked = Pick<StockCycle, 'policy' | 'protectedDays' | 'deviationDays' | 'level'>;

export function askedOf({ policy, order, service, countsDown }: Terms): Asked {
  const { days, deviationDays } = protectedTime(policy, order.leadTime);
  return { policy: policy.kind, protectedDays: countsDown ? 0 : days, deviationDays, level: serviceLevel(service) };
}

/**
 * Whether what was learned of the one may be used for the other. Days and odds that differ by no more than a tenth are the same: lead
 * times that are measured and costs that follow prices move a little all the time, and would never let anything be learned.
 */
export function isSameDemand(a: Asked, b: Asked): boolean {
  const [short, long] = [Math.min(a.protectedDays, b.protectedDays), Math.max(a.protectedDays, b.protectedDays)];
  const [less, more] = [Math.min(a.level, b.level), Math.max(a.level, b.level)];
  return a.policy === b.policy && long <= SAME * short && Math.abs(a.deviationDays - b.deviationDays) <= (SAME - 1) * long
    && more * (1 - less) <= SAME * less * (1 - more);
}

/** Both costs decide where both are known; else the level. */
function serviceOf({ shortageCost, excessCost, serviceLevel }: Supply, defaults: ReorderDefaults): Service {
  if (shortageCost !== null && excessCost !== null) return { shortageCost, excessCost };
  return { level: serviceLevel ?? defaults.serviceLevel };
}

/** Taken out of the catalogue, not made any more, or replaced: nothing is forecast of it. */
export const isOver = (supply: Supply | undefined, successor: SkuSuccessor | undefined): boolean =>
  successor !== undefined || (supply !== undefined && (supply.deleted || supply.discontinued));

/** Whether its levels can be judged: its stock is known, and it is still sold. */
export const isOrdered = (supply: Supply | undefined, successor: SkuSuccessor | undefined): supply is Supply =>
  supply !== undefined && supply.stock !== null && !isOver(supply, successor);

export const demandOf = ({ levels, mean, quantiles }: Forecast, shared?: SharedError): DemandForecast =>
  ({ ...(shared && { shared }), probabilities: levels, days: mean.map((units, i) => ({ mean: units, quantiles: quantiles[i] ?? [] })) });

export interface Suggested {
  readonly suggestion: ReorderSuggestion;
  /** Whether one of today of so many units is as good. */
  readonly isAsGood: (units: number) => boolean;
}

/** What to order of a SKU now, with the `rest` of the running day; undefined where nobody knows its stock. Of what is over, nothing. */
export function suggestionOf(
  supply: Supply | undefined, successor: SkuSuccessor | undefined, series: Pick<SkuSeries, 'byFractions'>, forecast: Forecast, defaults: ReorderDefaults,
  rest: () => DemandForecast['today'], learned?: StockCycle, shared?: SharedError,
): Suggested | undefined {
  if (!supply || supply.stock === null) return undefined;
  const terms = termsOf(supply, defaults, forecast.firstDay);
  const { policy, order, service, reviewDays } = terms;
  const onOrder = supply.onOrder ?? 0;
  // Only a season has a last day that stays where it is while the running day goes by.
  const today = policy.kind === 'newsvendor' ? rest() : undefined;
  const demand = { ...demandOf(forecast, shared), ...(today && { today }) };
  const isOfThis = learned !== undefined && cycleDays(terms, 0) !== undefined && isSameDemand(learned, askedOf(terms));
  // What is owed of a product that is made no more cannot be ordered.
  const onHand = isOver(supply, successor) ? Math.max(0, supply.stock) : supply.stock;
  const byFractions = series.byFractions || !Number.isInteger(supply.stock + onOrder);
  const { units, isAsGood, upTo, level, covered, reasons } = suggestOrder(demand, { onHand, onOrder }, { ...order, byFractions }, service, policy, isOfThis ? learned : undefined);
  const suggestion = {
    sku: forecast.sku, madeAt: forecast.madeAt, day: forecast.firstDay - 1, units, upTo: rounded(upTo), stock: supply.stock, onOrder, serviceLevel: level,
    leadTimeDays: order.leadTime.days, leadTimeDeviationDays: order.leadTime.deviationDays, reviewDays,
    demand: rounded(covered), model: forecast.model, policy: policy.kind,
    reasons: reasons.map((reason) => ({ code: reason.code, text: sentence(reason) })),
  };
  return { suggestion, isAsGood };
}
