import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { deadLetterOf } from '../../pipeline/core/dead-letter.js';
import { Unavailable, type DeadLetterCode } from '../../pipeline/core/errors.js';
import type { Lease, Log, LogRecord, Membership } from '../../pipeline/core/log.js';
import { untilStopped } from '../../pipeline/core/sleep.js';
import { untilAvailable } from '../../pipeline/core/until-available.js';
import { UndecodableError } from '../../schemas/codec.js';
import type { Endpoint, WebhookMessage } from './endpoint.js';
import { Standing } from './standing.js';

const POLL_MS = 250;
/** Between two looks whether there is room for more. */
const FULL_MS = 100;

/** A topic whose records are sent to endpoints. */
export interface DeliverySource {
  readonly topic: string;
  readonly log: Pick<Log, 'ranges' | 'append' | 'partitions' | 'own'>;
  /** Made of the record alone, so that it is the same after a crash; undefined for what is not sent. @throws UndecodableError */
  messageOf(record: LogRecord): WebhookMessage | undefined;
  /** What must happen before records can be read. @throws Unavailable */
  prepare(records: readonly LogRecord[]): Promise<void>;
}

/** A message under way; a later one may say that it need not be sent any more. */
interface Underway {
  readonly id: string;
  isSuperseded: boolean;
  done: Promise<void>;
}

/**
 * Send a topic to one endpoint, by a group of its own: each message once and again until it is known to have arrived, given up or refused.
 * An end waits for what is under way, but not long, and stores what has arrived: a restart then sends none of it again.
 */
export function startDeliveries(endpoint: Endpoint, source: DeliverySource): Pick<Membership, 'failed' | 'stop'> & { readonly name: string } {
  const name = `webhook-${endpoint.name}`;
  const runs = new Set<Promise<void>>();
  const membership = source.log.own({ name, inputs: [source.topic] }, async (lease) => {
    const run = new Deliveries(lease, endpoint, source).run();
    runs.add(run);
    await run.finally(() => runs.delete(run));
    // Keep the lease of an endpoint that is over: another owner of this process would find it over, too.
    await untilStopped(lease.revoked);
  });
  return {
    name,
    failed: membership.failed,
    async stop() {
      endpoint.over.abort();
      await Promise.race([Promise.allSettled(runs), delay(endpoint.limits.finishMs, undefined, { ref: false })]);
      await membership.stop().finally(() => endpoint.close());
    },
  };
}

class Deliveries {
  /** Nothing more is begun; what is under way ends, unless the lease is revoked. */
  readonly #stop: AbortSignal;
  readonly #labels: { readonly endpoint: string; readonly partition: string };
  readonly #standing: Standing;
  readonly #underway = new Set<Underway>();
  #failure: Error | undefined;

