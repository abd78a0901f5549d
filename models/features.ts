/**
 * Features: what the ranker sees of each candidate, one column of 128 a feature.
 *
 *   share = log(v/Σv + 10^−4)/4    part = v/max v    lift = share − log popularity    for each source's evidence v
 *
 * Beside the sources: popularity and age of the item, the shopper's own clicks on it, the embedding, and what kind of
 * session it is. Everything is about unit size and finite for any state; without evidence a share is −2.3 and the rest
 * near 0. The last feature is the bias. Changing this list makes older ranker snapshots unreadable, on purpose, and takes another name in `SET`.
 */
import * as embedding from './embedding.js';
import { slot, type Scratch } from './kernels/candidates.js';
import { log } from './kernels/numbers.js';
import * as popularity from './popularity.js';
import { STRIDE } from './ranker.js';
import * as repeats from './repeats.js';

export const FEATURES = [
  'latest share', 'forward share', 'backward share', 'hop share', 'previous share', 'before share', 'long share',
  'latest part', 'forward part', 'backward part', 'hop part', 'long part', 'support',
  'forward lift', 'hop lift', 'after latest', 'before latest',
  'trending', 'popular', 'trend', 'age', 'repeat rate',
  'embedding', 'embedding gap', 'embedding of latest', 'embedding of all', 'embedding × own',
  'own', 'own times', 'own recency', 'own × repeat rate', 'own × length', 'latest share × recency',
  'is latest', 'is one before', 'is two before', 'is first', 'followed before', 'followed × recency',
  'length', 'single click', 'latest count', 'latest was repeat', 'latest twice', 'distinct',
  'bias',
] as const;

export type Feature = (typeof FEATURES)[number];

/** Names the list: weights and logged features of another list mean nothing here. */
export const SET = 'fusion-1';

/** By what an untrained ranker prefers: the evidence, a little of everything. */
const FIRST_WEIGHTS: Partial<Record<Feature, number>> = {
  'forward share': 2, 'backward share': 0.5, 'hop share': 1, own: 1, 'own recency': 3, embedding: 0.3, popular: 0.5,
};
export const PRIOR: readonly number[] = FEATURES.map((name) => FIRST_WEIGHTS[name] ?? 0);

export interface Sources {
  readonly popularity: popularity.Popularity;
  readonly repeats: repeats.Repeats;
  readonly embedding: embedding.Embedding;
}

/** Latest clicks that count as the shopper's own. */
export const OWN = 20;

/** Marks the shopper's own clicks (latest first) in the scratch, which must have room for items below `items`. */
export function markOwn(recent: Int32Array, items: number, scratch: Scratch): void {
  for (let j = Math.min(recent.length, OWN) - 1; j >= 0; j--) {
    const item = recent[j];
    if (item < 0 || item >= items) continue;
    const at = slot(scratch, item);
    scratch.times[at]++;
    scratch.back[at] = j + 1;
    // Clicked right after an earlier click on what is the latest item now.
    if (j > 0 && j + 1 < recent.length && recent[j + 1] === recent[0]) scratch.followed[at]++;
  }
}

const items = new Int32Array(STRIDE);
const logits = new Float32Array(STRIDE);
const latestLogits = new Float32Array(STRIDE);
const allLogits = new Float32Array(STRIDE);
/** The last clicks alike, against the learned weights that favour the latest. */
const alike = new Float32Array(30).fill(1);
/** Sums and maxima of the evidence; never zero, so that they divide. */
const sums = new Float64Array(7);
const most = new Float64Array(5);

const NO_SHARE = log(1e-4) * 0.25;
/** Most candidates have no evidence from most sources, and a logarithm costs more than to ask. */
const share = (value: number, sum: number): number => (value > 0 ? log(value / sum + 1e-4) * 0.25 : NO_SHARE);

