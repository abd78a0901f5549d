import * as exploration from '../models/exploration.js';
import * as fairShare from '../models/fair-share.js';
import * as fatigue from '../models/fatigue.js';
import * as itemIndex from '../models/item-index.js';
import * as positionBias from '../models/position-bias.js';
import { countedWhenGiven, placementIn } from '../schemas/recommendation-ids.js';
import type { Interaction, Recommendation, UserMerge } from '../schemas/types.js';
import { eventWeight } from './event-weights.js';
import { isSpent, shareTime, type Shares } from './item-touches.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

/** What became of items that were shown: their click rates, by item and placement, and which items each shopper has seen too often. */
export interface ShownItems {
  readonly exploration: exploration.Exploration;
  readonly fatigue: fatigue.Fatigue;
  /** Limits how many answers of one shopper count for click rates. */
  readonly answers: fairShare.FairShare;
  /** Lets one shopper count once a day for the click rate of an item at a placement, shown and clicked: to ask for it and click it all day makes no difference. */
  readonly daily: fairShare.FairShare;
}

export const noneShown = (): ShownItems => ({
  exploration: exploration.init(), fatigue: fatigue.init(),
  answers: fairShare.init(fairShare.byTime(60, 10_000)), daily: fairShare.init(fairShare.byTime(1, 86_400_000)),
});

/** A list that a shopper was shown: an answer of ours, or a list of which the shop tells. */
type Shown = Pick<Recommendation, 'shopper' | 'placement' | 'time'> & { readonly items: readonly { readonly sku: string }[] };

/**
 * Learns an answer that was given. It counts as shown, unless it was asked for to be shown later. Then only its placement is noted, so that
 * the event which tells what was shown need not name it.
 */
export function learnAnswer(shown: ShownItems, index: itemIndex.ItemIndex, answer: Recommendation): void {
  if (countedWhenGiven(answer.recommendationId) !== false) learnShown(shown, index, answer);
  else if (fairShare.learn(shown.answers, answer.shopper, answer.time)) exploration.place(shown.exploration, answer.placement ?? '');
}

export function learnShown({ exploration: tried, fatigue: seen, answers, daily }: ShownItems, index: itemIndex.ItemIndex, answer: Shown): void {
  const { shopper, time } = answer;
  const counts = fairShare.learn(answers, shopper, time);
  const place = counts ? exploration.place(tried, answer.placement ?? '') : '';
  for (let at = 0; at < answer.items.length; at++) {
    const { sku } = answer.items[at]!;
    // A request may name any items to be ranked: those that nothing else has told of are not remembered.
    const item = itemIndex.predict(index, sku);
    if (item < 0) continue;
    fatigue.learnShown(seen, shopper, item);
    if (counts && fairShare.learn(daily, `${shopper}\u001f${sku}\u001f${place}\u001fshown`, time)) exploration.learnShown(tried, place, item, positionBias.seenAt(at, answer.items.length));
  }
}

/** Learns what an interaction says of lists: that one was shown, or that something was chosen from it. Call it after the interaction was counted for its shopper's limits. */
export function learnOfLists(shown: ShownItems, index: itemIndex.ItemIndex, shares: Shares, interaction: Interaction): void {
  if (interaction.event === 'Recommendations Served') learnServed(shown, index, interaction);
  else learnChosen(shown, index, shares, interaction);
}

/** Learns a list that was made elsewhere, or an answer that did not count as shown when it was given. It is counted at the placement at which its clicks will be counted. */
function learnServed(shown: ShownItems, index: itemIndex.ItemIndex, interaction: Interaction): void {
  const { shopper, products, recommendationId, placement } = interaction;
  const id = recommendationId ?? '';
  if (countedWhenGiven(id) === true) return;
  const place = placementIn(id, [placement ?? '', ...shown.exploration.placements.keys()]) ?? placement;
  learnShown(shown, index, { shopper, placement: place, time: shareTime(interaction), items: products });
}

function learnChosen({ exploration: tried, fatigue: seen, daily }: ShownItems, index: itemIndex.ItemIndex, shares: Shares, interaction: Interaction): void {
  const { event, shopper, products, recommendationId, placement } = interaction;
  if (event === 'User Erased') return fatigue.forgetShopper(seen, shopper);
  for (const { sku } of products) {
    const item = itemIndex.predict(index, sku);
    if (item < 0) continue;
    // Events without a weight (it stood in a list, it was dismissed) show no interest in the item.
    if (eventWeight(event) > 0) fatigue.learnClicked(seen, shopper, item);
    if (event !== 'Recommendation Clicked' || isSpent(shares, interaction)) continue;
    const place = placementIn(recommendationId ?? '', tried.placements.keys()) ?? exploration.placeOf(tried, placement ?? '');
    if (!fairShare.learn(daily, `${shopper}\u001f${sku}\u001f${place}\u001fclicked`, shareTime(interaction))) continue;
    exploration.learnClicked(tried, place, item);
  }
}

export function forgetShown({ exploration: tried, fatigue: seen }: ShownItems, items: Int32Array): void {
  exploration.forget(tried, items);
  fatigue.forget(seen, items);
}

/** A shopper who logs in takes along what was shown to them before. Of an erased id nothing is kept. */
export function followMerge({ fatigue: seen }: ShownItems, { from, to, erased }: UserMerge): void {
  if (erased.length > 0) fatigue.forgetShopper(seen, from);
  else fatigue.join(seen, from, to);
}

/** How many pieces a snapshot has. */
export const SHOWN_PIECES = 2;

/** In two pieces, since what each shopper has seen is large. */
export function* shownSnapshot({ exploration: tried, fatigue: seen, answers, daily }: ShownItems): Iterable<Uint8Array> {
  yield joinBytes([exploration.snapshot(tried), fairShare.snapshot(answers), fairShare.snapshot(daily)]);
  yield fatigue.snapshot(seen);
}

export function restoreShown([counts, seen]: readonly Uint8Array[]): ShownItems {
  const [tried, answers, daily] = splitBytes(counts!, 3);
  return { exploration: exploration.restore(tried!), fatigue: fatigue.restore(seen!), answers: fairShare.restore(answers!), daily: fairShare.restore(daily!) };
}