  constructor(readonly lease: Lease, readonly endpoint: Endpoint, readonly source: DeliverySource) {
    this.#stop = AbortSignal.any([lease.revoked, endpoint.over.signal]);
    // Each delivery that waits is one.
    setMaxListeners(0, this.#stop, lease.revoked);
    this.#standing = new Standing(
      (offset, metadata) => this.#patiently(() => lease.storeOffset(source.topic, offset, metadata), lease.revoked),
      // What a revoked lease no longer takes is sent again by the next owner.
      (error) => { if (!lease.revoked.aborted) this.#failure ??= error; },
    );
    this.#labels = { endpoint: endpoint.name, partition: String(lease.partition) };
  }

  async run(): Promise<void> {
    try {
      await this.#read();
      await Promise.all([...this.#underway].map(({ done }) => done));
      await this.#standing.stored;
    } catch (error) {
      // Waiting for the log ends with its last failure.
      if (!(error instanceof Unavailable && this.#stop.aborted)) throw error;
    } finally {
      // Another process has the partition from now on, or nobody is to hear of it.
      this.#tellLag();
    }
  }

  async #read(): Promise<void> {
    await this.#start();
    while (!this.#stop.aborted) {
      if (this.#failure) throw this.#failure;
      this.#tellLag();
      const room = this.endpoint.limits.window - this.#underway.size;
      if (room <= 0) {
        await this.endpoint.ports.sleep(FULL_MS, this.#stop);
        continue;
      }
      const records = await this.#patiently(() => this.lease.poll(room, POLL_MS, new Set()));
      await this.#patiently(() => this.source.prepare(records));
      for (const record of records) this.#take(record);
    }
  }

  /** From where an earlier run stood; an endpoint that nobody has sent to before gets what comes from now on. */
  async #start(): Promise<void> {
    const { topic, log } = this.source;
    const stored = await this.#patiently(() => this.lease.storedOffset(topic));
    const range = (await this.#patiently(() => log.ranges(topic)))[this.lease.partition];
    const from = this.#standing.begin(stored, range, this.endpoint.ports.now());
    await this.#patiently(() => this.lease.seek({ [topic]: from }));
    if (!stored) this.endpoint.ports.journal.info(this.#labels, 'A webhook endpoint is new: it gets what comes from now on.');
  }

  #take(record: LogRecord): void {
    if (this.#standing.read(record)) return;
    try {
      const message = record.tick === null && record.value !== null ? this.source.messageOf(record) : undefined;
      if (!message) return this.#standing.settle(record);
      const earlier = [...this.#underway].filter(({ id }) => id === message.supersedes);
      for (const one of earlier) one.isSuperseded = true;
      this.#begin(record, message.id, async (underway) => {
        await Promise.all(earlier.map(({ done }) => done));
        return this.#deliver(record, message, underway);
      });
    } catch (error) {
      this.#begin(record, '', () => this.#setAside(record, error instanceof UndecodableError ? error.code : 'crashed', (error as Error).message));
    }
  }

  /** Settle a record once it is certain what became of it. */
  #begin(record: LogRecord, id: string, outcomeOf: (underway: Underway) => Promise<string | undefined>): void {
    const underway: Underway = { id, isSuperseded: false, done: Promise.resolve() };
    this.#underway.add(underway);
    underway.done = outcomeOf(underway)
      .then((outcome) => {
        if (outcome === undefined) return;
        this.endpoint.ports.metrics.count('millrace_webhook_deliveries_total', { endpoint: this.endpoint.name, outcome });
        this.#standing.settle(record);
      })
      .catch((error: Error) => { this.#failure ??= error; })
      .finally(() => this.#underway.delete(underway));
  }

  /** Try until something is certain; undefined when it has to stop before. */
  async #deliver(record: LogRecord, message: WebhookMessage, underway: Underway): Promise<string | undefined> {
    const { name, limits, ports: { now, sleep, random, metrics } } = this.endpoint;
    const deadline = record.writtenAt + limits.giveUpAfterMs;
    let waitMs = limits.firstWaitMs;
    let reason = 'none';
    for (let refusals = 0; now() < deadline; waitMs = Math.min(2 * waitMs, limits.longestWaitMs)) {
      if (underway.isSuperseded) return 'superseded';
      if (this.#stop.aborted) return undefined;
      const outcome = await this.endpoint.send(message, this.#stop, this.lease.revoked, () => underway.isSuperseded || now() >= deadline);
      if (outcome.kind === 'delivered') return 'delivered';
      if (!('reason' in outcome)) continue;
      reason = outcome.reason;
      if (outcome.kind === 'refused' && ++refusals >= limits.refusals) return this.#setAside(record, 'webhook_refused', `it was refused ${refusals} times, the last time with ${reason}.`);
      metrics.count('millrace_webhook_deliveries_total', { endpoint: name, outcome: 'retried' });
      await sleep(Math.min(deadline - now(), waitMs * (0.5 + random() / 2)), this.#stop);
    }
    return this.#setAside(record, 'webhook_undelivered', `it did not arrive within ${limits.giveUpAfterMs / 3_600_000} h; the last attempt: ${reason}.`);
  }

  /** What is given up is kept as a dead letter before its place is passed. */
  async #setAside(record: LogRecord, code: DeadLetterCode, why: string): Promise<string> {
    const { log } = this.source;
    const { name, ports } = this.endpoint;
    const error = new Error(`Not sent to ${name}: ${why}`);
    const letter = deadLetterOf({ consumer: `webhook-${name}`, code, error, record, at: ports.now(), partitions: log.partitions });
    await this.#patiently(() => log.append([letter]));
    ports.metrics.count('millrace_dead_letters_total', { code });
    return 'dead_letter';
  }

  #patiently<T>(attempt: () => Promise<T>, stop = this.#stop): Promise<T> {
    return untilAvailable(attempt, stop, this.endpoint.ports.journal, `webhook-${this.endpoint.name}`);
  }

  #tellLag(): void {
    const { metrics, now } = this.endpoint.ports;
    const isOver = this.#stop.aborted;
    metrics.gauge('millrace_webhook_lag_records', isOver ? 0 : this.#standing.pending + (this.lease.lag()[this.source.topic] ?? 0), this.#labels);
    metrics.gauge('millrace_webhook_lag_seconds', isOver ? 0 : (now() - (this.#standing.oldest ?? now())) / 1_000, this.#labels);
  }
}
