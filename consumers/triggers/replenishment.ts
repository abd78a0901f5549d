import { hashOf } from '../../models/kernels/hash.js';
import type { Context, Due } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { shopDays, type ShopDays } from '../../pipeline/core/shop-day.js';
import { isIn } from '../../schemas/money.js';
import type { BoughtUnits, Purchase, Replenishment } from '../../schemas/types.js';
import { fire, rule, type Ripe, type TriggerPolicy } from './fire.js';
import { productOf } from './items.js';

const REPLENISHMENT_DUE = rule('replenishment_due');

/** Orders of a SKU by a shopper. */
export const replenishments = rows<Replenishment>('replenishment', 'Replenishment');

const DAY_MS = 86_400_000;
const MOST_DAYS = 6;
/** An id that is everybody's (a till, a test) has no end of orders a day. */
const MOST_ORDERS = 50;
/** Units that are left by the rounding of parts of one are none. */
const DUST = 1e-9;
const LEAST_INTERVAL_DAYS = 3;
const MOST_INTERVAL_DAYS = 365;
/** What was not bought for longer than any interval is due no more. A day is for quiet hours, in which it may have become due. */
const KEPT_MS = (MOST_INTERVAL_DAYS + 1) * DAY_MS;

export interface ReplenishmentOptions extends TriggerPolicy {
  /** The shop's, ISO 4217. */
  readonly currency: string;
  /** The shop's. Absent: UTC's. */
  readonly days?: ShopDays;
}

/** The rule of what a shopper buys again and again: it is reminded of when the usual time since the last purchase is over. */
export function replenishmentRule(options: ReplenishmentOptions) {
  const { days = shopDays('UTC') } = options;
  return { note, replenish, join };

  /** Notes what an order has bought, or what of one has come back. A price in another currency than the shop's is unknown. */
  function note(key: string, { orderId, lines, time, currency }: Purchase, ctx: Context): void {
    const isShops = isIn(options.currency, currency);
    for (const sku of new Set(lines.map((line) => line.sku))) {
      const mine = lines.filter((line) => line.sku === sku);
      const quantity = mine.reduce((units, line) => units + line.quantity, 0);
      const price = isShops ? mine.reduce((most, line) => (line.price > most ? line.price : most), 0n) : null;
      if (quantity > 0) bought(key, sku, { orderId, time, quantity, price }, ctx);
      else takeBack(key, sku, orderId, -quantity, ctx);
    }
  }

  function bought(key: string, sku: string, order: BoughtUnits, ctx: Context): void {
    const before = ctx.get(replenishments, key, sku);
    const row: Replenishment = { orders: latestOrders([order, ...(before?.orders ?? [])], days), toldFor: before?.toldFor ?? 0 };
    ctx.put(replenishments, key, row, sku);
    // One timer where a row begins. What a file tells of years ago goes in the second day after it came, when the later lines have come, too;
    // over all of that day, since what a file tells in a minute would be seconds of work for a minute.
    if (!before) ctx.schedule('unbought', key, Math.max(order.time + KEPT_MS, ctx.time + DAY_MS + (hashOf(`${key} ${sku}`) % DAY_MS)), sku);
    awaitNext(key, sku, row, ctx);
  }

  /** Units of an order have come back. One that nobody knows of is of another year, or was never told. */
  function takeBack(key: string, sku: string, orderId: string, units: number, ctx: Context): void {
    const before = ctx.get(replenishments, key, sku);
    if (!before?.orders.some((order) => order.orderId === orderId)) return;
    const orders = before.orders.map((order) => (order.orderId === orderId ? { ...order, quantity: order.quantity - units } : order)).filter(({ quantity }) => quantity > DUST);
    const row = { ...before, orders };
    if (orders.length === 0) return forget(key, sku, ctx);
    ctx.put(replenishments, key, row, sku);
    const due = dueOf(row, days);
    if (due === dueOf(before, days)) return;
    // Who has just sent the last one back is not reminded at once of the one before it.
    const isPast = due !== undefined && due <= ctx.time && latestOf(row) < latestOf(before);
    if (due === undefined || isPast) ctx.cancel('replenish', key, sku);
    else awaitNext(key, sku, row, ctx);
  }

  /** Sets the timer of the next purchase, where the last one has not been told of. */
  function awaitNext(key: string, sku: string, row: Replenishment, ctx: Context): void {
    const due = dueOf(row, days);
    if (due !== undefined && latestOf(row) > row.toldFor) ctx.schedule('replenish', key, due, sku);
  }

  function replenish({ key, sub: sku, due, ripeAt }: Ripe, ctx: Context): void {
    const row = ctx.get(replenishments, key, sku);
    const dueNow = row && dueOf(row, days);
    if (!row || dueNow === undefined) return;
    const boughtAt = latestOf(row);
    if (boughtAt <= row.toldFor) return;
    // An older purchase that came late has made the interval longer.
    if (dueNow > due) return ctx.schedule('replenish', key, dueNow, sku);
    ctx.put(replenishments, key, { ...row, toldFor: boughtAt }, sku);
    const { quantity, price } = lastPurchaseOf(row, days);
    fire({
      rule: REPLENISHMENT_DUE, shopper: key, causeId: `${sku}@${boughtAt}`, causedAt: boughtAt, ripeAt, at: due,
      reason: `${sku} is usually bought every ${Math.round(intervalOf(row, days) ?? 0)} days.`,
      products: [productOf(key, { sku, quantity, price }, ctx)],
    }, options, ctx);
  }

  function join({ key, sub: sku, value: moved }: { key: string; sub: string; value: Replenishment }, ctx: Context): void {
    const standing = ctx.get(replenishments, key, sku) ?? { orders: [], toldFor: 0 };
    const joined: Replenishment = { orders: latestOrders([...standing.orders, ...moved.orders], days), toldFor: Math.max(standing.toldFor, moved.toldFor) };
    ctx.put(replenishments, key, joined, sku);
    awaitNext(key, sku, joined, ctx);
  }
}

