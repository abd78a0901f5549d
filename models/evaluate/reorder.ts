/**
 * What base-stock levels would have cost on sales as they were: the forecaster lives through them once, and at the start of each cycle
 * every SKU that is old enough gets three levels for the demand of the cycle.
 *
 *   textbook    the quantile, at the service level, of the demand forecast        what the forecast says
 *   served      the same, corrected by what its earlier cycles have cost          what `reorder-suggestions` says (base-stock-learning.ts)
 *   simple      mean + z · deviation of its last 56 days                          what a spreadsheet says
 *   hindsight   the best fixed level, known afterwards                            what nobody could have said
 *
 * Cost of a cycle: p · units too few + (1 − p) · units too many, p the service level. Nothing of a cycle has touched what was said of it.
 * Levels are whole units, as those that are suggested, but of a SKU of which a part of a unit was sold before. Packs need a shelf (stock.ts).
 */
import { normalQuantile } from '../forecast/negative-binomial.js';
import { cycleCost, init, inUnits, replay, suggested, type Asked } from '../inventory/base-stock-learning.js';
import { demandOver, demandQuantile } from '../inventory/demand-over-time.js';
import * as sharedError from '../inventory/shared-error.js';
import { PROBABILITIES, type SalesTable } from './forecasts.js';
import { livedSales, WARM_UP_DAYS, type LivedDay } from './lived-sales.js';

export interface ReorderProtocol {
  /** Days that one order has to cover: lead time and review. */
  readonly cycleDays: number;
  readonly service: number;
  /** First day on which a cycle may begin; levels learn from those before it. */
  readonly scoredFrom: number;
  /** Day since 1970-01-01 of the first period: without it days of the month are not told apart. */
  readonly firstDay?: number;
}

export interface ReorderEvaluation {
  readonly skus: number;
  readonly cycles: number;
  readonly cost: { readonly served: number; readonly learned: number; readonly textbook: number; readonly simple: number; readonly hindsight: number };
  /** Share of cycles whose demand the level covered. */
  readonly covered: { readonly textbook: number; readonly simple: number };
}

interface Cycle extends Asked {
  readonly from: number;
  readonly simple: number;
  readonly demand: number;
  readonly stretch: sharedError.Stretch;
}

export function evaluateReorder(table: SalesTable, { cycleDays, service, scoredFrom, firstDay }: ReorderProtocol): ReorderEvaluation {
  const cycles = new Map<number, Cycle[]>();
  let shared = sharedError.unlearned;
  const firstParts = firstPartsOf(table);
  for (const { t, units, known, forecastOf } of everyCycle(table, cycleDays, firstDay)) {
    for (const { from, stretch, demand } of lastOf(cycles)) if (from + cycleDays === t + 1) shared = sharedError.learn(shared, stretch, [demand]);
    for (const sku of known) {
      const covered = demandOver({ probabilities: PROBABILITIES, days: forecastOf(sku), shared }, cycleDays);
      const isWhole = !((firstParts.get(sku) ?? Infinity) <= t);
      const asked = { textbook: demandQuantile(covered, service), deviation: Math.sqrt(covered.variance), service, isWhole };
      const mine = cycles.get(sku) ?? [];
      mine.push({ ...asked, from: t + 1, stretch: covered, simple: inUnits(simpleLevel(units[sku].subarray(t + 1 - WARM_UP_DAYS, t + 1), cycleDays, service), asked), demand: sum(units[sku].subarray(t + 1, t + 1 + cycleDays)) });
      cycles.set(sku, mine);
    }
  }
  return score(cycles, service, scoredFrom);
}

/** The day on which a part of a unit was first sold of each SKU that is sold by them. */
function firstPartsOf({ sku, period, units }: SalesTable): Map<number, number> {
  const first = new Map<number, number>();
  units.forEach((sold, cell) => {
    if (!Number.isInteger(sold)) first.set(sku[cell], Math.min(period[cell], first.get(sku[cell]) ?? Infinity));
  });
  return first;
}

/** The days before cycles that are over within the file. */
function* everyCycle(table: SalesTable, cycleDays: number, firstDay: number | undefined): Generator<LivedDay> {
  for (const day of livedSales(table, Math.max(1, Math.min(28, cycleDays)), firstDay)) {
    if (day.t + cycleDays >= table.periods) return;
    if ((day.t + 1 - WARM_UP_DAYS) % cycleDays === 0) yield day;
  }
}

const lastOf = (cycles: ReadonlyMap<number, readonly Cycle[]>): Cycle[] => [...cycles.values()].flatMap((mine) => mine.slice(-1));

function score(cycles: ReadonlyMap<number, readonly Cycle[]>, service: number, scoredFrom: number): ReorderEvaluation {
  const cost = { served: 0, learned: 0, textbook: 0, simple: 0, hindsight: 0 };
  const covered = { textbook: 0, simple: 0 };
  let [skus, count] = [0, 0];
  for (const all of cycles.values()) {
    const scored = all.filter(({ from }) => from >= scoredFrom);
    if (scored.length === 0) continue;
    skus++;
    count += scored.length;
    const [whole, before] = [replay(all), replay(all.filter(({ from }) => from < scoredFrom))];
    for (const name of ['served', 'learned', 'textbook'] as const) cost[name] += whole[name] - before[name];
    cost.hindsight += replay(scored).hindsight;
    for (const one of scored) {
      cost.simple += cycleCost(one.simple, one.demand, service);
      if (one.demand <= suggested(init(), one)) covered.textbook++;
      if (one.demand <= one.simple) covered.simple++;
    }
  }
  return { skus, cycles: count, cost, covered: { textbook: covered.textbook / count, simple: covered.simple / count } };
}

function simpleLevel(days: Float64Array, cycleDays: number, service: number): number {
  const mean = sum(days) / days.length;
  const variance = days.reduce((total, units) => total + (units - mean) ** 2, 0) / (days.length - 1);
  return Math.max(0, mean * cycleDays + normalQuantile(Math.min(0.9999, Math.max(0.0001, service))) * Math.sqrt(variance * cycleDays));
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
