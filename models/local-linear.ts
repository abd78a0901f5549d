/**
 * A linear stand-in for a score near one point, to compare explanations with (LIME).
 *
 *   fit  min Σ_s π(s)·(outcome(s) − a − Σ_i w_i·[i ∈ s])² + ridge·Σ w_i²      π(s) = exp(−(players absent)² / (n·width²))
 *
 * Sets s are drawn uniformly, the full one first. `weights` is what presence of each player adds near the full set;
 * `fit` is the weighted R², 1 where the score is additive, and says how much to trust them. Unlike Shapley values they
 * do not sum to anything. Players: at most 30.
 * Source: Ribeiro, Singh & Guestrin, KDD 2016.
 */
import { uniform, type Randomness } from './kernels/numbers.js';
import { bitsIn } from './shapley.js';

const SAMPLES = 256;
const WIDTH = 0.75;
const RIDGE = 1e-6;

export interface LocalLinear {
  readonly weights: Float64Array;
  readonly intercept: number;
  readonly fit: number;
}

export function localLinear(outcomeOf: (set: number) => number, players: number, random: Randomness): LocalLinear {
  const size = players + 1;
  const full = 2 ** players - 1;
  const normal = Array.from({ length: size }, () => new Float64Array(size + 1));
  const seen: { set: number; outcome: number; weight: number }[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    const set = n === 0 ? full : Math.floor(uniform(random) * (full + 1));
    const absent = players - bitsIn(set);
    const weight = Math.exp(-(absent * absent) / (Math.max(1, players) * WIDTH * WIDTH));
    const outcome = outcomeOf(set);
    seen.push({ set, outcome, weight });
    for (let i = 0; i < size; i++) {
      if (!has(set, i, players)) continue;
      for (let j = 0; j < size; j++) if (has(set, j, players)) normal[i][j] += weight;
      normal[i][size] += weight * outcome;
    }
  }
  for (let i = 0; i < players; i++) normal[i][i] += RIDGE;
  // Never singular, even when samples are few.
  normal[players][players] += 1e-12;
  const solution = solve(normal);
  return { weights: solution.slice(0, players), intercept: solution[players], fit: fitOf(seen, solution, players) };
}

/** The last column is the intercept, which every set has. */
const has = (set: number, column: number, players: number): boolean => column === players || ((set >> column) & 1) === 1;

function fitOf(seen: readonly { set: number; outcome: number; weight: number }[], solution: Float64Array, players: number): number {
  let total = 0;
  let mean = 0;
  for (const { outcome, weight } of seen) {
    total += weight;
    mean += (weight / total) * (outcome - mean);
  }
  let spread = 0;
  let left = 0;
  for (const { set, outcome, weight } of seen) {
    let said = solution[players];
    for (let i = 0; i < players; i++) if ((set >> i) & 1) said += solution[i];
    spread += weight * (outcome - mean) ** 2;
    left += weight * (outcome - said) ** 2;
  }
  return spread > 1e-15 ? 1 - left / spread : 1;
}

/** Gaussian elimination with pivoting on [A | b]; a direction without information gets 0. */
function solve(rows: Float64Array[]): Float64Array {
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    if (Math.abs(rows[column][column]) < 1e-13) continue;
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = rows[row][column] / rows[column][column];
      for (let k = column; k <= size; k++) rows[row][k] -= factor * rows[column][k];
    }
  }
  return Float64Array.from(rows, (row, at) => (Math.abs(row[at]) < 1e-13 ? 0 : row[size] / row[at]));
}
