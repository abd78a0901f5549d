import * as features from '../models/features.js';
import * as fusion from '../models/fusion.js';
import * as itemIndex from '../models/item-index.js';
import { unquantised } from '../models/kernels/feature-bytes.js';
import * as liveQuality from '../models/live-quality.js';
import * as positionBias from '../models/position-bias.js';
import * as ranker from '../models/ranker.js';
import * as shownLists from '../models/shown-lists.js';
import type { Fold, Gauge, Upsert } from '../pipeline/core/fold.js';
import { catalog, interactions, itemVectors, purchases, recommendations, recommenderModels, userMerges } from '../schemas/topics.js';
import type { CatalogChange, Interaction, Purchase, Recommendation, RecommenderModel, UserMerge } from '../schemas/types.js';
import { contentsSnapshot, forgetContents, learnContent, noContents, restoreContents, study, type ItemContents, type TeachTower } from './item-contents.js';
import { eachTouch, isSpent, learnDismissal, learnPurchase, noShares, restoreShares, sharesSnapshot, type Shares } from './item-touches.js';
import { checkRepeats, forgetDue, knownItemsSnapshot, noItems, restoreKnownItems, type Bounds, type KnownItems } from './known-items.js';
import { ofCount } from './snapshot-bytes.js';
import { changedVectors, dropVectors, exchangeTold, noneTold, restoreTold, toldSnapshot, type ToldVectors } from './told-vectors.js';

const PUBLISH_EVERY_MS = 2_000;
/** How often it is checked whether the content tower should be taught again. */
const STUDY_EVERY_MS = 60_000;
/** Key of the one record of the models' table. */
const KEY = 'fusion';

/** Events that say how far a shopper went with an item that was recommended. */
const STAGES: ReadonlyMap<string, shownLists.Stage> = new Map([
  ['Recommendation Clicked', 'click'], ['Product Clicked', 'click'], ['Product Viewed', 'click'], ['Product Added', 'cart'], ['Wishlist Product Added to Cart', 'cart'],
]);

export interface Recommender {
  readonly index: itemIndex.ItemIndex;
  readonly model: fusion.Fusion;
  readonly shares: Shares;
  readonly shown: shownLists.ShownLists;
  readonly position: positionBias.PositionBias;
  readonly quality: liveQuality.LiveQuality;
  readonly contents: ItemContents;
  readonly known: KnownItems;
  readonly told: ToldVectors;
  events: number;
  /** Lessons from lists that were shown. */
  chosen: number;
  /** How many lessons the weights had that were published last. */
  toldLessons: number;
}

const NOTHING = new Uint8Array(0);
const work = fusion.workspace();
const scores = new Float32Array(ranker.STRIDE);

export interface RecommenderOptions extends Bounds {
  /** Whether shoppers come back to items they had. */
  readonly repeats?: boolean | undefined;
  /** Teaches the content tower, beside the events: it gives items that nobody has touched a vector made from their titles, categories and other attributes. Absent: there is none. */
  readonly teach?: TeachTower | undefined;
  /** The shop's, ISO 4217. Prices in another currency are not used. */
  readonly currency?: string | undefined;
}

/**
 * Learns the whole recommender, one event after the other. A shop has one such learner. It publishes what scorers do not learn
 * themselves: the vectors of items, once they have moved far enough, and the weights of the ranker. A list that was shown, and what was
 * chosen from it, teaches the ranker with the features that the items had at that moment.
 */
