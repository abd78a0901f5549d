import { randomUUID } from 'node:crypto';
import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { erasures } from '../schemas/topics.js';
import type { ShopEvent } from '../schemas/types.js';
import { sinksCaughtUp } from './caught-up.js';
import { ConfigError, LostRecords, Unavailable } from './core/errors.js';
import type { Lease, LogRecord } from './core/log.js';
import type { RowSink } from './core/row-sink.js';
import { untilAvailable } from './core/until-available.js';
import type { Engine } from './engine.js';
import { erasedPlaces } from './erased-places.js';

const AT_ONCE = 100;
const POLL_MS = 1_000;
/** So long after it was refused an erasure is tried again. */
const AGAIN_MS = 60_000;
/** With so many refused at once it is ClickHouse that must be mended: no further ones are begun. */
const MOST_REFUSED = 100;
const REFUSED = 'millrace_erasures_refused';

/**
 * Take erased shoppers' ids out of ClickHouse, until the lease is revoked: once the sinks have brought what came before the erasure. Tables that
 * were made anew have been filled from the log, which has the ids: in them all erasures that it holds are done again. One that ClickHouse refuses
 * is tried again by itself, every `againMs`: the others do not wait for it, and the place in the log stays before it.
 * @throws ConfigError where ClickHouse lets nobody in
 */
export async function runErasures(lease: Lease, ports: ErasurePorts, rowSink: RowSink, againMs = AGAIN_MS): Promise<void> {
  try {
    await new PartitionErasures(lease, ports, rowSink, againMs).run();
  } catch (error) {
    // Revoked while it waited: whoever owns the partition now begins with the erasure that is not done.
    if (!(error instanceof Unavailable) || !lease.revoked.aborted) throw error;
  } finally {
    ports.metrics.gauge(REFUSED, 0, { partition: String(lease.partition) });
  }
}

type ErasurePorts = Pick<Engine, 'log' | 'metrics' | 'journal'>;

class PartitionErasures {
  /** By offset, and when (ms) each was refused last. */
  readonly #refused = new Map<number, { readonly record: LogRecord; readonly at: number }>();
  /** The tables as they were made; a stored place speaks of these alone. */
  #tables = '';
  #next = 0;
  #stored = 0;

  constructor(readonly lease: Lease, readonly ports: ErasurePorts, readonly rowSink: RowSink, readonly againMs: number) {}

  async run(): Promise<void> {
    const { lease } = this;
    await this.#patiently(() => this.rowSink.ensure());
    await this.#patiently(() => this.#seek());
    while (!lease.revoked.aborted) {
      const due = [...this.#refused.values()].filter(({ at }) => performance.now() - at >= this.againMs).map(({ record }) => record);
      const records = await lease.poll(this.#refused.size < MOST_REFUSED ? AT_ONCE : 0, POLL_MS, new Set());
      for (const record of [...due, ...records]) {
        await this.#attempt(record);
        // Revoked while waiting: whoever owns the partition now begins with this one.
        if (lease.revoked.aborted) return;
        await this.#store(record.offset + 1);
      }
    }
  }

  /** To the first erasure that these tables have not had. */
  async #seek(): Promise<void> {
    const { lease, ports: { log } } = this;
    this.#tables = await tablesIn(this.rowSink);
    const stored = await lease.storedOffset(erasures.name);
    const start = (await log.ranges(erasures.name))[lease.partition]?.start ?? 0;
    const [offset, lineage] = stored?.metadata === this.#tables ? [Math.max(start, stored.offset), stored.lineage] : [start];
    try {
      await lease.seek({ [erasures.name]: offset }, lineage === undefined ? {} : { [erasures.name]: lineage });
    } catch (error) {
      if (!(error instanceof LostRecords)) throw error;
      // Done twice an erasure changes nothing; one that is passed over would leave somebody named.
      this.ports.journal.warn({ partition: lease.partition, problem: error.message }, 'The log is another one than erasures were read from: all that it has are done again.');
      await lease.seek({});
    }
  }

  /** Does an erasure, or notes that it was refused. */
  async #attempt(record: LogRecord): Promise<void> {
    const { metrics, journal } = this.ports;
    const { partition, offset } = record;
    try {
      await this.#erase(record);
      if (this.#refused.delete(offset)) journal.info({ partition, offset }, 'An erasure that ClickHouse had refused is done.');
    } catch (error) {
      if (error instanceof ConfigError || error instanceof Unavailable) throw error;
      if (!this.#refused.has(offset)) journal.error({ partition, offset, err: error }, 'An erasure is refused: its shopper is still named in ClickHouse. It is tried again, and not told again.');
      this.#refused.set(offset, { record, at: performance.now() });
    }
    metrics.gauge(REFUSED, this.#refused.size, { partition: String(partition) });
  }

  async #erase({ key, value, partition, writtenAt }: LogRecord): Promise<void> {
    const { lease, ports: { log }, rowSink } = this;
    const { ids, orderId, time } = erasures.codec.decode(value);
    if (orderId !== null) return;
    await this.#patiently(() => sinksCaughtUp(log, rowSink, () => {}, lease.revoked));
    await this.#patiently(async () => rowSink.erase(ids, await erasedPlaces(log, { key: key ?? '', partition, time, writtenAt })));
  }

  /** Up to `next` all is done but what was refused: the place stays before that. */
  async #store(next: number): Promise<void> {
    this.#next = Math.max(this.#next, next);
    const place = Math.min(this.#next, ...this.#refused.keys());
    if (place > this.#stored) await this.#patiently(() => this.lease.storeOffset(erasures.name, place, this.#tables));
    this.#stored = Math.max(this.#stored, place);
  }

  /** @throws Unavailable where the lease is revoked */
  #patiently(step: () => Promise<void>): Promise<void> {
    const { lease, ports: { journal } } = this;
    return untilAvailable(async () => {
      if (lease.revoked.aborted) throw new Unavailable(`The lease of partition ${lease.partition} was revoked.`);
      await step();
    }, lease.revoked, journal, 'An erasure');
  }
}

/** Names the tables as they were made. One that is missing is its sink's to complain of. */
async function tablesIn(rowSink: RowSink): Promise<string> {
  const ids: string[] = [];
  for (const { table } of clickhouseSinks) {
    ids.push(await rowSink.tableId(table).catch((error: unknown) => {
      if (error instanceof Unavailable) throw error;
      return 'none';
    }));
  }
  return ids.join(' ');
}

/** The event that erases a shopper: every consumer that keeps rows of the id forgets them. */
export function erasureOf(id: string, now: number): ShopEvent {
  return {
    messageId: randomUUID(), type: 'track', event: 'User Erased', userId: id, anonymousId: null, previousId: null, time: now, receivedAt: now, products: [],
    cartId: null, checkoutId: null, orderId: null, recommendationId: null, placement: null, query: null, list: null, currency: null, value: null, url: null,
    referrer: null, campaign: null, locale: null, timezone: null, marketingConsent: null, traits: null, properties: null, source: null, claim: null, login: null, restored: null,
  };
}
