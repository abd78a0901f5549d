import * as bank from '../../models/forecast/expert-bank.js';
import type { Demand } from '../../models/forecast/hour-profile.js';
import { imaginedPeriods } from '../../models/forecast/newcomers.js';
import { factorOf, promoted } from '../../models/forecast/promotions.js';
import { isCut, partOnSale } from '../../models/forecast/shortages.js';
import { blankForecast, CLASS_NAMES, classOf, predictSku, type Period, type SkuForecast } from '../../models/forecast/sku-forecast.js';
import { phaseOf, SEASON_DAYS, unfold, WINDOW_DAYS, type ExposureOf, type SkuSeries } from '../../models/forecast/sku-series.js';
import type { ShopDays } from '../../pipeline/core/shop-day.js';
import { HOUR_MS } from '../../pipeline/core/shop-hours.js';
import type { Forecast, ShortDay } from '../../schemas/types.js';
import { LEVELS, type Shop } from './rows.js';

export const HORIZON_DAYS = 28;
export const MODEL = 'expert-bank/1';
/** A forecast stands until the next one, for so many days at most, the one on which it is made among them. */
const STANDS_DAYS = 7;

// Predicting is synchronous and never re-enters.
const scratch = bank.init(1, SEASON_DAYS);
const made = blankForecast(HORIZON_DAYS, LEVELS.length);
const running = blankForecast(1, LEVELS.length);
const nobody = blankForecast(HORIZON_DAYS, LEVELS.length);

export interface Day {
  /** Local day that is running. */
  readonly today: number;
  /** Whether it counts as a whole, which it does in its last hour. Until then it is learned only if it has sold more than a whole day usually does. */
  readonly isOver: boolean;
}

/** The running day of the shop at a time; before the first tick the newest day with a sale stands for it. */
export function dayAt(now: number, days: ShopDays, lastDay: number | null): Day {
  if (now <= 0) return { today: lastDay ?? 0, isOver: true };
  const today = days.dayOf(now);
  if (lastDay !== null && lastDay > today) return { today: lastDay, isOver: false };
  return { today, isOver: now >= days.startOf(today + 1) - HOUR_MS };
}

/** What days are worth to a SKU, as known on the running one. */
export function worthTo({ promotions }: SkuSeries, shop: Shop, today: number): ExposureOf {
  const { exposureOf, sales } = shop.outlook(today);
  return promoted(promotions, factorOf(sales), exposureOf);
}

/**
 * Lives a SKU's days up to the running one into a bank of one row. Units of a day that is not over are a lower bound of its demand, as those of one without
 * stock are: by the clock each order would look like the first of many, and a forecast is made right after one.
 */
export function live(series: SkuSeries, shop: Shop, { today, isOver }: Day, seen?: Parameters<typeof unfold>[4], into: bank.Bank = scratch): bank.Bank {
  bank.imagine(into, imaginedPeriods(shop.season));
  const lived = isOver ? series : { ...series, shortages: [...series.shortages, { from: today, to: today + 1 }] };
  unfold(lived, today, worthTo(series, shop, today), into, seen);
  return into;
}

export function periodsAfter(today: number, leads: readonly number[], exposureOf: ExposureOf): Period[] {
  return leads.map((ahead) => ({ exposure: Math.max(0, exposureOf(today + ahead)), phase: phaseOf(today + ahead), ahead }));
}

const LEADS = Array.from({ length: HORIZON_DAYS }, (_, i) => i + 1);

export interface RunningDay extends Demand {
  readonly quantiles: readonly number[];
}

export interface Predicted {
  readonly forecast: SkuForecast;
  readonly known: bank.Bank;
  /** The whole running day, from what is known of it so far; quantiles at `LEVELS`. */
  running(): RunningDay;
}

/** The forecast of the days after the running one, and what the bank knew: all stand until the next one is made. */
export function predictDays(series: SkuSeries, shop: Shop, day: Day): Predicted {
  const known = live(series, shop, day);
  const exposureOf = worthTo(series, shop, day.today);
  predictSku(shop.taught, known, 0, periodsAfter(day.today, LEADS, exposureOf), made, !series.byFractions);
  return {
    forecast: made, known,
    running() {
      predictSku(shop.taught, known, 0, [{ exposure: Math.max(0, exposureOf(day.today)), phase: phaseOf(day.today), ahead: 1 }], running, !series.byFractions);
      return { mean: running.means[0] ?? 0, dispersion: bank.dispersion(known, 0), quantiles: numbers(running.quantiles, 0, LEVELS.length) };
    },
  };
}

export const noDemand = (): RunningDay => ({ mean: 0, dispersion: 0, quantiles: [] });

/** Units as they are told: to four places. */
export const rounded = (units: number): number => (units < 1e9 ? Math.round(units * 1e4) / 1e4 : units);

/** Numbers from a place on; `Array.from` would take a third of the time of a forecast. */
function numbers(from: Float64Array, start: number, count: number): number[] {
  const to: number[] = [];
  for (let i = 0; i < count; i++) to.push(rounded(from[start + i] ?? 0));
  return to;
}

/** `known`: what the bank knew as it was made; nothing of what is no longer sold. */
export function forecastRecord(sku: string, { means, quantiles, low, high }: SkuForecast, known: bank.Bank | undefined, { today }: Day, madeAt: number): Forecast {
  const n = LEVELS.length;
  return {
    sku, madeAt, firstDay: today + 1, levels: LEVELS, model: MODEL, demandClass: known ? CLASS_NAMES[classOf(known, 0)] ?? '' : '',
    mean: numbers(means, 0, HORIZON_DAYS),
    quantiles: LEADS.map((_, t) => numbers(quantiles, t * n, n)),
    low: numbers(low, 0, HORIZON_DAYS),
    high: numbers(high, 0, HORIZON_DAYS),
    hours: [], category: null, shortDays: [],
  };
}

/** The forecast of what is no longer sold. */
export function nothing(sku: string, day: Day, madeAt: number): Forecast {
  return forecastRecord(sku, nobody, undefined, day, madeAt);
}

/** Days that judge no forecast: of the last four weeks, and of those to come while this forecast stands, as the shelf is now. */
export function shortDays(series: SkuSeries, { today }: Day): ShortDay[] {
  return Array.from({ length: WINDOW_DAYS + STANDS_DAYS - 1 }, (_, i) => today - WINDOW_DAYS + 1 + i)
    .filter((day) => isCut(series, day)).map((day) => ({ day, onSale: rounded(partOnSale(series, day)) }));
}
