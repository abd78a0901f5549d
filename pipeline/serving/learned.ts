import type { ItemNeighbours } from '../../consumers/co-visitation.js';
import * as embedding from '../../models/embedding.js';
import * as features from '../../models/features.js';
import { prune } from '../../models/pruning.js';
import * as itemIndex from '../../models/item-index.js';
import * as ranker from '../../models/ranker.js';
import { itemVectors, recommenderModels } from '../../schemas/topics.js';
import type { ItemVector, RecommenderModel } from '../../schemas/types.js';
import type { Views } from './views.js';

const vectorRows = { name: '', codec: itemVectors.codec };
const modelRows = { name: '', codec: recommenderModels.codec };

/**
 * Keep a scorer's recommender in step with what the learner publishes. Until it has told anything, the untrained ranker ranks.
 * `pruned` is the share of the ranker's weights, the smallest, that are taken for zero.
 */
export function followLearner(views: Views, { index, model }: ItemNeighbours, pruned = 0): void {
  // An item that nothing here has named yet has no number, and gets its vector with it.
  const takeVector = (sku: string, told: ItemVector | undefined): void => {
    const item = itemIndex.numberOf(index, sku);
    if (item < 0) return;
    if (told) embedding.place(model.embedding, item, floatsOf(told.vector, told.dimensions));
    else embedding.unplace(model.embedding, Int32Array.of(item));
  };
  const takeModel = ({ featureSet, weights, pooling }: RecommenderModel): void => {
    // During a rolling upgrade the learner may be of another version: its weights would rank other features.
    if (featureSet !== features.SET) return;
    const taken = floatsOf(weights, weights.length / 4);
    prune(taken, pruned);
    ranker.useWeights(model.ranker, taken);
    embedding.usePooling(model.embedding, floatsOf(pooling, pooling.length / 4));
  };
  for (const { key, value } of views.mainRows(itemVectors, vectorRows)) takeVector(key, value);
  index.followers.push({
    given(sku) {
      const told = views.row(itemVectors, vectorRows, sku);
      if (told) takeVector(sku, told);
    },
    freed: () => {},
  });
  for (const { value } of views.mainRows(recommenderModels, modelRows)) takeModel(value);
  views.watch(itemVectors, (changes) => {
    for (const { key, value } of changes) takeVector(key, value ? itemVectors.codec.decode(value) : undefined);
  });
  views.watch(recommenderModels, (changes) => {
    for (const { value } of changes) if (value) takeModel(recommenderModels.codec.decode(value));
  });
}

/** A copy, so that it is aligned. */
function floatsOf(bytes: Buffer, length: number): Float32Array {
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + Math.floor(length) * 4));
}
