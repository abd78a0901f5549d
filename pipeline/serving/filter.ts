import type { Product } from '../../schemas/types.js';
import { parseMoney } from '../../producers/money.js';

export interface FilterError {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export type Matches = (product: Product) => boolean;

const TEXT_FIELDS = ['category', 'brand', 'name'] as const;

/**
 * Read a filter: `category`, `brand`, `name` and `attributes.<name>` take a string or a list of them (any may match),
 * `price` takes `{ min, max }`, `inStock` takes true. All conditions must hold; a product that lacks a field does not match.
 */
export function readFilter(filter: Readonly<Record<string, unknown>>): { matches: Matches } | { errors: FilterError[] } {
  const errors: FilterError[] = [];
  const conditions: Matches[] = [];
  for (const [field, wanted] of Object.entries(filter)) {
    const path = `filter.${field}`;
    const textField = TEXT_FIELDS.find((name) => name === field);
    if (textField) conditions.push(oneOf((product) => product[textField], wanted, path, errors));
    else if (field.startsWith('attributes.')) conditions.push(oneOf((product) => product.attributes[field.slice('attributes.'.length)] ?? null, wanted, path, errors));
    else if (field === 'price') conditions.push(within(wanted, path, errors));
    else if (field === 'inStock' && typeof wanted === 'boolean') conditions.push((product) => !wanted || (!product.onOrder && (product.stock ?? 1) > 0));
    else errors.push({ path, code: 'unknown_filter', message: 'Filters are category, brand, name, attributes.<name>, price {min, max} and inStock.' });
  }
  return errors.length > 0 ? { errors } : { matches: (product) => conditions.every((condition) => condition(product)) };
}

function oneOf(field: (product: Product) => string | null, wanted: unknown, path: string, errors: FilterError[]): Matches {
  const values = Array.isArray(wanted) ? wanted : [wanted];
  if (!values.every((value) => typeof value === 'string')) errors.push({ path, code: 'wrong_type', message: 'This must be a string or a list of strings.' });
  const set = new Set(values);
  return (product) => set.has(field(product));
}

function within(wanted: unknown, path: string, errors: FilterError[]): Matches {
  const bounds = wanted as Readonly<Record<string, unknown>>;
  const bound = (name: 'min' | 'max'): bigint | undefined => {
    const value = bounds[name];
    if (value === undefined) return undefined;
    const amount = typeof value === 'number' || typeof value === 'string' ? parseMoney(String(value)) : undefined;
    if (amount === undefined) errors.push({ path: `${path}.${name}`, code: 'not_money', message: 'This must be an amount such as 12.50.' });
    return amount;
  };
  if (typeof wanted !== 'object' || wanted === null || Object.keys(wanted).some((name) => name !== 'min' && name !== 'max')) {
    errors.push({ path, code: 'wrong_type', message: 'This must be an object with min, max or both.' });
    return () => false;
  }
  const [min, max] = [bound('min'), bound('max')];
  return ({ price }) => price !== null && (min === undefined || price >= min) && (max === undefined || price <= max);
}
