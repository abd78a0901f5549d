/**
 * Exploration: which item to try in a slot, when few clicks tell which one is best (Thompson sampling).
 *
 *   click rate of an item at a placement ~ Beta(clicks + a, shown − clicks + b)       a + b = 20, a/(a + b) = the placement's rate
 *   propensity(i) = P(i has the largest rate) = ∫ f_i(x)·Π_{j≠i} F_j(x) dx            the slot's item is drawn from exactly these
 *
 * Sampling a rate for each and taking the best draws from the same distribution, but does not know the probability with
 * which it drew; this one does, by sums over a grid of 512 log odds. The logged propensity is that of the policy that
 * ran, whatever the grid leaves out. Of an item shown over 2,000 times both counts are halved: a rate may change, and a
 * posterior narrower than the grid would be read wrongly. Untrained: every item alike, the first rate is 5 %.
 * Who learns says what counts: here each call is one showing or one click, so one shopper's must be limited before. A showing counts as
 * many times as it is more likely to be seen than one at the place where items are tried: rates are those of that place, and who stands
 * first elsewhere is not taken for better than who is tried.
 * Memory: 8 bytes an item and placement. The seven placements at which most is shown have rates of their own, the others share one:
 * anybody with a public key may make up names. Clicks count at most what was shown.
 * Source: Thompson 1933; propensities for later evaluation (Horvitz & Thompson 1952).
 */
import { capacityFor, checkItem, grownFloat32 } from './kernels/growth.js';
import { OTHERS, use, type Used } from './kernels/frequent.js';
import { exp, log, uniform, type Randomness } from './kernels/numbers.js';
import { pack, unpack, UnreadableSnapshot } from './kernels/snapshot.js';

const PRIOR_SHOWN = 20;
const FIRST_RATE = 0.05;
const MOST_SHOWN = 2_000;
const MOST_PLACEMENTS = 7;
const GRID = 512;
const VERSION = 3;

interface Placement extends Used {
  shown: Float32Array;
  clicked: Float32Array;
  allShown: number;
  allClicked: number;
}

export interface Exploration {
  /** Those that have rates of their own, and one for all others. */
  readonly placements: Map<string, Placement>;
}

export function init(): Exploration {
  return { placements: new Map() };
}

const empty = (): Placement => ({ shown: new Float32Array(0), clicked: new Float32Array(0), allShown: 0, allClicked: 0, uses: 0 });

function placementOf({ placements }: Exploration, name: string): Placement | undefined {
  return placements.get(name) ?? placements.get(OTHERS);
}

/** The probability with which Thompson sampling takes each of the items; sums to 1. */
export function predict(state: Exploration, placement: string, items: ArrayLike<number>): Float64Array {
  const known = placementOf(state, placement) ?? empty();
  const rate = rateOf(known);
  const a = new Float64Array(items.length);
  const b = new Float64Array(items.length);
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const shown = known.shown[item] ?? 0;
    const clicked = known.clicked[item] ?? 0;
    a[i] = clicked + PRIOR_SHOWN * rate;
    b[i] = shown - clicked + PRIOR_SHOWN * (1 - rate);
  }
  return chancesToBeLargest(a, b);
}

export interface Drawn {
  readonly at: number;
  readonly propensity: number;
}

/** Draws one of the items; undefined when there are none. */
export function draw(state: Exploration, placement: string, items: ArrayLike<number>, random: Randomness): Drawn | undefined {
  if (items.length === 0) return undefined;
  const chances = predict(state, placement, items);
  let left = uniform(random);
  let at = 0;
  while (at < items.length - 1 && left >= chances[at]) left -= chances[at++];
  return { at, propensity: chances[at] };
}

/** Counts a list that was shown at a placement, and answers the one whose rates it tells of: that one, or the one of all others. */
export const place = ({ placements }: Exploration, placement: string): string => use(placements, MOST_PLACEMENTS, placement, empty());

/** Whose rates a choice at a placement tells of. */
export const placeOf = ({ placements }: Exploration, placement: string): string => (placements.has(placement) ? placement : OTHERS);

/** A showing at a placement that `place` has answered; `seen`: how much likelier it is seen than where items are tried, at least 1. */
export function learnShown(state: Exploration, placement: string, item: number, seen = 1): void {
  const of = grown(state, placement, item);
  if (!of) return;
  of.allShown += seen;
  of.shown[item] += seen;
  if (of.shown[item] > MOST_SHOWN) {
    of.shown[item] /= 2;
    of.clicked[item] /= 2;
  }
  if (of.allShown > 1e6) {
    of.allShown /= 2;
    of.allClicked /= 2;
  }
}

