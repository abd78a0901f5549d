/**
 * What learned hours are worth, beside a day spread evenly over the hours in which the shop has sold: a rolling origin, as for days.
 *
 *   log loss   = mean of −ln s_h over the hours (SKU, day, h) in which something was sold      of the shares alone, whatever the day
 *   WQL        = Σ mean_p QL_p(y, q) / Σ y over SKUs and hours                              of the whole forecast, day and share
 *   shop WAPE  = Σ |Σ_sku μ s − Σ_sku y| / Σ y over hours;   shop WQL and coverage of the 80 % interval: of these sums (forecast/totals.ts),
 *                coverage over hours of which a unit or more was forecast or sold
 *
 * What is known at a cut-off is what was sold up to and including it. The evenly spread day gives hours in which the shop never sold on
 * that weekday a thousandth of the others', so that a sale there does not cost infinitely much.
 */
import { dispersion } from '../forecast/expert-bank.js';
import * as demand from '../forecast/demand-forecaster.js';
import * as totals from '../forecast/totals.js';
import { changeShop, HOURS, deviationOf, hourOfDay, hourShares, noHours, noShopHours, predictHour, sell, shopProfile, type SkuHours } from '../forecast/hour-profile.js';
import { phaseOf, SEASON_DAYS } from '../forecast/sku-series.js';
import { PROBABILITIES } from './forecasts.js';

/** Sales by SKU and hour, in order of time; the arrays are parallel. */
export interface HourSales {
  readonly skus: number;
  readonly sku: ArrayLike<number>;
  /** Local days since 1970-01-01. */
  readonly day: ArrayLike<number>;
  /** Local hours, 0 to 23. */
  readonly hour: ArrayLike<number>;
  readonly units: ArrayLike<number>;
}

export interface HourProtocol {
  /** Last days known, ascending. */
  readonly cutoffs: readonly number[];
  readonly horizon: number;
  /** Days between a SKU's first sale and the cut-off, at least. */
  readonly minHistory: number;
  /** Days with a sale up to the cut-off, at least. */
  readonly minSelling: number;
}

const PROFILES = ['even', 'shop', 'shop and SKU'] as const;

export interface HourScores {
  readonly profile: (typeof PROFILES)[number];
  readonly log_loss: number;
  readonly wql: number;
  readonly shop_wape: number;
  readonly shop_wql: number;
  readonly shop_coverage_80: number;
}

export interface HourEvaluation {
  /** SKUs scored, summed over cut-offs. */
  readonly series: number;
  /** Hours in which one of them sold. */
  readonly sold: number;
  readonly profiles: readonly HourScores[];
}

const NEVER = 0.001;

