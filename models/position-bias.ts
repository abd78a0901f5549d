/**
 * Position bias: how much less a lower place of a list is looked at, learned from what is chosen.
 *
 *   P(i is chosen | one of the list is) = softmax_i(β·score_i − η ln k_i)        k = 1 is the first place; seen(k) = k^−η
 *   η ← η + (u_η − m·u_β + (1 − δ)·B·(½ − η)) / (B + Σ δ^n·i)        u = what was chosen − what was expected, of −ln k and of score
 *   m = Σ cov(score, −ln k) / Σ var(score),   i = var(−ln k − m·score), under P within the list;   η within 0 … 2
 *
 * If a click is seen(place) × relevance(item), and clicks are few, then which one of a list is chosen follows exactly this softmax, with
 * the logarithm of relevance as score: so the same −η ln k, added while the ranker learns and left out when it ranks, takes out of the
 * ranker what only the place has earned.
 *
 * Lists stand in the ranker's own order, so place and score say nearly the same, and what the ranker has not learned yet of an item's worth
 * would pass for the place's doing (η came out half too high), be taken out of its lessons, and so never be learned. Hence β: how much a
 * score is worth among these clicks, followed quickly (over some 300 clicks); and hence m: only that part of −ln k teaches η which score
 * does not foretell, so that an error in β moves η in second order only. Information i counts that part alone, so lists whose order is not
 * the score's (an explored last place, diversity, fatigue, ties) say most. η stays near ½ until there is evidence: the belief B is worth 50,
 * some hundred clicks in random order or several hundred in the ranker's, is never forgotten, and what clicks said fades over 5,000 of them.
 * What no score sees of an item draws η towards 0 (some 0.2 of 1).
 *
 * One η a placement, since a grid is looked at otherwise than a row: the eight from which most is chosen, and one for all others. Untrained: η = 0.5,
 * lower than the 1 of web search, as is usual for a short row of products that is seen at a glance. No unit.
 * Source: the position-based click model (Craswell et al., WSDM 2008); position as a term of training alone (Zhao et al., RecSys 2019);
 * scores made orthogonal to what is a nuisance (Neyman 1959; Chernozhukov et al. 2018).
 */
import { OTHERS, use, type Used } from './kernels/frequent.js';
import { exp, log } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';

const VERSION = 3;
const FIRST = 0.5;
const BELIEF = 50;
const KEPT = 0.9998;
/** β is followed over some 300 clicks: the ranker it corrects learns meanwhile. */
const KEPT_SLOPE = 0.997;
const LEAST_VARIANCE = 0.01;
const [LEAST_SLOPE, MOST_SLOPE] = [0.05, 20];
const MOST = 2;
const MOST_PLACEMENTS = 8;
const ALIKE_FROM = 16;

export interface Placement extends Used {
  readonly exponent: number;
  /** What clicks have told of the exponent, without the belief. */
  readonly information: number;
  /** β, and fading sums over lists: variance of the score, its covariance with −ln k. */
  readonly slope: number;
  readonly variance: number;
  readonly covariance: number;
}

/** By placement. */
export type PositionBias = Map<string, Placement>;

const untrained: Placement = { exponent: FIRST, information: 0, slope: 1, variance: 0, covariance: 0, uses: 0 };

export const init = (): PositionBias => new Map([[OTHERS, untrained]]);

/** η of a placement. */
export const predict = (state: PositionBias, placement: string): number => (state.get(placement) ?? state.get(OTHERS) ?? untrained).exponent;

/** How much likelier the item at a place (from 0) of a list is seen than the last one, before anything is learned: 1 to 4, from the sixteenth place on alike. */
export const seenAt = (place: number, places: number): number => Math.max(1, exp(FIRST * log(Math.min(places, ALIKE_FROM) / (place + 1))));

