/**
 * Position bias: how much less a lower place of a list is looked at, learned from what is chosen.
 *
 *   P(i is chosen | one of the list is) = softmax_i(score_i − η ln k_i)        k = 1 is the first place; seen(k) = k^−η
 *   η ← η − (ln k_target − Σ_i P_i ln k_i) / H,   H ← δ H + Σ_i P_i (ln k_i)² − (Σ_i P_i ln k_i)²,   η within 0 … 2
 *
 * If a click is seen(place) × relevance(item), and clicks are few, then which one of a list is chosen follows exactly this softmax, with
 * the logarithm of relevance as score: so the same −η ln k, added while the ranker learns and left out when it ranks, takes out of the
 * ranker what only the place has earned. A step of Newton's for each click; H begins at a belief worth some fifty clicks, and forgets.
 *
 * One η a placement, since a grid is looked at otherwise than a row; beyond eight placements the others share one. Untrained: η = 0.5,
 * lower than the 1 of web search, as is usual for a short row of products that is seen at a glance. No unit.
 * Source: the position-based click model (Craswell et al., WSDM 2008); position as a term of training alone (Zhao et al., RecSys 2019).
 */
import { exp, log } from './kernels/numbers.js';

const FIRST = 0.5;
const BELIEF = 25;
const KEPT = 0.9995;
const MOST = 2;
const MOST_PLACEMENTS = 8;
const OTHER = '';

export interface Placement {
  readonly exponent: number;
  readonly information: number;
}

/** By placement. */
export type PositionBias = Map<string, Placement>;

const untrained: Placement = { exponent: FIRST, information: BELIEF };

export const init = (): PositionBias => new Map([[OTHER, untrained]]);

/** η of a placement. */
export const predict = (state: PositionBias, placement: string): number => (state.get(placement) ?? state.get(OTHER) ?? untrained).exponent;

/** η of all placements, by how much is known of each. */
export function overall(state: PositionBias): number {
  let [sum, total] = [0, 0];
  for (const { exponent, information } of state.values()) {
    sum += exponent * information;
    total += information;
  }
  return total > 0 ? sum / total : FIRST;
}

/** What to add to the scores of a list's places while a choice from it is learned. */
export function offsets(state: PositionBias, placement: string, places: number): Float32Array {
  const exponent = predict(state, placement);
  return Float32Array.from({ length: places }, (_, place) => -exponent * log(place + 1));
}

/** Learns that the item at a place (from 0) was chosen, of a list with these scores in the order in which it was shown. */
export function learn(state: PositionBias, placement: string, scores: ArrayLike<number>, chosen: number): void {
  const name = state.has(placement) || state.size <= MOST_PLACEMENTS ? placement : OTHER;
  const { exponent, information } = state.get(name) ?? untrained;
  let largest = -Infinity;
  for (let place = 0; place < scores.length; place++) largest = Math.max(largest, scores[place] - exponent * log(place + 1));
  let [total, first, second] = [0, 0, 0];
  for (let place = 0; place < scores.length; place++) {
    const depth = log(place + 1);
    const share = exp(scores[place] - exponent * depth - largest);
    total += share;
    first += share * depth;
    second += share * depth * depth;
  }
  const expected = first / total;
  const known = KEPT * information + second / total - expected * expected;
  const moved = exponent - (log(chosen + 1) - expected) / known;
  if (Number.isFinite(moved)) state.set(name, { exponent: Math.min(MOST, Math.max(0, moved)), information: known });
}
