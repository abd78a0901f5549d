import * as itemIndex from '../models/item-index.js';
import type { Popularity } from '../models/popularity.js';

/** When there are too many items outside the catalogue, they are reduced to this part of the bound: to forget is costly, so thousands are forgotten at once. */
const LEFT = 0.9;
/** A deleted product is remembered for so many more records, for each item that is known. So deletions cost each record little, however many there are. */
const RECORDS_PER_ITEM = 1 / 4;
/** It is remembered for so many records at least. It leaves the lists at once, but what was learned by it of other items must stay for a while, or these would change places. */
const DEFAULT_KEPT_DELETED = 10_000;

/**
 * Which items are forgotten. An item that was taken out of the catalogue is forgotten after a while. Items that never were in it (anybody with a
 * public key may name any) are kept up to a bound; beyond it the least popular are forgotten.
 */
export interface KnownItems {
  /** Items outside the catalogue that are remembered at most. */
  readonly mostUnlisted: number;
  /** Records for which a deleted product is remembered at least. */
  readonly keptDeleted: number;
  /** Records since the first deletion that still waits. */
  records: number;
  /** Items forgotten so far: deleted ones, and ones outside the catalogue. */
  deleted: number;
  crowdedOut: number;
}

/** @throws Error where a model was learned with another setting of SHOP_REPEATS */
export function checkRepeats(learned: boolean, repeats: boolean): void {
  if (learned !== repeats) throw new Error(`it was learned with SHOP_REPEATS=${learned}`);
}

const DEFAULT_MOST_UNLISTED = 200_000;

/** How much is remembered of what the shop does not have. */
export interface Bounds {
  readonly mostUnlisted?: number | undefined;
  readonly keptDeleted?: number | undefined;
}

export const noItems = ({ mostUnlisted = DEFAULT_MOST_UNLISTED, keptDeleted = DEFAULT_KEPT_DELETED }: Bounds = {}): KnownItems => ({ mostUnlisted, keptDeleted, records: 0, deleted: 0, crowdedOut: 0 });

export const knownItemsSnapshot = ({ records, deleted, crowdedOut }: KnownItems): Uint8Array => Buffer.from(JSON.stringify({ records, deleted, crowdedOut }));

export function restoreKnownItems(bytes: Uint8Array, bounds: Bounds): KnownItems {
  const { records, deleted, crowdedOut } = JSON.parse(Buffer.from(bytes).toString()) as Pick<KnownItems, 'records' | 'deleted' | 'crowdedOut'>;
  return { ...noItems(bounds), records, deleted, crowdedOut };
}

/**
 * Forgets the items that are due. To be called after each record, when nobody holds an item's number: `forget` must delete all that is kept by
 * the numbers of the items, which new items get then.
 */
export function forgetDue(known: KnownItems, index: itemIndex.ItemIndex, popular: Popularity, forget: (items: Int32Array) => void): void {
  known.records = index.dropped === 0 ? 0 : known.records + 1;
  const isCrowded = itemIndex.unlisted(index) > known.mostUnlisted;
  const wait = Math.max(known.keptDeleted, itemIndex.size(index) * RECORDS_PER_ITEM);
  if (!isCrowded && (index.dropped === 0 || known.records <= wait)) return;
  const deleted = itemIndex.droppedItems(index);
  const crowdedOut = isCrowded ? leastPopular(index, popular, known.mostUnlisted) : [];
  const items = Int32Array.from([...deleted, ...crowdedOut]).sort();
  forget(items);
  known.records = 0;
  known.deleted += deleted.length;
  known.crowdedOut += crowdedOut.length;
  itemIndex.forget(index, items);
}

/** The least popular items outside the catalogue, so many that nine tenths of the bound are left. Of equal ones the lower numbers go first. */
function leastPopular(index: itemIndex.ItemIndex, { slow }: Popularity, most: number): number[] {
  const items = itemIndex.unlistedItems(index).sort((a, b) => (slow[a] ?? 0) - (slow[b] ?? 0) || a - b);
  return items.slice(0, items.length - Math.floor(most * LEFT));
}
