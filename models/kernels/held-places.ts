/**
 * Where items stand in a list that thousands of others are looked for in, nearly all in vain: by the last bits of their numbers.
 * One list at a time.
 */
const HELD = 1_024;
const LAST_BITS = HELD - 1;
/** By the last bits: a place in the list, and one more; 0 where no item of the list ends so. */
const held = new Int16Array(HELD);

/** Holds the items of a list (negative ones are none) until `release`. */
export function hold(items: Int32Array): void {
  // Backwards, so that of equal items the first is found.
  for (let i = items.length - 1; i >= 0; i--) if (items[i] >= 0) held[items[i] & LAST_BITS] = i + 1;
}

export function release(items: Int32Array): void {
  for (const item of items) held[item & LAST_BITS] = 0;
}

/** The place of an item in the list that is held, −1 where it has none. */
export function placeOf(items: Int32Array, item: number): number {
  const i = held[item & LAST_BITS] - 1;
  return i < 0 || items[i] === item ? i : items.indexOf(item);
}
