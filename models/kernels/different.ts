/**
 * The different items among clicks, each where it was clicked last: who goes to and fro between two items says no more of what
 * goes with them than who looked at each once.
 */
const MOST = 50;
const found = new Int32Array(MOST);
/** By count: the first of them. To make a view takes longer than to find what it shows. */
const views = Array.from({ length: MOST + 1 }, (_, count) => found.subarray(0, count));

/** The different items of the first `clicks` (≤ 50) of `recent`, in its order: a view that the next call overwrites. */
export function different(recent: Int32Array, clicks: number): Int32Array {
  let count = 0;
  for (let j = 0; j < recent.length && j < clicks; j++) {
    const item = recent[j];
    let k = 0;
    // Not by indexOf, whose calls take longer than these few numbers.
    while (k < count && found[k] !== item) k++;
    if (k === count) found[count++] = item;
  }
  return views[count];
}

/** Whether an item is among clicks. Not by includes, whose call takes longer than to look at the few there are. */
export function isAmong(recent: Int32Array, item: number): boolean {
  for (let j = 0; j < recent.length; j++) if (recent[j] === item) return true;
  return false;
}
