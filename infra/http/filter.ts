import { isObject, type Errors, type Json } from '../../producers/fields.js';
import { parseMoney } from '../../producers/money.js';

/** What an item must be: of all its categories, or all values of an attribute, one must be among `any`. Prices are in the shop's currency, both ends within. */
export type Condition =
  | { readonly field: 'category' | 'brand' | 'name'; readonly any: ReadonlySet<string> }
  | { readonly field: 'attribute'; readonly name: string; readonly any: ReadonlySet<string> }
  | { readonly field: 'price'; readonly min: number; readonly max: number }
  | { readonly field: 'inStock' };

/** Conditions that must all hold; an item that lacks a field, or that no catalogue knows, passes none. */
export type Filter = readonly Condition[];

const ATTRIBUTE = 'attributes.';

/**
 * Read the `filter` of a request: `category`, `brand`, `name` and `attributes.<name>` take a text, a number, true or false, or a list of these,
 * `price` takes `{ min, max }`, `inStock` takes true. Null where there is none; every wrong condition is added to `errors`.
 */
export function filterOf(errors: Errors, body: Json): Filter | null {
  const filter = body['filter'];
  if (filter === undefined || filter === null) return null;
  if (!isObject(filter)) {
    wrong(errors, 'filter', 'This must be an object of conditions.');
    return null;
  }
  return Object.entries(filter).flatMap(([field, wanted]) => conditionOf(errors, field, wanted));
}

function conditionOf(errors: Errors, field: string, wanted: unknown): Filter {
  const path = `filter.${field.slice(0, 80)}`;
  switch (field) {
    case 'category': case 'brand': case 'name': return [{ field, any: textsOf(errors, path, wanted) }];
    case 'price': return [{ field, ...boundsOf(errors, path, wanted) }];
    case 'inStock':
      if (typeof wanted !== 'boolean') wrong(errors, path, 'This must be true or false.');
      return wanted === true ? [{ field }] : [];
    default:
      if (field.startsWith(ATTRIBUTE) && field !== ATTRIBUTE) return [{ field: 'attribute', name: field.slice(ATTRIBUTE.length), any: textsOf(errors, path, wanted) }];
      wrong(errors, path, 'Filters are category, brand, name, attributes.<name>, price {min, max} and inStock.');
      return [];
  }
}

function textsOf(errors: Errors, path: string, wanted: unknown): Set<string> {
  const given: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  // A catalogue keeps numbers and booleans as their texts, and so they are asked for.
  const texts = given.filter((value) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean').map(String);
  if (texts.length < given.length) wrong(errors, path, 'This must be a text, a number, true or false, or a list of these.');
  return new Set(texts);
}

function boundsOf(errors: Errors, path: string, wanted: unknown): { min: number; max: number } {
  const bounds = isObject(wanted) && Object.keys(wanted).every((name) => name === 'min' || name === 'max') ? wanted : undefined;
  if (!bounds) wrong(errors, path, 'This must be an object with min, max or both.');
  const bound = (name: 'min' | 'max', none: number): number => {
    const value = bounds?.[name];
    if (value === undefined) return none;
    const amount = typeof value === 'number' || typeof value === 'string' ? parseMoney(String(value)) : undefined;
    if (amount === undefined) wrong(errors, `${path}.${name}`, 'This must be an amount such as 12.50.');
    return amount === undefined ? none : Number(amount) / 10_000;
  };
  const [min, max] = [bound('min', -Infinity), bound('max', Infinity)];
  if (min > max) wrong(errors, path, `No price is ${min} or more and ${max} or less: min and max are exchanged.`);
  return { min, max };
}

function wrong(errors: Errors, path: string, message: string): void {
  errors.push({ path, code: 'invalid_filter', message });
}
