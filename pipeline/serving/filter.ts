import type { Condition, Filter } from '../../infra/http/filter.js';
import type { Items } from './items.js';

/** Whether an item, by its number, passes. */
export type Matches = (item: number) => boolean;

/** A filter as what it asks of items. One that no catalogue knows passes none, not even an empty one. */
export function matching(filter: Filter, items: Items): Matches {
  const conditions = filter.map((condition) => matchingOne(condition, items));
  return (item) => items.isKnown(item) && conditions.every((matches) => matches(item));
}

/** Lists of items that hold all that may be shown, and how long they are together: at least as many as the items. */
export interface Listed {
  readonly lists: readonly Int32Array[];
  readonly count: number;
}

/** The shortest lists that one condition of the filter names; undefined for a filter without conditions. */
export function shortest(filter: Filter, items: Items): Listed | undefined {
  let best: Listed | undefined;
  for (const condition of filter) {
    const lists = items.listed(condition);
    const count = lists.reduce((sum, { length }) => sum + length, 0);
    if (best === undefined || count < best.count) best = { lists, count };
  }
  return best;
}

function matchingOne(condition: Condition, items: Items): Matches {
  switch (condition.field) {
    case 'category': return (item) => isAmong(condition.any, items.categories(item));
    case 'brand': case 'name': {
      const { field, any } = condition;
      return (item) => isAmong(any, items[field](item));
    }
    case 'attribute': return (item) => isAmong(condition.any, items.attribute(item, condition.name));
    // An unknown price is NaN, and no comparison holds of it.
    case 'price': return (item) => items.price(item) >= condition.min && items.price(item) <= condition.max;
    case 'inStock': return (item) => items.inStock(item);
  }
}

/** Whether what an item says, or one of the things that it says, is wanted. */
const isAmong = (any: ReadonlySet<string>, said: string | readonly string[] | null): boolean =>
  typeof said === 'string' ? any.has(said) : said !== null && said.some((text) => any.has(text));
