/**
 * Lean fusion: the recommender. Counting models and an embedding propose, a small learned network ranks.
 *
 *   candidates = own clicks ∪ second order ∪ best of latest, forward, backward and 2-hop transitions ∪ what trends (∪ popular ones while few)
 *   score(c) = ranker(features(c))
 *   learn event b after clicks x:  softmax cross-entropy of b over candidates(x), then every source learns (x, b)
 *
 * The ranker's lesson comes before the sources learn, so that it sees what it will see when serving. It takes all of
 * the first events and a sample of the rest. Untrained: no candidates; from the first event on, what is popular. A state is a function
 * of the events alone: nothing that was asked of it changes it. `recent` is latest first.
 * Where nobody takes an item twice (`repeats` off) order says less than taste: affinity stands for long transitions and second order.
 * Memory an item: at most 2 × 96 (without repeats 3 × 96) transition slots of 8 bytes, 272 bytes of embedding, some 120 of counts.
 * Source: two-stage retrieval and ranking (Covington et al., RecSys 2016), here learned one event at a time.
 */
import * as affinity from './affinity.js';
import { mayBePicked, NEAR, pick, type Asked } from './candidate-picking.js';
import * as categories from './categories.js';
import * as coVisitation from './co-visitation.js';
import * as embedding from './embedding.js';
import * as features from './features.js';
import { begin, scratch, slot, strangerSlot, type Scratch } from './kernels/candidates.js';
import { randomness, uniform, type Randomness } from './kernels/numbers.js';
import { pack, unpack, whole } from './kernels/snapshot.js';
import * as popularity from './popularity.js';
import { best, type Recommendations } from './recommendations.js';
import * as ranker from './ranker.js';
import * as repeats from './repeats.js';
import * as secondOrder from './second-order.js';
import * as stranger from './stranger.js';
import * as twoHop from './two-hop.js';
import * as visitPatterns from './visit-patterns.js';

/** Another one for another form of snapshots, and for whatever makes other answers of the same events: figures by model are told apart by it. */
const VERSION = 6;
/** Name, features and version, as answers, metrics and ClickHouse call this model. */
export const MODEL = `fusion/${features.NUMBER}.${VERSION}`;

export interface Settings {
  readonly seed: number;
  /** Events that all teach the ranker, and the share of the later ones that do: a lesson costs as much as a query. */
  readonly firstLessons: number;
  readonly lessonShare: number;
  /**
   * Whether what a shopper just looked at may be recommended again: yes for clicks, no where nobody buys twice. There taste says more than order, and
   * the items nearest by embedding, which know it best, are candidates too: a scan of all items a query, about 12 ns each.
   */
  readonly repeats: boolean;
  /** How item vectors are kept: int8 where they are learned elsewhere. */
  readonly precision: embedding.Settings['precision'];
}

export const defaults: Settings = { seed: 1, firstLessons: 200_000, lessonShare: 0.2, repeats: true, precision: 'float32' };

export interface Fusion extends features.Sources {
  readonly settings: Settings;
  readonly coVisitation: coVisitation.CoVisitation;
  /** Learned and asked only where `repeats` is off, and only where it is on. */
  readonly affinity: affinity.Affinity;
  readonly secondOrder: secondOrder.SecondOrder;
  readonly ranker: ranker.Ranker;
  readonly random: Randomness;
  lessons: number;
}

/** Where one query or lesson at a time is worked out. It belongs to the caller and carries nothing that matters. */
export interface Workspace {
  readonly scratch: Scratch;
  readonly cache: twoHop.HopCache;
  /** The candidates: their slots in the scratch, items and scores. */
  readonly picked: Int32Array;
  readonly items: Int32Array;
  readonly scores: Float32Array;
  /** Place of the last lesson's item in the ranking before the lesson: 1 is first, 0 not among the candidates, −1 no lesson. */
  rank: number;
}

export interface Options extends Asked {
  /** How many at most; 0 or less gives none. */
  readonly limit: number;
}

export function init(settings: Partial<Settings> = {}): Fusion {
  const chosen = { ...defaults, ...settings };
  return {
    settings: chosen,
    coVisitation: coVisitation.init(),
    affinity: affinity.init(),
    secondOrder: secondOrder.init(),
    popularity: popularity.init(),
    repeats: repeats.init(),
    visitPatterns: visitPatterns.init(),
    embedding: embedding.init({ seed: chosen.seed, precision: chosen.precision }),
    categories: categories.init(),
    ranker: ranker.init(features.FEATURES.length, features.PRIOR, { seed: chosen.seed }),
    random: randomness(chosen.seed + 11),
    lessons: 0,
  };
}

