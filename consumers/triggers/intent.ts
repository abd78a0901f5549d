import { chanceOfOrder, NO_OUTCOMES, withVisit, type Outcomes } from '../../models/propensity/visit-outcomes.js';
import type { Context, Due } from '../../pipeline/core/consumer.js';
import { NOBODY, rows } from '../../pipeline/core/rows.js';
import type { Interaction, Visit, VisitOutcomes } from '../../schemas/types.js';
import { beganAt, firstOf, isOfVisit, SESSION_GAP_MS } from '../session-ids.js';
import { isView } from './browsing.js';
import { carts, changesCarts } from './carts.js';
import { contactOf } from './contacts.js';
import { fire, rule, type TriggerPolicy } from './fire.js';
import { productOf } from './items.js';
import { situationOf, wordsOf } from './situations.js';

const HIGH_INTENT = rule('high_intent');

/** The visit that goes on, of whoever looks at products or has a cart. */
export const visits = rows<Visit>('visit', 'Visit');
/** What visits of the shoppers of this partition led to: all of them, and those that came through each situation. */
export const outcomes = rows<VisitOutcomes>('outcomes', 'VisitOutcomes');
const ALL = 'all';

/** Of what is told later their shopper may have gone. */
const HERE_MS = 5 * 60_000;
const SKU_LIMIT = 10;
/** Whoever fills a cart more with each event must not make events ever dearer. */
const CART_LIMIT = 20;

export interface IntentOptions extends TriggerPolicy {
  /** A shopper is told of when an order in this visit has become so likely; 0: the rule is off. */
  readonly highIntentPercent?: number;
}

/** Who is about to order, by what visits in the same situation led to. Told with the event that leads into it: in quiet hours nobody is. */
export function intentRule(options: IntentOptions, isQuiet: (key: string, ctx: Context) => boolean) {
  const { highIntentPercent = 0 } = options;
  return { watch, endVisit };

  function watch(key: string, event: Interaction, ctx: Context): void {
    if (highIntentPercent === 0 || !(isView(event) || changesCarts(event.event))) return;
    const standing = ctx.get(visits, key);
    const before = standing && isOfVisit(standing, event) ? standing : undefined;
    // One that is over would be counted, and told, a second time.
    if (!before && ctx.time >= beganAt(event.sessionId) + SESSION_GAP_MS) return;
    if (standing && !before) count(key, standing, ctx);
    const visit = visitAfter(before, event);
    const began = beganAt(visit.sessionId);
    const { boughtAt } = contactOf(key, ctx);
    const isOrdered = boughtAt >= began;
    // What comes after its order did not lead to it.
    if (isOrdered && event.time > boughtAt) return;
    const open = ctx.scan(carts, key, CART_LIMIT).map(({ value }) => value).filter(({ lines }) => lines.length > 0);
    const situation = situationOf({
      products: visit.skus.length, isAgain: visit.isAgain, isInCart: open.length > 0, isAtCheckout: open.some(({ checkoutAt }) => checkoutAt >= began), isCustomer: boughtAt > 0 && !isOrdered,
    });
    const isTold = visit.isTold || isOrdered || tell(key, visit, situation, event.time, ctx);
    ctx.put(visits, key, { ...visit, passed: [...new Set([...visit.passed, situation])], isTold });
    if (!before) ctx.schedule('visited', key, visit.at + SESSION_GAP_MS);
  }

  /** Answers whether it was decided. */
  function tell(key: string, { skus, sessionId }: Visit, situation: number, time: number, ctx: Context): boolean {
    const [alike, all] = [outcomesOf(String(situation), ctx), outcomesOf(ALL, ctx)];
    if (100 * chanceOfOrder(alike, all) < highIntentPercent || ctx.time - time > HERE_MS || isQuiet(key, ctx)) return false;
    fire({
      rule: HIGH_INTENT, shopper: key, causeId: sessionId, causedAt: time, at: Math.max(ctx.now, time),
      reason: `${wordsOf(situation)}: ${alike.orders} of ${alike.visits} visits like this ended with an order, ${all.orders} of ${all.visits} of all.`,
      products: skus.map((sku) => productOf(key, { sku, quantity: null, price: null }, ctx)),
    }, options, ctx);
    return true;
  }

  /** A visit is over: what it led to is asked now, so that it does not matter whether its order or its clicks were told first. */
  function endVisit({ key, due }: Due, ctx: Context): void {
    const visit = ctx.get(visits, key);
    if (!visit) return;
    const dueNow = visit.at + SESSION_GAP_MS;
    if (dueNow > due) return ctx.schedule('visited', key, dueNow);
    count(key, visit, ctx);
    ctx.delete(visits, key);
  }
}

const outcomesOf = (sub: string, ctx: Context): Outcomes => ctx.get(outcomes, NOBODY, sub) ?? NO_OUTCOMES;

function count(key: string, { sessionId, passed }: Visit, ctx: Context): void {
  const isOrdered = contactOf(key, ctx).boughtAt >= beganAt(sessionId);
  for (const sub of [ALL, ...passed.map(String)]) ctx.put(outcomes, NOBODY, withVisit(outcomesOf(sub, ctx), isOrdered), sub);
}

function visitAfter(before: Visit | undefined, event: Interaction): Visit {
  const { sessionId, time, products, continues } = event;
  const touched = products.map(({ sku }) => sku);
  if (!before) return { sessionId, at: time, skus: latest(touched), isAgain: false, passed: [], isTold: false };
  // A page that sends its event twice is no second look.
  const isAgain = before.isAgain || (isView(event) && continues === null && touched.some((sku) => before.skus.includes(sku)));
  return { ...before, sessionId: firstOf(before.sessionId, sessionId), at: Math.max(before.at, time), skus: latest([...touched, ...before.skus]), isAgain };
}

const latest = (skus: readonly string[]): string[] => [...new Set(skus)].slice(0, SKU_LIMIT);

/** Two ids that are one shopper are in one visit, which is told of once and goes on under the session that began first. */
export function joinVisit({ key, value: moved }: { key: string; value: Visit }, ctx: Context): void {
  const standing = ctx.get(visits, key);
  if (!standing) return ctx.put(visits, key, moved);
  const [later, earlier] = moved.at > standing.at ? [moved, standing] : [standing, moved];
  ctx.put(visits, key, {
    sessionId: firstOf(standing.sessionId, moved.sessionId), at: later.at, skus: latest([...later.skus, ...earlier.skus]), isAgain: standing.isAgain || moved.isAgain,
    passed: [...new Set([...standing.passed, ...moved.passed])].sort((a, b) => a - b), isTold: standing.isTold || moved.isTold,
  });
}