export const recommenderIn = ({ repeats = true, teach, currency = 'EUR', ...bounds }: RecommenderOptions): Fold<Recommender> => ({
  name: 'recommender',
  inputs: [interactions, purchases, recommendations, catalog, userMerges],
  init: () => ({
    index: itemIndex.init(), shares: noShares(), shown: shownLists.init(), quality: liveQuality.init(), contents: noContents(), known: noItems(bounds),
    told: noneTold(), position: positionBias.init(), events: 0, chosen: 0, model: fusion.init({ repeats }), toldLessons: -1,
  }),
  learn(state, topic, value) {
    if (topic === interactions.name) learnInteraction(state, value as Interaction);
    else if (topic === purchases.name) learnBought(state, value as Purchase);
    else if (topic === catalog.name) learnContent(state.contents, state.index, state.model, value as CatalogChange, currency, (taken, own) => exchangeTold(state.told, state.model.embedding, taken, own));
    else if (topic === userMerges.name) followMerge(state, value as UserMerge);
    else keepShown(state, value as Recommendation);
    forgetDue(state.known, state.index, state.model.popularity, (items) => forget(state, items));
  },
  *snapshot({ index, shares, shown, quality, contents, known, told, position, events, chosen, model }) {
    yield itemIndex.snapshot(index);
    yield sharesSnapshot(shares);
    yield shownLists.snapshot(shown);
    yield liveQuality.snapshot(quality);
    yield contentsSnapshot(contents);
    yield knownItemsSnapshot(known);
    yield toldSnapshot(told);
    yield positionBias.snapshot(position);
    yield Buffer.from(JSON.stringify({ events, chosen }));
    yield* fusion.snapshot(model);
  },
  restore(pieces) {
    const [index, shares, shown, quality, contents, known, told, position, counts, ...model] = ofCount(pieces, 9 + fusion.PIECES);
    const { events, chosen } = JSON.parse(Buffer.from(counts!).toString()) as { events: number; chosen: number };
    const learned = fusion.restore(model);
    checkRepeats(learned.settings.repeats, repeats);
    return {
      index: itemIndex.restore(index!), shares: restoreShares(shares!), shown: shownLists.restore(shown!), quality: liveQuality.restore(quality!), contents: restoreContents(contents!), known: restoreKnownItems(known!, bounds),
      told: restoreTold(told!), position: positionBias.restore(position!), events, chosen, model: learned, toldLessons: -1,
    };
  },
  publishes: {
    tables: [itemVectors, recommenderModels],
    everyMs: PUBLISH_EVERY_MS,
    changes: (state, time) => [...changedVectors(state.told, state.index, state.model.embedding, state.events, time), ...newWeights(state, time)],
    // Weights of another set of features are of no use; weights that have learned little are better.
    isUsable: (topic, value) => topic !== recommenderModels.name || (value as RecommenderModel).featureSet === features.SET,
  },
  gauges: ({ quality, model, position, chosen, shown, index, known }): Gauge[] => [
    ...Object.entries(liveQuality.predict(quality)).map(([measure, value]): Gauge => ({ name: 'millrace_recommender_quality', value, labels: { model: fusion.MODEL, measure } })),
    { name: 'millrace_recommender_judged_events', value: quality.events, labels: { model: fusion.MODEL } },
    { name: 'millrace_recommender_lessons', value: model.lessons, labels: { from: 'interactions' } },
    { name: 'millrace_recommender_lessons', value: chosen, labels: { from: 'recommendations' } },
    { name: 'millrace_recommender_position_exponent', value: positionBias.overall(position), labels: {} },
    ...(['waiting', 'chosen'] as const).flatMap((state): Gauge[] => [
      { name: 'millrace_recommender_lists', value: shown[state].size, labels: { state } },
      { name: 'millrace_recommender_lists_reach_seconds', value: shownLists.reach(shown, shown[state]), labels: { state } },
      { name: 'millrace_recommender_lists_dropped', value: shown[state].dropped.bytes, labels: { state, reason: 'memory' } },
      { name: 'millrace_recommender_lists_dropped', value: shown[state].dropped.owner, labels: { state, reason: 'shopper' } },
    ]),
    { name: 'millrace_recommender_items', value: index.listed, labels: { in_catalogue: 'yes' } },
    { name: 'millrace_recommender_items', value: itemIndex.unlisted(index), labels: { in_catalogue: 'no' } },
    { name: 'millrace_recommender_forgotten_items', value: known.deleted, labels: { because: 'deleted' } },
    { name: 'millrace_recommender_forgotten_items', value: known.crowdedOut, labels: { because: 'crowded_out' } },
  ],
  study: teach && { everyMs: STUDY_EVERY_MS, run: ({ contents, model, events }) => study(contents, model, events, teach) },
});

export const recommender = recommenderIn({});

