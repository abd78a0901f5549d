/**
 * Shapley values: what each player adds to a game's outcome, averaged over all orders in which players could join.
 *
 *   φ_i = Σ_{S ∌ i} |S|!·(n−1−|S|)!/n! · (value(S ∪ i) − value(S))          Σ_i φ_i = value(all) − value(none)
 *
 * A set of players is a bit mask. `exact` takes the outcomes of all 2^n sets (n ≤ 16). `sampled` draws orders, each with
 * its reverse, which halves the error of games that are nearly additive, and gives the standard error of each value;
 * its values sum to the same total exactly, for every order does.
 * Source: Shapley 1953; sampling by permutations (Castro, Gómez & Tejada 2009), reversed pairs (Mitchell et al. 2022).
 */
import { uniform, type Randomness } from './kernels/numbers.js';

export const MOST_PLAYERS = 16;

/** Exact values from the outcomes by bit mask: `outcomes[0]` of nobody, the last one of everybody. */
export function exact(outcomes: Float64Array, players: number): Float64Array {
  if (players > MOST_PLAYERS || outcomes.length !== 1 << players) {
    throw new RangeError(`${players} players need ${2 ** players} outcomes (and at most ${MOST_PLAYERS} players); got ${outcomes.length}.`);
  }
  const values = new Float64Array(players);
  const weights = weightsBySize(players);
  for (let set = 0; set < outcomes.length; set++) {
    const outcome = outcomes[set];
    const size = bitsIn(set);
    for (let i = 0; i < players; i++) {
      // Each outcome counts once for those in the set, and against those who are not.
      if ((set >> i) & 1) values[i] += weights[size - 1] * outcome;
      else values[i] -= weights[size] * outcome;
    }
  }
  return values;
}

export interface Sampled {
  readonly values: Float64Array;
  /** Infinite for a single pair of orders: one observation tells no spread. */
  readonly standardErrors: Float64Array;
}

/** Values from `pairs` random orders and their reverses; `outcomeOf` is asked 2·pairs·players + 1 times. */
export function sampled(outcomeOf: (set: number) => number, players: number, pairs: number, random: Randomness): Sampled {
  const order = Int32Array.from({ length: players }, (_, i) => i);
  const means = new Float64Array(players);
  const squares = new Float64Array(players);
  const gains = new Float64Array(players);
  const none = outcomeOf(0);
  for (let pair = 1; pair <= pairs; pair++) {
    shuffle(order, random);
    gains.fill(0);
    for (const direction of [1, -1]) {
      let set = 0;
      let before = none;
      for (let place = 0; place < players; place++) {
        const player = order[direction === 1 ? place : players - 1 - place];
        set |= 1 << player;
        const after = outcomeOf(set);
        gains[player] += (after - before) / 2;
        before = after;
      }
    }
    for (let i = 0; i < players; i++) {
      const off = gains[i] - means[i];
      means[i] += off / pair;
      squares[i] += off * (gains[i] - means[i]);
    }
  }
  const standardErrors = squares.map((square) => (pairs > 1 ? Math.sqrt(square / (pairs - 1) / pairs) : Infinity));
  return { values: means, standardErrors };
}

/** |S|!·(n−1−|S|)!/n! by |S|. */
function weightsBySize(players: number): Float64Array {
  const weights = new Float64Array(Math.max(1, players));
  weights[0] = 1 / Math.max(1, players);
  for (let size = 1; size < players; size++) weights[size] = (weights[size - 1] * size) / (players - size);
  return weights;
}

function shuffle(order: Int32Array, random: Randomness): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(uniform(random) * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
}

export function bitsIn(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
