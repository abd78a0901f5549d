import * as categories from '../models/categories.js';
import type { Fusion } from '../models/fusion.js';
import * as itemIndex from '../models/item-index.js';
import { replacedBy } from '../schemas/ordering.js';
import type { CatalogChange } from '../schemas/types.js';

type Listed = Pick<Fusion, 'popularity' | 'categories'>;

/** Told of the number that a product has taken from the one that it replaces, and of the one that it had. */
export type TakesOver = (taken: number, own: number) => void;

/**
 * A product put in or taken out, and its category. Once a product is deleted, the one that `replaces` it goes on from all that was learned of it, by its
 * number, whichever of the two was told first; unless that one has been touched as much itself: it keeps what it has learned.
 */
export function learnListing(index: itemIndex.ItemIndex, model: Listed, { op, sku, attributes, category }: CatalogChange, takesOver: TakesOver = () => {}): void {
  if (op === 'delete') {
    itemIndex.drop(index, sku);
    itemIndex.noteReplaced(index, sku, null);
    const successor = index.replacedBy.get(sku);
    if (successor !== undefined) succeed(index, model, successor, sku, takesOver);
    return;
  }
  const replaced = replacedBy(attributes['replaces']);
  itemIndex.list(index, sku);
  itemIndex.relist(index, sku);
  itemIndex.noteReplaced(index, sku, replaced);
  if (replaced !== null) succeed(index, model, sku, replaced, takesOver);
  categories.learn(model.categories, itemIndex.numberOf(index, sku), category);
}

function succeed(index: itemIndex.ItemIndex, { popularity: { slow }, categories: named }: Listed, sku: string, gone: string, takesOver: TakesOver): void {
  const [own, taken] = [itemIndex.numberOf(index, sku), itemIndex.numberOf(index, gone)];
  if (!itemIndex.mayReplace(index, own, taken) || (slow[own] ?? 0) >= (slow[taken] ?? 0)) return;
  itemIndex.replace(index, sku, gone);
  categories.takeOver(named, taken, own);
  takesOver(taken, own);
}
