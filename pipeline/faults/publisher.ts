import { setTimeout as delay } from 'node:timers/promises';
import { random } from '../../producers/simulate/random.js';
import { workload, type CartFate, type Request } from './workload.js';

const REPEAT_CHANCE = 0.15;
const PAUSE_MS = 20;
const RETRY_MS = 100;
const REQUEST_MS = 15_000;
/** Within this a bought cart surely was bought before it could count as abandoned. */
const SURELY_MS = 900;

/** What was accepted, and hence must have come out exactly once. */
export interface Accepted {
  /** Shopper of each message. */
  readonly messages: Map<string, string>;
  readonly sales: Set<string>;
  readonly carts: Map<string, CartFate | 'bought late'>;
  /** Requests sent though an earlier one of the same content was accepted or may have been. */
  repeats: number;
}

export interface PublisherOptions {
  readonly run: string;
  readonly seed: string;
  readonly urlOf: () => string | undefined;
  readonly key: string;
  /** Whether to stop; what is under way is still brought to its end. */
  readonly isOver: () => boolean;
  /** A request that is not accepted by then fails the run (ms since 1970). */
  readonly deadline: () => number;
}

/** Publish the story of a seed, each request again until it is accepted, and some once more though they were. */
export async function publish(options: PublisherOptions, accepted: Accepted): Promise<void> {
  const chance = random(`${options.seed} repeats`);
  for (const request of workload(options.run, options.seed)) {
    if (options.isOver()) return;
    const began = Date.now();
    await untilAccepted(request, options, accepted);
    note(request, Date.now() - began, accepted);
    if (chance.chance(REPEAT_CHANCE)) {
      accepted.repeats++;
      await untilAccepted(request, options, accepted);
    }
    await delay(PAUSE_MS * chance.uniform() * 2);
  }
}

function note({ messages, sales, cart }: Request, tookMs: number, accepted: Accepted): void {
  for (const { id, shopper } of messages) accepted.messages.set(id, shopper);
  for (const line of sales) accepted.sales.add(line);
  if (cart) accepted.carts.set(cart.shopper, cart.fate === 'bought' && tookMs > SURELY_MS ? 'bought late' : cart.fate);
}

async function untilAccepted(request: Request, { urlOf, key, deadline }: PublisherOptions, accepted: Accepted): Promise<void> {
  const body = JSON.stringify({ batch: request.events });
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  for (let sent = 0; Date.now() < deadline();) {
    const url = urlOf();
    if (url !== undefined) {
      if (sent++ > 0) accepted.repeats++;
      const answer = await send(`${url}/v1/batch`, authorization, body);
      if (answer?.status === 200 && answer.text.includes(`"accepted":${request.events.length},`)) return;
      const isRefused = answer && answer.status < 500 && answer.status !== 429;
      if (isRefused) throw new Error(`The collector refused a good request with ${answer.status}: ${answer.text}`);
    }
    await delay(RETRY_MS);
  }
  throw new Error('The collector did not accept a request until the deadline.');
}

/** The answer; undefined when there was none, so that nobody knows what became of the request. */
async function send(url: string, authorization: string, body: string): Promise<{ status: number; text: string } | undefined> {
  try {
    const response = await fetch(url, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body, signal: AbortSignal.timeout(REQUEST_MS) });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}
