import type { Context } from '../../pipeline/core/consumer.js';
import { partOf } from './members.js';
import { memberKey, memberRows, SHOP, unlistedRows } from './rows.js';

/**
 * SKUs that only pages have named. Anybody can make them up, so they get a series only in a shop that has no catalogue, and
 * then so many: else names made up by the thousand would stand in every total and fill the store.
 */
const none = { catalogued: false, skus: 0 };

/** Whether a SKU that has no series gets one by a claim. */
export function isClaimable(isListed: boolean, most: number, ctx: Context): boolean {
  if (isListed) return true;
  const { catalogued, skus } = ctx.get(unlistedRows, SHOP) ?? none;
  return !catalogued && skus < most;
}

/** The shop has told of a product: from now on it has a catalogue. */
export function catalogue(ctx: Context): void {
  const known = ctx.get(unlistedRows, SHOP) ?? none;
  if (!known.catalogued) ctx.put(unlistedRows, SHOP, { ...known, catalogued: true });
}

/** A member that has its series by a claim alone. */
export function claim(sku: string, ctx: Context): void {
  const known = ctx.get(unlistedRows, SHOP) ?? none;
  const key = memberKey(partOf(sku));
  const member = ctx.get(memberRows, key, sku);
  if (!member) return;
  ctx.put(memberRows, key, { ...member, unlisted: true }, sku);
  ctx.put(unlistedRows, SHOP, { ...known, skus: known.skus + 1 });
}

/** The shop has named a SKU itself, or it is forgotten: it takes no place of the others any more. Answers whether it did. */
export function release(sku: string, ctx: Context): boolean {
  const known = ctx.get(unlistedRows, SHOP) ?? none;
  if (known.skus === 0) return false;
  const key = memberKey(partOf(sku));
  const member = ctx.get(memberRows, key, sku);
  if (!member?.unlisted) return false;
  ctx.put(memberRows, key, { ...member, unlisted: false }, sku);
  ctx.put(unlistedRows, SHOP, { ...known, skus: known.skus - 1 });
  return true;
}
