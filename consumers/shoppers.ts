import { consumer, joining, on, onLoosely, type Consumer, type Context, type Incoming, type MovedRow } from '../pipeline/core/consumer.js';
import { rows } from '../pipeline/core/rows.js';
import { clickstream, erasures, heldNews, interactions, itemInterests, purchases, shoppersMoves, userMerges, userProfiles } from '../schemas/topics.js';
import type { Interaction, Interest, Mention, Purchase, ShopEvent, UserProfile } from '../schemas/types.js';
import { joinConsent } from './consent.js';
import { isDismissal, strongerEvent } from './event-weights.js';
import { happened } from './happened.js';
import { namesCustomer, requireOrder, requireShopper, requireSku, withTrimmedCart } from './ids.js';
import { aliases, forgetAlias, joinAlias, noteAlias, noteJoined, partAlias, tellErased } from './shoppers/aliases.js';
import { consentAfter, namedBy } from './shoppers/consents.js';
import { announceHeld, announceInterests, boundWishes, endInterest, endOrdered, interests, joinInterest, withdraw } from './shoppers/interests.js';
import { announceMerge, isProven, mergeOf, namesUser, withoutMerge } from './shoppers/merges.js';
import { isRepeat, joinSeen, seenMessages, watch } from './shoppers/seen.js';
import { forgetUnseen } from './shoppers/unseen.js';
import { joinSessions, NO_SESSION, pastAfter, sessionOf, type Session } from './shoppers/sessions.js';
import { isRepeatOfSource } from './sources.js';

/** A click, the page that it leads to and the cart that is filled there are one touch of the product, if they come within this time. */
const TOUCH_MS = 10 * 60_000;
/** A page that sends its event twice does so within this time. Of second clicks in YooChoose's training sample 16 % come so soon. */
const TWICE_MS = 3_000;
const RECENT_LIMIT = 50;
/** So many clicks of a visit are told to learners with each event. Where nobody takes an item twice, all that are kept are told. */
const CONTEXT_LIMIT = 10;
/** Limits of the lists of SKUs that were bought and dismissed. The row is written with every event, so it must not grow: of long SKUs it holds fewer. */
const SKU_LIMIT = 1_000;
const SKU_BYTES = 40_000;

export const profiles = rows<UserProfile>('', 'UserProfile');
/** Orders of the shopper, by order id: in these rows the ledger names the shopper, so an erasure must reach them. */
const ordersOf = rows<Mention>('order', 'Mention');

/** Events which say that a shopper touched the item itself, and did not only see it in a list. */
const TOUCHING = new Set([
  'Product Viewed', 'Product Clicked', 'Product Added', 'Product Removed', 'Product Added to Wishlist', 'Wishlist Product Added to Cart',
  'Product Shared', 'Product Reviewed', 'Recommendation Clicked',
]);

/** Events whose product titles are passed on, for triggers to name. An event of a whole list would carry dozens of titles that nobody reads. */
const NAMING = new Set([...TOUCHING, 'Checkout Started']);

/** How the shop's customers come back. */
interface Habits {
  /** Whether shoppers look at an item again that they had before. Where they do not, all of their history goes before an event, not the visit alone. */
  readonly repeats: boolean;
  /** Whether shoppers buy an item again. Where they do not, an item that they bought counts as refused. */
  readonly repurchases: boolean;
  /** A visitor without a user id who has ordered nothing is forgotten after so long an absence; 0: never. */
  readonly forgetAfterMs: number;
}

/** Whether an event tells a learner that its products were chosen. */
const isTouch = (event: string): boolean => TOUCHING.has(event);

/**
 * Cleans the clickstream and keeps a profile of each shopper. An event whose messageId came before is dropped (the last 500 messages of a
 * shopper are known for 24 hours of receipt). The others get their session, which ends after 30 minutes of event time without an event, and
 * go on to `interactions`. The profile holds consent, recent items and what was bought. Ids that turn out to be one shopper are merged.
 */