function forget({ index, model, contents, told }: Recommender, items: Int32Array): void {
  dropVectors(told, index, items);
  forgetContents(contents, items);
  fusion.forget(model, items);
}

function learnInteraction(state: Recommender, interaction: Interaction): void {
  const { index, model, shares, quality } = state;
  if (interaction.event === 'User Erased') return shownLists.forget(state.shown, interaction.shopper);
  eachTouch(index, shares, interaction, ({ recent, item, weight, goesOn }) => {
    state.events++;
    if (goesOn) return fusion.strengthen(model, recent, item, weight);
    const latest = recent[0];
    // Such items are never recommended: to rank them would judge an answer that nobody gets, and teach to give it.
    if (item === latest || interaction.refused) return fusion.learnSources(model, recent, item, weight);
    fusion.learn(model, recent, item, work, weight, { exclude: model.settings.repeats ? (other) => other === latest : (other) => recent.includes(other) });
    if (work.rank >= 0) liveQuality.learn(quality, work.rank);
  });
  learnDismissal(index, shares, model.popularity, interaction);
  const { event, products, recommendationId, shopper, time } = interaction;
  if (isSpent(shares, interaction)) return;
  if (event === 'Recommendations Served' && recommendationId !== null) return shownLists.confirm(state.shown, recommendationId, shopper, products.map(({ sku }) => sku), time);
  const stage = STAGES.get(event);
  if (stage === undefined) return;
  for (const { sku } of products) learnChoice(state, recommendationId, shopper, sku, stage, time);
}

function learnBought(state: Recommender, purchase: Purchase): void {
  const { shopper, time, recommendationId } = purchase;
  learnPurchase(state.index, state.shares, state.model.popularity, purchase, (sku) => learnChoice(state, recommendationId, shopper, sku, 'purchase', time));
}

function keepShown(state: Recommender, { recommendationId, shopper, placement, time, items, featureSet, features: shownFeatures }: Recommendation): void {
  const known = featureSet === features.SET ? shownFeatures : NOTHING;
  const lessons = shownLists.learn(state.shown, recommendationId, { shopper, placement: placement ?? '', time, skus: items.map(({ sku }) => sku), features: known });
  for (const lesson of lessons) learnLesson(state, lesson);
}

/** A shopper who logs in takes along what was shown to them before. Of an erased id nothing is kept. */
function followMerge({ shown }: Recommender, { from, to, erased }: UserMerge): void {
  if (erased.length > 0) shownLists.forget(shown, from);
  else shownLists.join(shown, from, to);
}

/** A cart or purchase that names no recommendation counts as chosen from a list only if the shopper clicked the item in that list before; a click must name its list. */
function learnChoice(state: Recommender, id: string | null, shopper: string, sku: string, stage: shownLists.Stage, time: number): void {
  if (id === null && stage === 'click') return;
  const lesson = shownLists.choose(state.shown, id, shopper, sku, stage, time);
  if (lesson) learnLesson(state, lesson);
}

function learnLesson(state: Recommender, lesson: shownLists.Lesson): void {
  const { ranker: taught } = state.model;
  const { placement, count, target, stage, weight } = lesson;
  unquantised(lesson.features, count, taught.x, ranker.STRIDE);
  if (stage === 'click') {
    ranker.predict(taught, count, scores);
    positionBias.learn(state.position, placement, scores.subarray(0, count), target);
  }
  ranker.learn(taught, count, target, weight, positionBias.offsets(state.position, placement, count));
  state.chosen++;
}

function newWeights(state: Recommender, time: number): Upsert[] {
  const { model, events, chosen } = state;
  const lessons = model.lessons + chosen;
  if (lessons === state.toldLessons) return [];
  state.toldLessons = lessons;
  const value = recommenderModels.codec.encode({
    model: fusion.MODEL, featureSet: features.SET, weights: bytesOf(ranker.weightsOf(model.ranker)), pooling: bytesOf(model.embedding.pooling), learnedAt: time, events, lessons,
  });
  return [{ table: recommenderModels, key: KEY, value }];
}

const bytesOf = (values: Float32Array): Buffer => Buffer.from(Float32Array.from(values).buffer);
