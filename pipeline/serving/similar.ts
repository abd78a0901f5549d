import { levelsOf } from '../../schemas/categories.js';
import type { Sought } from './catalogue-search.js';
import type { Items } from './items.js';
import type { Ranked, Ranking } from './rank.js';
import { moreIn, type Reason } from './reasons.js';
import type { Showing, ShownItem } from './showing.js';

/** Candidates that are ranked. */
const ALL = 128;
/** What fewer clicks say of an item's neighbours is mostly chance. */
const FEW_CLICKS = 5;

interface Serving {
  readonly items: Items;
  readonly ranking: Ranking;
  readonly showing: Showing;
}

/**
 * Items like one item, each with what is true of it. First come those that shoppers took together with it, as the model ranks
 * them, then the nearest by vector (learned, or told from content), then others of its first category, of a path level by level,
 * then what is popular. Of an item with fewer than 5 clicks the nearest come first, and what only lies two hops away comes after
 * its category.
 * @returns at most `limit`; scores compare items that came by the same way
 */
export function similarItems(item: number, limit: number, sought: Sought, { items, ranking, showing }: Serving): ShownItem[] {
  const recent = Int32Array.of(item);
  const ranked = ranking.rank(recent, ALL, sought, undefined, limit);
  const proofs = ranking.because(recent, ranked.items);
  const sku = items.sku(item);
  const name = items.name(item) ?? sku;
  const similar = (by: Reason['evidence']): Reason => ({ code: 'similar_to', sku, name, text: `Similar to ${name}`, evidence: by });

  const chosen = new Map<number, Reason>();
  const take = (found: Iterable<number>, reasonOf: (number: number) => Reason): void => {
    for (const number of found) if (chosen.size < limit && !chosen.has(number)) chosen.set(number, reasonOf(number));
  };
  const takeProven = (...kinds: readonly Reason['evidence'][]): void => {
    ranked.items.forEach((number, at) => {
      const by = proofs[at]?.by;
      if (by !== undefined && by !== 'own' && kinds.includes(by)) take([number], () => similar(by));
    });
  };
  const takeNear = (): void => {
    if (chosen.size < limit) take(ranking.nearest(item, limit, sought), () => similar('likeness'));
  };
  const takeOfCategory = (): void => {
    const category = items.category(item);
    for (const level of category === null ? [] : levelsOf(category)) {
      // As many more as may have been taken already.
      if (chosen.size < limit) take(ranking.ofCategory(item, level, limit + chosen.size, sought), () => ({ code: 'more', category: level, text: moreIn(level) }));
    }
  };

  if (ranking.clicksOf(item) < FEW_CLICKS) {
    takeNear();
    takeProven('transition');
    takeOfCategory();
  }
  takeProven('transition', 'two_hop', 'likeness');
  takeNear();
  takeOfCategory();
  take(ranked.items, (number) => showing.plainReason(number));
  return shown([...chosen], recent, ranked, ranking, showing);
}

function shown(chosen: readonly [number, Reason][], recent: Int32Array, ranked: Ranked, ranking: Ranking, showing: Showing): ShownItem[] {
  const scores = new Map(Array.from(ranked.items, (number, at) => [number, ranked.scores[at]]));
  const others = chosen.flatMap(([number]) => (scores.has(number) ? [] : [number]));
  ranking.score(recent, Int32Array.from(others)).forEach((score, at) => scores.set(others[at], score));
  return chosen.map(([number, reason]) => showing.item(number, scores.get(number)!, reason));
}
