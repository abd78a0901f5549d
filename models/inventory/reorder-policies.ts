/**
 * What to order, from the distribution of demand.
 *
 *   newsvendor   order up to the quantile c_u / (c_u + c_o) of demand           c_u, c_o: cost of one unit too few, too many
 *                met: min(stock, demand before the order is there) + demand of the days that it is sold for
 *   (R, S)       every R days up to S = quantile of demand over lead time + R
 *   (s, S)       when stock ≤ s = quantile over the lead time, up to S = s + mean demand of the days one order should last
 *
 * The demand of that quantile is what the stock has to meet before more can come: it alone is protected at the service level, cycles are
 * judged by it, and the quantile is corrected by what they have cost, where that has paid (base-stock-learning.ts); S of (s, S) goes along.
 * Levels of what is sold by the piece are whole units: the least number that reaches the quantile.
 * The position is what is on hand and on order, less what is owed. An order is rounded up to whole packs and to the minimum.
 * Nothing needed, nothing ordered but what is owed. Every suggestion says why, in data and in a sentence.
 * Source: Silver, Pyke and Thomas 2017, chapters 6 and 9.
 */
import { corrected, isShortOfPromise, isTrusted, wholeUnits, type Correction } from './base-stock-learning.js';
import { countedDeviation, demandMet, demandOver, demandQuantile, MOST_SERVICE, type DemandForecast, type LeadTime, type Moments } from './demand-over-time.js';

export interface StockPosition {
  onHand: number;
  onOrder?: number;
  owed?: number;
}

export interface OrderTerms {
  leadTime: LeadTime;
  packSize?: number;
  minimumUnits?: number;
  /** Sold by fractions of a unit, metres for example. */
  byFractions?: boolean;
}

/** Either the share of cycles without a stock-out, or the costs of a unit too few and one too many. */
export type Service = { level: number } | { shortageCost: number; excessCost: number };

export type Policy =
  /** Sold for so many days once the order is there; 0: it would come too late. */
  | { kind: 'newsvendor'; sellingDays: number }
  | { kind: 'periodic'; reviewDays: number }
  | { kind: 'reorder-point'; orderDays: number };

export type Reason =
  | { code: 'enough'; position: number; needed: number }
  | { code: 'covers'; days: number; deviationDays?: number; level: number; needed: number; position: number; before?: number; further?: { days: number; units: number; protected: number } }
  | { code: 'covered-less'; covered: number; cycles: number; level: number }
  | { code: 'below-reorder-point'; reorderPoint: number; position: number }
  | { code: 'learned'; units: number; cycles: number; saved: number }
  | { code: 'rounded-to-pack'; packSize: number; from: number }
  | { code: 'raised-to-minimum'; minimumUnits: number; from: number }
  | { code: 'owed'; units: number }
  | { code: 'too-late' }
  | { code: 'no-demand' };

export interface OrderSuggestion {
  units: number;
  /** Whether an order of so many units, suggested earlier in the running day, is as good: it differs by no more than what the day sells otherwise than its mean. */
  isAsGood: (units: number) => boolean;
  /** Order-up-to level. */
  upTo: number;
  level: number;
  /** Mean demand of the days that it covers. */
  covered: number;
  reasons: Reason[];
}

/**
 * The share of cycles to cover, 0 to `MOST_SERVICE`, which a shortage of infinite cost or an excess for nothing asks for. Costs of 0 and 0,
 * or both infinite, say nothing and mean one half; shortage for nothing means to order nothing but what is owed.
 */
export function serviceLevel(service: Service): number {
  return Math.min(MOST_SERVICE, Math.max(0, 'level' in service ? (Number.isNaN(service.level) ? 0.5 : service.level) : costRatio(service)));
}

function costRatio({ shortageCost, excessCost }: { shortageCost: number; excessCost: number }): number {
  const short = Math.max(0, shortageCost);
  const excess = Math.max(0, excessCost);
  if (short === Infinity) return excess === Infinity ? 0.5 : 1;
  const both = short + excess;
  return both > 0 ? short / both : 0.5;
}

