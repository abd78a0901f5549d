/**
 * How well items that nobody has clicked are found, by what their vectors come from.
 *
 * Some items are cold: their clicks are taken out of the learned part of the story, as what comes next and as what
 * came before. The embedding learns the rest in one pass, the tower learns from the embedding's items. Each later click
 * on a cold item is then a question: of all items (and of the cold ones alone), is it among the 20 nearest to the
 * shopper's up to 10 clicks before it in the visit, cold ones left out? Nothing is learned while questions are asked.
 *
 *   random      the direction every new item has without a tower
 *   popularity  how often an item was clicked: nothing is known of cold ones
 *   category    the mean vector of the known items of its category: the simple thing to beat
 *   nearest     the mean vector of the five items most alike by category, brand, words and price
 *   alike       the mean vector of all items, each by the square of that likeness
 *   content     the tower's
 *   words       the tower's without being told categories: where a catalogue has none, or other ones
 *   truth       the shop's own probabilities, where they are known: among the cold ones nobody can be expected to do better
 *
 * Standard errors are of the difference from `category`, with questions about one item taken as one draw.
 *
 * Beside it, what `similar` finds of cold items with the tower's vectors: of the 20 items nearest to one, how many are of its
 * category, and what of them a scan of rows in whole numbers finds (a scan of rows in single precision finds them all).
 *
 * Ties are broken by chance, in expectation: a category's mean cannot tell its items apart.
 */
import * as tower from '../content-tower.js';
import * as embedding from '../embedding.js';
import { randomness, uniform } from '../kernels/numbers.js';
import type * as rows from '../kernels/rows.js';
import { categoryMean, Likeness, type Known } from './cold-start-rivals.js';

export const K = 20;
const COLD_SHARE = 0.2;
const NEAREST = 5;
const LEAST_CLICKS = 5;

export interface Visit {
  /** Known to `truthOf`. */
  readonly shopper: number;
  /** Items viewed, oldest first. */
  readonly items: readonly number[];
}

export interface ColdStartShop {
  readonly contents: readonly tower.Content[];
  /** By item. */
  readonly cold: readonly boolean[];
  readonly learned: readonly Visit[];
  readonly asked: readonly Visit[];
  /** P(next item) of a shopper who viewed `last`, by item; where the truth is known. */
  readonly truthOf?: (shopper: number, last: number) => ArrayLike<number>;
}

/** Recall@20, and the standard error of its difference from that of `category`. */
export interface Recall {
  readonly amongAll: number;
  readonly amongCold: number;
  readonly errorAmongAll: number;
  readonly errorAmongCold: number;
}

export interface ColdStartScores {
  readonly items: number;
  readonly cold: number;
  readonly learnedViews: number;
  readonly questions: number;
  /** By where vectors come from: among all items and among the cold ones alone. */
  readonly recall: Readonly<Record<string, Recall>>;
  readonly similar: SimilarScores;
  readonly steps: number;
  readonly loss: number;
  /** How far the tower's network is believed, from 0 to 1; the rest of what it says are sums. */
  readonly trust: number;
}

/** Of the 20 nearest to each cold item, as shares. */
export interface SimilarScores {
  readonly ofItsCategory: number;
  /** What as many items drawn at random would have. */
  readonly byChance: number;
  /** What the scan of a scorer finds of the exact 20, by how it keeps vectors. */
  readonly recall: Readonly<Record<rows.Precision, number>>;
}

/** A fifth of so many items, drawn. */
export function drawCold(items: number, seed: number): boolean[] {
  const random = randomness(seed + 3);
  return Array.from({ length: items }, () => uniform(random) < COLD_SHARE);
}

