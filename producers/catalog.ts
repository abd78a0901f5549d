import { listIn, textsOf } from '../schemas/attribute-values.js';
import { orderingProblems } from '../schemas/ordering.js';
import type { CatalogChange } from '../schemas/types.js';
import type { Outcome, Shop } from './collect.js';
import { availableOf } from './availability.js';
import { skuOf } from './event-products.js';
import { currencyIn, cut, flag, isBlank, isObject, MAX_TEXT, money, stock, text, type Errors, type Json } from './fields.js';
import { freeJson } from './json-text.js';
import { parseTime } from './times.js';

const MAX_URL = 4096;
const MAX_ATTRIBUTES = 64;
const MAX_NAME = 256;
const MAX_CATEGORIES = 64;
/** Characters of all values of one attribute, as JSON. */
const MAX_VALUES = 4096;

const OWN = new Set([
  'sku', 'product_id', 'id', 'item_id', 'op', 'deleted', 'name', 'title', 'category', 'categories', 'product_type', 'brand', 'price', 'currency',
  'url', 'link', 'image_url', 'imageUrl', 'image_link', 'hidden', 'quantity', 'stock', 'attributes', 'updated_at', '__proto__',
]);

/** The first of some names that says anything: catalogues of different systems call the same field differently. */
const named = (from: Json, ...names: readonly [string, ...string[]]): string => names.find((name) => !isBlank(from[name])) ?? names[0];

/** Every category that a row names, each once, the first one first; a CSV cell may be a JSON list. */
function categoriesIn(errors: Errors, row: Json): string[] {
  const found = new Set<string>();
  const refuse = (path: string, count: number): void => void errors.push({ path, code: 'too_many', message: `A product is in at most ${MAX_CATEGORIES} categories; this one names ${count}.` });
  for (const name of ['category', 'categories', 'product_type']) {
    const value = row[name];
    const list: unknown = typeof value === 'string' ? (listIn(value) ?? value) : value;
    // Counted first: a list may have a million entries, each of them wrong.
    if (Array.isArray(list) && list.length > MAX_CATEGORIES) {
      refuse(name, list.length);
      continue;
    }
    const told = Array.isArray(list) ? list.map((one: unknown, at) => text(errors, { [`${name}[${at}]`]: one }, `${name}[${at}]`)) : [text(errors, row, name)];
    for (const category of told) if (!isBlank(category)) found.add(category!);
  }
  if (found.size > MAX_CATEGORIES) refuse('categories', found.size);
  return [...found];
}

/** An attribute as it is kept: several values as a JSON list of texts, anything else with a structure as its JSON. Null where nothing is said. */
function attributeText(errors: Errors, name: string, value: unknown): string | null {
  const values = Array.isArray(value) ? textsOf(value) : typeof value === 'string' ? listIn(value) : undefined;
  if (values === undefined || values.length < 2) {
    const only = values ? values[0] : typeof value === 'object' && value !== null ? freeJson(errors, value, name) : String(value);
    return only === undefined || only === null ? null : cut(only, MAX_TEXT);
  }
  const json = JSON.stringify(values.map((one) => cut(one, MAX_TEXT)));
  if (json.length <= MAX_VALUES) return json;
  errors.push({ path: name, code: 'too_large', message: `The values of an attribute have at most ${MAX_VALUES} characters as JSON; these have ${json.length}.` });
  return null;
}