/** `hops` is how many clicks' 2-hop sums are kept, a power of two: a kilobyte each, once it is used. */
export function workspace(hops = 16_384): Workspace {
  return {
    scratch: scratch(),
    cache: twoHop.hopCache(hops),
    picked: new Int32Array(ranker.STRIDE),
    items: new Int32Array(ranker.STRIDE),
    scores: new Float32Array(ranker.STRIDE),
    rank: -1,
  };
}

/** The best items for a shopper with these clicks. */
export function predict(state: Fusion, recent: Int32Array, work: Workspace, options: Options): Recommendations {
  return best(work, rank(state, recent, work, options), options.limit);
}

/** Candidates and their scores into the workspace's `items` and `scores`; returns how many. */
export function rank(state: Fusion, recent: Int32Array, work: Workspace, asked?: Asked): number {
  gather(state, recent, work);
  twoHop.gatherCached(state.coVisitation, recent, work.scratch, work.cache);
  return score(state, recent, work, choose(state, recent, work, asked));
}

/**
 * Scores given items (at most 128; unknown ones by popularity and content alone), in their order, into `scores`. Of more items the
 * largest embedding logit of all goes with each part of them, or scores of two parts could not be compared.
 */
export function scoreItems(state: Fusion, recent: Int32Array, items: Int32Array, work: Workspace, elsewhere?: number): number {
  gather(state, recent, work);
  twoHop.gatherCached(state.coVisitation, recent, work.scratch, work.cache);
  const count = Math.min(items.length, ranker.STRIDE);
  for (let c = 0; c < count; c++) {
    work.picked[c] = items[c] >= 0 ? slot(work.scratch, items[c]) : strangerSlot(work.scratch);
  }
  return score(state, recent, work, count, elsewhere);
}

/**
 * Learns that `item` followed `recent` (without it). Weight: 1 for a view, more for a cart or purchase, ≤ 0 nothing.
 * Who refuses items when asking refuses them here as well, or the lesson would be about candidates that are none.
 */
export function learn(state: Fusion, recent: Int32Array, item: number, work: Workspace, weight = 1, asked?: Asked): void {
  if (!(weight > 0)) return;
  learnRanking(state, recent, item, work, weight, asked);
  learnSources(state, recent, item, weight);
}

/** The ranker's lesson alone. Returns its loss in nats, or NaN where there was none to give. */
export function learnRanking(state: Fusion, recent: Int32Array, item: number, work: Workspace, weight = 1, asked?: Asked): number {
  const { settings } = state;
  work.rank = -1;
  if (recent.length === 0 || !(weight > 0)) return Number.NaN;
  if (state.lessons >= settings.firstLessons && uniform(state.random) >= settings.lessonShare) return Number.NaN;
  gather(state, recent, work);
  twoHop.gather(state.coVisitation, recent, work.scratch);
  work.rank = 0;
  if (settings.repeats && !mayBePicked(work.scratch, item, popularity.listed(state.popularity, 'trending'))) return Number.NaN;
  const count = choose(state, recent, work, asked);
  const target = work.items.subarray(0, count).indexOf(item);
  if (target < 0) return Number.NaN;
  work.rank = placeOf(target, score(state, recent, work, count), work.scores);
  state.lessons++;
  return ranker.learn(state.ranker, count, target, weight);
}

/** Place of a candidate by score, equal ones counted against it. */
function placeOf(target: number, count: number, scores: Float32Array): number {
  let place = 1;
  for (let c = 0; c < count; c++) if (c !== target && scores[c] >= scores[target]) place++;
  return place;
}

/** What every source learns from the event, without the ranker. */
export function learnSources(state: Fusion, recent: Int32Array, item: number, weight = 1): void {
  learnCounts(state, recent, item, weight);
  embedding.learn(state.embedding, recent, item, weight);
}

/** What is cheap to learn: all but vectors and ranker, which a copy of this model may be given by the one that learns them. */
export function learnCounts(state: Fusion, recent: Int32Array, item: number, weight = 1): void {
  if (!(weight > 0)) return;
  strengthenCounts(state, recent, item, weight);
  repeats.learn(state.repeats, recent, item);
  visitPatterns.learn(state.visitPatterns, recent, item);
  if (state.settings.repeats) secondOrder.learn(state.secondOrder, recent, item);
}

/** What was learned to have followed was wanted more than it seemed (a cart after the view): the same again, but as no new visit. */
export function strengthen(state: Fusion, recent: Int32Array, item: number, weight: number): void {
  if (!(weight > 0)) return;
  strengthenCounts(state, recent, item, weight);
  embedding.learn(state.embedding, recent, item, weight);
}

/** The part of it that is cheap. */
export function strengthenCounts(state: Fusion, recent: Int32Array, item: number, weight: number): void {
  if (!(weight > 0)) return;
  coVisitation.learn(state.coVisitation, recent, item, weight);
  if (!state.settings.repeats) affinity.learn(state.affinity, recent, item, weight);
  popularity.learn(state.popularity, item, weight);
}

