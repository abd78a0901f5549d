import type { Context, Due, Incoming, MovedRow } from '../../pipeline/core/consumer.js';
import { formatMoney, isIn, isMoney } from '../../schemas/money.js';
import type { Purchase, ShopperContact, Spending } from '../../schemas/types.js';
import { contacts, contactOf, noteOrder } from './contacts.js';
import { fire, isHistory, rule, type Ripe, type TriggerPolicy } from './fire.js';
import { joinSpending, noteSpent, spendings, spentBy } from './spending.js';

const NEW_CUSTOMER_WELCOME = rule('new_customer_welcome');
const VIP = rule('vip');
const WIN_BACK = rule('win_back');

export interface CustomerOptions extends TriggerPolicy {
  /** Who orders for the first time is welcomed. */
  readonly welcomesNew?: boolean;
  /** Who has spent so much in 365 days (ten-thousandths of the shop's currency) is a VIP; 0: nobody is. */
  readonly vipSpend?: bigint;
  /** Who has ordered is to be won back when there was no order for so long; 0: the rule is off. */
  readonly winBackAfterMs?: number;
  /** The shop's, ISO 4217. */
  readonly currency: string;
}

/** Rules by what a shopper has ordered: who is new, who spends much, who stays away. A shopper has one timer for each. */
export function customerRules(options: CustomerOptions) {
  const { welcomesNew = false, vipSpend = 0n, winBackAfterMs = 0 } = options;
  return { noteCustomer, noteSpend, welcome, judgeSpend, expireSpend, joinSpend, winBack };

  function noteCustomer(key: string, purchase: Purchase, ctx: Context): void {
    const { time } = purchase;
    const before = contactOf(key, ctx);
    const newSince = welcomesNew ? newSinceAfter(before, purchase, ctx) : 0;
    noteOrder(key, purchase, newSince, ctx);
    if (newSince > 0) ctx.schedule('welcome', key, newSince);
    const lapses = time + winBackAfterMs;
    // One that comes late leaves the latest as it was, which has its timer, or was told of. An order of a history after which there has been
    // none to this day would be one record more for each order before it.
    if (winBackAfterMs > 0 && time > before.boughtAt && !isHistory(lapses, ctx)) ctx.schedule('lapsed', key, lapses);
  }

  function welcome({ key, due, ripeAt }: Ripe, ctx: Context): void {
    const contact = contactOf(key, ctx);
    // An id with earlier orders was joined, or told already.
    if (contact.newSince === 0) return;
    ctx.put(contacts, key, { ...contact, newSince: 0 });
    if (!welcomesNew) return;
    fire({ rule: NEW_CUSTOMER_WELCOME, shopper: key, causeId: `order@${contact.newSince}`, causedAt: contact.newSince, ripeAt, at: due, reason: 'There was no order before this one.', products: [] }, options, ctx);
  }

  /** What an order costs that the shop has reported, or a refund gives back. What comes of it is looked at when both halves of an order that is told anew are there. */
  function noteSpend({ key, value: purchase }: Incoming<Purchase>, ctx: Context): void {
    if (vipSpend === 0n || ctx.wasErased(key, purchase.time) || !isIn(options.currency, purchase.currency)) return;
    if (noteSpent(key, purchase, ctx)) ctx.schedule('spent', key, purchase.time);
  }

  function judgeSpend({ key, due, ripeAt }: Ripe, ctx: Context): void {
    const contact = contactOf(key, ctx);
    // Not by when they bought last: of an order that came by way of a former id the purchase may be told later.
    const { time: boughtAt, amount: spent } = spentBy(key, ctx);
    const { vipFor } = contact;
    const isVip = vipSpend > 0n && spent >= vipSpend;
    if (isVip === contact.isVip) return;
    // An older order that comes late does not make news of the one that was told.
    const isNews = isVip && boughtAt > vipFor;
    ctx.put(contacts, key, { ...contact, isVip, vipFor: isNews ? boughtAt : vipFor });
    if (!isNews) return;
    fire({
      rule: VIP, shopper: key, causeId: `order@${boughtAt}`, causedAt: boughtAt, ripeAt: Math.max(ripeAt, boughtAt), at: due,
      reason: `${formatMoney(spent)} ${options.currency} were spent in 365 days.`, products: [], ...(isMoney(spent) ? { value: spent, currency: options.currency } : {}),
    }, options, ctx);
  }

  function expireSpend({ key, sub: orderId, due }: Due, ctx: Context): void {
    ctx.delete(spendings, key, orderId);
    ctx.schedule('spent', key, due);
  }

  /** What two ids have spent reaches the bar with the login that joins them, which may be one of a history. */
  function joinSpend(moved: MovedRow<Spending>, ctx: Context): void {
    joinSpending(moved, ctx);
    ctx.schedule('spent', moved.key, moved.mergedAt);
  }

  function winBack({ key, due, ripeAt }: Ripe, ctx: Context): void {
    // The rule was on when the timer was set.
    if (winBackAfterMs === 0) return;
    const { boughtAt } = contactOf(key, ctx);
    const dueNow = boughtAt + winBackAfterMs;
    if (dueNow > due) return ctx.schedule('lapsed', key, dueNow);
    fire({ rule: WIN_BACK, shopper: key, causeId: `order@${boughtAt}`, causedAt: boughtAt, ripeAt, at: due, reason: `There was no order for ${Math.round((due - boughtAt) / 86_400_000)} days.`, products: [] }, options, ctx);
  }
}

/** Since when a shopper is a customer who is yet to be welcomed; 0: not. Whoever is known first by what they sent back, or by a history, has ordered before. */
function newSinceAfter({ boughtAt, newSince }: ShopperContact, { time, lines }: Purchase, ctx: Context): number {
  if (boughtAt === 0) return lines.some(({ quantity }) => quantity > 0) && !isHistory(time, ctx) ? time : 0;
  return newSince === 0 ? 0 : Math.min(newSince, time);
}
