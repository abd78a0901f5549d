import type { Context, Due, Incoming, MovedRow } from '../../pipeline/core/consumer.js';
import { isIn } from '../../schemas/money.js';
import type { Cart, Interaction, MarketingTrigger, Purchase, ShopperContact } from '../../schemas/types.js';
import { cartAfter, cartIdOf, carts, isOfOrdered, isOrdered, joinCart, worthOf } from './carts.js';
import { CLOCKS_APART_MS } from './clocks.js';
import { contactOf, joinContact } from './contacts.js';
import { fire, recover, rule, spanOf, type Ripe, type TriggerPolicy } from './fire.js';
import { itemInfos, productOf, skusInCarts } from './items.js';

const CART_ABANDONMENT = rule('cart_abandonment');
const CHECKOUT_ABANDONMENT = rule('checkout_abandonment');

/** How long after its trigger a cart is kept for an order that recovers it. */
const FORGET_MS = 30 * 86_400_000;

/** Open carts of a shopper: any page may name one more, and an order looks at all of them. */
const CART_LIMIT = 100;

/** Why a cart is recovered that a login joins with an order that took it. */
const ORDERED = 'An order was placed.';

export interface CartOptions extends TriggerPolicy {
  /** A cart is abandoned this long after its last change without a purchase. */
  readonly abandonedAfterMs: number;
  /** The shop's, ISO 4217. */
  readonly currency: string;
}

/** Rules of carts: one that is left is reminded of, and recovered by the order that takes it. A cart has one timer, set by its last change. */
export function cartRules(options: CartOptions) {
  return { change, order, abandon, forget, joinOpenCart, joinContactAndCarts };

  /** An interaction may put something into a cart, take it out or bring the cart to the checkout. Its timer waits for `waitMs` more. */
  function change(key: string, event: Interaction, waitMs: number, ctx: Context): void {
    const cartId = cartIdOf(key, event, ctx);
    const before = ctx.get(carts, key, cartId);
    const cart = cartAfter(before, event, options.currency);
    if (!cart || isOfOrdered(contactOf(key, ctx), cartId, event)) return;
    // An empty cart that was reminded of is kept for the order that recovers it: who comes back may take out all before they put in something else.
    if (cart.lines.length === 0 && cart.firedId === null) return dropCarts(key, [{ sub: cartId, value: before ?? cart }], ctx);
    ctx.put(carts, key, cart, cartId);
    // An event that comes late leaves `changedAt` as it was: the timer for that is set, or has fired. The timer of an emptied cart may have passed.
    if (cart.changedAt !== before?.changedAt || before.lines.length === 0) ctx.schedule('abandoned', key, cart.changedAt + options.abandonedAfterMs + waitMs, cartId);
    if (!before) dropOldest(key, ctx);
  }

  /** An order takes its carts, once its shopper's contact has noted it (contacts.ts). */
  function order({ key, value: { orderId, cartId: named, time }, writtenAt }: Incoming<Purchase>, ctx: Context): void {
    // A cart that was changed after its order was written was dated by a clock that has been set right since.
    const isDatedAhead = (cartId: string, { changedAt }: Cart): boolean => (named ?? cartId) === cartId && changedAt > writtenAt + CLOCKS_APART_MS;
    const isTaken = (cartId: string, cart: Cart): boolean => isDatedAhead(cartId, cart) || isOrdered(contactOf(key, ctx), cartId, cart);
    takeCarts(key, isTaken, `Order ${orderId} was placed.`, Math.max(ctx.now, time), ctx);
  }

  /** What an order has taken is gone; senders cancel what they have not sent of it. */
  function takeCarts(key: string, isTaken: (cartId: string, cart: Cart) => boolean, reason: string, at: number, ctx: Context): void {
    const taken = ctx.scan(carts, key).filter(({ sub: cartId, value: cart }) => isTaken(cartId, cart));
    for (const { sub: cartId, value: cart } of taken) recoverCart(key, cartId, cart, reason, at, ctx);
    if (taken.length > 0) dropCarts(key, taken, ctx);
  }

  /** Tells that the cart was ordered, if it was reminded of. */
  function recoverCart(key: string, cartId: string, cart: Cart, reason: string, at: number, ctx: Context): void {
    const { firedId, firedFor, firedRule } = cart;
    if (firedId === null) return;
    const reminded = firedRule === CHECKOUT_ABANDONMENT.name ? CHECKOUT_ABANDONMENT : CART_ABANDONMENT;
    recover(reminded, key, { id: firedId, causeId: causeOf(cartId, firedFor), causedAt: firedFor, reason, products: productsOf(key, cart, ctx), at }, ctx);
  }

  /** A cart that came with a login, unless an order of the other id has taken it already: both ids are one shopper. */
  function joinOpenCart(moved: MovedRow<Cart>, ctx: Context): void {
    const { key, sub: cartId, value: cart } = moved;
    if (isOrdered(contactOf(key, ctx), cartId, cart)) recoverCart(key, cartId, cart, ORDERED, ctx.now, ctx);
    else joinCart(moved, ctx);
    dropOldest(key, ctx);
  }

  /** What was ordered under the id that is joined took the carts of this one, too. */
  function joinContactAndCarts(moved: MovedRow<ShopperContact>, ctx: Context): void {
    joinContact(moved, ctx);
    takeCarts(moved.key, (cartId, cart) => isOrdered(contactOf(moved.key, ctx), cartId, cart), ORDERED, ctx.now, ctx);
  }

  /** A cart was left, unless it is empty or was reminded of as it stands. */
  function abandon({ key, sub: cartId, due, ripeAt }: Ripe, ctx: Context): void {
    const cart = ctx.get(carts, key, cartId);
    if (!cart || cart.lines.length === 0 || (cart.firedId !== null && cart.firedFor === cart.changedAt)) return;
    // The timer is too early where two carts were joined, of which the earlier timer stands, or where the setting was shorter when it was set.
    const dueNow = cart.changedAt + options.abandonedAfterMs;
    if (dueNow > due) return ctx.schedule('abandoned', key, dueNow, cartId);
    const isCheckout = cart.checkoutAt > cart.firedFor;
    const left = isCheckout ? CHECKOUT_ABANDONMENT : CART_ABANDONMENT;
    const firedId = fire({
      rule: left, shopper: key, causeId: causeOf(cartId, cart.changedAt), causedAt: cart.changedAt, ripeAt, at: due,
      reason: `The ${isCheckout ? 'checkout' : 'cart'} was left for ${spanOf(due - cart.changedAt)} without an order.`,
      products: productsOf(key, cart, ctx), ...worthOf(cart, options.currency, (sku) => ctx.get(itemInfos, key, sku)?.price ?? null),
    }, options, ctx);
    const fired = firedId === null ? {} : { firedId, firedFor: cart.changedAt, firedRule: left.name };
    // The checkout is over even where nothing was sent: else the next reminder of a shopper who is held out would be by another rule than that of the others.
    ctx.put(carts, key, { ...cart, checkoutAt: 0, ...fired }, cartId);
    ctx.schedule('forget', key, due + FORGET_MS, cartId);
  }

  /** Products of a cart; prices in another currency than the shop's are left to the catalogue, which may have none. */
  function productsOf(key: string, { currency, lines }: Cart, ctx: Context): MarketingTrigger['products'] {
    const isShops = isIn(options.currency, currency);
    return lines.map(({ sku, name, quantity, price }) => productOf(key, { sku, name, quantity, price: isShops ? price : null }, ctx));
  }
}

