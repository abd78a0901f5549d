/**
 * Content tower: the vector an item would learn, told from its words alone, so that new items have one at once.
 *
 *   x = multi-hot of hashed tokens, each 1/√tokens     h = leaky(W₁·x + c₁)     o = W₂·h + c₂     t = u/|u|, u = b(x) + a·o
 *   loss = mean_i w_i·(1 − cos(b_i + o_i, v_i))       v_i: the vector the item has learned, w_i = n/(n + 5) by its n clicks
 *   a = Σ w·(v − b)·o / Σ w·|o|², less its standard error, from 0 to 1, over items that neither b nor o has seen
 *
 * b(x) is what items of the same categories, brand, words and price have in common (credibility.ts), b_i the same without item
 * i: at least the mean of a category. The network learns what these sums leave; a fifth of the items (by their tokens, so
 * the same ones each time) judge it, and a is 0 where it tells them nothing. Afterwards b is fitted to all items.
 * Tokens are hashed, each kind into slots of its own. 64 hidden units, 64 outputs in the space of the embedding's items, whose
 * vectors are the other tower: fixed while this one learns. While learning, each token is left out with probability 0.6, so that no
 * word can stand for one item; a softmax against the batch's other items instead of the cosine finds items that were never seen far worse
 * (docs/measured/cold-start.md).
 * The slopes of a batch come through a port (TensorFlow at the edge, `plainSlopes` of the tests in plain numbers); the steps
 * (Adam, 3e-3, rows of slots only when in the batch) are taken here. Same seed, same slopes: same bytes.
 * Untaught, or of an item without tokens: t = 0. Memory: 6.6 MB whatever the catalogue. Source: two-tower retrieval (Yi et al., RecSys 2019),
 * sums beside a network (Cheng et al. 2016), inputs left out (Volkovs et al., NIPS 2017).
 */
import * as credibility from './credibility.js';
import { DIMENSIONS } from './embedding.js';
import { adamColumns, adamRate, adamStep } from './kernels/adam.js';
import { randomness, uniform, type Randomness } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';
import { hashedFeatures } from './propensity/hashed-features.js';

/** Bits of the slots of words, categories, brands and prices, one range behind the other. */
const BITS = { word: 12, category: 10, brand: 10, price: 8 } as const;
const WORDS = [0, 2 ** BITS.word] as const;
const CATEGORIES = [WORDS[1], WORDS[1] + 2 ** BITS.category] as const;
const BRANDS = [CATEGORIES[1], CATEGORIES[1] + 2 ** BITS.brand] as const;
const PRICES = [BRANDS[1], BRANDS[1] + 2 ** BITS.price] as const;
/** What is told by few tokens first. */
const KINDS = [CATEGORIES, BRANDS, WORDS, PRICES];
export const SLOTS = PRICES[1];
export const HIDDEN = 64;
export const LEAK = 0.1;
const LEFT_OUT = 0.6;
const MOST_WORDS = 24;
/** One item in so many judges the network instead of teaching it. */
const JUDGES = 5;
const VERSION = 2;

export interface Content {
  readonly title: string | null;
  readonly category: string | null;
  /** Where it is in several. */
  readonly categories?: readonly string[] | undefined;
  readonly brand: string | null;
  readonly price: number | null;
}

/** An item that has learned: what it says, and where clicks have put it. */
export type Example = credibility.Observed;

/** The same with what is told of it without the network. */
export interface Based extends Example {
  readonly base: Float32Array;
}

/** The weights, [in][out]; the first ones are those of some slots or of all. */
export interface Layers {
  readonly first: Float32Array;
  readonly firstBias: Float32Array;
  readonly second: Float32Array;
  readonly secondBias: Float32Array;
}

/** Examples as matrices: [item][slot of the batch], [item][64] twice, [item]. */
export interface Batch {
  readonly items: number;
  readonly slots: Int32Array;
  readonly inputs: Float32Array;
  readonly bases: Float32Array;
  readonly targets: Float32Array;
  readonly weights: Float32Array;
}

export interface Slopes extends Layers {
  readonly loss: number;
}

/** The loss of a batch and its slopes by every weight; `layers.first` holds the batch's slots only, in its order. */
export type SlopesOf = (layers: Layers, batch: Batch) => Slopes;

export interface Settings {
  readonly seed: number;
  readonly rate: number;
  readonly batch: number;
}

const defaults: Settings = { seed: 1, rate: 3e-3, batch: 128 };

export interface ContentTower {
  readonly settings: Settings;
  readonly random: Randomness;
  readonly layers: Layers;
  readonly momentum: Layers;
  readonly squares: Layers;
  sums: credibility.Credibility;
  /** How far the network is believed: a. */
  trust: number;
  steps: number;
}

