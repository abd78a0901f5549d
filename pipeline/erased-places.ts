import { deadLetters, interactions, marketingTriggers, purchases, recommendations, sales, type Topic } from '../schemas/topics.js';
import type { Log, LogRecord } from './core/log.js';

/** By table: for each partition of its topic the offset from which on rows are no part of what is erased. */
export type Places = ReadonlyMap<string, readonly number[]>;

/** Records looked through one by one; farther than that the place is halved in. */
const WINDOW = 5_000;
const POLL_MS = 200;
/** What tells of shoppers from profiles that it follows hears of the erasure so much later at most, where nothing is stuck. */
const HEARSAY_MS = 10_000;
const TOPICS: readonly (readonly [topic: Topic, laterMs: number])[] = [[interactions, 0], [purchases, 0], [sales, 0], [deadLetters, 0], [marketingTriggers, HEARSAY_MS], [recommendations, HEARSAY_MS]];

/** An erasure as `shoppers` has written it: the id, its partition, when it was erased (ms) and when that was written (ms). */
export interface Erased {
  readonly key: string;
  readonly partition: number;
  readonly time: number;
  readonly writtenAt: number;
}

/**
 * Where an erasure stands in the clean topics: who is back under the same id a moment later is somebody new. In the shopper's own partition of
 * `interactions` it stands itself; elsewhere what was written until then is from before it.
 */
export async function erasedPlaces(log: Log, erased: Erased): Promise<Places> {
  const places = new Map<string, number[]>();
  for (const [{ name }, laterMs] of TOPICS) {
    const offsets: number[] = [];
    for (let partition = 0; partition < log.partitions; partition++) offsets.push(await placeAt(log, name, partition, erased.writtenAt + laterMs));
    places.set(name.replaceAll('-', '_'), offsets);
  }
  const own = places.get(interactions.name)!;
  const exact = await ownPlace(log, erased, own[erased.partition] ?? 0);
  if (exact !== undefined) own[erased.partition] = exact;
  return places;
}

/** The offset after the last record that was written until `time`. */
async function placeAt(log: Log, topic: string, partition: number, time: number): Promise<number> {
  const range = (await log.ranges(topic))[partition];
  if (!range) return 0;
  let { start: place, end } = range;
  while (end - place > WINDOW) {
    const middle = Math.floor((place + end) / 2);
    const [record] = await recordsOf(log, topic, partition, middle, end, 1);
    if (record && record.writtenAt <= time) place = record.offset + 1;
    else end = middle;
  }
  for (const { offset, writtenAt } of await recordsOf(log, topic, partition, place, end, Infinity)) if (writtenAt <= time) place = offset + 1;
  return place;
}

/** Behind the shopper's `User Erased` itself: what came with it in one commit was written in the same moment. */
async function ownPlace(log: Log, { key, partition, time }: Erased, near: number): Promise<number | undefined> {
  const range = (await log.ranges(interactions.name))[partition];
  if (!range) return undefined;
  const around = await recordsOf(log, interactions.name, partition, Math.max(range.start, near - WINDOW), Math.min(range.end, near + WINDOW), Infinity);
  const itself = around.findLast((record) => {
    if (record.key !== key || record.value === null) return false;
    const { event, time: at } = interactions.codec.decode(record.value);
    return event === 'User Erased' && at === time;
  });
  return itself && itself.offset + 1;
}

async function recordsOf(log: Log, topic: string, partition: number, from: number, to: number, most: number): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  if (from >= to) return found;
  const reader = log.reader([{ topic, partition, offset: from }]);
  try {
    while (found.length < most) {
      const records = await reader.poll(Math.min(WINDOW, most), POLL_MS);
      found.push(...records.filter(({ offset }) => offset < to));
      if ((records.at(-1)?.offset ?? -1) >= to - 1) break;
      // Behind the last record there may be markers of transactions, which nobody reads. An answer that is late is no end.
      if (records.length === 0 && reader.lag() === 0) break;
    }
  } finally {
    await reader.close();
  }
  return found;
}
