/**
 * Features: what the ranker sees of each candidate, one column of 128 a feature.
 *
 *   share = log(v/Σv + 10^−4)/4    part = v/max v    lift = share − log popularity    for each source's evidence v
 *   The share of the latest click's is by second order, as far as that is known.
 *
 * Beside the sources: popularity and age of the item, the shopper's own clicks on it, the embedding, its category, how visits go on
 * that went as this one, and what kind of session it is. Everything is centred, about unit size and finite for any state. The last feature is the bias. Changing
 * this list or its units takes another `NUMBER`.
 */
import * as categories from './categories.js';
import * as embedding from './embedding.js';
import { COLUMN, slot, type Scratch } from './kernels/candidates.js';
import { sumAndMost } from './kernels/columns.js';
import { affine, combine, repeatAlong, type Network } from './kernels/network.js';
import { log } from './kernels/numbers.js';
import * as popularity from './popularity.js';
import { centre, logarithms, STRIDE, type Ranker } from './ranker.js';
import * as repeats from './repeats.js';
import * as visitPatterns from './visit-patterns.js';

/**
 * Name, mean over candidates, and the factor that brings the spread near one: what is filled in is (value − mean)·factor.
 * From columns alike the network learns several times as fast as from columns as they come.
 */
const TABLE = [
  ['latest share', -1.85, 1.3], ['forward share', -1.7, 1.3], ['backward share', -1.8, 1.3], ['hop share', -1.4, 1.5],
  ['previous share', -2.05, 1.35], ['before share', -1.95, 1.3], ['long share', -1.7, 1.3], ['latest part', 0.05, 2.5],
  ['forward part', 0.07, 2.5], ['backward part', 0.07, 2.5], ['hop part', 0.09, 2.4], ['long part', 0.07, 2.4],
  ['support', 0.2, 2], ['forward lift', -1.9, 1.2], ['hop lift', -1.65, 1.4], ['after latest', 0.35, 1.4],
  ['before latest', 0.45, 1.4], ['trending', 0, 2], ['popular', 0.09, 2.7], ['trend', -0.06, 2.4], ['age', -0.08, 3.5],
  ['repeat rate', 0.25, 3.1], ['embedding', 0.7, 1.4], ['embedding gap', -1.1, 1.4],
  ['embedding of latest', 0.65, 1.4], ['embedding of all', 0.7, 1.4],
  // 0, and so nothing at all, where the shop says no category.
  ['category', 0, 2], ['embedding × own', 0.05, 1.9],
  ['own', 0.04, 2.3], ['own times', 0.03, 2.4], ['own recency', 0.02, 2.9], ['own × repeat rate', 0.01, 4.4],
  ['own × length', 0.03, 2.2], ['latest share × recency', -0.02, 2.5], ['is latest', 0.01, 3],
  ['is one before', 0.01, 3.5], ['is two before', 0, 3.9], ['is first', 0.01, 3], ['followed before', 0, 3.5],
  ['followed × recency', 0, 5], ['own by pattern', 0, 4], ['length', 0.7, 1.7], ['single click', 0.3, 1.5], ['latest count', 0.65, 1.9],
  ['latest was repeat', 0.25, 1.5], ['latest twice', 0.14, 1.7], ['distinct', 0.84, 2.1],
  ['new by pattern', 0.6, 3], ['bias', 0, 1],
] as const;

export type Feature = (typeof TABLE)[number][0];
export const FEATURES: readonly Feature[] = TABLE.map(([name]) => name);

/** Mean and factor of each. */
const SCALES = Float32Array.from(TABLE.flatMap(([, mean, factor]) => [mean, factor]));

/** Number and name of the list: weights and logged features of another list mean nothing here. */
export const NUMBER = 5;
export const SET = `fusion-${NUMBER}`;

/**
 * By what an untrained ranker prefers: what linear rankers learned first on shops as unlike as we had, rounded. The click that was
 * made last is not the best to come back to, and what is near to own clicks in the embedding is that without being wanted again.
 */
const FIRST_WEIGHTS: Partial<Record<Feature, number>> = {
  'forward share': 1.5, 'backward share': 0.4, 'hop share': 1, 'long share': -0.4, 'latest part': 0.5, own: 0.8, 'own recency': 2.2, 'is latest': -0.9,
  embedding: 0.4, 'embedding of latest': 0.1, 'embedding of all': 0.1, 'embedding × own': -0.5, popular: 0.3, category: 1,
};
export const PRIOR: readonly number[] = TABLE.map(([name, , factor]) => (FIRST_WEIGHTS[name] ?? 0) / factor);

