import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { Browsing, Interaction } from '../../schemas/types.js';
import { beganAt, firstOf, isOfVisit, SESSION_GAP_MS } from '../session-ids.js';

/** The latest visit in which a shopper looked at products. */
export const browsings = rows<Browsing>('browsing', 'Browsing');

const SKU_LIMIT = 10;

/** Whether a product is looked at. */
export const isView = ({ event, products }: Interaction): boolean => event === 'Product Viewed' && products.length > 0;

/** The visit as a view leaves it, or undefined when nothing changes. `shopper` is whose it is by now: a view on its way through a login names the device. */
export function browsingAfter(shopper: string, before: Browsing | undefined, event: Interaction): Browsing | undefined {
  const { anonymousId, sessionId, time, products } = event;
  const viewed = { skus: products.map(({ sku }) => sku), names: products.map(({ name }) => name) };
  const isKnown = shopper !== anonymousId;
  if (!before || !isOfVisit(before, event)) return before && time <= before.at ? undefined : { sessionId, ...latest(viewed), at: time, isKnown, isTold: false };
  const visit = { ...before, sessionId: firstOf(before.sessionId, sessionId), isKnown };
  return time >= before.at ? { ...visit, ...latest(viewed, before), at: time } : { ...visit, ...latest(before, viewed) };
}

type Looked = Pick<Browsing, 'skus' | 'names'>;

/** What was looked at, the latest first, as much as is kept. */
function latest(...visits: readonly Looked[]): Looked {
  const titles = new Map<string, string | null>();
  for (const { skus, names } of visits) skus.forEach((sku, i) => titles.set(sku, titles.get(sku) ?? names[i] ?? null));
  const kept = [...titles].slice(0, SKU_LIMIT);
  return { skus: kept.map(([sku]) => sku), names: kept.map(([, name]) => name) };
}

/**
 * Who logs in brings along what was looked at before. Of two ids' visits the later one stands, with what the other one looked at
 * where no visit can have ended between them: what comes in one go with a login is told before the device's visit has followed.
 */
export function joinBrowsing({ key, value: moved }: { key: string; value: Browsing }, ctx: Context): void {
  const standing = ctx.get(browsings, key);
  if (!standing) return ctx.put(browsings, key, { ...moved, isKnown: true });
  const [later, earlier] = moved.at > standing.at ? [moved, standing] : [standing, moved];
  const isOne = beganAt(later.sessionId) <= earlier.at + SESSION_GAP_MS;
  const joined = isOne ? { ...latest(later, earlier), sessionId: firstOf(later.sessionId, earlier.sessionId) } : {};
  ctx.put(browsings, key, { ...later, ...joined, isKnown: true });
}
