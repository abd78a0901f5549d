import { randomUUID } from 'node:crypto';
import { clickhouseSinks } from '../consumers/clickhouse-sinks.js';
import { erasures } from '../schemas/topics.js';
import type { ShopEvent } from '../schemas/types.js';
import { sinksCaughtUp } from './caught-up.js';
import { Unavailable } from './core/errors.js';
import type { Lease, Log } from './core/log.js';
import type { Journal } from './core/metrics.js';
import type { RowSink } from './core/row-sink.js';
import { sleep } from './core/sleep.js';
import { toldOnce } from './core/told-once.js';
import { erasedPlaces } from './erased-places.js';

const AT_ONCE = 100;
const RETRY_MS = 1_000;

/**
 * Take erased shoppers' ids out of ClickHouse, until the lease is revoked: once the sinks have brought what came before the erasure. Tables that
 * were made anew have been filled from the log, which has the ids: in them all erasures that it holds are done again.
 */
export async function runErasures(lease: Lease, log: Log, rowSink: RowSink, journal: Journal): Promise<void> {
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
  let tables = '';
  await patiently(() => rowSink.ensure());
  await patiently(async () => {
    tables = await tablesIn(rowSink);
    const stored = await lease.storedOffset(erasures.name);
    const start = (await log.ranges(erasures.name))[lease.partition]?.start ?? 0;
    await lease.seek({ [erasures.name]: stored?.metadata === tables ? Math.max(start, stored.offset) : start });
  });
  while (!until.aborted) {
    const records = await lease.poll(AT_ONCE, RETRY_MS, new Set());
    for (const { key, value, offset, partition, writtenAt } of records) {
      const { ids, orderId, time } = erasures.codec.decode(value);
      if (orderId === null) {
        await patiently(() => sinksCaughtUp(log, rowSink, () => {}, until));
        await patiently(async () => rowSink.erase(ids, await erasedPlaces(log, { key: key ?? '', partition, time, writtenAt })));
      }
      // Revoked while waiting: whoever owns the partition now begins with this one.
      if (until.aborted) return;
      await patiently(() => lease.storeOffset(erasures.name, offset + 1, tables));
    }
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
    referrer: null, campaign: null, locale: null, timezone: null, marketingConsent: null, traits: null, properties: null, source: null, login: null, restored: null,
  };
}
