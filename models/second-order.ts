/**
 * Second order: what followed the last two clicks together, and what followed the latest one of late. Co-visitation adds up what
 * each click says for itself, and forgets by the events of the whole shop.
 *
 *   kept of each item a: the last R times that it was clicked and followed, as (click before a, click after a)
 *   share(c) of what follows a_1 (latest), by transitions, becomes (m(c) + p(c))/(M + 1)      p(c) = (l(c) + 8·share(c))/(L + 8)
 *     M, m(c): of the latest 20 with a_2 before, how many, and with c after      L, l(c): the same of the latest 8 with anything before
 *
 * Untrained: shares stay as they are. R is a power of two from 8 to 256, as large as 2^19 kept clicks (4 MB) allow for the items
 * there are; above 65,536 items 64 bytes an item.
 * Source: variable-order Markov chains, shrunk to the next shorter context (Begleiter et al., JAIR 2004).
 */
import { slot, type Scratch } from './kernels/candidates.js';
import { checkItem, grownInt32 } from './kernels/growth.js';
import { marksOf } from './kernels/marks.js';
import { pack, unpack } from './kernels/snapshot.js';

const FEWEST_ITEMS = 64;
const ALL_KEPT = 2 ** 19;
const LEAST_KEPT = 8;
const MOST_KEPT = 256;
/** Times after the latest click that count as of late, and what transitions count beside them. */
const LATE = 8;
const STEADY = 8;
/** Times after the last two clicks that are looked at. */
const MATCHES = 20;
const MOST_COUNTED = 2 ** 30;
const VERSION = 1;

export interface SecondOrder {
  /** By item: how often it was followed; the one of number n stands at place n mod R. */
  counts: Int32Array;
  /** R by item: the click before (−1 for none), the click after (−1 if forgotten). */
  clicks: Int32Array;
  items: number;
}

/** R. */
const keptOf = ({ counts, clicks }: SecondOrder): number => clicks.length / counts.length / 2;

export function init(): SecondOrder {
  return { counts: new Int32Array(FEWEST_ITEMS), clicks: new Int32Array(FEWEST_ITEMS * MOST_KEPT * 2), items: 0 };
}

/** What the last two of `recent` (latest first) say, into the scratch's `after`. */
export function gather(state: SecondOrder, recent: Int32Array, scratch: Scratch): void {
  const { after } = scratch;
  after.count = 0;
  after.rest = 1;
  if (recent.length === 0 || recent[0] < 0 || recent[0] >= state.items) return;
  const kept = keptOf(state);
  const { clicks } = state;
  const first = recent[0] * kept;
  const number = state.counts[recent[0]];
  const before = recent.length > 1 && recent[1] >= 0 ? recent[1] : -2;
  const many = Math.min(number, kept);
  const late = 1 / (Math.min(many, LATE) + STEADY);
  let matches = 0;
  for (let n = 1; n <= many && matches < MATCHES; n++) {
    const at = 2 * (first + ((number - n) & (kept - 1)));
    const isMatch = clicks[at] === before;
    if (isMatch) matches++;
    if (clicks[at + 1] >= 0 && (isMatch || n <= LATE)) add(scratch, clicks[at + 1], (isMatch ? 1 : 0) + (n <= LATE ? late : 0));
  }
  const share = 1 / (matches + 1);
  for (let k = 0; k < after.count; k++) after.chances[k] *= share;
  after.rest = share * STEADY * late;
}

function add(scratch: Scratch, item: number, weight: number): void {
  const { after } = scratch;
  const at = slot(scratch, item);
  let k = 0;
  while (k < after.count && after.slots[k] !== at) k++;
  if (k === after.slots.length) return;
  if (k === after.count) {
    after.slots[after.count++] = at;
    after.chances[k] = 0;
  }
  after.chances[k] += weight;
}

/** Learns that `item` followed `recent` (latest first, without it). */
export function learn(state: SecondOrder, recent: Int32Array, item: number): void {
  if (recent.length === 0 || recent[0] < 0) return;
  checkItem(item);
  const latest = recent[0];
  if (latest >= state.items) ensure(state, latest + 1);
  const kept = keptOf(state);
  const at = 2 * (latest * kept + (state.counts[latest] & (kept - 1)));
  // All that is kept stays where it is when the number begins anew: R divides what is taken off.
  if (++state.counts[latest] === MOST_COUNTED) state.counts[latest] -= MOST_COUNTED / 2;
  state.clicks[at] = recent.length > 1 ? recent[1] : -1;
  state.clicks[at + 1] = item;
}

function ensure(state: SecondOrder, items: number): void {
  state.items = items;
  let room = state.counts.length;
  if (items <= room) return;
  while (room < items) room *= 2;
  const [before, kept] = [keptOf(state), Math.max(LEAST_KEPT, Math.min(MOST_KEPT, ALL_KEPT / room))];
  const clicks = new Int32Array(room * kept * 2);
  for (let item = 0; item < state.counts.length; item++) {
    const number = state.counts[item];
    for (let n = Math.max(0, number - kept); n < number; n++) {
      const from = 2 * (item * before + (n & (before - 1)));
      const to = 2 * (item * kept + (n & (kept - 1)));
      clicks[to] = state.clicks[from];
      clicks[to + 1] = state.clicks[from + 1];
    }
  }
  state.counts = grownInt32(state.counts, room);
  state.clicks = clicks;
}

/** Takes the items out: what followed them, and them where they followed others. */
export function forget(state: SecondOrder, items: Int32Array): void {
  const { counts, clicks, items: known } = state;
  const gone = marksOf(items, known);
  // No further: what lies behind is no part of a snapshot.
  const end = 2 * known * keptOf(state);
  for (let at = 0; at < end; at += 2) {
    if (gone[clicks[at]] === 1) clicks[at] = -1;
    if (gone[clicks[at + 1]] === 1) clicks[at + 1] = -1;
  }
  for (const item of items) if (item >= 0 && item < known) counts[item] = 0;
}

export function snapshot(state: SecondOrder): Uint8Array {
  const { counts, clicks, items } = state;
  return pack('second-order', VERSION, {
    counts: counts.slice(0, items),
    clicks: clicks.slice(0, 2 * items * keptOf(state)),
  });
}

export function restore(bytes: Uint8Array): SecondOrder {
  const from = unpack('second-order', VERSION, bytes);
  const [counts, clicks] = [from.i32('counts'), from.i32('clicks')];
  const state = init();
  ensure(state, counts.length);
  state.counts.set(counts);
  state.clicks.set(clicks);
  return state;
}
