import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { itemInterests } from '../../schemas/topics.js';
import type { Interest, InterestKind, ItemInterest, ShopEvent, TriggerCandidate } from '../../schemas/types.js';
import { WANTED_MS } from '../../schemas/wanted.js';

/** Items a shopper waits for or wants, by kind, SKU and the id under which they said so: item-watch's rows name them. */
export const interests = rows<Interest>('interest', 'Interest');

/** How long a word of an item stands: what nobody came back to is told of no more. */
const STANDS_MS: Readonly<Record<InterestKind, number>> = { wanted: WANTED_MS, back_in_stock: 365 * 86_400_000 };

/** What a shopper waits for and wants: any page may name one product more, and a login carries all of them over. */
export const WISH_LIMIT = 500;

const SEPARATOR = '\u001f';

const NOTHING = { units: 0, listed: false };

type Place = 'waiting list' | 'wish list' | 'cart' | 'checkout';

const SAID_BY: ReadonlyMap<string, Place> = new Map([
  ['Back In Stock Subscribed', 'waiting list'], ['Product Added to Wishlist', 'wish list'], ['Product Added', 'cart'], ['Wishlist Product Added to Cart', 'cart'], ['Checkout Started', 'checkout'],
]);

const LEFT_BY: ReadonlyMap<string, 'cart' | 'wish list'> = new Map([['Product Removed', 'cart'], ['Product Removed from Wishlist', 'wish list']]);

/** Tell item-watch what an event says the shopper waits for or wants; what they have bought since they do not want. */
export function announceInterests(shopper: string, { event, products, time }: ShopEvent, isOrderedSince: (sku: string) => boolean, ctx: Context): void {
  const from = LEFT_BY.get(event);
  if (from) for (const product of products) stopWanting(shopper, product, time, from, ctx);
  const place = SAID_BY.get(event);
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
  boundWishes(shopper, ctx);
}

/** Of more wishes than are kept those go of which was heard longest ago. A login is bounded before it brings its own: not with each of them. */
export function boundWishes(shopper: string, ctx: Context): void {
  if (ctx.scan(interests, shopper, WISH_LIMIT + 1).length <= WISH_LIMIT) return;
  const latest = ctx.scan(interests, shopper).sort((a, b) => b.value.time - a.value.time || (a.sub < b.sub ? -1 : 1));
  for (const { sub } of latest.slice(WISH_LIMIT)) {
    ctx.count('millrace_wishes_dropped_total');
    endInterest(shopper, sub, ctx);
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
  ctx.emit(itemInterests, sku, { ...interest(sku, shopper, kind, said.time), former });
  ctx.put(interests, shopper, { ...said, time }, sub);
  ctx.schedule('unheard', shopper, time + STANDS_MS[kind], sub);
}

/**
 * Who took the last unit of an item out of the cart does not want it any more, nor who took it off the wish list, unless it stands in the other
 * one. Of a removal that names no quantity nothing is left. One that is told behind a newer word takes out what it names, and ends nothing.
 */
function stopWanting(shopper: string, { sku, quantity }: ShopEvent['products'][number], time: number, from: 'cart' | 'wish list', ctx: Context): void {
  const sub = subOf('wanted', sku, shopper);
  const wish = ctx.get(interests, shopper, sub);
  if (!wish || (wish.time > time && (from === 'wish list' || quantity === null))) return;
  const units = from === 'cart' ? Math.max(0, wish.units - (quantity ?? wish.units)) : wish.units;
  const listed = wish.listed && from !== 'wish list';
  if (wish.time > time || units > 0 || listed) ctx.put(interests, shopper, { ...wish, units, listed }, sub);
  else endInterest(shopper, sub, ctx);
}

/** An order at `time` ends what its shopper said of these items before it. */
export function endOrdered(shopper: string, skus: readonly string[], kinds: readonly InterestKind[], time: number, ctx: Context): void {
  for (const sub of skus.flatMap((sku) => kinds.map((kind) => subOf(kind, sku, shopper)))) {
    const said = ctx.get(interests, shopper, sub);
    if (said && said.time <= time) endInterest(shopper, sub, ctx);
  }
}

/** News that was held over a shopper's quiet hours is told if it still is, which item-watch knows, and they still want the item. */
export function announceHeld(shopper: string, { kind, sku, time, previousPrice, currency }: TriggerCandidate, ctx: Context): void {
  const of = kind === 'price_drop' ? 'wanted' : 'back_in_stock';
  const said = ctx.get(interests, shopper, subOf(of, sku, shopper));
  if (said) ctx.emit(itemInterests, sku, { ...interest(sku, shopper, of, said.time), heldAt: time, seenPrice: previousPrice, seenIn: currency });
}

/** Nobody is told of it any more: item-watch forgets it, too. */
export function endInterest(shopper: string, sub: string, ctx: Context): void {
  withdraw({ sub }, ctx);
  ctx.delete(interests, shopper, sub);
  ctx.cancel('unheard', shopper, sub);
}

/** Tell item-watch that its row has no purpose any more. */
export function withdraw({ sub }: { sub: string }, ctx: Context): void {
  const [kind, sku, shopper] = partsOf(sub);
  ctx.emit(itemInterests, sku, { ...interest(sku, shopper, kind, ctx.now), active: false });
}

const interest = (sku: string, shopper: string, kind: InterestKind, time: number): ItemInterest => ({ sku, shopper, kind, active: true, time, former: null, heldAt: null, seenPrice: null, seenIn: null });

const subOf = (kind: InterestKind, sku: string, shopper: string): string => [kind, sku, shopper].join(SEPARATOR);

function partsOf(sub: string): [kind: InterestKind, sku: string, shopper: string] {
  const [kind, sku = '', shopper = ''] = sub.split(SEPARATOR);
  return [kind === 'wanted' ? kind : 'back_in_stock', sku, shopper];
}
