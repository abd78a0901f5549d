import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { refuse } from './problem.js';

/** `browser` keys are public; `server` keys do everything under /v1 but what only `admin` may. Each holds the ones before it. */
export type Scope = 'browser' | 'server' | 'admin';

export interface Key {
  readonly scope: Scope;
}

export interface KeyLists {
  readonly write: readonly string[];
  readonly server: readonly string[];
  readonly admin: readonly string[];
}

const RANK: Readonly<Record<Scope, number>> = { browser: 0, server: 1, admin: 2 };

export const allows = (key: Key, scope: Scope): boolean => RANK[key.scope] >= RANK[scope];

const digest = (secret: string): Buffer => hash('sha256', secret, 'buffer');

/** Different headers that may name the same few keys: Basic takes anything behind the key. */
const MOST_HEADERS = 256;

/** The keys of this installation, as digests. */
export class Keys {
  /** Headers that have named a key: a digest for each request costs a tenth of the request. */
  readonly #proven = new Map<string, Key>();
  readonly #known: readonly { readonly digest: Buffer; readonly key: Key }[];

  constructor({ write, server, admin }: KeyLists) {
    const scoped: [string, Scope][] = [
      ...write.map((secret): [string, Scope] => [secret, 'browser']),
      ...server.map((secret): [string, Scope] => [secret, 'server']),
      ...admin.map((secret): [string, Scope] => [secret, 'admin']),
    ];
    this.#known = scoped.map(([secret, scope]) => ({ digest: digest(secret), key: { scope } }));
  }

  /** The key with this secret. Every known key is compared in constant time: how long it takes tells nothing of any. */
  find(secret: string): Key | undefined {
    const presented = digest(secret);
    let found: Key | undefined;
    for (const { digest: expected, key } of this.#known) if (timingSafeEqual(presented, expected)) found = key;
    return found;
  }

  /** @throws Refusal 401 */
  require(secret: string): Key {
    const key = this.find(secret);
    if (!key) throw refuse(401, 'This key is not known here.');
    return key;
  }

  /**
   * The key in the request's headers or query, or undefined when it names none (it may still stand in the body).
   * @throws Refusal 401 for a key that is not known.
   */
  ofRequest(request: IncomingMessage, query: URLSearchParams | undefined): Key | undefined {
    const header = request.headers.authorization;
    if (header !== undefined && header !== '') return this.#proven.get(header) ?? this.#prove(header);
    const secret = query?.get('writeKey') ?? query?.get('api_secret');
    return secret ? this.require(secret) : undefined;
  }

  #prove(header: string): Key {
    const key = this.require(secretOf(header));
    if (this.#proven.size >= MOST_HEADERS) this.#proven.clear();
    this.#proven.set(header, key);
    return key;
  }
}

/** `Basic base64(key:)` as Segment's SDKs send it, or `Bearer key`. */
function secretOf(header: string): string {
  const [scheme = '', credentials = ''] = header.trim().split(/ +/, 2);
  if (/^bearer$/i.test(scheme)) return credentials;
  if (/^basic$/i.test(scheme)) return Buffer.from(credentials, 'base64').toString().split(':', 1)[0];
  throw refuse(401, 'Authorization must be Basic, with the key as user name, or Bearer.');
}

/**
 * The shopper a signed token speaks for: a JSON Web Token, HS256 with SHOPPER_TOKEN_SECRET, that the shop's server gives
 * to the page of a shopper who has logged in. `sub` is the userId, `exp` (seconds) must lie ahead. Undefined when it is not valid.
 */
export function shopperOf(token: string, secret: string, nowMs: number): string | undefined {
  const [header = '', payload = '', signature = '', ...more] = token.split('.');
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (secret === '' || more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const claims = jsonOf(payload);
  // The algorithm is ours to choose, not the token's: "none" and RS256 with our secret as public key are known attacks.
  if (jsonOf(header)?.['alg'] !== 'HS256' || claims === undefined) return undefined;
  const { sub, exp } = claims;
  return typeof sub === 'string' && sub !== '' && typeof exp === 'number' && exp * 1000 > nowMs ? sub : undefined;
}

function jsonOf(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
