import { setImmediate as nextTurn } from 'node:timers/promises';
import { LEVELS, demandRows, memberKey, memberRows, PARTS, seriesOf, shopOf, supplyRows, type Shop } from '../../consumers/demand/rows.js';
import { dayAt, forecastRecord, HORIZON_DAYS, MODEL, noDemand, nothing, predictDays, rounded, type Day } from '../../consumers/demand/forecast.js';
import { eachHour, hourRows, restOfDay, rounded as roundedHour, shopHourRows, withHours, type KnownHours } from '../../consumers/demand/hours.js';
import { isOver, suggestionOf, type ReorderDefaults } from '../../consumers/demand/reorder.js';
import { predecessorRows, successorRows } from '../../consumers/demand/succession.js';
import { cycleRows, sharedErrorOf, sharedErrorRows } from '../../consumers/demand/stock-cycle.js';
import { deviationOf, hourOfDay, type Demand } from '../../models/forecast/hour-profile.js';
import type { Plan } from '../../models/forecast/planned-days.js';
import * as totals from '../../models/forecast/totals.js';
import { WINDOW_DAYS, windowStart, type SkuSeries } from '../../models/forecast/sku-series.js';
import { refuse } from '../../infra/http/problem.js';
import { demandForecasts } from '../../schemas/topics.js';
import type { Forecast, ReorderSuggestion, ShopHours } from '../../schemas/types.js';
import { partitionOf } from '../core/partition.js';
import { partsOf } from '../core/slices.js';
import { isoDay, type ShopDays } from '../core/shop-day.js';
import { isoHour } from '../core/shop-hours.js';
import { accuracyOf, classAccuracy, driversOf, mixOf, replacedBySku, stockOf } from './forecast-explanation.js';
import type { Items } from './items.js';
import type { Views } from './views.js';

/** SKUs forecast before others have their turn: a few milliseconds. */
const SLICE = 10;
/** SKUs counted before. */
const COUNTED = 50;

export interface ForecastDoorOptions {
  readonly views: Views;
  readonly days: ShopDays;
  readonly plan: Plan;
  readonly reorder: ReorderDefaults;
  /** Hours to answer beside the days; 0: none. */
  readonly hours: number;
  readonly items: Items;
  readonly now: number;
  readonly freshness: (partition: number) => Freshness;
}

/** What forecasts of a partition know. */
export interface Freshness {
  /** Sales and stock up to then, ms; 0: none yet. */
  readonly readUntil: number;
  /** Whether that lacks the last seconds at most. */
  readonly caughtUp: boolean;
}

interface Known {
  readonly sku: string;
  readonly series: SkuSeries;
  readonly shop: Shop;
  readonly day: Day;
}

/** The days of a forecast, and what its hours are made from: asked before another forecast is made. */
interface Made {
  readonly record: Forecast;
  readonly running: () => Demand;
}

/** Forecasts as the rows of the tables have them when one is asked for, by a door of its own: fresher than the last ones published. */
export class ForecastDoor {
  readonly #options: ForecastDoorOptions;
  /** By partition: what its SKUs share takes longer to read than a SKU to forecast. */
  readonly #shops = new Map<number, { readonly shop: Shop; readonly hours: ShopHours | undefined }>();

  constructor(options: ForecastDoorOptions) {
    this.#options = options;
  }

