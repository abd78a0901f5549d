import { joinedIds } from '../schemas/joined-ids.js';
import type { ShopEvent } from '../schemas/types.js';
import { consentOfContext } from './consent.js';
import { isObject, type FieldError } from './fields.js';
import type { Call } from './shop-event.js';

const NOTHING: readonly FieldError[] = [];

/**
 * What a call that is taken says without effect, since its caller has not proved to be the shopper. It goes by the call alone: an answer that went
 * by what is known of an id would tell anybody who is a customer.
 */
export function unproven({ body, claim, maySayYes }: Call, event: ShopEvent): readonly FieldError[] {
  if (claim === null) return NOTHING;
  const found: FieldError[] = [];
  const joined = event.type === 'alias' ? joinedIds(event) : undefined;
  if (joined && joined.from !== claim.provenUser) {
    found.push({
      path: (body['previousId'] ?? null) === null ? 'anonymousId' : 'previousId', code: 'unproven',
      message: 'If this id is a user\u2019s, it is not joined: that takes its shopper\u2019s token or a server key. Whether it is one is not told to a browser\u2019s key.',
    });
  }
  if (!maySayYes && event.marketingConsent === null && isObject(body['context']) && consentOfContext([], body['context']) === true) {
    found.push({ path: 'context.consent', code: 'unproven', message: 'This yes to marketing has no effect: for a userId it takes that shopper\u2019s token or a server key.' });
  }
  return found.length > 0 ? found : NOTHING;
}
