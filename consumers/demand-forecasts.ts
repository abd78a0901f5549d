import type { Demand } from '../models/forecast/hour-profile.js';
import type { Plan } from '../models/forecast/planned-days.js';
import { pastWorth } from '../models/forecast/shop-demand.js';
import { factorOf, isPromoted, promoted, told } from '../models/forecast/promotions.js';
import { soldAt, soldInPlace, stocked } from '../models/forecast/shortages.js';
import * as skuSeries from '../models/forecast/sku-series.js';
import { consumer, on, type Consumer, type Context } from '../pipeline/core/consumer.js';
import { BadEvent } from '../pipeline/core/errors.js';
import type { ShopDays } from '../pipeline/core/shop-day.js';
import { MOST_UNITS } from '../schemas/ordering.js';
import { demandDays, demandForecasts as forecastTable, demandHandovers, forecasts, reorderSuggestions, sales, supplies } from '../schemas/topics.js';
import type { DemandHandover, Forecast, Sale, SkuDemand, Supply } from '../schemas/types.js';
import { happened } from './happened.js';
import { turnDays } from './demand/day-turn.js';
import { dayAt, forecastRecord, noDemand, nothing, predictDays, shortDays, type Day } from './demand/forecast.js';
import { hourRows, learnHour, learnHourOfSku, momentOf, shopHourRows, withHours, type KnownHours } from './demand/hours.js';
import { enrol, expectedOf, forget, forgetLater, isLateOfForgotten, leave } from './demand/members.js';
import type { Publication } from './demand/publication.js';
import { promotionOf } from './demand/sale-dates.js';
import { isOrdered, isOver, suggestionOf, termsOf, type ReorderDefaults } from './demand/reorder.js';
import { changeDays, hear, tell } from './demand/shop-days.js';
import { askForSeries, changeOwn, goesOnFrom, handOver, passOn, successorRows, tellReplaced, type Line } from './demand/succession.js';
import { sharedErrorOf, sharedErrorRows, turnCycle } from './demand/stock-cycle.js';
import { catalogue, claim, isClaimable, release } from './demand/unlisted.js';
import { demandRow, demandRows, neverPublished, seriesOf, SHOP, shopOf, supplyRows, unsold, unsoldRows, windowRows, type Shop } from './demand/rows.js';

/** A SKU that sold nothing for so long, and of which so little is expected, is told about no more until it sells again. */
const SILENT_DAYS = 60;
const SILENT_UNITS = 0.5;
const MOST_UNLISTED = 10_000;

export interface DemandForecastOptions {
  readonly days: ShopDays;
  readonly publication: Publication;
  /** Days known in advance, by local day. */
  readonly plan?: Plan;
  readonly reorder?: ReorderDefaults;
  /** Hours to forecast beside the days; 0: none, and nothing is learned of hours. */
  readonly hours?: number;
  /** SKUs outside the catalogue that a partition forecasts by what only pages say, in a shop that sends no catalogue. */
  readonly mostUnlisted?: number;
}

const REORDER: ReorderDefaults = {
  policy: 'periodic', leadTimeDays: 7, leadTimeDeviationDays: 0, reviewDays: 7, coverDays: 14, packSize: 1, minimumUnits: 0, serviceLevel: 0.95,
};

/**
 * Keeps the sales of every SKU as a series that late lines, refunds and stock-outs correct, and publishes its forecast after sales
 * and at the turn of the day (see demand/publication), with what to reorder. What the shop's days were worth is learned from all partitions (demand/shop-days), how classes of SKUs
 * fare by each.
 */
