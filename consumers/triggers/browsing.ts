import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Browsing, Interaction } from '../../schemas/types.js';
import { beganAt, SESSION_GAP_MS } from '../session-ids.js';

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

/**
 * Who logs in brings along what was looked at before. Of two ids' visits the later one stands, with what the other one looked at
 * where no visit can have ended between them: what comes in one go with a login is told before the device's visit has followed.
 */
export function joinBrowsing({ key, value: moved }: { key: string; value: Browsing }, ctx: Context): void {
  const standing = ctx.get(browsings, key);
  if (!standing) return ctx.put(browsings, key, { ...moved, isKnown: true });
  const [later, earlier] = moved.at > standing.at ? [moved, standing] : [standing, moved];
  const isOne = later.since <= earlier.at + SESSION_GAP_MS;
  const joined = isOne ? { skus: latest([...later.skus, ...earlier.skus]), since: Math.min(later.since, earlier.since, beganAt(earlier.sessionId)) } : {};
  ctx.put(browsings, key, { ...later, ...joined, isKnown: true });
}
