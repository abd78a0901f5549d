import type { Log, LogRecord } from '../../pipeline/core/log.js';
import { recordsBetween } from '../../pipeline/core/records-between.js';

/** All records of partition 0 of a topic, from an offset on where it is given; ticks among them. */
export async function everythingIn(log: Pick<Log, 'ranges' | 'reader'>, topic: string, from?: number): Promise<LogRecord[]> {
  const { start, end } = (await log.ranges(topic))[0]!;
  const all: LogRecord[] = [];
  for await (const records of recordsBetween(log, topic, 0, { start: from ?? start, end })) all.push(...records);
  return all;
}