/** Further columns as texts: what filters compare and explanations show. Those that say how to order must say it so that it can be done. */
function attributesOf(errors: Errors, row: Json, sku: string | null): Record<string, string> {
  const attributes: Record<string, string> = {};
  const given = row['attributes'];
  if (given !== undefined && given !== null && !isObject(given)) errors.push({ path: 'attributes', code: 'not_an_object', message: 'This must be an object of texts.' });
  for (const source of [row, isObject(given) ? given : {}]) {
    for (const name in source) {
      if (source === row ? OWN.has(name) : name === '__proto__') continue;
      const value = source[name];
      if (value === null || value === undefined || value === '') continue;
      const kept = attributeText(errors, name, value);
      if (kept !== null) attributes[name] = kept;
    }
  }
  for (const name in attributes) if (name.length > MAX_NAME) errors.push({ path: name.slice(0, 80), code: 'too_large', message: `The name of an attribute has at most ${MAX_NAME} characters; this one has ${name.length}.` });
  if (Object.keys(attributes).length > MAX_ATTRIBUTES) errors.push({ path: 'attributes', code: 'too_many', message: `A product has at most ${MAX_ATTRIBUTES} further attributes.` });
  for (const { name, code, message } of orderingProblems(sku, attributes)) errors.push({ path: name, code, message });
  return attributes;
}

/** Google's product feeds write the currency behind the price: `12.99 EUR`. */
function priced(row: Json): Json {
  const match = typeof row['price'] === 'string' ? /^\s*([\d.,+-]+)\s+([A-Za-z]{3})\s*$/.exec(row['price']) : null;
  return match ? { ...row, price: match[1], currency: isBlank(row['currency']) ? match[2] : row['currency'] } : row;
}

function timeOf(errors: Errors, row: Json, receivedAt: number): number {
  const value = row['updated_at'] ?? undefined;
  if (value === undefined || value === '') return receivedAt;
  const time = parseTime(value);
  if (time === undefined) errors.push({ path: 'updated_at', code: 'invalid_time', message: 'This must be an ISO 8601 time.' });
  return Math.min(time ?? receivedAt, receivedAt);
}

/**
 * Turn one untrusted catalogue row, a JSON object or a CSV line by its header, into a change of the catalogue. A row of
 * an unknown name or an odd attribute is a product all the same; a row without an id or with an unreadable price is not.
 */
export function collectProduct(input: unknown, context: { readonly receivedAt: number; readonly shop: Shop }): Outcome {
  if (!isObject(input)) return { errors: [{ path: '', code: 'not_an_object', message: 'A product must be an object.' }] };
  const errors: Errors = [];
  const row = priced(input);
  const op = row['op'];
  if (op !== undefined && op !== null && op !== 'upsert' && op !== 'delete') errors.push({ path: 'op', code: 'wrong_type', message: 'This must be upsert or delete.' });
  const isDeleted = flag(errors, blankAsMissing(row, 'deleted'), 'deleted') ?? false;
  const price = money(errors, row, 'price');
  const currency = currencyIn(errors, row);
  const { quantity, availability, withdrawn, discontinued } = availableOf(errors, row, stock(errors, row, named(row, 'quantity', 'stock')));
  const sku = skuOf(errors, row);
  const [category = null, ...furtherCategories] = categoriesIn(errors, row);
  const value: CatalogChange = {
    sku: sku ?? '',
    op: op === 'delete' || isDeleted ? 'delete' : 'upsert',
    name: text(errors, row, named(row, 'name', 'title')),
    category,
    furtherCategories,
    brand: text(errors, row, 'brand'),
    price,
    currency: price === null ? currency : (currency ?? context.shop.currency),
    url: text(errors, row, named(row, 'url', 'link'), MAX_URL),
    imageUrl: text(errors, row, named(row, 'image_url', 'imageUrl', 'image_link'), MAX_URL),
    hidden: (flag(errors, blankAsMissing(row, 'hidden'), 'hidden') ?? false) || withdrawn,
    quantity,
    availability,
    attributes: { ...attributesOf(errors, row, sku), ...(discontinued ? { discontinued: 'true' } : {}) },
    time: timeOf(errors, row, context.receivedAt),
    receivedAt: context.receivedAt,
  };
  if (errors.length > 0) return { errors };
  return { ok: { messageId: value.sku, records: [{ topic: 'catalog', key: value.sku, value }], clamped: false, warnings: [] } };
}

/** CSV writes "nothing said" as an empty cell. */
const blankAsMissing = (row: Json, name: string): Json => (isBlank(row[name]) ? {} : row);
