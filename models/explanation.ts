/**
 * Why an item has its score: contributions of groups of features that sum to the score exactly.
 *
 *   score = baseline + Σ_g contribution_g        baseline = score of an item of which nothing is known, in the same request
 *   contribution_g = v_g·(x_g − baseline_g)  (the linear part, exact)  +  Shapley value of g in the network's part (exact)
 *
 * A group that is absent from a set stands at the unknown item's values (or those of any other baseline given). Groups that stand there
 * anyway contribute 0; of the others, of which there are at most 10 in an answer (what visit it is, is the same for all items), all sets are
 * worked out, along a Gray code, so that a step changes one group's 16 sums: some 0.1 ms an item, asked for only what is shown.
 * The score comes from single-precision kernels; the few 10^−6 by which sums in double differ go into the largest
 * contribution, so that all items of an answer have one baseline.
 * Untrained: the network's part is small, the linear part is the prior. Units: log odds between items of one answer.
 * Source: Lundberg & Lee, NIPS 2017 (additive explanations); features grouped as in Owen's values without levels.
 */
import { FEATURES, type Feature } from './features.js';
import { HIDDEN, LEAK, STRIDE, UNITS } from './kernels/network.js';
import { randomness } from './kernels/numbers.js';
import { localLinear, type LocalLinear } from './local-linear.js';
import type { Ranker } from './ranker.js';
import { exact } from './shapley.js';

export const GROUPS = ['own', 'latest', 'forward', 'backward', 'hop', 'trending', 'popular', 'age', 'embedding', 'category', 'session'] as const;
export type Group = (typeof GROUPS)[number];

/** Every feature has one group; the compiler asks for it when a feature is added. The bias is no cause. */
const GROUP_OF: Readonly<Record<Feature, Group>> = {
  'latest share': 'latest', 'latest part': 'latest', 'after latest': 'latest', 'latest share × recency': 'latest',
  'forward share': 'forward', 'forward part': 'forward', 'forward lift': 'forward', 'previous share': 'forward',
  'long share': 'forward', 'long part': 'forward', support: 'forward',
  'backward share': 'backward', 'backward part': 'backward', 'before share': 'backward', 'before latest': 'backward',
  'hop share': 'hop', 'hop part': 'hop', 'hop lift': 'hop',
  trending: 'trending', trend: 'trending', popular: 'popular', age: 'age',
  embedding: 'embedding', 'embedding gap': 'embedding', 'embedding of latest': 'embedding', 'embedding of all': 'embedding',
  'embedding × own': 'embedding',
  category: 'category',
  own: 'own', 'own times': 'own', 'own recency': 'own', 'own × repeat rate': 'own', 'own × length': 'own', 'repeat rate': 'own',
  'is latest': 'own', 'is one before': 'own', 'is two before': 'own', 'is first': 'own', 'followed before': 'own', 'followed × recency': 'own',
  'own by pattern': 'own',
  length: 'session', 'single click': 'session', 'latest count': 'session', 'latest was repeat': 'session', 'latest twice': 'session',
  distinct: 'session', 'new by pattern': 'session', bias: 'session',
};
const groupNumbers = Int32Array.from(FEATURES, (name) => GROUPS.indexOf(GROUP_OF[name]));

export interface Explanation {
  readonly baseline: number;
  /** By group, in the order of GROUPS. */
  readonly contributions: Float64Array;
}

/** The score as a game of groups: each hidden unit's sum for the average candidate, and what each group moves it by. */
export interface Game {
  readonly base: Float64Array;
  readonly moves: readonly Float64Array[];
  readonly outputs: Float64Array;
}

/** The features of candidate `c` in the ranker's `x`, as a baseline for others. */
export function featuresOf({ network: { features }, x }: Ranker, c: number): Float64Array {
  return Float64Array.from({ length: features }, (_, f) => x[f * STRIDE + c]);
}

/** The game of candidate `c` in the ranker's `x` against a baseline. Units: the hidden ones, then the linear one. */
export function gameOf({ network: { averaged, features }, x }: Ranker, c: number, baseline: Float64Array): Game {
  const base = new Float64Array(UNITS);
  const moves = GROUPS.map(() => new Float64Array(UNITS));
  for (let f = 0; f < features; f++) {
    const off = x[f * STRIDE + c] - baseline[f];
    const move = moves[groupNumbers[f]];
    for (let unit = 0; unit < UNITS; unit++) {
      const weight = averaged[f * UNITS + unit];
      base[unit] += weight * baseline[f];
      move[unit] += weight * off;
    }
  }
  return { base, moves, outputs: Float64Array.from(averaged.subarray(features * UNITS, features * UNITS + HIDDEN)) };
}

export function outcomeOf({ base, moves, outputs }: Game, set: number): number {
  const sums = Float64Array.from(base);
  moves.forEach((move, g) => {
    if ((set >> g) & 1) for (let unit = 0; unit < UNITS; unit++) sums[unit] += move[unit];
  });
  return scoreOf(sums, outputs);
}

function scoreOf(sums: Float64Array, outputs: Float64Array): number {
  let score = sums[HIDDEN];
  for (let k = 0; k < HIDDEN; k++) score += outputs[k] * (sums[k] > 0 ? sums[k] : LEAK * sums[k]);
  return score;
}

/** Explains candidate `c`, whose score was `score`, against a baseline's features. */
export function explain(ranker: Ranker, c: number, score: number, baseline: Float64Array): Explanation {
  const game = gameOf(ranker, c, baseline);
  const sums = Float64Array.from(game.base);
  const players = [...GROUPS.keys()].filter((g) => game.moves[g].some((move) => move !== 0));
  const outcomes = new Float64Array(1 << players.length);
  outcomes[0] = scoreOf(sums, game.outputs);
  for (let n = 1, set = 0; n < outcomes.length; n++) {
    // The Gray code's next set differs from this one by the lowest set bit of n.
    const player = 31 - Math.clz32(n & -n);
    set ^= 1 << player;
    const sign = (set >> player) & 1 ? 1 : -1;
    const move = game.moves[players[player]];
    for (let unit = 0; unit < UNITS; unit++) sums[unit] += sign * move[unit];
    outcomes[set] = scoreOf(sums, game.outputs);
  }
  const contributions = new Float64Array(GROUPS.length);
  exact(outcomes, players.length).forEach((value, player) => { contributions[players[player]] = value; });
  return withRest({ baseline: outcomes[0], contributions }, score);
}

/** The explanation with what rounding has left of the score in its largest contribution. */
export function withRest({ baseline, contributions }: Explanation, score: number): Explanation {
  let [largest, sum] = [0, baseline];
  for (let g = 0; g < contributions.length; g++) {
    sum += contributions[g];
    if (Math.abs(contributions[g]) > Math.abs(contributions[largest])) largest = g;
  }
  contributions[largest] += score - sum;
  return { baseline, contributions };
}

/** A linear fit to the same game near the item, to hold beside the exact values. Seeded: the same item, the same fit. */
export function compare(ranker: Ranker, c: number, baseline: Float64Array): LocalLinear {
  const game = gameOf(ranker, c, baseline);
  return localLinear((set) => outcomeOf(game, set), GROUPS.length, randomness(1));
}
