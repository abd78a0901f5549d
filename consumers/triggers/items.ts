import type { Context, Due } from '../../pipeline/core/consumer.js';
import { rows } from '../../pipeline/core/rows.js';
import type { ItemInfo, MarketingTrigger } from '../../schemas/types.js';
import { WANTED_MS } from '../../schemas/wanted.js';
import { carts } from './carts.js';

/** What is known of the items a shopper was told of or put into a cart. */
export const itemInfos = rows<ItemInfo>('item', 'ItemInfo');

/** One that stands in a cart is looked at again after this. */
const LOOK_AGAIN_MS = 30 * 86_400_000;

/** Keep what is known of an item for as long as item-watch knows who wants it. */
export function know(key: string, sku: string, info: ItemInfo, ctx: Context): void {
  ctx.put(itemInfos, key, info, sku);
  ctx.schedule('stale', key, info.time + WANTED_MS, sku);
}

/** Items that stand in any cart of a shopper: what is known of them is still asked for. */
export const skusInCarts = (key: string, ctx: Context): ReadonlySet<string> => new Set(ctx.scan(carts, key).flatMap(({ value }) => value.lines.map(({ sku }) => sku)));

export function forgetItem({ key, sub: sku, due }: Due, ctx: Context): void {
  if (skusInCarts(key, ctx).has(sku)) ctx.schedule('stale', key, due + LOOK_AGAIN_MS, sku);
  else ctx.delete(itemInfos, key, sku);
}

/** A product of a trigger, with what item-watch has told of it; its title is else the one that events told. */
export function productOf(
  shopper: string, { sku, name = null, quantity, price }: { sku: string; name?: string | null | undefined; quantity: number | null; price: bigint | null }, ctx: Context,
): MarketingTrigger['products'][number] {
  const info = ctx.get(itemInfos, shopper, sku);
  return { sku, name: info?.name ?? name, url: info?.url ?? null, quantity, price: info?.price ?? price, stock: info?.stock ?? null };
}

/** What was told to either id was told to the shopper. */
export function joinItemInfo({ key, sub: sku, value: moved }: { key: string; sub: string; value: ItemInfo }, ctx: Context): void {
  const standing = ctx.get(itemInfos, key, sku);
  if (!standing) return ctx.put(itemInfos, key, moved, sku);
  const [later, earlier] = moved.time > standing.time ? [moved, standing] : [standing, moved];
  ctx.put(itemInfos, key, { ...later, toldRestock: later.toldRestock ?? earlier.toldRestock, toldDrop: later.toldDrop ?? earlier.toldDrop }, sku);
}
