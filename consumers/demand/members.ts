import { leave as leaveShop, WINDOW_DAYS, type ExposureOf, type SkuSeries } from '../../models/forecast/sku-series.js';
import type { Context } from '../../pipeline/core/consumer.js';
import { murmur2 } from '../../pipeline/core/partition.js';
import type { Supply } from '../../schemas/types.js';
import { hourRows, ownHourRows } from './hours.js';
import { isOver } from './reorder.js';
import { demandRows, memberKey, memberRows, PARTS, seasonRows, SHOP, supplyRows, unsoldRows, windowRows } from './rows.js';
import { cycleRows } from './stock-cycle.js';
import { ownRows, predecessorRows, successorRows } from './succession.js';

const DAY_MS = 86_400_000;
/** What is over is told about no more; corrections of its last sales come for four weeks, and it may yet come back. */
const FORGOTTEN_AFTER_MS = 60 * DAY_MS;

/** In which part of the panel a SKU is. */
export const partOf = (sku: string): number => (murmur2(Buffer.from(sku)) >>> 16) % PARTS;

/** Whether nothing is forecast of a SKU any more. */
export const isGone = (sku: string, ctx: Context): boolean => isOver(ctx.get(supplyRows, sku), ctx.get(successorRows, sku));

export const isMember = (sku: string, ctx: Context): boolean => ctx.get(memberRows, memberKey(partOf(sku)), sku) !== undefined;

/**
 * The series with what the shop's days expect of it: nothing since it was told (`told`, a day) that it is sold no more, all again if it comes back.
 * What another SKU has taken the place of is expected of that one.
 */
export function expectedOf(sku: string, series: SkuSeries, told: (supply: Supply) => number, newest: number, exposureOf: ExposureOf, ctx: Context): SkuSeries {
  const supply = ctx.get(supplyRows, sku);
  if (ctx.get(successorRows, sku)) return series;
  if (!supply || !isOver(supply, undefined)) return series.left ? { ...series, left: null } : series;
  const since = series.left?.told ?? told(supply);
  return series.left && series.left.day >= Math.min(since, newest) ? series : leaveShop(series, since, newest, exposureOf);
}

/** Members are the SKUs that sell, since `day` or earlier: those that are over teach nobody what selling is like. */
export function enrol(sku: string, day: number, ctx: Context): void {
  const belongs = !isGone(sku, ctx);
  if (isMember(sku, ctx) === belongs) return;
  if (belongs) ctx.put(memberRows, memberKey(partOf(sku)), { since: day, unlisted: false }, sku);
  else ctx.delete(memberRows, memberKey(partOf(sku)), sku);
  const season = ctx.get(seasonRows, SHOP);
  if (season) ctx.put(seasonRows, SHOP, { ...season, members: season.members + (belongs ? 1 : -1) });
}

/** To be forgotten, unless it comes back before; told of again, as at a sale, the time begins anew. Before the first tick there is none. */
export function forgetLater(sku: string, ctx: Context): void {
  if (ctx.time > 0) ctx.schedule('forget', sku, ctx.time + FORGOTTEN_AFTER_MS);
}

/** All that was learned of a SKU; what the catalogue says of it stays. */
export function forget(sku: string, ctx: Context): void {
  if (isGone(sku, ctx)) drop(sku, ctx);
}

/** What only pages have named, and nobody buys, leaves nothing behind; nor does what took another one's place and never sold. */
export function leave(sku: string, ctx: Context): void {
  drop(sku, ctx);
  ctx.cancel('publish', sku);
  if (!isMember(sku, ctx)) return;
  ctx.delete(memberRows, memberKey(partOf(sku)), sku);
  const season = ctx.get(seasonRows, SHOP);
  if (season) ctx.put(seasonRows, SHOP, { ...season, members: season.members - 1 });
}

function drop(sku: string, ctx: Context): void {
  for (const kind of [demandRows, unsoldRows, hourRows, ownRows, ownHourRows, cycleRows, predecessorRows]) if (ctx.get<unknown>(kind, sku) !== undefined) ctx.delete<unknown>(kind, sku);
}

/** A line of a SKU that is forgotten, of a day that would be as late were it not: a refund of it is no beginning. */
export function isLateOfForgotten(sku: string, day: number, ctx: Context): boolean {
  const newest = ctx.get(windowRows, SHOP)?.lastDay ?? day;
  return day <= newest - WINDOW_DAYS && isGone(sku, ctx);
}
