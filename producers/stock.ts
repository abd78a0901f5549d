import type { InventoryChange } from '../schemas/types.js';
import { availableOf } from './availability.js';
import type { Envelope } from './envelope.js';
import { MAX_PRODUCTS, skuOf } from './event-products.js';
import type { Call } from './shop-event.js';
import { currencyIn, isBlank, isObject, money, stock, under, type Errors, type Json } from './fields.js';

/** Stock may be negative (sold before it came); a price may not. Of a withdrawn product an event changes only what it says of its stock: hiding is the catalogue's. */
function change(errors: Errors, from: Json, head: Envelope, field: 'quantity' | 'price', messageId: string, currency: string | null): InventoryChange {
  const units = stock(errors, from, from['quantity'] === undefined && from['stock'] !== undefined ? 'stock' : 'quantity');
  const { quantity, availability } = availableOf(errors, from, units);
  const price = money(errors, from, 'price');
  if (field === 'quantity' && isBlank(from['quantity']) && isBlank(from['stock']) && isBlank(from['availability'])) {
    errors.push({ path: field, code: 'required', message: 'Say how many units are in stock now, or its availability.' });
  }
  if (field === 'price' && isBlank(from['price'])) errors.push({ path: field, code: 'required', message: 'Say the price that holds now.' });
  return { messageId, sku: skuOf(errors, from) ?? '', quantity, availability, price, currency: price === null ? null : currency, time: head.time, receivedAt: head.receivedAt };
}

/** Stands for a list item that is no object and has been refused as such. */
const unreadable: Json = { sku: '-', quantity: 0, price: 0 };

/** Changes of stock or price that a call reports, one a product. Paths are relative to the properties. */
export function inventoryChanges(errors: Errors, { head, properties }: Call, field: 'quantity' | 'price'): InventoryChange[] {
  const list = properties['products'];
  const currency = currencyIn(errors, properties);
  if (!Array.isArray(list)) return [change(errors, properties, head, field, head.messageId, currency)];
  if (list.length > MAX_PRODUCTS) {
    errors.push({ path: 'products', code: 'too_many', message: `An event names at most ${MAX_PRODUCTS} products.` });
    return [];
  }
  if (list.length === 0) errors.push({ path: 'products', code: 'required', message: 'Name at least one product.' });
  return list.map((item: unknown, index) => {
    const from = errors.length;
    if (!isObject(item)) errors.push({ path: '', code: 'not_an_object', message: 'A product must be an object.' });
    const product = isObject(item) ? item : unreadable;
    const read = change(errors, product, head, field, index === 0 ? head.messageId : `${head.messageId}/${index}`, currencyIn(errors, product) ?? currency);
    under(errors, from, `products[${index}].`);
    return read;
  });
}
