/**
 * The last 200,000 events of a stream, each with the clicks it followed: what a learner draws its negatives from and
 * what it replays. A ring that grows to its size, 44 bytes an event.
 */
import { capacityFor, grownInt32 } from './growth.js';
import { marksOf } from './marks.js';

export const CONTEXT = 10;
const MOST = 200_000;

export interface RecentEvents {
  /** By place: the item, −1 where it was forgotten. */
  items: Int32Array;
  /** By place: the clicks before it, latest first, −1 beyond their end and for forgotten ones. */
  contexts: Int32Array;
  /** By item: how often it is among `items`. */
  counts: Int32Array;
  length: number;
  /** The place of the oldest event, once the ring is full. */
  oldest: number;
}

export function recentEvents(): RecentEvents {
  return { items: new Int32Array(0), contexts: new Int32Array(0), counts: new Int32Array(0), length: 0, oldest: 0 };
}

/** Makes room to count items below `items`. */
export function ensureItems(events: RecentEvents, items: number): void {
  if (items > events.counts.length) events.counts = grownInt32(events.counts, items);
}

/** Writes an event down, over the oldest one where the ring is full. The item's number must lie in the ensured range. */
export function remember(events: RecentEvents, recent: Int32Array, item: number): void {
  const at = events.length < MOST ? extend(events) : replaceOldest(events);
  events.items[at] = item;
  for (let j = 0; j < CONTEXT; j++) events.contexts[at * CONTEXT + j] = j < recent.length ? recent[j] : -1;
  events.counts[item]++;
}

function extend(events: RecentEvents): number {
  const at = events.length++;
  if (at === events.items.length) {
    const capacity = Math.min(MOST, capacityFor(at + 1, at));
    events.items = grownInt32(events.items, capacity);
    events.contexts = grownInt32(events.contexts, capacity * CONTEXT);
  }
  return at;
}

function replaceOldest(events: RecentEvents): number {
  const at = events.oldest;
  const item = events.items[at];
  if (item >= 0) events.counts[item]--;
  events.oldest = (at + 1) % MOST;
  return at;
}

/** The clicks before the event at a place, into `out`. */
export function contextAt(events: RecentEvents, at: number, out: Int32Array): void {
  for (let j = 0; j < CONTEXT; j++) out[j] = events.contexts[at * CONTEXT + j];
}

/** Takes the items out of what is remembered, in one pass. */
export function drop(events: RecentEvents, items: Int32Array): void {
  const gone = marksOf(items, events.counts.length);
  for (let at = 0; at < events.length; at++) if (events.items[at] >= 0 && gone[events.items[at]] === 1) events.items[at] = -1;
  for (let at = 0; at < events.length * CONTEXT; at++) if (events.contexts[at] >= 0 && gone[events.contexts[at]] === 1) events.contexts[at] = -1;
  for (const item of items) if (item >= 0 && item < events.counts.length) events.counts[item] = 0;
}
