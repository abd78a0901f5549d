import { consumer, joining, on, type Consumer, type Context, type Due, type Incoming, type MovedRow } from '../pipeline/core/consumer.js';
import { confirmedPurchases, heldNews, interactions, marketingTriggers as triggerTopic, marketingTriggersMoves, marketingTriggersState, purchases, triggerCandidates, userMerges } from '../schemas/topics.js';
import { isIn } from '../schemas/money.js';
import type { Cart, Interaction, MarketingTrigger, Purchase, ShopperContact } from '../schemas/types.js';
import { namesCustomer } from './ids.js';
import { beganAt, SESSION_GAP_MS } from './session-ids.js';
import { browsingAfter, browsings, isView, joinBrowsing } from './triggers/browsing.js';
import { cartAfter, cartIdOf, carts, isOfOrdered, isOrdered, joinCart, worthOf } from './triggers/carts.js';
import { contacts, contactOf, forgetContact, isOrder, joinContact, noteConsent, noteZone } from './triggers/contacts.js';
import { customerRules, type CustomerOptions } from './triggers/customers.js';
import { fire, recover, rule, type Ripe } from './triggers/fire.js';
import { intentRule, joinVisit, visits, type IntentOptions } from './triggers/intent.js';
import { forgetItem, itemInfos, joinItemInfo, productOf, skusInCarts } from './triggers/items.js';
import { held, hold } from './triggers/held.js';
import { newsRules } from './triggers/news.js';
import { wakesAt, type QuietHours } from './triggers/quiet-hours.js';
import { dueOf, forgetUnbought, joinReplenishment, notePurchased, replenishments } from './triggers/replenishment.js';
import { spendings } from './triggers/spending.js';

const CART_ABANDONMENT = rule('cart_abandonment');
const CHECKOUT_ABANDONMENT = rule('checkout_abandonment');
const BROWSE_ABANDONMENT = rule('browse_abandonment');
const REPLENISHMENT_DUE = rule('replenishment_due');

/** Why a cart is recovered that a login joins with an order that took it. */
const ORDERED = 'An order was placed.';

/** Clocks of two hosts, or of a shop and its visitors, agree on the time to less than this. */
const CLOCKS_APART_MS = 60_000;

/** How long after its trigger a cart is kept for an order that recovers it, and a visit for views that come late. */
const FORGET_MS = 30 * 86_400_000;

export interface MarketingTriggerOptions extends CustomerOptions, IntentOptions {
  /** A cart is abandoned this long after its last change without a purchase. */
  readonly abandonedAfterMs: number;
  /** A known shopper's visit that led to no cart is, this long after its last view; 0: the rule is off. */
  readonly browsedAfterMs?: number;
  /** For so long after an order nobody is reminded of what they looked at. */
  readonly quietAfterOrderMs?: number;
  /** Absent: there are none. */
  readonly quietHours?: QuietHours | undefined;
}

/** Open carts of a shopper: any page may name one more, and an order looks at all of them. */
const CART_LIMIT = 100;

