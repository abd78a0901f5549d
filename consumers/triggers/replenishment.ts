import { hashOf } from '../../models/kernels/hash.js';
import type { Context, Due } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { isIn } from '../../schemas/money.js';
import type { Purchase, Replenishment } from '../../schemas/types.js';
import { fire, rule, type Ripe, type TriggerPolicy } from './fire.js';
import { productOf } from './items.js';

const REPLENISHMENT_DUE = rule('replenishment_due');

/** Purchase times of a SKU by a shopper. */
export const replenishments = rows<Replenishment>('replenishment', 'Replenishment');

const DAY_MS = 86_400_000;
const TIME_LIMIT = 6;
const LEAST_INTERVAL_DAYS = 3;
const MOST_INTERVAL_DAYS = 365;
/** What was not bought for longer than any interval is due no more. A day is for quiet hours, in which it may have become due. */
const KEPT_MS = (MOST_INTERVAL_DAYS + 1) * DAY_MS;

/** A line of an order; `price` is null where it is unknown. */
type Bought = Pick<Purchase['lines'][number], 'sku' | 'quantity'> & { readonly price: bigint | null };

/** The rule of what a shopper buys again and again: it is reminded of when the usual time since the last purchase is over. */
export function replenishmentRule(options: TriggerPolicy & { readonly currency: string }) {
  return { order, replenish };

  /** Notes what an order has bought. A price in another currency than the shop's is unknown. */
  function order(key: string, { lines, time, currency }: Purchase, ctx: Context): void {
    const isShops = isIn(options.currency, currency);
    for (const line of lines) bought(key, { ...line, price: isShops ? line.price : null }, time, ctx);
  }

  /** Notes that a SKU was bought at a time (ms), and sets the timer of the next purchase. */
  function bought(key: string, line: Bought, time: number, ctx: Context): void {
    const { sku } = line;
    if (line.quantity <= 0) return;
    const before = ctx.get(replenishments, key, sku);
    // Of the latest purchase, not of the one that was told last.
    const { quantity, price } = before && isLater(before, { ...line, times: [time] }) ? before : line;
    const row: Replenishment = { times: latestDays([time, ...(before?.times ?? [])]), quantity, price };
    ctx.put(replenishments, key, row, sku);
    // One timer where a row begins. What a file tells of years ago goes in the second day after it came, when the later lines have come, too;
    // over all of that day, since what a file tells in a minute would be seconds of work for a minute.
    if (!before) ctx.schedule('unbought', key, Math.max(time + KEPT_MS, ctx.time + DAY_MS + (hashOf(`${key} ${sku}`) % DAY_MS)), sku);
    // A purchase that comes late, older than the latest, changes the interval only: the latest has its timer already, or was told of.
    const isAwaited = before?.times[0] === row.times[0] && dueOf(before) !== undefined;
    const due = dueOf(row);
    if (due !== undefined && !isAwaited) ctx.schedule('replenish', key, due, sku);
  }

  function replenish({ key, sub: sku, due, ripeAt }: Ripe, ctx: Context): void {
    const row = ctx.get(replenishments, key, sku);
    const dueNow = row && dueOf(row);
    if (!row || dueNow === undefined) return;
    // An older purchase that came late has made the interval longer.
    if (dueNow > due) return ctx.schedule('replenish', key, dueNow, sku);
    const boughtAt = row.times[0]!;
    fire({
      rule: REPLENISHMENT_DUE, shopper: key, causeId: `${sku}@${boughtAt}`, causedAt: boughtAt, ripeAt, at: due,
      reason: `${sku} is usually bought every ${Math.round((dueNow - boughtAt) / DAY_MS)} days.`,
      products: [productOf(key, { sku, quantity: row.quantity, price: row.price }, ctx)],
    }, options, ctx);
  }
}

/** Forget what has not been bought for so long that nobody will be reminded of it. */
export function forgetUnbought({ key, sub: sku, due }: Due, ctx: Context): void {
  const row = ctx.get(replenishments, key, sku);
  if (!row) return;
  const goesAt = row.times[0]! + KEPT_MS;
  if (goesAt > due) return ctx.schedule('unbought', key, goesAt, sku);
  ctx.delete(replenishments, key, sku);
  ctx.cancel('replenish', key, sku);
}

/** When a SKU is due again; undefined where it is bought without a rhythm. */
function dueOf({ times }: Replenishment): number | undefined {
  const intervalMs = typicalIntervalMs(times);
  return intervalMs === undefined ? undefined : times[0]! + intervalMs;
}

/** Median of the gaps between purchases; undefined below three purchases or outside 3 to 365 days. */
function typicalIntervalMs(times: readonly number[]): number | undefined {
  if (times.length < 3) return undefined;
  const gaps = times.slice(1).map((time, i) => times[i]! - time).sort((a, b) => a - b);
  const median = Math.round((gaps[(gaps.length - 1) >> 1]! + gaps[gaps.length >> 1]!) / 2);
  return median >= LEAST_INTERVAL_DAYS * DAY_MS && median <= MOST_INTERVAL_DAYS * DAY_MS ? median : undefined;
}

export function joinReplenishment({ key, sub: sku, value: moved }: { key: string; sub: string; value: Replenishment }, ctx: Context): void {
  const standing = ctx.get(replenishments, key, sku);
  if (!standing) return ctx.put(replenishments, key, moved, sku);
  const later = isLater(moved, standing) ? moved : standing;
  const joined: Replenishment = { ...later, times: latestDays([...standing.times, ...moved.times]) };
  ctx.put(replenishments, key, joined, sku);
  const [due, known] = [dueOf(joined), dueOf(later)];
  // Neither id knew a rhythm; where one did, its timer stands or has told.
  if (due !== undefined && known === undefined) ctx.schedule('replenish', key, due, sku);
  // It has told, which quiet hours put off by less than a day: the timer of the other id would tell the same purchase again.
  if (known !== undefined && known + DAY_MS < ctx.time) ctx.cancel('replenish', key, sku);
}

/** Whether one was bought later than the other; at the same time, as files of days have it, the larger purchase counts, whichever is told first. */
function isLater(one: Replenishment, other: Replenishment): boolean {
  const more = one.times[0]! - other.times[0]! || one.quantity - other.quantity;
  return more === 0 ? (one.price ?? -1n) > (other.price ?? -1n) : more > 0;
}

/** Purchases of one day count as one: two lines of an order are no rhythm. Latest first. */
function latestDays(times: readonly number[]): number[] {
  const byDay = new Map<number, number>();
  for (const time of times) {
    const day = Math.floor(time / DAY_MS);
    byDay.set(day, Math.max(byDay.get(day) ?? 0, time));
  }
  return [...byDay.values()].sort((a, b) => b - a).slice(0, TIME_LIMIT);
}
