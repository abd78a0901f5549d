/** Simple ways to give an untouched item a vector, beside which the content tower is measured. */
import * as tower from '../content-tower.js';
import { DIMENSIONS } from '../embedding.js';

/** What is known when a vector is wanted: contents of all items, vectors of those that were clicked. */
export interface Known {
  readonly contents: readonly tower.Content[];
  readonly vectors: readonly (Float32Array | undefined)[];
}

/** The mean vector of the clicked items of the item's category, of unit length; zeros where there are none. */
export function categoryMean({ contents, vectors }: Known, item: number): Float32Array {
  return unit(contents.flatMap(({ category }, other): Weighted[] => {
    const vector = category === contents[item].category ? vectors[other] : undefined;
    return vector ? [[1, vector]] : [];
  }));
}

/** How alike items are by what they say: cosines of their tokens, each weighing log(1 + items/(items with it + 1)). */
export class Likeness {
  readonly #weights = new Map<number, number>();
  readonly #tokens: readonly Int32Array[];
  readonly #lengths: Float64Array;
  readonly #vectors: Known['vectors'];

  constructor({ contents, vectors }: Known) {
    this.#vectors = vectors;
    this.#tokens = contents.map(tower.tokensOf);
    const holders = new Map<number, number>();
    const known = vectors.filter((vector) => vector !== undefined).length;
    this.#tokens.forEach((tokens, item) => {
      for (const slot of tokens) holders.set(slot, (holders.get(slot) ?? 0) + (vectors[item] ? 1 : 0));
    });
    for (const [slot, count] of holders) this.#weights.set(slot, Math.log(1 + known / (count + 1)));
    this.#lengths = Float64Array.from(this.#tokens, (tokens) => Math.sqrt(tokens.reduce((sum, slot) => sum + this.#squareOf(slot), 0)));
  }

  /** The mean vector of the `most` clicked items that are most alike, each by its cosine to the `power`. */
  meanOf(item: number, most: number, power: number): Float32Array {
    const own = new Set(this.#tokens[item]);
    const alike = this.#vectors.flatMap((vector, other): Weighted[] => {
      if (!vector) return [];
      const shared = this.#tokens[other].reduce((sum, slot) => sum + (own.has(slot) ? this.#squareOf(slot) : 0), 0);
      return shared > 0 ? [[(shared / (this.#lengths[item] * this.#lengths[other])) ** power, vector]] : [];
    });
    return unit(alike.toSorted(([a], [b]) => b - a).slice(0, most));
  }

  #squareOf(slot: number): number {
    return (this.#weights.get(slot) ?? 0) ** 2;
  }
}

type Weighted = readonly [weight: number, vector: Float32Array];

function unit(vectors: readonly Weighted[]): Float32Array {
  const sum = new Float32Array(DIMENSIONS);
  for (const [weight, vector] of vectors) for (let d = 0; d < sum.length; d++) sum[d] += weight * vector[d];
  const length = Math.hypot(...sum);
  return length > 0 ? sum.map((value) => value / length) : sum;
}
