import { consumer, joining, on, type Consumer, type Context, type Due, type Incoming } from '../pipeline/core/consumer.js';
import { confirmedPurchases, heldNews, interactions, marketingTriggers as triggerTopic, marketingTriggersMoves, marketingTriggersState, purchases, triggerCandidates, userMerges } from '../schemas/topics.js';
import type { Interaction, Purchase } from '../schemas/types.js';
import { namesCustomer } from './ids.js';
import { browsingRule, browsings, joinBrowsing, type BrowsingOptions } from './triggers/browsing.js';
import { cartRules, type CartOptions } from './triggers/cart-rules.js';
import { carts } from './triggers/carts.js';
import { aheadMs } from './triggers/clocks.js';
import { contacts, contactOf, forgetContact, isOrder, noteConsent, noteZone } from './triggers/contacts.js';
import { customerRules, type CustomerOptions } from './triggers/customers.js';
import type { Ripe } from './triggers/fire.js';
import { held, hold } from './triggers/held.js';
import { intentRule, joinVisit, visits, type IntentOptions } from './triggers/intent.js';
import { forgetItem, itemInfos, joinItemInfo } from './triggers/items.js';
import { newsRules } from './triggers/news.js';
import { wakesAt, type QuietHours } from './triggers/quiet-hours.js';
import { forgetUnbought, replenishmentRule, replenishments, type ReplenishmentOptions } from './triggers/replenishment.js';
import { spendings } from './triggers/spending.js';

export interface MarketingTriggerOptions extends CartOptions, BrowsingOptions, CustomerOptions, IntentOptions, ReplenishmentOptions {
  /** Absent: there are none. */
  readonly quietHours?: QuietHours | undefined;
}

/**
 * Decides whom to remind of what: each cause once, with its reason, or a `suppressed` that says why not. Each rule has its file in
 * triggers/; here stands which inputs, timers and rows belong to it. Whatever a rule decides goes through triggers/fire.
 */
export function marketingTriggers(options: MarketingTriggerOptions): Consumer {
  const cart = cartRules(options);
  const browsing = browsingRule(options);
  const replenishment = replenishmentRule(options);
  const customers = customerRules(options);
  const news = newsRules(options, awakens);
  const intent = intentRule(options, (key, ctx) => awakens(key, ctx) > ctx.time);
  return consumer({
    name: 'marketing-triggers',
    table: marketingTriggersState,
    inputs: [
      on(interactions, onInteraction, { namesUser }),
      on(purchases, onPurchase, { namesUser: namesCustomer }),
      on(confirmedPurchases, customers.noteSpend, { namesUser: namesCustomer }),
      on(triggerCandidates, news.tell),
    ],
    outputs: [triggerTopic, heldNews],
    patienceMs: 500,
    timers: {
      abandoned: awake('abandoned', cart.abandon),
      browsed: awake('browsed', browsing.endVisit),
      visited: intent.endVisit,
      welcome: awake('welcome', customers.welcome),
      spent: awake('spent', customers.judgeSpend),
      expired: customers.expireSpend,
      lapsed: awake('lapsed', customers.winBack),
      replenish: awake('replenish', replenishment.replenish),
      held: awake('held', news.release),
      forget: cart.forget,
      stale: forgetItem,
      unbought: forgetUnbought,
    },
    merging: {
      merges: userMerges,
      forget: forgetContact,
      moves: marketingTriggersMoves,
      rows: [
        joining(carts, cart.joinOpenCart),
        joining(browsings, joinBrowsing),
        joining(visits, joinVisit),
        joining(contacts, cart.joinContactAndCarts),
        joining(replenishments, replenishment.join),
        joining(itemInfos, joinItemInfo),
        joining(spendings, customers.joinSpend),
        joining(held, ({ key, value }, ctx) => void hold(key, value, ctx)),
      ],
    },
  });

  /** When the shopper may be written to, from `time` on. */
  function awakens(key: string, ctx: Context, time = ctx.time): number {
    return wakesAt(key, time, options.quietHours, contactOf(key, ctx).timezone);
  }

  /** A timer that waits until the shopper's quiet hours are over, and is decided then. Its payload says when it was due at first. */
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
    const waitMs = aheadMs(writtenAt, ctx);
    noteConsent(key, event, ctx);
    // Every visitor has a time zone: without quiet hours it would be a row for each that nobody reads.
    if (options.quietHours) noteZone(key, event, ctx);
    browsing.view(key, event, waitMs, ctx);
    cart.change(key, event, waitMs, ctx);
    intent.watch(key, event, ctx);
  }

  function onPurchase(record: Incoming<Purchase>, ctx: Context): void {
    const { key, value: purchase } = record;
    if (ctx.wasErased(key, purchase.time)) return;
    if (isOrder(purchase.kind)) {
      // First: which carts the order takes is read from what is noted of the customer.
      customers.noteCustomer(key, purchase, ctx);
      cart.order(record, ctx);
    }
    replenishment.note(key, purchase, ctx);
  }
}

/** Whether an event is of a key that is a user's id. An erasure may be of any id. */
const namesUser = ({ key, value: { shopper, known, event, time } }: Incoming<Interaction>, ctx: Context): boolean =>
  known && shopper === key && event !== 'User Erased' && !ctx.wasErased(key, time);
