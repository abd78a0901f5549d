import type { ShopEvent, UserProfile } from '../../schemas/types.js';
import { joinConsent } from '../consent.js';
import { isProven } from './merges.js';

/** An id that is a user's keeps no yes to marketing that was said before it was known as one: anybody may have said it. */
export function namedBy(isUser: boolean, profile: UserProfile): UserProfile {
  if (!isUser || profile.known) return profile;
  return { ...profile, known: true, ...(profile.marketingConsent === true ? { marketingConsent: null, consentAt: 0 } : {}) };
}

/**
 * What a known shopper's id is told under another id, an anonymous one or one that was merged, counts as much as what a merge brings. A yes
 * that is not proven to be theirs counts nothing.
 */
export function consentAfter(key: string, { marketingConsent, consentAt, known }: UserProfile, event: ShopEvent): Pick<UserProfile, 'marketingConsent' | 'consentAt'> {
  if (event.marketingConsent === null || (event.marketingConsent && known && !isProven(event.claim, key))) return { marketingConsent, consentAt };
  if (event.userId === key || !known) return event.time < consentAt ? { marketingConsent, consentAt } : { marketingConsent: event.marketingConsent, consentAt: event.time };
  const { said, at } = joinConsent({ said: marketingConsent, at: consentAt }, { said: event.marketingConsent, at: event.time }, true);
  return { marketingConsent: said, consentAt: at };
}
