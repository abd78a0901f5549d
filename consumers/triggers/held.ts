import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { TriggerCandidate } from '../../schemas/types.js';

/** News of items that came in somebody's quiet hours, the latest of a kind and item. */
export const held = rows<TriggerCandidate>('held', 'TriggerCandidate');

const NEWS = ['price_drop', 'back_in_stock'] as const;
const subOf = (kind: string, sku: string): string => `${kind} ${sku}`;

/** Keep news until its timer `held` is due at the sub that it answers. It does not matter which of two comes first. */
export function hold(key: string, candidate: TriggerCandidate, ctx: Context): string {
  const sub = subOf(candidate.kind, candidate.sku);
  const standing = ctx.get(held, key, sub);
  const isLater = !standing || candidate.time > standing.time || (candidate.time === standing.time && candidate.shopper > standing.shopper);
  if (isLater) ctx.put(held, key, candidate, sub);
  return sub;
}

/** Who ordered an item at `time`, or does not wish for it any more, need not hear what became of it before. */
export function unhold(key: string, items: readonly { readonly sku: string }[], time: number, ctx: Context, kinds: readonly string[] = NEWS): void {
  for (const sub of items.flatMap(({ sku }) => kinds.map((kind) => subOf(kind, sku)))) {
    const news = ctx.get(held, key, sub);
    if (!news || news.time > time) continue;
    ctx.delete(held, key, sub);
    ctx.cancel('held', key, sub);
  }
}