export interface Sources {
  readonly popularity: popularity.Popularity;
  readonly repeats: repeats.Repeats;
  readonly embedding: embedding.Embedding;
  readonly categories: categories.Categories;
  readonly visitPatterns: visitPatterns.VisitPatterns;
}

/** Latest clicks that count as the shopper's own. */
const OWN = 20;

/** Marks the shopper's own clicks (latest first) in the scratch. */
export function markOwn(recent: Int32Array, scratch: Scratch): void {
  for (let j = Math.min(recent.length, OWN) - 1; j >= 0; j--) {
    const item = recent[j];
    if (item < 0) continue;
    const at = slot(scratch, item);
    scratch.times[at]++;
    scratch.back[at] = j + 1;
    // Clicked right after an earlier click on what is the latest item now.
    if (j > 0 && j + 1 < recent.length && recent[j + 1] === recent[0]) scratch.followed[at]++;
  }
}

const items = new Int32Array(STRIDE);
/** By kind: the chance that it comes next. */
const nexts = new Float64Array(visitPatterns.KINDS);
/** By own click: how many different items came after it. */
const places = new Uint8Array(OWN);
/** The last clicks alike, against the learned weights that favour the latest. */
const alike = new Float32Array(30).fill(1);

/** Where a feature's column begins. */
const at = (name: Feature): number => FEATURES.indexOf(name) * STRIDE;
const LATEST_SHARE = at('latest share'), FORWARD_SHARE = at('forward share'), BACKWARD_SHARE = at('backward share'), HOP_SHARE = at('hop share');
const PREVIOUS_SHARE = at('previous share'), BEFORE_SHARE = at('before share'), LONG_SHARE = at('long share');
const LATEST_PART = at('latest part'), FORWARD_PART = at('forward part'), BACKWARD_PART = at('backward part'), HOP_PART = at('hop part');
const LONG_PART = at('long part'), SUPPORT = at('support'), FORWARD_LIFT = at('forward lift'), HOP_LIFT = at('hop lift');
const AFTER_LATEST = at('after latest'), BEFORE_LATEST = at('before latest');
const TRENDING = at('trending'), POPULAR = at('popular'), TREND = at('trend'), AGE = at('age'), REPEAT_RATE = at('repeat rate');
const EMBEDDING = at('embedding'), EMBEDDING_GAP = at('embedding gap'), OF_LATEST = at('embedding of latest'), OF_ALL = at('embedding of all');
const CATEGORY = at('category'), EMBEDDING_OWN = at('embedding × own'), OWN_CLICK = at('own'), OWN_TIMES = at('own times'), OWN_RECENCY = at('own recency');
const OWN_RATE = at('own × repeat rate'), OWN_LENGTH = at('own × length'), SHARE_RECENCY = at('latest share × recency');
const IS_LATEST = at('is latest'), IS_ONE_BEFORE = at('is one before'), IS_TWO_BEFORE = at('is two before'), IS_FIRST = at('is first');
const FOLLOWED = at('followed before'), FOLLOWED_RECENCY = at('followed × recency'), OWN_PATTERN = at('own by pattern');
/** The first of those that say what session it is, up to the bias. */
const LENGTH = at('length');

/**
 * Fills the ranker's `x` for the candidates in the first `count` of `picked`, which are slots of the scratch. Column by
 * column: a candidate's features lie 512 bytes apart, and logarithms are cheap only many at a time. `elsewhere` is the largest embedding
 * logit of candidates elsewhere, where there are more than these.
 */
export function fill(sources: Sources, recent: Int32Array, scratch: Scratch, picked: Int32Array, candidates: number, ranker: Ranker, elsewhere = -Infinity): void {
  if (candidates === 0) return;
  const { network, x } = ranker;
  // Whole fours, the last candidate again and again: what the kernels see beside it would else be scaled anew each time, without end.
  const count = (candidates + 3) & ~3;
  picked.fill(picked[candidates - 1], candidates, count);
  for (let c = 0; c < count; c++) items[c] = scratch.items[picked[c]];
  fillEvidence(recent, scratch, picked, count, x);
  scaleEvidence(network, scratch, picked, count, x);
  fillItems(sources, count, x);
  // Shares, popularity and age stand there as what their logarithms are of.
  logarithms(ranker, LATEST_SHARE, 7 * STRIDE, 0.25);
  logarithms(ranker, TRENDING, 2 * STRIDE, 0.1);
  logarithms(ranker, AGE, STRIDE, 0.1);
  const best = fillEmbedding(sources.embedding, recent, count, x, elsewhere);
  affine(network, EMBEDDING, EMBEDDING_GAP, count, 1, -best);
  categories.predictMany(sources.categories, recent, items, count, x, CATEGORY);
  visitPatterns.predict(sources.visitPatterns, recent, nexts);
  const session = describeSession(recent, sources);
  fillOwn(session, recent, scratch, picked, count, x);
  combine(network, FORWARD_SHARE, POPULAR, FORWARD_LIFT, count, -2.5);
  combine(network, HOP_SHARE, POPULAR, HOP_LIFT, count, -2.5);
  combine(network, TRENDING, POPULAR, TREND, count, -1);
  repeatAlong(network, [session.length, session.isSingle, session.latestCount, session.latestWasRepeat, session.latestTwice, session.distinct, session.goesOn, 1], LENGTH, count);
  centre(ranker, count, SCALES);
}

