import type { Claim, EventProduct, ShopEvent } from '../schemas/types.js';
import { callContext } from './call-context.js';
import { callProperties } from './call-properties.js';
import { consentIn } from './consent.js';
import { previousIdOf, type Envelope } from './envelope.js';
import { isObject, optionalId, text, under, type Errors, type Json } from './fields.js';
import { freeJson } from './json-text.js';
import { specName, type Meaning } from './vocabulary.js';

const nothing: Json = {};

/** A call of which the envelope has been read. */
export interface Call {
  readonly body: Json;
  readonly head: Envelope;
  readonly event: string;
  readonly meaning: Meaning | undefined;
  readonly properties: Json;
  /** What a browser key says, with the user that its caller has proved to be; null: a server key. */
  readonly claim: Claim | null;
  /** Whether a yes to marketing is this caller's to say. A no is believed from anyone: what it can do is leave a mail unsent. */
  readonly maySayYes: boolean;
}

/** The name of a track event, or of a page or screen (which may have none). */
export function eventName(errors: Errors, body: Json, type: Envelope['type']): string {
  if (type !== 'track') return type === 'page' || type === 'screen' ? (text(errors, body, 'name', 256) ?? '') : '';
  const name = body['event'];
  if (typeof name === 'string' && name.trim() !== '') {
    if (name.length > 256) errors.push({ path: 'event', code: 'too_large', message: 'An event name has at most 256 characters.' });
    return specName(name);
  }
  errors.push(name === undefined || name === null
    ? { path: 'event', code: 'required', message: 'A track call needs the name of the event.' }
    : { path: 'event', code: typeof name === 'string' ? 'empty' : 'wrong_type', message: 'The name of the event must be a text that is not empty.' });
  return '';
}

/** Properties or traits of a call; anything but an object is an error. */
export function objectOf(errors: Errors, body: Json, name: 'properties' | 'traits'): Json {
  const value = body[name];
  if (value === undefined || value === null) return nothing;
  if (isObject(value)) return value;
  errors.push({ path: name, code: 'not_an_object', message: 'This must be an object.' });
  return nothing;
}

/** Consent in what a call is about: its properties or its traits. */
function consentOf(errors: Errors, part: Json, path: 'properties' | 'traits', { maySayYes }: Call): boolean | null {
  if (part === nothing) return null;
  const from = errors.length;
  const said = consentIn(errors, part);
  under(errors, from, `${path}.`);
  if (said === true && !maySayYes) {
    errors.push({ path, code: 'needs_server_key', message: 'A yes to marketing for a userId takes a server key or that shopper\u2019s token: a browser\u2019s key is public.' });
  }
  return said;
}

/** Consent that an SDK stamps on every call: a yes that is not the caller's to say is no statement, and no reason to lose the call. */
const stampedConsent = (said: boolean | null, maySayYes: boolean): boolean | null => (said === true && !maySayYes ? null : said);

/** The clickstream record of a call. */
export function shopEvent(errors: Errors, call: Call, products: readonly EventProduct[]): ShopEvent {
  const { body, head, event, meaning, properties } = call;
  const isPerson = head.type === 'identify' || head.type === 'group';
  const traits = isPerson ? objectOf(errors, body, 'traits') : nothing;
  const context = callContext(errors, body);
  const groupId = head.type === 'group' ? optionalId(errors, body, 'groupId') : null;
  const before = errors.length;
  const byProperties = meaning?.kind === 'consent' ? consentOf(errors, properties, 'properties', call) : null;
  if (meaning?.kind === 'consent' && byProperties === null && context.marketingConsent === null && errors.length === before) {
    errors.push({ path: 'properties.marketing', code: 'required', message: 'Say marketing: true or false. A no under another name would not be heeded.' });
  }
  const byTraits = consentOf(errors, traits, 'traits', call);
  const previousId = previousIdOf(errors, body, head.type);
  const from = errors.length;
  const { fields, free } = callProperties(errors, properties, event, meaning, products.length, groupId);
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
    url: context.url ?? fields.url,
    referrer: context.referrer ?? fields.referrer,
    campaign: context.campaign,
    locale: context.locale,
    timezone: context.timezone,
    marketingConsent: byProperties ?? byTraits ?? stampedConsent(context.marketingConsent, call.maySayYes),
    traits: traits === nothing ? null : freeJson(errors, traits, 'traits'),
    properties: free,
    source: null,
    claim: call.claim,
    login: null,
    restored: null,
  };
}
