import type { EventProduct, OrderLine } from '../schemas/types.js';
import { isObject, money, number, quantity, text, trimmedId, under, type Errors, type Json } from './fields.js';

/** Products of one event; an order of more lines than this must be sent in parts. */
export const MAX_PRODUCTS = 500;

const none: readonly EventProduct[] = [];

/** Names under which a product is identified, best first: the unit that is stocked and sold, then what it belongs to. */
export const SKU_NAMES = ['sku', 'product_id', 'id', 'item_id'] as const;

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/**
 * The SKU of a product, and under which name it was given. An empty `sku` beside a `product_id` is what shops write for
 * products without one.
 */
export function skuOf(errors: Errors, from: Json): string | null {
  for (const name of SKU_NAMES) {
    const value = from[name];
    if (isGiven(value)) return trimmedId(errors, from, name);
  }
  errors.push({ path: 'product_id', code: 'required', message: 'A product needs a product_id or sku.' });
  return null;
}

/** The category that an event names; of a list the first. */
export const categoryIn = (errors: Errors, from: Json): string | null =>
  text(errors, Array.isArray(from['category']) ? { category: from['category'][0] as unknown } : from, 'category');

function product(errors: Errors, from: Json): EventProduct {
  const position = number(errors, from, 'position');
  return {
    sku: skuOf(errors, from) ?? '',
    name: text(errors, from, 'name'),
    category: categoryIn(errors, from),
    brand: text(errors, from, 'brand'),
    variant: text(errors, from, 'variant'),
    price: money(errors, from, 'price'),
    quantity: quantity(errors, from, 'quantity'),
    position: position === null ? null : Math.max(-1, Math.min(2 ** 31 - 1, Math.trunc(position))),
  };
}

/** Whether properties name one product themselves. */
export const isProduct = (properties: Json): boolean => isGiven(properties['sku']) || isGiven(properties['product_id']);

/** Stands for a list item that is no object and has been refused as such. */
const unreadable: Json = { sku: '-' };

/**
 * Products of an event: the list `products`, else the one that the properties name. `single` says that the event is
 * about one product, so that one must be there.
 */
export function eventProducts(errors: Errors, properties: Json, single: boolean): readonly EventProduct[] {
  const list = properties['products'];
  if (list === undefined || list === null) return single || isProduct(properties) ? [product(errors, properties)] : none;
  if (!Array.isArray(list)) {
    errors.push({ path: 'products', code: 'wrong_type', message: 'This must be a list of products.' });
    return none;
  }
  if (list.length > MAX_PRODUCTS) {
    errors.push({ path: 'products', code: 'too_many', message: `An event names at most ${MAX_PRODUCTS} products; report a longer order in parts, each under an order_id of its own.` });
    return none;
  }
  if (single && list.length === 0) errors.push({ path: 'products', code: 'required', message: 'This event is about a product: name one.' });
  return list.map((item: unknown, index) => {
    const from = errors.length;
    if (!isObject(item)) errors.push({ path: '', code: 'not_an_object', message: 'A product must be an object.' });
    const read = product(errors, isObject(item) ? item : unreadable);
    under(errors, from, `products[${index}].`);
    return read;
  });
}

/** Lines of an order: a missing quantity is one, a missing price is zero (odd, and stored as what it is). */
export const orderLines = (products: readonly EventProduct[]): OrderLine[] =>
  products.map(({ sku, name, category, quantity: units, price }) => ({ sku, name, category, quantity: units ?? 1, price: price ?? 0n }));
