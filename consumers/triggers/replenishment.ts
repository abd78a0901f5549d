import type { Context, Due } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Purchase, Replenishment } from '../../schemas/types.js';

/** Purchase times of a SKU by a shopper. */
export const replenishments = rows<Replenishment>('replenishment', 'Replenishment');

const DAY_MS = 86_400_000;
const TIME_LIMIT = 6;
const LEAST_INTERVAL_DAYS = 3;
const MOST_INTERVAL_DAYS = 365;
/** What was not bought for longer than any interval is due no more. A day is for quiet hours, in which it may have become due. */
const KEPT_MS = (MOST_INTERVAL_DAYS + 1) * DAY_MS;

/**
 * Note that a SKU was bought. Answers when it is due, if that is to be waited for: one that comes late, older than the latest, changes the
 * interval, but the latest has its timer already, or has been told of.
 */
export function notePurchased(key: string, line: Purchase['lines'][number], time: number, ctx: Context): number | undefined {
  if (line.quantity <= 0) return undefined;
  const before = ctx.get(replenishments, key, line.sku);
  const row: Replenishment = { times: latestDays([time, ...(before?.times ?? [])]), quantity: line.quantity, price: line.price };
  ctx.put(replenishments, key, row, line.sku);
  // One timer where a row begins. What a file tells of years ago goes a day after it came: by then the later lines have come, too.
  if (!before) ctx.schedule('unbought', key, Math.max(time + KEPT_MS, ctx.time + DAY_MS), line.sku);
  const isAwaited = before?.times[0] === row.times[0] && dueOf(before) !== undefined;
  return isAwaited ? undefined : dueOf(row);
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
export function dueOf({ times }: Replenishment): number | undefined {
  const intervalMs = typicalIntervalMs(times);
  return intervalMs === undefined ? undefined : times[0]! + intervalMs;
}

/** Median of the gaps between purchases; undefined below three purchases or outside 3 to 365 days. */
function typicalIntervalMs(times: readonly number[]): number | undefined {
  if (times.length < 3) return undefined;
  const gaps = times.slice(1).map((time, i) => times[i]! - time).sort((a, b) => a - b);
  const median = gaps[gaps.length >> 1]!;
  return median >= LEAST_INTERVAL_DAYS * DAY_MS && median <= MOST_INTERVAL_DAYS * DAY_MS ? median : undefined;
}

export function joinReplenishment({ key, sub: sku, value: moved }: { key: string; sub: string; value: Replenishment }, ctx: Context): void {
  const standing = ctx.get(replenishments, key, sku);
  if (!standing) return ctx.put(replenishments, key, moved, sku);
  const later = moved.times[0]! > standing.times[0]! ? moved : standing;
  const joined: Replenishment = { ...later, times: latestDays([...standing.times, ...moved.times]) };
  ctx.put(replenishments, key, joined, sku);
  const due = dueOf(joined);
  // Neither id knew a rhythm; where one did, its timer stands or has told.
  if (due !== undefined && dueOf(later) === undefined) ctx.schedule('replenish', key, due, sku);
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
