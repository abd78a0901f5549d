import { randomUUID } from 'node:crypto';

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

/** The server refused: what its problem document says. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  constructor(
    readonly status: number,
    readonly problem: { readonly detail?: string; readonly errors?: readonly { readonly path: string; readonly code: string; readonly message: string }[] },
  ) {
    super(problem.detail ?? `The server answered ${status}.`);
  }
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
  readonly onRefused?: ((error: MillraceError, calls: readonly object[]) => void) | undefined;
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

const MAX_BACK_OFF_MS = 30_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function warn({ message, problem: { errors = [] } }: MillraceError, calls: readonly object[]): void {
  process.emitWarning(`Millrace refused ${calls.length === 1 ? 'a call' : `${calls.length} calls`}: ${errors.map((error) => `${error.path}: ${error.message}`).join(' ') || message}`);
}

/** A client for a shop's own servers: calls are batched and repeated under the same ids until the server has them. */
export function millrace(options: ClientOptions): Client {
  const { url, key, batchSize = 100, waitMs = 100, maxWaiting = 10_000, timeoutMs = 15_000, onRefused = warn } = options;
  const request = options.fetch ?? fetch;
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`;
  const waiting: object[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<string | undefined> = Promise.resolve(undefined);

  const send = async (method: string, path: string, body?: unknown): Promise<{ status: number; retryAfterMs: number; json: Record<string, unknown> }> => {
    const response = await request(url.replace(/\/$/, '') + path, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      // By itself fetch waits for five minutes.
      signal: AbortSignal.timeout(timeoutMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      // Not from Millrace.
    }
    const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
    return { status: response.status, retryAfterMs: Number(response.headers.get('retry-after') ?? 0) * 1000, json: isObject(json) ? json : { detail: text.slice(0, 200) } };
  };

  /** A callback that fails is the shop's fault, and holds up no other call. */
  const refuse = async (error: MillraceError, calls: readonly object[]): Promise<void> => {
    try {
      await onRefused(error, calls);
    } catch (failure) {
      process.emitWarning(`Millrace's onRefused failed: ${String(failure)}`);
    }
  };

  const deliver = async (batch: readonly object[]): Promise<string | undefined> => {
    for (let backOffMs = 200; ; backOffMs = Math.min(backOffMs * 2, MAX_BACK_OFF_MS)) {
      // A connection that breaks tells nothing about the batch: sent again, its ids keep it from counting twice.
      const answer = await send('POST', '/v1/batch', { batch, sentAt: new Date().toISOString() }).catch(() => ({ status: 503, retryAfterMs: 0, json: {} as Record<string, unknown> }));
      // 200 from something between, which has taken nothing.
      const isForeign = answer.status === 200 && typeof answer.json['accepted'] !== 'number';
      if (answer.status === 429 || answer.status >= 500 || isForeign) {
        await sleep(Math.max(answer.retryAfterMs, backOffMs));
        continue;
      }
      // More than the server takes at once, which says nothing against any of the calls.
      if (answer.status === 413 && batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        const first = await deliver(batch.slice(0, half));
        return (await deliver(batch.slice(half))) ?? first;
      }
      if (answer.status !== 200) {
        void refuse(new MillraceError(answer.status, answer.json), batch);
        return undefined;
      }
      for (const { index, errors } of (answer.json['rejected'] ?? []) as { index: number; errors: [] }[]) {
        void refuse(new MillraceError(400, { detail: 'A call was refused.', errors }), [batch[index]]);
      }
      return answer.json['token'] as string;
    }
  };

  /** Batches leave one after another: calls of a shopper keep their order. */
  const drain = async (last: string | undefined): Promise<string | undefined> => {
    let token = last;
    while (waiting.length > 0) token = (await deliver(waiting.splice(0, batchSize))) ?? token;
    return token;
  };

  const flush = (): Promise<string | undefined> => {
    clearTimeout(timer);
    timer = undefined;
    sending = sending.then(drain);
    return sending;
  };

  const enqueue = (type: string, call: Common): void => {
    if (waiting.length >= maxWaiting) throw new Error(`${maxWaiting} calls wait already: Millrace has not answered for some time.`);
    const timestamp = call.timestamp instanceof Date ? call.timestamp.toISOString() : (call.timestamp ?? new Date().toISOString());
    // As it is now: what the caller changes later is another call's, and what is no JSON is an error here and not in a batch that nobody could send.
    waiting.push(JSON.parse(JSON.stringify({ ...call, type, messageId: call.messageId ?? randomUUID(), timestamp })) as object);
    if (waiting.length >= batchSize) void flush();
    else timer ??= setTimeout(flush, waitMs);
  };

  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const { status, json } = await send(method, path, body);
    if (status !== 200) throw new MillraceError(status, json);
    return json as T;
  };

  return {
    track: (call) => enqueue('track', call),
    identify: (call) => enqueue('identify', call),
    page: (call) => enqueue('page', call),
    alias: (call) => enqueue('alias', call),
    flush,
    recommend: (question) => ask('POST', '/v1/recommend', question),
    score: (question) => ask('POST', '/v1/score', question),
    similar: (question) => ask('POST', '/v1/similar', question),
    forecast: (sku) => ask('GET', `/v1/forecasts/${encodeURIComponent(sku)}`),
  };
}
