import type { ShopEvent } from './types.js';

/**
 * Ids that a call says to be one person's: what stands at `from` belongs to `to`. identify says it of the anonymous
 * shopper and the known one, alias of an earlier id and the new one.
 */
export function joinedIds({ type, userId: to, anonymousId, previousId }: ShopEvent): { readonly from: string; readonly to: string } | undefined {
  const from = type === 'identify' ? anonymousId : type === 'alias' ? (previousId ?? anonymousId) : null;
  return from === null || to === null || from === to ? undefined : { from, to };
}
