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

const mayTeachItem = ({ item }: Shares, shopper: string, sku: string, weight: number, time: number): boolean =>
  fairShare.learn(item, `${shopper}\u001f${sku}\u001f${weight}`, time);

/** Whether the shopper of an event has taught as much as one may. */
export const isSpent = ({ shopper: all }: Shares, interaction: Interaction): boolean => fairShare.predict(all, interaction.shopper, shareTime(interaction)) < 1;

/** What an event says of a product that was touched. */
export interface Touch {
  /** Items touched before, latest first. */
  readonly recent: Int32Array;
  readonly item: number;
  /** How much it says, with a view as the unit; where the touch goes on, how much more than was said. */
  readonly weight: number;
  /** Whether the touch goes on: what came after what is known of it. */
  readonly goesOn: boolean;
}

/** What an interaction teaches: each product touched, once a touch; where it goes on, what the stronger event says more. */
export function eachTouch(index: itemIndex.ItemIndex, shares: Shares, interaction: Interaction, learn: (touch: Touch) => void): void {
  const { event, shopper, recent, products, continues } = interaction;
  const time = shareTime(interaction);
  const weight = eventWeight(event);
  if (weight <= 0) return;
  const said = continues === null ? 0 : eventWeight(continues);
  for (const { sku } of products) {
    // Also what says nothing new: a share counts what is sent.
    if (!fairShare.learn(shares.shopper, shopper, time) || weight <= said || !mayTeachItem(shares, shopper, sku, weight, time)) continue;
    let known = 0;
    for (let j = 0; j < recent.length && j < MOST_RECENT; j++) {
      // What nobody taught or what was forgotten says nothing, and would only be remembered again.
      const before = itemIndex.predict(index, recent[j]!);
      if (before >= 0) numbers[known++] = before;
    }
    learn({ recent: numbers.subarray(0, known), item: itemIndex.learn(index, sku), weight: weight - said, goesOn: said > 0 });
  }
}

/** Each item that a purchase brought. */
export function eachBought(index: itemIndex.ItemIndex, shares: Shares, purchase: Purchase, learn: (item: number, sku: string) => void): void {
  const { kind, shopper, lines } = purchase;
  const time = shareTime(purchase);
  if (kind !== 'completed' && kind !== 'line') return;
  for (const { sku, quantity } of lines) {
    if (quantity > 0 && fairShare.learn(shares.shopper, shopper, time) && mayTeachItem(shares, shopper, sku, PURCHASE_WEIGHT, time)) learn(itemIndex.learn(index, sku), sku);
  }
}
