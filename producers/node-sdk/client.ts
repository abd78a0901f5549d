import { randomUUID } from 'node:crypto';
import { Batches, type OnRefused } from './batches.js';
import { MillraceError, sendTo } from './server.js';

export { MillraceError } from './server.js';

/** Who an event or question is about. */
export interface Shopper {
  readonly userId?: string | undefined;
  readonly anonymousId?: string | undefined;
}

interface Common extends Shopper {
  /** The same id within a day is the same message; made when absent. */
  readonly messageId?: string | undefined;
  readonly timestamp?: Date | string | undefined;
  readonly context?: Readonly<Record<string, unknown>> | undefined;
}

export interface Track extends Common {
  readonly event: string;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
}

export interface Identify extends Common {
  readonly userId: string;
  readonly traits?: Readonly<Record<string, unknown>> | undefined;
}

export interface Alias extends Common {
  readonly userId: string;
  readonly previousId: string;
}

export interface Ask extends Shopper {
  readonly limit?: number | undefined;
  readonly filter?: Readonly<Record<string, unknown>> | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly items?: readonly string[] | undefined;
  readonly placement?: string | undefined;
  readonly context?: { readonly product_id: string } | undefined;
  readonly diversity?: number | undefined;
  readonly fatigue?: number | undefined;
  readonly explore?: boolean | undefined;
  /** Whether what was bought must not come; by default as the shop is set. */
  readonly excludePurchased?: boolean | undefined;
  /** False for an answer that nobody sees yet. */
  readonly shown?: boolean | undefined;
  /** Token of `flush`: the answer has seen what was sent before it. */
  readonly after?: string | undefined;
  readonly explain?: boolean | undefined;
  readonly compare?: boolean | undefined;
}

export interface Recommendations {
  readonly recommendationId: string;
  readonly items: readonly {
    readonly sku: string;
    readonly score: number;
    readonly name: string | null;
    /** In the shop's currency, as `12.50`. */
    readonly price: string | null;
    readonly reasons: readonly { readonly code: string; readonly text: string; readonly sku?: string; readonly name?: string }[];
  }[];
  readonly model: string;
  readonly stale?: boolean;
}

export interface ClientOptions {
  /** Where Millrace answers: `http://localhost:8080`. */
  readonly url: string;
  /** A server key. */
  readonly key: string;
  /** Calls that make a batch (100), and how long one waits for it (100 ms). */
  readonly batchSize?: number | undefined;
  readonly waitMs?: number | undefined;
  /** Calls that may wait while the server does not answer; more are refused by an exception (10,000). */
  readonly maxWaiting?: number | undefined;
  /** How long one request may take in ms (15,000): a question is then rejected with a `TimeoutError`, a batch sent again. */
  readonly timeoutMs?: number | undefined;
  /** Told of calls that the server will never take: rejected ones of a batch, or a batch refused whole. A warning of the process, if it is left out. */
  readonly onRefused?: OnRefused | undefined;
  readonly fetch?: typeof fetch | undefined;
}

export interface Client {
  track(call: Track): void;
  identify(call: Identify): void;
  page(call: Common & { readonly name?: string; readonly properties?: Readonly<Record<string, unknown>> }): void;
  alias(call: Alias): void;
  /** Send what waits. Resolves, with the position of the last batch, when everything called before is durable or refused. */
  flush(): Promise<string | undefined>;
  recommend(ask: Ask): Promise<Recommendations>;
  score(ask: { readonly items: readonly string[] } & Pick<Ask, 'userId' | 'anonymousId' | 'after' | 'explain' | 'compare'>): Promise<object>;
  similar(ask: { readonly sku: string } & Pick<Ask, 'userId' | 'anonymousId' | 'limit' | 'filter' | 'exclude' | 'placement' | 'shown' | 'after'>): Promise<object>;
  forecast(sku: string): Promise<object>;
}

function warn({ message, problem: { errors = [] } }: MillraceError, calls: readonly object[]): void {
  process.emitWarning(`Millrace refused ${calls.length === 1 ? 'a call' : `${calls.length} calls`}: ${errors.map((error) => `${error.path}: ${error.message}`).join(' ') || message}`);
}

/** A client for a shop's own servers: calls are batched and repeated under the same ids until the server has them. */
export function millrace(options: ClientOptions): Client {
  const { url, key, batchSize = 100, waitMs = 100, maxWaiting = 10_000, timeoutMs = 15_000, onRefused = warn } = options;
  const send = sendTo(url, key, timeoutMs, options.fetch ?? fetch);
  const batches = new Batches(send, { batchSize, waitMs, maxWaiting }, onRefused);

  const add = (type: string, call: Common): void => {
    const timestamp = call.timestamp instanceof Date ? call.timestamp.toISOString() : (call.timestamp ?? new Date().toISOString());
    batches.add({ ...call, type, messageId: call.messageId ?? randomUUID(), timestamp });
  };

  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const { status, json } = await send(method, path, body);
    if (status !== 200) throw new MillraceError(status, json);
    return json as T;
  };

  return {
    track: (call) => add('track', call),
    identify: (call) => add('identify', call),
    page: (call) => add('page', call),
    alias: (call) => add('alias', call),
    flush: () => batches.flush(),
    recommend: (question) => ask('POST', '/v1/recommend', question),
    score: (question) => ask('POST', '/v1/score', question),
    similar: (question) => ask('POST', '/v1/similar', question),
    forecast: (sku) => ask('GET', `/v1/forecasts/${encodeURIComponent(sku)}`),
  };
}
