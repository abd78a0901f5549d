import { flag, isObject, under, type Errors, type Json } from './fields.js';

/** Names of a yes to marketing, and of a no. */
const CONSENT = ['marketing', 'marketing_consent', 'marketing_opt_in'] as const;
const REFUSAL = ['marketing_opt_out', 'unsubscribed'] as const;

/**
 * What one object says about marketing, by one of the names or in Segment's form `{categoryPreferences: {Marketing: false}}`. A refusal
 * beats a consent beside it; a value that cannot be read is an error.
 */
export function consentIn(errors: Errors, from: Json): boolean | null {
  let said: boolean | null = null;
  for (const name of CONSENT) said = flag(errors, from, name) ?? said;
  const before = errors.length;
  const preferences = from['categoryPreferences'];
  const preferred = isObject(preferences) ? flag(errors, { marketing: preferences['marketing'] ?? preferences['Marketing'] }, 'marketing') : null;
  under(errors, before, 'categoryPreferences.');
  if (preferred === false) return false;
  for (const name of REFUSAL) if (flag(errors, from, name) ?? false) return false;
  said ??= preferred;
  if (said !== null) return said;
  return REFUSAL.some((name) => flag([], from, name) === false) ? true : null;
}

/** Consent in `context.consent`. */
export function consentOfContext(errors: Errors, context: Json): boolean | null {
  const consent = context['consent'];
  if (!isObject(consent)) return null;
  const from = errors.length;
  const said = consentIn(errors, consent);
  under(errors, from, 'context.consent.');
  return said;
}
