import { deadLetters, interactions, marketingTriggers, purchases, recommendations, sales, type Topic } from '../schemas/topics.js';
import type { Log } from './core/log.js';
import { recordsBetween } from './core/records-between.js';

/** By table: for each partition of its topic the offset from which on rows are no part of what is erased. */
export type Places = ReadonlyMap<string, readonly number[]>;

/** Records looked through for the erasure itself, before and after where it must stand by its time. */
const WINDOW = 5_000;
/** What tells of shoppers from profiles that it follows hears of the erasure so much later at most, where nothing is stuck. */
const HEARSAY_MS = 10_000;
const TOPICS: readonly (readonly [topic: Topic, laterMs: number])[] = [[purchases, 0], [sales, 0], [deadLetters, 0], [marketingTriggers, HEARSAY_MS], [recommendations, HEARSAY_MS]];

/**
 * A record's time of writing is its writer's: on a cluster, of hosts whose clocks may differ by so much, ms. An order that one which is ahead wrote before
 * an erasure would pass for written after it, and keep its name for ever. Not so of clicks: those that a page sends at once after it are the device's.
 */
export const clocksApartMs = ({ engine }: Pick<Log, 'engine'>): number => (engine === 'kafka' ? 10_000 : 0);

/** An erasure as `shoppers` has written it: the id, its partition, when it was erased (ms) and when that was written (ms). */
export interface Erased {
  readonly key: string;
  readonly partition: number;
  readonly time: number;
  readonly writtenAt: number;
}

/**
 * Where an erasure stands in the clean topics: who is back under the same id a moment later is somebody new. In the shopper's own partition of
 * `interactions` it stands itself; elsewhere what was written until then, as far as clocks agree, is from before it.
 */
export async function erasedPlaces(log: Log, erased: Erased): Promise<Places> {
  const own = [...(await log.writtenAfter(interactions.name, erased.writtenAt))];
  const exact = await ownPlace(log, erased, own[erased.partition] ?? 0);
  if (exact !== undefined) own[erased.partition] = exact;
  const places = new Map([[interactions.name, own]]);
  for (const [{ name }, laterMs] of TOPICS) places.set(name.replaceAll('-', '_'), [...(await log.writtenAfter(name, erased.writtenAt + laterMs + clocksApartMs(log)))]);
  return places;
}

/** Behind the shopper's `User Erased` itself: what came with it in one commit was written in the same moment. */
async function ownPlace(log: Log, { key, partition, time }: Erased, near: number): Promise<number | undefined> {
  const range = (await log.ranges(interactions.name))[partition];
  if (!range) return undefined;
  let found: number | undefined;
  const around = { start: Math.max(range.start, near - WINDOW), end: Math.min(range.end, near + WINDOW) };
  for await (const records of recordsBetween(log, interactions.name, partition, around)) {
    for (const { key: its, value, offset } of records) {
      if (its !== key || value === null) continue;
      const { event, time: at } = interactions.codec.decode(value);
      if (event === 'User Erased' && at === time) found = offset + 1;
    }
  }
  return found;
}
