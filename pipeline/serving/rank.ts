import * as coVisitation from '../../models/co-visitation.js';
import * as itemIndex from '../../models/item-index.js';
import { scratch } from '../../models/kernels/candidates.js';
import * as popularity from '../../models/popularity.js';
import type { ItemNeighbours } from '../../consumers/co-visitation.js';
import type { Items } from './items.js';

/** score = covisited/best + EMBEDDING·max(0, cosine) + TRENDING·share/best: each part within 0…1, the parts add up. */
const EMBEDDING = 0.35;
const TRENDING = 0.15;
const CANDIDATES = 200;
const CONTEXT = 10;
const POOLING = 0.5;

export interface Contribution {
  readonly part: 'covisited' | 'embedding' | 'trending';
  readonly value: number;
}

export interface Ranked {
  readonly sku: string;
  readonly score: number;
  /** Sums to the score. */
  readonly contributions: readonly Contribution[];
  /** The recent item that speaks most for it, if any. */
  readonly because: string | null;
}

/** An item's score, by its parts. */
interface Scored {
  readonly sku: string;
  readonly covisited: number;
  readonly similarity: number;
  readonly trending: number;
  readonly score: number;
}

/** What one request knows of the shopper and the shop. */
interface Known {
  readonly recent: readonly string[];
  readonly evidence: ReadonlyMap<string, number>;
  readonly trend: ReadonlyMap<string, number>;
  readonly taste: Float32Array | undefined;
}

/** Ranks items for what a shopper touched last: the thin blend of co-visitation, embedding and trend. */
export class Ranking {
  readonly #neighbours: ItemNeighbours;
  readonly #items: Items;
  readonly #scratch = scratch();
  #trending: { readonly events: number; readonly limit: number; readonly shares: ReadonlyMap<string, number> } | undefined;

  constructor(neighbours: ItemNeighbours, items: Items) {
    this.#neighbours = neighbours;
    this.#items = items;
  }

  /** Best `limit` items that `may` be shown, best first; `recent` is latest first. Trending items fill what evidence does not. */
  rank(recent: readonly string[], limit: number, may: (sku: string) => boolean): Ranked[] {
    const known = this.#known(recent, Math.max(CANDIDATES, limit * 4));
    const { evidence, trend } = known;
    const scored: Scored[] = [];
    let considered = 0;
    const consider = (sku: string): void => {
      considered++;
      if ((this.knows(sku) || this.#items.product(sku)) && may(sku)) scored.push(this.#scored(sku, known));
    };
    for (const sku of evidence.keys()) consider(sku);
    for (const sku of trend.keys()) if (!evidence.has(sku)) consider(sku);
    if (considered < CANDIDATES) {
      for (const { sku } of this.#items.catalogue()) {
        if (evidence.has(sku) || trend.has(sku)) continue;
        consider(sku);
        // A catalogue is long: looking through the rest of it would cost more than all else.
        if (considered >= CANDIDATES) break;
      }
    }
    // Reasons cost more than scores: only what is shown gets them.
    return scored.sort(byScore).slice(0, limit).map((item) => this.#explained(item, known));
  }

  /** Scores of given items, best first. Unknown items get the score that says nothing: 0. */
  score(recent: readonly string[], skus: readonly string[]): Ranked[] {
    const known = this.#known(recent, CANDIDATES);
    return skus.map((sku) => this.#scored(sku, known)).sort(byScore).map((item) => this.#explained(item, known));
  }

  knows(sku: string): boolean {
    return itemIndex.predict(this.#neighbours.index, sku) >= 0;
  }

  #known(recent: readonly string[], trending: number): Known {
    return { recent, evidence: this.#evidence(recent), trend: this.#trend(trending), taste: this.#taste(recent) };
  }

  #evidence(recent: readonly string[]): Map<string, number> {
    const { index, transitions } = this.#neighbours;
    const known = recent.slice(0, CONTEXT).map((sku) => itemIndex.predict(index, sku)).filter((item) => item >= 0);
    const found = known.length === 0 ? [] : coVisitation.predict(transitions, Int32Array.from(known), this.#scratch, CANDIDATES);
    return shares(found, ({ item }) => itemIndex.skuOf(index, item), ({ score }) => score);
  }

  /** The same for everyone: made anew once a thousandth of all events has come since, in a young shop with each event. */
  #trend(limit: number): ReadonlyMap<string, number> {
    const { index, popularity: state } = this.#neighbours;
    const last = this.#trending;
    if (last && last.limit === limit && state.events - last.events <= state.events / 1_000) return last.shares;
    const found = shares(popularity.predict(state, 'trending', limit), ({ item }) => itemIndex.skuOf(index, item), ({ share }) => share);
    this.#trending = { events: state.events, limit, shares: found };
    return found;
  }

  #scored(sku: string, { evidence, trend, taste }: Known): Scored {
    const covisited = evidence.get(sku) ?? 0;
    const vector = taste && this.#items.vector(sku);
    const similarity = vector && vector.length === taste.length ? Math.max(0, dot(taste, vector)) : 0;
    const trending = trend.get(sku) ?? 0;
    return { sku, covisited, similarity, trending, score: covisited + EMBEDDING * similarity + TRENDING * trending };
  }

  #explained({ sku, score, covisited, similarity, trending }: Scored, { recent, evidence }: Known): Ranked {
    const all: Contribution[] = [
      { part: 'covisited', value: covisited },
      { part: 'embedding', value: EMBEDDING * similarity },
      { part: 'trending', value: TRENDING * trending },
    ];
    const isEvident = evidence.has(sku) || similarity > 0;
    const because = isEvident ? (this.#closest(sku, recent) ?? recent.find((item) => item !== sku) ?? null) : null;
    return { sku, score, contributions: all.filter(({ value }) => value > 0), because };
  }

  /** The pooled recent items as one unit vector, once a request; undefined when none of them has a vector. */
  #taste(recent: readonly string[]): Float32Array | undefined {
    let pooled: Float32Array | undefined;
    for (const [j, item] of recent.slice(0, CONTEXT).entries()) {
      const vector = this.#items.vector(item);
      if (!vector) continue;
      pooled ??= new Float32Array(vector.length);
      if (vector.length !== pooled.length) continue;
      const weight = POOLING ** j;
      for (let d = 0; d < pooled.length; d++) pooled[d]! += weight * vector[d]!;
    }
    const length = pooled && Math.sqrt(dot(pooled, pooled));
    return length ? pooled!.map((value) => value / length) : undefined;
  }

  /** The recent item whose vector is closest to the item's. */
  #closest(sku: string, recent: readonly string[]): string | null {
    const vector = this.#items.vector(sku);
    let best = -Infinity;
    let closest: string | null = null;
    for (const item of vector ? recent.slice(0, CONTEXT) : []) {
      const other = item === sku ? undefined : this.#items.vector(item);
      if (!other || other.length !== vector!.length) continue;
      const cosine = dot(vector!, other);
      if (cosine > best) [best, closest] = [cosine, item];
    }
    return closest;
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}

const byScore = (a: Scored, b: Scored): number => b.score - a.score || (a.sku < b.sku ? -1 : 1);

/** Values by SKU as shares of the largest, in the order given. */
function shares<T>(found: readonly T[], skuOf: (one: T) => string | undefined, valueOf: (one: T) => number): Map<string, number> {
  let most = 0;
  for (const one of found) most = Math.max(most, valueOf(one));
  const byItem = new Map<string, number>();
  for (const one of found) {
    const sku = skuOf(one);
    if (sku !== undefined && valueOf(one) > 0) byItem.set(sku, valueOf(one) / most);
  }
  return byItem;
}
