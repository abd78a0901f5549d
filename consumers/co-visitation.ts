import * as fusion from '../models/fusion.js';
import * as itemIndex from '../models/item-index.js';
import * as coVisitation from '../models/co-visitation.js';
import * as popularity from '../models/popularity.js';
import * as repeats from '../models/repeats.js';
import * as visitPatterns from '../models/visit-patterns.js';
import type { Fold } from '../pipeline/core/fold.js';
import { interactions, purchases, recommendations } from '../schemas/topics.js';
import type { Interaction, Purchase, Recommendation } from '../schemas/types.js';
import { PURCHASE_WEIGHT } from './event-weights.js';
import { eachBought, eachTouch, noShares, restoreShares, sharesSnapshot, type Shares } from './item-touches.js';
import { learnChosen, learnShown, noneShown, restoreShown, shownSnapshot, type ShownItems } from './shown-items.js';
import { ofCount } from './snapshot-bytes.js';

/** A scorer's own copy of the recommender. What is dear to learn in it (vectors, ranker) is given to it by the learner. */
export interface ItemNeighbours {
  readonly index: itemIndex.ItemIndex;
  readonly model: fusion.Fusion;
  readonly shares: Shares;
  readonly shown: ShownItems;
}

/** What is touched after what, what is touched most and again, what was shown and clicked: cheap enough that every scorer learns it itself. */
export const itemNeighboursIn = (precision: fusion.Settings['precision']): Fold<ItemNeighbours> => ({
  name: 'co-visitation',
  inputs: [interactions, purchases, recommendations],
  init: () => ({ index: itemIndex.init(), model: fusion.init({ precision }), shares: noShares(), shown: noneShown() }),
  learn(state, topic, value) {
    const { index, model, shares, shown } = state;
    if (topic === interactions.name) {
      eachTouch(index, shares, value as Interaction, (recent, item, weight) => fusion.learnCounts(model, recent, item, weight));
      learnChosen(shown, index, shares, value as Interaction);
    } else if (topic === recommendations.name) learnShown(shown, index, value as Recommendation);
    else eachBought(index, shares, value as Purchase, (item) => popularity.learn(model.popularity, item, PURCHASE_WEIGHT));
  },
  *snapshot({ index, model, shares, shown }) {
    yield itemIndex.snapshot(index);
    yield coVisitation.snapshot(model.coVisitation);
    yield popularity.snapshot(model.popularity);
    yield repeats.snapshot(model.repeats);
    yield visitPatterns.snapshot(model.visitPatterns);
    yield sharesSnapshot(shares);
    yield shownSnapshot(shown);
  },
  restore(pieces) {
    const [index, transitions, popular, repeated, patterns, shares, shown] = ofCount(pieces, 7);
    const model = {
      ...fusion.init({ precision }), coVisitation: coVisitation.restore(transitions!), popularity: popularity.restore(popular!), repeats: repeats.restore(repeated!),
      visitPatterns: visitPatterns.restore(patterns!),
    };
    return { index: itemIndex.restore(index!), model, shares: restoreShares(shares!), shown: restoreShown(shown!) };
  },
});

export const itemNeighbours = itemNeighboursIn('float32');
