import * as embedding from '../../models/embedding.js';
import { SCALE } from '../../models/embedding-step.js';
import { LEAST_COSINE } from '../../models/evidence.js';
import type { Fusion } from '../../models/fusion.js';
import { top } from '../../models/kernels/candidates.js';
import { capacityFor } from '../../models/kernels/growth.js';
import { Latest } from '../../models/kernels/latest.js';
import type { Listed } from './filter.js';
import type { Items } from './items.js';
import { Postings } from './postings.js';
import { Refusals } from './refusals.js';

/** Items found to fill one answer, at most; how many a ranking wants at least (candidate-picking.ts). */
const FILLED = 128;
const FEW = 40;
/** As many as the kernels take at once. */
const AT_ONCE = 256;
/** The most popular items, or the nearest ones, among which is looked for what a filter lets through where its lists are long. */
const BEST = 1_024;
/** Items of a list that are looked at for one question. */
const LOOKED = 16_384;
/** A cosine that means something, as `#measure` has it. */
const NEAR = (1 + LEAST_COSINE) / 2;
/** Items whose nearest are kept: to find them takes a scan. */
const NEARBY = 256;
const NEARBY_MS = 10_000;
/** The cosine that an item without a vector is taken to have where it is of the category of a click. */
const OF_CATEGORY = 0.5;

const NONE = new Int32Array(0);

/** What is asked of the catalogue. */
export type Catalogue = Pick<Items, 'size' | 'isKnown' | 'isDeleted' | 'category' | 'categories' | 'brand' | 'price' | 'inCategory' | 'watch'>;

/** Which items may come. */
export interface Sought {
  readonly isRefused: (item: number) => boolean;
  /** Lists in which all of them stand; undefined: they may be anywhere in the catalogue. */
  readonly listed: () => Listed | undefined;
}

/**
 * Finds items of the catalogue without evidence: the popular ones, the nearest by vector, those of one category. For no
 * question is the catalogue walked item by item with all that a filter asks: the shortest list that the filter names is,
 * while it has up to 16,384 items, and then what is found is exact. Of longer ones, what lies among the 1,024 most popular,
 * the 1,024 nearest, and the 16,384 that came last. Vectors are compared with all others (a scan by kernels, 14 ms of CPU for 200,000 on a busy machine): exact.
 */
export class CatalogueSearch {
  readonly #model: Fusion;
  readonly #items: Catalogue;
  /** What may come, and what each is worth. */
  #found = new Int32Array(0);
  #values = new Float32Array(0);
  readonly #places = new Int32Array(BEST);
  #cosines = new Float32Array(AT_ONCE);
  /** By item: what lay nearest to it. At most 4 KB each. */
  readonly #nearby = new Latest<{ readonly items: Int32Array; readonly size: number; readonly forgets: number; readonly at: number }>(NEARBY);
  #popular = { items: new Int32Array(0), renewed: -1, forgets: 0 };
  /** Those of the catalogue that nobody has touched, and some that somebody has since: 8 bytes each. */
  readonly #new = new Postings<true>();
  /** What one question has taken, and would not take again from another list. */
  readonly #taken = new Refusals();