/** A cart that nobody has touched since it was reminded of is state without a purpose. */
function forget({ key, sub: cartId, due }: Due, ctx: Context): void {
  const cart = ctx.get(carts, key, cartId);
  if (!cart) return;
  if (cart.changedAt + FORGET_MS <= due) dropCarts(key, [{ sub: cartId, value: cart }], ctx);
  else ctx.schedule('forget', key, cart.changedAt + FORGET_MS, cartId);
}

/** Of more carts than are kept the one that was touched longest ago goes. */
function dropOldest(key: string, ctx: Context): void {
  const known = ctx.scan(carts, key, CART_LIMIT + 1);
  if (known.length > CART_LIMIT) dropCarts(key, [known.reduce((oldest, cart) => (cart.value.changedAt < oldest.value.changedAt ? cart : oldest))], ctx);
}

/** Deletes carts with their timers, and what is known of items that stand in no other cart. */
function dropCarts(key: string, dropped: readonly { readonly sub: string; readonly value: Cart }[], ctx: Context): void {
  for (const { sub: cartId } of dropped) {
    ctx.delete(carts, key, cartId);
    ctx.cancel('abandoned', key, cartId);
    ctx.cancel('forget', key, cartId);
  }
  const left = skusInCarts(key, ctx);
  for (const { sku } of dropped.flatMap(({ value }) => value.lines)) {
    if (left.has(sku)) continue;
    ctx.delete(itemInfos, key, sku);
    ctx.cancel('stale', key, sku);
  }
}

const causeOf = (cartId: string, changedAt: number): string => `${cartId}@${changedAt}`;