/** What of an item's features depends on the items beside it, the gap to the best, as it would be among those in the ranker's `x`. */
export function amongAnswered(features: Float64Array, x: Float32Array): Float64Array {
  const [own, gap] = [EMBEDDING / STRIDE, EMBEDDING_GAP / STRIDE];
  const rawOf = (feature: number, value: number): number => value / SCALES[2 * feature + 1] + SCALES[2 * feature];
  const best = rawOf(own, x[EMBEDDING]) - rawOf(gap, x[EMBEDDING_GAP]);
  return features.with(gap, (rawOf(own, features[own]) - best - SCALES[2 * gap]) * SCALES[2 * gap + 1]);
}

/** Evidence as it is, in the columns of the shares. */
function fillEvidence(recent: Int32Array, scratch: Scratch, picked: Int32Array, count: number, x: Float32Array): void {
  const { latest, forward, backward, hop, previous, before, long, support } = scratch;
  const perClick = 1 / (Math.min(recent.length, OWN) + 1);
  for (let c = 0; c < count; c++) {
    const slot = picked[c];
    const after = latest[slot];
    const ahead = backward[slot];
    x[LATEST_SHARE + c] = after;
    x[FORWARD_SHARE + c] = forward[slot];
    x[BACKWARD_SHARE + c] = ahead;
    x[HOP_SHARE + c] = hop[slot];
    x[PREVIOUS_SHARE + c] = previous[slot];
    x[BEFORE_SHARE + c] = before[slot];
    x[LONG_SHARE + c] = long[slot];
    x[SUPPORT + c] = support[slot] * perClick;
    x[AFTER_LATEST + c] = after > 0 ? 1 : 0;
    x[BEFORE_LATEST + c] = ahead > 0 ? 1 : 0;
  }
}

function scaleEvidence(network: Network, scratch: Scratch, picked: Int32Array, count: number, x: Float32Array): void {
  const { evidence, slots, hops } = scratch;
  scaleSource(network, sumAndMost(evidence, COLUMN.latest, slots), count, LATEST_SHARE, LATEST_PART);
  shareAfterTwo(network, scratch, picked, count, x);
  scaleSource(network, sumAndMost(evidence, COLUMN.forward, slots), count, FORWARD_SHARE, FORWARD_PART);
  scaleSource(network, sumAndMost(evidence, COLUMN.backward, slots), count, BACKWARD_SHARE, BACKWARD_PART);
  scaleSource(network, hops, count, HOP_SHARE, HOP_PART);
  scaleSource(network, sumAndMost(evidence, COLUMN.previous, slots), count, PREVIOUS_SHARE);
  scaleSource(network, sumAndMost(evidence, COLUMN.before, slots), count, BEFORE_SHARE);
  scaleSource(network, sumAndMost(evidence, COLUMN.long, slots), count, LONG_SHARE, LONG_PART);
}

/** Evidence becomes its part of the largest and, in its place, its share, whose logarithm is yet to be taken. */
function scaleSource(network: Network, sumAndMost: Float32Array, count: number, share: number, part?: number): void {
  if (part !== undefined) affine(network, share, part, count, 1 / (sumAndMost[1] + 1e-30), 0);
  affine(network, share, share, count, 1 / (sumAndMost[0] + 1e-30), 1e-4);
}

/** Second order stands in place of the share of what followed the latest click, as far as it is known. */
function shareAfterTwo(network: Network, { after }: Scratch, picked: Int32Array, count: number, x: Float32Array): void {
  if (after.count === 0) return;
  affine(network, LATEST_SHARE, LATEST_SHARE, count, after.rest, 0);
  for (let k = 0; k < after.count; k++) {
    const at = picked.indexOf(after.slots[k]);
    if (at >= 0 && at < count) x[LATEST_SHARE + at] += after.chances[k];
  }
}

/**
 * What is known of the items themselves. Popularity is beside the average item's and age beside the stream's, so that
 * neither a large catalogue nor a long life moves them; their logarithms are yet to be taken.
 */
