import { soldInPlace } from '../models/forecast/shortages.js';
import { sell, type SkuSeries } from '../models/forecast/sku-series.js';
import { consumer, on, type Consumer, type Context } from '../pipeline/core/consumer.js';
import { BadEvent } from '../pipeline/core/errors.js';
import { MOST_UNITS } from '../schemas/ordering.js';
import { demandDays, demandForecasts as forecastTable, demandHandovers, forecasts, reorderSuggestions, sales, supplies } from '../schemas/topics.js';
import type { DemandHandover, Sale, SkuDemand, Supply } from '../schemas/types.js';
import { turnDays } from './demand/day-turn.js';
import { learnHour, learnHourOfSku } from './demand/hours.js';
import { enrol, forget, isLateOfForgotten, leave } from './demand/members.js';
import { demandRow, demandRows, seriesOf, supplyRows, unsoldRows } from './demand/rows.js';
import { beginning, keep, keepUnsold, sold, supplied, usualWorthOfPast, worthOfPast } from './demand/series.js';
import { settingsOf, type DemandForecastOptions, type DemandSettings } from './demand/settings.js';
import { hear, tell } from './demand/shop-days.js';
import { askForSeries, changeOwn, goesOnFrom, handOver, passOn, tellReplaced, type Line } from './demand/succession.js';
import { publish, publishSoon } from './demand/telling.js';
import { catalogue, claim, isClaimable, release } from './demand/unlisted.js';
import { happened } from './happened.js';

/**
 * Keeps the sales of every SKU as a series that late lines, refunds and stock-outs correct. Publishes the SKU's forecast, and what to
 * reorder, after sales and at the turn of the day (demand/publication says when, demand/telling what). What the shop's days were worth
 * is learned from the SKUs of all partitions (demand/shop-days).
 */
export function demandForecasts(options: DemandForecastOptions): Consumer {
  const settings = settingsOf(options);
  return consumer({
    name: 'demand-forecasts',
    table: forecastTable,
    inputs: [
      on(sales, ({ key, value, writtenAt }, ctx) => onSale(key, happened(value, writtenAt, ctx), settings, ctx)),
      on(supplies, ({ key, value }, ctx) => onSupply(key, value, settings, ctx)),
      on(demandHandovers, ({ key, value }, ctx) => onHandover(key, value, settings, ctx)),
      on(demandDays, ({ value }, ctx) => hear(value, settings.days, ctx)),
    ],
    outputs: [forecasts, reorderSuggestions, demandHandovers, demandDays],
    patienceMs: 500,
    timers: {
      publish: ({ key, due }, ctx) => publish(key, due, settings, ctx),
      forget: ({ key }, ctx) => forget(key, ctx),
      tell: (_, ctx) => tell(ctx),
      turn: ({ sub }, ctx) => turnDays(Number(sub), settings.plan, ctx),
    },
  });
}

/**
 * A line of an order, a refund or a correction of one. The first sale of a new day ends the days before it, for the whole shop. Then
 * the SKU's series goes on, or begins; its hours, and the SKU that takes its place, hear of the line, too.
 *
 * @throws BadEvent where there are more units than any shop sells
 */
function onSale(sku: string, sale: Sale, settings: DemandSettings, ctx: Context): void {
  if (!(Math.abs(sale.quantity) <= MOST_UNITS)) throw new BadEvent('bad_quantity', `A sale of ${sku} is of ${sale.quantity} units.`);
  const { days, plan, hours, mostUnlisted } = settings;
  const known = ctx.get(demandRows, sku);
  if (!known && isClaim(sale) && !isClaimable(isListed(sku, ctx), mostUnlisted, ctx)) return ctx.count('millrace_unlisted_claims_total');
  turnDays(days.dayOf(sale.time), plan, ctx);
  const series = known ? goOn(sku, known, sale, settings, ctx) : begin(sku, sale, settings, ctx);
  if (!series) return ctx.count('millrace_late_sales_total');
  const own = changeOwn(sku, (one) => sold(one, sale, settings, ctx), ctx);
  if (hours > 0) learnHour(sku, sale.time, sale.quantity, { known: series.lastDay, own: own?.lastDay }, days, ctx);
  passOn(sku, sale, ctx);
  publishSoon(sku, known?.publishedAt ?? 0, sale.time, settings, ctx);
}

/** Answers the series with the sale; undefined where it comes too late. */
function goOn(sku: string, known: SkuDemand, sale: Sale, settings: DemandSettings, ctx: Context): SkuSeries | undefined {
  const series = sold(seriesOf(known), sale, settings, ctx);
  if (!series) return undefined;
  if (!isClaim(sale)) release(sku, ctx);
  keep(sku, known, series, settings, ctx);
  return series;
}

