import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkType, parseJson, readBody, type BodyBudget } from './body.js';
import type { ConfigError } from '../../pipeline/core/errors.js';
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
  /** Note what somebody must put right before any such request can be answered; not for each of them. */
  readonly tellOperator: (problem: ConfigError) => void;
}

/** Charge the address behind a browser key for events. @throws Refusal 429 */
export function charge({ limits }: House, { request }: Exchange, key: Key, events: number): void {
  if (key.scope === 'browser') limits?.take(request, events);
}

/**
 * The JSON of a request and its key: one that headers or query name is looked at before the body is read; beacons can set no header, and name it in there.
 * @throws Refusal 401, 413, 415, 503, 400
 */
export async function readKeyed(house: House, { request, query }: Exchange, maxBytes: number): Promise<{ readonly key: Key; readonly bytes: Buffer; readonly body: unknown }> {
  const named = house.keys.ofRequest(request, query);
  checkType(request);
  const bytes = await readBody(request, maxBytes, house.budget);
  const body = parseJson(bytes);
  return { key: named ?? keyIn(house, body), bytes, body };
}

function keyIn(house: House, body: unknown): Key {
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
export function requireScope(house: House, { request, query }: Exchange, scope: Scope): Key {
  const key = house.keys.ofRequest(request, query) ?? keyIn(house, undefined);
  if (!allows(key, scope)) throw refuse(403, `This takes ${scope === 'admin' ? 'an admin token' : 'a server key'}.`);
  return key;
}