export function demandForecasts({ days, publication, plan = new Map(), reorder = REORDER, hours = 0, mostUnlisted = MOST_UNLISTED }: DemandForecastOptions): Consumer {
  return consumer({
    name: 'demand-forecasts',
    table: forecastTable,
    inputs: [
      on(sales, ({ key, value, writtenAt }, ctx) => onSale(key, happened(value, writtenAt, ctx), ctx)), on(supplies, ({ key, value }, ctx) => onSupply(key, value, ctx)),
      on(demandHandovers, ({ key, value }, ctx) => onHandover(key, value, ctx)), on(demandDays, ({ value }, ctx) => hear(value, days, ctx)),
    ],
    outputs: [forecasts, reorderSuggestions, demandHandovers, demandDays],
    patienceMs: 500,
    timers: { publish: ({ key, due }, ctx) => publish(key, due, ctx), forget: ({ key }, ctx) => forget(key, ctx), tell: (_, ctx) => tell(ctx), turn: ({ sub }, ctx) => turnDays(Number(sub), plan, ctx) },
  });

  function onSale(sku: string, sale: Sale, ctx: Context): void {
    if (!(Math.abs(sale.quantity) <= MOST_UNITS)) throw new BadEvent('bad_quantity', `A sale of ${sku} is of ${sale.quantity} units.`);
    const day = days.dayOf(sale.time);
    const known = ctx.get(demandRows, sku);
    const isClaim = sale.claimed !== 0 && sale.quantity === sale.claimed;
    const isListed = ctx.get(supplyRows, sku)?.deleted === false;
    if (!known && isClaim && !isClaimable(isListed, mostUnlisted, ctx)) return ctx.count('millrace_unlisted_claims_total');
    turnDays(day, plan, ctx);
    if (!known && isLateOfForgotten(sku, day, ctx)) return ctx.count('millrace_late_sales_total');
    const before = known ? seriesOf(known) : beginning(sku, day, ctx);
    const after = sold(before, sale, ctx);
    if (!after) return ctx.count('millrace_late_sales_total');
    if (!known) {
      enrol(sku, day, ctx);
      if (isClaim && !isListed) claim(sku, ctx);
      askForSeries(sku, ctx);
    } else if (!isClaim) release(sku, ctx);
    keep(sku, known, known ? after : supplied(after, ctx.get(supplyRows, sku), ctx), ctx);
    const own = changeOwn(sku, (series) => sold(series, sale, ctx), ctx);
    if (hours > 0) learnHour(sku, sale.time, sale.quantity, { known: after.lastDay, own: own?.lastDay }, days, ctx);
    passOn(sku, sale, ctx);
    publishSoon(sku, known?.publishedAt ?? 0, sale.time, ctx);
  }

  /** The series with a line of its SKU; undefined where that is too late. */
  function sold(series: skuSeries.SkuSeries, { time, quantity, claimed }: Line, ctx: Context): skuSeries.SkuSeries | undefined {
    const day = days.dayOf(time);
    const mayBeEmpty = quantity > 0 && series.shortages.length > 0;
    const shelf = mayBeEmpty ? soldAt(series, day, momentOf(time, days, ctx.get(shopHourRows, SHOP))) : series;
    return skuSeries.sell(shelf, day, quantity, worthOfPast(series, ctx), claimed);
  }

  /** Puts the row of a SKU, and changes the shop's days by what changed of its part in them. */
  function keep(sku: string, before: SkuDemand | undefined, sold: skuSeries.SkuSeries, ctx: Context): SkuDemand {
    const newest = ctx.get(windowRows, SHOP)?.lastDay ?? sold.lastDay;
    const series = expectedOf(sku, sold, ({ time }) => days.dayOf(time), newest, worthOfPast({ promotions: [] }, ctx), ctx);
    changeDays(before ? skuSeries.activity(seriesOf(before)) : new Map(), skuSeries.activity(series), ctx);
    const row = demandRow(series, before ?? neverPublished);
    ctx.put(demandRows, sku, row);
    return row;
  }

  /** What days that a series folds were worth: nearly always ones that the shop has folded, too. */
  function worthOfPast({ promotions }: Pick<skuSeries.SkuSeries, 'promotions'>, ctx: Context): skuSeries.ExposureOf {
    let shop: Shop | undefined;
    const ofShop: skuSeries.ExposureOf = (day) => {
      shop ??= shopNow(ctx);
      return pastWorth(shop.season, shop.window, day) ?? shop.outlook(shop.window.lastDay ?? day).exposureOf(day);
    };
    return promotions.length === 0 ? ofShop : promoted(promotions, factorOf(shopNow(ctx).season), ofShop);
  }

  function onSupply(sku: string, supply: Supply, ctx: Context): void {
    const before = ctx.get(supplyRows, sku);
    ctx.put(supplyRows, sku, supply);
    const hasNothing = tellReplaced(sku, before, supply, ctx);
    catalogue(ctx);
    release(sku, ctx);
    const known = ctx.get(demandRows, sku);
    if (!known) return keepUnsold(sku, supply, ctx.get(unsoldRows, sku), ctx);
    if (hasNothing) {
      // What was forecast of it stands in the log and in ClickHouse: that it is nothing now comes after it.
      if (known.publishedAt > 0) publish(sku, ctx.now, ctx);
      leave(sku, ctx);
      return keepUnsold(sku, supply, known, ctx);
    }
    keep(sku, known, supplied(seriesOf(known), supply, ctx), ctx);
    changeOwn(sku, (own) => supplied(own, supply, ctx), ctx);
    publishSoon(sku, known.publishedAt, supply.time, ctx);
  }

  /** What is told of a SKU's stock and promotions before it has sold: a shelf that was empty and is full again would be forgotten. */
  function keepUnsold(sku: string, supply: Supply, before: SkuDemand | undefined, ctx: Context): void {
    const series = supplied(unsold(before, days.dayOf(supply.time)), supply, ctx);
    if (series.shortages.length + series.promotions.length > 0) ctx.put(unsoldRows, sku, demandRow(series, neverPublished));
    else if (ctx.get(unsoldRows, sku)) ctx.delete(unsoldRows, sku);
  }

  /** A series that begins on a day. */
  function beginning(sku: string, day: number, ctx: Context): skuSeries.SkuSeries {
    const told = ctx.get(unsoldRows, sku);
    if (told) ctx.delete(unsoldRows, sku);
    return unsold(told, day);
  }

  function onHandover(key: string, handover: DemandHandover, ctx: Context): void {
    if (handover.time !== null) return onPassedOn(handover.from, key, { time: handover.time, quantity: handover.units, claimed: handover.claimed }, ctx);
    const isNew = handover.kind === 'series' && ctx.get(demandRows, handover.to) === undefined;
    const sku = handOver(key, handover, worthOfPast({ promotions: [] }, ctx), ctx);
    const row = sku === undefined ? undefined : ctx.get(demandRows, sku);
    if (sku === undefined || !row) return;
    if (isNew) enrol(sku, row.lastDay, ctx);
    // The old one may have been sold out, or out of the shop's days; the new one has a stock of its own.
    const supply = ctx.get(supplyRows, sku);
    keep(sku, row, supplied(seriesOf(row), supply, ctx), ctx);
    changeOwn(sku, (own) => supplied(own, supply, ctx), ctx);
    publishSoon(sku, row.publishedAt, days.startOf(row.lastDay), ctx);
  }

  /** A line of the SKU whose place this one takes: a part of its series, which the shop's days have had from the other one. */
  function onPassedOn(from: string, sku: string, line: Line, ctx: Context): void {
    const { time, quantity, claimed } = line;
    const known = ctx.get(demandRows, sku);
    if (!known || !goesOnFrom(from, sku, ctx)) return;
    const day = days.dayOf(time);
    const before = seriesOf(known);
    const after = skuSeries.sell(quantity > 0 ? soldInPlace(before, day) : before, day, quantity, worthOfPast(before, ctx), claimed);
    if (!after) return ctx.count('millrace_late_sales_total');
    ctx.put(demandRows, sku, demandRow(after, known));
    if (hours > 0) learnHourOfSku(sku, time, quantity, after.lastDay, days, ctx);
    passOn(sku, line, ctx);
    publishSoon(sku, known.publishedAt, time, ctx);
  }

  /** The series with what its supply says of stock and promotions. */
  function supplied(series: skuSeries.SkuSeries, supply: Supply | undefined, ctx: Context): skuSeries.SkuSeries {
    if (!supply) return series;
    const today = days.dayOf(supply.time);
    const promotions = told(series.promotions, promotionOf(supply.sale, today, days), today);
    // A feed that says "in stock" without a number ends a shortage, too.
    return stocked({ ...series, promotions }, momentOf(supply.time, days, ctx.get(shopHourRows, SHOP)), supply.stock === null || supply.stock > 0);
  }

  /** Days of a promotion on which nothing was sold count as well: nobody else would say that they are over. */
  function withQuietPromotions(sku: string, row: SkuDemand, today: number, ctx: Context): SkuDemand {
    const through = Math.min(today - 1, ctx.get(windowRows, SHOP)?.lastDay ?? 0);
    const quiet = Array.from({ length: Math.max(0, Math.min(skuSeries.WINDOW_DAYS, through - row.lastDay)) }, (_, i) => through - i);
    if (!quiet.some((day) => isPromoted(row.promotions, day))) return row;
    const series = seriesOf(row);
    const after = skuSeries.sell(series, through, 0, worthOfPast(series, ctx));
    return after ? keep(sku, row, after, ctx) : row;
  }

  function publishSoon(sku: string, publishedAt: number, causedAt: number, ctx: Context): void {
    // Before the first tick nobody knows what time it is: the forecast waits for it.
    if (ctx.time === 0) return ctx.schedule('publish', sku, causedAt);
    const due = publication.soon(sku, publishedAt, ctx.now);
    if (due <= ctx.now) publish(sku, due, ctx);
    else ctx.schedule('publish', sku, due);
  }

  function publish(sku: string, at: number, ctx: Context): void {
    const known = ctx.get(demandRows, sku);
    if (!known) return;
    const day = dayAt(at, days, shopNow(ctx).window.lastDay);
    const row = withQuietPromotions(sku, known, day.today, ctx);
    const shop = shopNow(ctx);
    const supply = ctx.get(supplyRows, sku);
    const successor = ctx.get(successorRows, sku);
    const series = seriesOf(row);
    const isGone = isOver(supply, successor);
    enrol(sku, day.today, ctx);
    const forecast = isGone ? hourly(nothing(sku, day, at), noDemand, ctx) : forecastNow(sku, series, shop, day, at, ctx);
    ctx.emit(forecasts, sku, { ...forecast, category: supply?.category ?? null, shortDays: shortDays(series, day) });
    const learned = isOrdered(supply, successor) ? turnCycle(sku, series, forecast, termsOf(supply, reorder, forecast.firstDay), ctx) : undefined;
    const suggestion = suggestionOf(supply, successor, series, forecast, reorder, learned, sharedErrorOf(series, forecast.firstDay, ctx.get(sharedErrorRows, SHOP)));
    const isNew = suggestion && (suggestion.units !== row.suggestedUnits || (suggestion.units > 0 && suggestion.day !== row.suggestedDay));
    if (isNew) ctx.emit(reorderSuggestions, sku, suggestion);
    ctx.put(demandRows, sku, { ...row, publishedAt: at, ...(isNew ? { suggestedDay: suggestion.day, suggestedUnits: suggestion.units } : {}) });
    const isQuiet = isSilent(row, day.today, forecast.mean);
    if (isQuiet && release(sku, ctx)) return leave(sku, ctx);
    if (isGone) forgetLater(sku, ctx);
    if (isGone || isQuiet) ctx.cancel('publish', sku);
    else ctx.schedule('publish', sku, publication.again(sku, at));
  }

  function forecastNow(sku: string, series: skuSeries.SkuSeries, shop: Shop, day: Day, at: number, ctx: Context): Forecast {
    const { forecast, known, running } = predictDays(series, shop, day);
    return hourly(forecastRecord(sku, forecast, known, day, at), running, ctx);
  }

  function hourly(forecast: Forecast, running: () => Demand, ctx: Context): Forecast {
    return withHours(forecast, running, () => hoursOf(forecast.sku, ctx), { count: hours, days });
  }

  function shopNow(ctx: Context): Shop {
    return shopOf((kind) => ctx.get(kind, SHOP), plan);
  }
}

const hoursOf = (sku: string, ctx: Context): KnownHours => ({ sku: ctx.get(hourRows, sku), shop: ctx.get(shopHourRows, SHOP) });

const isSilent = ({ lastDay }: SkuDemand, today: number, mean: readonly number[]): boolean =>
  today - lastDay > SILENT_DAYS && mean.reduce((sum, units) => sum + units, 0) < SILENT_UNITS;
