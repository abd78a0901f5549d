import type { EventProduct, ShopEvent } from '../schemas/types.js';
import { consentIn, consentOfContext } from './consent.js';
import { previousIdOf, type Envelope } from './envelope.js';
import { isProduct } from './event-products.js';
import { isObject, money, optionalId, quietText, text, under, type Errors, type Json } from './fields.js';
import { freeJson } from './json-text.js';
import { parseCurrency } from './money.js';
import type { Meaning } from './vocabulary.js';

const MAX_URL = 4096;
const nothing: Json = {};

/** Properties with a field of their own; the rest is kept as JSON. */
const OWN = new Set([
  'products', 'cart_id', 'checkout_id', 'order_id', 'recommendation_id', 'recommendationId', 'placement', 'query', 'list',
  'list_id', 'currency', 'value', 'url', 'referrer',
]);
const OWN_OF_PRODUCT = new Set(['sku', 'product_id', 'name', 'category', 'brand', 'variant', 'price', 'quantity', 'position']);
/** Addresses stay out of the log: they serve no model, and what is not stored need not be erased. */
const ADDRESSES = new Set(['email', 'e_mail', 'e-mail', 'email_address', 'emailAddress', 'customer_email']);

function rest(errors: Errors, properties: Json, single: boolean, groupId: string | null): string | null {
  const free: Record<string, unknown> = {};
  let any = false;
  for (const name in properties) {
    if (OWN.has(name) || (single && OWN_OF_PRODUCT.has(name)) || ADDRESSES.has(name) || name === '__proto__') continue;
    free[name] = properties[name];
    any = true;
  }
  // Where a product has both ids, `sku` became its field and `product_id` would be lost.
  if (single && properties['sku'] && properties['product_id'] && properties['sku'] !== properties['product_id']) {
    free['product_id'] = properties['product_id'];
    any = true;
  }
  if (groupId !== null) {
    free['groupId'] = groupId;
    any = true;
  }
  return any ? freeJson(errors, free, '') : null;
}

/** ISO 4217 currency of an event, or null when it names none. */
export function currencyOf(errors: Errors, properties: Json): string | null {
  const named = text(errors, properties, 'currency', 16);
  if (named === null) return null;
  const code = parseCurrency(named);
  if (code === undefined) errors.push({ path: 'currency', code: 'unknown_currency', message: `${JSON.stringify(named)} is not an ISO 4217 currency.` });
  return code ?? null;
}

const zones = new Map<string, boolean>();

/** IANA zone of the shopper's device, or null: a consumer that trusted an unknown name would fail at its first use. */
function zoneOf(context: Json): string | null {
  const name = quietText(context, 'timezone', 64);
  if (name === null) return null;
  let known = zones.get(name);
  if (known === undefined) {
    try {
      Intl.DateTimeFormat('en', { timeZone: name });
      known = true;
    } catch {
      known = false;
    }
    if (zones.size < 2000) zones.set(name, known);
  }
  return known ? name : null;
}

const objectIn = (from: Json, name: string): Json => {
  const value = from[name];
  return isObject(value) ? value : nothing;
};

/** The name of a track event, or of a page or screen (which may have none). */
export function eventName(errors: Errors, body: Json, type: Envelope['type']): string {
  if (type !== 'track') return type === 'page' || type === 'screen' ? (text(errors, body, 'name', 256) ?? '') : '';
  const name = body['event'];
  if (typeof name === 'string' && name.trim() !== '') {
    if (name.length > 256) errors.push({ path: 'event', code: 'too_large', message: 'An event name has at most 256 characters.' });
    return name;
  }
  errors.push(name === undefined || name === null
    ? { path: 'event', code: 'required', message: 'A track call needs the name of the event.' }
    : { path: 'event', code: name === '' || typeof name === 'string' ? 'empty' : 'wrong_type', message: 'The name of the event must be a text that is not empty.' });
  return '';
}

