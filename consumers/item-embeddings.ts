import * as embedding from '../models/embedding.js';
import * as itemIndex from '../models/item-index.js';
import type { Fold } from '../pipeline/core/fold.js';
import { interactions, itemVectors } from '../schemas/topics.js';
import type { Interaction } from '../schemas/types.js';
import { eventWeight } from './event-weights.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

const PUBLISH_EVERY_MS = 2_000;
const PUBLISH_AT_MOST = 500;
/** A vector is told to others when its path since the last time is longer than this (unit length is 1). */
const DRIFT = 0.1;

export interface ItemEmbeddings {
  index: itemIndex.ItemIndex;
  model: embedding.Embedding;
  events: number;
}

/** Learns a vector an item from what shoppers touch next, one event at a time; one learner a shop. */
export const itemEmbeddings: Fold<ItemEmbeddings> = {
  name: 'item-embeddings',
  inputs: [interactions],
  init: () => ({ index: itemIndex.init(), model: embedding.init(), events: 0 }),
  learn(state, _topic, value) {
    const { event, recent, products } = value as Interaction;
    const weight = eventWeight(event);
    if (weight <= 0) return;
    for (const { sku } of products) {
      const context = Int32Array.from(recent, (item) => itemIndex.learn(state.index, item));
      embedding.learn(state.model, context, itemIndex.learn(state.index, sku), weight);
      state.events++;
    }
  },
  snapshot: ({ index, model, events }) => joinBytes([itemIndex.snapshot(index), embedding.snapshot(model), Buffer.from(String(events))]),
  restore(bytes) {
    const [index, model, events] = splitBytes(bytes, 3);
    return { index: itemIndex.restore(index!), model: embedding.restore(model!), events: Number(Buffer.from(events!).toString()) };
  },
  publishes: {
    table: itemVectors,
    everyMs: PUBLISH_EVERY_MS,
    changes(state, time) {
      const changes: { key: string; value: Buffer }[] = [];
      for (let item = 0; item < itemIndex.size(state.index) && changes.length < PUBLISH_AT_MOST; item++) {
        if (embedding.driftOf(state.model, item) < DRIFT) continue;
        const vector = embedding.vectorOf(state.model, item);
        const sku = itemIndex.skuOf(state.index, item);
        if (!vector || sku === undefined) continue;
        embedding.published(state.model, item);
        const bytes = Buffer.from(Float32Array.from(vector).buffer);
        changes.push({ key: sku, value: itemVectors.codec.encode({ sku, dimensions: vector.length, vector: bytes, learnedAt: time, events: state.events }) });
      }
      return changes;
    },
  },
};
