import type { ItemNeighbours } from '../../consumers/co-visitation.js';
import type { ShownItems } from '../../consumers/shown-items.js';
import * as embedding from '../../models/embedding.js';
import * as explanation from '../../models/explanation.js';
import * as features from '../../models/features.js';
import type { LocalLinear } from '../../models/local-linear.js';
import * as fusion from '../../models/fusion.js';
import { top } from '../../models/kernels/candidates.js';
import * as ranker from '../../models/ranker.js';
import { quantised } from '../../models/shown-lists.js';
import type { Items } from './items.js';

/** Items to fill up with, when evidence and trend leave few. */
const FILLED = 128;
/** Untouched items that are looked through for what is near. */
const POOLED = 1_024;
/** 2-hop sums kept: two clicks that share a place work each other's out anew each time. */
const HOPS = 65_536;
/** As many items as the model scores in one go. */
const AT_ONCE = 128;

/** Items by number, best first, as columns. */
export interface Ranked {
  readonly items: Int32Array;
  readonly scores: ArrayLike<number>;
  /** By item: what spoke for it, a sum of SOURCE bits. */
  readonly sources: Uint8Array;
  /** By item: its row in the model's feature matrix, until the next question. */
  readonly places: Uint8Array;
}

/** Ranks items for what a shopper touched last, by the scorer's copy of the recommender. One question at a time. */
export class Ranking {
  readonly #model: fusion.Fusion;
  readonly #items: Items;
  readonly #work = fusion.workspace(HOPS);
  readonly #fill = new Int32Array(FILLED);
  readonly #shown: ShownItems;
  #values = new Float32Array(0);
  #pool = { items: new Int32Array(0), size: -1, events: 0 };

  constructor({ model, shown }: ItemNeighbours, items: Items) {
    this.#model = model;
    this.#shown = shown;
    this.#items = items;
  }

  /** Best `limit` items that are not refused; `recent` is latest first. The catalogue fills what evidence and trend do not. */
  rank(recent: Int32Array, limit: number, isRefused: (item: number) => boolean, also?: Int32Array, least = limit): Ranked {
    return fusion.predict(this.#model, recent, this.#work, { limit, least, exclude: isRefused, more: () => this.#fromCatalogue(isRefused), also });
  }

  /** Items of the catalogue that nobody has touched, nearest to these clicks by what their content says; at most `limit`. */
  newItems(recent: Int32Array, limit: number, isRefused: (item: number) => boolean): Int32Array {
    const pool = this.#newPool().filter((item) => !isRefused(item));
    const logits = new Float32Array(pool.length);
    for (let from = 0; from < pool.length; from += AT_ONCE) {
      const some = pool.subarray(from, from + AT_ONCE);
      embedding.predictMany(this.#model.embedding, recent, some, some.length, logits.subarray(from));
    }
    return Int32Array.from(pool.keys()).sort((a, b) => logits[b]! - logits[a]!).slice(0, limit).map((at) => pool[at]!);
  }

  /** Whether nobody has touched the item, as nobody has one that is not known (−1). */
  isNew(item: number): boolean {
    return !(this.#model.popularity.born[item]! >= 0);
  }

  /** The item's vector, where one was learned or told from its content. */
  vectorOf(item: number): Float32Array | undefined {
    return embedding.vectorOf(this.#model.embedding, item);
  }

  /** What was shown and clicked, as this scorer has learned it. */
  get shown(): ShownItems {
    return this.#shown;
  }

  /** The latest of the untouched items: looked for again once a hundredth of all events has come since, or an item. */
  #newPool(): Int32Array {
    const { size } = this.#items;
    const { events } = this.#model.popularity;
    if (this.#pool.size !== size || events - this.#pool.events > events / 100) {
      const found: number[] = [];
      for (let item = size - 1; item >= 0 && found.length < POOLED; item--) if (this.#items.isKnown(item) && this.isNew(item)) found.push(item);
      this.#pool = { items: Int32Array.from(found), size, events };
    }
    // Some may have been touched since.
    return this.#pool.items.filter((item) => this.isNew(item));
  }

  /** Scores of given items, in their order; −1 stands for an unknown one, which gets what its popularity says: nothing. */
  score(recent: Int32Array, items: Int32Array, told?: (at: number, place: number, score: number) => void): Float32Array {
    const scores = new Float32Array(items.length);
    for (let from = 0; from < items.length; from += AT_ONCE) {
      const count = fusion.scoreItems(this.#model, recent, items.subarray(from, from + AT_ONCE), this.#work);
      scores.set(this.#work.scores.subarray(0, count), from);
      if (told) for (let at = 0; at < count; at++) told(from + at, at, scores[from + at]!);
    }
    return scores;
  }

  /** By item: the recent one that speaks most for it, −1 if none does. */
  because(recent: Int32Array, items: Int32Array): Int32Array {
    return fusion.because(this.#model, recent, items);
  }

  /** What the model saw of ranked items, as the log keeps it. */
  seen(places: Uint8Array): Buffer {
    const { buffer, byteOffset, byteLength } = quantised(this.#model.ranker.x, ranker.STRIDE, features.FEATURES.length, places);
    return Buffer.from(buffer, byteOffset, byteLength);
  }

  /** What the model sees of an item of which nothing is known: what explanations compare with. It takes the place of the last question. */
  unknown(recent: Int32Array): Float64Array {
    fusion.scoreItems(this.#model, recent, Int32Array.of(-1), this.#work);
    return explanation.featuresOf(this.#model.ranker, 0);
  }

  /** What makes up the score of a place in the last question. */
  explain(place: number, score: number, unknown: Float64Array): explanation.Explanation {
    return explanation.explain(this.#model.ranker, place, score, unknown);
  }

  /** A linear fit to the same, to hold beside it. */
  localFit(place: number, unknown: Float64Array): LocalLinear {
    return explanation.compare(this.#model.ranker, place, unknown);
  }

  /** What is popular among items of the catalogue that may be shown. It looks at every item: asked only when few others are left. */
  #fromCatalogue(isRefused: (item: number) => boolean): Int32Array {
    const { size } = this.#items;
    const { slow } = this.#model.popularity;
    if (this.#values.length < size) this.#values = new Float32Array(Math.ceil(size * 1.5));
    for (let item = 0; item < size; item++) this.#values[item] = this.#items.isKnown(item) && !isRefused(item) ? 1 + (slow[item] ?? 0) : 0;
    return this.#fill.subarray(0, top(this.#values, size, FILLED, this.#fill));
  }
}
