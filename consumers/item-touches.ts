import * as fairShare from '../models/fair-share.js';
import * as itemIndex from '../models/item-index.js';
import type { Interaction, Purchase } from '../schemas/types.js';
import { eventWeight, PURCHASE_WEIGHT } from './event-weights.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

/** As many items as an interaction names of what came before it. */
const MOST_RECENT = 16;
const numbers = new Int32Array(MOST_RECENT);

/**
 * What one shopper may teach: of all items, and of a single one (a view twice, a cart twice, and each once an hour after that).
 * By the time of receipt, since a browser says when its events happened: dated an hour apart, a thousand of them would each have a
 * share of their own. Lines of a file are an administrator's, and have only their own time.
 */
export interface Shares {
  readonly shopper: fairShare.FairShare;
  readonly item: fairShare.FairShare;
}

export const noShares = (): Shares => ({ shopper: fairShare.init(), item: fairShare.init({ burst: 2, refillMs: 3_600_000, slots: 65_536 }) });
export const sharesSnapshot = ({ shopper, item }: Shares): Uint8Array => joinBytes([fairShare.snapshot(shopper), fairShare.snapshot(item)]);

export function restoreShares(bytes: Uint8Array): Shares {
  const [shopper, item] = splitBytes(bytes, 2);
  return { shopper: fairShare.restore(shopper!), item: fairShare.restore(item!) };
}

/** The time by which a share is given back. */
export const shareTime = ({ source, time, receivedAt }: Interaction | Purchase): number => (source === null ? receivedAt : time);

/** Whether a shopper's event of an item is to be learned from: a machine that clicks all day moves nothing for others. */
const mayTeach = ({ shopper: all, item }: Shares, shopper: string, sku: string, weight: number, time: number): boolean =>
  fairShare.learn(all, shopper, time) && fairShare.learn(item, `${shopper}\u001f${sku}\u001f${weight}`, time);

/** Whether the shopper of an event has taught as much as one may. */
export const isSpent = ({ shopper: all }: Shares, interaction: Interaction): boolean => fairShare.predict(all, interaction.shopper, shareTime(interaction)) < 1;

/** What an interaction teaches: each product touched, after the items touched before (latest first), and how much it says. */
export function eachTouch(
  index: itemIndex.ItemIndex, shares: Shares, interaction: Interaction, learn: (recent: Int32Array, item: number, weight: number) => void,
): void {
  const { event, shopper, recent, products } = interaction;
  const time = shareTime(interaction);
  const weight = eventWeight(event);
  if (weight <= 0) return;
  for (const { sku } of products) {
    if (!mayTeach(shares, shopper, sku, weight, time)) continue;
    let known = 0;
    for (let j = 0; j < recent.length && j < MOST_RECENT; j++) {
      // What nobody taught or what was forgotten says nothing, and would only be remembered again.
      const before = itemIndex.predict(index, recent[j]!);
      if (before >= 0) numbers[known++] = before;
    }
    learn(numbers.subarray(0, known), itemIndex.learn(index, sku), weight);
  }
}

/** Each item that a purchase brought. */
export function eachBought(index: itemIndex.ItemIndex, shares: Shares, purchase: Purchase, learn: (item: number, sku: string) => void): void {
  const { kind, shopper, lines } = purchase;
  const time = shareTime(purchase);
  if (kind !== 'completed' && kind !== 'line') return;
  for (const { sku, quantity } of lines) {
    if (quantity > 0 && mayTeach(shares, shopper, sku, PURCHASE_WEIGHT, time)) learn(itemIndex.learn(index, sku), sku);
  }
}
