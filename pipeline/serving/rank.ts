import type { ItemNeighbours } from '../../consumers/co-visitation.js';
import type { ShownItems } from '../../consumers/shown-items.js';
import * as embedding from '../../models/embedding.js';
import * as evidence from '../../models/evidence.js';
import * as explanation from '../../models/explanation.js';
import type { Explanation } from '../../models/explanation.js';
import * as features from '../../models/features.js';
import type { LocalLinear } from '../../models/local-linear.js';
import * as fusion from '../../models/fusion.js';
import { quantised } from '../../models/kernels/feature-bytes.js';
import * as popularity from '../../models/popularity.js';
import * as repeats from '../../models/repeats.js';
import * as ranker from '../../models/ranker.js';
import * as stranger from '../../models/stranger.js';
import * as transitionEvidence from '../../models/transition-evidence.js';
import { CatalogueSearch, type Catalogue, type Sought } from './catalogue-search.js';

/** 2-hop sums kept: two clicks that share a place work each other's out anew each time. */
const HOPS = 65_536;
/** What two views came to, or one cart, is no habit: it takes more than that to follow often. */
const SELDOM = 2;
/** As many items as the model scores in one go. */
const AT_ONCE = 128;

/** Items by number, best first, as columns. */
export interface Ranked {
  readonly items: Int32Array;
  readonly scores: ArrayLike<number>;
  /** By item: its row in the model's feature matrix, until the next question. */
  readonly places: Uint8Array;
}

/** Explains places of the last question, each with the score that it got there. */
export interface Explaining {
  readonly explain: (place: number, score: number) => Explanation;
  /** A linear fit to the same, to hold beside it. */
  readonly localFit: (place: number, score: number) => LocalLinear;
}

/** Ranks items for what a shopper touched last, by the scorer's copy of the recommender. One question at a time. */
export class Ranking {
  readonly #model: fusion.Fusion;
  readonly #work = fusion.workspace(HOPS);
  readonly #shown: ShownItems;
  readonly #catalogue: CatalogueSearch;

  constructor({ model, shown }: Pick<ItemNeighbours, 'model' | 'shown'>, items: Catalogue) {
    this.#model = model;
    this.#shown = shown;
    this.#catalogue = new CatalogueSearch(model, items);
  }