  /** Forecast of a SKU for the next 28 days, with what it rests on; undefined for a SKU that never sold. @throws Refusal (404) where that is not known yet */
  one(sku: string): object | undefined {
    const known = this.#known(sku);
    if (!known) {
      if (this.#options.freshness(partitionOf(sku, this.#options.views.partitions)).caughtUp) return undefined;
      throw refuse(404, `There is no forecast of ${JSON.stringify(sku)} yet: what was sold lately is still being read.`, 1);
    }
    const { series, shop, day } = known;
    const { views, reorder, now } = this.#options;
    const supply = views.row(demandForecasts, supplyRows, sku);
    const replacedBy = views.row(demandForecasts, successorRows, sku);
    if (isOver(supply, replacedBy)) {
      return { ...this.#answer(this.#hourly({ record: nothing(sku, day, now), running: noDemand })), freshness: this.#freshnessOf([sku]), lastSaleDay: lastSaleDay(series), stock: stockOf(series, supply, day.today), ...(replacedBy ? { replacedBy: replacedBy.sku } : {}) };
    }
    const { forecast, known: rows, running } = predictDays(series, shop, day);
    const record = this.#hourly({ record: forecastRecord(sku, forecast, rows, day, now), running });
    // Asked before other forecasts are made, of which the accuracy is one; only a newsvendor asks.
    const rest = () => restOfDay(record, running(), this.#options.days, this.#shopOf(sku).hours);
    const shared = sharedErrorOf(series, record.firstDay, views.rowOfPartition(demandForecasts, partitionOf(sku, views.partitions), sharedErrorRows));
    const suggested = suggestionOf(supply, replacedBy, series, record, reorder, rest, views.row(demandForecasts, cycleRows, sku), shared);
    const explained = {
      mix: mixOf(shop.taught, rows), drivers: driversOf(shop, series, rows, day.today, this.#options.plan),
      accuracy: { class: classAccuracy(shop.taught, rows), sku: accuracyOf(series, shop, day) },
    };
    return {
      ...this.#answer(record), freshness: this.#freshnessOf([sku]), lastSaleDay: lastSaleDay(series), sold: soldOf(series, day.today), stock: stockOf(series, supply, day.today), ...explained,
      ...replacedBySku(series, supply, views.row(demandForecasts, predecessorRows, sku)?.sku),
      ...(suggested ? { reorder: reorderOf(suggested.suggestion) } : {}),
    };
  }

  /** Forecasts of several SKUs, without their reasons, and which of them never sold. */
  several(skus: readonly string[]): object {
    const made = skus.map((sku) => ({ sku, record: this.#record(sku) }));
    return {
      forecasts: made.flatMap(({ record }) => (record ? [this.#answer(record)] : [])),
      unknown: made.flatMap(({ sku, record }) => (record ? [] : [sku])),
      freshness: this.#freshnessOf(skus),
    };
  }

  /**
   * The demand of a category: means of its SKUs add up, quantiles are of a count with the sum's two moments (models/forecast/totals).
   * `products` are those of the catalogue, `forecast` those of them that have sold; neither counts what is discontinued or replaced.
   * A product counts in its first category, and in what lies above that, so that each level of a tree adds up to the shop; undefined for
   * a category in which none does.
   */
  async ofCategory(category: string): Promise<object | undefined> {
    const skus = this.#options.items.skusIn(category);
    return skus.length === 0 ? undefined : { category, products: await this.#countNotOver(skus), ...await this.#total(partsOf(skus, SLICE)) };
  }

  /** The demand of all that has sold, of whatever category or none: what the categories come to, and the rest. */
  async ofShop(): Promise<object> {
    return { total: 'shop', ...await this.#total(this.#sold()) };
  }

  async #countNotOver(skus: readonly string[]): Promise<number> {
    let count = 0;
    for (const slice of partsOf(skus, COUNTED)) {
      for (const sku of slice) if (!this.#isOver(sku)) count++;
      await nextTurn();
    }
    return count;
  }

  /** SKUs that have sold. */
  *#sold(): Iterable<readonly string[]> {
    const { views } = this.#options;
    for (let at = 0; at < views.partitions * PARTS; at++) {
      const next = (after: string): string[] => views.subs(demandForecasts, Math.floor(at / PARTS), memberRows, memberKey(at % PARTS), after, SLICE);
      for (let skus = next(''); skus.length > 0; skus = next(skus.at(-1)!)) yield skus;
    }
  }

  /** What SKUs come to together, whatever their number: of each only its moments are kept. */
  async #total(skus: Iterable<readonly string[]>): Promise<object> {
    const { hours, days, now } = this.#options;
    const z = totals.lastZ(LEVELS);
    const freshness = this.#freshness(Array.from({ length: this.#options.views.partitions }, (_, partition) => partition));
    const ofDays = Array.from({ length: HORIZON_DAYS }, totals.init);
    const ofHours = new Map<number, totals.Sums>();
    let [forecast, firstDay] = [0, 0];
    for (const slice of skus) {
      for (const sku of slice) {
        const made = this.#isOver(sku) ? undefined : this.#made(sku);
        if (!made) continue;
        forecast++;
        firstDay = Math.max(firstDay, made.record.firstDay);
        const { shared } = this.#shopOf(sku).shop.taught;
        made.record.mean.forEach((mean, i) => totals.addForecast(ofDays[i], { mean, quantiles: made.record.quantiles[i] ?? [] }, LEVELS, z, totals.sharedAt(shared, (i + 1) / HORIZON_DAYS)));
        if (hours > 0) this.#addHours(made, ofHours);
      }
      await nextTurn();
    }
    const answer = ofDays.map((sums, i) => {
      const { mean, quantiles } = totals.predict(sums, LEVELS);
      return { date: isoDay(firstDay + i), mean: rounded(mean), quantiles: quantiles.map(rounded) };
    });
    const answerHours = [...ofHours].toSorted(([a], [b]) => a - b).slice(0, hours).map(([start, sums]) => {
      const { mean, quantiles } = totals.predict(sums, LEVELS);
      return { start: isoHour(start, days), mean: roundedHour(mean), quantiles: quantiles.map(roundedHour) };
    });
    return {
      forecast, model: MODEL, asOf: new Date(now).toISOString(), freshness, levels: LEVELS, days: forecast > 0 ? answer : [], ...(hours === 0 ? {} : { hours: answerHours }),
    };
  }

  /** What the forecasts of SKUs know: as much as the one that knows least. Of one that seems never to have sold, too: its sale may be still to be read. */
  #freshnessOf(skus: readonly string[]): object {
    return this.#freshness([...new Set(skus.map((sku) => partitionOf(sku, this.#options.views.partitions)))]);
  }

  #freshness(partitions: readonly number[]): object {
    const known = partitions.map((partition) => this.#options.freshness(partition));
    const readUntil = Math.min(...known.map((one) => one.readUntil));
    return { readUntil: readUntil > 0 ? new Date(readUntil).toISOString() : null, caughtUp: known.every(({ caughtUp }) => caughtUp) };
  }

  /** Hours of a SKU, whose moments are known, added to those of its category. */
  #addHours({ record, running }: Made, to: Map<number, totals.Sums>): void {
    const { days, hours } = this.#options;
    eachHour(record, running(), this.#hoursOf(record.sku), { count: hours, days }, (start, day, share) => {
      const hour = hourOfDay(day, share);
      const sums = to.get(start) ?? totals.init();
      totals.add(sums, hour.mean, deviationOf(hour), totals.SHARED_BY_HOURS);
      to.set(start, sums);
    });
  }

  #record(sku: string): Forecast | undefined {
    const made = this.#made(sku);
    return made && this.#hourly(made);
  }

  #made(sku: string): Made | undefined {
    const { now } = this.#options;
    const known = this.#known(sku);
    if (!known) return undefined;
    if (this.#isOver(sku)) return { record: nothing(sku, known.day, now), running: noDemand };
    const { forecast, known: bank, running } = predictDays(known.series, known.shop, known.day);
    return { record: forecastRecord(sku, forecast, bank, known.day, now), running };
  }

  #isOver(sku: string): boolean {
    const { views } = this.#options;
    return isOver(views.row(demandForecasts, supplyRows, sku), views.row(demandForecasts, successorRows, sku));
  }

  #hourly({ record, running }: Made): Forecast {
    const { days, hours } = this.#options;
    return withHours(record, running, () => this.#hoursOf(record.sku), { count: hours, days });
  }

  #hoursOf(sku: string): KnownHours {
    return { sku: this.#options.views.row(demandForecasts, hourRows, sku), shop: this.#shopOf(sku).hours };
  }

  #shopOf(sku: string): { readonly shop: Shop; readonly hours: ShopHours | undefined } {
    const { views, plan } = this.#options;
    const partition = partitionOf(sku, views.partitions);
    const known = this.#shops.get(partition);
    if (known) return known;
    const shop = shopOf((kind) => views.rowOfPartition(demandForecasts, partition, kind), plan);
    const read = { shop, hours: views.rowOfPartition(demandForecasts, partition, shopHourRows) };
    this.#shops.set(partition, read);
    return read;
  }

  #answer({ sku, model, firstDay, levels, mean, quantiles, low, high, hours }: Forecast): object {
    const { days, now } = this.#options;
    return {
      sku, model, asOf: new Date(now).toISOString(), levels,
      days: mean.map((units, i) => ({ date: isoDay(firstDay + i), mean: units, quantiles: quantiles[i], interval80: [low[i], high[i]] })),
      ...(this.#options.hours === 0 ? {} : { hours: hours.map(({ start, ...units }) => ({ start: isoHour(start, days), ...units })) }),
    };
  }

  #known(sku: string): Known | undefined {
    const { views, days, now } = this.#options;
    const row = views.row(demandForecasts, demandRows, sku);
    if (!row) return undefined;
    const { shop } = this.#shopOf(sku);
    return { sku, series: seriesOf(row), shop, day: dayAt(now, days, shop.window.lastDay) };
  }
}

const reorderOf = ({ units, upTo, reasons }: ReorderSuggestion): object => ({ units, upTo, reasons });

/** Newest day of the window on which more was sold than came back; null where there is none, and nobody knows whether one was before. */
function lastSaleDay(series: SkuSeries): string | null {
  const at = series.units.findLastIndex((units) => units > 0);
  return at < 0 ? null : isoDay(windowStart(series) + at);
}

/** Net units of the last four weeks, day by day, the last one being today. */
function soldOf(series: SkuSeries, today: number): { date: string; units: number }[] {
  return Array.from({ length: WINDOW_DAYS }, (_, i) => today - WINDOW_DAYS + 1 + i).map((day) => ({ date: isoDay(day), units: series.units[day - windowStart(series)] ?? 0 }));
}
