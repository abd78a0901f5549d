/**
 * Which items have been seen, listed without a gap, so that one can be drawn at random: each has a place in the list, and the last of
 * the list takes the place of one that is taken out. O(1) all of it; 8 bytes an item.
 */
import { grownInt32 } from './growth.js';

export interface SeenItems {
  /** By item: its place in the list; −1 for one that has not been seen. */
  places: Int32Array;
  list: Int32Array;
  count: number;
}

export const none = (): SeenItems => ({ places: new Int32Array(0), list: new Int32Array(0), count: 0 });

/** Those whose places and list were kept, for as many items as there are places. */
export const of = (places: Int32Array, list: Int32Array): SeenItems => ({ places, list: grownInt32(list, places.length), count: list.length });

/** Room for items below `capacity`. */
export function ensure(seen: SeenItems, capacity: number): void {
  const before = seen.places.length;
  if (capacity <= before) return;
  seen.places = grownInt32(seen.places, capacity).fill(-1, before);
  seen.list = grownInt32(seen.list, capacity);
}

export const has = ({ places }: SeenItems, item: number): boolean => places[item] >= 0;

export function add(seen: SeenItems, item: number): void {
  if (seen.places[item] >= 0) return;
  seen.places[item] = seen.count;
  seen.list[seen.count++] = item;
}

export function remove(seen: SeenItems, item: number): void {
  const at = seen.places[item];
  if (at < 0) return;
  const last = seen.list[--seen.count];
  seen.list[at] = last;
  seen.places[last] = at;
  seen.places[item] = -1;
}