function fillItems(sources: Sources, count: number, x: Float32Array): void {
  const { seen, events, fast, slow, born, totalFast, totalSlow, items: known } = sources.popularity;
  const [perFast, perSlow] = [totalFast > 0 ? 1 / totalFast : 0, totalSlow > 0 ? 1 / totalSlow : 0];
  for (let c = 0; c < count; c++) {
    const item = items[c];
    const isKnown = item >= 0 && item < known;
    x[TRENDING + c] = ((isKnown ? fast[item] * perFast : 0) + 1e-8) * (1 + seen);
    x[POPULAR + c] = ((isKnown ? slow[item] * perSlow : 0) + 1e-8) * (1 + seen);
    x[AGE + c] = ((isKnown && born[item] >= 0 ? events - born[item] : 0) + 1) / (events + 1);
  }
  repeats.predictMany(sources.repeats, items, count, x, REPEAT_RATE);
}

/** Returns the largest of the learned pooling's, those elsewhere included. */
function fillEmbedding(state: embedding.Embedding, recent: Int32Array, count: number, x: Float32Array, elsewhere: number): number {
  const [learned, latest, all] = embedding.predictThree(state, recent, alike, items, count);
  let best = elsewhere;
  for (let c = 0; c < count; c++) {
    if (learned[c] > best) best = learned[c];
    x[EMBEDDING + c] = learned[c] * 0.2;
    x[OF_LATEST + c] = latest[c] * 0.2;
    x[OF_ALL + c] = all[c] * 0.2;
  }
  return best * 0.2;
}

/** What only the shopper's own clicks have: few of the candidates, so the rest is wiped at once. */
function fillOwn({ length }: Session, recent: Int32Array, scratch: Scratch, picked: Int32Array, count: number, x: Float32Array): void {
  x.fill(0, EMBEDDING_OWN, LENGTH);
  const { times, back, followed } = scratch;
  const newest = recent.length > 0 ? recent[0] : -1;
  const oldest = recent.length > 0 ? recent[recent.length - 1] : -1;
  for (let c = 0; c < count; c++) {
    const slot = picked[c];
    if (times[slot] === 0) continue;
    const recency = 1 / back[slot];
    x[EMBEDDING_OWN + c] = x[EMBEDDING + c];
    x[OWN_CLICK + c] = 1;
    x[OWN_TIMES + c] = log(1 + times[slot]);
    x[OWN_RECENCY + c] = recency;
    x[OWN_RATE + c] = x[REPEAT_RATE + c];
    x[OWN_LENGTH + c] = length;
    x[SHARE_RECENCY + c] = x[LATEST_SHARE + c] * recency;
    x[IS_LATEST + c] = items[c] === newest ? 1 : 0;
    x[IS_ONE_BEFORE + c] = back[slot] === 2 ? 1 : 0;
    x[IS_TWO_BEFORE + c] = back[slot] === 3 ? 1 : 0;
    x[IS_FIRST + c] = items[c] === oldest ? 1 : 0;
    x[FOLLOWED + c] = followed[slot] > 3 ? 3 : followed[slot];
    x[FOLLOWED_RECENCY + c] = followed[slot] > 0 ? recency : 0;
    x[OWN_PATTERN + c] = 1 + 0.25 * log(nexts[Math.min(places[back[slot] - 1], visitPatterns.OLDEST)] + 1e-4);
  }
}

interface Session {
  readonly length: number;
  readonly isSingle: number;
  readonly latestCount: number;
  readonly latestWasRepeat: number;
  readonly latestTwice: number;
  readonly distinct: number;
  /** The chance of a new item. */
  readonly goesOn: number;
}

function describeSession(recent: Int32Array, sources: Sources): Session {
  const own = Math.min(recent.length, OWN);
  let distinct = 0;
  for (let j = 0; j < own; j++) {
    places[j] = distinct;
    if (recent.indexOf(recent[j]) === j) distinct++;
  }
  return {
    length: log(1 + Math.min(recent.length, 50)) * 0.5,
    isSingle: recent.length === 1 ? 1 : 0,
    latestCount: recent.length > 0 ? log(1 + repeats.clicksOf(sources.repeats, recent[0])) * 0.2 : 0,
    latestWasRepeat: recent.length > 1 && recent.indexOf(recent[0], 1) >= 0 ? 1 : 0,
    latestTwice: recent.length > 1 && recent[0] === recent[1] ? 1 : 0,
    distinct: own > 0 ? distinct / own : 1,
    goesOn: nexts[visitPatterns.NEW],
  };
}
