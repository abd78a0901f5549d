import * as fusion from '../models/fusion.js';
import * as itemIndex from '../models/item-index.js';
import * as coVisitation from '../models/co-visitation.js';
import * as popularity from '../models/popularity.js';
import * as repeats from '../models/repeats.js';
import type { Fold } from '../pipeline/core/fold.js';
import { interactions, purchases } from '../schemas/topics.js';
import type { Interaction, Purchase } from '../schemas/types.js';
import { PURCHASE_WEIGHT } from './event-weights.js';
import { eachBought, eachTouch, noShares, restoreShares, sharesSnapshot, type Shares } from './item-touches.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

/** A scorer's own copy of the recommender. What is dear to learn in it (vectors, ranker) is given to it by the learner. */
export interface ItemNeighbours {
  readonly index: itemIndex.ItemIndex;
  readonly model: fusion.Fusion;
  readonly shares: Shares;
}

/** What is touched after what, what is touched most and again: cheap enough that every scorer learns it itself. */
export const itemNeighbours: Fold<ItemNeighbours> = {
  name: 'co-visitation',
  inputs: [interactions, purchases],
  init: () => ({ index: itemIndex.init(), model: fusion.init(), shares: noShares() }),
  learn(state, topic, value) {
    const { index, model, shares } = state;
    if (topic === interactions.name) eachTouch(index, shares, value as Interaction, (recent, item, weight) => fusion.learnCounts(model, recent, item, weight));
    else eachBought(index, shares, value as Purchase, (item) => popularity.learn(model.popularity, item, PURCHASE_WEIGHT));
  },
  snapshot: ({ index, model, shares }) => joinBytes([
    itemIndex.snapshot(index), coVisitation.snapshot(model.coVisitation), popularity.snapshot(model.popularity), repeats.snapshot(model.repeats), sharesSnapshot(shares),
  ]),
  restore(bytes) {
    const [index, transitions, popular, repeated, shares] = splitBytes(bytes, 5);
    const model = {
      ...fusion.init(), coVisitation: coVisitation.restore(transitions!), popularity: popularity.restore(popular!), repeats: repeats.restore(repeated!),
    };
    return { index: itemIndex.restore(index!), model, shares: restoreShares(shares!) };
  },
};
