import { consumer, joining, on, type Consumer, type Context, type Incoming } from '../pipeline/core/consumer.js';
import { interactions, marketingTriggers as triggerTopic, marketingTriggersMoves, marketingTriggersState, purchases, triggerCandidates, userMerges } from '../schemas/topics.js';
import { amountOf, isIn, isMoney } from '../schemas/money.js';
import type { Cart, Interaction, Purchase, TriggerCandidate } from '../schemas/types.js';
import { cartAfter, carts, isOlderThanOrder, joinCart } from './triggers/carts.js';
import { contacts, contactOf, joinContact, noteConsent, noteOrder } from './triggers/contacts.js';
import { fire, itemInfos, joinItemInfo, productOf, recover, type Rule, type TriggerPolicy } from './triggers/fire.js';
import { dueOf, joinReplenishment, notePurchased, replenishments } from './triggers/replenishment.js';

const CART_ABANDONMENT: Rule = { name: 'cart_abandonment', version: 1 };
const REPLENISHMENT_DUE: Rule = { name: 'replenishment_due', version: 1 };
const BACK_IN_STOCK: Rule = { name: 'back_in_stock', version: 1 };

/** How long after its trigger a cart is kept for an order that recovers it. */
const FORGET_MS = 30 * 86_400_000;

export interface MarketingTriggerOptions extends TriggerPolicy {
  /** A cart is abandoned this long after its last change without a purchase. */
  readonly abandonedAfterMs: number;
  /** The shop's, ISO 4217: a product's price in another one is not told. */
  readonly currency: string;
}

/** Decides whom to remind of what: each cause once, with its reason, or a `suppressed` that says why not. */
export function marketingTriggers(options: MarketingTriggerOptions): Consumer {
  return consumer({
    name: 'marketing-triggers',
    table: marketingTriggersState,
    inputs: [on(interactions, onInteraction), on(purchases, onPurchase), on(triggerCandidates, onCandidate)],
    outputs: [triggerTopic],
    patienceMs: 500,
    timers: {
      abandoned: ({ key, sub, due }, ctx) => abandon(key, sub, due, ctx),
      replenish: ({ key, sub, due }, ctx) => replenish(key, sub, due, ctx),
      forget: ({ key, sub, due }, ctx) => forget(key, sub, due, ctx),
    },
    merging: {
      merges: userMerges,
      moves: marketingTriggersMoves,
      rows: [joining(carts, joinCart), joining(contacts, joinContactAndCarts), joining(replenishments, joinReplenishment), joining(itemInfos, joinItemInfo)],
    },
  });

  function onInteraction({ key, value: event }: Incoming<Interaction>, ctx: Context): void {
    if (event.event === 'User Erased') return ctx.erase(key, event.time);
    noteConsent(key, event, ctx);
    const cartId = event.cartId ?? 'default';
    const before = ctx.get(carts, key, cartId);
    const cart = cartAfter(before, event);
    if (!cart || isOlderThanOrder(contactOf(key, ctx), cartId, event.time)) return;
    if (cart.lines.length === 0) return dropCart(key, cartId, ctx);
    ctx.put(carts, key, cart, cartId);
    // One that comes late leaves the time as it was, for which there is a timer, or has been a reminder.
    if (cart.changedAt !== before?.changedAt) ctx.schedule('abandoned', key, cart.changedAt + options.abandonedAfterMs, cartId);
  }

  function onPurchase({ key, value: purchase }: Incoming<Purchase>, ctx: Context): void {
    if (purchase.kind !== 'completed' && purchase.kind !== 'line') return;
    noteOrder(key, purchase, ctx);
    for (const { sub: cartId, value: cart } of ctx.scan(carts, key)) {
      if (!isOlderThanOrder(contactOf(key, ctx), cartId, cart.changedAt)) continue;
      const firedFor = cart.firedFor || cart.changedAt;
      if (cart.firedId !== null) recover(CART_ABANDONMENT, key, { id: cart.firedId, causeId: causeOf(cartId, firedFor), causedAt: firedFor, reason: `Order ${purchase.orderId} was placed.`, products: cart.lines.map((line) => productOf(key, line, ctx)), at: Math.max(ctx.now, purchase.time) }, ctx);
      dropCart(key, cartId, ctx);
    }
    for (const line of purchase.lines) {
      const due = notePurchased(key, line, purchase.time, ctx);
      if (due !== undefined) ctx.schedule('replenish', key, due, line.sku);
    }
  }

  function onCandidate({ key, value: candidate }: Incoming<TriggerCandidate>, ctx: Context): void {
    const { sku, name, url, stock, time, causeId } = candidate;
    const price = isIn(options.currency, candidate.currency) ? candidate.price : null;
    ctx.put(itemInfos, key, { name, url, price, stock, time }, sku);
    if (candidate.kind !== 'back_in_stock') return;
    fire({
      rule: BACK_IN_STOCK, shopper: key, causeId, causedAt: time, at: Math.max(ctx.now, time), reason: `${name ?? sku} is back in stock (${stock ?? 'some'} units).`,
      products: [productOf(key, { sku, quantity: null, price }, ctx)], value: null, currency: null,
    }, options, ctx);
  }

  function abandon(key: string, cartId: string, due: number, ctx: Context): void {
    const cart = ctx.get(carts, key, cartId);
    if (!cart || (cart.firedId !== null && cart.firedFor === cart.changedAt)) return;
    // Of two carts that were joined the earlier timer stands; or the setting was a shorter one when it was set.
    const dueNow = cart.changedAt + options.abandonedAfterMs;
    if (dueNow > due) return ctx.schedule('abandoned', key, dueNow, cartId);
    const value = cart.lines.reduce((sum, line) => sum + valueOf(line), 0n);
    const firedId = fire({
      rule: CART_ABANDONMENT, shopper: key, causeId: causeOf(cartId, cart.changedAt), causedAt: cart.changedAt, at: due,
      reason: `The cart was left for ${spanOf(options.abandonedAfterMs)} without an order.`,
      products: cart.lines.map((line) => productOf(key, line, ctx)), value: isMoney(value) ? value : null, currency: cart.currency,
    }, options, ctx);
    ctx.put(carts, key, { ...cart, ...(firedId === null ? {} : { firedId, firedFor: cart.changedAt }) }, cartId);
    ctx.schedule('forget', key, due + FORGET_MS, cartId);
  }

  function replenish(key: string, sku: string, due: number, ctx: Context): void {
    const bought = ctx.get(replenishments, key, sku);
    const dueNow = bought && dueOf(bought);
    if (!bought || dueNow === undefined) return;
    // An older purchase that came late has made the interval longer.
    if (dueNow > due) return ctx.schedule('replenish', key, dueNow, sku);
    fire({
      rule: REPLENISHMENT_DUE, shopper: key, causeId: `${sku}@${bought.times[0]}`, causedAt: due, at: due,
      reason: `${sku} is usually bought every ${Math.round((dueNow - bought.times[0]!) / 86_400_000)} days.`,
      products: [productOf(key, { sku, quantity: bought.quantity, price: bought.price }, ctx)], value: null, currency: null,
    }, options, ctx);
  }
}

