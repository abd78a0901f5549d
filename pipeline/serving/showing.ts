import type { Evidence } from '../../models/evidence.js';
import type { Explanation } from '../../models/explanation.js';
import { choose, type Chosen, type KnownItems, type Wishes } from './choose.js';
import type { Items } from './items.js';
import type { Explaining, Ranked, Ranking } from './rank.js';
import { contributionsOf, damped, didWith, localFitOf, moreIn, reasonsFor, type Because, type Contribution, type LocalFit, type Reason, type Sayable } from './reasons.js';

/** An item as an answer shows it. */
export interface ShownItem {
  readonly sku: string;
  readonly name: string | null;
  readonly price: string | null;
  readonly score: number;
  readonly reasons: readonly Reason[];
  readonly contributions?: readonly Contribution[] | undefined;
  readonly localFit?: LocalFit | undefined;
  /** Of an item that is tried. */
  readonly propensity?: number | undefined;
}

const AS_RANKED: Pick<Chosen, 'propensities' | 'dampings'> = { propensities: new Float64Array(0), dampings: new Float64Array(0) };

/** What the shopper touched last, latest first, and by which event. */
export interface Touched {
  readonly recent: Int32Array;
  readonly eventOf: (item: number) => string | undefined;
}

/** What to say of given items beside their scores. */
export interface AskedOfGiven {
  readonly explain: boolean;
  readonly compare?: boolean | undefined;
  /** By SKU: is to hold what the model saw of it. Of more than it scores in one go the rest could not be looked up afterwards. */
  readonly seen?: Map<string, Buffer> | undefined;
}

/** Ranked items in a shop's words: name, price, and why. */
export class Showing {
  readonly #items: Items;
  readonly #ranking: Ranking;

  constructor(items: Items, ranking: Ranking) {
    this.#items = items;
    this.#ranking = ranking;
  }

  /** Items as they were ranked, explained where that is asked for. */
  ranked(touched: Touched, ranked: Ranked | Chosen, explaining: Explaining | undefined, compare: boolean): ShownItem[] {
    const { items: numbers, scores, places } = ranked;
    const { propensities, dampings } = 'propensities' in ranked ? ranked : AS_RANKED;
    const reasons = this.reasons(touched, numbers);
    const shown: ShownItem[] = [];
    for (let at = 0; at < numbers.length; at++) {
      const item = this.item(numbers[at], scores[at], reasons[at], propensities[at] ?? 1);
      const damping = dampings[at] ?? 0;
      if (!explaining) shown.push(item);
      else {
        const [place, score] = [places[at], item.score - damping];
        const explained = this.#explained(touched, numbers[at], item, explaining.explain(place, score), damping);
        shown.push(compare ? { ...explained, localFit: localFitOf(explaining.localFit(place, score)) } : explained);
      }
    }
    return shown;
  }

  /** Given items by score, best first. */
  given(touched: Touched, skus: readonly string[], numbers: Int32Array, { explain, compare = false, seen }: AskedOfGiven): ShownItem[] {
    const ranking = this.#ranking;
    const { recent } = touched;
    const explanations: Explanation[] = [];
    const fits: LocalFit[] = [];
    const explaining = explain ? ranking.explaining(recent) : undefined;
    const scores = ranking.score(recent, numbers, explaining || seen ? (at, place, score) => {
      seen?.set(skus[at], ranking.seen(Uint8Array.of(place)));
      if (explaining) explanations[at] = explaining.explain(place, score);
      if (explaining && compare) fits[at] = localFitOf(explaining.localFit(place, score));
    } : undefined);
    const reasons = this.reasons(touched, numbers);
    return skus.map((sku, at): ShownItem => {
      const item = { ...this.item(numbers[at], scores[at], reasons[at]), sku };
      return explain ? { ...this.#explained(touched, numbers[at], item, explanations[at]), ...(compare ? { localFit: fits[at] } : {}) } : item;
    }).sort((a, b) => b.score - a.score);
  }

  item(item: number, score: number, reason: Reason, propensity = 1): ShownItem {
    const items = this.#items;
    const shown = { sku: items.sku(item), score, name: items.name(item), price: items.priceText(item), reasons: [reason] };
    return propensity < 1 ? { ...shown, propensity } : shown;
  }

  /** By item of the last question: the one reason that every answer has. */
  reasons({ recent, eventOf }: Touched, numbers: Int32Array): Reason[] {
    return this.#ranking.because(recent, numbers).map((evidence, at) => (evidence ? this.#clickReason(evidence, eventOf) : this.plainReason(numbers[at])));
  }

  /** The item with what makes up its score: the one reason that every answer has first, then each with its share. */
  #explained({ recent, eventOf }: Touched, number: number, item: ShownItem, explanation: Explanation, damping = 0): ShownItem {
    const { follows, goesWith, like } = this.#ranking.clicksBy(recent, number);
    const { now, lately } = this.#ranking.popularity(number);
    const [first] = item.reasons;
    const others = reasonsFor(explanation, {
      follows: this.#named(follows), goesWith: this.#named(goesWith), like: this.#named(like),
      // What own clicks are worth is said of other items as well: a little for not being one of them.
      own: recent.includes(number) ? { sku: item.sku, did: didWith(eventOf(number)).did, name: didWith(eventOf(number)).before } : null, category: this.#categoryOfVisit(recent, number), isTrending: now >= 1, isPopular: lately >= 1,
    }).filter(({ code }) => code !== first?.code);
    return { ...item, reasons: [...item.reasons, ...others], contributions: contributionsOf(explanation, damping) };
  }