export function shoppers({ repeats = true, repurchases = false, forgetAfterMs = 0 }: Partial<Habits> = {}): Consumer {
  return consumer({
    name: 'shoppers',
    table: userProfiles,
    inputs: [
      on(clickstream, (record, ctx) => onShopEvent(record, ctx, { repeats, repurchases }), { isRepeat: isRepeatOfSource, merge: mergeOf, alone: withoutMerge, namesUser }),
      onLoosely(purchases, onPurchase, { namesUser: namesCustomer }),
      on(heldNews, ({ key, value }, ctx) => announceHeld(key, value, ctx)),
    ],
    samePartitionOutputs: [interactions],
    outputs: [itemInterests, userMerges, erasures],
    timers: {
      unheard: ({ key, sub }, ctx) => endInterest(key, sub, ctx),
      unseen: (timer, ctx) => forgetUnseen(timer, { profiles, orders: ordersOf, forgetAfterMs }, ctx),
    },
    merging: {
      merges: userMerges,
      moves: shoppersMoves,
      rows: [
        joining(profiles, joinProfiles),
        joining(seenMessages, joinSeen),
        joining(ordersOf, ({ key, sub, value }, ctx) => ctx.put(ordersOf, key, value, sub), forgetOrder),
        joining(interests, joinWish, withdraw),
        joining(aliases, joinAlias, forgetAlias),
      ],
      part: partAlias,
      forgetAfterMs,
    },
  });
}

function onShopEvent({ key, value, writtenAt, from = key }: Incoming<ShopEvent>, ctx: Context, habits: Omit<Habits, 'forgetAfterMs'>): void {
  const event = withTrimmedCart(happened(value, writtenAt, ctx));
  requireShopper('The key', key);
  // Before message ids are compared: a page may have sent anything under the id of this message.
  if (event.event === 'User Erased') return erase(key, event, ctx);
  const before = ctx.get(profiles, key);
  // An erasure has deleted the list of messages, so a retry from before it is not recognised by that. A profile that stands holds only what came after.
  if ((!before || event.time < before.firstSeen) && ctx.wasErased(key, event.time)) return ctx.count('millrace_events_before_erasure_total');
  for (const { sku } of event.products) requireSku(sku);
  if (event.orderId) requireOrder(event.orderId);
  if (!event.source && isRepeat(key, event, ctx)) {
    ctx.count('millrace_duplicates_total');
    return;
  }
  // Messages of a file are not noted by `isRepeat`, which else sets the timer that looks after the shopper.
  if (!before && event.source) watch(key, event.time, ctx);
  const session = sessionOf(key, before, event);
  const profile = profileAfter(key, before ?? newProfile(event.time), event, session);
  ctx.put(profiles, key, profile);
  ctx.emit(interactions, key, interactionOf(key, event, before ?? newProfile(event.time), profile, session, habits));
  // By the event itself, not by its purchase alone: a refund before its order waits in the ledger with the shopper's name, and makes no purchase.
  if (event.orderId !== null) ctx.put(ordersOf, key, { time: event.time }, event.orderId);
  announceInterests(key, event, (sku) => isOrderedSince(sku, event.time, profile), ctx);
  noteJoined(key, event, ctx);
  announceMerge(key, from, event, ctx);
}

/** Forgets the shopper here, tells the consumers whose rows name the shopper, and tells all others by the clean log. */
function erase(key: string, event: ShopEvent, ctx: Context): void {
  for (const { sub } of ctx.scan(interests, key)) withdraw({ sub }, ctx);
  tellErased(key, event, ctx.scan(ordersOf, key).map(({ sub }) => sub), ctx);
  ctx.erase(key, event.time);
  const nobody = newProfile(event.time);
  ctx.emit(interactions, key, interactionOf(key, event, nobody, nobody, { id: NO_SESSION, start: event.time, isNew: false, isPast: true }, { repeats: true, repurchases: false }));
}

/** Whether the shopper has bought an item, and ordered after `since`: then a late event of that time does not say that they want it. */
const isOrderedSince = (sku: string, since: number, { bought, boughtAt }: UserProfile): boolean => boughtAt > since && bought.includes(sku);

function joinWish(moved: MovedRow<Interest>, ctx: Context): void {
  const profile = ctx.get(profiles, moved.key);
  joinInterest(moved, (sku) => profile !== undefined && isOrderedSince(sku, moved.value.time, profile), ctx);
}

