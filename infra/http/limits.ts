import { refuse } from './problem.js';

/** A token bucket a key: `perSecond` events flow in, at most `burst` wait. Only known keys have one. */
export class RateLimits {
  readonly #buckets = new Map<number, { tokens: number; at: number }>();

  constructor(
    readonly perSecond: number,
    readonly burst: number,
    private readonly now: () => number,
  ) {}

  /**
   * Take `events` tokens of a key; a request larger than the burst takes a full bucket.
   * @throws Refusal 429 that says when to come back.
   */
  take(key: number, events: number): void {
    if (this.perSecond === Infinity) return;
    const now = this.now();
    const bucket = this.#buckets.get(key) ?? { tokens: this.burst, at: now };
    this.#buckets.set(key, bucket);
    bucket.tokens = Math.min(this.burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * this.perSecond);
    bucket.at = now;
    const needed = Math.min(events, this.burst);
    if (bucket.tokens < needed) throw refuse(429, 'This key sends too much.', (needed - bucket.tokens) / this.perSecond);
    bucket.tokens -= needed;
  }
}