const SIZES = { first: SLOTS * HIDDEN, firstBias: HIDDEN, second: HIDDEN * DIMENSIONS, secondBias: DIMENSIONS } as const;
type Name = keyof typeof SIZES;
const NAMES: readonly Name[] = ['first', 'firstBias', 'second', 'secondBias'];

const zeros = (): Layers => ({
  first: new Float32Array(SIZES.first), firstBias: new Float32Array(SIZES.firstBias),
  second: new Float32Array(SIZES.second), secondBias: new Float32Array(SIZES.secondBias),
});

export function init(settings: Partial<Settings> = {}): ContentTower {
  const chosen = { ...defaults, ...settings };
  const layers = zeros();
  const random = randomness(chosen.seed);
  for (let i = 0; i < SIZES.first; i++) layers.first[i] = (uniform(random) - 0.5) * 0.05;
  for (let i = 0; i < SIZES.second; i++) layers.second[i] = (uniform(random) - 0.5) * 0.4;
  return { settings: chosen, random, layers, momentum: zeros(), squares: zeros(), sums: credibility.init(SLOTS), trust: 0, steps: 0 };
}

/** Slots of what is said about an item, each once; none where nothing is said. */
export function tokensOf({ title, category, categories = [category ?? ''], brand, price }: Content): Int32Array {
  const words = (title ?? '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return Int32Array.from(new Set([
    ...slotsOf(WORDS, BITS.word, words.slice(0, MOST_WORDS)),
    ...slotsOf(CATEGORIES, BITS.category, categories.map((name) => name.toLowerCase())),
    ...slotsOf(BRANDS, BITS.brand, [brand?.toLowerCase()]),
    ...slotsOf(PRICES, BITS.price, [price !== null && price > 0 ? price : undefined]),
  ]));
}

function slotsOf([from]: credibility.Kind, bits: number, values: readonly (string | number | undefined)[]): Int32Array {
  return hashedFeatures(values.map((value) => ['', value]), bits).subarray(1).map((slot) => from + slot);
}

/** The unit vector of these tokens, into `out`; zeros where there are none, and before the first lesson. */
export function predict(state: ContentTower, tokens: Int32Array, out: Float32Array): void {
  out.fill(0, 0, DIMENSIONS);
  if (tokens.length === 0) return;
  const said = new Float64Array(DIMENSIONS);
  credibility.predict(state.sums, tokens, said);
  if (state.trust > 0) networkOf(state.layers, tokens).forEach((value, d) => { said[d] += state.trust * value; });
  let square = 1e-12;
  for (let d = 0; d < DIMENSIONS; d++) square += said[d] * said[d];
  for (let d = 0; d < DIMENSIONS; d++) out[d] = said[d] / Math.sqrt(square);
}

/** o of these tokens. */
function networkOf({ first, firstBias, second, secondBias }: Layers, tokens: Int32Array): Float64Array {
  const hidden = Float64Array.from(firstBias);
  const each = 1 / Math.sqrt(tokens.length);
  for (const slot of tokens) for (let k = 0; k < HIDDEN; k++) hidden[k] += each * first[slot * HIDDEN + k];
  const said = Float64Array.from(secondBias);
  for (let k = 0; k < HIDDEN; k++) {
    const value = hidden[k] > 0 ? hidden[k] : LEAK * hidden[k];
    for (let d = 0; d < DIMENSIONS; d++) said[d] += value * second[k * DIMENSIONS + d];
  }
  return said;
}

/** A whole lesson: the sums anew, steps of the network while `goesOn`, and how far it is believed. Returns the loss of the last step. */
export function teach(state: ContentTower, examples: readonly Example[], slopesOf: SlopesOf, goesOn: (steps: number) => boolean): number {
  const told = examples.filter(({ tokens }) => tokens.length > 0);
  const judges = told.filter(({ tokens }) => isJudge(tokens));
  const taught = told.filter(({ tokens }) => !isJudge(tokens));
  state.sums = credibility.fit(SLOTS, KINDS, taught);
  const based = taught.map((example): Based => ({ ...example, base: credibility.leftOut(state.sums, example) }));
  let loss = Number.NaN;
  for (let steps = 0; goesOn(steps); steps++) {
    loss = learn(state, based, slopesOf);
    if (!Number.isFinite(loss)) break;
  }
  state.trust = trustOf(state, judges);
  state.sums = credibility.fit(SLOTS, KINDS, told);
  return loss;
}

/** By what it says, so that an item never judges what it has taught, and those that say the same stay together. */
function isJudge(tokens: Int32Array): boolean {
  let hash = 0x811c9dc5;
  for (const slot of tokens.toSorted()) hash = Math.imul(hash ^ slot, 0x01000193);
  return ((hash ^ (hash >>> 15)) >>> 0) % JUDGES === 0;
}

