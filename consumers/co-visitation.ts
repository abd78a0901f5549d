import * as affinity from '../models/affinity.js';
import * as categories from '../models/categories.js';
import * as fusion from '../models/fusion.js';
import * as itemIndex from '../models/item-index.js';
import * as coVisitation from '../models/co-visitation.js';
import * as popularity from '../models/popularity.js';
import * as itemRepeats from '../models/repeats.js';
import * as secondOrder from '../models/second-order.js';
import * as visitPatterns from '../models/visit-patterns.js';
import { PAUSE, type Fold } from '../pipeline/core/fold.js';
import { catalog, interactions, purchases, recommendations, userMerges } from '../schemas/topics.js';
import type { CatalogChange, Interaction, Purchase, Recommendation, UserMerge } from '../schemas/types.js';
import { eachTouch, learnDismissal, learnPurchase, noShares, restoreShares, sharesSnapshot, type Shares } from './item-touches.js';
import { checkRepeats, forgetDue, knownItemsSnapshot, noItems, restoreKnownItems, type Bounds, type KnownItems } from './known-items.js';
import { learnListing } from './listing.js';
import { followMerge, forgetShown, learnAnswer, learnOfLists, noneShown, restoreShown, SHOWN_PIECES, shownSnapshot, type ShownItems } from './shown-items.js';
import { ofCount } from './snapshot-bytes.js';

/** A scorer's own copy of the recommender. The learner `recommender` gives it the parts that are expensive to learn: vectors and ranker. */
export interface ItemNeighbours {
  readonly index: itemIndex.ItemIndex;
  readonly model: fusion.Fusion;
  readonly shares: Shares;
  readonly shown: ShownItems;
  readonly known: KnownItems;
}

export interface ItemNeighboursOptions extends Bounds {
  readonly precision?: fusion.Settings['precision'] | undefined;
  /** Whether shoppers come back to items they had. */
  readonly repeats?: boolean | undefined;
}

/**
 * Learns what is touched after what, what is touched most, what is touched again, and what was shown and clicked. All of this is cheap
 * enough that every scorer learns it itself.
 */
export const itemNeighboursIn = ({ precision = 'float32', repeats = true, ...bounds }: ItemNeighboursOptions): Fold<ItemNeighbours> => ({
  name: 'co-visitation',
  inputs: [interactions, purchases, recommendations, catalog, userMerges],
  init: () => ({ index: itemIndex.init(), model: fusion.init({ precision, repeats }), shares: noShares(), shown: noneShown(), known: noItems(bounds) }),
  learn(state, topic, value) {
    const { index, model, shares, shown, known } = state;
    if (topic === interactions.name) {
      eachTouch(index, shares, value as Interaction, ({ recent, item, weight, goesOn }) =>
        (goesOn ? fusion.strengthenCounts(model, recent, item, weight) : fusion.learnCounts(model, recent, item, weight)));
      learnDismissal(index, shares, model.popularity, value as Interaction);
      learnOfLists(shown, index, shares, value as Interaction);
    } else if (topic === recommendations.name) learnAnswer(shown, index, value as Recommendation);
    else if (topic === catalog.name) learnListing(index, model, value as CatalogChange);
    else if (topic === userMerges.name) followMerge(shown, value as UserMerge);
    else learnPurchase(index, shares, model.popularity, value as Purchase);
    forgetDue(known, index, model.popularity, (items) => {
      forgetShown(shown, items);
      fusion.forgetGiven(model, items);
    });
  },
  *snapshot({ index, model, shares, shown, known }) {
    yield itemIndex.snapshot(index);
    yield* withPauses(coVisitation.snapshot(model.coVisitation));
    yield popularity.snapshot(model.popularity);
    yield itemRepeats.snapshot(model.repeats);
    yield visitPatterns.snapshot(model.visitPatterns);
    yield secondOrder.snapshot(model.secondOrder);
    yield sharesSnapshot(shares);
    yield knownItemsSnapshot(known);
    yield affinity.snapshot(model.affinity);
    yield categories.snapshot(model.categories);
    yield Uint8Array.of(model.settings.repeats ? 1 : 0);
    yield* shownSnapshot(shown);
  },
  restore(pieces) {
    const [index, transitions, popular, repeated, patterns, pairs, shares, known, tastes, named, setting, ...shown] = ofCount(pieces, 11 + SHOWN_PIECES);
    checkRepeats(setting![0] === 1, repeats);
    const model = {
      ...fusion.init({ precision, repeats }), affinity: affinity.restore(tastes!), coVisitation: coVisitation.restore(transitions!), popularity: popularity.restore(popular!), repeats: itemRepeats.restore(repeated!),
      visitPatterns: visitPatterns.restore(patterns!), secondOrder: secondOrder.restore(pairs!), categories: categories.restore(named!),
    };
    return { index: itemIndex.restore(index!), model, shares: restoreShares(shares!), shown: restoreShown(shown), known: restoreKnownItems(known!, bounds) };
  },
});

export const itemNeighbours = itemNeighboursIn({});

/** What is made in parts as one piece, behind its pauses. */
function* withPauses(parts: Generator<undefined, Uint8Array>): Generator<Uint8Array, void> {
  let part = parts.next();
  for (; !part.done; part = parts.next()) yield PAUSE;
  yield part.value;
}