/** Fills `x` for the candidates in the first `count` of `picked`, which are slots of the scratch. */
export function fill(sources: Sources, recent: Int32Array, scratch: Scratch, picked: Int32Array, count: number, x: Float32Array): void {
  measure(scratch);
  const session = describeSession(recent, sources);
  const bestLogit = embed(sources.embedding, recent, scratch, picked, count);
  const { latest, forward, backward, hop, long, previous, before, support, times, back, followed } = scratch;
  const [sumLatest, sumForward, sumBackward, sumHop, sumPrevious, sumBefore, sumLong] = sums;
  const [mostLatest, mostForward, mostBackward, mostHop, mostLong] = most;
  const newest = recent.length > 0 ? recent[0] : -1;
  const oldest = recent.length > 0 ? recent[recent.length - 1] : -1;

  for (let c = 0; c < count; c++) {
    const at = picked[c];
    const item = items[c];
    const isOwn = times[at] > 0 ? 1 : 0;
    const recency = isOwn === 1 ? 1 / back[at] : 0;
    const latestShare = share(latest[at], sumLatest);
    const forwardShare = share(forward[at], sumForward);
    const hopShare = share(hop[at], sumHop);
    const trending = popularity.logTrending(sources.popularity, item) * 0.1;
    const popular = popularity.logPopular(sources.popularity, item) * 0.1;
    const rate = repeats.predict(sources.repeats, item);
    const logit = logits[c] * 0.2;

    let to = c - STRIDE;
    x[(to += STRIDE)] = latestShare;
    x[(to += STRIDE)] = forwardShare;
    x[(to += STRIDE)] = share(backward[at], sumBackward);
    x[(to += STRIDE)] = hopShare;
    x[(to += STRIDE)] = share(previous[at], sumPrevious);
    x[(to += STRIDE)] = share(before[at], sumBefore);
    x[(to += STRIDE)] = share(long[at], sumLong);
    x[(to += STRIDE)] = latest[at] / mostLatest;
    x[(to += STRIDE)] = forward[at] / mostForward;
    x[(to += STRIDE)] = backward[at] / mostBackward;
    x[(to += STRIDE)] = hop[at] / mostHop;
    x[(to += STRIDE)] = long[at] / mostLong;
    x[(to += STRIDE)] = support[at] / session.clicks;
    x[(to += STRIDE)] = forwardShare - popular * 2.5;
    x[(to += STRIDE)] = hopShare - popular * 2.5;
    x[(to += STRIDE)] = latest[at] > 0 ? 1 : 0;
    x[(to += STRIDE)] = backward[at] > 0 ? 1 : 0;
    x[(to += STRIDE)] = trending;
    x[(to += STRIDE)] = popular;
    x[(to += STRIDE)] = trending - popular;
    x[(to += STRIDE)] = log(1 + popularity.ageOf(sources.popularity, item)) * 0.1;
    x[(to += STRIDE)] = rate;
    x[(to += STRIDE)] = logit;
    x[(to += STRIDE)] = logit - bestLogit * 0.2;
    x[(to += STRIDE)] = latestLogits[c] * 0.2;
    x[(to += STRIDE)] = allLogits[c] * 0.2;
    x[(to += STRIDE)] = logit * isOwn;
    x[(to += STRIDE)] = isOwn;
    x[(to += STRIDE)] = isOwn === 1 ? log(1 + times[at]) : 0;
    x[(to += STRIDE)] = recency;
    x[(to += STRIDE)] = isOwn * rate;
    x[(to += STRIDE)] = isOwn * session.length;
    x[(to += STRIDE)] = latestShare * recency;
    x[(to += STRIDE)] = item === newest ? 1 : 0;
    x[(to += STRIDE)] = back[at] === 2 ? 1 : 0;
    x[(to += STRIDE)] = back[at] === 3 ? 1 : 0;
    x[(to += STRIDE)] = item === oldest ? isOwn : 0;
    x[(to += STRIDE)] = followed[at] > 3 ? 3 : followed[at];
    x[(to += STRIDE)] = followed[at] > 0 ? recency : 0;
    x[(to += STRIDE)] = session.length;
    x[(to += STRIDE)] = session.isSingle;
    x[(to += STRIDE)] = session.latestCount;
    x[(to += STRIDE)] = session.latestWasRepeat;
    x[(to += STRIDE)] = session.latestTwice;
    x[(to += STRIDE)] = session.distinct;
    x[(to += STRIDE)] = 1;
  }
}

function measure(scratch: Scratch): void {
  const { latest, forward, backward, hop, long, previous, before, slots } = scratch;
  sums.fill(1e-30);
  most.fill(1e-30);
  let sumLatest = 0, sumForward = 0, sumBackward = 0, sumHop = 0, sumPrevious = 0, sumBefore = 0, sumLong = 0;
  let mostLatest = 0, mostForward = 0, mostBackward = 0, mostHop = 0, mostLong = 0;
  for (let at = 0; at < slots; at++) {
    sumLatest += latest[at];
    sumForward += forward[at];
    sumBackward += backward[at];
    sumHop += hop[at];
    sumPrevious += previous[at];
    sumBefore += before[at];
    sumLong += long[at];
    if (latest[at] > mostLatest) mostLatest = latest[at];
    if (forward[at] > mostForward) mostForward = forward[at];
    if (backward[at] > mostBackward) mostBackward = backward[at];
    if (hop[at] > mostHop) mostHop = hop[at];
    if (long[at] > mostLong) mostLong = long[at];
  }
  sums[0] += sumLatest;
  sums[1] += sumForward;
  sums[2] += sumBackward;
  sums[3] += sumHop;
  sums[4] += sumPrevious;
  sums[5] += sumBefore;
  sums[6] += sumLong;
  most[0] += mostLatest;
  most[1] += mostForward;
  most[2] += mostBackward;
  most[3] += mostHop;
  most[4] += mostLong;
}

interface Session {
  readonly clicks: number;
  readonly length: number;
  readonly isSingle: number;
  readonly latestCount: number;
  readonly latestWasRepeat: number;
  readonly latestTwice: number;
  readonly distinct: number;
}

function describeSession(recent: Int32Array, sources: Sources): Session {
  const own = Math.min(recent.length, OWN);
  let distinct = 0;
  for (let j = 0; j < own; j++) if (recent.indexOf(recent[j]) === j) distinct++;
  return {
    clicks: own + 1,
    length: log(1 + Math.min(recent.length, 50)) * 0.5,
    isSingle: recent.length === 1 ? 1 : 0,
    latestCount: recent.length > 0 ? log(1 + repeats.clicksOf(sources.repeats, recent[0])) * 0.2 : 0,
    latestWasRepeat: recent.length > 1 && recent.indexOf(recent[0], 1) >= 0 ? 1 : 0,
    latestTwice: recent.length > 1 && recent[0] === recent[1] ? 1 : 0,
    distinct: own > 0 ? distinct / own : 1,
  };
}

/** The candidates' items and logits; returns the best logit. */
function embed(state: embedding.Embedding, recent: Int32Array, scratch: Scratch, picked: Int32Array, count: number): number {
  for (let c = 0; c < count; c++) items[c] = scratch.items[picked[c]];
  embedding.predictMany(state, recent.subarray(0, 1), items, count, latestLogits);
  embedding.predictMany(state, recent, items, count, allLogits, alike);
  embedding.predictMany(state, recent, items, count, logits);
  let best = -Infinity;
  for (let c = 0; c < count; c++) if (logits[c] > best) best = logits[c];
  return best;
}
