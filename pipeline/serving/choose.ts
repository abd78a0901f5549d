import { diversify } from '../../models/diversity.js';
import type { Drawn } from '../../models/exploration.js';
import type { Ranked } from './rank.js';

/** How far down the ranking the slot for trying may reach, beside items that nobody has clicked. */
const TRIED = 20;

export interface Wishes {
  readonly limit: number;
  /** 0 to 1: how much an item like those before it is held back. */
  readonly diversity: number;
  /** Whether the last place tries an item of which little is known. */
  readonly explore: boolean;
}

/** What is known of ranked items, by number. */
export interface KnownItems {
  readonly vectorOf: (item: number) => Float32Array | undefined;
  readonly categoryOf: (item: number) => string | undefined;
  /** What was shown in vain to this shopper is worth less: what to add to its score, 0 or less. */
  readonly dampingOf: (item: number) => number;
  readonly isNew: (item: number) => boolean;
  readonly draw: (items: Int32Array) => Drawn | undefined;
}

export interface Chosen extends Ranked {
  /** By item: the probability with which it was put there; 1 but for one that is tried. */
  readonly propensities: Float64Array;
  /** By item: what damping added to the model's score. */
  readonly dampings: Float64Array;
}

/** What to show of a ranking: damped, diversified, and with a last place that tries something. */
export function choose(ranked: Ranked, { limit, diversity, explore }: Wishes, known: KnownItems): Chosen {
  const dampings = Float64Array.from(ranked.items, known.dampingOf);
  const scores = Float64Array.from(ranked.scores, (score, at) => score + dampings[at]);
  // Stable, so that without damping the ranking stands.
  const order = Array.from(ranked.items.keys()).sort((a, b) => scores[b] - scores[a]);
  const isTrying = explore && limit > 1 && order.length > limit;
  const shown = diversify({
    scores: order.map((at) => scores[at]),
    vectorOf: (at) => known.vectorOf(ranked.items[order[at]]),
    categoryOf: (at) => known.categoryOf(ranked.items[order[at]]),
  }, isTrying ? limit - 1 : limit, diversity).map((at) => order[at]);
  const propensities = new Float64Array(shown.length + (isTrying ? 1 : 0)).fill(1);
  if (isTrying) {
    const taken = new Set(shown);
    const left = order.filter((at) => !taken.has(at));
    const tried = left.filter((at, place) => place < TRIED || known.isNew(ranked.items[at]));
    const drawn = known.draw(Int32Array.from(tried, (at) => ranked.items[at]));
    shown.push(tried[drawn?.at ?? 0]);
    propensities[shown.length - 1] = drawn?.propensity ?? 1;
  }
  return {
    items: Int32Array.from(shown, (at) => ranked.items[at]),
    scores: Float64Array.from(shown, (at) => scores[at]),
    places: Uint8Array.from(shown, (at) => ranked.places[at]),
    propensities,
    dampings: Float64Array.from(shown, (at) => dampings[at]),
  };
}
