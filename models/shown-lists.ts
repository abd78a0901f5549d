/**
 * Shown lists: recommendations as they were shown, kept until somebody chooses from them.
 *
 *   lesson for the ranker: the chosen item against the others of its list, with the features of the decision
 *   weight = stage: click 1, cart 2, purchase 3
 *
 * What stands first is chosen more often because it stands first: a list is kept in the order in which it was shown, for
 * position-bias.ts to take that out. Each (list, item, stage) teaches once. A list teaches for a day of
 * event time, the latest 10,000 are kept; a cart or purchase that names no list counts for the list from which the same
 * shopper clicked the item. Untrained: nothing is known, no lesson.
 */
import { Latest } from './kernels/latest.js';
import { pack, unpack, UnreadableSnapshot } from './kernels/snapshot.js';

const MOST_LISTS = 10_000;
const MOST_CLICKS = 20_000;
const KEPT_MS = 86_400_000;
/** Features are kept as signed bytes in these units: from −4 to 4. */
const UNIT = 1 / 32;
const VERSION = 2;

/** How far a choice went; each counts for more than the one before. */
export const STAGE = { click: 1, cart: 2, purchase: 3 } as const;
export type Stage = keyof typeof STAGE;

export interface ShownList {
  readonly shopper: string;
  readonly placement: string;
  readonly time: number;
  /** In the order in which they were shown. */
  readonly skus: readonly string[];
  /** [item][feature] */
  readonly features: Uint8Array;
  /** By item: bits of the stages that have taught. */
  readonly taught: Uint8Array;
}

export interface ShownLists {
  /** By id, oldest first. */
  readonly lists: Latest<ShownList>;
  /** By shopper and item: the list from which it was clicked. */
  readonly clicked: Latest<string>;
}

/** What the ranker is to learn: candidate `target` of the list was chosen. */
export interface Lesson {
  readonly placement: string;
  readonly features: Uint8Array;
  readonly count: number;
  readonly target: number;
  readonly weight: number;
}

export function init(): ShownLists {
  return { lists: new Latest(MOST_LISTS), clicked: new Latest(MOST_CLICKS) };
}

/** Keeps a list that was shown. */
export function learn(state: ShownLists, id: string, list: Pick<ShownList, 'shopper' | 'placement' | 'time' | 'skus' | 'features'>): void {
  const { skus, features } = list;
  if (skus.length < 2 || features.length === 0 || features.length % skus.length !== 0 || state.lists.has(id)) return;
  state.lists.set(id, { ...list, features: Uint8Array.from(features), taught: new Uint8Array(skus.length) });
}

/** Drops every list that was shown to a shopper, and what they clicked. */
export function forget(state: ShownLists, shopper: string): void {
  for (const [id, list] of state.lists) if (list.shopper === shopper) state.lists.delete(id);
  for (const [click] of state.clicked) if (click.startsWith(clickOf(shopper, ''))) state.clicked.delete(click);
}

/**
 * The lesson of a choice, undefined where there is none: an unknown or expired list, or one that has taught it before.
 * A named list counts whoever chooses from it: a shopper may have got another id since.
 */
export function choose(state: ShownLists, id: string | null, shopper: string, sku: string, stage: Stage, time: number): Lesson | undefined {
  const named = id ?? state.clicked.get(clickOf(shopper, sku));
  const list = named === undefined ? undefined : state.lists.get(named);
  if (named === undefined || !list || time > list.time + KEPT_MS) return undefined;
  const target = list.skus.indexOf(sku);
  const bit = 1 << STAGE[stage];
  if (target < 0 || (list.taught[target] & bit) !== 0) return undefined;
  list.taught[target] |= bit;
  state.clicked.set(clickOf(shopper, sku), named);
  return { placement: list.placement, features: list.features, count: list.skus.length, target, weight: STAGE[stage] };
}

const clickOf = (shopper: string, sku: string): string => `${shopper}\u001f${sku}`;

/** Rows of a feature matrix as bytes; `x` is column-major with the given stride. */
export function quantised(x: Float32Array, stride: number, features: number, rows: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(rows.length * features);
  for (let row = 0; row < rows.length; row++) {
    for (let f = 0; f < features; f++) {
      const units = Math.round(x[f * stride + rows[row]] / UNIT);
      bytes[row * features + f] = units > 127 ? 127 : units < -127 ? -127 : units;
    }
  }
  return bytes;
}

/** The lesson's features back into a matrix. */
export function unquantised({ features, count }: Pick<Lesson, 'features' | 'count'>, x: Float32Array, stride: number): void {
  const width = features.length / count;
  for (let row = 0; row < count; row++) {
    for (let f = 0; f < width; f++) x[f * stride + row] = ((features[row * width + f] << 24) >> 24) * UNIT;
  }
}

export function snapshot(state: ShownLists): Uint8Array {
  const lists = [...state.lists];
  const heads = JSON.stringify({ lists: lists.map(([id, { shopper, placement, time, skus, taught }]) => [id, shopper, placement, time, skus, [...taught]]), clicked: [...state.clicked] });
  const features = new Uint8Array(lists.reduce((sum, [, list]) => sum + list.features.length, 0));
  let at = 0;
  for (const [, list] of lists) {
    features.set(list.features, at);
    at += list.features.length;
  }
  return pack('shown-lists', VERSION, { heads: new TextEncoder().encode(heads), lengths: Int32Array.from(lists, ([, list]) => list.features.length), features });
}

type Heads = { lists: [string, string, string, number, string[], number[]][]; clicked: [string, string][] };

export function restore(bytes: Uint8Array): ShownLists {
  const from = unpack('shown-lists', VERSION, bytes);
  const heads = headsIn(from.u8('heads'));
  const lengths = from.i32('lengths');
  const features = from.u8('features');
  let at = 0;
  const state = init();
  heads.lists.forEach(([id, shopper, placement, time, skus, taught], n) =>
    state.lists.set(id, { shopper, placement, time, skus, features: features.slice(at, (at += lengths[n])), taught: Uint8Array.from(taught) }));
  for (const [click, id] of heads.clicked) state.clicked.set(click, id);
  return state;
}

function headsIn(bytes: Uint8Array): Heads {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Heads;
  } catch (cause) {
    throw new UnreadableSnapshot('The heads of the shown lists are not readable.', { cause });
  }
}
