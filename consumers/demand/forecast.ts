import * as bank from '../../models/forecast/expert-bank.js';
import type { Demand } from '../../models/forecast/hour-profile.js';
import { imaginedPeriods } from '../../models/forecast/newcomers.js';
import { factorOf, promoted } from '../../models/forecast/promotions.js';
import { blankForecast, predictSku, type Period, type SkuForecast } from '../../models/forecast/sku-forecast.js';
import { phaseOf, SEASON_DAYS, unfold, type ExposureOf, type SkuSeries } from '../../models/forecast/sku-series.js';
import type { ShopDays } from '../../pipeline/core/shop-day.js';
import type { Forecast } from '../../schemas/types.js';
import { LEVELS, type Shop } from './rows.js';

export const HORIZON_DAYS = 28;
export const MODEL = 'expert-bank/1';
/** Of a day that has just begun at least so much has passed. */
const LEAST_SHARE = 0.02;

// Predicting is synchronous and never re-enters.
const scratch = bank.init(1, SEASON_DAYS);
const made = blankForecast(HORIZON_DAYS, LEVELS.length);
const running = blankForecast(1, LEVELS.length);
const nobody = blankForecast(HORIZON_DAYS, LEVELS.length);

export interface Day {
  /** Local day that is running. */
  readonly today: number;
  /** How much of its demand is over by now, 0 to 1. */
  readonly share: number;
}

/** How much of the running day's demand is over at a time, 0 to 1. */
export type Passed = (today: number, now: number) => number;

export const passedByClock = (days: ShopDays): Passed => (today, now) => {
  const start = days.startOf(today);
  return (now - start) / (days.startOf(today + 1) - start);
};

/** The running day of the shop at a time; before the first tick the newest day with a sale stands for it. */
export function dayAt(now: number, days: ShopDays, lastDay: number | null, passed: Passed): Day {
  if (now <= 0) return { today: lastDay ?? 0, share: 1 };
  const today = days.dayOf(now);
  if (lastDay !== null && lastDay > today) return { today: lastDay, share: LEAST_SHARE };
  return { today, share: Math.max(LEAST_SHARE, passed(today, now)) };
}

/** What days are worth to a SKU, as known on the running one. */
export function worthTo({ promotions }: SkuSeries, shop: Shop, today: number): ExposureOf {
  const { exposureOf, sales } = shop.outlook(today);
  return promoted(promotions, factorOf(sales), exposureOf);
}

/** Lives a SKU's days up to the running one, of which only the part that has passed counts, into a bank of one row. */
export function live(series: SkuSeries, shop: Shop, { today, share }: Day, seen?: Parameters<typeof unfold>[4], into: bank.Bank = scratch): bank.Bank {
  const exposureOf = worthTo(series, shop, today);
  bank.imagine(into, imaginedPeriods(shop.season));
  unfold(series, today, (day) => (day === today ? exposureOf(day) * share : exposureOf(day)), into, seen);
  return into;
}

export function periodsAfter(today: number, leads: readonly number[], exposureOf: ExposureOf): Period[] {
  return leads.map((ahead) => ({ exposure: Math.max(0, exposureOf(today + ahead)), phase: phaseOf(today + ahead), ahead }));
}

const LEADS = Array.from({ length: HORIZON_DAYS }, (_, i) => i + 1);

export interface Predicted {
  readonly forecast: SkuForecast;
  readonly known: bank.Bank;
  /** The whole running day, from what is known of it so far. */
  running(): Demand;
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
      return { mean: running.means[0] ?? 0, dispersion: bank.dispersion(known, 0) };
    },
  };
}

export const noDemand = (): Demand => ({ mean: 0, dispersion: 0 });

/** Units as they are told: to four places. */
export const rounded = (units: number): number => (units < 1e9 ? Math.round(units * 1e4) / 1e4 : units);

/** Numbers from a place on; `Array.from` would take a third of the time of a forecast. */
function numbers(from: Float64Array, start: number, count: number): number[] {
  const to: number[] = [];
  for (let i = 0; i < count; i++) to.push(rounded(from[start + i] ?? 0));
  return to;
}

export function forecastRecord(sku: string, { means, quantiles, low, high }: SkuForecast, { today }: Day, madeAt: number): Forecast {
  const n = LEVELS.length;
  return {
    sku, madeAt, firstDay: today + 1, levels: LEVELS, model: MODEL,
    mean: numbers(means, 0, HORIZON_DAYS),
    quantiles: LEADS.map((_, t) => numbers(quantiles, t * n, n)),
    low: numbers(low, 0, HORIZON_DAYS),
    high: numbers(high, 0, HORIZON_DAYS),
    hours: [],
  };
}

/** The forecast of what is no longer sold. */
export function nothing(sku: string, { today }: Day, madeAt: number): Forecast {
  return forecastRecord(sku, nobody, { today, share: 1 }, madeAt);
}

