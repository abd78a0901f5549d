import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { itemInterests } from '../../schemas/topics.js';
import type { Interest, InterestKind, ShopEvent } from '../../schemas/types.js';
import { WANTED_MS } from '../../schemas/wanted.js';

/** Items a shopper waits for or wants, by kind, SKU and the id under which they said so: item-watch's rows name them. */
export const interests = rows<Interest>('interest', 'Interest');

const SEPARATOR = '\u001f';

const NOTHING = { units: 0, listed: false };

type Place = 'waiting list' | 'wish list' | 'cart' | 'checkout';

const SAID_BY: Readonly<Record<string, Place>> = {
  'Back In Stock Subscribed': 'waiting list', 'Product Added to Wishlist': 'wish list', 'Product Added': 'cart', 'Wishlist Product Added to Cart': 'cart', 'Checkout Started': 'checkout',
};

/** Tell item-watch what an event says the shopper waits for or wants; what they have bought since they do not want. */
export function announceInterests(shopper: string, { event, products, time }: ShopEvent, isOrderedSince: (sku: string) => boolean, ctx: Context): void {
  if (event === 'Product Removed from Wishlist') return stopWanting(shopper, products, time, 'wish list', ctx);
  if (event === 'Product Removed') return stopWanting(shopper, products, time, 'cart', ctx);
  const place = SAID_BY[event];
  if (!place) return;
  const kind = place === 'waiting list' ? 'back_in_stock' : 'wanted';
  for (const { sku, quantity } of products) {
    if (kind === 'wanted' && isOrderedSince(sku)) continue;
    const { units, listed } = ctx.get(interests, shopper, subOf(kind, sku, shopper)) ?? NOTHING;
    const said = {
      cart: { time, units: units + (quantity ?? 1), listed },
      checkout: { time, units: quantity ?? Math.max(units, 1), listed },
      'wish list': { time, units, listed: true },
      'waiting list': { time, units, listed: true },
    }[place];
    announce(shopper, kind, sku, said, null, ctx);
  }
}

/** What was said under an id that leads to this one now is this one's: tomorrow that device may lead to somebody else, who must not hear of it. */
export function joinInterest({ key, sub, value: moved }: { key: string; sub: string; value: Interest }, isOrderedSince: (sku: string) => boolean, ctx: Context): void {
  const [kind, sku, former] = partsOf(sub);
  const { units, listed } = ctx.get(interests, key, subOf(kind, sku, key)) ?? NOTHING;
  ctx.cancel('unheard', key, sub);
  if (kind === 'wanted' && isOrderedSince(sku)) return withdraw({ sub }, ctx);
  announce(key, kind, sku, { time: moved.time, units: moved.units + units, listed: moved.listed || listed }, former, ctx);
}

/** An older word that comes late leaves the time of a newer one, which an order in between has not ended. */
function announce(shopper: string, kind: InterestKind, sku: string, said: Interest, former: string | null, ctx: Context): void {
  const sub = subOf(kind, sku, shopper);
  const time = Math.max(said.time, ctx.get(interests, shopper, sub)?.time ?? 0);
  ctx.emit(itemInterests, sku, { sku, shopper, kind, active: true, time: said.time, former });
  ctx.put(interests, shopper, { ...said, time }, sub);
  if (kind === 'wanted') ctx.schedule('unheard', shopper, time + WANTED_MS, sub);
}

/**
 * Who bought an item does not want it any more, nor who took it out of the cart or off the wish list, unless it stands in the other one.
 * Of a removal that names no quantity nothing is left.
 */
export function stopWanting(shopper: string, items: readonly { readonly sku: string; readonly quantity: number | null }[], time: number, from: 'cart' | 'wish list' | 'everywhere', ctx: Context): void {
  for (const { sku, quantity } of items) {
    const sub = subOf('wanted', sku, shopper);
    const wish = ctx.get(interests, shopper, sub);
    if (!wish || wish.time > time) continue;
    const units = from === 'cart' ? Math.max(0, wish.units - (quantity ?? wish.units)) : wish.units;
    const listed = wish.listed && from !== 'wish list';
    if (from !== 'everywhere' && (units > 0 || listed)) ctx.put(interests, shopper, { ...wish, units, listed }, sub);
    else {
      withdraw({ sub }, ctx);
      forgetInterest(shopper, sub, ctx);
    }
  }
}

/** An order at `time` of a shopper who has bought these ends what they wanted of them before. */
export function stopWantingBought(shopper: string, bought: readonly string[], time: number, ctx: Context): void {
  for (const { sub } of ctx.scan(interests, shopper)) {
    const [kind, sku] = partsOf(sub);
    if (kind === 'wanted' && bought.includes(sku)) stopWanting(shopper, [{ sku, quantity: null }], time, 'everywhere', ctx);
  }
}

/** Nothing was heard of it for so long that item-watch has forgotten it, too. */
export function forgetInterest(shopper: string, sub: string, ctx: Context): void {
  ctx.delete(interests, shopper, sub);
  ctx.cancel('unheard', shopper, sub);
}

/** Tell item-watch that its row has no purpose any more. */
export function withdraw({ sub }: { sub: string }, ctx: Context): void {
  const [kind, sku, shopper] = partsOf(sub);
  ctx.emit(itemInterests, sku, { sku, shopper, kind, active: false, time: ctx.now, former: null });
}

const subOf = (kind: InterestKind, sku: string, shopper: string): string => [kind, sku, shopper].join(SEPARATOR);

function partsOf(sub: string): [kind: InterestKind, sku: string, shopper: string] {
  const [kind, sku = '', shopper = ''] = sub.split(SEPARATOR);
  return [kind === 'wanted' ? kind : 'back_in_stock', sku, shopper];
}
