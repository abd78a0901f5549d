/**
 * How well items that nobody has clicked are found, by what their vectors come from.
 *
 * A fifth of the items, drawn, are cold: its clicks are taken out of the learned part of the story, as what comes next and as what
 * came before. The embedding learns the rest in one pass, the tower learns from the embedding's items. Each later click
 * on a cold item is then a question: of all items (and of the cold ones alone), is it among the 20 nearest to the
 * shopper's up to 10 clicks before it in the visit, cold ones left out? Nothing is learned while questions are asked.
 *
 *   random    the direction every new item has without a tower
 *   category  the mean vector of the known items of its category: the simple thing to beat
 *   content   the tower's
 *   words     the tower's without being told categories: where a catalogue has none, or other ones
 *   truth     the shop's own probabilities, where they are known: among the cold ones nobody can be expected to do better
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

export const K = 20;
const COLD_SHARE = 0.2;
const LEAST_CLICKS = 5;

export interface Visit {
  readonly shopper: number;
  /** Items viewed, oldest first. */
  readonly items: readonly number[];
}

export interface ColdStartShop {
  readonly contents: readonly tower.Content[];
  readonly learned: readonly Visit[];
  readonly asked: readonly Visit[];
  /** P(next item) of a shopper who viewed `last`, by item; where the truth is known. */
  readonly truthOf?: (shopper: number, last: number) => ArrayLike<number>;
}

export interface ColdStartScores {
  readonly items: number;
  readonly cold: number;
  readonly learnedViews: number;
  readonly questions: number;
  /** By where vectors come from: recall@20 among all items and among the cold ones alone. */
  readonly recall: Readonly<Record<string, { readonly amongAll: number; readonly amongCold: number }>>;
  readonly similar: SimilarScores;
  readonly steps: number;
  readonly loss: number;
}

/** Of the 20 nearest to each cold item, as shares. */
export interface SimilarScores {
  readonly ofItsCategory: number;
  /** What as many items drawn at random would have. */
  readonly byChance: number;
  /** What the scan of a scorer finds of the exact 20, by how it keeps vectors. */
  readonly recall: Readonly<Record<rows.Precision, number>>;
}

export function evaluateColdStart(
  shop: ColdStartShop, slopesOf: tower.SlopesOf, steps: number, seed: number,
): ColdStartScores {
  const { contents, learned, asked } = shop;
  const random = randomness(seed + 3);
  const coldness = contents.map(() => uniform(random) < COLD_SHARE);
  const isCold = (item: number): boolean => coldness[item];
  const model = embedding.init({ seed });
  const clicks = new Int32Array(contents.length);
  let learnedViews = 0;
  for (const { items } of learned) {
    const known = items.filter((item) => !isCold(item));
    known.forEach((item, at) => embedding.learn(model, latestFirst(known.slice(0, at)), item));
    for (const item of known) clicks[item]++;
    learnedViews += known.length;
  }
  const cold = contents.flatMap((_, item) => (isCold(item) ? [item] : []));
  const told = towerVectors(contents, cold, model, clicks, slopesOf, steps, seed);
  const vectors: Readonly<Record<string, ReadonlyMap<number, Float32Array>>> = {
    random: new Map(cold.map((item) => [item, randomDirection(seed, item)])),
    category: new Map(cold.map((item) => [item, meanOf(contents.flatMap(({ category }, other) => (category === contents[item].category && clicks[other] > 0 ? [vectorOf(model, other)] : [])))])),
    content: told.vectors,
    words: towerVectors(contents.map((content) => ({ ...content, category: null })), cold, model, clicks, slopesOf, steps, seed).vectors,
  };
  const known = contents.map((_, item) => (isCold(item) ? undefined : embedding.vectorOf(model, item)?.slice()));
  const hits = Object.fromEntries([...Object.keys(vectors), ...(shop.truthOf ? ['truth'] : [])].map((name) => [name, { amongAll: 0, amongCold: 0 }]));
  const user = new Float32Array(embedding.DIMENSIONS);
  const products = new Float64Array(contents.length);
  let questions = 0;
  for (const { shopper, items } of asked) {
    for (const [at, target] of items.entries()) {
      const before = items.slice(0, at).filter((item) => !isCold(item));
      if (!isCold(target) || before.length === 0) continue;
      questions++;
      embedding.userVector(model, latestFirst(before), user);
      for (const [name, from] of Object.entries(vectors)) {
        for (let item = 0; item < products.length; item++) products[item] = dot(user, from.get(item) ?? known[item]);
        count(hits[name], products, target, isCold);
      }
      if (shop.truthOf) {
        products.set(shop.truthOf(shopper, items[at - 1]));
        count(hits['truth'], products, target, isCold);
      }
    }
  }
  const share = (found: number): number => (questions > 0 ? found / questions : 0);
  return {
    items: contents.length,
    cold: cold.length,
    learnedViews,
    questions,
    similar: similarOf(contents, cold, contents.map((_, item) => told.vectors.get(item) ?? known[item])),
    recall: Object.fromEntries(Object.entries(hits).map(([name, { amongAll, amongCold }]) => [name, { amongAll: share(amongAll), amongCold: share(amongCold) }])),
    steps,
    loss: told.loss,
  };
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
  contents: readonly tower.Content[], cold: readonly number[], model: embedding.Embedding, clicks: Int32Array, slopesOf: tower.SlopesOf, steps: number, seed: number,
): { vectors: Map<number, Float32Array>; loss: number } {
  const tokens = contents.map(tower.tokensOf);
  const examples = contents.flatMap((_, item): tower.Example[] =>
    (clicks[item] < LEAST_CLICKS ? [] : [{ tokens: tokens[item], vector: vectorOf(model, item), clicks: clicks[item] }]));
  const state = tower.init({ seed });
  let loss = Number.NaN;
  for (let step = 0; step < steps; step++) loss = tower.learn(state, examples, slopesOf);
  const vectors = new Map(cold.map((item) => {
    const said = new Float32Array(embedding.DIMENSIONS);
    tower.predict(state, tokens[item], said);
    return [item, said];
  }));
  return { vectors, loss };
}

const vectorOf = (model: embedding.Embedding, item: number): Float32Array => (embedding.vectorOf(model, item) ?? new Float32Array(embedding.DIMENSIONS)).slice();

function count(hits: { amongAll: number; amongCold: number }, products: Float64Array, target: number, isCold: (item: number) => boolean): void {
  const better = { all: 0, cold: 0 };
  const equal = { all: 0, cold: 0 };
  for (let item = 0; item < products.length; item++) {
    if (item === target || products[item] < products[target]) continue;
    const side = products[item] > products[target] ? better : equal;
    side.all++;
    if (isCold(item)) side.cold++;
  }
  hits.amongAll += chanceOfPlace(better.all, equal.all);
  hits.amongCold += chanceOfPlace(better.cold, equal.cold);
}

const chanceOfPlace = (better: number, equal: number): number => Math.min(1, Math.max(0, (K - better) / (equal + 1)));

function randomDirection(seed: number, item: number): Float32Array {
  const alone = embedding.init({ seed });
  embedding.learn(alone, new Int32Array(0), item);
  return vectorOf(alone, item);
}

function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(embedding.DIMENSIONS);
  for (const vector of vectors) for (let d = 0; d < mean.length; d++) mean[d] += vector[d];
  const length = Math.hypot(...mean);
  return length > 0 ? mean.map((value) => value / length) : mean;
}

/** An item without a vector is like nothing. */
function dot(a: Float32Array, b: Float32Array | undefined): number {
  if (b === undefined) return 0;
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d];
  return sum;
}