/** The slope of what the sums leave of the judges by what the network says, less its standard error: a guess is not believed. */
function trustOf({ sums, layers }: ContentTower, judges: readonly Example[]): number {
  const base = new Float64Array(DIMENSIONS);
  const seen = judges.map(({ tokens, vector, clicks }) => {
    credibility.predict(sums, tokens, base);
    const weight = credibility.weightOf(clicks);
    const own = { right: 0, all: 0 };
    networkOf(layers, tokens).forEach((value, d) => {
      own.right += weight * (vector[d] - base[d]) * value;
      own.all += weight * value * value;
    });
    return own;
  });
  const all = seen.reduce((sum, own) => sum + own.all, 0);
  if (!(all > 0)) return 0;
  const slope = seen.reduce((sum, own) => sum + own.right, 0) / all;
  const error = Math.sqrt(seen.reduce((sum, own) => sum + (own.right - slope * own.all) ** 2, 0)) / all;
  return Math.min(1, Math.max(0, slope - error));
}

/** One step on a batch drawn from the examples. Returns the loss before it; NaN where there is nothing to tell apart. */
export function learn(state: ContentTower, examples: readonly Based[], slopesOf: SlopesOf): number {
  const usable = examples.length;
  if (usable < 2) return Number.NaN;
  const chosen = new Set<number>();
  while (chosen.size < Math.min(state.settings.batch, usable)) chosen.add(Math.floor(uniform(state.random) * usable));
  const batch = batchOf([...chosen].map((at) => ({ ...examples[at], tokens: someOf(examples[at].tokens, state.random) })));
  const { first, firstBias, second, secondBias } = state.layers;
  const rows = new Float32Array(batch.slots.length * HIDDEN);
  batch.slots.forEach((slot, at) => rows.set(first.subarray(slot * HIDDEN, (slot + 1) * HIDDEN), at * HIDDEN));
  const slopes = slopesOf({ first: rows, firstBias, second, secondBias }, batch);
  // A loss that is no number would spread through every weight.
  if (!Number.isFinite(slopes.loss)) return slopes.loss;
  state.steps++;
  batch.slots.forEach((slot, at) => step(state, 'first', slopes.first.subarray(at * HIDDEN, (at + 1) * HIDDEN), slot * HIDDEN));
  for (const name of NAMES.slice(1)) step(state, name, slopes[name], 0);
  return slopes.loss;
}

/** The tokens that are not left out this time; all of them rather than none. */
function someOf(tokens: Int32Array, random: Randomness): Int32Array {
  const kept = tokens.filter(() => uniform(random) >= LEFT_OUT);
  return kept.length > 0 ? kept : tokens;
}

export function batchOf(examples: readonly Based[]): Batch {
  const slots = Int32Array.from(new Set(examples.flatMap(({ tokens }) => [...tokens]))).sort();
  const places = new Map(Array.from(slots, (slot, at) => [slot, at]));
  const inputs = new Float32Array(examples.length * slots.length);
  const bases = new Float32Array(examples.length * DIMENSIONS);
  const targets = new Float32Array(examples.length * DIMENSIONS);
  examples.forEach(({ tokens, base, vector }, item) => {
    for (const slot of tokens) inputs[item * slots.length + (places.get(slot) ?? 0)] = 1 / Math.sqrt(tokens.length);
    bases.set(base, item * DIMENSIONS);
    targets.set(vector, item * DIMENSIONS);
  });
  return { items: examples.length, slots, inputs, bases, targets, weights: Float32Array.from(examples, ({ clicks }) => credibility.weightOf(clicks)) };
}

function step({ layers, momentum, squares, settings, steps }: ContentTower, name: Name, slopes: Float32Array, from: number): void {
  adamStep(layers[name], momentum[name], squares[name], slopes, adamRate(settings.rate, steps), from);
}

export function snapshot({ settings: s, random, layers, momentum, squares, sums, trust, steps }: ContentTower): Uint8Array {
  return pack('content-tower', VERSION, { scalars: Float64Array.of(s.seed, s.rate, s.batch, steps, trust), random, ...adamColumns(NAMES, layers, momentum, squares), ...sums });
}

export function restore(bytes: Uint8Array): ContentTower {
  const from = unpack('content-tower', VERSION, bytes);
  const [seed, rate, batch, steps, trust] = from.f64('scalars');
  const read = (suffix: string): Layers => ({
    first: from.f32(`first${suffix}`), firstBias: from.f32(`firstBias${suffix}`),
    second: from.f32(`second${suffix}`), secondBias: from.f32(`secondBias${suffix}`),
  });
  return {
    settings: { seed, rate, batch }, random: from.u32('random'), layers: read(''), momentum: read('Momentum'), squares: read('Squares'),
    sums: { mean: from.f32('mean'), effects: from.f32('effects'), shares: from.f32('shares') }, trust, steps,
  };
}
