/**
 * Content tower: the vector an item would learn, told from its words alone, so that new items have one at once.
 *
 *   x = multi-hot of hashed tokens, each 1/√tokens       h = leaky(W₁·x + b₁)       t = (W₂·h + b₂) / |W₂·h + b₂|
 *   loss = mean_i w_i·(1 − t_i·v_i)                      v_i: the vector the item has learned, w_i = n/(n + 5) by its n clicks
 *
 * Tokens: words of the title, categories, brand, price in quarter and whole octaves, hashed into 4,096 slots. 64 hidden
 * units, 64 outputs on the same unit sphere as the embedding's items, whose vectors are the other tower: fixed while
 * this one learns. The best t is the mean direction of all items that say the same. While learning, each token is left
 * out with probability 0.6, so that no word can stand for one item: without it, and with a softmax against the batch's
 * other items instead of the cosine, items that were never seen are found far worse (docs/measured/cold-start.md).
 * The slopes of a batch come through a port (TensorFlow at the edge, `slopesOf` of the tests in plain numbers); the steps
 * (Adam, 3e-3, rows of slots only when in the batch) are taken here. Same seed, same slopes: same bytes.
 * Untrained: small random weights, so a direction that depends on the words and means nothing. No tokens: t = 0.
 * Memory: 3.2 MB whatever the catalogue. Source: two-tower retrieval (Yi et al., RecSys 2019), inputs left out (Volkovs et al., NIPS 2017).
 */
import { DIMENSIONS } from './embedding.js';
import { adamColumns, adamRate, adamStep } from './kernels/adam.js';
import { randomness, uniform, type Randomness } from './kernels/numbers.js';
import { pack, unpack } from './kernels/snapshot.js';
import { hashedFeatures } from './propensity/hashed-features.js';

export const BITS = 12;
export const HIDDEN = 64;
export const LEAK = 0.1;
const LEFT_OUT = 0.6;
const MOST_WORDS = 24;
const VERSION = 1;

export interface Content {
  readonly title: string | null;
  readonly category: string | null;
  /** Where it is in several. */
  readonly categories?: readonly string[] | undefined;
  readonly brand: string | null;
  readonly price: number | null;
}

/** An item that has learned: what it says, and where clicks have put it. */
export interface Example {
  readonly tokens: Int32Array;
  readonly vector: Float32Array;
  readonly clicks: number;
}

/** The weights, [in][out]; the first ones are those of some slots or of all. */
export interface Layers {
  readonly first: Float32Array;
  readonly firstBias: Float32Array;
  readonly second: Float32Array;
  readonly secondBias: Float32Array;
}

/** Examples as matrices: [item][slot of the batch], [item][64], [item]. */
export interface Batch {
  readonly items: number;
  readonly slots: Int32Array;
  readonly inputs: Float32Array;
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

export const defaults: Settings = { seed: 1, rate: 3e-3, batch: 128 };

export interface ContentTower {
  readonly settings: Settings;
  readonly random: Randomness;
  readonly layers: Layers;
  readonly momentum: Layers;
  readonly squares: Layers;
  steps: number;
}

const SIZES = { first: 2 ** BITS * HIDDEN, firstBias: HIDDEN, second: HIDDEN * DIMENSIONS, secondBias: DIMENSIONS } as const;
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
  return { settings: chosen, random, layers, momentum: zeros(), squares: zeros(), steps: 0 };
}

/** Slots of what is said about an item, each once; none where nothing is said. */
export function tokensOf({ title, category, categories = [category ?? ''], brand, price }: Content): Int32Array {
  const words = (title ?? '').toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const named = [
    ...words.slice(0, MOST_WORDS).map((word): [string, string] => ['word', word]),
    ...categories.map((name): [string, string] => ['category', name.toLowerCase()]),
    ['brand', brand?.toLowerCase() ?? ''] as const,
    ['price', price !== null && price > 0 ? price : undefined] as const,
  ] as const;
  return Int32Array.from(new Set(hashedFeatures(named, BITS).subarray(1)));
}

/** The unit vector of these tokens, into `out`; zeros where there are none. */
export function predict({ layers: { first, firstBias, second, secondBias } }: ContentTower, tokens: Int32Array, out: Float32Array): void {
  out.fill(0, 0, DIMENSIONS);
  if (tokens.length === 0) return;
  const hidden = Float64Array.from(firstBias);
  const each = 1 / Math.sqrt(tokens.length);
  for (const slot of tokens) for (let k = 0; k < HIDDEN; k++) hidden[k] += each * first[slot * HIDDEN + k];
  const said = Float64Array.from(secondBias);
  for (let k = 0; k < HIDDEN; k++) {
    const value = hidden[k] > 0 ? hidden[k] : LEAK * hidden[k];
    for (let d = 0; d < DIMENSIONS; d++) said[d] += value * second[k * DIMENSIONS + d];
  }
  let square = 1e-12;
  for (let d = 0; d < DIMENSIONS; d++) square += said[d] * said[d];
  for (let d = 0; d < DIMENSIONS; d++) out[d] = said[d] / Math.sqrt(square);
}

/** One step on a batch drawn from the examples. Returns the loss before it; NaN where there is nothing to tell apart. */
export function learn(state: ContentTower, examples: readonly Example[], slopesOf: SlopesOf): number {
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

export function batchOf(examples: readonly Example[]): Batch {
  const slots = Int32Array.from(new Set(examples.flatMap(({ tokens }) => [...tokens]))).sort();
  const places = new Map(Array.from(slots, (slot, at) => [slot, at]));
  const inputs = new Float32Array(examples.length * slots.length);
  const targets = new Float32Array(examples.length * DIMENSIONS);
  examples.forEach(({ tokens, vector }, item) => {
    for (const slot of tokens) inputs[item * slots.length + (places.get(slot) ?? 0)] = 1 / Math.sqrt(tokens.length);
    targets.set(vector, item * DIMENSIONS);
  });
  return { items: examples.length, slots, inputs, targets, weights: Float32Array.from(examples, ({ clicks }) => clicks / (clicks + 5)) };
}

function step({ layers, momentum, squares, settings, steps }: ContentTower, name: Name, slopes: Float32Array, from: number): void {
  adamStep(layers[name], momentum[name], squares[name], slopes, adamRate(settings.rate, steps), from);
}

export function snapshot({ settings: s, random, layers, momentum, squares, steps }: ContentTower): Uint8Array {
  return pack('content-tower', VERSION, { scalars: Float64Array.of(s.seed, s.rate, s.batch, steps), random, ...adamColumns(NAMES, layers, momentum, squares) });
}

export function restore(bytes: Uint8Array): ContentTower {
  const from = unpack('content-tower', VERSION, bytes);
  const [seed, rate, batch, steps] = from.f64('scalars');
  const read = (suffix: string): Layers => ({
    first: from.f32(`first${suffix}`), firstBias: from.f32(`firstBias${suffix}`),
    second: from.f32(`second${suffix}`), secondBias: from.f32(`secondBias${suffix}`),
  });
  return { settings: { seed, rate, batch }, random: from.u32('random'), layers: read(''), momentum: read('Momentum'), squares: read('Squares'), steps };
}