/** η of all placements, by how much is known of each. */
export function overall(state: PositionBias): number {
  let [sum, total] = [FIRST * BELIEF, BELIEF];
  for (const { exponent, information } of state.values()) {
    sum += exponent * information;
    total += information;
  }
  return sum / total;
}

/** What to add to the scores of a list's places while a choice from it is learned. */
export function offsets(state: PositionBias, placement: string, places: number): Float32Array {
  const exponent = predict(state, placement);
  return Float32Array.from({ length: places }, (_, place) => -exponent * log(place + 1));
}

/** Learns that the item at a place (from 0) was chosen, of a list with these scores in the order in which it was shown. */
export function learn(state: PositionBias, placement: string, scores: ArrayLike<number>, chosen: number): void {
  for (let place = 0; place < scores.length; place++) if (!Number.isFinite(scores[place])) return;
  const name = use(state, MOST_PLACEMENTS, placement, untrained);
  const before = state.get(name) ?? untrained;
  const { exponent, slope } = before;
  const seen = expected(scores, slope, exponent);
  const variance = KEPT_SLOPE * before.variance + seen.variance;
  const covariance = KEPT_SLOPE * before.covariance + seen.covariance;
  const foretold = covariance / (variance + LEAST_VARIANCE);
  const unforetold = Math.max(0, seen.depthVariance - 2 * foretold * seen.covariance + foretold * foretold * seen.variance);
  const information = KEPT * before.information + unforetold;
  const ofScore = scores[chosen] - seen.score;
  const ofDepth = -log(chosen + 1) - seen.depth;
  const moved = exponent + (ofDepth - foretold * ofScore + (1 - KEPT) * BELIEF * (FIRST - exponent)) / (BELIEF + information);
  const steeper = slope + (ofScore + (1 - KEPT_SLOPE) * (1 - slope)) / (1 + variance);
  if (!Number.isFinite(moved) || !Number.isFinite(steeper)) return;
  state.set(name, { ...before, exponent: within(0, moved, MOST), information, slope: within(LEAST_SLOPE, steeper, MOST_SLOPE), variance, covariance });
}

const within = (least: number, value: number, most: number): number => Math.min(most, Math.max(least, value));

/** Means, variances and covariance of score and −ln k of what is chosen, as the softmax has it. */
function expected(scores: ArrayLike<number>, slope: number, exponent: number): { score: number; depth: number; variance: number; depthVariance: number; covariance: number } {
  let largest = -Infinity;
  for (let place = 0; place < scores.length; place++) largest = Math.max(largest, slope * scores[place] - exponent * log(place + 1));
  let [total, score, depth, scores2, depths2, both] = [0, 0, 0, 0, 0, 0];
  for (let place = 0; place < scores.length; place++) {
    const at = -log(place + 1);
    const share = exp(slope * scores[place] + exponent * at - largest);
    total += share;
    score += share * scores[place];
    depth += share * at;
    scores2 += share * scores[place] * scores[place];
    depths2 += share * at * at;
    both += share * scores[place] * at;
  }
  score /= total;
  depth /= total;
  return { score, depth, variance: scores2 / total - score * score, depthVariance: depths2 / total - depth * depth, covariance: both / total - score * depth };
}

export function snapshot(state: PositionBias): Uint8Array {
  const known = [...state.values()];
  return pack('position-bias', VERSION, {
    names: new TextEncoder().encode(JSON.stringify([...state.keys()])),
    values: Float64Array.from(known.flatMap(({ exponent, information, slope, variance, covariance, uses }) => [exponent, information, slope, variance, covariance, uses])),
  });
}

export function restore(bytes: Uint8Array): PositionBias {
  const from = unpack('position-bias', VERSION, bytes);
  const values = from.f64('values');
  const names = JSON.parse(new TextDecoder().decode(from.u8('names'))) as string[];
  return new Map(names.map((name, n) => {
    const [exponent, information, slope, variance, covariance, uses] = values.subarray(6 * n);
    return [name, { exponent, information, slope, variance, covariance, uses }];
  }));
}
