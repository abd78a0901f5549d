import type { Explanation } from '../../models/explanation.js';
import { SOURCE } from '../../models/recommendations.js';
import type { Chosen } from './choose.js';
import type { Items } from './items.js';
import type { Ranked, Ranking } from './rank.js';
import { contributionsOf, localFitOf, reasonsFor, type Contribution, type LocalFit, type Reason } from './reasons.js';

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

/** Ranked items in a shop's words: name, price, and why. */
export class Showing {
  readonly #items: Items;
  readonly #ranking: Ranking;

  constructor(items: Items, ranking: Ranking) {
    this.#items = items;
    this.#ranking = ranking;
  }

  /** Items as they were ranked; explained against what an unknown item would be, where that is given. */
  ranked(recent: Int32Array, ranked: Ranked | Chosen, unknown: Float64Array | undefined): ShownItem[] {
    const { items: numbers, scores, sources, places } = ranked;
    const { propensities, dampings } = 'propensities' in ranked ? ranked : AS_RANKED;
    const speaking = this.#ranking.because(recent, numbers);
    const shown: ShownItem[] = [];
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at]!;
      const reason = this.#reason(number, speakingFor(recent, number, sources[at]!, speaking[at]!));
      const item = this.item(number, scores[at]!, reason, propensities[at] ?? 1);
      const damping = dampings[at] ?? 0;
      shown.push(unknown ? this.#explained(recent, number, speaking[at]!, item, this.#ranking.explain(places[at]!, item.score - damping, unknown), damping) : item);
    }
    return shown;
  }

  /** Given items by score, best first. */
  given(recent: Int32Array, skus: readonly string[], numbers: Int32Array, explain: boolean, compare = false): ShownItem[] {
    const ranking = this.#ranking;
    const explanations: Explanation[] = [];
    const fits: LocalFit[] = [];
    const unknown = explain ? ranking.unknown(recent) : undefined;
    const scores = ranking.score(recent, numbers, unknown ? (at, place, score) => {
      explanations[at] = ranking.explain(place, score, unknown);
      if (compare) fits[at] = localFitOf(ranking.localFit(place, unknown), recent.length === 0);
    } : undefined);
    const speaking = ranking.because(recent, numbers);
    return skus.map((sku, at): ShownItem => {
      const number = numbers[at]!;
      const reason = this.#reason(number, speakingFor(recent, number, recent.length > 0 && !ranking.isNew(number) ? SOURCE.hop : SOURCE.popular, speaking[at]!));
      const item = { ...this.item(number, scores[at]!, reason), sku };
      return explain ? { ...this.#explained(recent, number, speaking[at]!, item, explanations[at]!), ...(compare ? { localFit: fits[at] } : {}) } : item;
    }).sort((a, b) => b.score - a.score);
  }

  item(item: number, score: number, reason: Reason, propensity = 1): ShownItem {
    const items = this.#items;
    const shown = { sku: items.sku(item), score, name: items.name(item), price: items.priceText(item), reasons: [reason] };
    return propensity < 1 ? { ...shown, propensity } : shown;
  }

  /** By ranked item: the click it is shown for, −1 where only popularity speaks. */
  because(recent: Int32Array, numbers: Int32Array, sources: Uint8Array): Int32Array {
    return this.#ranking.because(recent, numbers).map((speaking, at) => speakingFor(recent, numbers[at]!, sources[at]!, speaking));
  }

  /** The item with what makes up its score: the one reason that every answer has first, then each with its share. */
  #explained(recent: Int32Array, number: number, speaking: number, item: ShownItem, explanation: Explanation, damping = 0): ShownItem {
    const items = this.#items;
    const because = speaking < 0 ? null : { sku: items.sku(speaking), name: items.name(speaking) ?? items.sku(speaking) };
    const [first] = item.reasons;
    // What own clicks are worth is said of other items as well: a little for not being one of them.
    const others = reasonsFor(explanation, because).filter(({ code }) => code !== first?.code && (code !== 'viewed_before' || recent.includes(number)));
    return { ...item, reasons: [...item.reasons, ...others], contributions: contributionsOf(explanation, damping, recent.length === 0) };
  }

  #reason(item: number, because: number): Reason {
    const items = this.#items;
    if (because < 0) return this.#ranking.isNew(item) ? { code: 'new', text: 'Be the first to see it' } : { code: 'trending', text: 'Popular right now' };
    const sku = items.sku(because);
    if (because === item) return { code: 'viewed_before', sku, text: 'You viewed this before' };
    return { code: 'because_you_viewed', sku, text: `Because you viewed ${items.name(because) ?? sku}` };
  }
}

/** The click that an item is shown for: itself where it is one; where none has direct evidence, the latest other. */
function speakingFor(recent: Int32Array, item: number, sources: number, speaking: number): number {
  if ((sources & SOURCE.own) !== 0) return item;
  if (sources === SOURCE.popular) return -1;
  return speaking >= 0 ? speaking : (recent.find((other) => other !== item) ?? -1);
}
