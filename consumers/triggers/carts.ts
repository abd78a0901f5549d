import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { amountOf, isIn, isMoney } from '../../schemas/money.js';
import type { Cart, Interaction, ShopperContact } from '../../schemas/types.js';

/** Open carts of a shopper, by cart id. */
export const carts = rows<Cart>('cart', 'Cart');

const LINE_LIMIT = 100;

const ADDING = new Set(['Product Added', 'Wishlist Product Added to Cart']);
const CHECKING_OUT = new Set(['Checkout Started', 'Checkout Step Viewed', 'Checkout Step Completed', 'Payment Info Entered']);
/** The page tells the last steps of a checkout so long after the order they lead to, which is of when the shop noted it. */
const LAST_STEPS_MS = 5 * 60_000;
const NOTHING: Cart = { lines: [], changedAt: 0, filledAt: 0, currency: null, firedId: null, firedFor: 0, firedRule: null, checkoutAt: 0 };

/** Whether an event may change a cart. */
export const changesCarts = (event: string): boolean => ADDING.has(event) || CHECKING_OUT.has(event) || event === 'Product Removed';

/** Which cart an interaction is about. A checkout that names none is of the one touched last, of those with something in them if there are any. */
export function cartIdOf(key: string, { event, cartId }: Interaction, ctx: Context): string {
  if (cartId !== null) return cartId;
  const known = CHECKING_OUT.has(event) ? ctx.scan(carts, key) : [];
  const filled = known.filter(({ value: { lines } }) => lines.length > 0);
  return (filled.length > 0 ? filled : known).reduce((latest, cart) => (cart.value.changedAt > latest.changedAt ? { cartId: cart.sub, changedAt: cart.value.changedAt } : latest), { cartId: 'default', changedAt: 0 }).cartId;
}

/** The cart as an interaction leaves it, or undefined when the interaction does not change carts. A price without a currency is in the shop's. */
export function cartAfter(before: Cart | undefined, event: Interaction, shopCurrency: string): Cart | undefined {
  const isCheckout = CHECKING_OUT.has(event.event);
  const isAdded = ADDING.has(event.event);
  if (!changesCarts(event.event)) return undefined;
  if (!before && !isAdded && !(isCheckout && event.products.length > 0)) return undefined;
  const currency = event.currency ?? (event.products.some(({ price }) => price !== null) ? shopCurrency : (before?.currency ?? null));
  const cart = { ...(before ?? NOTHING), lines: linesIn(currency, before) };
  const lines = (isCheckout ? checkedOut(cart, event) : changed(cart.lines, event.products, isAdded ? 1 : -1)).slice(0, LINE_LIMIT);
  // A late event must not rejuvenate the cart.
  const changedAt = Math.max(cart.changedAt, event.time);
  const filledAt = isCheckout ? cart.filledAt : Math.max(cart.filledAt, event.time);
  // What comes into an emptied cart begins anew: at no checkout, and in its own currency.
  if (lines.length === 0) return { ...cart, lines, changedAt, filledAt, currency: null, checkoutAt: 0 };
  return { ...cart, lines, changedAt, filledAt, currency, checkoutAt: isCheckout ? Math.max(cart.checkoutAt, event.time) : cart.checkoutAt };
}

function changed(before: Cart['lines'], products: Interaction['products'], sign: 1 | -1): Cart['lines'] {
  const lines = new Map(before.map((line) => [line.sku, line]));
  for (const { sku, quantity, price, name } of products) {
    const line = lines.get(sku);
    const units = (line?.quantity ?? 0) + (sign > 0 ? (quantity ?? 1) : -(quantity ?? line?.quantity ?? 0));
    if (units > 0) lines.set(sku, { sku, name: name ?? line?.name ?? null, quantity: units, price: price ?? line?.price ?? null });
    else lines.delete(sku);
  }
  return [...lines.values()];
}

/** What a checkout says is in the cart, where it is the latest that says so; of units, prices and titles that it does not name, what was known. */
function checkedOut({ lines, changedAt }: Cart, { products, time }: Interaction): Cart['lines'] {
  if (products.length === 0 || time < changedAt) return lines;
  const before = new Map(lines.map((line) => [line.sku, line]));
  return changed([], products.map((product) => {
    const { quantity = null, price = null, name = null } = before.get(product.sku) ?? {};
    return { ...product, quantity: product.quantity ?? quantity, price: product.price ?? price, name: product.name ?? name };
  }), 1);
}

/** Lines of a cart that goes on in `currency`: a price in another one is unknown there, since nothing is converted. */
function linesIn(currency: string | null, cart: Cart | undefined): readonly Cart['lines'][number][] {
  if (!cart || cart.currency === null || cart.currency === currency) return cart?.lines ?? [];
  return cart.lines.map((line) => ({ ...line, price: null }));
}

/**
 * What a cart is worth, and in what: the prices at which its lines were put into it, else those that the catalogue has, which are in
 * the shop's currency (null: unknown). Nothing, where a price is unknown or the sum too large to be written down.
 */
export function worthOf(cart: Cart, shopCurrency: string, listed: (sku: string) => bigint | null): { readonly value: bigint | null; readonly currency: string | null } {
  const isShops = isIn(shopCurrency, cart.currency);
  let value = 0n;
  for (const { sku, price, quantity } of cart.lines) {
    const known = price ?? (isShops ? listed(sku) : null);
    if (known === null) return { value: null, currency: null };
    value += amountOf(known, quantity);
  }
  return isMoney(value) ? { value, currency: cart.currency ?? shopCurrency } : { value: null, currency: null };
}

/** Whether an order took a cart as it stands: its own, or one that names no cart. What was put in after it is of the next one. */
export const isOrdered = (contact: ShopperContact, cartId: string, { changedAt, filledAt }: Cart): boolean =>
  isOlderThanOrder(contact, cartId, filledAt) && isOlderThanOrder(contact, cartId, changedAt - LAST_STEPS_MS);

/** Whether an event came before an order that took its cart. */
export const isOfOrdered = (contact: ShopperContact, cartId: string, { event, time }: Interaction): boolean => isOlderThanOrder(contact, cartId, CHECKING_OUT.has(event) ? time - LAST_STEPS_MS : time);

const isOlderThanOrder = ({ lastOrderAt, orderedCarts }: ShopperContact, cartId: string, time: number): boolean =>
  time <= lastOrderAt || orderedCarts.some((ordered) => ordered.cartId === cartId && time <= ordered.time);

/** A cart that followed a merge is united with the standing one. A timer that came with it finds what stands. */
export function joinCart({ key, sub: cartId, value: moved }: { key: string; sub: string; value: Cart }, ctx: Context): void {
  const standing = ctx.get(carts, key, cartId);
  if (!standing) return ctx.put(carts, key, moved, cartId);
  const [later, earlier] = moved.changedAt > standing.changedAt ? [moved, standing] : [standing, moved];
  const skus = new Set(later.lines.map(({ sku }) => sku));
  const currency = later.currency ?? earlier.currency;
  const lines = [...later.lines, ...linesIn(currency, earlier).filter(({ sku }) => !skus.has(sku))].slice(0, LINE_LIMIT);
  const { firedId, firedFor, firedRule } = later.firedId === null ? earlier : later;
  const filledAt = Math.max(later.filledAt, earlier.filledAt);
  ctx.put(carts, key, { ...later, filledAt, currency, firedId, firedFor, firedRule, checkoutAt: Math.max(later.checkoutAt, earlier.checkoutAt), lines: lines.sort((a, b) => (a.sku < b.sku ? -1 : 1)) }, cartId);
}