export function evaluateHours(sales: HourSales, { cutoffs, horizon, minHistory, minSelling }: HourProtocol): HourEvaluation {
  const model = demand.init({ skus: sales.skus, seasonPeriods: SEASON_DAYS, horizon, probabilities: PROBABILITIES, firstDay: sales.day[0] });
  const units = unitsByHour(sales);
  const hours: SkuHours[] = Array.from({ length: sales.skus }, () => noHours);
  const ofDay = new Float64Array(sales.skus).fill(NaN);
  const firstDays = new Float64Array(sales.skus).fill(NaN);
  const sellingDays = new Int32Array(sales.skus);
  const forecast = demand.blankForecast(model);
  const sums = PROFILES.map(() => ({ logLoss: 0, pinball: 0, shopError: 0, shopPinball: 0, shopHours: 0, shopCovered: 0 }));
  let shop = noShopHours;
  let [series, sold, total] = [0, 0, 0];
  let at = 0;
  let day = sales.day[0] ?? 0;
  for (const cutoff of cutoffs) {
    for (; day <= cutoff; day++) {
      for (let sku = 0; sku < sales.skus; sku++) if (!Number.isNaN(firstDays[sku])) ofDay[sku] = 0;
      for (; at < sales.day.length && sales.day[at] === day; at++) {
        const [sku, hour, sold] = [sales.sku[at] ?? 0, sales.hour[at] ?? 0, sales.units[at] ?? 0];
        if (Number.isNaN(firstDays[sku]) && sold > 0) firstDays[sku] = day;
        ofDay[sku] = (Number.isNaN(ofDay[sku]) ? 0 : ofDay[sku]) + sold;
        const learned = sell(hours[sku] ?? noHours, day, hour, sold, day);
        hours[sku] = learned.hours;
        shop = changeShop(shop, day, hour, learned.change);
      }
      for (let sku = 0; sku < sales.skus; sku++) {
        if (Number.isNaN(firstDays[sku])) ofDay[sku] = NaN;
        else if ((ofDay[sku] ?? 0) > 0) sellingDays[sku]++;
      }
      demand.learn(model, ofDay);
    }
    const profile = shopProfile(shop);
    const evenly = Array.from({ length: SEASON_DAYS }, (_, phase) => even(profile.overall, shop.hits.slice(phase * HOURS, (phase + 1) * HOURS)));
    const shopHours = PROFILES.map(() => Array.from({ length: horizon * HOURS }, () => ({ total: totals.init(), actual: 0 })));
    for (let sku = 0; sku < sales.skus; sku++) {
      if (!(cutoff - (firstDays[sku] ?? NaN) >= minHistory) || (sellingDays[sku] ?? 0) < minSelling) continue;
      series++;
      demand.predict(model, sku, forecast);
      const spread = dispersion(model.bank, sku);
      for (let ahead = 1; ahead <= horizon; ahead++) {
        const next = cutoff + ahead;
        const ofNext = { mean: forecast.means[ahead - 1] ?? 0, dispersion: spread };
        const shares = [evenly[phaseOf(next)], hourShares(profile, noHours, next), hourShares(profile, hours[sku] ?? noHours, next)];
        for (let h = 0; h < HOURS; h++) {
          const actual = units(sku, next, h);
          total += actual;
          if (actual > 0) sold++;
          shares.forEach((ofHours, i) => {
            const share = ofHours[h] ?? 0;
            const sum = sums[i];
            const { mean, quantiles } = predictHour(ofNext, share, PROBABILITIES);
            if (actual > 0) sum.logLoss -= Math.log(share);
            sum.pinball += pinball(actual, quantiles);
            const ofShop = shopHours[i][(ahead - 1) * HOURS + h];
            ofShop.actual += actual;
            totals.add(ofShop.total, mean, deviationOf(hourOfDay(ofNext, share)), totals.SHARED_BY_HOURS);
          });
        }
      }
    }
    sums.forEach((sum, i) => shopHours[i].forEach(({ total: forecast, actual }) => scoreShop(sum, forecast, actual)));
  }
  return {
    series, sold,
    profiles: sums.map(({ logLoss, pinball: ofSkus, shopError, shopPinball, shopHours, shopCovered }, i) => ({
      profile: PROFILES[i], log_loss: logLoss / sold, wql: ofSkus / total, shop_wape: shopError / total, shop_wql: shopPinball / total, shop_coverage_80: shopCovered / shopHours,
    })),
  };
}

interface ShopSums {
  shopError: number;
  shopPinball: number;
  shopHours: number;
  shopCovered: number;
}

function scoreShop(sums: ShopSums, forecast: totals.Sums, actual: number): void {
  const { mean, quantiles } = totals.predict(forecast, PROBABILITIES);
  sums.shopError += Math.abs(mean - actual);
  sums.shopPinball += pinball(actual, quantiles);
  // Nights would hold any promise.
  if (mean < 1 && actual === 0) return;
  sums.shopHours++;
  if (actual >= (quantiles[0] ?? 0) && actual <= (quantiles.at(-1) ?? 0)) sums.shopCovered++;
}

/** Evenly over the hours of a weekday in which something was ever sold; of a weekday without sales, over those of the others. */
function even(overall: ArrayLike<number>, hits: readonly number[]): Float64Array {
  const isClosed = !hits.some((n) => n > 0);
  const raw = Float64Array.from({ length: HOURS }, (_, h) => ((isClosed ? (overall[h] ?? 0) > 1e-3 : (hits[h] ?? 0) > 0) ? 1 : NEVER));
  const total = raw.reduce((sum, share) => sum + share, 0);
  return raw.map((share) => share / total);
}

const pinball = (actual: number, quantiles: readonly number[]): number =>
  quantiles.reduce((sum, q, i) => sum + (2 * ((actual <= q ? 1 : 0) - (PROBABILITIES[i] ?? 0)) * (q - actual)) / quantiles.length, 0);

/** Net units of an hour, none below zero. */
function unitsByHour({ sku, day, hour, units }: HourSales): (sku: number, day: number, hour: number) => number {
  const known = new Map<string, number>();
  const keyOf = (one: number, on: number, at: number): string => `${one}/${on * HOURS + at}`;
  for (let i = 0; i < sku.length; i++) {
    const key = keyOf(sku[i] ?? 0, day[i] ?? 0, hour[i] ?? 0);
    known.set(key, (known.get(key) ?? 0) + (units[i] ?? 0));
  }
  return (one, on, at) => Math.max(0, known.get(keyOf(one, on, at)) ?? 0);
}
