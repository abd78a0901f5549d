import * as coVisitation from '../models/co-visitation.js';
import * as itemIndex from '../models/item-index.js';
import * as popularity from '../models/popularity.js';
import type { Fold } from '../pipeline/core/fold.js';
import { interactions } from '../schemas/topics.js';
import type { Interaction } from '../schemas/types.js';
import { eventWeight } from './event-weights.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

export interface ItemNeighbours {
  index: itemIndex.ItemIndex;
  transitions: coVisitation.CoVisitation;
  popularity: popularity.Popularity;
}

/** What is touched after what, and what is touched most: cheap enough that every scorer learns it itself. */
export const itemNeighbours: Fold<ItemNeighbours> = {
  name: 'co-visitation',
  inputs: [interactions],
  init: () => ({ index: itemIndex.init(), transitions: coVisitation.init(), popularity: popularity.init() }),
  learn(state, _topic, value) {
    const { event, recent, products } = value as Interaction;
    const weight = eventWeight(event);
    if (weight <= 0) return;
    for (const { sku } of products) {
      const context = Int32Array.from(recent, (item) => itemIndex.learn(state.index, item));
      const item = itemIndex.learn(state.index, sku);
      coVisitation.learn(state.transitions, context, item, weight);
      popularity.learn(state.popularity, item, weight);
    }
  },
  snapshot: (state) => joinBytes([itemIndex.snapshot(state.index), coVisitation.snapshot(state.transitions), popularity.snapshot(state.popularity)]),
  restore(bytes) {
    const [index, transitions, popular] = splitBytes(bytes, 3);
    return { index: itemIndex.restore(index!), transitions: coVisitation.restore(transitions!), popularity: popularity.restore(popular!) };
  },
};