function gather(state: Fusion, recent: Int32Array, { scratch: space }: Workspace): void {
  begin(space);
  // Own clicks on items that nobody clicked before count as well: coming back is the best guess there is.
  features.markOwn(recent, space);
  space.own = space.slots;
  coVisitation.gather(state.coVisitation, recent, space);
  if (state.settings.repeats) secondOrder.gather(state.secondOrder, recent, space);
  else affinity.gather(state.affinity, recent, space);
  space.direct = space.slots;
}

function score(state: Fusion, recent: Int32Array, work: Workspace, count: number, elsewhere?: number): number {
  features.fill(state, recent, work.scratch, work.picked, count, state.ranker, elsewhere);
  ranker.predict(state.ranker, count, work.scores);
  for (let c = 0; c < count; c++) work.items[c] = work.scratch.items[work.picked[c]];
  // What the network says of strangers is a guess.
  if (recent.length === 0) for (let c = 0; c < count; c++) work.scores[c] = stranger.predict(state.popularity, work.items[c]);
  return count;
}

const NOTHING_ASKED: Asked = {};
const near = new Int32Array(2 * NEAR);

/** The candidates' slots into `picked`, their items into `items`. */
function choose(state: Fusion, recent: Int32Array, { scratch: space, picked, items }: Workspace, asked: Asked = NOTHING_ASKED): number {
  const { settings: { repeats: mayRepeat } } = state;
  const found = mayRepeat ? 0 : embedding.nearest(state.embedding, recent, asked.exclude === undefined ? NEAR : 2 * NEAR, near);
  const count = pick(space, asked, {
    repeats: mayRepeat,
    near: mayRepeat ? undefined : near.subarray(0, found),
    trending: popularity.listed(state.popularity, 'trending'),
    popular: popularity.listed(state.popularity, 'popular'),
  }, picked);
  for (let c = 0; c < count; c++) items[c] = space.items[picked[c]];
  return count;
}

/** Takes the items out of every source, in one pass through each. Their part in the ranker's weights is no larger than any other items'. */
export function forget(state: Fusion, items: Int32Array): void {
  forgetCounts(state, items);
  embedding.forget(state.embedding, items);
}

/** The same of a copy that learns counts alone, and is given its vectors. */
export function forgetGiven(state: Fusion, items: Int32Array): void {
  forgetCounts(state, items);
  embedding.unplace(state.embedding, items);
}

function forgetCounts(state: Fusion, items: Int32Array): void {
  coVisitation.forget(state.coVisitation, items);
  affinity.forget(state.affinity, items);
  secondOrder.forget(state.secondOrder, items);
  popularity.forget(state.popularity, items);
  repeats.forget(state.repeats, items);
  categories.forget(state.categories, items);
}

/** A snapshot in pieces, each made when it is asked for. */
export function* snapshot(state: Fusion): Iterable<Uint8Array> {
  const { settings: s } = state;
  yield pack('fusion', VERSION, {
    settings: Float64Array.of(s.seed, s.firstLessons, s.lessonShare, s.repeats ? 1 : 0),
    scalars: Float64Array.of(state.lessons),
    random: state.random,
  });
  yield whole(coVisitation.snapshot(state.coVisitation));
  yield affinity.snapshot(state.affinity);
  yield popularity.snapshot(state.popularity);
  yield repeats.snapshot(state.repeats);
  yield visitPatterns.snapshot(state.visitPatterns);
  yield secondOrder.snapshot(state.secondOrder);
  yield embedding.snapshot(state.embedding);
  yield categories.snapshot(state.categories);
  yield ranker.snapshot(state.ranker);
}

/** How many pieces a snapshot has. */
export const PIECES = 10;

export function restore([own, transitions, tastes, popular, repeated, patterns, pairs, vectors, named, ranking]: readonly Uint8Array[]): Fusion {
  const from = unpack('fusion', VERSION, own!);
  const [seed, firstLessons, lessonShare, mayRepeat] = from.f64('settings');
  return {
    settings: { seed, firstLessons, lessonShare, repeats: mayRepeat === 1, precision: 'float32' },
    coVisitation: coVisitation.restore(transitions!),
    affinity: affinity.restore(tastes!),
    popularity: popularity.restore(popular!),
    repeats: repeats.restore(repeated!),
    visitPatterns: visitPatterns.restore(patterns!),
    secondOrder: secondOrder.restore(pairs!),
    embedding: embedding.restore(vectors!),
    categories: categories.restore(named!),
    ranker: ranker.restore(ranking!, features.FEATURES.length),
    random: from.u32('random'),
    lessons: from.f64('scalars')[0],
  };
}
