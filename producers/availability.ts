import type { Availability } from '../schemas/types.js';
import { isBlank, shown, type Errors, type Json } from './fields.js';

type Word = Availability | 'sold_out' | 'withdrawn' | 'discontinued';

/** Words of product feeds and of schema.org, without case, blanks and signs. */
const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ['instock', 'in_stock'], ['available', 'in_stock'], ['limitedavailability', 'in_stock'], ['onlineonly', 'in_stock'], ['instoreonly', 'in_stock'], ['true', 'in_stock'],
  ['outofstock', 'sold_out'], ['soldout', 'sold_out'], ['unavailable', 'sold_out'], ['reserved', 'sold_out'], ['false', 'sold_out'],
  ['preorder', 'on_order'], ['presale', 'on_order'], ['backorder', 'on_order'], ['madetoorder', 'on_order'], ['availablefororder', 'on_order'],
  ['discontinued', 'discontinued'], ['hidden', 'withdrawn'],
]);

/** What a product's `availability` says beside its quantity. */
export interface Available {
  readonly quantity: number | null;
  readonly availability: Availability | null;
  /** It must not be shown any more. */
  readonly withdrawn: boolean;
  /** It is not made any more. */
  readonly discontinued: boolean;
}

function wordOf(errors: Errors, from: Json): Word | null {
  const value = from['availability'];
  if (isBlank(value)) return null;
  const isWord = typeof value === 'string' || typeof value === 'boolean';
  const word = isWord ? WORDS.get(String(value).replace(/^https?:\/\/(www\.)?schema\.org\//i, '').replace(/[\s_-]+/g, '').toLowerCase()) : undefined;
  if (word === undefined) {
    errors.push({
      path: 'availability', code: isWord ? 'unknown_availability' : 'wrong_type',
      message: `${shown(value)} is not understood; write in_stock, out_of_stock, preorder, backorder, discontinued or hidden.`,
    });
  }
  return word ?? null;
}

/** A number of units says more than "in stock"; that something cannot be had says more than a number. */
export function availableOf(errors: Errors, from: Json, quantity: number | null): Available {
  const word = wordOf(errors, from);
  const said = { quantity, availability: null, withdrawn: false, discontinued: false };
  switch (word) {
    case 'sold_out': return { ...said, quantity: 0 };
    case 'withdrawn': return { ...said, withdrawn: true };
    case 'discontinued': return { ...said, withdrawn: true, discontinued: true };
    case 'on_order': return { ...said, quantity: null, availability: word };
    case 'in_stock': return { ...said, availability: word };
    case null: return said;
  }
}