/** A cart that nobody has touched since it was reminded of is state without a purpose. */
function forget(key: string, cartId: string, due: number, ctx: Context): void {
  const cart = ctx.get(carts, key, cartId);
  if (!cart) return;
  if (cart.changedAt + FORGET_MS <= due) dropCart(key, cartId, ctx);
  else ctx.schedule('forget', key, cart.changedAt + FORGET_MS, cartId);
}

/** What was ordered under the id that is joined took the carts of this one, too: it is one shopper. */
function joinContactAndCarts(moved: Parameters<typeof joinContact>[0], ctx: Context): void {
  joinContact(moved, ctx);
  const contact = contactOf(moved.key, ctx);
  for (const { sub: cartId, value: cart } of ctx.scan(carts, moved.key)) if (isOlderThanOrder(contact, cartId, cart.changedAt)) dropCart(moved.key, cartId, ctx);
}

function dropCart(key: string, cartId: string, ctx: Context): void {
  for (const { sku } of ctx.get(carts, key, cartId)?.lines ?? []) ctx.delete(itemInfos, key, sku);
  ctx.delete(carts, key, cartId);
  ctx.cancel('abandoned', key, cartId);
  ctx.cancel('forget', key, cartId);
}

const valueOf = ({ price, quantity }: Cart['lines'][number]): bigint => (price === null ? 0n : amountOf(price, quantity));

const spanOf = (ms: number): string => (ms < 120_000 ? `${Math.round(ms / 1_000)} seconds` : `${Math.round(ms / 60_000)} minutes`);

const causeOf = (cartId: string, changedAt: number): string => `${cartId}@${changedAt}`;