/** Tells the ledger to forget whose an order was: it was on its way to a shopper who is erased. */
function forgetOrder({ key, from, sub: orderId }: { key: string; from: string; sub: string }, ctx: Context): void {
  ctx.emit(erasures, orderId, { ids: [...new Set([from, key])], orderId, time: ctx.now });
}

function onPurchase({ key, value: purchase, from = key }: Incoming<Purchase>, ctx: Context): void {
  if (purchase.kind === 'refunded') return;
  // The purchase was on its way when its shopper was erased: the ledger still names them.
  if (ctx.wasErased(key, purchase.time)) return forgetOrder({ key, from: key, sub: purchase.orderId }, ctx);
  const before = ctx.get(profiles, key);
  if (purchase.kind === 'cancelled') {
    // The cancellation of a claim under a former id, which the shop has since reported as this id's order, may arrive after that order.
    if (!before || (from !== key && before.boughtAt >= purchase.time)) return;
    // An item whose order was cancelled may be recommended again; one that was sent back may not, so refunds are left out above.
    const undone = new Set(purchase.lines.map(({ sku }) => sku));
    return ctx.put(profiles, key, { ...before, bought: before.bought.filter((sku) => !undone.has(sku)) });
  }
  const profile = namedBy(purchase.known, before ?? newProfile(purchase.time));
  const skus = purchase.lines.filter(({ quantity }) => quantity > 0).map(({ sku }) => sku);
  ctx.put(profiles, key, { ...profile, bought: latestFirst(skus, profile.bought), boughtAt: Math.max(profile.boughtAt, purchase.time) });
  endOrdered(key, purchase.lines.map(({ sku }) => sku), ['wanted', 'back_in_stock'], purchase.time, ctx);
  // Of lines of a file the ledger keeps nothing that an erasure would have to find.
  if (purchase.kind === 'completed') ctx.put(ordersOf, key, { time: purchase.time }, purchase.orderId);
}

/**
 * The latest touch, if an event goes on with it: it is of the same product, and another kind of event (a cart after a view). The same kind
 * again is a touch of its own, since the shopper came back; but within three seconds it is a page that sends its event twice, which would
 * teach that everybody comes back at once. Lines of a file may have a whole day for a time, so there the same kind always counts anew.
 */
function continued(recent: UserProfile['recent'], { event, time, products, source }: ShopEvent): UserProfile['recent'][number] | undefined {
  const last = recent[0];
  const isSame = last !== undefined && products.length === 1 && products[0]!.sku === last.sku && isTouch(event);
  const within = event !== last?.event ? TOUCH_MS : source === null ? TWICE_MS : -1;
  return isSame && Math.abs(time - last.time) <= within ? last : undefined;
}

function newProfile(time: number): UserProfile {
  return {
    firstSeen: time, lastSeen: time, sessionId: NO_SESSION, sessionStart: time, sessions: 0, events: 0, recent: [], bought: [], boughtAt: 0, dismissed: [],
    past: null, marketingConsent: null, consentAt: 0, timezone: null, known: false,
  };
}

function profileAfter(key: string, profile: UserProfile, event: ShopEvent, session: Session): UserProfile {
  const before = namedBy(event.userId === key, profile);
  const last = continued(before.recent, event);
  const earlier = last ? before.recent.slice(1) : before.recent;
  const touched = last ? [{ sku: last.sku, event: strongerEvent(last.event, event.event), time: Math.max(last.time, event.time) }] : isTouch(event.event) ? event.products.map(({ sku }) => ({ sku, event: event.event, time: event.time })) : [];
  const dismissed = isDismissal(event.event) ? event.products.map(({ sku }) => sku) : [];
  return {
    ...before,
    firstSeen: Math.min(before.firstSeen, event.time),
    lastSeen: Math.max(before.lastSeen, event.time),
    sessionId: session.isPast ? before.sessionId : session.id,
    sessionStart: session.isPast ? before.sessionStart : session.start,
    sessions: before.sessions + (session.isNew ? 1 : 0),
    past: pastAfter(before, event.time, session),
    events: before.events + 1,
    recent: touched.length === 0 ? before.recent : latestItems([...touched.reverse(), ...earlier]),
    dismissed: dismissed.length === 0 ? before.dismissed : latestFirst(dismissed, before.dismissed),
    ...consentAfter(key, before, event),
    timezone: event.timezone ?? before.timezone,
  };
}

