import { categoryIn, isProduct } from './event-products.js';
import { MAX_URL } from './call-context.js';
import { currencyIn, money, optionalId, text, trimmedId, type Errors, type Json } from './fields.js';
import { freeJson } from './json-text.js';
import type { Meaning } from './vocabulary.js';

/** Properties that have a field of their own in the clickstream. */
export interface OwnProperties {
  readonly cartId: string | null;
  readonly checkoutId: string | null;
  readonly orderId: string | null;
  readonly recommendationId: string | null;
  readonly placement: string | null;
  readonly query: string | null;
  readonly list: string | null;
  readonly currency: string | null;
  readonly value: bigint | null;
  readonly url: string | null;
  readonly referrer: string | null;
}

const none: OwnProperties = {
  cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null, query: null, list: null,
  currency: null, value: null, url: null, referrer: null,
};

const OWN = new Set([
  'products', 'cart_id', 'checkout_id', 'order_id', 'recommendation_id', 'recommendationId', 'placement', 'query', 'list',
  'list_id', 'currency', 'value', 'url', 'referrer',
]);
const OWN_OF_PRODUCT = new Set(['sku', 'product_id', 'name', 'category', 'brand', 'variant', 'price', 'quantity', 'position']);
/** Addresses stay out of the log: they serve no model, and what is not stored need not be erased. */
const ADDRESSES = new Set(['email', 'e_mail', 'e-mail', 'email_address', 'emailAddress', 'customer_email']);

/** A list without an id is known by the category it shows. */
const isList = (event: string): boolean => event === 'Product List Viewed' || event === 'Product List Filtered';

/** Value of an event; of an order its total, else its revenue. All three are read, so that each wrong one is named. */
function valueOf(errors: Errors, properties: Json, meaning: Meaning | undefined): bigint | null {
  const value = money(errors, properties, 'value');
  if (meaning?.kind !== 'order') return value;
  const total = money(errors, properties, 'total');
  const revenue = money(errors, properties, 'revenue');
  return total ?? revenue ?? value;
}

function own(errors: Errors, properties: Json, event: string, meaning: Meaning | undefined): OwnProperties {
  return {
    cartId: trimmedId(errors, properties, 'cart_id'),
    checkoutId: trimmedId(errors, properties, 'checkout_id'),
    orderId: trimmedId(errors, properties, 'order_id'),
    recommendationId: optionalId(errors, properties, 'recommendation_id') ?? optionalId(errors, properties, 'recommendationId'),
    placement: text(errors, properties, 'placement', 256),
    query: text(errors, properties, 'query'),
    list: text(errors, properties, 'list_id') ?? text(errors, properties, 'list') ?? (isList(event) ? categoryIn(errors, properties) : null),
    currency: currencyIn(errors, properties),
    value: valueOf(errors, properties, meaning),
    url: text(errors, properties, 'url', MAX_URL),
    referrer: text(errors, properties, 'referrer', MAX_URL),
  };
}

/**
 * Properties apart from products: those with a field, and the JSON of the rest. Paths are relative to the properties.
 * Most events have none with a field, which one walk over what is there finds out; asking for each of them by name
 * would cost more than all the rest.
 */
export function callProperties(errors: Errors, properties: Json, event: string, meaning: Meaning | undefined, products: number, groupId: string | null): { fields: OwnProperties; free: string | null } {
  const single = products === 1 && isProduct(properties);
  const free: Record<string, unknown> = {};
  let hasOwn = meaning?.kind === 'order' || isList(event);
  let hasFree = false;
  for (const name in properties) {
    if (single && OWN_OF_PRODUCT.has(name)) continue;
    if (OWN.has(name)) hasOwn = true;
    else if (!ADDRESSES.has(name) && name !== '__proto__') {
      free[name] = properties[name];
      hasFree = true;
    }
  }
  // Where a product has both ids, `sku` became its field and `product_id` would be lost.
  if (single && properties['sku'] && properties['product_id'] && properties['sku'] !== properties['product_id']) {
    free['product_id'] = properties['product_id'];
    hasFree = true;
  }
  if (groupId !== null) {
    free['groupId'] = groupId;
    hasFree = true;
  }
  return { fields: hasOwn ? own(errors, properties, event, meaning) : none, free: hasFree ? freeJson(errors, free, '') : null };
}
