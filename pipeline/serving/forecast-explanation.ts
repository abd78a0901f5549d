import * as calendar from '../../models/forecast/calendar-index.js';
import * as bank from '../../models/forecast/expert-bank.js';
import { NEARLY_CLOSED } from '../../models/forecast/own-season.js';
import { EXPERTS } from '../../models/forecast/expert-quantiles.js';
import { factorOf, isPromoted } from '../../models/forecast/promotions.js';
import * as plannedDays from '../../models/forecast/planned-days.js';
import { blankForecast, CLASS_NAMES, classOf, expertShares, groupOf, momentumOf, predictSku, type SkuForecast } from '../../models/forecast/sku-forecast.js';
import { isCut } from '../../models/forecast/shortages.js';
import { phaseOf, SEASON_DAYS, WINDOW_DAYS, type SkuSeries } from '../../models/forecast/sku-series.js';
import { growthOver, yearPlaceOf } from '../../models/forecast/year-course.js';
import { HORIZON_DAYS, live, worthTo, type Day } from '../../consumers/demand/forecast.js';
import { LEVELS, untrainedScore, type Shop, type Taught } from '../../consumers/demand/rows.js';
import type { DemandScore, Supply } from '../../schemas/types.js';
import { isoDay } from '../core/shop-day.js';

/** Day 0 is 1970-01-01, a Thursday. */
const WEEKDAYS = ['thursday', 'friday', 'saturday', 'sunday', 'monday', 'tuesday', 'wednesday'] as const;

const rounded = (value: number): number => Number(value.toPrecision(4));

/** The experts that speak, the loudest first. */
export function mixOf(taught: Taught, rows: bank.Bank): { expert: string; weight: number }[] {
  const shares = expertShares(taught, groupOf(rows, 0));
  return EXPERTS.map((expert, k) => ({ expert, weight: rounded(shares[k] ?? 0) })).filter(({ weight }) => weight >= 0.01).sort((a, b) => b.weight - a.weight);
}

/** What moves the forecast: how often and how much the SKU sells, its weekdays, trends, and days known in advance. */
export function driversOf(shop: Shop, { promotions }: SkuSeries, rows: bank.Bank, today: number, plan: plannedDays.Plan): object {
  const { index, events, sales } = shop.outlook(today);
  const factors = WEEKDAYS.map((_, phase) => (calendar.exposure(index, { phase, monthDay: -1 }) / Math.exp(index.level)) * bank.profile(rows, 0, phase));
  const open = factors.filter((_, phase) => calendar.exposure(index, { phase, monthDay: -1 }) > 0);
  // What the bank knows is of days that are not closed to the SKU; a merchant asks of all on which the shop is open.
  const its = open.length > 0 ? factors.filter((factor, phase) => factor > 0 && bank.profile(rows, 0, phase) > NEARLY_CLOSED).length / open.length : 1;
  const aDay = open.length > 0 ? open.reduce((sum, factor) => sum + factor, 0) / open.length : 1;
  const planned = Array.from({ length: HORIZON_DAYS }, (_, i) => today + 1 + i).flatMap((day) => {
    const known = plan.get(day);
    if (!known) return [];
    return [{ date: isoDay(day), kind: known.kind, name: known.name, factor: rounded(plannedDays.factorOf(events, known, index.noise)) }];
  });
  const onSale = Array.from({ length: HORIZON_DAYS }, (_, i) => today + 1 + i).filter((day) => isPromoted(promotions, day));
  return {
    demandClass: CLASS_NAMES[classOf(rows, 0)], sellsOnShareOfDays: rounded(bank.frequency(rows, 0, 1) * its), unitsADay: rounded(bank.level(rows, 0, 2) * Math.exp(index.level) * aDay),
    dayOfWeek: Object.fromEntries(WEEKDAYS.map((name, phase) => [name, rounded(factors[phase] ?? 0)])), stillSold: rounded(bank.onSale(rows, 0, 1)),
    trend: {
      shopPercentAWeek: rounded(100 * Math.expm1(SEASON_DAYS * index.slope)),
      yearPercent: rounded(100 * Math.expm1(growthOver(index.year, yearPlaceOf(today + HORIZON_DAYS), HORIZON_DAYS))),
      skuAgainstUsualPercent: rounded(100 * Math.expm1(momentumOf(rows, 0))),
    },
    planned,
    ...(onSale.length > 0 ? { promotion: { factor: rounded(factorOf(sales)), dates: onSale.map(isoDay) } } : {}),
  };
}

