import type { LogRecord, Position, Reader } from '../../pipeline/core/log.js';
import { Arrival } from './arrival.js';
import { Backlog } from './backlog.js';
import type { Cursor, Fetcher } from './fetcher.js';

/** Reads many partitions outside any group, for views and folds. */
export function openReader(fetcher: Fetcher, from: readonly Position[]): Reader {
  const backlog = new Backlog();
  const arrival = new Arrival();
  let failure: Error | undefined;
  let closed = false;

  const cursors = from.map(({ topic, partition, offset }): Cursor => ({
    topic, partition, position: offset, end: undefined, paused: false,
    arrived: (records) => {
      backlog.add(records);
      if (backlog.full) for (const cursor of cursors) cursor.paused = true;
      arrival.announce();
    },
    failed: (error) => {
      failure ??= error;
      arrival.announce();
    },
  }));
  for (const cursor of cursors) fetcher.follow(cursor);

  const take = (max: number): LogRecord[] | undefined => {
    if (failure) throw failure;
    if (closed) return undefined;
    const records: LogRecord[] = [];
    const wasFull = backlog.full;
    backlog.take(records, max);
    if (wasFull && !backlog.full) {
      for (const cursor of cursors) cursor.paused = false;
      fetcher.wake();
    }
    return records;
  };

  return {
    poll: async (max, waitMs) => {
      if (!closed) return arrival.poll(waitMs, () => take(max));
      await arrival.wait(waitMs); // a loop that has not heard of the end must not spin
      return [];
    },
    lag: () => backlog.size + cursors.reduce((sum, cursor) => sum + behind(cursor), 0),
    close: async () => {
      closed = true;
      arrival.announce();
      await fetcher.close();
    },
  };
}

/** Offsets not fetched yet. One while the end is unknown: a reader that has heard nothing must not pass for caught up. */
export const behind = ({ position, end }: Cursor): number => (end === undefined ? 1 : Math.max(0, end - position));
