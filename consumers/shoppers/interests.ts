import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { itemInterests } from '../../schemas/topics.js';
import type { InterestKind, Mention, ShopEvent } from '../../schemas/types.js';
import { WANTED_MS } from '../../schemas/wanted.js';

/** Items a shopper waits for or wants, by kind, SKU and the id under which they said so: item-watch's rows name them. */
export const interests = rows<Mention>('interest', 'Mention');

const SEPARATOR = '\u001f';

const SAID_BY: Readonly<Record<string, InterestKind>> = {
  'Back In Stock Subscribed': 'back_in_stock', 'Product Added': 'wanted', 'Product Added to Wishlist': 'wanted', 'Wishlist Product Added to Cart': 'wanted', 'Checkout Started': 'wanted',
};

/** Tell item-watch what an event says the shopper waits for or wants; what they have bought since they do not want. */
export function announceInterests(shopper: string, { event, products, time }: ShopEvent, isOrderedSince: (sku: string) => boolean, ctx: Context): void {
  if (event === 'Product Removed from Wishlist') return stopWanting(shopper, products, time, ctx);
  const kind = SAID_BY[event];
  if (!kind) return;
  for (const { sku } of products) {
    if (kind === 'wanted' && isOrderedSince(sku)) continue;
    announce(shopper, kind, sku, time, null, ctx);
  }
}

/** What was said under an id that leads to this one now is this one's: tomorrow that device may lead to somebody else, who must not hear of it. */
export function joinInterest({ key, sub, value: { time } }: { key: string; sub: string; value: Mention }, ctx: Context): void {
  const [kind, sku, former] = partsOf(sub);
  announce(key, kind, sku, time, former, ctx);
}

/** An older word that comes late leaves the time of a newer one, which an order in between has not ended. */
function announce(shopper: string, kind: InterestKind, sku: string, time: number, former: string | null, ctx: Context): void {
  const sub = [kind, sku, shopper].join(SEPARATOR);
  ctx.emit(itemInterests, sku, { sku, shopper, kind, active: true, time, former });
  ctx.put(interests, shopper, { time: Math.max(time, ctx.get(interests, shopper, sub)?.time ?? 0) }, sub);
}

/** Who bought an item, or took it off the wish list, does not want it any more, whichever of their ids said so. */
export function stopWanting(shopper: string, items: readonly { readonly sku: string }[], time: number, ctx: Context): void {
  const skus = new Set(items.map(({ sku }) => sku));
  for (const { sub, value } of ctx.scan(interests, shopper)) {
    const [kind, sku] = partsOf(sub);
    if (kind !== 'wanted' || value.time > time) continue;
    if (skus.has(sku)) withdraw({ sub }, ctx);
    if (skus.has(sku) || value.time + WANTED_MS < time) ctx.delete(interests, shopper, sub);
  }
}

/** Tell item-watch that its row has no purpose any more. */
export function withdraw({ sub }: { sub: string }, ctx: Context): void {
  const [kind, sku, shopper] = partsOf(sub);
  ctx.emit(itemInterests, sku, { sku, shopper, kind, active: false, time: ctx.now, former: null });
}

function partsOf(sub: string): [kind: InterestKind, sku: string, shopper: string] {
  const [kind, sku = '', shopper = ''] = sub.split(SEPARATOR);
  return [kind === 'wanted' ? kind : 'back_in_stock', sku, shopper];
}
