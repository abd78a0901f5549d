/**
 * Whether 80 % intervals hold day after day: the forecaster lives through the whole file, and each open period after a warm-up is judged by the
 * forecasts that were made 1, a quarter, half and a whole horizon before it. Nothing of a period has touched what was said of it.
 *
 *   coverage = share of (SKU, period, lead) inside the interval;   shared = as forecast-calibration.ts has it
 *
 * A SKU is judged by the rules of the cut-offs (enough history and sales when the forecast was made), in the class that it had then. Totals are of all
 * SKUs that had sold by then: the shop, and its categories where they are told. Source: Dawid 1984 (prequential).
 */
import * as demand from '../forecast/demand-forecaster.js';
import * as totals from '../forecast/totals.js';
import * as calibration from './forecast-calibration.js';
import { PROBABILITIES, type ForecastProtocol, type SalesTable } from './forecasts.js';
import { lived } from './living.js';
import { openAfter, salesByPeriod } from './open-periods.js';

export interface Coverage {
  readonly forecasts: number;
  readonly coverage_80: number;
  /** NaN of totals, which are judged by their interval alone. */
  readonly coverage_80_shared: number;
}

export interface Prequential {
  /** Periods before the first forecast that is judged. */
  readonly warmUp: number;
  readonly overall: Coverage;
  readonly classes: readonly (Coverage & { readonly class: string; readonly leads: readonly (Coverage & { readonly ahead: number })[] })[];
  readonly leads: readonly (Coverage & { readonly ahead: number })[];
  readonly totals: readonly (Coverage & { readonly of: string; readonly ahead: number })[];
}

interface Promised {
  readonly lead: number;
  readonly isOpen: boolean;
  readonly skus: Int32Array;
  /** By SKU: −1 where it is in no score. */
  readonly classes: Int8Array;
  /** SKU × probability. */
  readonly quantiles: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly shop: TotalPromise;
  readonly categories: ReadonlyMap<number, TotalPromise>;
}

interface TotalPromise {
  readonly low: number;
  readonly high: number;
}

interface Tally {
  readonly counts: calibration.Counts;
  inside: number;
}

const N = PROBABILITIES.length;
const probabilities = Float64Array.from(PROBABILITIES);

/** 1, a quarter, half and the whole of a horizon; fewer where they are the same. */
export const leadsOf = (horizon: number): number[] => [...new Set([1, horizon / 4, horizon / 2, horizon].map((lead) => Math.max(1, Math.round(lead))))];

export function prequential(table: SalesTable, protocol: ForecastProtocol, warmUp: number, progress: (sentence: string) => void): Prequential {
  const { horizon, season, daysAPeriod, firstDay, plan } = protocol;
  const model = demand.init({ skus: table.skus, seasonPeriods: season, daysAPeriod, horizon, probabilities: PROBABILITIES, firstDay, plan });
  const leads = leadsOf(horizon);
  const sales = salesByPeriod(table);
  const histories = historiesOf(table.skus);
  const promises = new Map<number, Promised[]>();
  const judgement = new Judgement(leads, table.category);
  for (const { period, demand: units, known } of lived(table)) {
    hear(histories, period, units, known);
    for (const one of promises.get(period) ?? []) judgement.judge(one, units);
    promises.delete(period);
    demand.learn(model, units);
    if (period + 1 < warmUp) continue;
    const open = openAfter(sales, period, horizon);
    const ahead = leads.filter((lead) => period + lead < table.periods);
    promise(model, ahead, known, (sku) => isScored(histories, sku, period, protocol), table.category).forEach((made, i) => {
      const target = period + ahead[i];
      promises.set(target, [...(promises.get(target) ?? []), { ...made, lead: i, isOpen: open[ahead[i] - 1] }]);
    });
    if ((period + 1) % 100 === 0) progress(`Judged day after day: ${period + 1} of ${table.periods} periods.`);
  }
  return { warmUp, ...judgement.coverages() };
}

/** How long each SKU is known, and how often it has sold. */
interface Histories {
  readonly first: Int32Array;
  readonly selling: Int32Array;
  /** SKUs of which the first period is noted. */
  heard: number;
}

const historiesOf = (skus: number): Histories => ({ first: new Int32Array(skus), selling: new Int32Array(skus), heard: 0 });

/** Takes a period's sales. `known` are SKUs in the order in which they first sold. */
function hear(histories: Histories, period: number, units: Float64Array, known: readonly number[]): void {
  const { first, selling } = histories;
  for (; histories.heard < known.length; histories.heard++) first[known[histories.heard]] = period;
  for (const sku of known) if (units[sku] > 0) selling[sku]++;
}

const isScored = ({ first, selling }: Histories, sku: number, period: number, { minHistory, minSelling }: ForecastProtocol): boolean =>
  period - first[sku] >= minHistory && selling[sku] >= minSelling;

/** How many of the intervals that were promised held what then was. */
class Judgement {
  /** By class and lead. */
  readonly #tallies: readonly (readonly Tally[])[];
  readonly #totals = new Map<string, { counted: number; inside: number }[]>();