export function suggestOrder(
  forecast: DemandForecast,
  stock: StockPosition,
  terms: OrderTerms,
  service: Service,
  policy: Policy,
  correction?: Correction,
): OrderSuggestion {
  const level = serviceLevel(service);
  const position = stock.onHand + (stock.onOrder ?? 0) - (stock.owed ?? 0);
  const time = protectedTime(policy, terms.leadTime);
  const { demand, before, slack, ...protectedDays } = protectedDemand(forecast, stock, terms, policy, level);
  const further = furtherDemand(forecast, time, policy);
  const covered = protectedDays.mean + (further?.units ?? 0);
  const hasDays = time.days + (further?.days ?? 0) > 0;
  if (policy.kind === 'newsvendor' && !hasDays && position >= 0) return { units: 0, isAsGood: isSame(0), upTo: 0, level, covered, reasons: [{ code: 'too-late' }] };
  if (covered <= 0 && (hasDays || position < 0)) return nothingBut(Math.max(0, -position), terms, { level, covered: 0, reasons: hasDays ? [{ code: 'no-demand' }] : [] });
  const inUnits = (wanted: number): number => (terms.byFractions ? wanted : wholeUnits(wanted));
  const quantile = demandQuantile(demand, level);
  const trusted = correction && isTrusted(correction) && level > 0 ? correction : undefined;
  const textbook = inUnits(quantile);
  const protectedBy = trusted ? inUnits(corrected(trusted, { textbook: quantile, deviation: Math.sqrt(protectedDays.variance) })) : textbook;
  const lot = further && level > 0 ? Math.max(1, Math.ceil(further.units)) : 0;
  const upTo = protectedBy + lot;
  const learned: Reason[] = trusted && protectedBy !== textbook ? [{ code: 'learned', units: protectedBy - textbook, cycles: trusted.cycles, saved: 1 - trusted.cost / trusted.textbookCost }] : [];
  const unitsUpTo = (wanted: number): number => (wanted > position ? rounded(wanted - position, terms, []) : 0);
  const isNear = (units: number): boolean =>
    units >= unitsUpTo(upTo - slack) && units <= unitsUpTo(upTo + slack) && (units === 0 || units === rounded(units, terms, []));
  // A stock at its reorder point is low; one that equals an order-up-to level is not.
  if (lot > 0 ? position > protectedBy : position >= protectedBy) {
    return { units: 0, isAsGood: slack > 0 ? isNear : isSame(0), upTo, level, covered, reasons: [{ code: 'enough', position, needed: protectedBy }, ...learned] };
  }
  // All that is to be ordered has been sold: for what is still to be no unit is asked.
  if (upTo === 0) return nothingBut(-position, terms, { level, covered, reasons: learned });
  const reasons: Reason[] = further ? [{ code: 'below-reorder-point', reorderPoint: protectedBy, position }] : [];
  reasons.push({ code: 'covers', days: time.days, ...(time.deviationDays > 0 && { deviationDays: time.deviationDays }), level, needed: upTo, position, ...(before > 0 && { before }), ...(further && { further: { days: further.days, units: lot, protected: protectedBy } }) });
  if (correction && isShortOfPromise(correction)) reasons.push({ code: 'covered-less', covered: correction.covered, cycles: correction.cycles, level: correction.promised / correction.cycles });
  reasons.push(...learned);
  const units = rounded(upTo - position, terms, reasons);
  return { units, isAsGood: slack > 0 ? isNear : isSame(units), upTo, level, covered, reasons };
}

interface ProtectedDemand {
  /** Of which the level is a quantile. */
  readonly demand: Moments;
  /** Mean units of it that the shelf sells before the order is there. */
  readonly before: number;
  /** Units by which the level moves to and fro while the running day goes by: half its deviation. */
  readonly slack: number;
  /** Of the days that are protected, on which corrections were learned. */
  readonly mean: number;
  readonly variance: number;
}

/** A season ends on its day, whenever one orders: what the shelf sells before the order is there is not on it any more. Other policies protect as many days from each order on. */
function protectedDemand(forecast: DemandForecast, { onHand, owed = 0 }: StockPosition, { leadTime }: OrderTerms, policy: Policy, level: number): ProtectedDemand {
  if (policy.kind === 'newsvendor') {
    const { before, after, todayDeviation, ...demand } = demandMet(forecast, onHand - owed, { ...leadTime, days: waitDays(leadTime) }, policy.sellingDays);
    return { demand, before, slack: todayDeviation / 2, ...after };
  }
  const time = protectedTime(policy, leadTime);
  const { mean, variance } = demandOver(forecast, time.days, countedDeviation(time, level));
  return { demand: { mean, variance }, before: 0, slack: 0, mean, variance };
}

/** Whole days after the running one until a newsvendor's order is there: it is sold from a morning on, the next one at the soonest. */
export const waitDays = ({ days }: LeadTime): number => Math.max(0, Math.ceil(days) - 1);

/** Where no demand is left, no days to sell on, or none of it is to be met: what is owed has been sold. */
function nothingBut(owed: number, terms: OrderTerms, because: Pick<OrderSuggestion, 'level' | 'covered' | 'reasons'>): OrderSuggestion {
  const reasons: Reason[] = [...because.reasons];
  if (owed > 0) reasons.push({ code: 'owed', units: owed });
  const units = owed > 0 ? rounded(owed, terms, reasons) : 0;
  return { ...because, units, isAsGood: isSame(units), upTo: 0, reasons };
}

const isSame = (units: number) => (other: number): boolean => other === units;

