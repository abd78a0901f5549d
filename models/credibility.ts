/**
 * Credibility: what items of the same category, brand, word or price have in common, each believed as far as it holds.
 *
 *   b(x) = m + Σ_t e_t over the tokens t of x        e_t = n_t/(n_t + k) · mean of (v_i − m − the other tokens' e) over items i with t
 *   k = s²/a for each kind of token:  s² the mean product of what is left of an item and of what would be without it, a that of what is left of
 *   two different items with the same token, e_t added back
 *
 * m is the mean vector, n_t a sum of weights w_i = n/(n + 5) by an item's n clicks. A kind whose items have no more in common than any
 * others has a ≤ 0, k = ∞ and e = 0: no word is believed where only categories tell. k is 1 at least. Kinds are taken in turn, five times over,
 * each from what the others leave. With one kind this is the mean vector of the category, drawn toward that of all items.
 * `leftOut` is b(x_i) as it would be without item i: v_i − (v_i − b(x_i))·(1 + w_i/(W − w_i) + Σ_t w_i/(n_t − w_i + k)). Each of these terms is exact
 * where m or one e_t alone loses the item, with k as it is; together they are near, since each takes the others to stay.
 * Nothing fitted: b = 0. Shapes: effects [slot][64]. Source: Bühlmann & Straub 1970; fitted in turn as additive models are (Hastie & Tibshirani 1990).
 */
import { DIMENSIONS } from './kernels/rows.js';

const ROUNDS = 5;
/** Some words of a kind tell more than others, and k is that of all: a word that one item alone has gets at most half of what is left of it, w/(w + k) with w < 1. */
const LEAST_K = 1;
/** A share of a mean that is the item itself; of one item alone it would be all. */
const MOST_OWN = 0.999;

/** The slots of one kind of token: from the first up to but without the last. */
export type Kind = readonly [from: number, to: number];

/** What an item says, the unit vector that it has, and what that is worth. */
export interface Observed {
  readonly tokens: Int32Array;
  readonly vector: Float32Array;
  readonly clicks: number;
}

export interface Credibility {
  readonly mean: Float32Array;
  readonly effects: Float32Array;
  /** By slot 1/(n_t + k), 0 where nothing is believed; behind them 1/W. */
  readonly shares: Float32Array;
}

export const init = (slots: number): Credibility => ({ mean: new Float32Array(DIMENSIONS), effects: new Float32Array(slots * DIMENSIONS), shares: new Float32Array(slots + 1) });

export const weightOf = (clicks: number): number => clicks / (clicks + 5);

/** b(x) into `out`. */
export function predict({ mean, effects }: Credibility, tokens: Int32Array, out: Float64Array): void {
  out.set(mean);
  for (const slot of tokens) for (let d = 0; d < DIMENSIONS; d++) out[d] += effects[slot * DIMENSIONS + d];
}

/** b(x) of an item that was learned from, as if it had not been. */
export function leftOut(state: Credibility, { tokens, vector, clicks }: Observed): Float32Array {
  const said = new Float64Array(DIMENSIONS);
  predict(state, tokens, said);
  const times = timesWithout(state.shares, tokens, weightOf(clicks));
  return vector.map((value, d) => value - (value - said[d]) * times);
}

/** How many times as much is left of an item of this weight where it was not learned from. */
function timesWithout(shares: Float32Array, tokens: Int32Array, weight: number): number {
  const timesOf = (share: number): number => {
    const own = Math.min(MOST_OWN, weight * share);
    return own / (1 - own);
  };
  return tokens.reduce((sum, slot) => sum + timesOf(shares[slot]), 1 + timesOf(shares[shares.length - 1]));
}

