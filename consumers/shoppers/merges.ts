import type { Context, Incoming } from '../../pipeline/core/consumer.js';
import { joinedIds } from '../../schemas/joined-ids.js';
import { userMerges } from '../../schemas/topics.js';
import type { Claim, ShopEvent, UserMerge } from '../../schemas/types.js';
import { happenedAt } from '../happened.js';
import { requireShopper } from '../ids.js';

/** Whether what a page says is said by the user whose id it names, or by the shop's own systems. */
export const isProven = (claim: Claim | null, userId: string): boolean => claim === null || claim.provenUser === userId;

/** What makes one id lead to another: the login that an event is, or carries since it came in one go with it. */
export function mergeOf(record: Incoming<ShopEvent>, ctx: Context): UserMerge | undefined {
  const merge = mergeIn(record, ctx);
  // What was sent before an erasure and comes again joins nobody.
  return merge && !ctx.wasErased(record.key, record.value.time) ? merge : undefined;
}

function mergeIn({ key, value, writtenAt }: Incoming<ShopEvent>, ctx: Context): UserMerge | undefined {
  const { userId, anonymousId, login } = value;
  const joined = joinedIds(value);
  if (joined && joined.from === key) return mergeBy(value.messageId, joined, value.claim, happenedAt(value.time, writtenAt, ctx));
  if (login === null || userId === null || key !== anonymousId || key === userId) return undefined;
  return mergeBy(login.messageId, { from: key, to: userId }, login.claim, happenedAt(login.time, writtenAt, ctx));
}

function mergeBy(mergeId: string, joined: { readonly from: string; readonly to: string }, claim: Claim | null, time: number): UserMerge {
  requireShopper('The id to be merged', joined.from);
  requireShopper('userId', joined.to);
  return { mergeId, ...joined, time, erased: [], fromProven: isProven(claim, joined.from), toProven: isProven(claim, joined.to), forgotten: false };
}

/** What a login or an alias says of its user alone, when it may not give up the id that it names beside. */
export const withoutMerge = (event: ShopEvent): ShopEvent => ({ ...event, anonymousId: null, previousId: null, login: null });

/** Whether an event names its key as a user's id. An erasure names any id so. */
export const namesUser = ({ key, value: { userId, event, time } }: Incoming<ShopEvent>, ctx: Context): boolean =>
  userId === key && event !== 'User Erased' && !ctx.wasErased(key, time);

/** One that came by way of the former id was told there, in the order of that id's events. */
export function announceMerge(key: string, from: string, event: ShopEvent, ctx: Context): void {
  const joined = joinedIds(event);
  if (!joined || (joined.from === from && key !== from)) return;
  ctx.emit(userMerges, joined.from, mergeBy(event.messageId, joined, event.claim, event.time));
}
