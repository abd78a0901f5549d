/**
 * What shelves would have held and missed, had a shop ordered what it is told to: sales of a file are what customers want, and what is not there
 * is lost.
 *
 *   day      what was ordered arrives, customers take what there is, the policy is asked in the evening
 *   order    on the shelf after round(lead time + deviation · z) days, z drawn; of the next day where that is 0
 *   cycle    from one delivery to the next: covered where nothing was lost in it, which is what the service level promises
 *   fill     units sold of units wanted
 *
 * A newsvendor's SKU has one order for its days, there the next morning, and what is left of the days before is thrown away. The forecast has
 * learned what customers wanted, lost or not; levels are the textbook's. `history` is the same policy by the last 56 days: their mean and quantiles in place
 * of the forecast's. Shelves are filled at once when a SKU is old enough to be judged. Units are units.
 */
import { demandOver, type DayOfDemand, type DemandForecast } from '../inventory/demand-over-time.js';
import { protectedTime, suggestOrder, type OrderTerms, type Policy } from '../inventory/reorder-policies.js';
import { normalQuantile } from '../forecast/negative-binomial.js';
import { randomness, uniform, type Randomness } from '../kernels/numbers.js';
import * as sharedError from '../inventory/shared-error.js';
import { PROBABILITIES, type SalesTable } from './forecasts.js';
import { livedSales, WARM_UP_DAYS } from './lived-sales.js';

export interface StockProtocol {
  readonly policy: Policy;
  readonly order: OrderTerms;
  readonly service: number;
  /** First day that counts; shelves are kept before it, too. */
  readonly scoredFrom: number;
  /** Day since 1970-01-01 of the first period: without it days of the month are not told apart. */
  readonly firstDay?: number;
}

export interface StockScore {
  /** Share of cycles in which nothing was lost, and of how many. */
  readonly covered: number;
  readonly cycles: number;
  /** Share of the units wanted that were sold. */
  readonly fill: number;
  /** Units in stock of a SKU in the evening, mean. */
  readonly stock: number;
  /** Orders a SKU and four weeks. */
  readonly orders: number;
  /** Units thrown away over units wanted: a newsvendor's. */
  readonly left: number;
}

export interface StockEvaluation {
  readonly skus: number;
  readonly forecast: StockScore;
  readonly history: StockScore;
}

interface Shelf {
  stock: number;
  coming: { readonly t: number; readonly units: number }[];
  hasLost: boolean;
}

type Sums = Record<'cycles' | 'covered' | 'wanted' | 'sold' | 'stock' | 'days' | 'orders' | 'left', number>;
const nothing = (): Sums => ({ cycles: 0, covered: 0, wanted: 0, sold: 0, stock: 0, days: 0, orders: 0, left: 0 });

export function evaluateStock(table: SalesTable, protocol: StockProtocol): StockEvaluation {
  const [forecast, history] = [shop(protocol), shop(protocol)];
  const errors = sharedErrors(protocol);
  const counted = new Set<number>();
  for (const { t, units, known, forecastOf } of livedSales(table, 28, protocol.firstDay)) {
    const shared = errors.until(t, units);
    for (const sku of known) {
      if (t >= protocol.scoredFrom) counted.add(sku);
      const isAsked = forecast.trade(sku, t, units[sku][t]);
      history.trade(sku, t, units[sku][t]);
      if (!isAsked) continue;
      const days = forecastOf(sku);
      errors.expect(sku, t, days);
      forecast.order(sku, t, { probabilities: PROBABILITIES, days, shared });
      history.order(sku, t, { probabilities: PROBABILITIES, days: [usual(units[sku].subarray(t + 1 - WARM_UP_DAYS, t + 1))] });
    }
  }
  return { skus: counted.size, forecast: scoreOf(forecast.sums), history: scoreOf(history.sums) };
}

