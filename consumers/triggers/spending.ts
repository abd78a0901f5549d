import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { isMoney } from '../../schemas/money.js';
import type { Purchase, Spending } from '../../schemas/types.js';
import { isOrder } from './contacts.js';

/** What each order of the last 365 days cost. */
export const spendings = rows<Spending>('spent', 'Spending');

const SPAN_MS = 365 * 86_400_000;
/** An id that is everybody's (a till, a test) has no end of orders, and is looked at with each of them. */
const LOOKED_AT_LIMIT = 1_000;

/** Note what an order costs, or what of it is given back, until its timer `expired`. Answers whether that changes anything. */
export function noteSpent(key: string, { orderId, kind, time, revenue }: Purchase, ctx: Context): boolean {
  const known = ctx.get(spendings, key, orderId);
  const orderedAt = isOrder(kind) ? time : known?.time;
  const amount = (known?.amount ?? 0n) + revenue;
  if (orderedAt === undefined || orderedAt + SPAN_MS <= ctx.time || !isMoney(amount)) return false;
  ctx.put(spendings, key, { time: orderedAt, amount }, orderId);
  ctx.schedule('expired', key, orderedAt + SPAN_MS, orderId);
  return true;
}

/** What the orders of the last 365 days cost, and when the latest of them was made (0: there are none); of more than a thousand, a thousand of them. */
export const spentBy = (key: string, ctx: Context): Spending =>
  ctx.scan(spendings, key, LOOKED_AT_LIMIT).reduce((sum, { value }) => ({ time: Math.max(sum.time, value.time), amount: sum.amount + value.amount }), { time: 0, amount: 0n });

/** What an order cost under two ids is told of each in part: a claim taken back from the one, and the order of the other. */
export function joinSpending({ key, sub: orderId, value: moved }: { key: string; sub: string; value: Spending }, ctx: Context): void {
  const standing = ctx.get(spendings, key, orderId);
  const amount = moved.amount + (standing?.amount ?? 0n);
  if (isMoney(amount)) ctx.put(spendings, key, { time: Math.max(moved.time, standing?.time ?? moved.time), amount }, orderId);
}
