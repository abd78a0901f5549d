import { setImmediate as nextTurn } from 'node:timers/promises';

const SLICE_MS = 0.5;
/** Of the time that others took since the last slice: where they want all there is, a backlog would grow without end otherwise. */
const SHARE = 0.2;
/** Who had no processor for a tenth of a second must not take a fiftieth for it. */
const LONGEST_MS = 2.5;

/** Of this thread: when its last slice ended, and the turn of whoever asked last for another. */
let endedAt = 0;
let turns = Promise.resolve();

/** When the next slice may begin; answers until when it may take. One at a time: ten parts with a backlog would hold up requests for ten slices. */
async function nextSlice(): Promise<number> {
  endedAt = performance.now();
  turns = turns.then(() => nextTurn());
  await turns;
  const now = performance.now();
  return now + Math.min(LONGEST_MS, Math.max(SLICE_MS, SHARE * (now - endedAt)));
}

/**
 * Do a piece of work after the other, until one answers false. Others share the thread: what has come meanwhile is worked off in slices, between
 * which collector, sinks and requests have their turn. What waits for one slice waits for half a millisecond, however much was to be done.
 */
export async function inSlices<T>(pieces: Iterable<T>, work: (piece: T) => boolean | void): Promise<void> {
  let until = performance.now() + SLICE_MS;
  for (const piece of pieces) {
    if (performance.now() >= until) until = await nextSlice();
    if (work(piece) === false) return;
  }
}

/** Parts of a list, of `most` each. */
export function* partsOf<T>(list: readonly T[], most: number): Iterable<readonly T[]> {
  for (let at = 0; at < list.length; at += most) yield list.slice(at, at + most);
}
