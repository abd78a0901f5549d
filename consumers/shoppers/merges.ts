import type { Context, Incoming } from '../../pipeline/core/consumer.js';
import { joinedIds } from '../../schemas/joined-ids.js';
import { userMerges } from '../../schemas/topics.js';
import type { ShopEvent, UserMerge } from '../../schemas/types.js';
import { happenedAt } from '../happened.js';
import { requireShopper } from '../ids.js';

/** What makes one id lead to another: the login that an event is, or carries since it came in one go with it. */
export function mergeOf({ key, value, writtenAt }: Incoming<ShopEvent>, ctx: Context): UserMerge | undefined {
  const { userId, anonymousId, login } = value;
  const joined = joinedIds(value);
  if (joined && joined.from === key) return mergeBy(value.messageId, joined, happenedAt(value.time, writtenAt, ctx));
  if (login === null || userId === null || key !== anonymousId || key === userId) return undefined;
  return mergeBy(login.messageId, { from: key, to: userId }, happenedAt(login.time, writtenAt, ctx));
}

function mergeBy(mergeId: string, joined: { readonly from: string; readonly to: string }, time: number): UserMerge {
  requireShopper('The id to be merged', joined.from);
  requireShopper('userId', joined.to);
  return { mergeId, ...joined, time, erased: [] };
}

/** One that came by way of the former id was told there, in the order of that id's events. */
export function announceMerge(key: string, from: string, event: ShopEvent, ctx: Context): void {
  const joined = joinedIds(event);
  if (!joined || (joined.from === from && key !== from)) return;
  ctx.emit(userMerges, joined.from, mergeBy(event.messageId, joined, event.time));
}
