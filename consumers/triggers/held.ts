import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { TriggerCandidate } from '../../schemas/types.js';

/** News of items that came in somebody's quiet hours, the latest of a kind and item. */
export const held = rows<TriggerCandidate>('held', 'TriggerCandidate');

const subOf = ({ kind, sku }: TriggerCandidate): string => `${kind} ${sku}`;

/** Keep news until its timer `held` is due at the sub that it answers: the latest, with what an item cost before all of it. It does not matter which of two comes first. */
export function hold(key: string, candidate: TriggerCandidate, ctx: Context): string {
  const sub = subOf(candidate);
  const standing = ctx.get(held, key, sub);
  const isLater = !standing || candidate.time > standing.time || (candidate.time === standing.time && candidate.shopper > standing.shopper);
  const [later, earlier = later] = isLater ? [candidate, standing] : [standing, candidate];
  const isDearer = earlier.currency === later.currency && (earlier.previousPrice ?? 0n) > (later.previousPrice ?? 0n);
  ctx.put(held, key, isDearer ? { ...later, previousPrice: earlier.previousPrice } : later, sub);
  return sub;
}

/** News that is told takes the place of what is kept of the same. */
export function unhold(key: string, news: TriggerCandidate, ctx: Context): void {
  const sub = subOf(news);
  if (!ctx.get(held, key, sub)) return;
  ctx.delete(held, key, sub);
  ctx.cancel('held', key, sub);
}
