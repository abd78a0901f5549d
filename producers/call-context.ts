import { consentOfContext } from './consent.js';
import { isObject, quietText, type Errors, type Json } from './fields.js';

export const MAX_URL = 4096;

/** What the context of a call says: an SDK fills it in by itself, so that what is odd in it is left out, not refused. */
export interface CallContext {
  readonly url: string | null;
  readonly referrer: string | null;
  readonly campaign: string | null;
  readonly locale: string | null;
  readonly timezone: string | null;
  /** Consent is the exception: one that cannot be read is refused, not taken for silence. */
  readonly marketingConsent: boolean | null;
}

const nothing: Json = {};
const silent: CallContext = { url: null, referrer: null, campaign: null, locale: null, timezone: null, marketingConsent: null };
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
    // Names come from outside: the memory of them is bounded.
    if (zones.size < 2000) zones.set(name, known);
  }
  return known ? name : null;
}

const objectIn = (from: Json, name: string): Json => {
  const value = from[name];
  return isObject(value) ? value : nothing;
};

/** The fields of a context that a call is asked for: what else stands there need not be copied into each call of a batch. */
export const contextFields = (context: Json): Json => Object.fromEntries(['page', 'campaign', 'locale', 'timezone', 'consent'].filter((name) => name in context).map((name) => [name, context[name]]));

export function callContext(errors: Errors, body: Json): CallContext {
  const context = body['context'];
  if (!isObject(context)) return silent;
  const page = objectIn(context, 'page');
  return {
    url: quietText(page, 'url', MAX_URL),
    referrer: quietText(page, 'referrer', MAX_URL),
    campaign: quietText(objectIn(context, 'campaign'), 'name', 256),
    locale: quietText(context, 'locale', 64),
    timezone: zoneOf(context),
    marketingConsent: consentOfContext(errors, context),
  };
}
