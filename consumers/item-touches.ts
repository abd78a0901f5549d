import * as fairShare from '../models/fair-share.js';
import * as itemIndex from '../models/item-index.js';
import type { Interaction } from '../schemas/types.js';
import { eventWeight } from './event-weights.js';

/** As many items as an interaction names of what came before it. */
const MOST_RECENT = 16;
const numbers = new Int32Array(MOST_RECENT);

/**
 * What an interaction teaches: each product touched, after the items touched before (latest first), and how much it says.
 * A shopper beyond their fair share teaches nothing.
 */
export function eachTouch(
  index: itemIndex.ItemIndex, share: fairShare.FairShare, interaction: Interaction, learn: (recent: Int32Array, item: number, weight: number) => void,
): void {
  const { event, shopper, time, recent, products } = interaction;
  const weight = eventWeight(event);
  if (weight <= 0) return;
  for (const { sku } of products) {
    if (!fairShare.learn(share, shopper, time)) return;
    const known = Math.min(recent.length, MOST_RECENT);
    for (let j = 0; j < known; j++) numbers[j] = itemIndex.learn(index, recent[j]!);
    learn(numbers.subarray(0, known), itemIndex.learn(index, sku), weight);
  }
}
