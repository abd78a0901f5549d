import type { Context, Incoming } from '../pipeline/core/consumer.js';
import { BadEvent } from '../pipeline/core/errors.js';
import { isNobody, isPlaceholder } from '../schemas/placeholder-ids.js';
import type { OrderEvent, Purchase } from '../schemas/types.js';

const MAX_BYTES = 256;
// oxlint-disable-next-line no-control-regex -- control characters are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Why an id cannot be used; undefined where it can. The rules are those of the collector (producers/fields.ts), so that nobody gets around them by writing to a topic. */
function idProblem(id: string): string | undefined {
  if (isPlaceholder(id)) return `"${id}" is a placeholder, not an id`;
  if (CONTROL.test(id)) return 'it holds control characters';
  if (id.length > MAX_BYTES / 4 && Buffer.byteLength(id) > MAX_BYTES) return `it is longer than ${MAX_BYTES} bytes`;
  return undefined;
}

/** @throws BadEvent `bad_id` */
function requireId(field: string, id: string): void {
  const problem = idProblem(id);
  if (problem !== undefined) throw new BadEvent('bad_id', `${field} cannot be used: ${problem}.`);
}

/** Why an id cannot be a shopper's; undefined where it can. */
export const shopperProblem = (id: string): string | undefined => (isNobody(id) ? `"${id}" is written for nobody in particular` : idProblem(id));

/** @throws BadEvent `bad_id` */
export function requireShopper(field: string, id: string): void {
  const problem = shopperProblem(id);
  if (problem !== undefined) throw new BadEvent('bad_id', `${field} cannot be used: ${problem}.`);
}

/**
 * The collector removes spaces around the id of a thing. A record that was written to a topic directly cannot be changed so, since its key has
 * decided its partition: it is refused.
 *
 * @throws BadEvent `bad_id`
 */
function requireTrimmed(field: string, id: string): void {
  requireId(field, id);
  if (id !== id.trim()) throw new BadEvent('bad_id', `${field} cannot be used: ${JSON.stringify(id)} begins or ends with a space.`);
}

/** @throws BadEvent `bad_id` */
export const requireSku = (sku: string): void => requireTrimmed('sku', sku);

/** @throws BadEvent `bad_id` */
export const requireOrder = (orderId: string): void => requireTrimmed('orderId', orderId);

const trimmed = (id: string | null): string | null => id?.trim() || null;

/** A record whose cart and checkout have no spaces around their ids, as the collector leaves them: one that was written to a topic directly may. */
export function withTrimmedCart<T extends Pick<OrderEvent, 'cartId' | 'checkoutId'>>(event: T): T {
  const [cartId, checkoutId] = [trimmed(event.cartId), trimmed(event.checkoutId)];
  return cartId === event.cartId && checkoutId === event.checkoutId ? event : { ...event, cartId, checkoutId };
}

/** Whether a purchase names its key as a user's id. */
export const namesCustomer = ({ key, value: { known, time } }: Incoming<Purchase>, ctx: Context): boolean => known && !ctx.wasErased(key, time);