/** Days whose demand the stock has to meet before more can come, and their deviation: until the order after this one is there. */
export function protectedTime(policy: Policy, leadTime: LeadTime): Required<LeadTime> {
  const { days, deviationDays } = possible(leadTime);
  switch (policy.kind) {
    case 'newsvendor': return { days: policy.sellingDays, deviationDays: 0 };
    case 'periodic': return { days: days + Math.max(0, policy.reviewDays), deviationDays };
    case 'reorder-point': return { days, deviationDays };
  }
}

/**
 * No order is there before it is placed, so that a lead time of 0 can only be longer: one that deviates is taken for a normal one that is cut
 * off at 0, of mean s / √(2π) and variance s² (1 − 1/π) / 2.
 */
function possible({ days, deviationDays = 0 }: LeadTime): Required<LeadTime> {
  if (days > 0 || !(deviationDays > 0)) return { days: Math.max(0, days), deviationDays };
  return { days: deviationDays / Math.sqrt(2 * Math.PI), deviationDays: deviationDays * Math.sqrt((1 - 1 / Math.PI) / 2) };
}

/** Mean demand of the days after the lead time that an order of (s, S) should last: a lot, which protects against nothing. */
function furtherDemand(forecast: DemandForecast, { days }: LeadTime, policy: Policy): { days: number; units: number } | undefined {
  if (policy.kind !== 'reorder-point') return undefined;
  const lot = Math.max(1, policy.orderDays);
  return { days: lot, units: demandOver(forecast, days + lot).mean - demandOver(forecast, days).mean };
}

function rounded(wanted: number, terms: OrderTerms, reasons: Reason[]): number {
  const pack = terms.packSize !== undefined && terms.packSize > 0 ? terms.packSize : 1;
  const minimum = Math.max(0, terms.minimumUnits ?? 0);
  // Of packs of parts a whole unit first could be a pack too many.
  const unitsOf = (least: number): number => (Number.isInteger(pack) ? wholeUnits(least) : least);
  let units = unitsOf(wanted);
  if (units < minimum) {
    reasons.push({ code: 'raised-to-minimum', minimumUnits: minimum, from: units });
    units = unitsOf(minimum);
  }
  // The minimum first: rounding to packs may only add to it.
  const packed = wholeUnits(units / pack) * pack;
  if (packed > units) reasons.push({ code: 'rounded-to-pack', packSize: pack, from: units });
  return packed;
}

/** One sentence a reason, for a person who has to sign the order. */
export function sentence(reason: Reason): string {
  switch (reason.code) {
    case 'enough':
      return `The ${amount(reason.position)} units on hand and on order reach the ${amount(reason.needed)} needed.`;
    case 'covers':
      return `Covers ${spanOf(reason)}: ${unitsAre(reason.needed)} needed, ${amount(reason.position)} ${isOrAre(reason.position)} on hand and on order.`;
    case 'covered-less':
      return `Its levels so far covered the demand of ${amount(reason.covered)} of ${reason.cycles} cycles: ${amount((100 * reason.covered) / reason.cycles)} % instead of ${amount(100 * reason.level)} %.`;
    case 'below-reorder-point':
      return `Stock of ${amount(reason.position)} is at or below the reorder point of ${amount(reason.reorderPoint)}.`;
    case 'learned':
      return `${reason.units < 0 ? 'Lowered' : 'Raised'} by ${amount(Math.abs(reason.units))} units by what ${reason.cycles} cycles have cost: ${amount(100 * reason.saved)} % less than without.`;
    case 'rounded-to-pack':
      return `Rounded up from ${amount(reason.from)} to whole packs of ${amount(reason.packSize)}.`;
    case 'raised-to-minimum':
      return `Raised from ${amount(reason.from)} to the minimum order of ${amount(reason.minimumUnits)}.`;
    case 'owed':
      return `${unitsAre(reason.units)} owed.`;
    case 'too-late':
      return 'An order of now would be there after the last day on which it is sold.';
    case 'no-demand':
      return 'No demand is forecast.';
  }
}

function spanOf({ days, deviationDays, level, before, further }: Extract<Reason, { code: 'covers' }>): string {
  const span = `${amount(days)}${deviationDays === undefined ? '' : ` ± ${amount(deviationDays)}`} days at ${amount(100 * level)} %`;
  if (further) return `${span} (${amount(further.protected)} units) and the mean demand of ${amount(further.days)} more (${amount(further.units)} units)`;
  return before === undefined ? span : `${span} and the ${amount(before)} units that stock sells before them`;
}

const isOrAre = (value: number): string => (amount(value) === '1' ? 'is' : 'are');
const unitsAre = (value: number): string => (amount(value) === '1' ? '1 unit is' : `${amount(value)} units are`);

function amount(value: number): string {
  return String(Number(value.toFixed(2)));
}
