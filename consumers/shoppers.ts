import { consumer, joining, on, onLoosely, type Consumer, type Context, type Incoming, type MovedRow } from '../pipeline/core/consumer.js';
import { rows } from '../pipeline/core/rows.js';
import { clickstream, erasures, heldNews, interactions, itemInterests, purchases, shoppersMoves, userMerges, userProfiles } from '../schemas/topics.js';
import type { Interaction, Interest, Mention, Purchase, ShopEvent, UserProfile } from '../schemas/types.js';
import { joinConsent } from './consent.js';
import { isDismissal, strongerEvent } from './event-weights.js';
import { happened } from './happened.js';
import { namesCustomer, requireShopper, requireSku } from './ids.js';
import { aliases, forgetAlias, joinAlias, noteAlias, noteJoined, partAlias, tellErased } from './shoppers/aliases.js';
import { consentAfter, namedBy } from './shoppers/consents.js';
import { announceHeld, announceInterests, boundWishes, endInterest, endOrdered, interests, joinInterest, withdraw } from './shoppers/interests.js';
import { announceMerge, isProven, mergeOf, namesUser, withoutMerge } from './shoppers/merges.js';
import { isRepeat, joinSeen, seenMessages, watch } from './shoppers/seen.js';
import { forgetUnseen } from './shoppers/unseen.js';
import { joinSessions, NO_SESSION, pastAfter, sessionOf, type Session } from './shoppers/sessions.js';
import { isRepeatOfSource } from './sources.js';

/** A click, the page it leads to and the cart from there come within this time, and are one touch of the product. */
const TOUCH_MS = 10 * 60_000;
/** A page that sends its event twice does so within this time; of second clicks in YooChoose's training sample 16 % come so soon. */
const TWICE_MS = 3_000;
const RECENT_LIMIT = 50;
/** Clicks of a visit that a learner is told of; where nobody takes an item twice it is told of all that are kept. */
const CONTEXT_LIMIT = 10;
/** Of what was bought, and of what was dismissed: a row is written with every event, so long SKUs are fewer. */
const SKU_LIMIT = 1_000;
const SKU_BYTES = 40_000;

export const profiles = rows<UserProfile>('', 'UserProfile');
/** Orders of the shopper, by order id: the ledger's rows name them. */
const ordersOf = rows<Mention>('order', 'Mention');

/** Events that say a shopper touched the item itself, not merely saw it in a list. */
const TOUCHING = new Set([
  'Product Viewed', 'Product Clicked', 'Product Added', 'Product Removed', 'Product Added to Wishlist', 'Wishlist Product Added to Cart',
  'Product Shared', 'Product Reviewed', 'Recommendation Clicked',
]);

/** Whose products triggers tell of: an event of a whole list would carry dozens of titles for nobody. */
const NAMING = new Set([...TOUCHING, 'Checkout Started']);

/** How the shop's customers come back. */
interface Habits {
  readonly repeats: boolean;
  readonly repurchases: boolean;
  /** A visitor without a user id who has ordered nothing is forgotten when they have not been here for so long; 0: never. */
  readonly forgetAfterMs: number;
}

/** Whether an event tells a learner that its products were chosen. */
const isTouch = (event: string): boolean => TOUCHING.has(event);

/**
 * Cleans the clickstream and keeps a profile a shopper: deduplication by messageId within 24 hours of receipt (the last 500
 * messages of a shopper), sessions of 30 minutes by event time, consent, recent items, merges. `repeats`: whether shoppers take
 * an item again; where they do not, what comes before an event is the shopper's history and not the visit alone. `repurchases`: whether
 * they buy one again; where they do not, an item that they bought is refused.
 */
export function shoppers({ repeats = true, repurchases = false, forgetAfterMs = 0 }: Partial<Habits> = {}): Consumer {
  return consumer({
    name: 'shoppers',
    table: userProfiles,
    inputs: [on(clickstream, (record, ctx) => onShopEvent(record, ctx, { repeats, repurchases }), { isRepeat: isRepeatOfSource, merge: mergeOf, alone: withoutMerge, namesUser }), onLoosely(purchases, onPurchase, { namesUser: namesCustomer }), on(heldNews, ({ key, value }, ctx) => announceHeld(key, value, ctx))],
    samePartitionOutputs: [interactions],
    outputs: [itemInterests, userMerges, erasures],
    timers: {
      unheard: ({ key, sub }, ctx) => endInterest(key, sub, ctx),
      unseen: (timer, ctx) => forgetUnseen(timer, { profiles, orders: ordersOf, forgetAfterMs }, ctx),
    },
    merging: { merges: userMerges, moves: shoppersMoves, rows: [joining(profiles, joinProfiles), joining(seenMessages, joinSeen), joining(ordersOf, ({ key, sub, value }, ctx) => ctx.put(ordersOf, key, value, sub), forgetOrder), joining(interests, joinWish, withdraw), joining(aliases, joinAlias, forgetAlias)], part: partAlias, forgetAfterMs },
  });
}