/** Shelves that are ordered for by one kind of forecast. */
function shop({ policy, order: terms, service, scoredFrom }: StockProtocol) {
  const random = randomness(1);
  const shelves = new Map<number, Shelf>();
  const sums = nothing();
  const isSeason = policy.kind === 'newsvendor';
  return {
    sums,
    /** A day of a SKU's shelf, and whether an order may be placed in its evening. */
    trade(sku: number, t: number, wanted: number): boolean {
      const isAsked = isReview(policy, t);
      const shelf = shelves.get(sku);
      if (!shelf) return isAsked;
      const counts = t >= scoredFrom;
      receive(shelf, t, isSeason, counts ? sums : nothing());
      const sold = Math.min(wanted, shelf.stock);
      shelf.stock -= sold;
      if (sold < wanted) shelf.hasLost = true;
      if (counts) add(sums, { wanted, sold, stock: shelf.stock, days: 1 });
      return isAsked;
    },
    order(sku: number, t: number, demand: DemandForecast): void {
      const shelf = shelves.get(sku);
      const onOrder = (shelf?.coming ?? []).reduce((sum, { units }) => sum + units, 0);
      const { units } = isSeason
        ? suggestOrder(demand, { onHand: 0 }, { ...terms, leadTime: { days: 0 } }, { level: service }, policy)
        : suggestOrder(demand, { onHand: shelf?.stock ?? 0, onOrder }, terms, { level: service }, policy);
      if (!shelf) shelves.set(sku, { stock: units, coming: [], hasLost: false });
      else if (isSeason || units > 0) {
        // A season of which nothing is ordered ends the one before as well.
        shelf.coming.push({ t: t + 1 + (isSeason ? 0 : leadOf(terms, random)), units });
        if (t >= scoredFrom && units > 0) sums.orders++;
      }
    },
  };
}

/** An order of each review, of each season, or of any evening. */
function isReview(policy: Policy, t: number): boolean {
  switch (policy.kind) {
    case 'periodic': return t % Math.max(1, policy.reviewDays) === 0;
    case 'newsvendor': return t % Math.max(1, policy.sellingDays) === 0;
    case 'reorder-point': return true;
  }
}

function receive(shelf: Shelf, t: number, isSeason: boolean, sums: Sums): void {
  const here = shelf.coming.filter((one) => one.t <= t);
  if (here.length === 0) return;
  add(sums, { cycles: 1, covered: shelf.hasLost ? 0 : 1 });
  shelf.hasLost = false;
  if (isSeason) {
    add(sums, { left: shelf.stock });
    shelf.stock = 0;
  }
  for (const { units } of here) shelf.stock += units;
  shelf.coming = shelf.coming.filter((one) => one.t > t);
}

function leadOf({ leadTime: { days, deviationDays = 0 } }: OrderTerms, random: Randomness): number {
  if (deviationDays === 0) return Math.round(days);
  return Math.max(0, Math.round(days + deviationDays * normalQuantile(Math.min(1 - 1e-9, Math.max(1e-9, uniform(random))))));
}

/** What the days of the last weeks were, as a forecast of each day to come. */
function usual(days: Float64Array): DayOfDemand {
  const sorted = days.toSorted();
  return { mean: days.reduce((sum, units) => sum + units, 0) / days.length, quantiles: Array.from(PROBABILITIES, (p) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]) };
}

/** How far days err together, learned of stretches as long as those that levels protect, one of a SKU at a time. */
function sharedErrors({ policy, order: { leadTime } }: StockProtocol) {
  const length = Math.ceil(protectedTime(policy, leadTime).days);
  const waiting = new Map<number, { from: number; stretch: sharedError.Stretch }>();
  let shared = sharedError.unlearned;
  return {
    expect(sku: number, t: number, days: readonly DayOfDemand[]): void {
      if (!waiting.has(sku)) waiting.set(sku, { from: t + 1, stretch: demandOver({ probabilities: PROBABILITIES, days }, length) });
    },
    until(t: number, units: readonly Float64Array[]): sharedError.SharedError {
      for (const [sku, { from, stretch }] of waiting) {
        if (from + length > t + 1) continue;
        shared = sharedError.learn(shared, stretch, [units[sku].subarray(from, from + length).reduce((sum, one) => sum + one, 0)]);
        waiting.delete(sku);
      }
      return shared;
    },
  };
}

function add(sums: Sums, more: Partial<Sums>): void {
  for (const name of Object.keys(more) as (keyof Sums)[]) sums[name] += more[name] ?? 0;
}

function scoreOf({ cycles, covered, wanted, sold, stock, days, orders, left }: Sums): StockScore {
  return { covered: covered / cycles, cycles, fill: sold / wanted, stock: stock / days, orders: (28 * orders) / days, left: left / wanted };
}
