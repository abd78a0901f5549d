import * as exploration from '../models/exploration.js';
import * as fatigue from '../models/fatigue.js';
import * as itemIndex from '../models/item-index.js';
import { Latest } from '../models/kernels/latest.js';
import type { Interaction, Recommendation } from '../schemas/types.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

const MOST_ANSWERS = 10_000;

/** What became of what was shown: click rates by item and placement, and what each shopper has seen too often. */
export interface ShownItems {
  readonly exploration: exploration.Exploration;
  readonly fatigue: fatigue.Fatigue;
  /** Placements of the latest answers, by recommendationId: a click names its answer, not always where it stood. */
  readonly placements: Latest<string>;
}

export const noneShown = (): ShownItems => ({ exploration: exploration.init(), fatigue: fatigue.init(), placements: new Latest(MOST_ANSWERS) });

export function learnShown({ exploration: tried, fatigue: seen, placements }: ShownItems, index: itemIndex.ItemIndex, answer: Recommendation): void {
  const placement = answer.placement ?? '';
  placements.set(answer.recommendationId, placement);
  for (const { sku } of answer.items) {
    // Whoever asks may name any items to be ranked: only those known otherwise are remembered.
    const item = itemIndex.predict(index, sku);
    if (item < 0) continue;
    exploration.learnShown(tried, placement, item);
    fatigue.learnShown(seen, answer.shopper, item);
  }
}

export function learnChosen({ exploration: tried, fatigue: seen, placements }: ShownItems, index: itemIndex.ItemIndex, interaction: Interaction): void {
  const { event, shopper, products, recommendationId, placement } = interaction;
  if (event === 'User Erased') return fatigue.forgetShopper(seen, shopper);
  for (const { sku } of products) {
    const item = itemIndex.predict(index, sku);
    if (item < 0) continue;
    fatigue.learnClicked(seen, shopper, item);
    if (event !== 'Recommendation Clicked') continue;
    exploration.learnClicked(tried, placements.get(recommendationId ?? '') ?? placement ?? '', item);
  }
}

export function shownSnapshot({ exploration: tried, fatigue: seen, placements }: ShownItems): Uint8Array {
  return joinBytes([exploration.snapshot(tried), fatigue.snapshot(seen), Buffer.from(JSON.stringify([...placements]))]);
}

export function restoreShown(bytes: Uint8Array): ShownItems {
  const [tried, seen, placements] = splitBytes(bytes, 3);
  const state: ShownItems = { ...noneShown(), exploration: exploration.restore(tried!), fatigue: fatigue.restore(seen!) };
  for (const [id, placement] of JSON.parse(Buffer.from(placements!).toString()) as [string, string][]) state.placements.set(id, placement);
  return state;
}