/** Decides whom to remind of what: each cause once, with its reason, or a `suppressed` that says why not. */
export function marketingTriggers(options: MarketingTriggerOptions): Consumer {
  const { browsedAfterMs = 0, quietAfterOrderMs = 0 } = options;
  const customers = customerRules(options);
  const news = newsRules(options, awakens);
  const intent = intentRule(options, (key, ctx) => awakens(key, ctx) > ctx.time);
  return consumer({
    name: 'marketing-triggers',
    table: marketingTriggersState,
    inputs: [on(interactions, onInteraction, { namesUser }), on(purchases, onPurchase, { namesUser: namesCustomer }), on(confirmedPurchases, customers.noteSpend, { namesUser: namesCustomer }), on(triggerCandidates, news.tell)],
    outputs: [triggerTopic, heldNews],
    patienceMs: 500,
    timers: {
      abandoned: awake('abandoned', abandon),
      browsed: awake('browsed', endBrowsing),
      visited: intent.endVisit,
      welcome: awake('welcome', customers.welcome),
      spent: awake('spent', customers.judgeSpend),
      expired: customers.expireSpend,
      lapsed: awake('lapsed', customers.winBack),
      replenish: awake('replenish', replenish),
      held: awake('held', news.release),
      forget,
      stale: forgetItem,
      unbought: forgetUnbought,
    },
    merging: {
      merges: userMerges,
      forget: forgetContact,
      moves: marketingTriggersMoves,
      rows: [
        joining(carts, joinOpenCart), joining(browsings, joinBrowsing), joining(visits, joinVisit), joining(contacts, joinContactAndCarts), joining(replenishments, joinReplenishment),
        joining(itemInfos, joinItemInfo), joining(spendings, customers.joinSpend), joining(held, ({ key, value }, ctx) => void hold(key, value, ctx)),
      ],
    },
  });

  /** When the shopper may be written to, from `time` on. */
  function awakens(key: string, ctx: Context, time = ctx.time): number {
    return wakesAt(key, time, options.quietHours, contactOf(key, ctx).timezone);
  }

  /** A timer that waits until the shopper's quiet hours are over: what it tells of is decided then. Its payload says since when. */
  function awake(name: string, handle: (due: Ripe, ctx: Context) => void): (due: Due, ctx: Context) => void {
    return (timer, ctx) => {
      const { key, sub, due, payload } = timer;
      const time = Math.max(due, ctx.time);
      const wakes = awakens(key, ctx, time);
      const ripeAt = payload === '' ? due : Number(payload);
      if (wakes > time) ctx.schedule(name, key, wakes, sub, String(ripeAt));
      else handle({ ...timer, ripeAt }, ctx);
    };
  }

  function onInteraction({ key, value: event, writtenAt }: Incoming<Interaction>, ctx: Context): void {
    if (event.event === 'User Erased') return ctx.erase(key, event.time);
    noteConsent(key, event, ctx);
    // Every visitor has one: a row for each that nobody reads.
    if (options.quietHours) noteZone(key, event, ctx);
    browse(key, event, aheadMs(writtenAt, ctx), ctx);
    changeCart(key, event, aheadMs(writtenAt, ctx), ctx);
    intent.watch(key, event, ctx);
  }

  function changeCart(key: string, event: Interaction, waitMs: number, ctx: Context): void {
    const cartId = cartIdOf(key, event, ctx);
    const before = ctx.get(carts, key, cartId);
    const cart = cartAfter(before, event, options.currency);
    if (!cart || isOfOrdered(contactOf(key, ctx), cartId, event)) return;
    // One that was reminded of is kept for the order that recovers it: who comes back may take out all before they put in something else.
    if (cart.lines.length === 0 && cart.firedId === null) return dropCarts(key, [{ sub: cartId, value: before ?? cart }], ctx);
    ctx.put(carts, key, cart, cartId);
    // One that comes late leaves the time as it was, for which there is a timer, or has been a reminder; that of an emptied cart may have passed.
    if (cart.changedAt !== before?.changedAt || before.lines.length === 0) ctx.schedule('abandoned', key, cart.changedAt + options.abandonedAfterMs + waitMs, cartId);
    if (!before) dropOldest(key, ctx);
  }

  function browse(key: string, event: Interaction, waitMs: number, ctx: Context): void {
    if (browsedAfterMs === 0 || !isView(event)) return;
    const before = ctx.get(browsings, key);
    const visit = browsingAfter(key, before, event);
    if (!visit) return;
    ctx.put(browsings, key, visit);
    // Of a visit that goes on the timer finds that it is not over.
    if (visit.sessionId !== before?.sessionId) ctx.schedule('browsed', key, visit.at + browsedAfterMs + waitMs);
  }

  function onPurchase({ key, value: purchase, writtenAt }: Incoming<Purchase>, ctx: Context): void {
    if (ctx.wasErased(key, purchase.time)) return;
    if (!isOrder(purchase.kind)) return;
    customers.noteCustomer(key, purchase, ctx);
    takeOrdered(key, `Order ${purchase.orderId} was placed.`, Math.max(ctx.now, purchase.time), ctx, { cartId: purchase.cartId, writtenAt });
    for (const line of purchase.lines) {
      const due = notePurchased(key, line, purchase.time, ctx);
      if (due !== undefined) ctx.schedule('replenish', key, due, line.sku);
    }
  }

  /** What orders have taken is gone; senders cancel what they have not sent of it. `order` is the one that is told, and not by a login. */
  function takeOrdered(key: string, reason: string, at: number, ctx: Context, order?: { readonly cartId: string | null; readonly writtenAt: number }): void {
    const taken = ctx.scan(carts, key).filter(({ sub: cartId, value: cart }) => {
      // One that was changed after its order was written was dated by a clock that has been set right since.
      const isDatedAhead = order !== undefined && (order.cartId ?? cartId) === cartId && cart.changedAt > order.writtenAt + CLOCKS_APART_MS;
      return isDatedAhead || isOrdered(contactOf(key, ctx), cartId, cart);
    });
    for (const { sub: cartId, value: cart } of taken) recoverCart(key, cartId, cart, reason, at, ctx);
    if (taken.length > 0) dropCarts(key, taken, ctx);
  }

  function recoverCart(key: string, cartId: string, cart: Cart, reason: string, at: number, ctx: Context): void {
    const { firedId, firedFor, firedRule } = cart;
    if (firedId !== null) recover(firedRule === CHECKOUT_ABANDONMENT.name ? CHECKOUT_ABANDONMENT : CART_ABANDONMENT, key, { id: firedId, causeId: causeOf(cartId, firedFor), causedAt: firedFor, reason, products: productsOf(key, cart, ctx), at }, ctx);
  }

  /** A cart that followed a merge, unless an order of the other id has taken it already: it is one shopper. */
  function joinOpenCart(moved: MovedRow<Cart>, ctx: Context): void {
    const { key, sub: cartId, value: cart } = moved;
    if (isOrdered(contactOf(key, ctx), cartId, cart)) recoverCart(key, cartId, cart, ORDERED, ctx.now, ctx);
    else joinCart(moved, ctx);
    dropOldest(key, ctx);
  }

  /** What was ordered under the id that is joined took the carts of this one, too. */
  function joinContactAndCarts(moved: MovedRow<ShopperContact>, ctx: Context): void {
    joinContact(moved, ctx);
    takeOrdered(moved.key, ORDERED, ctx.now, ctx);
  }

  function abandon({ key, sub: cartId, due, ripeAt }: Ripe, ctx: Context): void {
    const cart = ctx.get(carts, key, cartId);
    if (!cart || cart.lines.length === 0 || (cart.firedId !== null && cart.firedFor === cart.changedAt)) return;
    // Of two carts that were joined the earlier timer stands; or the setting was a shorter one when it was set.
    const dueNow = cart.changedAt + options.abandonedAfterMs;
    if (dueNow > due) return ctx.schedule('abandoned', key, dueNow, cartId);
    const isCheckout = cart.checkoutAt > cart.firedFor;
    const left = isCheckout ? CHECKOUT_ABANDONMENT : CART_ABANDONMENT;
    const firedId = fire({
      rule: left, shopper: key, causeId: causeOf(cartId, cart.changedAt), causedAt: cart.changedAt, ripeAt, at: due,
      reason: `The ${isCheckout ? 'checkout' : 'cart'} was left for ${spanOf(due - cart.changedAt)} without an order.`,
      products: productsOf(key, cart, ctx), ...worthOf(cart, options.currency, (sku) => ctx.get(itemInfos, key, sku)?.price ?? null),
    }, options, ctx);
    // What comes after this is a cart again, also where it was not sent: else whoever is held out would have another rule than the others.
    ctx.put(carts, key, { ...cart, checkoutAt: 0, ...(firedId === null ? {} : { firedId, firedFor: cart.changedAt, firedRule: left.name }) }, cartId);
    ctx.schedule('forget', key, due + FORGET_MS, cartId);
  }

  /** What was put in at a price in another currency than the shop's has the catalogue's, or none. */
  function productsOf(key: string, { currency, lines }: Cart, ctx: Context): MarketingTrigger['products'] {
    const isShops = isIn(options.currency, currency);
    return lines.map(({ sku, name, quantity, price }) => productOf(key, { sku, name, quantity, price: isShops ? price : null }, ctx));
  }

  function replenish({ key, sub: sku, due, ripeAt }: Ripe, ctx: Context): void {
    const bought = ctx.get(replenishments, key, sku);
    const dueNow = bought && dueOf(bought);
    if (!bought || dueNow === undefined) return;
    // An older purchase that came late has made the interval longer.
    if (dueNow > due) return ctx.schedule('replenish', key, dueNow, sku);
    fire({
      rule: REPLENISHMENT_DUE, shopper: key, causeId: `${sku}@${bought.times[0]}`, causedAt: bought.times[0]!, ripeAt, at: due,
      reason: `${sku} is usually bought every ${Math.round((dueNow - bought.times[0]!) / 86_400_000)} days.`,
      products: [productOf(key, { sku, quantity: bought.quantity, price: bought.price }, ctx)],
    }, options, ctx);
  }

  /** A visit is over: it is reminded of unless it led to a cart, which has its own rule, or to an order. */
  function endBrowsing({ key, due, ripeAt }: Ripe, ctx: Context): void {
    const visit = ctx.get(browsings, key);
    if (!visit) return;
    if (browsedAfterMs === 0) return ctx.delete(browsings, key);
    const { sessionId, skus, names, at, isKnown, isTold } = visit;
    const dueNow = at + (isTold ? FORGET_MS : browsedAfterMs);
    if (dueNow > due) return ctx.schedule('browsed', key, dueNow);
    // Nobody is written to by a device's id.
    if (isTold || !isKnown) return ctx.delete(browsings, key);
    ctx.put(browsings, key, { ...visit, isTold: true });
    ctx.schedule('browsed', key, at + FORGET_MS);
    const { boughtAt } = contactOf(key, ctx);
    // A visit may begin with what is put into a cart from a list, before any product is looked at.
    const since = beganAt(sessionId);
    // No visit begins so soon after a cart: what came in one go with a login is of the device's visit, of which it is told before that has followed.
    const isLeft = ({ value: { changedAt, lines } }: { value: Cart }): boolean => changedAt >= since - SESSION_GAP_MS && lines.length > 0;
    if (boughtAt >= since || ctx.scan(carts, key).some(isLeft)) return;
    fire({
      rule: BROWSE_ABANDONMENT, shopper: key, causeId: `${skus[0]!}@${at}`, causedAt: at, ripeAt, at: due,
      reason: `${skus.length === 1 ? 'One product was' : `${skus.length} products were`} looked at; nothing was left in a cart or ordered for ${spanOf(due - at)}.`,
      products: skus.map((sku, i) => productOf(key, { sku, name: names[i], quantity: null, price: null }, ctx)),
      orderedLately: boughtAt > at - quietAfterOrderMs,
    }, options, ctx);
  }
}

/** Whether an event is of a key that is a user's id. An erasure is of any. */
const namesUser = ({ key, value: { shopper, known, event, time } }: Incoming<Interaction>, ctx: Context): boolean =>
  known && shopper === key && event !== 'User Erased' && !ctx.wasErased(key, time);

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

function spanOf(ms: number): string {
  const [unit, name] = ms < 120_000 ? [1_000, 'seconds'] : ms < 7_200_000 ? [60_000, 'minutes'] : [3_600_000, 'hours'];
  return `${Math.round(ms / unit)} ${name}`;
}

/**
 * How far the log's time is ahead of the clock by which a record was written: it was told a time that had not come, and waits for it. A
 * timer by the record's own time would be due at once, and a cart told as abandoned while its shopper is still there.
 */
function aheadMs(writtenAt: number, ctx: Context): number {
  const ahead = ctx.time - writtenAt;
  return ctx.clock === 'wall' && ahead > CLOCKS_APART_MS ? ahead : 0;
}

const causeOf = (cartId: string, changedAt: number): string => `${cartId}@${changedAt}`;
