import type { Context, Due } from '../../pipeline/core/consumer.js';
import type { RowKind } from '../../pipeline/core/rows.js';
import { userMerges } from '../../schemas/topics.js';
import type { Mention, UserProfile } from '../../schemas/types.js';
import { endInterest, interests } from './interests.js';
import { seenMessages, seenUntil } from './seen.js';

interface Kept {
  readonly profiles: RowKind<UserProfile>;
  readonly orders: RowKind<Mention>;
  /** After so long (ms) nobody waits for a visitor to come back; 0: for ever. */
  readonly forgetAfterMs: number;
}

/**
 * Forget what has had its time: message ids when the last of them came a day ago, and then all of a visitor who has not been here for
 * `forgetAfterMs`, has no user id and has ordered nothing. What stays is looked at again when its time comes.
 */
export function forgetUnseen({ key, due }: Due, { profiles, orders, forgetAfterMs }: Kept, ctx: Context): void {
  const until = seenUntil(key, ctx);
  if (until > due) return ctx.schedule('unseen', key, until);
  if (until > 0) ctx.delete(seenMessages, key);
  const profile = ctx.get(profiles, key);
  // Who has ordered is found by the order when they are to be erased, and who has a user id may log in again.
  if (forgetAfterMs === 0 || !profile || profile.known || profile.bought.length > 0 || ctx.scan(orders, key, 1).length > 0) return;
  const goesAt = profile.lastSeen + forgetAfterMs;
  if (goesAt > due) return ctx.schedule('unseen', key, goesAt);
  for (const { sub } of ctx.scan(interests, key)) endInterest(key, sub, ctx);
  ctx.delete(profiles, key);
  ctx.emit(userMerges, key, { mergeId: `unseen@${profile.lastSeen}`, from: key, to: key, time: profile.lastSeen, erased: [key], fromProven: true, toProven: true, forgotten: true });
}