export interface Accuracy {
  readonly forecasts: number;
  /** Share of days within the 80 % interval. */
  readonly coverage80: number | null;
  /** Pinball loss over all levels, as a share of the units sold. */
  readonly pinball: number | null;
  /** Units forecast too many, as a share of the units sold. */
  readonly bias: number | null;
}

export function accuracyFrom({ samples, covered, pinball, forecast, actual }: DemandScore): Accuracy {
  return {
    forecasts: Math.round(samples), coverage80: samples > 0 ? rounded(covered / samples) : null,
    pinball: actual > 0 ? rounded(pinball / actual) : null, bias: actual > 0 ? rounded((forecast - actual) / actual) : null,
  };
}

/** How forecasts of SKUs like this one, one to 28 days ahead, have fared lately. */
export const classAccuracy = (taught: Taught, rows: bank.Bank): Accuracy & { demandClass: string } => {
  const at = classOf(rows, 0);
  return { demandClass: CLASS_NAMES[at] ?? '', ...accuracyFrom(taught.scores[at] ?? untrainedScore) };
};

/** How the SKU's own days of the last four weeks were forecast the evening before, given what the day was worth to the shop. */
export function accuracyOf(series: SkuSeries, shop: Shop, day: Day): Accuracy {
  const score = { ...untrainedScore };
  const out: SkuForecast = blankForecast(1, LEVELS.length);
  const exposureOf = worthTo(series, shop, day.today);
  const judged = bank.init(1, SEASON_DAYS);
  live(series, shop, day, (d, units, rows) => {
    const exposure = exposureOf(d);
    if (d <= day.today - WINDOW_DAYS || d >= day.today || exposure < 0 || bank.periods(rows, 0) === 0 || isCut(series, d)) return;
    predictSku(shop.taught, rows, 0, [{ exposure, phase: phaseOf(d), ahead: 1 }], out, !series.byFractions);
    score.samples++;
    if (units >= (out.low[0] ?? 0) && units <= (out.high[0] ?? 0)) score.covered++;
    LEVELS.forEach((level, p) => { score.pinball += (2 * ((units <= (out.quantiles[p] ?? 0) ? 1 : 0) - level) * ((out.quantiles[p] ?? 0) - units)) / LEVELS.length; });
    score.forecast += out.means[0] ?? 0;
    score.actual += units;
  }, judged);
  return accuracyFrom(score);
}

/** What is known of the stock: without a word about it, a day without sales is a day without demand. */
export function stockOf(series: SkuSeries, supply: Supply | undefined, today: number): object {
  const shortDays = Array.from({ length: WINDOW_DAYS }, (_, i) => today - i).filter((day) => isCut(series, day)).length;
  return { known: supply !== undefined && supply.stock !== null, units: supply?.stock ?? null, daysShortOfLast28: shortDays };
}

/** Whose place a SKU takes, and whether it goes on from that one's sales: its own count where it had sold for a month, none where the other never sold or cannot be replaced. */
export function replacedBySku({ firstDay }: SkuSeries, supply: Supply | undefined, takenOver: string | undefined): object {
  if (!supply || supply.replaces === null) return {};
  return { replaces: { sku: supply.replaces, history: takenOver === supply.replaces ? 'taken_over' : firstDay === null ? 'none' : 'own' } };
}