/** Answers the series that begins with the sale; undefined where it is a late line of a SKU that was forgotten. */
function begin(sku: string, sale: Sale, settings: DemandSettings, ctx: Context): SkuSeries | undefined {
  const day = settings.days.dayOf(sale.time);
  if (isLateOfForgotten(sku, day, ctx)) return undefined;
  const series = sold(beginning(sku, day, ctx), sale, settings, ctx);
  if (!series) return undefined;
  enrol(sku, day, ctx);
  if (isClaim(sale) && !isListed(sku, ctx)) claim(sku, ctx);
  askForSeries(sku, ctx);
  keep(sku, undefined, supplied(series, ctx.get(supplyRows, sku), settings, ctx), settings, ctx);
  return series;
}

/** Whether only a page has reported the units of a sale. */
const isClaim = ({ quantity, claimed }: Sale): boolean => claimed !== 0 && quantity === claimed;

const isListed = (sku: string, ctx: Context): boolean => ctx.get(supplyRows, sku)?.deleted === false;

/** What the catalogue and the stock say of a SKU has changed. */
function onSupply(sku: string, supply: Supply, settings: DemandSettings, ctx: Context): void {
  const before = ctx.get(supplyRows, sku);
  ctx.put(supplyRows, sku, supply);
  const hasNothing = tellReplaced(sku, before, supply, ctx);
  catalogue(ctx);
  release(sku, ctx);
  const known = ctx.get(demandRows, sku);
  if (!known) return keepUnsold(sku, supply, ctx.get(unsoldRows, sku), settings, ctx);
  if (hasNothing) {
    // Its last forecast stays in the log and in ClickHouse: one that says "nothing" must follow it.
    if (known.publishedAt > 0) publish(sku, ctx.now, settings, ctx);
    leave(sku, ctx);
    return keepUnsold(sku, supply, known, settings, ctx);
  }
  takeSupply(sku, known, supply, settings, ctx);
  publishSoon(sku, known.publishedAt, supply.time, settings, ctx);
}

/** The series of a SKU, and what it has sold itself, with what its supply says. */
function takeSupply(sku: string, known: SkuDemand, supply: Supply | undefined, settings: DemandSettings, ctx: Context): void {
  keep(sku, known, supplied(seriesOf(known), supply, settings, ctx), settings, ctx);
  changeOwn(sku, (own) => supplied(own, supply, settings, ctx), ctx);
}

/** What two SKUs say to each other of which one takes the other's place (demand/succession); with a time it is one line that was passed on. */
function onHandover(key: string, handover: DemandHandover, settings: DemandSettings, ctx: Context): void {
  const { kind, from, to, time, units, claimed } = handover;
  if (time !== null) return onPassedOn(from, key, { time, quantity: units, claimed }, settings, ctx);
  const isNew = kind === 'series' && ctx.get(demandRows, to) === undefined;
  const sku = handOver(key, handover, usualWorthOfPast(settings, ctx), ctx);
  const row = sku === undefined ? undefined : ctx.get(demandRows, sku);
  if (sku === undefined || !row) return;
  if (isNew) enrol(sku, row.lastDay, ctx);
  // The old one may have been sold out, or out of the shop's days; the new one has a stock of its own.
  takeSupply(sku, row, ctx.get(supplyRows, sku), settings, ctx);
  publishSoon(sku, row.publishedAt, settings.days.startOf(row.lastDay), settings, ctx);
}

/** A line of the SKU whose place this one takes: a part of this one's series. The shop's days have had it from the other one. */
function onPassedOn(from: string, sku: string, line: Line, settings: DemandSettings, ctx: Context): void {
  const { time, quantity, claimed } = line;
  const { days, hours } = settings;
  const known = ctx.get(demandRows, sku);
  if (!known || !goesOnFrom(from, sku, ctx)) return;
  const day = days.dayOf(time);
  const before = seriesOf(known);
  const after = sell(quantity > 0 ? soldInPlace(before, day) : before, day, quantity, worthOfPast(before, settings, ctx), claimed);
  if (!after) return ctx.count('millrace_late_sales_total');
  ctx.put(demandRows, sku, demandRow(after, known));
  if (hours > 0) learnHourOfSku(sku, time, quantity, after.lastDay, days, ctx);
  passOn(sku, line, ctx);
  publishSoon(sku, known.publishedAt, time, settings, ctx);
}