export function evaluateColdStart(
  shop: ColdStartShop, slopesOf: tower.SlopesOf, steps: number, seed: number,
): ColdStartScores {
  const { contents, learned } = shop;
  const model = embedding.init({ seed });
  const clicks = new Int32Array(contents.length);
  let learnedViews = 0;
  for (const { items } of learned) {
    const known = items.filter((item) => !shop.cold[item]);
    known.forEach((item, at) => embedding.learn(model, latestFirst(known.slice(0, at)), item));
    for (const item of known) clicks[item]++;
    learnedViews += known.length;
  }
  const cold = contents.flatMap((_, item) => (shop.cold[item] ? [item] : []));
  const known = { contents, vectors: contents.map((_, item) => (clicks[item] > 0 ? vectorOf(model, item) : undefined)) };
  const likeness = new Likeness(known);
  const told = towerVectors(known, cold, clicks, slopesOf, steps, seed);
  const wordsOnly = { ...known, contents: contents.map((content) => ({ ...content, category: null, categories: [] })) };
  const makers: Readonly<Record<string, (item: number) => Float32Array | undefined>> = {
    random: (item) => randomDirection(seed, item),
    category: (item) => categoryMean(known, item),
    nearest: (item) => likeness.meanOf(item, NEAREST, 1),
    alike: (item) => likeness.meanOf(item, contents.length, 2),
    content: (item) => told.vectors.get(item),
    words: ((vectors) => (item: number) => vectors.get(item))(towerVectors(wordsOnly, cold, clicks, slopesOf, steps, seed).vectors),
  };
  const vectors = Object.entries(makers).map(([name, maker]) => [name, new Map(cold.map((item) => [item, maker(item)]))] as const);
  const { questions, recall } = ask(shop, model, known.vectors, clicks, vectors);
  return {
    items: contents.length,
    cold: cold.length,
    learnedViews,
    questions,
    similar: similarOf(contents, cold, contents.map((_, item) => told.vectors.get(item) ?? known.vectors[item])),
    recall,
    steps,
    loss: told.loss,
    trust: told.trust,
  };
}

type Vectors = readonly (readonly [name: string, vectors: ReadonlyMap<number, Float32Array | undefined>])[];

function ask(shop: ColdStartShop, model: embedding.Embedding, known: readonly (Float32Array | undefined)[], clicks: Int32Array, vectors: Vectors): Pick<ColdStartScores, 'questions' | 'recall'> {
  const user = new Float32Array(embedding.DIMENSIONS);
  const products = new Float64Array(clicks.length);
  const tally = new Tally(['popularity', ...vectors.map(([name]) => name), ...(shop.truthOf ? ['truth'] : [])]);
  for (const { shopper, items } of shop.asked) {
    for (const [at, target] of items.entries()) {
      const before = items.slice(0, at).filter((item) => clicks[item] > 0);
      if (!shop.cold[target] || before.length === 0) continue;
      embedding.userVector(model, latestFirst(before), user);
      tally.begin(target);
      products.set(clicks);
      tally.count('popularity', placeOf(products, target, shop.cold));
      known.forEach((vector, item) => { products[item] = dot(user, vector); });
      for (const [name, from] of vectors) {
        for (const [item, vector] of from) products[item] = dot(user, vector);
        tally.count(name, placeOf(products, target, shop.cold));
      }
      if (!shop.truthOf) continue;
      products.set(shop.truthOf(shopper, items[at - 1]));
      tally.count('truth', placeOf(products, target, shop.cold));
    }
  }
  return { questions: tally.questions, recall: tally.recall() };
}

/** Chances of being among the first 20: of all items and of the cold ones. */
type Place = readonly [amongAll: number, amongCold: number];

/** Hits of each way, by cold item. */
class Tally {
  questions = 0;
  #target = -1;
  readonly #asked = new Map<number, number>();
  readonly #hits: ReadonlyMap<string, Map<number, Place>>;

  constructor(names: readonly string[]) {
    this.#hits = new Map(names.map((name) => [name, new Map()]));
  }

  begin(target: number): void {
    this.#target = target;
    this.questions++;
    this.#asked.set(target, (this.#asked.get(target) ?? 0) + 1);
  }