/** Forget what has not been bought for so long that nobody will be reminded of it. */
export function forgetUnbought({ key, sub: sku, due }: Due, ctx: Context): void {
  const row = ctx.get(replenishments, key, sku);
  if (!row) return;
  const goesAt = latestOf(row) + KEPT_MS;
  if (goesAt > due) return ctx.schedule('unbought', key, goesAt, sku);
  forget(key, sku, ctx);
}

function forget(key: string, sku: string, ctx: Context): void {
  ctx.delete(replenishments, key, sku);
  ctx.cancel('replenish', key, sku);
  ctx.cancel('unbought', key, sku);
}

const latestOf = ({ orders }: Replenishment): number => orders[0]?.time ?? 0;

/** When a SKU is due again, by the clocks of the shop at the hour of the last purchase; undefined where it is bought without a rhythm. */
function dueOf(row: Replenishment, days: ShopDays): number | undefined {
  const interval = intervalOf(row, days);
  if (interval === undefined) return undefined;
  const latest = latestOf(row);
  const clock = latest + days.offsetAt(latest) + interval * DAY_MS;
  return clock - days.offsetAt(clock - days.offsetAt(clock));
}

/** Median of the gaps between days with a purchase, in days; undefined below three such days or outside 3 to 365. */
function intervalOf({ orders }: Replenishment, days: ShopDays): number | undefined {
  // Two orders of one day are no rhythm.
  const bought = [...new Set(orders.map(({ time }) => days.dayOf(time)))];
  if (bought.length < 3) return undefined;
  const gaps = bought.slice(1).map((day, i) => bought[i]! - day).sort((a, b) => a - b);
  const median = (gaps[(gaps.length - 1) >> 1]! + gaps[gaps.length >> 1]!) / 2;
  return median >= LEAST_INTERVAL_DAYS && median <= MOST_INTERVAL_DAYS ? median : undefined;
}

/** What was bought on the last day: all its units, at the price of its last order; of several at one time, as files of days have them, at the highest. */
function lastPurchaseOf({ orders }: Replenishment, days: ShopDays): Pick<BoughtUnits, 'quantity' | 'price'> {
  const { time: boughtAt } = orders[0]!;
  const last = orders.filter(({ time }) => days.dayOf(time) === days.dayOf(boughtAt));
  return {
    quantity: last.reduce((units, { quantity }) => units + quantity, 0),
    price: last.filter(({ time }) => time === boughtAt).reduce((most: bigint | null, { price }) => larger(most, price), null),
  };
}

/** Orders of the latest days, latest first; what is told of one order in parts, or by two ids, adds up. The outcome does not depend on which came first. */
function latestOrders(orders: readonly BoughtUnits[], days: ShopDays): BoughtUnits[] {
  const byId = new Map<string, BoughtUnits>();
  for (const order of orders) {
    const known = byId.get(order.orderId);
    byId.set(order.orderId, known ? { ...order, time: Math.max(known.time, order.time), quantity: known.quantity + order.quantity, price: larger(known.price, order.price) } : order);
  }
  const sorted = [...byId.values()].sort((a, b) => b.time - a.time || (a.orderId < b.orderId ? -1 : 1)).slice(0, MOST_ORDERS);
  const kept = new Set([...new Set(sorted.map(({ time }) => days.dayOf(time)))].slice(0, MOST_DAYS));
  return sorted.filter(({ time }) => kept.has(days.dayOf(time)));
}

const larger = (a: bigint | null, b: bigint | null): bigint | null => (a !== null && (b === null || a > b) ? a : b);