  #categoryOfVisit(recent: Int32Array, item: number): Sayable['category'] {
    const category = this.#items.category(item);
    return category !== null && recent.some((click) => click !== item && this.#items.category(click) === category) ? { category, name: category } : null;
  }

  #named(item: number): Because | null {
    return item < 0 ? null : { sku: this.#items.sku(item), name: this.#items.name(item) ?? this.#items.sku(item) };
  }

  #clickReason({ click, by }: Evidence, eventOf: Touched['eventOf']): Reason {
    const sku = this.#items.sku(click);
    const name = this.#items.name(click) ?? sku;
    switch (by) {
      case 'own': {
        const { did, before } = didWith(eventOf(click));
        return { code: 'viewed_before', sku, did, text: before };
      }
      case 'likeness': return { code: 'similar_to', sku, name, text: `Similar to ${name}`, evidence: by };
      case 'transition': case 'two_hop': {
        const { code, text } = didWith(eventOf(click));
        return { code, sku, name, text: text(name), evidence: by };
      }
    }
  }

  /** Of an item with which no click has anything to do. */
  plainReason(item: number): Reason {
    // Of what nobody has touched and no catalogue knows there is nothing to see.
    if (this.#ranking.isNew(item) && item >= 0 && this.#items.isKnown(item) && !this.#items.isDeleted(item)) return { code: 'new', text: 'Be the first to see it' };
    const { now, lately } = this.#ranking.popularity(item);
    if (now >= 1) return { code: 'trending', text: 'Popular right now' };
    if (lately >= 1) return { code: 'popular', text: 'Popular lately' };
    const category = this.#items.category(item);
    return { code: 'more', ...(category === null ? {} : { category }), text: moreIn(category) };
  }
}

/** What to show of given items, ranked: as of the catalogue's, but that several may be of no number. */
export function chooseGiven(ranked: readonly ShownItem[], wishes: Wishes, known: KnownItems, numberOf: (sku: string) => number): ShownItem[] {
  const numbers = Int32Array.from(ranked, ({ sku }) => numberOf(sku));
  const places = Int32Array.from(ranked.keys());
  const chosen = choose({ items: places, scores: ranked.map(({ score }) => score), places: new Uint8Array(places.length) }, wishes, {
    vectorOf: (at) => known.vectorOf(numbers[at]),
    categoryOf: (at) => known.categoryOf(numbers[at]),
    dampingOf: (at) => known.dampingOf(numbers[at]),
    isNew: (at) => known.isNew(numbers[at]),
    draw: (among) => known.draw(among.map((at) => numbers[at])),
  });
  return Array.from(chosen.items, (place, at): ShownItem => {
    const item = ranked[place];
    const [damping, propensity] = [chosen.dampings[at], chosen.propensities[at]];
    return {
      ...item, score: chosen.scores[at],
      ...(item.contributions ? { contributions: damped(item.contributions, damping) } : {}),
      ...(propensity < 1 ? { propensity } : {}),
    };
  });
}