function onShopEvent({ key, value, writtenAt, from = key }: Incoming<ShopEvent>, ctx: Context, habits: Omit<Habits, 'forgetAfterMs'>): void {
  const event = happened(value, writtenAt, ctx);
  requireShopper('The key', key);
  // Before messages are compared: a page may have sent anything under this one's id.
  if (event.event === 'User Erased') return erase(key, event, ctx);
  const before = ctx.get(profiles, key);
  // A retry of what came before an erasure is in no list of messages any more. All that a profile has is of after it.
  if ((!before || event.time < before.firstSeen) && ctx.wasErased(key, event.time)) return ctx.count('millrace_events_before_erasure_total');
  for (const { sku } of event.products) requireSku(sku);
  if (!event.source && isRepeat(key, event, ctx)) {
    ctx.count('millrace_duplicates_total');
    return;
  }
  // What files tell is not noted message by message.
  if (!before && event.source) watch(key, event.time, ctx);
  const session = sessionOf(key, before, event);
  const profile = profileAfter(key, before ?? newProfile(event.time), event, session);
  ctx.put(profiles, key, profile);
  ctx.emit(interactions, key, interactionOf(key, event, before ?? newProfile(event.time), profile, session, habits));
  // A refund that comes before its order waits in the ledger, and makes no purchase.
  if (event.orderId !== null) ctx.put(ordersOf, key, { time: event.time }, event.orderId);
  announceInterests(key, event, (sku) => isOrderedSince(sku, event.time, profile), ctx);
  noteJoined(key, event, ctx);
  announceMerge(key, from, event, ctx);
}

/** Forget the shopper here, tell those whose rows name them, and let the clean log tell everyone else. */
function erase(key: string, event: ShopEvent, ctx: Context): void {
  for (const { sub } of ctx.scan(interests, key)) withdraw({ sub }, ctx);
  tellErased(key, event, ctx.scan(ordersOf, key).map(({ sub }) => sub), ctx);
  ctx.erase(key, event.time);
  const nobody = newProfile(event.time);
  ctx.emit(interactions, key, interactionOf(key, event, nobody, nobody, { id: NO_SESSION, start: event.time, isNew: false, isPast: true }, { repeats: true, repurchases: false }));
}

/** Whether an item was bought, by a shopper who has ordered since: what is told of it late says nothing of what they want. */
const isOrderedSince = (sku: string, since: number, { bought, boughtAt }: UserProfile): boolean => boughtAt > since && bought.includes(sku);

function joinWish(moved: MovedRow<Interest>, ctx: Context): void {
  const profile = ctx.get(profiles, moved.key);
  joinInterest(moved, (sku) => profile !== undefined && isOrderedSince(sku, moved.value.time, profile), ctx);
}

/** An order of the erased shopper that was on its way to them. */
function forgetOrder({ key, from, sub: orderId }: { key: string; from: string; sub: string }, ctx: Context): void {
  ctx.emit(erasures, orderId, { ids: [...new Set([from, key])], orderId, time: ctx.now });
}

function onPurchase({ key, value: purchase, from = key }: Incoming<Purchase>, ctx: Context): void {
  if (purchase.kind === 'refunded') return;
  // On its way when its shopper was erased: the ledger still names them.
  if (ctx.wasErased(key, purchase.time)) return forgetOrder({ key, from: key, sub: purchase.orderId }, ctx);
  const before = ctx.get(profiles, key);
  if (purchase.kind === 'cancelled') {
    // Of a claim under a former id that the shop has reported as this one's: by that way it may come behind the order itself.
    if (!before || (from !== key && before.boughtAt >= purchase.time)) return;
    // Who changed their mind may be shown it again; who had it and sent it back may not.
    const undone = new Set(purchase.lines.map(({ sku }) => sku));
    return ctx.put(profiles, key, { ...before, bought: before.bought.filter((sku) => !undone.has(sku)) });
  }
  const profile = namedBy(purchase.known, before ?? newProfile(purchase.time));
  const skus = purchase.lines.filter(({ quantity }) => quantity > 0).map(({ sku }) => sku);
  ctx.put(profiles, key, { ...profile, bought: latestFirst(skus, profile.bought), boughtAt: Math.max(profile.boughtAt, purchase.time) });
  endOrdered(key, purchase.lines.map(({ sku }) => sku), ['wanted', 'back_in_stock'], purchase.time, ctx);
  // Lines of a file leave nothing in the ledger that would have to be found again.
  if (purchase.kind === 'completed') ctx.put(ordersOf, key, { time: purchase.time }, purchase.orderId);
}

/**
 * The touch that an event goes on with: the same product, nothing touched since, and something that was not said of it yet. What is
 * said again (a page viewed twice) is a touch of its own: the shopper came back. Within three seconds it is a page that sends twice, and
 * would teach that everybody comes back at once; lines of a file may have whole days for times, and count as they stand.
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

/** By event time, latest first; arrival order decides ties. */
function latestItems(items: UserProfile['recent']): UserProfile['recent'] {
  const inOrder = items.every(({ time }, at) => at === 0 || items[at - 1]!.time >= time);
  return (inOrder ? items : [...items].sort((a, b) => b.time - a.time)).slice(0, RECENT_LIMIT);
}

/** Each once, as many of the latest as a row may hold. */
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

/** What an event is said to follow, latest first. */
function contextOf(earlier: UserProfile['recent'], session: Session, repeats: boolean): string[] {
  const skus = earlier.filter(({ time }) => !repeats || time >= session.start).map(({ sku }) => sku);
  return repeats ? skus.slice(0, CONTEXT_LIMIT) : [...new Set(skus)];
}

function interactionOf(shopper: string, event: ShopEvent, { recent, bought, dismissed }: UserProfile, profile: UserProfile, session: Session, { repeats, repurchases }: Omit<Habits, 'forgetAfterMs'>): Interaction {
  const last = continued(recent, event);
  // What anybody may have written must not stand in a mail to this shopper.
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
  // Whoever is merged into an id was told to be that user.
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
  // What one of two ids has ordered the other one does not want any more; wishes that move come after this.
  endOrdered(key, moved.bought, ['wanted'], moved.boughtAt, ctx);
}
