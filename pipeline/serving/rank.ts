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

/** Ranks items for what a shopper touched last: the thin blend of co-visitation, embedding and trend. */
export class Ranking {
  readonly #neighbours: ItemNeighbours;
  readonly #items: Items;
  readonly #scratch = scratch();

  constructor(neighbours: ItemNeighbours, items: Items) {
    this.#neighbours = neighbours;
    this.#items = items;
  }

  /** Best `limit` items that `may` be shown, best first; `recent` is latest first. Trending items fill what evidence does not. */
  rank(recent: readonly string[], limit: number, may: (sku: string) => boolean): Ranked[] {
    const { index } = this.#neighbours;
    const evidence = this.#evidence(recent);
    const trend = this.#trend(Math.max(CANDIDATES, limit * 4));
    const skus = new Set([...evidence.keys(), ...trend.keys()]);
    for (const { sku } of this.#items.catalogue()) if (skus.size < CANDIDATES) skus.add(sku);
    const ranked: Ranked[] = [];
    for (const sku of skus) if (itemIndex.predict(index, sku) >= 0 || this.#items.product(sku)) if (may(sku)) ranked.push(this.#scored(sku, recent, evidence, trend));
    return ranked.sort(byScore).slice(0, limit);
  }

  /** Scores of given items, best first. Unknown items get the score that says nothing: 0. */
  score(recent: readonly string[], skus: readonly string[]): Ranked[] {
    const evidence = this.#evidence(recent);
    const trend = this.#trend(CANDIDATES);
    return skus.map((sku) => this.#scored(sku, recent, evidence, trend)).sort(byScore);
  }

  knows(sku: string): boolean {
    return itemIndex.predict(this.#neighbours.index, sku) >= 0;
  }

  #evidence(recent: readonly string[]): Map<string, number> {
    const { index, transitions } = this.#neighbours;
    const known = recent.slice(0, CONTEXT).map((sku) => itemIndex.predict(index, sku)).filter((item) => item >= 0);
    const found = known.length === 0 ? [] : coVisitation.predict(transitions, Int32Array.from(known), this.#scratch, CANDIDATES);
    return shares(found.map(({ item, score }) => [itemIndex.skuOf(index, item), score]));
  }

  #trend(limit: number): Map<string, number> {
    const { index, popularity: state } = this.#neighbours;
    return shares(popularity.predict(state, 'trending', limit).map(({ item, share }) => [itemIndex.skuOf(index, item), share]));
  }

  #scored(sku: string, recent: readonly string[], evidence: ReadonlyMap<string, number>, trend: ReadonlyMap<string, number>): Ranked {
    const { similarity, closest } = this.#similarity(sku, recent);
    const all: Contribution[] = [
      { part: 'covisited', value: evidence.get(sku) ?? 0 },
      { part: 'embedding', value: EMBEDDING * similarity },
      { part: 'trending', value: TRENDING * (trend.get(sku) ?? 0) },
    ];
    const contributions = all.filter(({ value }) => value > 0);
    const score = contributions.reduce((sum, { value }) => sum + value, 0);
    const evident = evidence.has(sku) || similarity > 0;
    return { sku, score, contributions, because: evident ? (closest ?? recent.find((item) => item !== sku) ?? null) : null };
  }

  /** Cosine of the item with the pooled recent items (0 below), and the recent item closest to it. */
  #similarity(sku: string, recent: readonly string[]): { similarity: number; closest: string | null } {
    const vector = this.#items.vector(sku);
    if (!vector) return { similarity: 0, closest: null };
    const user = new Float32Array(vector.length);
    let best = -Infinity;
    let closest: string | null = null;
    recent.slice(0, CONTEXT).forEach((item, j) => {
      const other = this.#items.vector(item);
      if (!other || other.length !== user.length) return;
      let dot = 0;
      for (let d = 0; d < user.length; d++) {
        user[d]! += POOLING ** j * other[d]!;
        dot += vector[d]! * other[d]!;
      }
      if (item !== sku && dot > best) [best, closest] = [dot, item];
    });
    let dot = 0;
    let square = 0;
    for (let d = 0; d < user.length; d++) {
      dot += user[d]! * vector[d]!;
      square += user[d]! ** 2;
    }
    return { similarity: square > 0 ? Math.max(0, dot / Math.sqrt(square)) : 0, closest };
  }
}

const byScore = (a: Ranked, b: Ranked): number => b.score - a.score || (a.sku < b.sku ? -1 : 1);

/** Values by SKU as shares of the largest. */
function shares(found: readonly (readonly [string | undefined, number])[]): Map<string, number> {
  const most = found.reduce((best, [, value]) => Math.max(best, value), 0);
  return new Map(found.flatMap(([sku, value]) => (sku === undefined || !(value > 0) ? [] : [[sku, value / most] as const])));
}
