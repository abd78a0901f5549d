import type { Context } from '../../pipeline/core/consumer.js';
import { confirmedPurchases, purchases, sales, type Topic } from '../../schemas/topics.js';
import type { LedgerLine, OrderEvent, OrderState, Purchase, PurchaseKind, SaleKind } from '../../schemas/types.js';
import { leftOf, worthLeft } from './worth.js';

/** Whom a purchase is told that the shop itself has reported. */
export const EVERYWHERE: readonly Topic<Purchase>[] = [purchases, confirmedPurchases];

/** Units that change hands, with what they are worth. */
export interface Goods {
  readonly sku: string;
  readonly quantity: number;
  readonly price: bigint;
  readonly amount: bigint;
  /** How many of the units are claims. */
  readonly claimed: number;
}

/** What is left of a line: when its order is told anew, what came back did so at the price and in the currency of then. */
export const booked = (line: LedgerLine): Goods => ({ sku: line.sku, quantity: leftOf(line), price: line.price, amount: worthLeft(line), claimed: line.claimed });

export const undone = ({ quantity, amount, claimed, ...goods }: Goods): Goods => ({ ...goods, quantity: 0 - quantity, amount: -amount, claimed: 0 - claimed });

export const hasUnits = ({ quantity }: { quantity: number }): boolean => quantity !== 0;

/** Whether goods are anything in the books. */
export const hasWorth = ({ quantity, amount }: Goods): boolean => quantity !== 0 || amount !== 0n;

interface Booking extends Goods {
  readonly line: number;
  readonly kind: SaleKind;
  readonly time: number;
}

/**
 * A row of `sales`, with what it belongs to from `state` where its order is known already: whose it is, and the source of its first report, so that
 * what becomes of an order adds up with it. An adjustment that changes nothing is none.
 */
export function sell(event: OrderEvent, { sku, quantity, price, amount, claimed, line, kind, time }: Booking, ctx: Context, state?: OrderState): void {
  if (quantity === 0 && amount === 0n && claimed === 0 && kind === 'adjustment') return;
  ctx.emit(sales, sku, {
    sku, orderId: event.orderId, line, kind, time, reportedAt: event.time, receivedAt: event.receivedAt, quantity, price, amount,
    currency: state?.currency ?? event.currency, shopper: state ? state.shopper : (event.userId ?? event.anonymousId),
    country: event.country ?? state?.country ?? null, source: state ? state.source : event.source, claimed,
  });
}

/** A row of `purchases`, and of who else is told; none for an order that is nobody's. `money` goes one way or the other without goods. */
export function emitPurchase(
  event: OrderEvent, kind: PurchaseKind, time: number, lines: readonly Pick<Goods, 'sku' | 'quantity' | 'price' | 'amount'>[], topics: readonly Topic<Purchase>[], ctx: Context, money = 0n,
): void {
  const shopper = event.userId ?? event.anonymousId;
  if (shopper === null) return;
  for (const topic of topics) ctx.emit(topic, shopper, {
    shopper, known: event.userId !== null, orderId: event.orderId, kind, time, receivedAt: event.receivedAt, currency: event.currency,
    revenue: lines.reduce((sum, { amount }) => sum + amount, money),
    lines: lines.map(({ sku, quantity, price }) => ({ sku, quantity, price })),
    cartId: event.cartId, recommendationId: event.recommendationId, source: event.source,
  });
}