/** A click on what was shown there. One without a showing (told twice, or of another log) teaches nothing. */
export function learnClicked(state: Exploration, placement: string, item: number): void {
  const of = grown(state, placement, item);
  if (!of || of.clicked[item] + 1 > of.shown[item]) return;
  of.clicked[item]++;
  of.allClicked++;
}

export function forget(state: Exploration, items: Int32Array): void {
  for (const { shown, clicked } of state.placements.values()) {
    for (const item of items) {
      if (item < 0 || item >= shown.length) continue;
      shown[item] = 0;
      clicked[item] = 0;
    }
  }
}

function rateOf({ allShown, allClicked }: Placement): number {
  return (allClicked + FIRST_RATE * 100) / (allShown + 100);
}

function grown({ placements }: Exploration, name: string, item: number): Placement | undefined {
  checkItem(item);
  const of = placements.get(name);
  const capacity = of ? capacityFor(item + 1, of.shown.length) : 0;
  if (of && capacity > of.shown.length) {
    of.shown = grownFloat32(of.shown, capacity);
    of.clicked = grownFloat32(of.clicked, capacity);
  }
  return of;
}

/** P(each has the largest of independent Beta(a, b)), by a grid over log odds that holds all but tails. */
export function chancesToBeLargest(a: Float64Array, b: Float64Array): Float64Array {
  const count = a.length;
  const chances = new Float64Array(count);
  if (count === 0) return chances;
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < count; i++) {
    // Log odds of a Beta: mean about log(a/b), variance about 1/a + 1/b.
    const middle = log(a[i] / b[i]);
    const reach = 6 * Math.sqrt(1 / a[i] + 1 / b[i]);
    low = Math.min(low, middle - reach);
    high = Math.max(high, middle + reach);
  }
  low = Math.max(low, -20);
  high = Math.min(high, 20);
  const step = (high - low) / GRID;
  const density = Array.from({ length: count }, (_, i) => densityOf(a[i], b[i], low, step));
  const below = new Float64Array(count);
  for (let g = 0; g < GRID; g++) {
    let all = 1;
    let zeros = 0;
    for (let i = 0; i < count; i++) {
      const middle = below[i] + density[i][g] / 2;
      if (middle > 0) all *= middle;
      else zeros++;
    }
    for (let i = 0; i < count; i++) {
      const middle = below[i] + density[i][g] / 2;
      const others = middle > 0 ? (zeros > 0 ? 0 : all / middle) : zeros > 1 ? 0 : all;
      chances[i] += density[i][g] * others;
      below[i] += density[i][g];
    }
  }
  let total = 0;
  for (const chance of chances) total += chance;
  for (let i = 0; i < count; i++) chances[i] = total > 0 ? chances[i] / total : 1 / count;
  return chances;
}

/** Beta(a, b) as masses over the grid of log odds t, where its density is ∝ σ(t)^a·σ(−t)^b. */
function densityOf(a: number, b: number, low: number, step: number): Float64Array {
  const logs = new Float64Array(GRID);
  let most = -Infinity;
  for (let g = 0; g < GRID; g++) {
    const t = low + (g + 0.5) * step;
    // log σ(t) = −log(1 + e^−t); the other follows from it.
    const logUp = t > 0 ? -log(1 + exp(-t)) : t - log(1 + exp(t));
    logs[g] = a * logUp + b * (logUp - t);
    most = Math.max(most, logs[g]);
  }
  let sum = 0;
  for (let g = 0; g < GRID; g++) {
    logs[g] = exp(logs[g] - most);
    sum += logs[g];
  }
  for (let g = 0; g < GRID; g++) logs[g] /= sum;
  return logs;
}

export function snapshot({ placements }: Exploration): Uint8Array {
  const names = [...placements.keys()];
  const columns: Record<string, Float32Array | Float64Array | Uint8Array> = { names: new TextEncoder().encode(JSON.stringify(names)) };
  names.forEach((name, at) => {
    const { shown, clicked, allShown, allClicked, uses } = placements.get(name) ?? empty();
    columns[`shown${at}`] = shown;
    columns[`clicked${at}`] = clicked;
    columns[`all${at}`] = Float64Array.of(allShown, allClicked, uses);
  });
  return pack('exploration', VERSION, columns);
}

export function restore(bytes: Uint8Array): Exploration {
  const from = unpack('exploration', VERSION, bytes);
  const names: unknown = JSON.parse(new TextDecoder().decode(from.u8('names')));
  if (!Array.isArray(names)) throw new UnreadableSnapshot('The exploration snapshot has no list of placements.');
  const state = init();
  names.forEach((name: unknown, at) => {
    const [allShown, allClicked, uses] = from.f64(`all${at}`);
    state.placements.set(String(name), { shown: from.f32(`shown${at}`), clicked: from.f32(`clicked${at}`), allShown, allClicked, uses });
  });
  return state;
}