/** Properties of a call; anything but an object is an error. */
export function propertiesOf(errors: Errors, body: Json, name: 'properties' | 'traits'): Json {
  const value = body[name];
  if (value === undefined || value === null) return nothing;
  if (isObject(value)) return value;
  errors.push({ path: name, code: 'not_an_object', message: 'This must be an object.' });
  return nothing;
}

function consentOf(errors: Errors, traits: Json, properties: Json, context: Json, meaning: Meaning | undefined): boolean | null {
  const from = errors.length;
  const byTraits = consentIn(errors, traits);
  under(errors, from, 'traits.');
  const between = errors.length;
  const byProperties = meaning?.kind === 'consent' ? consentIn(errors, properties) : null;
  under(errors, between, 'properties.');
  return byProperties ?? byTraits ?? consentOfContext(errors, context);
}

/** A call of which the envelope has been read. */
export interface Call {
  readonly body: Json;
  readonly head: Envelope;
  readonly event: string;
  readonly meaning: Meaning | undefined;
  readonly properties: Json;
}

/** The clickstream record of a call. */
export function shopEvent(errors: Errors, call: Call, products: readonly EventProduct[]): ShopEvent {
  const { body, head, event, meaning, properties } = call;
  const isPerson = head.type === 'identify' || head.type === 'group';
  const traits = isPerson ? propertiesOf(errors, body, 'traits') : nothing;
  const context = objectIn(body, 'context');
  const page = objectIn(context, 'page');
  const groupId = head.type === 'group' ? optionalId(errors, body, 'groupId') : null;
  const marketingConsent = consentOf(errors, traits, properties, context, meaning);
  const previousId = previousIdOf(errors, body, head.type);
  const from = errors.length;
  const fields = {
    cartId: optionalId(errors, properties, 'cart_id'),
    checkoutId: optionalId(errors, properties, 'checkout_id'),
    orderId: optionalId(errors, properties, 'order_id'),
    recommendationId: optionalId(errors, properties, 'recommendation_id') ?? optionalId(errors, properties, 'recommendationId'),
    placement: text(errors, properties, 'placement', 256),
    query: text(errors, properties, 'query'),
    list: text(errors, properties, 'list_id') ?? text(errors, properties, 'list') ?? listCategory(errors, properties, event),
    currency: currencyOf(errors, properties),
    value: valueOf(errors, properties, meaning),
    properties: rest(errors, properties, products.length === 1 && isProduct(properties), groupId),
    url: text(errors, properties, 'url', MAX_URL),
    referrer: text(errors, properties, 'referrer', MAX_URL),
  };
  under(errors, from, 'properties.');
  return {
    messageId: head.messageId,
    type: head.type,
    event,
    userId: head.userId,
    anonymousId: head.anonymousId,
    previousId,
    time: head.time,
    receivedAt: head.receivedAt,
    products,
    cartId: fields.cartId,
    checkoutId: fields.checkoutId,
    orderId: fields.orderId,
    recommendationId: fields.recommendationId,
    placement: fields.placement,
    query: fields.query,
    list: fields.list,
    currency: fields.currency,
    value: fields.value,
    url: quietText(page, 'url', MAX_URL) ?? fields.url,
    referrer: quietText(page, 'referrer', MAX_URL) ?? fields.referrer,
    campaign: quietText(objectIn(context, 'campaign'), 'name', 256),
    locale: quietText(context, 'locale', 64),
    timezone: zoneOf(context),
    marketingConsent,
    traits: isPerson ? freeJson(errors, traits, 'traits') : null,
    properties: fields.properties,
    source: null,
  };
}

/** A list without an id is known by the category it shows. */
const listCategory = (errors: Errors, properties: Json, event: string): string | null =>
  event === 'Product List Viewed' || event === 'Product List Filtered' ? text(errors, properties, 'category') : null;

/** Value of an event; of an order its total, else its revenue. All three are read, so that each wrong one is named. */
function valueOf(errors: Errors, properties: Json, meaning: Meaning | undefined): bigint | null {
  const value = money(errors, properties, 'value');
  if (meaning?.kind !== 'order') return value;
  const total = money(errors, properties, 'total');
  const revenue = money(errors, properties, 'revenue');
  return total ?? revenue ?? value;
}