/** Items by event time, the latest first; of equal times the one that arrived later is first. */
function latestItems(items: UserProfile['recent']): UserProfile['recent'] {
  const inOrder = items.every(({ time }, at) => at === 0 || items[at - 1]!.time >= time);
  return (inOrder ? items : [...items].sort((a, b) => b.time - a.time)).slice(0, RECENT_LIMIT);
}

/** Each SKU once, the latest first, as many as a row may hold. */
function latestFirst(skus: readonly string[], before: readonly string[]): string[] {
  const kept: string[] = [];
  let room = SKU_BYTES;
  for (const sku of new Set([...skus, ...before])) {
    room -= Buffer.byteLength(sku);
    if (room < 0 || kept.length === SKU_LIMIT) break;
    kept.push(sku);
  }
  return kept;
}

/** SKUs that an event is told to follow, the latest first. */
function contextOf(earlier: UserProfile['recent'], session: Session, repeats: boolean): string[] {
  const skus = earlier.filter(({ time }) => !repeats || time >= session.start).map(({ sku }) => sku);
  return repeats ? skus.slice(0, CONTEXT_LIMIT) : [...new Set(skus)];
}

function interactionOf(shopper: string, event: ShopEvent, { recent, bought, dismissed }: UserProfile, profile: UserProfile, session: Session, { repeats, repurchases }: Omit<Habits, 'forgetAfterMs'>): Interaction {
  const last = continued(recent, event);
  // A title that anybody may have written under this id must not stand in a mail to the shopper.
  const isNaming = NAMING.has(event.event) && isProven(event.claim, shopper);
  return {
    shopper, known: profile.known, anonymousId: event.anonymousId, messageId: event.messageId, type: event.type, event: event.event, time: event.time,
    receivedAt: event.receivedAt, sessionId: session.id, sessionStart: session.isNew,
    products: event.products.map(({ sku, price, quantity, position, name }) => ({ sku, price, quantity, position, name: isNaming ? name : null })),
    cartId: event.cartId, checkoutId: event.checkoutId, orderId: event.orderId, recommendationId: event.recommendationId,
    placement: event.placement, query: event.query, list: event.list, currency: event.currency, value: event.value,
    marketingConsent: profile.marketingConsent, timezone: event.timezone,
    recent: contextOf(last ? recent.slice(1) : recent, session, repeats),
    continues: last?.event ?? null,
    refused: isTouch(event.event) && event.products.some(({ sku }) => (!repurchases && bought.includes(sku)) || dismissed.includes(sku)),
    source: event.source,
  };
}

function joinProfiles({ key, from, value: moved, mergedAt, toProven }: MovedRow<UserProfile>, ctx: Context): void {
  const before = ctx.get(profiles, key);
  const standing = before && namedBy(true, before);
  noteAlias(key, from, key, mergedAt, ctx);
  boundWishes(key, ctx);
  const consent = joinConsent({ said: standing?.marketingConsent ?? null, at: standing?.consentAt ?? 0 }, { said: moved.marketingConsent, at: moved.consentAt }, toProven);
  // The id that others are merged into is a user's.
  const joined = { known: true, marketingConsent: consent.said, consentAt: consent.at };
  if (!standing) return ctx.put(profiles, key, { ...moved, ...joined });
  const [later, earlier] = moved.lastSeen > standing.lastSeen ? [moved, standing] : [standing, moved];
  ctx.put(profiles, key, {
    ...later,
    ...joinSessions(later, earlier),
    firstSeen: Math.min(moved.firstSeen, standing.firstSeen),
    events: moved.events + standing.events,
    recent: latestItems([...later.recent, ...earlier.recent]),
    bought: latestFirst(later.bought, earlier.bought),
    boughtAt: Math.max(later.boughtAt, earlier.boughtAt),
    dismissed: latestFirst(later.dismissed, earlier.dismissed),
    timezone: later.timezone ?? earlier.timezone,
    ...joined,
  });
  // What was ordered under one of the two ids is no longer wanted under the other. Wishes that move with the merge come after this.
  endOrdered(key, moved.bought, ['wanted'], moved.boughtAt, ctx);
}
