import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Browsing, Interaction } from '../../schemas/types.js';

/** The latest visit in which a shopper looked at products. */
export const browsings = rows<Browsing>('browsing', 'Browsing');

const SKU_LIMIT = 10;

/** Whether a product is looked at. */
export const isView = ({ event, products }: Interaction): boolean => event === 'Product Viewed' && products.length > 0;

/** The visit as a view leaves it, or undefined when nothing changes. `shopper` is whose it is by now: a view on its way through a login names the device. */
export function browsingAfter(shopper: string, before: Browsing | undefined, { anonymousId, sessionId, time, products }: Interaction): Browsing | undefined {
  const viewed = products.map(({ sku }) => sku);
  const isKnown = shopper !== anonymousId;
  if (before?.sessionId !== sessionId) return before && time <= before.at ? undefined : { sessionId, skus: latest(viewed), since: time, at: time, isKnown, isTold: false };
  if (before.isTold) return undefined;
  const visit = { ...before, isKnown: before.isKnown || isKnown };
  if (time >= before.at) return { ...visit, skus: latest([...viewed, ...before.skus]), at: time };
  return { ...visit, skus: latest([...before.skus, ...viewed]), since: Math.min(before.since, time) };
}

const latest = (skus: readonly string[]): string[] => [...new Set(skus)].slice(0, SKU_LIMIT);

/** Who logs in brings along what was looked at before. Of two ids' visits the later one stands. */
export function joinBrowsing({ key, value: moved }: { key: string; value: Browsing }, ctx: Context): void {
  const standing = ctx.get(browsings, key);
  if (!standing || moved.at > standing.at) ctx.put(browsings, key, { ...moved, isKnown: true });
}
