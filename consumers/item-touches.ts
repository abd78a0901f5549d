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
 * What one shopper may teach: of all items (a visit, then a part of what the shop does), and of a single one (a view twice, a cart
 * twice, and each once a day after that: once an hour put what one machine likes among the first ten of a shop of 150 views a day).
 * By the time of receipt, since a browser says when its events happened: dated an hour apart, a thousand of them would each have a
 * share of their own. Lines of a file are an administrator's, and have only their own time.
 */
export interface Shares {
  readonly shopper: fairShare.FairShare;
  readonly item: fairShare.FairShare;
  /** What purchases have given: what was not taken for want of a share is not taken back, either. */
  readonly returns: returns.Returns;
}

export const noShares = (): Shares => ({ shopper: fairShare.init(), item: fairShare.init(fairShare.byTime(2, 86_400_000)), returns: returns.init() });
export const sharesSnapshot = ({ shopper, item, returns: given }: Shares): Uint8Array => joinBytes([fairShare.snapshot(shopper), fairShare.snapshot(item), returns.snapshot(given)]);

export function restoreShares(bytes: Uint8Array): Shares {
  const [shopper, item, given] = splitBytes(bytes, 3);
  return { shopper: fairShare.restore(shopper!), item: fairShare.restore(item!), returns: returns.restore(given!) };
}

/** The time by which a share is given back. */
export const shareTime = ({ source, time, receivedAt }: Interaction | Purchase): number => (source === null ? receivedAt : time);

/** Whether a shopper's event of an item is to be learned from: a machine that clicks all day moves nothing for others. */
const mayTeach = (shares: Shares, shopper: string, sku: string, weight: number, time: number): boolean =>
  fairShare.learn(shares.shopper, shopper, time) && mayTeachItem(shares, shopper, sku, weight, time);

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

/**
 * What a purchase gives to how popular its items are, and its refund or cancellation takes back with the last unit; `bought` is told
 * each item that was given to. Of an order counts each product once, whatever its quantity.
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

/** What a dismissal takes from how popular its items are. */
export function learnDismissal(index: itemIndex.ItemIndex, shares: Shares, popular: popularity.Popularity, interaction: Interaction): void {
  if (!isDismissal(interaction.event)) return;
  const { shopper, products } = interaction;
  for (const { sku } of products) {
    const item = itemIndex.predict(index, sku);
    if (item >= 0 && mayTeach(shares, shopper, sku, -DISMISSAL_WEIGHT, shareTime(interaction))) popularity.takeBack(popular, item, DISMISSAL_WEIGHT);
  }
}
