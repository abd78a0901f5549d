import { murmur2 } from '../../pipeline/core/partition.js';
import type { ShopDays } from '../../pipeline/core/shop-day.js';

/** What is published once a day is spread over an hour. */
const SPREAD_MS = 3_600_000;
/** The turn of the day does not wait for a longer pause than this. */
const LEAST_MS = 60_000;
/** On a file's clock a SKU of which nothing new is known is told about again after so many days. */
const QUIET_DAYS = 7;

/** When SKUs are published. */
export interface Publication {
  /** After a sale or a change of stock: at once, if the time is not later than now. */
  soon(sku: string, publishedAt: number, now: number): number;
  /** After a publication, if nothing happens. */
  again(sku: string, publishedAt: number): number;
}

/** In a shop that is open: at most once in `everyMs`, and in the first hour of each day. */
export function live(days: ShopDays, everyMs: number): Publication {
  const again: Publication['again'] = (sku, publishedAt) =>
    Math.max(days.startOf(days.dayOf(publishedAt) + 1) + spreadOf(sku), publishedAt + Math.min(everyMs, LEAST_MS));
  return {
    again,
    soon: (sku, publishedAt, now) => (publishedAt + everyMs <= now ? now : Math.min(publishedAt + everyMs, again(sku, publishedAt))),
  };
}

/**
 * On a file's clock: in the evening of a day that brought something new, when the whole of it is known, and else once a week. A year
 * of a shop passes in a minute: what every SKU would say every morning is nearly what it said the day before, and nobody waits for it.
 */
export function replayed(days: ShopDays): Publication {
  const eveningOf = (day: number, sku: string): number => days.startOf(day + 1) - 1 - spreadOf(sku);
  return {
    soon(sku, _, now) {
      const day = days.dayOf(now);
      const evening = eveningOf(day, sku);
      return evening > now ? evening : eveningOf(day + 1, sku);
    },
    again: (sku, publishedAt) => eveningOf(days.dayOf(publishedAt) + QUIET_DAYS, sku),
  };
}

const spreadOf = (sku: string): number => (murmur2(Buffer.from(sku)) >>> 0) % SPREAD_MS;
