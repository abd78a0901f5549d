import * as fairShare from '../models/fair-share.js';
import * as itemIndex from '../models/item-index.js';
import * as popularity from '../models/popularity.js';
import * as returns from '../models/returns.js';
import type { Interaction, Purchase } from '../schemas/types.js';
import { DISMISSAL_WEIGHT, eventWeight, isDismissal, PURCHASE_WEIGHT } from './event-weights.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

/** As many items as an interaction names of what came before it. */
const MOST_RECENT = 50;
const numbers = new Int32Array(MOST_RECENT);

/**
 * How much one shopper may teach, so that a machine that clicks all day moves nothing for others. There are two limits: one for all items
 * together (as much as a long visit, then a part of what the whole shop teaches), and one for each item (two views, two carts and so on, then
 * one of each a day; with one an hour a single machine put its favourite among the first ten of a shop of 150 views a day).
 *
 * Time is that of receipt. The times that a browser gives its events could be invented: a thousand events dated an hour apart would all count.
 * Lines of a file come from an administrator, and have only their own time.
 */
export interface Shares {
  readonly shopper: fairShare.FairShare;
  readonly item: fairShare.FairShare;
  /** What purchases have added to popularity: only that much is taken back with a refund. */
  readonly returns: returns.Returns;
}

export const noShares = (): Shares => ({ shopper: fairShare.init(), item: fairShare.init(fairShare.byTime(2, 86_400_000)), returns: returns.init() });
export const sharesSnapshot = ({ shopper, item, returns: given }: Shares): Uint8Array => joinBytes([fairShare.snapshot(shopper), fairShare.snapshot(item), returns.snapshot(given)]);

export function restoreShares(bytes: Uint8Array): Shares {
  const [shopper, item, given] = splitBytes(bytes, 3);
  return { shopper: fairShare.restore(shopper!), item: fairShare.restore(item!), returns: returns.restore(given!) };
}

/** The time (ms) by which limits are counted. */
export const shareTime = ({ source, time, receivedAt }: Interaction | Purchase): number => (source === null ? receivedAt : time);

/** Whether a shopper's event of an item is within both limits. If so it is counted. */
const mayTeach = (shares: Shares, shopper: string, sku: string, weight: number, time: number): boolean =>
  fairShare.learn(shares.shopper, shopper, time) && mayTeachItem(shares, shopper, sku, weight, time);

const mayTeachItem = ({ item }: Shares, shopper: string, sku: string, weight: number, time: number): boolean =>
  fairShare.learn(item, `${shopper}\u001f${sku}\u001f${weight}`, time);

/** Whether the shopper of an event has reached the limit for all items. */
export const isSpent = ({ shopper: all }: Shares, interaction: Interaction): boolean => fairShare.predict(all, interaction.shopper, shareTime(interaction)) < 1;

/** What an event says of a product that was touched. */
export interface Touch {
  /** Items touched before, latest first. */
  readonly recent: Int32Array;
  readonly item: number;
  /** How strongly it says that the product was wanted; a view is 1. Where the touch goes on: how much more than it has said before. */
  readonly weight: number;
  /** Whether an earlier event has told of the same touch already, as a view before a cart. */
  readonly goesOn: boolean;
}

/** Calls `learn` with each product that an interaction touches, as far as its shopper may teach. */
export function eachTouch(index: itemIndex.ItemIndex, shares: Shares, interaction: Interaction, learn: (touch: Touch) => void): void {
  const { event, shopper, recent, products, continues } = interaction;
  const time = shareTime(interaction);
  const weight = eventWeight(event);
  if (weight <= 0) return;
  const said = continues === null ? 0 : eventWeight(continues);
  for (const { sku } of products) {
    // Counted even if it says nothing new: the limit is of what is sent.
    if (!fairShare.learn(shares.shopper, shopper, time) || weight <= said || !mayTeachItem(shares, shopper, sku, weight, time)) continue;
    let known = 0;
    for (let j = 0; j < recent.length && j < MOST_RECENT; j++) {
      // Items that are unknown or forgotten say nothing, and must not become known by being looked up.
      const before = itemIndex.predict(index, recent[j]!);
      if (before >= 0) numbers[known++] = before;
    }
    learn({ recent: numbers.subarray(0, known), item: itemIndex.learn(index, sku), weight: weight - said, goesOn: said > 0 });
  }
}

/**
 * Adds a purchase to the popularity of its items, each product of an order once, whatever its quantity. A refund or cancellation takes it
 * away again, once the last unit has come back. `bought` is called with each item whose popularity has grown.
 */
export function learnPurchase(index: itemIndex.ItemIndex, shares: Shares, popular: popularity.Popularity, purchase: Purchase, bought: (sku: string) => void = () => {}): void {
  const { kind, shopper, orderId, lines } = purchase;
  const time = shareTime(purchase);
  for (const { sku, quantity } of lines) {
    if (kind === 'refunded' || kind === 'cancelled') {
      const given = returns.giveBack(shares.returns, orderId, sku, Math.abs(quantity));
      if (given) popularity.takeBack(popular, itemIndex.predict(index, sku), given.gifts * PURCHASE_WEIGHT, given.at);
      continue;
    }
    if (!(quantity > 0) || !mayTeach(shares, shopper, sku, PURCHASE_WEIGHT, time)) continue;
    popularity.learn(popular, itemIndex.learn(index, sku), PURCHASE_WEIGHT);
    returns.learn(shares.returns, orderId, sku, quantity, popular.events);
    bought(sku);
  }
}

/** Takes a dismissal from the popularity of its items. */
export function learnDismissal(index: itemIndex.ItemIndex, shares: Shares, popular: popularity.Popularity, interaction: Interaction): void {
  if (!isDismissal(interaction.event)) return;
  const { shopper, products } = interaction;
  for (const { sku } of products) {
    const item = itemIndex.predict(index, sku);
    if (item >= 0 && mayTeach(shares, shopper, sku, -DISMISSAL_WEIGHT, shareTime(interaction))) popularity.takeBack(popular, item, DISMISSAL_WEIGHT);
  }
}
