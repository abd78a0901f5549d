/**
 * Which click a transition of co-visitation speaks for: what is read here of its rows is said of items, and scores none.
 *
 *   because(c) = argmax_j q^(j−1)·n(x_j)^−α·(F[x_j][c] + B[x_j][c]/2) over the last 10 clicks      shareAfter(x, c) = F[x][c]/Σ_c' F[x][c']
 *
 * Untrained: no click speaks for anything. Units as in co-visitation.ts.
 */
import { LOOK_BACK, type CoVisitation } from './co-visitation.js';
import { hold, placeOf, release } from './kernels/held-places.js';
import { exp2 } from './kernels/numbers.js';
import type { TransitionRows } from './kernels/transition-rows.js';

let spoken = new Float32Array(0);
let most = new Float32Array(0);

/**
 * By item: the click that speaks most for it, by forward evidence plus half the backward (or other parts of them), later clicks
 * for less; −1 where none does. The clicks' rows are walked once, whatever the number of items.
 */
export function because(state: CoVisitation, recent: Int32Array, items: Int32Array, ahead = 1, back = 0.5): Int32Array {
  const count = items.length;
  const clicks = new Int32Array(count).fill(-1);
  if (spoken.length < count) [spoken, most] = [new Float32Array(count), new Float32Array(count)];
  most.fill(0, 0, count);
  hold(items);
  let factor = 1;
  for (let j = 0; j < Math.min(recent.length, LOOK_BACK); j++, factor *= state.settings.queryStep) {
    const click = recent[j];
    if (click < 0 || click >= state.items) continue;
    spoken.fill(0, 0, count);
    if (ahead > 0) speak(state.forward, click, ahead, items);
    if (back > 0) speak(state.backward, click, back, items);
    const scale = factor * state.norm[click];
    for (let i = 0; i < count; i++) {
      const value = scale * spoken[i];
      if (value > most[i] && items[i] !== click) {
        most[i] = value;
        clicks[i] = click;
      }
    }
  }
  release(items);
  return clicks;
}

/** How often an item followed a click, what is long past less than once each time. */
export function timesAfter({ forward, items, age }: CoVisitation, click: number, item: number): number {
  if (click < 0 || click >= items) return 0;
  const { ids, weights, offset, length } = forward;
  const at = ids.subarray(offset[click], offset[click] + length[click]).indexOf(item);
  return at < 0 ? 0 : weights[offset[click] + at] / exp2(age);
}

/** The share of what followed a click that an item has, 0 where it never did. */
export function shareAfter({ forward, items }: CoVisitation, click: number, item: number): number {
  if (click < 0 || click >= items) return 0;
  const { ids, weights, offset, length } = forward;
  let [own, sum] = [0, 0];
  for (let at = offset[click]; at < offset[click] + length[click]; at++) {
    sum += weights[at];
    if (ids[at] === item) own = weights[at];
  }
  return sum > 0 ? own / sum : 0;
}

function speak({ ids, weights, offset, length }: TransitionRows, click: number, share: number, items: Int32Array): void {
  const first = offset[click];
  const end = first + length[click];
  for (let at = first; at < end; at++) {
    const i = placeOf(items, ids[at]);
    if (i >= 0) spoken[i] += share * weights[at];
  }
}
