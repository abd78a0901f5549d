import type { IncomingMessage } from 'node:http';
import ip from 'ipaddr.js';
import proxyAddress from 'proxy-addr';
import { refuse } from './problem.js';

export interface AddressLimit {
  readonly perSecond: number;
  readonly burst: number;
  /** Proxies before this process, each of which writes who asked it into `X-Forwarded-For`. */
  readonly trustedProxies: number;
}

/** As many are remembered; whoever has long not been here has a full bucket again. */
const MOST_ADDRESSES = 65_536;

/**
 * A token bucket an address: `perSecond` events flow in, at most `burst` wait. A robot that is somebody new with every event has
 * no fair share of a shopper to use up, but it has an address.
 */
export class AddressLimits {
  /** The one asked last stands last. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(
    readonly limit: AddressLimit,
    private readonly now: () => number,
  ) {}

  /**
   * Take `events` tokens of a request's address. One with more events than the burst waits for a full bucket, and owes the rest: else a
   * thousand events would cost what the burst does.
   * @throws Refusal 429 that says when to come back.
   */
  take(request: IncomingMessage, events: number): void {
    const { perSecond, burst, trustedProxies } = this.limit;
    const address = addressOf(request, trustedProxies);
    const now = this.now();
    const bucket = this.#buckets.get(address) ?? { tokens: burst, at: now };
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > MOST_ADDRESSES) for (const oldest of this.#buckets.keys()) { this.#buckets.delete(oldest); break; }
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    const needed = Math.min(events, burst);
    if (bucket.tokens < needed) throw refuse(429, 'This address sends too much.', (needed - bucket.tokens) / perSecond);
    bucket.tokens -= events;
  }
}

/** Where a request comes from: what the farthest trusted proxy saw, since a client may write any address before that one. */
function addressOf(request: IncomingMessage, trustedProxies: number): string {
  return networkOf(proxyAddress(request, (_, hop) => hop < trustedProxies) ?? '');
}

/** Whoever has one IPv6 address has 2^64 of them. */
function networkOf(address: string): string {
  if (!ip.IPv6.isValid(address)) return address;
  const parsed = ip.IPv6.parse(address);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.parts.slice(0, 4).join(':');
}

/** Whether this address is of the machine itself. */
export const isLoopback = (address: string | undefined): boolean => address !== undefined && ip.isValid(address) && ip.process(address).range() === 'loopback';
