import * as categories from '../models/categories.js';
import type { Fusion } from '../models/fusion.js';
import * as itemIndex from '../models/item-index.js';
import { replacedBy } from '../schemas/ordering.js';
import type { CatalogChange } from '../schemas/types.js';

type Listed = Pick<Fusion, 'popularity' | 'categories'>;

/** Called when a product has taken over the number (`taken`) of the one that it replaces, with the number that it had before (`own`). */
export type TakesOver = (taken: number, own: number) => void;

/**
 * Learns that a product was listed, with its category, or deleted. A product that `replaces` a deleted one goes on with all that was learned of
 * it, by taking over its number. It does not matter which of the two the catalogue tells first. A product that has been touched as much itself
 * keeps its own number and what was learned of it.
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
