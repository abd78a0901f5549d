import type { Log, LogRecord, OffsetRange } from './log.js';

const AT_ONCE = 1_000;
const POLL_MS = 200;

/**
 * Records of a partition from `start` to before `end`, some at a time, ticks among them. Behind the last record there may be markers of
 * transactions, which nobody reads; an answer that is late is no end.
 */
export async function* recordsBetween(log: Pick<Log, 'reader'>, topic: string, partition: number, { start, end }: OffsetRange): AsyncGenerator<readonly LogRecord[]> {
  if (start >= end) return;
  const reader = log.reader([{ topic, partition, offset: start }]);
  try {
    for (let next = start; next < end;) {
      const records = await reader.poll(AT_ONCE, POLL_MS);
      if (records.length === 0 && reader.lag() === 0) return;
      next = (records.at(-1)?.offset ?? next - 1) + 1;
      yield next <= end ? records : records.filter(({ offset }) => offset < end);
    }
  } finally {
    await reader.close();
  }
}
