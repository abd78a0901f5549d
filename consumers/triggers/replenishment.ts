import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Purchase, Replenishment } from '../../schemas/types.js';

/** Purchase times of a SKU by a shopper. */
export const replenishments = rows<Replenishment>('replenishment', 'Replenishment');

const DAY_MS = 86_400_000;
const TIME_LIMIT = 6;
const LEAST_INTERVAL_DAYS = 3;
const MOST_INTERVAL_DAYS = 365;

/** What an order says of a SKU; `price` is null where it is in another currency than the shop's. */
type Bought = Pick<Purchase['lines'][number], 'sku' | 'quantity'> & { readonly price: bigint | null };

/**
 * Note that a SKU was bought. Answers when it is due, if that is to be waited for: one that comes late, older than the latest, changes the
 * interval, but the latest has its timer already, or has been told of.
 */
export function notePurchased(key: string, line: Bought, time: number, ctx: Context): number | undefined {
  if (line.quantity <= 0) return undefined;
  const before = ctx.get(replenishments, key, line.sku);
  const { quantity, price } = before && time < before.times[0]! ? before : line;
  const row: Replenishment = { times: latestDays([time, ...(before?.times ?? [])]), quantity, price };
  ctx.put(replenishments, key, row, line.sku);
  const isAwaited = before?.times[0] === row.times[0] && dueOf(before) !== undefined;
  return isAwaited ? undefined : dueOf(row);
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
  const median = Math.round((gaps[(gaps.length - 1) >> 1]! + gaps[gaps.length >> 1]!) / 2);
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