  /** Best `limit` items of what is sought; `recent` is latest first. The catalogue fills what evidence and trend do not. */
  rank(recent: Int32Array, limit: number, sought: Sought, also?: Int32Array, least = limit): Ranked {
    const listed = recent.length > 0 ? sought.listed() : undefined;
    const within = listed && ((): Int32Array => this.#catalogue.within(recent, AT_ONCE, listed, sought));
    return fusion.predict(this.#model, recent, this.#work, { limit, least, exclude: sought.isRefused, within, more: () => this.#catalogue.more(recent, least, sought), also });
  }

  /** Items of the catalogue that nobody has touched, nearest to these clicks by what their content says; at most `limit`. */
  newItems(recent: Int32Array, limit: number, sought: Sought): Int32Array {
    return this.#catalogue.untouched(recent, limit, sought);
  }

  /** The items nearest to one by vector, near ones only; at most `limit`. */
  nearest(item: number, limit: number, sought: Sought): Int32Array {
    return this.#catalogue.nearest(item, limit, sought);
  }

  /** Other items of a category, those most like it in brand, price and popularity first; at most `limit`. */
  ofCategory(item: number, category: string, limit: number, sought: Sought): Int32Array {
    return this.#catalogue.ofCategory(item, category, limit, sought);
  }

  clicksOf(item: number): number {
    return repeats.clicksOf(this.#model.repeats, item);
  }

  /** Whether nobody has touched the item, as nobody has one that is not known (−1). */
  isNew(item: number): boolean {
    return this.#catalogue.isNew(item);
  }

  /** The item's vector, where one was learned or told from its content. */
  vectorOf(item: number): Float32Array | undefined {
    return embedding.vectorOf(this.#model.embedding, item);
  }

  /** Whether shoppers come back to items they had: if not, all their latest items count, and none of them comes. */
  get repeats(): boolean {
    return this.#model.settings.repeats;
  }

  /** What was shown and clicked, as this scorer has learned it. */
  get shown(): ShownItems {
    return this.#shown;
  }

  /** Scores of given items, in their order; −1 stands for an unknown one, which gets what its popularity says: nothing. */
  score(recent: Int32Array, items: Int32Array, told?: (at: number, place: number, score: number) => void): Float32Array {
    const scores = new Float32Array(items.length);
    const best = items.length > AT_ONCE ? this.#nearestLogit(recent, items) : undefined;
    for (let from = 0; from < items.length; from += AT_ONCE) {
      const count = fusion.scoreItems(this.#model, recent, items.subarray(from, from + AT_ONCE), this.#work, best);
      scores.set(this.#work.scores.subarray(0, count), from);
      if (told) for (let at = 0; at < count; at++) told(from + at, at, scores[from + at]);
    }
    return scores;
  }

  #nearestLogit(recent: Int32Array, items: Int32Array): number {
    const logits = new Float32Array(items.length);
    for (let from = 0; from < items.length; from += AT_ONCE) {
      const some = items.subarray(from, from + AT_ONCE);
      embedding.predictMany(this.#model.embedding, recent, some, some.length, logits.subarray(from));
    }
    return logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  }

  /** By item of the last question: the click that speaks for it, and by what. */
  because(recent: Int32Array, items: Int32Array): (evidence.Evidence | undefined)[] {
    return evidence.predict(this.#model, recent, items, this.#work);
  }

  /** For words about an explanation: the click that an item follows more often than chance gives, that it goes with, and that is most like it; −1 for none. */
  clicksBy(recent: Int32Array, item: number): { readonly follows: number; readonly goesWith: number; readonly like: number } {
    const { coVisitation: transitions, embedding: vectors } = this.#model;
    const items = Int32Array.of(item);
    const [follows = -1] = transitionEvidence.because(transitions, recent, items, 1, 0);
    const [precedes = -1] = transitionEvidence.because(transitions, recent, items, 0, 1);
    const [hops = -1] = evidence.byTwoHops(this.#model, recent, items, this.#work);
    const isOften = transitionEvidence.timesAfter(transitions, follows, item) > SELDOM && transitionEvidence.shareAfter(transitions, follows, item) > popularity.popularShare(this.#model.popularity, item);
    return { follows: isOften ? follows : -1, goesWith: precedes >= 0 ? precedes : hops, like: evidence.byLikeness(vectors, recent, item) };
  }

  /** How popular an item is beside the average one of those that were ever touched: 1 is as popular. */
  popularity(item: number): { readonly now: number; readonly lately: number } {
    const { popularity: counts } = this.#model;
    return { now: popularity.trendingShare(counts, item) * counts.seen, lately: popularity.popularShare(counts, item) * counts.seen };
  }

  /** What the model saw of ranked items, as the log keeps it. */
  seen(places: Uint8Array): Buffer {
    const { buffer, byteOffset, byteLength } = quantised(this.#model.ranker.x, ranker.STRIDE, features.FEATURES.length, places);
    return Buffer.from(buffer, byteOffset, byteLength);
  }

  /**
   * Explains places of the next question (after one that it asks itself) beside an item of which nothing is known, whose score
   * in that answer is the baseline of all.
   */
  explaining(recent: Int32Array): Explaining {
    const { popularity: counts, ranker: ranking } = this.#model;
    if (recent.length === 0) {
      const explain = (place: number, score: number): Explanation => stranger.explain(counts, this.#work.items[place], score);
      return { explain, localFit: (place, score) => stranger.localFit(explain(place, score)) };
    }
    fusion.scoreItems(this.#model, recent, Int32Array.of(-1), this.#work);
    const alone = explanation.featuresOf(ranking, 0);
    return {
      explain: (place, score) => explanation.explain(ranking, place, score, features.amongAnswered(alone, ranking.x)),
      localFit: (place) => explanation.compare(ranking, place, features.amongAnswered(alone, ranking.x)),
    };
  }
}
