import { changeShop, dayOfCell, HOURS, hourShares, noHours, noShopHours, predictHour, sell, shopProfile, spread, type Demand, type ShopProfile, type SkuHours } from '../../models/forecast/hour-profile.js';
import type { DayOfDemand } from '../../models/inventory/demand-over-time.js';
import type { Context } from '../../pipeline/core/consumer.js';
import { rows, type RowKind } from '../../pipeline/core/rows.js';
import type { ShopDays } from '../../pipeline/core/shop-day.js';
import { HOUR_MS, hourOf, hoursOf } from '../../pipeline/core/shop-hours.js';
import type { Forecast, ForecastHour, ShopHours, SkuHours as SkuHoursRow } from '../../schemas/types.js';
import { bytesOf, floatsOf, LEVELS, SHOP } from './rows.js';

/** By SKU. */
export const hourRows = rows<SkuHoursRow>('hours', 'SkuHours');
/** What a SKU has sold itself, while it goes on from the hours of another one. */
export const ownHourRows = rows<SkuHoursRow>('own-hours', 'SkuHours');
/** Of a partition. */
export const shopHourRows = rows<ShopHours>('shop-hours', 'ShopHours');

/**
 * A sale, or a correction of one, at the hour of its order, in the hours of its SKU, in its own beside those of another one that it goes on from, and in the
 * shop's: those by what the SKU sold itself, which they have whosever place it takes. `lastDay` is the newest day of its series, and of its own.
 */
export function learnHour(sku: string, time: number, units: number, lastDay: { readonly known: number; readonly own: number | undefined }, days: ShopDays, ctx: Context): void {
  if (units === 0) return;
  const [day, hour] = [days.dayOf(time), hourOf(time, days)];
  const known = learnInto(hourRows, sku, day, hour, units, lastDay.known, ctx);
  const change = lastDay.own === undefined ? known : learnInto(ownHourRows, sku, day, hour, units, lastDay.own, ctx);
  if (change !== 0) ctx.put(shopHourRows, SHOP, changeShop(ctx.get(shopHourRows, SHOP) ?? noShopHours, day, hour, change));
}

/** The same in the hours of the SKU alone, where the shop has heard of the sale by another one. */
export function learnHourOfSku(sku: string, time: number, units: number, lastDay: number, days: ShopDays, ctx: Context): void {
  if (units !== 0) learnInto(hourRows, sku, days.dayOf(time), hourOf(time, days), units, lastDay, ctx);
}

function learnInto(kind: RowKind<SkuHoursRow>, sku: string, day: number, hour: number, units: number, lastDay: number, ctx: Context): -1 | 0 | 1 {
  const { hours, change } = sell(skuHoursOf(ctx.get(kind, sku)), day, hour, units, lastDay);
  ctx.put(kind, sku, { ...hours, folded: bytesOf(hours.folded) });
  return change;
}

export function keepOwnHours(sku: string, ctx: Context): void {
  const own = ctx.get(hourRows, sku);
  if (own) ctx.put(ownHourRows, sku, own);
}

/** The hours of the SKU whose place it takes go on with its own, kept before, which are of four weeks at most. Those of the shop stay as they are. */
export function takeOverHours(sku: string, old: SkuHoursRow, ctx: Context): void {
  const own = ctx.get(ownHourRows, sku)?.cells ?? [];
  const lastDay = Math.max(...[...own, ...old.cells].map(({ at }) => dayOfCell(at)));
  const hours = own.reduce((all, { at, units }) => sell(all, dayOfCell(at), at - dayOfCell(at) * HOURS, units, lastDay).hours, skuHoursOf(old));
  ctx.put(hourRows, sku, { ...hours, folded: bytesOf(hours.folded) });
}

export function giveBackHours(sku: string, ctx: Context): void {
  const own = ctx.get(ownHourRows, sku);
  if (own) {
    ctx.put(hourRows, sku, own);
    ctx.delete(ownHourRows, sku);
  } else if (ctx.get(hourRows, sku)) ctx.delete(hourRows, sku);
}

const skuHoursOf = (row: SkuHoursRow | undefined): SkuHours => (row ? { ...row, folded: floatsOf(row.folded) } : noHours);

const profiles = new WeakMap<ShopHours, ShopProfile>();
const untrained = shopProfile(noShopHours);

function profileOf(row: ShopHours | undefined): ShopProfile {
  if (!row) return untrained;
  const known = profiles.get(row) ?? shopProfile(row);
  profiles.set(row, known);
  return known;
}

/**
 * A time as a moment of shortages.ts: its local day and the part of the day's sales that usually come before it; by the clock where no hours are learned.
 * Of the shop, not of the SKU: what sells out every morning sells at no other time.
 */
export function momentOf(time: number, days: ShopDays, shop: ShopHours | undefined): number {
  const day = days.dayOf(time);
  const hours = hoursOf(day, days);
  const shares = spread(hourShares(profileOf(shop), noHours, day), hours);
  return rounded(hours.reduce((moment, { start, length }, h) => moment + (shares[h] ?? 0) * Math.min(1, Math.max(0, (time - start) / (length * HOUR_MS))), day));
}

/**
 * What is still to come of the day on which a forecast was made, by the part of it that usually comes before that moment. Nothing of one that
 * was made before the first tick, when nobody knows the time of day.
 */
export function restOfDay({ firstDay, madeAt }: Pick<Forecast, 'firstDay' | 'madeAt'>, day: DayOfDemand, days: ShopDays, shop: ShopHours | undefined): { day: DayOfDemand; left: number } {
  const left = madeAt > 0 ? Math.min(1, Math.max(0, firstDay - momentOf(madeAt, days, shop))) : 0;
  return { day, left };
}

/** Hours known of a SKU and of its shop. */
export interface KnownHours {
  readonly sku: SkuHoursRow | undefined;
  readonly shop: ShopHours | undefined;
}

export const rounded = (units: number): number => (units < 1e9 ? Math.round(units * 1e6) / 1e6 : units);

export interface HoursAhead {
  /** Hours to forecast; 0: none. */
  readonly count: number;
  readonly days: ShopDays;
}

/** A forecast by days with the hours after it was made: each a part of its day's mean, today's of what `running` says of the whole day. */
export function withHours(forecast: Forecast, running: () => Demand, known: () => KnownHours, ahead: HoursAhead): Forecast {
  if (ahead.count === 0) return forecast;
  const hours: ForecastHour[] = [];
  eachHour(forecast, running(), known(), ahead, (start, day, share) => {
    const { mean, quantiles } = predictHour(day, share, LEVELS);
    hours.push({ start, mean: rounded(mean), quantiles: quantiles.map(rounded) });
  });
  return { ...forecast, hours };
}

/** The hours after a forecast was made, each with its day's demand and its share of it. */
export function eachHour(
  { firstDay, madeAt, mean }: Forecast, running: Demand, known: KnownHours, { count, days }: HoursAhead, see: (start: number, day: Demand, share: number) => void,
): void {
  const shop = profileOf(known.shop);
  const sku = skuHoursOf(known.sku);
  let left = count;
  for (let i = 0; i <= mean.length && left > 0; i++) {
    const day = firstDay - 1 + i;
    const hours = hoursOf(day, days);
    const shares = spread(hourShares(shop, sku, day), hours);
    const demand = { mean: i === 0 ? running.mean : (mean[i - 1] ?? 0), dispersion: running.dispersion };
    for (const [h, { start }] of hours.entries()) {
      // The running hour is not forecast, as the running day is not.
      if (start < madeAt || left === 0) continue;
      left--;
      see(start, demand, shares[h] ?? 0);
    }
  }
}
