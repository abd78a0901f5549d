import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Browsing, Interaction } from '../../schemas/types.js';
import { beganAt, firstOf, isOfVisit, SESSION_GAP_MS } from '../session-ids.js';
import { carts } from './carts.js';
import { contactOf } from './contacts.js';
import { fire, rule, spanOf, type Ripe, type TriggerPolicy } from './fire.js';
import { productOf } from './items.js';

const BROWSE_ABANDONMENT = rule('browse_abandonment');

/** The latest visit in which a shopper looked at products. */
export const browsings = rows<Browsing>('browsing', 'Browsing');

const SKU_LIMIT = 10;

/** How long after its last view a visit that was told of is kept for views that come late. */
const FORGET_MS = 30 * 86_400_000;

export interface BrowsingOptions extends TriggerPolicy {
  /** The visit of a known shopper that led to no cart is abandoned this long after its last view; 0: the rule is off. */
  readonly browsedAfterMs?: number;
  /** For so long after an order nobody is reminded of what they looked at. */
  readonly quietAfterOrderMs?: number;
}

/** The rule of visits in which products were looked at, and nothing more. */
export function browsingRule(options: BrowsingOptions) {
  const { browsedAfterMs = 0, quietAfterOrderMs = 0 } = options;
  return { view, endVisit };

  /** Notes a view. The timer of its visit waits for `waitMs` more. */
  function view(key: string, event: Interaction, waitMs: number, ctx: Context): void {
    if (browsedAfterMs === 0 || !isView(event)) return;
    const before = ctx.get(browsings, key);
    const visit = browsingAfter(key, before, event);
    if (!visit) return;
    ctx.put(browsings, key, visit);
    // The timer of a visit that goes on stays as it is: it will find that the visit is not over.
    if (visit.sessionId !== before?.sessionId) ctx.schedule('browsed', key, visit.at + browsedAfterMs + waitMs);
  }

  /** A visit is over: it is reminded of unless it led to a cart, which has its own rule, or to an order. */
  function endVisit({ key, due, ripeAt }: Ripe, ctx: Context): void {
    const visit = ctx.get(browsings, key);
    if (!visit) return;
    if (browsedAfterMs === 0) return ctx.delete(browsings, key);
    const { skus, names, at, isKnown, isTold } = visit;
    const dueNow = at + (isTold ? FORGET_MS : browsedAfterMs);
    if (dueNow > due) return ctx.schedule('browsed', key, dueNow);
    // Nobody can be written to by a device's id.
    if (isTold || !isKnown) return ctx.delete(browsings, key);
    ctx.put(browsings, key, { ...visit, isTold: true });
    ctx.schedule('browsed', key, at + FORGET_MS);
    if (ledToMore(key, visit, ctx)) return;
    fire({
      rule: BROWSE_ABANDONMENT, shopper: key, causeId: `${skus[0]!}@${at}`, causedAt: at, ripeAt, at: due,
      reason: `${skus.length === 1 ? 'One product was' : `${skus.length} products were`} looked at; nothing was left in a cart or ordered for ${spanOf(due - at)}.`,
      products: skus.map((sku, i) => productOf(key, { sku, name: names[i], quantity: null, price: null }, ctx)),
      orderedLately: contactOf(key, ctx).boughtAt > at - quietAfterOrderMs,
    }, options, ctx);
  }
}

/** Whether a visit led to an order, or to a cart that still holds something. */
function ledToMore(key: string, { sessionId }: Browsing, ctx: Context): boolean {
  // The session's begin, not the first view: something may be put into a cart from a list, before any product is looked at.
  const since = beganAt(sessionId);
  if (contactOf(key, ctx).boughtAt >= since) return true;
  // A login may bring clicks of the device's session before the session itself has followed: until then `since` is too late. As
  // no session begins so soon after a change of a cart, a cart that was changed a session's gap before is of the same visit.
  return ctx.scan(carts, key).some(({ value: { changedAt, lines } }) => changedAt >= since - SESSION_GAP_MS && lines.length > 0);
}

/** Whether a product is looked at. */
export const isView = ({ event, products }: Interaction): boolean => event === 'Product Viewed' && products.length > 0;

/** The visit as a view leaves it, or undefined when nothing changes. `shopper` is whose it is by now: a view on its way through a login names the device. */
export function browsingAfter(shopper: string, before: Browsing | undefined, event: Interaction): Browsing | undefined {
  const { anonymousId, sessionId, time, products } = event;
  const viewed = { skus: products.map(({ sku }) => sku), names: products.map(({ name }) => name) };
  const isKnown = shopper !== anonymousId;
  if (!before || !isOfVisit(before, event)) return before && time <= before.at ? undefined : { sessionId, ...latest(viewed), at: time, isKnown, isTold: false };
  const visit = { ...before, sessionId: firstOf(before.sessionId, sessionId), isKnown };
  return time >= before.at ? { ...visit, ...latest(viewed, before), at: time } : { ...visit, ...latest(before, viewed) };
}

type Looked = Pick<Browsing, 'skus' | 'names'>;

/** What was looked at, the latest first, as much as is kept. */
function latest(...visits: readonly Looked[]): Looked {
  const titles = new Map<string, string | null>();
  for (const { skus, names } of visits) skus.forEach((sku, i) => titles.set(sku, titles.get(sku) ?? names[i] ?? null));
  const kept = [...titles].slice(0, SKU_LIMIT);
  return { skus: kept.map(([sku]) => sku), names: kept.map(([, name]) => name) };
}

/**
 * Who logs in brings along what was looked at before. Of two ids' visits the later one stands, with what the other one looked at
 * where no visit can have ended between them: what comes in one go with a login is told before the device's visit has followed.
 */
export function joinBrowsing({ key, value: moved }: { key: string; value: Browsing }, ctx: Context): void {
  const standing = ctx.get(browsings, key);
  if (!standing) return ctx.put(browsings, key, { ...moved, isKnown: true });
  const [later, earlier] = moved.at > standing.at ? [moved, standing] : [standing, moved];
  const isOne = beganAt(later.sessionId) <= earlier.at + SESSION_GAP_MS;
  const joined = isOne ? { ...latest(later, earlier), sessionId: firstOf(later.sessionId, earlier.sessionId) } : {};
  ctx.put(browsings, key, { ...later, ...joined, isKnown: true });
}
