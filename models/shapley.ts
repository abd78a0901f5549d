/**
 * Shapley values: what each player adds to a game's outcome, averaged over all orders in which players could join.
 *
 *   φ_i = Σ_{S ∌ i} |S|!·(n−1−|S|)!/n! · (value(S ∪ i) − value(S))          Σ_i φ_i = value(all) − value(none)
 *
 * A set of players is a bit mask. `exact` takes the outcomes of all 2^n sets (n ≤ 16): they are few enough that none need be sampled.
 * Source: Shapley 1953.
 */

const MOST_PLAYERS = 16;

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

/** |S|!·(n−1−|S|)!/n! by |S|. */
function weightsBySize(players: number): Float64Array {
  const weights = new Float64Array(Math.max(1, players));
  weights[0] = 1 / Math.max(1, players);
  for (let size = 1; size < players; size++) weights[size] = (weights[size - 1] * size) / (players - size);
  return weights;
}

export function bitsIn(set: number): number {
  let count = 0;
  for (let rest = set; rest !== 0; rest &= rest - 1) count++;
  return count;
}
