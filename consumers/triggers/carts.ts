import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Cart, Interaction, ShopperContact } from '../../schemas/types.js';
import { contactOf } from './contacts.js';

/** Open carts of a shopper, by cart id. */
export const carts = rows<Cart>('cart', 'Cart');

const LINE_LIMIT = 100;

/** The cart as an interaction leaves it, or undefined when the interaction does not change carts. */
export function cartAfter(before: Cart | undefined, event: Interaction): Cart | undefined {
  const isAdded = event.event === 'Product Added' || event.event === 'Wishlist Product Added to Cart';
  if (!isAdded && event.event !== 'Product Removed') return undefined;
  if (!before && !isAdded) return undefined;
  const lines = new Map((before?.lines ?? []).map((line) => [line.sku, line]));
  for (const { sku, quantity, price } of event.products) {
    const line = lines.get(sku);
    const units = (line?.quantity ?? 0) + (isAdded ? (quantity ?? 1) : -(quantity ?? line?.quantity ?? 0));
    if (units > 0) lines.set(sku, { sku, name: line?.name ?? null, quantity: units, price: price ?? line?.price ?? null });
    else lines.delete(sku);
  }
  return {
    lines: [...lines.values()].slice(0, LINE_LIMIT),
    // A late event must not rejuvenate the cart.
    changedAt: Math.max(before?.changedAt ?? 0, event.time),
    currency: event.currency ?? before?.currency ?? null,
    // Who comes back for more and orders has been won back all the same.
    firedId: before?.firedId ?? null,
    firedFor: before?.firedId ? before.firedFor || before.changedAt : 0,
  };
}

/** Whether what happened to a cart at `time` came before an order that took it (its own, or one that names no cart). */
export function isOlderThanOrder(contact: ShopperContact, cartId: string, time: number): boolean {
  return time <= contact.lastOrderAt || contact.orderedCarts.some((ordered) => ordered.cartId === cartId && time <= ordered.time);
}

/** A cart that followed a merge: united with the standing one, unless an order has taken it already. A timer that came with it finds what stands. */
export function joinCart({ key, sub: cartId, value: moved }: { key: string; sub: string; value: Cart }, ctx: Context): void {
  if (isOlderThanOrder(contactOf(key, ctx), cartId, moved.changedAt)) return;
  const standing = ctx.get(carts, key, cartId);
  if (!standing) return ctx.put(carts, key, moved, cartId);
  const [later, earlier] = moved.changedAt > standing.changedAt ? [moved, standing] : [standing, moved];
  const skus = new Set(later.lines.map(({ sku }) => sku));
  const lines = [...later.lines, ...earlier.lines.filter(({ sku }) => !skus.has(sku))].slice(0, LINE_LIMIT);
  const fired = later.firedId === null ? earlier : later;
  ctx.put(carts, key, { ...later, firedId: fired.firedId, firedFor: fired.firedFor || fired.changedAt, lines: lines.sort((a, b) => (a.sku < b.sku ? -1 : 1)) }, cartId);
}
