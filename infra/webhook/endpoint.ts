import { createHash, createHmac } from 'node:crypto';
import { Agent as PlainAgent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Journal, Metrics } from '../../pipeline/core/metrics.js';
import { toldOnce, type ToldOnce } from '../../pipeline/core/told-once.js';
import { post } from './post.js';

/** Where messages go, and the secret that both sides know (`whsec_` and base64). */
export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

/** What is sent: the same id and the same bytes at every attempt, so that the receiver knows a repetition. */
export interface WebhookMessage {
  readonly id: string;
  readonly body: Buffer;
  /** Id of an earlier message that need not be sent any more, if it has not been. */
  readonly supersedes: string | null;
}

export interface WebhookPorts {
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** Wall clock in ms. */
  readonly now: () => number;
  readonly sleep: (ms: number, until: AbortSignal) => Promise<void>;
  /** From 0 to 1: spreads attempts, so that those that failed together do not come back together. */
  readonly random: () => number;
}

export interface WebhookLimits {
  readonly timeoutMs: number;
  /** Requests at once to one endpoint, of one process. */
  readonly atOnce: number;
  /** Deliveries of a partition that are sent or wait to be tried again; the others wait in the log. */
  readonly window: number;
  /** Wait after the first failure; it doubles with each, up to the longest. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Times that an endpoint may refuse a message before it is set aside. */
  readonly refusals: number;
  /** How long after it was written to the topic a trigger may still be sent. */
  readonly giveUpAfterMs: number;
  /** How long the end of a process waits for answers to what it has sent. */
  readonly finishMs: number;
}

export const webhookLimits: WebhookLimits = { timeoutMs: 10_000, atOnce: 8, window: 128, firstWaitMs: 1_000, longestWaitMs: 300_000, refusals: 10, giveUpAfterMs: 86_400_000, finishMs: 5_000 };

/** `failed` may pass, `refused` is said of the message or the address, `unsent`: it was too late when its turn came, or nobody waits for the answer any more. */
export type Outcome = { readonly kind: 'delivered' | 'unsent' } | { readonly kind: 'failed' | 'refused'; readonly reason: string };

/** Key of a secret as it is written in settings. */
export const keyOf = (secret: string): Buffer => Buffer.from(secret.slice('whsec_'.length), 'base64');

/** Signature of a body under an id and a time (seconds since 1970), as Standard Webhooks 1.0 has it. */
export const signatureOf = (key: Buffer, id: string, timestamp: string, body: Buffer): string => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;

const UNSENT: Outcome = { kind: 'unsent' };
const LONGEST_PAUSE_MS = 3_600_000;
const PASSING = new Set([408, 429]);

/** One receiver, for all partitions of the process: what it can take, whether it wants to, and how it is spoken to (Standard Webhooks 1.0). */
export class Endpoint {
  /** The host and a digest of the address, which may hold a secret: it stands in metrics, logs and dead letters, and names the group. */
  readonly name: string;
  /** Aborted once the endpoint said 410, or the process ends: nothing more is sent to it until the process starts again. */
  readonly over = new AbortController();
  readonly #url: URL;
  readonly #key: Buffer;
  readonly #agent: PlainAgent;
  readonly #told: ToldOnce;
  readonly #waiting: (() => void)[] = [];
  #active = 0;
  #pausedUntil = 0;

  constructor(target: WebhookTarget, readonly ports: WebhookPorts, readonly limits: WebhookLimits) {
    this.#url = new URL(target.url);
    this.name = `${this.#url.hostname.replaceAll(/[^\w.-]/g, '_')}-${createHash('sha256').update(this.#url.href).digest('hex').slice(0, 8)}`;
    this.#key = keyOf(target.secret);
    this.#agent = new (this.#url.protocol === 'https:' ? TlsAgent : PlainAgent)({ keepAlive: true, maxFreeSockets: limits.atOnce });
    this.#told = toldOnce(ports.journal, { endpoint: this.name }, 'Webhook deliveries fail; they are tried again.', 'Webhook deliveries arrive again.');
    ports.metrics.gauge('millrace_webhook_disabled', 0, { endpoint: this.name });
    for (const outcome of ['delivered', 'retried', 'dead_letter', 'superseded']) ports.metrics.count('millrace_webhook_deliveries_total', { endpoint: this.name, outcome }, 0);
  }

  /** One attempt, when it is its turn, unless `isOver` by then (an endpoint may ask for an hour) or `stop` says so. `cut` ends it also while it is under way. */
  async send(message: WebhookMessage, stop: AbortSignal, cut: AbortSignal, isOver: () => boolean): Promise<Outcome> {
    const { now, sleep } = this.ports;
    while (this.#active >= this.limits.atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#active++;
    try {
      while (now() < this.#pausedUntil && !stop.aborted) await sleep(this.#pausedUntil - now(), stop);
      if (stop.aborted || isOver()) return UNSENT;
      const outcome = await this.#attempt(message, cut);
      if (outcome.kind === 'delivered') this.#told.worked();
      else if (stop.aborted) return UNSENT;
      else if ('reason' in outcome) this.#told.failed(outcome.reason);
      return outcome;
    } finally {
      this.#active--;
      this.#waiting.shift()?.();
    }
  }

  /** Connections that are kept for the next message. */
  close(): void {
    this.#agent.destroy();
  }

  async #attempt({ id, body }: WebhookMessage, cut: AbortSignal): Promise<Outcome> {
    const { now } = this.ports;
    const timestamp = String(Math.floor(now() / 1_000));
    const headers = { 'content-type': 'application/json', 'user-agent': 'millrace', 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatureOf(this.#key, id, timestamp, body) };
    try {
      const { status, retryAfter } = await post(this.#url, this.#agent, headers, body, this.limits.timeoutMs, cut);
      if (status >= 200 && status < 300) return { kind: 'delivered' };
      if (status === 410) return this.#disable();
      if (status < 500 && !PASSING.has(status)) return { kind: 'refused', reason: `status ${status}` };
      if (retryAfter !== undefined) this.#pausedUntil = Math.max(this.#pausedUntil, now() + Math.min(pauseOf(retryAfter, now()), LONGEST_PAUSE_MS));
      return { kind: 'failed', reason: `status ${status}` };
    } catch (error) {
      return { kind: 'failed', reason: (error as Error).message };
    }
  }

  #disable(): Outcome {
    if (!this.over.signal.aborted) {
      this.over.abort();
      this.ports.metrics.gauge('millrace_webhook_disabled', 1, { endpoint: this.name });
      this.ports.journal.error({ endpoint: this.name, runbook: 'docs/runbook.md#webhookdisabled' }, 'A webhook endpoint answered 410: nothing is sent to it until this process starts again.');
    }
    return UNSENT;
  }
}

/** Ms of a Retry-After header: seconds, or a date. */
function pauseOf(retryAfter: string, now: number): number {
  const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - now;
  return Number.isNaN(ms) ? 0 : ms;
}
