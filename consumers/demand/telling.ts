/** When a SKU is told about, and what is told: its forecast, and what to reorder. */
import type { Demand } from '../../models/forecast/hour-profile.js';
import { isPromoted } from '../../models/forecast/promotions.js';
import { sell, WINDOW_DAYS, type SkuSeries } from '../../models/forecast/sku-series.js';
import type { Context } from '../../pipeline/core/consumer.js';
import { forecasts, reorderSuggestions } from '../../schemas/topics.js';
import type { Forecast, SkuDemand } from '../../schemas/types.js';
import { dayAt, forecastRecord, noDemand, nothing, predictDays, shortDays, type Day, type RunningDay } from './forecast.js';
import { hourRows, restOfDay, shopHourRows, withHours, type KnownHours } from './hours.js';
import { enrol, forgetLater, isGone, leave } from './members.js';
import { isOrdered, suggestionOf, termsOf, type Suggested } from './reorder.js';
import { demandRows, seriesOf, SHOP, supplyRows, windowRows, type Published } from './rows.js';
import { keep, shopNow, worthOfPast } from './series.js';
import type { DemandSettings } from './settings.js';
import { sharedErrorOf, sharedErrorRows, turnCycle } from './stock-cycle.js';
import { successorRows } from './succession.js';
import { release } from './unlisted.js';

/** A SKU that sold nothing for so long, and of which so little is expected, is told about no more until it sells again. */
const SILENT_DAYS = 60;
const SILENT_UNITS = 0.5;

/** Something has changed at `causedAt` (ms): publishes the SKU, at once or as soon as the pause after its last publication is over. */
export function publishSoon(sku: string, publishedAt: number, causedAt: number, settings: DemandSettings, ctx: Context): void {
  // Before the first tick nobody knows what time it is: the forecast waits for it.
  if (ctx.time === 0) return ctx.schedule('publish', sku, causedAt);
  const due = settings.publication.soon(sku, publishedAt, ctx.now);
  if (due <= ctx.now) publish(sku, due, settings, ctx);
  else ctx.schedule('publish', sku, due);
}

/** Tells what is forecast of a SKU at a time (ms) and what to reorder of it, and sets the timer of the next time. */
export function publish(sku: string, at: number, settings: DemandSettings, ctx: Context): void {
  const known = ctx.get(demandRows, sku);
  if (!known) return;
  const day = dayAt(at, settings.days, shopNow(settings, ctx).window.lastDay);
  const row = withQuietPromotions(sku, known, day.today, settings, ctx);
  const series = seriesOf(row);
  enrol(sku, day.today, ctx);
  const told = tellForecast(sku, series, day, at, settings, ctx);
  const suggested = tellReorder(sku, row, series, told, settings, ctx);
  ctx.put(demandRows, sku, { ...row, publishedAt: at, ...suggested });
  publishAgain(sku, isSilent(row, day.today, told.forecast), at, settings, ctx);
}

/** Days of a promotion on which nothing was sold count as well: nobody else would say that they are over. */
function withQuietPromotions(sku: string, row: SkuDemand, today: number, settings: DemandSettings, ctx: Context): SkuDemand {
  const through = Math.min(today - 1, ctx.get(windowRows, SHOP)?.lastDay ?? 0);
  const quiet = Array.from({ length: Math.max(0, Math.min(WINDOW_DAYS, through - row.lastDay)) }, (_, i) => through - i);
  if (!quiet.some((day) => isPromoted(row.promotions, day))) return row;
  const series = seriesOf(row);
  const after = sell(series, through, 0, worthOfPast(series, settings, ctx));
  return after ? keep(sku, row, after, settings, ctx) : row;
}

interface Told {
  readonly forecast: Forecast;
  /** Asked before another forecast is made. */
  readonly running: () => RunningDay;
}

/** Tells the forecast and answers it: no units at all where the SKU is sold no more. */
function tellForecast(sku: string, series: SkuSeries, day: Day, at: number, settings: DemandSettings, ctx: Context): Told {
  const told = isGone(sku, ctx) ? { forecast: nothing(sku, day, at), running: noDemand } : forecastNow(sku, series, day, at, settings, ctx);
  const forecast = hourly(told.forecast, told.running, settings, ctx);
  ctx.emit(forecasts, sku, { ...forecast, category: ctx.get(supplyRows, sku)?.category ?? null, shortDays: shortDays(series, day) });
  return { ...told, forecast };
}

function forecastNow(sku: string, series: SkuSeries, day: Day, at: number, settings: DemandSettings, ctx: Context): Told {
  const { forecast, known, running } = predictDays(series, shopNow(settings, ctx), day);
  return { forecast: forecastRecord(sku, forecast, known, day, at), running };
}

/** A forecast with its hours, if hours are forecast; `running` is the demand of the whole running day. */
function hourly(forecast: Forecast, running: () => Demand, { hours, days }: DemandSettings, ctx: Context): Forecast {
  const hoursOf = (): KnownHours => ({ sku: ctx.get(hourRows, forecast.sku), shop: ctx.get(shopHourRows, SHOP) });
  return withHours(forecast, running, hoursOf, { count: hours, days });
}

/** Tells what to reorder, unless the same was told before. Answers what the row has to remember of it. */
function tellReorder(sku: string, row: SkuDemand, series: SkuSeries, { forecast, running }: Told, { reorder, days }: DemandSettings, ctx: Context): Partial<Published> {
  const supply = ctx.get(supplyRows, sku);
  const successor = ctx.get(successorRows, sku);
  const learned = isOrdered(supply, successor) ? turnCycle(sku, series, forecast, termsOf(supply, reorder, forecast.firstDay), ctx) : undefined;
  const shared = sharedErrorOf(series, forecast.firstDay, ctx.get(sharedErrorRows, SHOP));
  const rest = () => restOfDay(forecast, running(), days, ctx.get(shopHourRows, SHOP));
  const made = suggestionOf(supply, successor, series, forecast, reorder, rest, learned, shared);
  if (!made || stands(made, row)) return {};
  const { day, units, onOrder } = made.suggestion;
  ctx.emit(reorderSuggestions, sku, made.suggestion);
  return { suggestedDay: day, suggestedUnits: units, suggestedOnOrder: onOrder };
}

/** Whether what was suggested last is still right. Of the same day it stands as long as it is as good, unless something was ordered meanwhile. */
function stands({ suggestion: { day, units, onOrder }, isAsGood }: Suggested, { suggestedDay, suggestedUnits, suggestedOnOrder }: Published): boolean {
  if (day !== suggestedDay) return units === 0 && suggestedUnits === 0;
  return units === suggestedUnits || (onOrder === suggestedOnOrder && isAsGood(suggestedUnits));
}

/** Sets the timer of the next publication. What is over or has long been silent needs none: a sale or a change of supply publishes it again. */
function publishAgain(sku: string, isQuiet: boolean, at: number, { publication }: DemandSettings, ctx: Context): void {
  if (isQuiet && release(sku, ctx)) return leave(sku, ctx);
  const isOver = isGone(sku, ctx);
  if (isOver) forgetLater(sku, ctx);
  if (isOver || isQuiet) ctx.cancel('publish', sku);
  else ctx.schedule('publish', sku, publication.again(sku, at));
}

const isSilent = ({ lastDay }: SkuDemand, today: number, { mean }: Forecast): boolean =>
  today - lastDay > SILENT_DAYS && mean.reduce((sum, units) => sum + units, 0) < SILENT_UNITS;