  constructor(readonly leads: readonly number[], readonly category: Int32Array | undefined) {
    this.#tallies = demand.CLASS_NAMES.map(() => leads.map((): Tally => ({ counts: calibration.init(probabilities), inside: 0 })));
  }

  judge({ lead, isOpen, skus, classes, quantiles, low, high, shop, categories }: Promised, units: Float64Array): void {
    if (!isOpen) return;
    let all = 0;
    const byCategory = new Map<number, number>();
    for (let i = 0; i < skus.length; i++) {
      const sku = skus[i];
      // What came back on a day without sales is no negative demand.
      const actual = Math.max(0, units[sku]);
      all += actual;
      const category = this.category?.[sku] ?? -1;
      if (category >= 0) byCategory.set(category, (byCategory.get(category) ?? 0) + actual);
      const tally = this.#tallies[classes[i]]?.[lead];
      if (tally === undefined) continue;
      if (actual >= low[i] && actual <= high[i]) tally.inside++;
      calibration.addPeriod(tally.counts, actual, quantiles, i * N);
    }
    this.#judgeTotal('shop', lead, shop, all);
    for (const [category, promised] of categories) this.#judgeTotal('categories', lead, promised, byCategory.get(category) ?? 0);
  }

  coverages(): Omit<Prequential, 'warmUp'> {
    const tallies = this.#tallies;
    const named = (lead: number) => ({ ahead: this.leads[lead] });
    return {
      overall: coverageOf(merged(tallies.flat())),
      classes: demand.CLASS_NAMES.map((name, c) => ({ class: name, ...coverageOf(merged(tallies[c])), leads: tallies[c].map((tally, lead) => ({ ...named(lead), ...coverageOf(tally) })) })),
      leads: this.leads.map((_, lead) => ({ ...named(lead), ...coverageOf(merged(tallies.map((ofClass) => ofClass[lead]))) })),
      totals: [...this.#totals].flatMap(([of, byLead]) => byLead.map(({ counted, inside }, lead) =>
        ({ of, ...named(lead), forecasts: counted, coverage_80: counted > 0 ? inside / counted : NaN, coverage_80_shared: NaN }))),
    };
  }

  #judgeTotal(of: string, lead: number, { low, high }: TotalPromise, actual: number): void {
    const byLead = this.#totals.get(of) ?? this.leads.map(() => ({ counted: 0, inside: 0 }));
    this.#totals.set(of, byLead);
    byLead[lead].counted++;
    if (actual >= low && actual <= high) byLead[lead].inside++;
  }
}

/** What is said now of each of the periods ahead. */
function promise(
  model: demand.DemandForecaster, ahead: readonly number[], known: readonly number[], isScored: (sku: number) => boolean, category: Int32Array | undefined,
): Omit<Promised, 'lead' | 'isOpen'>[] {
  const periods = demand.periodsAhead(model, ahead);
  const forecast = demand.blankForecast(model);
  const z = totals.lastZ(probabilities);
  const skus = Int32Array.from(known);
  const classes = Int8Array.from(known, (sku) => (isScored(sku) ? demand.frequencyClass(model, sku) : -1));
  const made = ahead.map(() => ({
    quantiles: new Float64Array(known.length * N), low: new Float64Array(known.length), high: new Float64Array(known.length),
    shop: totals.init(), categories: new Map<number, totals.Sums>(),
  }));
  known.forEach((sku, i) => {
    demand.predict(model, sku, forecast, periods);
    made.forEach(({ quantiles, low, high, shop, categories }, lead) => {
      const own = forecast.quantiles.subarray(lead * N, (lead + 1) * N);
      quantiles.set(own, i * N);
      low[i] = forecast.low[lead];
      high[i] = forecast.high[lead];
      const shared = totals.sharedAt(model.shared, ahead[lead] / model.horizon);
      const member = { mean: forecast.means[lead], quantiles: own };
      totals.addForecast(shop, member, probabilities, z, shared);
      const of = category?.[sku] ?? -1;
      if (of < 0) return;
      const sums = categories.get(of) ?? totals.init();
      categories.set(of, sums);
      totals.addForecast(sums, member, probabilities, z, shared);
    });
  });
  return made.map(({ shop, categories, ...rest }) => ({
    ...rest, skus, classes, shop: intervalOf(shop), categories: new Map([...categories].map(([of, sums]) => [of, intervalOf(sums)])),
  }));
}

function intervalOf(sums: totals.Sums): TotalPromise {
  const { quantiles } = totals.predict(sums, probabilities);
  return { low: quantiles[0], high: quantiles[N - 1] };
}

const merged = (all: readonly Tally[]): Tally => ({
  counts: calibration.merged(all.map(({ counts }) => counts)),
  inside: all.reduce((sum, { inside }) => sum + inside, 0),
});

const coverageOf = ({ counts, inside }: Tally): Coverage => ({
  forecasts: counts.counted, coverage_80: counts.counted > 0 ? inside / counts.counted : NaN, coverage_80_shared: calibration.sharedCoverage(counts),
});
