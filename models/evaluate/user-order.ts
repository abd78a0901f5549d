/**
 * The order in which users' histories are learned where a file does not tell it.
 *
 *   event n = 0, 1, … of a user's m lies at (n + r)/m, with an r in [0, 1) of the user's own
 *
 * A file that lists one user after another knows the order of each user's events and not who came first. Its own order is often that of a
 * list by product: in the Amazon files that the literature shares, seven in ten users have an item of the user listed before them, by chance
 * two in a hundred. Learned in that order, what trends foretells the next event as it never will again: every user is asked after the
 * last one. Laid side by side all are asked at the end of their own time, as in service.
 */
import type { UserEvent } from './recommendations.js';

export interface Histories {
  readonly events: readonly UserEvent[];
  /** Whether the order between users is ours, since the file has none. */
  readonly isSideBySide: boolean;
}

/** The events side by side; as they are where the events of different users alternate, or nobody has two. */
export function inOneTime(events: readonly UserEvent[]): Histories {
  const lengths = new Map<number, number>();
  let groups = 0;
  events.forEach(({ user }, at) => {
    if (at === 0 || events[at - 1].user !== user) groups++;
    lengths.set(user, (lengths.get(user) ?? 0) + 1);
  });
  if (groups !== lengths.size || lengths.size < 2 || events.length === lengths.size) return { events, isSideBySide: false };
  const at = new Float64Array(events.length);
  let n = 0;
  events.forEach(({ user }, place) => {
    n = place > 0 && events[place - 1].user === user ? n + 1 : 0;
    at[place] = (n + part(user)) / (lengths.get(user) ?? 1);
  });
  const order = Array.from(events.keys()).toSorted((a, b) => at[a] - at[b] || a - b);
  return { events: order.map((place) => events[place]), isSideBySide: true };
}

/** A number in [0, 1) that the user's number scatters to (the finalizer of MurmurHash3). */
function part(user: number): number {
  let hash = Math.imul(user + 1, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
