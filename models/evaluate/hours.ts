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
import { changeShop, HOURS, deviationOf, hourOfDay, hourShares, noHours, noShopHours, predictHour, sell, shopProfile, type ShopHours, type SkuHours } from '../forecast/hour-profile.js';
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

export function evaluateHours(sales: HourSales, protocol: HourProtocol): HourEvaluation {
  const lives = new ShopByHours(sales, protocol.horizon);
  const actual = unitsByHour(sales);
  const sums: Sums = { series: 0, sold: 0, units: 0, profiles: PROFILES.map(() => ({ logLoss: 0, pinball: 0, shopError: 0, shopPinball: 0, shopHours: 0, shopCovered: 0 })) };
  for (const cutoff of protocol.cutoffs) {
    lives.until(cutoff);
    judge(lives, cutoff, protocol, actual, sums);
  }
  return {
    series: sums.series, sold: sums.sold,
    profiles: sums.profiles.map(({ logLoss, pinball: ofSkus, shopError, shopPinball, shopHours, shopCovered }, i) => ({
      profile: PROFILES[i], log_loss: logLoss / sums.sold, wql: ofSkus / sums.units, shop_wape: shopError / sums.units, shop_wql: shopPinball / sums.units, shop_coverage_80: shopCovered / shopHours,
    })),
  };
}

/** A shop as it is known at the end of a day: its forecaster, and what is learned of its hours. */
class ShopByHours {
  readonly model: demand.DemandForecaster;
  readonly hours: SkuHours[];
  /** By SKU: the day of its first sale (NaN: none yet), and its days with one. */
  readonly firstDays: Float64Array;
  readonly sellingDays: Int32Array;
  shop = noShopHours;
  #day: number;
  #at = 0;

  constructor(readonly sales: HourSales, horizon: number) {
    this.model = demand.init({ skus: sales.skus, seasonPeriods: SEASON_DAYS, horizon, probabilities: PROBABILITIES, firstDay: sales.day[0] });
    this.hours = Array.from({ length: sales.skus }, () => noHours);
    this.firstDays = new Float64Array(sales.skus).fill(NaN);
    this.sellingDays = new Int32Array(sales.skus);
    this.#day = sales.day[0] ?? 0;
  }

  /** Learns all days up to `cutoff`, included. */
  until(cutoff: number): void {
    for (; this.#day <= cutoff; this.#day++) demand.learn(this.model, this.#sellDay(this.#day));
  }

  /** Takes a day's sales. Answers the units of each SKU; NaN before its first. */
  #sellDay(day: number): Float64Array {
    const { sales: { sku: skus, day: days, hour: hours, units }, firstDays } = this;
    const sold = Float64Array.from(firstDays, (first) => (Number.isNaN(first) ? NaN : 0));
    for (; this.#at < days.length && days[this.#at] === day; this.#at++) {
      const [sku, hour, amount] = [skus[this.#at] ?? 0, hours[this.#at] ?? 0, units[this.#at] ?? 0];
      if (Number.isNaN(firstDays[sku]) && amount > 0) firstDays[sku] = day;
      sold[sku] = (Number.isNaN(sold[sku]) ? 0 : sold[sku]) + amount;
      const learned = sell(this.hours[sku] ?? noHours, day, hour, amount, day);
      this.hours[sku] = learned.hours;
      this.shop = changeShop(this.shop, day, hour, learned.change);
    }
    firstDays.forEach((first, sku) => {
      if (Number.isNaN(first)) sold[sku] = NaN;
      else if ((sold[sku] ?? 0) > 0) this.sellingDays[sku]++;
    });
    return sold;
  }
}

interface Sums {
  series: number;
  sold: number;
  units: number;
  /** By profile. */
  readonly profiles: readonly (ShopSums & { logLoss: number; pinball: number })[];
}

/** Scores what is known of the hours of the days after `cutoff`, by SKU and summed over the shop. */
function judge(lives: ShopByHours, cutoff: number, { horizon, minHistory, minSelling }: HourProtocol, actualOf: ReturnType<typeof unitsByHour>, sums: Sums): void {
  const { model, hours, firstDays, sellingDays } = lives;
  const sharesOf = profilesOf(lives.shop);
  const shopHours = PROFILES.map(() => Array.from({ length: horizon * HOURS }, () => ({ total: totals.init(), actual: 0 })));
  const forecast = demand.blankForecast(model);
  for (let sku = 0; sku < hours.length; sku++) {
    if (!(cutoff - (firstDays[sku] ?? NaN) >= minHistory) || (sellingDays[sku] ?? 0) < minSelling) continue;
    sums.series++;
    demand.predict(model, sku, forecast);
    const spread = dispersion(model.bank, sku);
    for (let ahead = 1; ahead <= horizon; ahead++) {
      const next = cutoff + ahead;
      const ofNext = { mean: forecast.means[ahead - 1] ?? 0, dispersion: spread };
      const shares = sharesOf(next, hours[sku] ?? noHours);
      for (let h = 0; h < HOURS; h++) {
        const actual = actualOf(sku, next, h);
        sums.units += actual;
        if (actual > 0) sums.sold++;
        shares.forEach((ofHours, i) => {
          const share = ofHours[h] ?? 0;
          const { mean, quantiles } = predictHour(ofNext, share, PROBABILITIES);
          if (actual > 0) sums.profiles[i].logLoss -= Math.log(share);
          sums.profiles[i].pinball += pinball(actual, quantiles);
          const ofShop = shopHours[i][(ahead - 1) * HOURS + h];
          ofShop.actual += actual;
          totals.add(ofShop.total, mean, deviationOf(hourOfDay(ofNext, share)), totals.SHARED_BY_HOURS);
        });
      }
    }
  }
  sums.profiles.forEach((sum, i) => shopHours[i].forEach(({ total, actual }) => scoreShop(sum, total, actual)));
}

/** Shares of the hours of a day, by profile. */
function profilesOf(shop: ShopHours): (day: number, hours: SkuHours) => readonly ArrayLike<number>[] {
  const profile = shopProfile(shop);
  const evenly = Array.from({ length: SEASON_DAYS }, (_, phase) => even(profile.overall, shop.hits.slice(phase * HOURS, (phase + 1) * HOURS)));
  return (day, hours) => [evenly[phaseOf(day)], hourShares(profile, noHours, day), hourShares(profile, hours, day)];
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