/** Fits all from the examples; the kinds part the slots. */
export function fit(slots: number, kinds: readonly Kind[], examples: readonly Observed[]): Credibility {
  const state = init(slots);
  const weights = examples.map(({ clicks }) => weightOf(clicks));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) return state;
  state.shares[slots] = 1 / total;
  examples.forEach(({ vector }, item) => add(state.mean, 0, vector, weights[item] / total));
  const left = new Float64Array(examples.length * DIMENSIONS);
  examples.forEach(({ vector }, item) => {
    add(left, item * DIMENSIONS, vector, 1);
    add(left, item * DIMENSIONS, state.mean, -1);
  });
  const members = membersOf(slots, examples);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [from, to] of kinds) {
      const groups = members.slice(from, to).flatMap((items, at) => (items ? [groupOf(items, from + at, weights)] : []));
      const believed = credibilityOf(groups, state.effects, left, weights, spreadOf(examples, state, left, weights, total));
      for (const group of groups) move(group, believed, state, left, weights);
    }
  }
  return state;
}

interface Group {
  readonly slot: number;
  readonly items: readonly number[];
  readonly weight: number;
}

function groupOf(items: readonly number[], slot: number, weights: readonly number[]): Group {
  return { slot, items, weight: items.reduce((sum, item) => sum + weights[item], 0) };
}

function membersOf(slots: number, examples: readonly Observed[]): (number[] | undefined)[] {
  const members = Array.from<number[] | undefined>({ length: slots });
  examples.forEach(({ tokens }, item) => {
    for (const slot of tokens) (members[slot] ??= []).push(item);
  });
  return members;
}

/** 1/k of a kind; 0 where its items have nothing in common. */
function credibilityOf(groups: readonly Group[], effects: Float32Array, left: Float64Array, weights: readonly number[], spread: number): number {
  let [shared, pairs] = [0, 0];
  for (const { slot, items, weight } of groups) {
    if (items.length < 2) continue;
    const sum = sumOf({ slot, items, weight }, effects, left, weights);
    let [own, square] = [0, 0];
    for (const item of items) {
      square += weights[item] ** 2;
      for (let d = 0; d < DIMENSIONS; d++) own += (weights[item] * (left[item * DIMENSIONS + d] + effects[slot * DIMENSIONS + d])) ** 2;
    }
    shared += (sum.reduce((all, value) => all + value * value, 0) - own) / weight;
    pairs += (weight * weight - square) / weight;
  }
  // All vectors of a shop may be one; a division by nothing would spread.
  return pairs > 0 && shared > 0 ? Math.min(1 / LEAST_K, shared / pairs / Math.max(spread, 1e-9)) : 0;
}

/** s²: what is left of each item by what would be left without it. Squares of what is left alone vanish where items have words of their own, and then words are believed even more. */
function spreadOf(examples: readonly Observed[], { shares }: Credibility, left: Float64Array, weights: readonly number[], total: number): number {
  let spread = 0;
  examples.forEach(({ tokens }, item) => {
    const times = timesWithout(shares, tokens, weights[item]);
    for (let d = 0; d < DIMENSIONS; d++) spread += weights[item] * times * left[item * DIMENSIONS + d] ** 2;
  });
  return spread / total;
}

/** Σ w_i·(what is left of i without this token). */
function sumOf({ slot, items }: Group, effects: Float32Array, left: Float64Array, weights: readonly number[]): Float64Array {
  const sum = new Float64Array(DIMENSIONS);
  for (const item of items) for (let d = 0; d < DIMENSIONS; d++) sum[d] += weights[item] * (left[item * DIMENSIONS + d] + effects[slot * DIMENSIONS + d]);
  return sum;
}

function move(group: Group, believed: number, { effects, shares }: Credibility, left: Float64Array, weights: readonly number[]): void {
  const { slot, items, weight } = group;
  shares[slot] = believed > 0 ? 1 / (weight + 1 / believed) : 0;
  const sum = sumOf(group, effects, left, weights);
  for (let d = 0; d < DIMENSIONS; d++) {
    const before = effects[slot * DIMENSIONS + d];
    effects[slot * DIMENSIONS + d] = sum[d] * shares[slot];
    for (const item of items) left[item * DIMENSIONS + d] += before - effects[slot * DIMENSIONS + d];
  }
}

function add(to: Float32Array | Float64Array, at: number, from: Float32Array, factor: number): void {
  for (let d = 0; d < DIMENSIONS; d++) to[at + d] += factor * from[d];
}
