import { randomUUID } from 'node:crypto';
import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { erasures } from '../schemas/topics.js';
import type { ShopEvent } from '../schemas/types.js';
import { sinksCaughtUp } from './caught-up.js';
import { ConfigError, Unavailable } from './core/errors.js';
import type { Lease, Log, LogRecord } from './core/log.js';
import type { RowSink } from './core/row-sink.js';
import { sleep } from './core/sleep.js';
import { toldOnce } from './core/told-once.js';
import type { Engine } from './engine.js';
import { erasedPlaces } from './erased-places.js';

const AT_ONCE = 100;
const RETRY_MS = 1_000;
/** So long after it was refused an erasure is tried again. */
const AGAIN_MS = 60_000;
/** With so many refused at once it is ClickHouse that must be mended: no further ones are begun. */
const MOST_REFUSED = 100;

/**
 * Take erased shoppers' ids out of ClickHouse, until the lease is revoked: once the sinks have brought what came before the erasure. Tables that
 * were made anew have been filled from the log, which has the ids: in them all erasures that it holds are done again. One that ClickHouse refuses
 * is tried again by itself, every `againMs`: the others do not wait for it, and the place in the log stays before it.
 * @throws ConfigError where ClickHouse lets nobody in
 */
export async function runErasures(lease: Lease, { log, metrics, journal }: Pick<Engine, 'log' | 'metrics' | 'journal'>, rowSink: RowSink, againMs = AGAIN_MS): Promise<void> {
  const until = lease.revoked;
  const told = toldOnce(journal, {}, 'An erasure waits for ClickHouse or the log.', 'Erasures go on.');
  const patiently = async (step: () => Promise<unknown>): Promise<void> => {
    while (!until.aborted) {
      try {
        await step();
        return told.worked();
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        told.failed(error.message);
        await sleep(RETRY_MS, until);
      }
    }
  };
  /** By offset, and when each was refused last. */
  const refused = new Map<number, { readonly record: LogRecord; readonly at: number }>();
  const attempt = async (record: LogRecord): Promise<void> => {
    const { partition, offset } = record;
    try {
      await eraseIn(record, log, rowSink, patiently, until);
      if (refused.delete(offset)) journal.info({ partition, offset }, 'An erasure that ClickHouse had refused is done.');
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      if (!refused.has(offset)) journal.error({ partition, offset, err: error }, 'An erasure is refused: its shopper is still named in ClickHouse. It is tried again, and not told again.');
      refused.set(offset, { record, at: performance.now() });
    }
    metrics.gauge('millrace_erasures_refused', refused.size, { partition: String(partition) });
  };
  let tables = '';
  await patiently(() => rowSink.ensure());
  await patiently(async () => {
    tables = await tablesIn(rowSink);
    const stored = await lease.storedOffset(erasures.name);
    const start = (await log.ranges(erasures.name))[lease.partition]?.start ?? 0;
    await lease.seek({ [erasures.name]: stored?.metadata === tables ? Math.max(start, stored.offset) : start });
  });
  try {
    let [next, stored] = [0, 0];
    while (!until.aborted) {
      const due = [...refused.values()].filter(({ at }) => performance.now() - at >= againMs).map(({ record }) => record);
      const records = await lease.poll(refused.size < MOST_REFUSED ? AT_ONCE : 0, RETRY_MS, new Set());
      for (const record of [...due, ...records]) {
        await attempt(record);
        // Revoked while waiting: whoever owns the partition now begins with this one.
        if (until.aborted) return;
        next = Math.max(next, record.offset + 1);
        const place = Math.min(next, ...refused.keys());
        if (place > stored) await patiently(() => lease.storeOffset(erasures.name, place, tables));
        stored = Math.max(stored, place);
      }
    }
  } finally {
    metrics.gauge('millrace_erasures_refused', 0, { partition: String(lease.partition) });
  }
}

async function eraseIn({ key, value, partition, writtenAt }: LogRecord, log: Log, rowSink: RowSink, patiently: (step: () => Promise<unknown>) => Promise<void>, until: AbortSignal): Promise<void> {
  const { ids, orderId, time } = erasures.codec.decode(value);
  if (orderId !== null) return;
  await patiently(() => sinksCaughtUp(log, rowSink, () => {}, until));
  await patiently(async () => rowSink.erase(ids, await erasedPlaces(log, { key: key ?? '', partition, time, writtenAt })));
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