  count(name: string, [all, cold]: Place): void {
    const hits = this.#hits.get(name);
    const [allBefore, coldBefore] = hits?.get(this.#target) ?? [0, 0];
    hits?.set(this.#target, [allBefore + all, coldBefore + cold]);
  }

  recall(): Record<string, Recall> {
    const shareOf = (name: string, side: 0 | 1): number => this.#mean((item) => this.#hits.get(name)?.get(item)?.[side] ?? 0);
    const errorOf = (name: string, side: 0 | 1): number => {
      const lead = (item: number): number => (this.#hits.get(name)?.get(item)?.[side] ?? 0) - (this.#hits.get('category')?.get(item)?.[side] ?? 0);
      const mean = this.#mean(lead);
      return this.questions > 0 ? Math.sqrt([...this.#asked].reduce((sum, [item, count]) => sum + (lead(item) - mean * count) ** 2, 0)) / this.questions : 0;
    };
    return Object.fromEntries([...this.#hits.keys()].map((name) => [name, { amongAll: shareOf(name, 0), amongCold: shareOf(name, 1), errorAmongAll: errorOf(name, 0), errorAmongCold: errorOf(name, 1) }]));
  }

  #mean(of: (item: number) => number): number {
    return this.questions > 0 ? [...this.#asked.keys()].reduce((sum, item) => sum + of(item), 0) / this.questions : 0;
  }
}

/** The vectors as a scorer has them, each cold item asked for its nearest. */
function similarOf(contents: readonly tower.Content[], cold: readonly number[], vectors: readonly (Float32Array | undefined)[]): SimilarScores {
  const placed = { float32: placedIn('float32', vectors), int8: placedIn('int8', vectors) };
  const found = { float32: 0, int8: 0 };
  let [same, chance] = [0, 0];
  for (const item of cold) {
    const isAlike = (other: number): boolean => contents[other].category === contents[item].category;
    const exact = nearestTo(item, vectors.map((vector) => dot(vectors[item] ?? NO_VECTOR, vector)));
    for (const precision of ['float32', 'int8'] as const) {
      const cosines = new Float32Array(placed[precision].items);
      embedding.cosines(placed[precision], Int32Array.of(item), cosines);
      found[precision] += nearestTo(item, cosines).filter((other) => exact.includes(other)).length;
    }
    same += exact.filter(isAlike).length;
    chance += (contents.filter((_, other) => other !== item && isAlike(other)).length / (contents.length - 1)) * exact.length;
  }
  const asked = Math.max(1, cold.length * Math.min(K, contents.length - 1));
  return { ofItsCategory: same / asked, byChance: chance / asked, recall: { float32: found.float32 / asked, int8: found.int8 / asked } };
}

const NO_VECTOR = new Float32Array(embedding.DIMENSIONS);

function placedIn(precision: rows.Precision, vectors: readonly (Float32Array | undefined)[]): embedding.Embedding {
  const state = embedding.init({ precision });
  vectors.forEach((vector, item) => embedding.place(state, item, vector ?? NO_VECTOR));
  return state;
}

function nearestTo(item: number, cosines: ArrayLike<number>): number[] {
  return Array.from({ length: cosines.length }, (_, other) => other).filter((other) => other !== item).sort((a, b) => cosines[b] - cosines[a]).slice(0, K);
}

const latestFirst = (items: readonly number[]): Int32Array => Int32Array.from(items.slice(-10)).reverse();

/** Vectors of the cold items, by a tower that learned from the others. */
function towerVectors(
  { contents, vectors }: Known, cold: readonly number[], clicks: Int32Array, slopesOf: tower.SlopesOf, steps: number, seed: number,
): { vectors: Map<number, Float32Array>; loss: number; trust: number } {
  const tokens = contents.map(tower.tokensOf);
  const examples = vectors.flatMap((vector, item): tower.Example[] => (vector && clicks[item] >= LEAST_CLICKS ? [{ tokens: tokens[item], vector, clicks: clicks[item] }] : []));
  const state = tower.init({ seed });
  const loss = tower.teach(state, examples, slopesOf, (done) => done < steps);
  const told = new Map(cold.map((item) => {
    const said = new Float32Array(embedding.DIMENSIONS);
    tower.predict(state, tokens[item], said);
    return [item, said];
  }));
  return { vectors: told, loss, trust: state.trust };
}

const vectorOf = (model: embedding.Embedding, item: number): Float32Array => (embedding.vectorOf(model, item) ?? new Float32Array(embedding.DIMENSIONS)).slice();

function placeOf(products: Float64Array, target: number, cold: readonly boolean[]): Place {
  const better = { all: 0, cold: 0 };
  const equal = { all: 0, cold: 0 };
  for (let item = 0; item < products.length; item++) {
    if (item === target || products[item] < products[target]) continue;
    const side = products[item] > products[target] ? better : equal;
    side.all++;
    if (cold[item]) side.cold++;
  }
  return [chanceOfPlace(better.all, equal.all), chanceOfPlace(better.cold, equal.cold)];
}

const chanceOfPlace = (better: number, equal: number): number => Math.min(1, Math.max(0, (K - better) / (equal + 1)));

function randomDirection(seed: number, item: number): Float32Array {
  const alone = embedding.init({ seed });
  embedding.learn(alone, new Int32Array(0), item);
  return vectorOf(alone, item);
}

/** An item without a vector is like nothing. */
function dot(a: Float32Array, b: Float32Array | undefined): number {
  if (b === undefined) return 0;
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
}
