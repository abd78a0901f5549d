import type { Context } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import { isMoney, MAX_MONEY, MONEY_SCALE } from '../../schemas/money.js';
import { saleDatesOf, salePriceOf } from '../../schemas/ordering.js';
import type { Mention, PriceFollower, Product } from '../../schemas/types.js';

/** Who is told when an item costs less, by shopper, and the same by what it cost when they took to it, the dearest first, with when that was. */
const followers = rows<PriceFollower>('follower', 'PriceFollower');
const turns = rows<Mention>('price', 'Mention');
const PRICE_DIGITS = String(MAX_MONEY).length;

const priceOf = (turn: string): bigint => MAX_MONEY - BigInt(turn.slice(0, PRICE_DIGITS));
const turnOf = (price: bigint, shopper: string): string => String(MAX_MONEY - price).padStart(PRICE_DIGITS, '0') + shopper;

/** What an item costs at a time: its sale price where one is given that has no dates, or whose dates are on; undefined where nobody said. A sale price in another currency is none: nothing is converted. */
export function offerOf({ price, currency, attributes }: Product, time: number): bigint | undefined {
  const sale = salePriceOf(attributes['sale_price']);
  const soldIn = /[A-Za-z]{3}\s*$/.exec(attributes['sale_price'] ?? '')?.[0].trim().toUpperCase() ?? currency;
  const offered = sale !== null && (currency === null || soldIn === currency) && isOn(attributes['sale_price_effective_date'], time) ? BigInt(Math.round(sale * Number(MONEY_SCALE))) : price;
  return offered !== null && offered > 0n && isMoney(offered) ? offered : undefined;
}

/** Whether a sale is on. Its days, where it has no times, are UTC's. */
function isOn(dates: string | undefined, time: number): boolean {
  const ends = saleDatesOf(dates);
  if (!ends) return ends === null;
  const [start, end] = ends.map((one, at) => ('time' in one ? one.time : (one.day + at) * 86_400_000));
  return time >= start! && time < end!;
}

/** From now on the shopper is told when it costs less than it does, unless they have taken to it since. */
export function follow(product: Product, shopper: string, time: number, ctx: Context): void {
  const price = offerOf(product, time);
  if (price === undefined) unfollow(product.sku, shopper, ctx);
  else note(product.sku, shopper, { price, currency: product.currency, time }, ctx);
}

export function unfollow(sku: string, shopper: string, ctx: Context): void {
  const before = ctx.get(followers, sku, shopper);
  if (!before) return;
  ctx.delete(turns, sku, turnOf(before.price, shopper));
  ctx.delete(followers, sku, shopper);
}

/** What was wanted under a former id of a shopper is wanted by them, at the price it had. */
export function followAs(shopper: string, former: string, sku: string, ctx: Context): void {
  const wish = wishOf(sku, former, ctx);
  unfollow(sku, former, ctx);
  if (wish) note(sku, shopper, wish, ctx);
}

type Wish = PriceFollower & Mention;

function wishOf(sku: string, shopper: string, ctx: Context): Wish | undefined {
  const follower = ctx.get(followers, sku, shopper);
  const turn = follower && ctx.get(turns, sku, turnOf(follower.price, shopper));
  return turn && { ...follower, ...turn };
}

function note(sku: string, shopper: string, { price, currency, time }: Wish, ctx: Context): void {
  if ((wishOf(sku, shopper, ctx)?.time ?? -Infinity) > time) return;
  unfollow(sku, shopper, ctx);
  ctx.put(followers, sku, { price, currency }, shopper);
  ctx.put(turns, sku, { time }, turnOf(price, shopper));
}

/**
 * News of a drop that was held: whether the price at which an item is `offered` now (undefined: it is not to be had) still is less by `percent`
 * or more than what a follower had `seen` before. If not, that stays what they have seen. Answers the price that they are to be told.
 */
export function dropSince(
  product: Product, shopper: string, { seen, offered, percent, shopCurrency }: { seen: PriceFollower; offered: bigint | undefined; percent: number; shopCurrency: string }, ctx: Context,
): bigint | undefined {
  const wish = wishOf(product.sku, shopper, ctx);
  if (!wish) return undefined;
  const dropped = offered !== undefined && isSameMoney(seen, product, shopCurrency) && isDrop(seen.price, offered, percent) ? offered : undefined;
  note(product.sku, shopper, { ...(dropped === undefined ? seen : { price: dropped, currency: product.currency }), time: wish.time }, ctx);
  return dropped;
}

const isDrop = (from: bigint, to: bigint, percent: number): boolean => to * 100n <= from * BigInt(100 - percent);

/** What it cost in another currency says nothing of what it costs in this one. A price that names none is in the shop's. */
const isSameMoney = (one: Pick<Product, 'currency'>, other: Pick<Product, 'currency'>, shopCurrency: string): boolean => (one.currency ?? shopCurrency) === (other.currency ?? shopCurrency);

/**
 * Tell those for whom an item costs less by `percent` or more than it did, the dearest price first: `most` of them. Each is told again when
 * it costs less by so much once more. Answers whether more are left.
 */
export function tellDrops(product: Product, { percent, most, time, shopCurrency }: { percent: number; most: number; time: number; shopCurrency: string }, tell: (shopper: string, previous: bigint) => void, ctx: Context): boolean {
  const { sku, currency } = product;
  const price = offerOf(product, time);
  if (price === undefined) return false;
  const isTold = ({ sub }: { sub: string }): boolean => isDrop(priceOf(sub), price, percent);
  // Nearly every change is none: of a hundred thousand who want it one row is read.
  if (!ctx.scan(turns, sku, 1).some(isTold)) return false;
  const told = ctx.scan(turns, sku, most + 1).filter(isTold);
  for (const { sub, value } of told.slice(0, most)) {
    const shopper = sub.slice(PRICE_DIGITS);
    const follower = ctx.get(followers, sku, shopper);
    note(sku, shopper, { price, currency, ...value }, ctx);
    if (follower && isSameMoney(follower, product, shopCurrency)) tell(shopper, priceOf(sub));
  }
  return told.length > most;
}
