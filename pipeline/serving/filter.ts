import { parseMoney } from '../../producers/money.js';
import type { Items } from './items.js';

export interface FilterError {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Whether an item, by its number, passes. */
export type Matches = (item: number) => boolean;

const TEXT_FIELDS = ['category', 'brand', 'name'] as const;

/**
 * Read a filter: `category`, `brand`, `name` and `attributes.<name>` take a string or a list of them (any may match),
 * `price` takes `{ min, max }`, `inStock` takes true. All conditions must hold; an item that lacks a field, or that no
 * catalogue knows, does not match.
 */
export function readFilter(filter: Readonly<Record<string, unknown>>, items: Items): { matches: Matches } | { errors: FilterError[] } {
  const errors: FilterError[] = [];
  const conditions: Matches[] = [(item) => items.isKnown(item)];
  for (const [field, wanted] of Object.entries(filter)) {
    const path = `filter.${field}`;
    const textField = TEXT_FIELDS.find((name) => name === field);
    if (textField) conditions.push(oneOf((item) => items[textField](item), wanted, path, errors));
    else if (field.startsWith('attributes.') && field !== 'attributes.') conditions.push(oneOf((item) => items.attribute(item, field.slice('attributes.'.length)), wanted, path, errors));
    else if (field === 'price') conditions.push(within(items, wanted, path, errors));
    else if (field === 'inStock' && typeof wanted === 'boolean') conditions.push((item) => !wanted || items.inStock(item));
    else if (field === 'inStock') errors.push({ path, code: 'wrong_type', message: 'This must be true or false.' });
    else errors.push({ path, code: 'unknown_filter', message: 'Filters are category, brand, name, attributes.<name>, price {min, max} and inStock.' });
  }
  return errors.length > 0 ? { errors } : { matches: (item) => conditions.every((condition) => condition(item)) };
}

function oneOf(field: (item: number) => string | null, wanted: unknown, path: string, errors: FilterError[]): Matches {
  const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  if (!values.every((value) => typeof value === 'string')) errors.push({ path, code: 'wrong_type', message: 'This must be a string or a list of strings.' });
  const set = new Set(values);
  return (item) => set.has(field(item));
}

function within(items: Items, wanted: unknown, path: string, errors: FilterError[]): Matches {
  if (typeof wanted !== 'object' || wanted === null || Object.keys(wanted).some((name) => name !== 'min' && name !== 'max')) {
    errors.push({ path, code: 'wrong_type', message: 'This must be an object with min, max or both.' });
    return () => false;
  }
  const bounds = wanted as Readonly<Record<string, unknown>>;
  const bound = (name: 'min' | 'max', none: number): number => {
    const value = bounds[name];
    if (value === undefined) return none;
    const amount = typeof value === 'number' || typeof value === 'string' ? parseMoney(String(value)) : undefined;
    if (amount === undefined) errors.push({ path: `${path}.${name}`, code: 'not_money', message: 'This must be an amount such as 12.50.' });
    return amount === undefined ? none : Number(amount) / 10_000;
  };
  const [min, max] = [bound('min', -Infinity), bound('max', Infinity)];
  // An unknown price is NaN, and no comparison holds of it.
  return (item) => items.price(item) >= min && items.price(item) <= max;
}