  constructor(model: Fusion, items: Catalogue) {
    this.#model = model;
    this.#items = items;
    for (let item = 0; item < items.size; item++) this.#noteNew(item);
    items.watch((item) => this.#noteNew(item));
  }

  isNew(item: number): boolean {
    return !(this.#model.popularity.born[item]! >= 0);
  }

  /**
   * Items to fill an answer of `least` with, at most 128: the most popular first, then untouched ones, by how near they are
   * to these clicks (latest first), where they are equally near the newest of each category before the next of any.
   */
  more(recent: Int32Array, least: number, sought: Sought): Int32Array {
    const listed = sought.listed();
    const isLong = listed === undefined || listed.count > LOOKED;
    // Counted first: what takes may put a larger array in the place of this one.
    const taken = isLong ? this.#take([this.#mostPopular()], sought, 0) : 0;
    const popular = this.#found.slice(0, taken);
    if (isLong && popular.length >= Math.max(FEW, least)) return popular.subarray(0, FILLED);
    const first = new Set([...popular, ...(isLong ? this.untouched(recent, FILLED, sought) : NONE)]);
    this.#room(first.size);
    this.#found.set([...first]);
    const count = this.#take(newestFirst(listed?.lists ?? [this.#latest()]), sought, first.size, (item) => this.#items.isKnown(item) && !first.has(item));
    this.#measure(recent, count);
    this.#preferPopularAndSpread(count);
    return this.#best(count, FILLED);
  }

  /** Of what a filter lets through and somebody has touched the items nearest to these clicks, best first, at most `limit`. None where its lists are long: then enough of what evidence names passes. */
  within(recent: Int32Array, limit: number, listed: Listed, sought: Sought): Int32Array {
    if (listed.count > LOOKED) return NONE;
    const count = this.#take(listed.lists, sought, 0, (item) => !this.isNew(item));
    this.#measure(recent, count);
    return this.#best(count, limit);
  }

  /** Items that nobody has touched, the nearest to these clicks among all of them, or without clicks the newest of each category; at most `limit`. */
  untouched(recent: Int32Array, limit: number, sought: Sought): Int32Array {
    const listed = sought.listed();
    const lists = listed && listed.count <= LOOKED ? listed.lists : recent.length === 0 ? [this.#untouched().subarray(-LOOKED)] : undefined;
    if (lists) {
      const count = this.#take(lists, sought, 0, (item) => this.isNew(item));
      this.#measure(recent, count);
      this.#preferPopularAndSpread(count);
      return this.#best(count, limit);
    }
    const fresh = this.#untouched();
    this.#room(fresh.length);
    this.#found.set(fresh);
    // Of equally near ones the newest first.
    this.#found.subarray(0, fresh.length).reverse();
    return this.#nearestFound(recent, fresh.length, limit, sought, 0);
  }

  /** The items nearest to one by vector, as near as a reason may name; at most `limit`. */
  nearest(item: number, limit: number, sought: Sought): Int32Array {
    const listed = sought.listed();
    if (!listed || listed.count > LOOKED) {
      const near = this.#nearTo(item);
      this.#room(near.length);
      this.#found.set(near);
      // Vectors may have moved since, and a number may stand for another item.
      return this.#nearestFound(Int32Array.of(item), near.length, limit, sought, NEAR);
    }
    const count = this.#take(listed.lists, sought, 0);
    this.#measure(Int32Array.of(item), count);
    return this.#best(count, limit, NEAR);
  }

  /** Other items of a category: those of the same brand and about the same price before others, popular ones first; at most `limit`. */
  ofCategory(item: number, category: string, limit: number, sought: Sought): Int32Array {
    const items = this.#items;
    const own = items.inCategory(category);
    const listed = sought.listed();
    const lists = listed && listed.count < own.length ? listed.lists : [own];
    const count = this.#take(newestFirst(lists), sought, 0, (other) => other !== item && items.categories(other).includes(category));
    const { slow } = this.#model.popularity;
    const most = this.#found.subarray(0, count).reduce((largest, other) => Math.max(largest, slow[other] ?? 0), 1e-30);
    for (let at = 0; at < count; at++) {
      const other = this.#found[at]!;
      const isOfBrand = items.brand(item) !== null && items.brand(other) === items.brand(item);
      const octaves = Math.abs(Math.log2(items.price(other) / items.price(item)));
      this.#values[at] = 0.1 + (isOfBrand ? 1 : 0) + (octaves < 1 ? 1 - octaves : 0) + (slow[other] ?? 0) / most;
    }
    return this.#best(count, limit);
  }

  /** The nearest of all to one item, 1,024 at most: kept for ten seconds, unless an item has come since, or one was forgotten whose number may be this one's. */
  #nearTo(item: number): Int32Array {
    const { embedding: { items }, coVisitation: { forgets } } = this.#model;
    const { size } = this.#items;
    const kept = this.#nearby.get(String(item));
    const now = performance.now();
    if (kept && kept.size === size && kept.forgets === forgets && now - kept.at < NEARBY_MS) return kept.items;
    this.#room(items);
    for (let other = 0; other < items; other++) this.#found[other] = other;
    this.#measure(Int32Array.of(item), items);
    const near = this.#best(items, BEST, NEAR);
    this.#nearby.set(String(item), { items: near, size, forgets, at: now });
    return near;
  }

  /** The nearest of the first `count` found; what is refused is looked past among the 1,024 nearest. */
  #nearestFound(recent: Int32Array, count: number, limit: number, { isRefused }: Sought, least: number): Int32Array {
    this.#measure(recent, count);
    const near: number[] = [];
    for (const item of this.#best(count, BEST, least)) {
      if (near.length === limit) break;
      if (!isRefused(item)) near.push(item);
    }
    return Int32Array.from(near);
  }

  /** Adds what may come of some lists to what was found, the last of each first and each item once. */
  #take(lists: readonly Int32Array[], { isRefused }: Sought, from: number, isMeant: (item: number) => boolean = () => true): number {
    let count = from;
    this.#taken.begin(this.#items.size);
    for (const list of lists) {
      this.#room(count + list.length);
      for (let at = list.length - 1; at >= 0; at--) {
        const item = list[at]!;
        if (!isMeant(item) || this.#taken.has(item) || isRefused(item)) continue;
        this.#taken.refuse(item);
        this.#found[count++] = item;
      }
    }
    return count;
  }

  /** How near the first `count` found are to these clicks: 1 for the same direction, 0 for the opposite. */
  #measure(recent: Int32Array, count: number): void {
    const { embedding: vectors } = this.#model;
    const isDense = count > vectors.items / 4;
    if (isDense && this.#cosines.length < vectors.items) this.#cosines = new Float32Array(capacityFor(vectors.items, this.#cosines.length));
    if (isDense) embedding.cosines(vectors, recent, this.#cosines);
    const categories = new Set(Array.from(recent, (item) => this.#items.category(item)).filter((category) => category !== null));
    for (let from = 0; from < count; from += AT_ONCE) {
      const some = this.#found.subarray(from, Math.min(count, from + AT_ONCE));
      if (!isDense) embedding.predictMany(vectors, recent, some, some.length, this.#cosines);
      for (let at = 0; at < some.length; at++) {
        const item = some[at]!;
        const cosine = isDense ? (item < vectors.items ? this.#cosines[item]! : 0) : this.#cosines[at]! / SCALE;
        this.#values[from + at] = (1 + (cosine !== 0 ? cosine : this.#ofCategory(item, categories))) / 2;
      }
    }
  }

  /** Of an item without a vector. */
  #ofCategory(item: number, clicked: ReadonlySet<string>): number {
    return this.#items.categories(item).some((category) => clicked.has(category)) ? OF_CATEGORY : 0;
  }

  /** Popular items before all untouched ones; of these, equally near, the first found of each category before the second of any. */
  #preferPopularAndSpread(count: number): void {
    const { slow } = this.#model.popularity;
    const rounds = new Map<string | null, number>();
    for (let at = 0; at < count; at++) {
      const item = this.#found[at]!;
      if (slow[item]! > 0) {
        this.#values[at] = 2 + slow[item]!;
        continue;
      }
      const category = this.#items.category(item);
      const round = (rounds.get(category) ?? 0) + 1;
      rounds.set(category, round);
      this.#values[at]! += 1e-3 / round;
    }
  }

  /** The best of the first `count` found, of equal ones the first; those worth no more than `least` are left out. */
  #best(count: number, limit: number, least = 0): Int32Array {
    const found = top(this.#values, count, Math.min(limit, BEST), this.#places);
    const places = this.#places.subarray(0, found).filter((at) => this.#values[at]! > least);
    return places.map((at) => this.#found[at]!);
  }

  /** The most popular of the catalogue, the least of them first: looked for again once a hundredth of all events has come since, or items were forgotten. */
  #mostPopular(): Int32Array {
    const { slow, events } = this.#model.popularity;
    const { forgets } = this.#model.coVisitation;
    const { renewed } = this.#popular;
    if (renewed < 0 || events - renewed > events / 100 || this.#popular.forgets !== forgets) {
      const { size } = this.#items;
      this.#room(size);
      for (let item = 0; item < size; item++) this.#values[item] = this.#items.isKnown(item) ? slow[item] ?? 0 : 0;
      this.#popular = { items: this.#places.slice(0, top(this.#values, size, BEST, this.#places)).reverse(), renewed: events, forgets };
    }
    return this.#popular.items;
  }

  /** All that nobody has touched; those that somebody has touched since are taken out. */
  #untouched(): Int32Array {
    const all = this.#new.items(true);
    for (let at = all.length - 1; at >= 0; at--) if (!this.#isUntouched(all[at]!)) this.#new.remove(all[at]!, true);
    return this.#new.items(true);
  }

  #isUntouched(item: number): boolean {
    return this.isNew(item) && this.#items.isKnown(item) && !this.#items.isDeleted(item);
  }

  #noteNew(item: number): void {
    if (this.#isUntouched(item) && !this.#new.has(item)) this.#new.add(item, true);
  }

  /** The items that came last, in the order in which they came. */
  #latest(): Int32Array {
    const { size } = this.#items;
    const first = Math.max(0, size - LOOKED);
    return Int32Array.from({ length: size - first }, (_, at) => first + at);
  }

  #room(items: number): void {
    if (items <= this.#found.length) return;
    const found = new Int32Array(capacityFor(items, this.#found.length));
    found.set(this.#found);
    this.#found = found;
    this.#values = new Float32Array(found.length);
  }
}

/** Of several lists so many items as are looked at, those that came last. */
function newestFirst(lists: readonly Int32Array[]): Int32Array[] {
  let left = LOOKED;
  return lists.map((list) => {
    const some = left > 0 ? list.subarray(-left) : list.subarray(0, 0);
    left -= some.length;
    return some;
  });
}
