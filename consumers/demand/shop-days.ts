/**
 * The days of the shop, whose SKUs lie on many partitions: each partition adds up its own (models/forecast/shop-demand) and tells the others
 * what it has added, at most once a minute and before a new day begins, so that every one of them knows the whole shop.
 *
 * Sums may come in any order and late. What is told of a day that has not begun here waits: whether a partition's own sales of the
 * day before are all read, only a sale of its own knows, or its time.
 */
import * as shop from '../../models/forecast/shop-demand.js';
import type { Activity } from '../../models/forecast/sku-series.js';
import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { ShopDays } from '../../pipeline/core/shop-day.js';
import { demandDays } from '../../schemas/topics.js';
import type { ShopWindow } from '../../schemas/types.js';
import { SHOP, windowRows } from './rows.js';

const MINUTE_MS = 60_000;
/** A partition without a sale of its own lets the day begin so long after another one had the first. History is written ten days of it at a time, which this outlasts. */
const BEGINS_AFTER_MS = 10 * MINUTE_MS;

type Parts = ReadonlyMap<number, Activity>;

/** What the others are yet to be told. */
const untoldRows = rows<ShopWindow>('untold', 'ShopWindow');
/** What they told of days that have not begun here, by day. */
const aheadRows = rows<ShopWindow>('ahead', 'ShopWindow');

/** The part of a SKU in the shop's days has changed. */
export function changeDays(before: Parts, after: Parts, ctx: Context): void {
  const window = ctx.get(windowRows, SHOP);
  if (!window) return;
  ctx.put(windowRows, SHOP, shop.change(window, before, after));
  if (ctx.partitions === 1) return;
  const untold = ctx.get(untoldRows, SHOP);
  ctx.put(untoldRows, SHOP, shop.change(untold ?? shop.untouched(window), before, after));
  if (!untold) ctx.schedule('tell', SHOP, ctx.time + MINUTE_MS);
}

/** Tells the other partitions. */
export function tell(ctx: Context): void {
  const untold = ctx.get(untoldRows, SHOP);
  if (!untold) return;
  ctx.delete(untoldRows, SHOP);
  for (const [day, part] of shop.partsOf(untold)) ctx.emitToOthers(demandDays, shop.windowOf(day, part));
}

/** What another partition has told of a day. */
export function hear(told: ShopWindow, days: ShopDays, ctx: Context): void {
  const begun = ctx.get(windowRows, SHOP)?.lastDay ?? -Infinity;
  const parts = shop.partsOf(told);
  for (const [day, part] of parts) if (day > begun) wait(day, part, days, ctx);
  add(new Map([...parts].filter(([day]) => day <= begun)), ctx);
}

function wait(day: number, part: Activity, days: ShopDays, ctx: Context): void {
  const known = ctx.get(aheadRows, SHOP, String(day));
  ctx.put(aheadRows, SHOP, known ? shop.hear(known, new Map([[day, part]])) : shop.windowOf(day, part), String(day));
  if (!known) ctx.schedule('turn', SHOP, Math.max(ctx.time, days.startOf(day)) + BEGINS_AFTER_MS, String(day));
}

/** Days that have begun elsewhere, the oldest first. */
export const daysAhead = (ctx: Context): number[] => ctx.scan(aheadRows, SHOP).map(({ sub }) => Number(sub)).sort((a, b) => a - b);

/** A day begins here: what was told of it counts. */
export function takeAhead(day: number, ctx: Context): void {
  const told = ctx.get(aheadRows, SHOP, String(day));
  if (!told) return;
  ctx.delete(aheadRows, SHOP, String(day));
  add(shop.partsOf(told), ctx);
}

function add(told: Parts, ctx: Context): void {
  const window = ctx.get(windowRows, SHOP);
  if (window) ctx.put(windowRows, SHOP, shop.hear(window, told));
}
