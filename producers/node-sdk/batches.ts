import { MillraceError, type Answer, type Send } from './server.js';

const FIRST_BACK_OFF_MS = 200;
const MAX_BACK_OFF_MS = 30_000;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface BatchLimits {
  readonly batchSize: number;
  readonly waitMs: number;
  readonly maxWaiting: number;
}

/** Told of calls that the server will never take. */
export type OnRefused = (error: MillraceError, calls: readonly object[]) => void;

/** Collects calls, and sends them in batches, one batch after another, so that calls of a shopper keep their order. */
export class Batches {
  readonly #send: Send;
  readonly #limits: BatchLimits;
  readonly #onRefused: OnRefused;
  readonly #waiting: object[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<string | undefined> = Promise.resolve(undefined);

  constructor(send: Send, limits: BatchLimits, onRefused: OnRefused) {
    this.#send = send;
    this.#limits = limits;
    this.#onRefused = onRefused;
  }

  /** @throws Error when too many calls wait already, or when this one is no JSON */
  add(call: object): void {
    const { batchSize, waitMs, maxWaiting } = this.#limits;
    if (this.#waiting.length >= maxWaiting) throw new Error(`${maxWaiting} calls wait already: Millrace has not answered for some time.`);
    // A copy as it is now: what the caller changes later belongs to another call, and what is no JSON fails here, not in a batch that nobody could send.
    this.#waiting.push(JSON.parse(JSON.stringify(call)) as object);
    if (this.#waiting.length >= batchSize) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), waitMs);
  }

  /** Resolves, with the position of the last batch, when everything added before is durable or refused. */
  flush(): Promise<string | undefined> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending = this.#sending.then((last) => this.#drain(last));
    return this.#sending;
  }

  async #drain(last: string | undefined): Promise<string | undefined> {
    let token = last;
    while (this.#waiting.length > 0) token = (await this.#deliver(this.#waiting.splice(0, this.#limits.batchSize))) ?? token;
    return token;
  }

  /** Sends a batch until the server has answered it. Answers its position; undefined where it was refused whole. */
  async #deliver(batch: readonly object[]): Promise<string | undefined> {
    const answer = await this.#answerTo(batch);
    // More than the server takes at once, which says nothing against any of the calls.
    if (answer.status === 413 && batch.length > 1) {
      const half = Math.ceil(batch.length / 2);
      const first = await this.#deliver(batch.slice(0, half));
      return (await this.#deliver(batch.slice(half))) ?? first;
    }
    if (answer.status !== 200) {
      void this.#refuse(new MillraceError(answer.status, answer.json), batch);
      return undefined;
    }
    for (const { index, errors } of (answer.json['rejected'] ?? []) as { index: number; errors: [] }[]) {
      void this.#refuse(new MillraceError(400, { detail: 'A call was refused.', errors }), [batch[index]]);
    }
    return answer.json['token'] as string;
  }

  /** Repeats a batch, ever later, until the answer is one about the batch. */
  async #answerTo(batch: readonly object[]): Promise<Answer> {
    for (let backOffMs = FIRST_BACK_OFF_MS; ; backOffMs = Math.min(backOffMs * 2, MAX_BACK_OFF_MS)) {
      // A connection that breaks tells nothing about the batch: sent again, its ids keep it from counting twice.
      const answer = await this.#send('POST', '/v1/batch', { batch, sentAt: new Date().toISOString() }).catch((): Answer => ({ status: 503, retryAfterMs: 0, json: {} }));
      // 200 from something between, which has taken nothing.
      const isForeign = answer.status === 200 && typeof answer.json['accepted'] !== 'number';
      if (answer.status !== 429 && answer.status < 500 && !isForeign) return answer;
      await sleep(Math.max(answer.retryAfterMs, backOffMs));
    }
  }

  /** A callback that fails is the shop's fault, and holds up no other call. */
  async #refuse(error: MillraceError, calls: readonly object[]): Promise<void> {
    try {
      await this.#onRefused(error, calls);
    } catch (failure) {
      process.emitWarning(`Millrace's onRefused failed: ${String(failure)}`);
    }
  }
}
