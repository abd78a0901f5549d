import * as itemIndex from '../models/item-index.js';
import type { Popularity } from '../models/popularity.js';

/** Of the items outside the catalogue so many are left when there have been too many: what it costs to forget some is shared by thousands. */
const LEFT = 0.9;
/** A deleted product is remembered for so many records more, in parts of the items known: however many are deleted, they cost a record little. */
const RECORDS_PER_ITEM = 1 / 4;
/** And for so many at least: lists lose the product at once, but what it says of the others must not go with it, or they would change places. */
const DEFAULT_KEPT_DELETED = 10_000;

/**
 * How many items are known, and what becomes of those that the shop no longer has: an item that was taken out of the catalogue is
 * forgotten, and of those that never were in it (anybody with a public key may name any) the least popular, beyond a bound.
 */
export interface KnownItems {
  /** Items outside the catalogue that are remembered at most. */
  readonly mostUnlisted: number;
  /** Records for which a deleted product is remembered at least. */
  readonly keptDeleted: number;
  /** Records since the first deletion that is to be followed. */
  records: number;
  /** Items forgotten so far: deleted ones, and ones outside the catalogue. */
  deleted: number;
  crowdedOut: number;
}

/** @throws Error for a model that was learned where shoppers come back to items, or do not, as the setting no longer has it */
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
 * Called after each record, when nobody holds a number: forgets what is due. `forget` takes the items out of all columns by item;
 * then their numbers go to others.
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

/** Those outside the catalogue that go, so that nine tenths of the bound are left; of equal ones the lower number. */
function leastPopular(index: itemIndex.ItemIndex, { slow }: Popularity, most: number): number[] {
  const items = itemIndex.unlistedItems(index).sort((a, b) => (slow[a] ?? 0) - (slow[b] ?? 0) || a - b);
  return items.slice(0, items.length - Math.floor(most * LEFT));
}
