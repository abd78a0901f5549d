import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyBudget } from './body.js';
import type { HttpDeps, HttpSettings } from './doors.js';
import { allows, shopperOf, type Key, type Keys, type Scope } from './keys.js';
import type { AddressLimits } from './limits.js';
import { refuse } from './problem.js';
import { isObject } from '../../producers/fields.js';
import type { Logins } from '../../producers/logins.js';

/** One request on its way. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  readonly query: URLSearchParams | undefined;
  readonly receivedAt: number;
}

/** What every handler works with. */
export interface House {
  readonly deps: HttpDeps;
  readonly settings: HttpSettings;
  readonly keys: Keys;
  readonly budget: BodyBudget;
  /** Of the last moments. */
  readonly logins: Logins;
  readonly limits: AddressLimits | undefined;
  readonly now: () => number;
}

/** Charge the address behind a browser key for events. @throws Refusal 429 */
export function charge({ limits }: House, { request }: Exchange, key: Key, events: number): void {
  if (key.scope === 'browser') limits?.take(request, events);
}

/** The key that the headers or the query name, looked at before a body is read. @throws Refusal 401 for one that is not known */
export const namedKey = (house: House, { request, query }: Exchange): Key | undefined => house.keys.ofRequest(request, query);

/** The key of a request: the one named before its body, or (beacons can set no header) in it. @throws Refusal 401 */
export function keyOf(house: House, named: Key | undefined, body: unknown): Key {
  if (named) return named;
  const secret = isObject(body) ? body['writeKey'] : undefined;
  if (typeof secret === 'string' && secret !== '') return house.keys.require(secret);
  throw refuse(401, 'Name a key: Basic authorization with the write key as user name, Bearer, or writeKey in the body.');
}

/** The shopper that a request proves to speak for, by a token in its header or body. */
export function provenShopper({ settings, now }: House, { request }: Exchange, body: unknown): string | undefined {
  const given = request.headers['x-shopper-token'] ?? (isObject(body) ? body['shopperToken'] : undefined);
  return typeof given === 'string' ? shopperOf(given, settings.shopperTokenSecret, now()) : undefined;
}

/** @throws Refusal 401 or 403 */
export function requireScope(house: House, exchange: Exchange, scope: Scope): Key {
  const key = keyOf(house, namedKey(house, exchange), undefined);
  if (!allows(key, scope)) throw refuse(403, `This takes ${scope === 'admin' ? 'an admin token' : 'a server key'}.`);
  return key;
}
