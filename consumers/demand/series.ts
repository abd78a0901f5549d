/** What sales and supply make of the series of a SKU, and where it is kept. */
import { factorOf, promoted, told } from '../../models/forecast/promotions.js';
import { pastWorth } from '../../models/forecast/shop-demand.js';
import { soldAt, stocked } from '../../models/forecast/shortages.js';
import { activity, sell, type ExposureOf, type SkuSeries } from '../../models/forecast/sku-series.js';
import type { Context } from '../../pipeline/core/consumer.js';
import type { SkuDemand, Supply } from '../../schemas/types.js';
import { momentOf, shopHourRows } from './hours.js';
import { expectedOf } from './members.js';
import { demandRow, demandRows, neverPublished, seriesOf, SHOP, shopOf, unsold, unsoldRows, windowRows, type Shop } from './rows.js';
import { promotionOf } from './sale-dates.js';
import type { DemandSettings } from './settings.js';
import { changeDays } from './shop-days.js';
import type { Line } from './succession.js';

/** A series that begins on a day, with the stock and the promotions that were told before. */
export function beginning(sku: string, day: number, ctx: Context): SkuSeries {
  const before = ctx.get(unsoldRows, sku);
  if (before) ctx.delete(unsoldRows, sku);
  return unsold(before, day);
}

/** The series with a line of its SKU; undefined where the line comes too late to be counted. */
export function sold(series: SkuSeries, { time, quantity, claimed }: Line, settings: DemandSettings, ctx: Context): SkuSeries | undefined {
  const { days } = settings;
  const day = days.dayOf(time);
  const mayBeEmpty = quantity > 0 && series.shortages.length > 0;
  const shelf = mayBeEmpty ? soldAt(series, day, momentOf(time, days, ctx.get(shopHourRows, SHOP))) : series;
  return sell(shelf, day, quantity, worthOfPast(series, settings, ctx), claimed);
}

/** The series with what its supply says of stock and promotions. */
export function supplied(series: SkuSeries, supply: Supply | undefined, { days }: DemandSettings, ctx: Context): SkuSeries {
  if (!supply) return series;
  const today = days.dayOf(supply.time);
  const promotions = told(series.promotions, promotionOf(supply.sale, today, days), today);
  // A feed that says "in stock" without a number ends a shortage, too.
  return stocked({ ...series, promotions }, momentOf(supply.time, days, ctx.get(shopHourRows, SHOP)), supply.stock === null || supply.stock > 0);
}

/** Puts the row of a SKU, and corrects the shop's days, in which each SKU has a part. Answers the row. */
export function keep(sku: string, before: SkuDemand | undefined, after: SkuSeries, settings: DemandSettings, ctx: Context): SkuDemand {
  const newest = ctx.get(windowRows, SHOP)?.lastDay ?? after.lastDay;
  const series = expectedOf(sku, after, ({ time }) => settings.days.dayOf(time), newest, usualWorthOfPast(settings, ctx), ctx);
  changeDays(before ? activity(seriesOf(before)) : new Map(), activity(series), ctx);
  const row = demandRow(series, before ?? neverPublished);
  ctx.put(demandRows, sku, row);
  return row;
}

/** Keeps what is told of stock and promotions of a SKU that has not sold yet: else a shortage that ends before the first sale would be lost. */
export function keepUnsold(sku: string, supply: Supply, before: SkuDemand | undefined, settings: DemandSettings, ctx: Context): void {
  const series = supplied(unsold(before, settings.days.dayOf(supply.time)), supply, settings, ctx);
  if (series.shortages.length + series.promotions.length > 0) ctx.put(unsoldRows, sku, demandRow(series, neverPublished));
  else if (ctx.get(unsoldRows, sku)) ctx.delete(unsoldRows, sku);
}

/** What past days were worth to a SKU: those of its promotions more than to others. */
export function worthOfPast({ promotions }: SkuSeries, settings: DemandSettings, ctx: Context): ExposureOf {
  const usual = usualWorthOfPast(settings, ctx);
  return promotions.length === 0 ? usual : promoted(promotions, factorOf(shopNow(settings, ctx).season), usual);
}

/** What past days were worth to a SKU without promotions. The shop has folded nearly all of them, too; of the others its outlook says it. */
export function usualWorthOfPast(settings: DemandSettings, ctx: Context): ExposureOf {
  let shop: Shop | undefined;
  return (day) => {
    shop ??= shopNow(settings, ctx);
    return pastWorth(shop.season, shop.window, day) ?? shop.outlook(shop.window.lastDay ?? day).exposureOf(day);
  };
}

/** What the SKUs of the shop share, as it is known now. */
export function shopNow({ plan }: DemandSettings, ctx: Context): Shop {
  return shopOf((kind) => ctx.get(kind, SHOP), plan);
}
