/**
 * Shown lists: recommendations as they were shown, kept until somebody chooses from them.
 *
 *   lesson for the ranker: the chosen item against the others of its list, with the features of the decision
 *   weight = stage: click 1, cart 2, purchase 3
 *
 * What stands first is chosen more often because it stands first: a list is kept in the order in which it was shown, for
 * position-bias.ts to take that out. It is the order of the answer until the shop tells what of it was shown, and where: then the lesson is of
 * that alone, and of what was chosen, which must have been seen. Each (list, item, stage) teaches once, for a day after the list was shown; a cart or purchase that
 * names no list counts for the list from which the same shopper chose the item before. Who logs in takes their lists along.
 * Lists, what of them was shown and choices are told apart from each other, so what is read before its list waits for it.
 *
 * Memory: 32 MiB for lists that nobody chose from yet, and 64 MiB for those that somebody did, so that purchases find them: about 1.1 KB for a
 * list of ten, 30,000 and 60,000 of them. Beyond that the oldest of its kind goes, as it does beyond 64 of each kind for one shopper: a flood
 * of answers to one id drops that id's lists alone. Choices that wait for their list have 4 MiB, some 6,000 lists, and what was shown as much. 20,000 joined ids are remembered. Untrained: nothing is known, no lesson.
 */
import { rowsOf } from './kernels/feature-bytes.js';
import { Latest } from './kernels/latest.js';
import { Shelf, type Dropped } from './kernels/shelf.js';
import { pack, unpack, UnreadableSnapshot } from './kernels/snapshot.js';

const WAITING_BYTES = 32 * 2 ** 20;
const CHOSEN_BYTES = 64 * 2 ** 20;
const EARLY_BYTES = 4 * 2 ** 20;
const MOST_OF_A_SHOPPER = 64;
/** Choices from one list that wait for it. */
const MOST_OF_A_LIST = 16;
/** Items of a list of which it is told early that they were shown: as many as an answer has. */
const MOST_SEEN = 100;
const NONE: readonly never[] = [];
const MOST_JOINED = 20_000;
const MOST_HOPS = 8;
/** What a list takes beside its features and names: objects, maps and the heads of arrays. */
const OVERHEAD_BYTES = 600;
const KEPT_MS = 86_400_000;
const VERSION = 5;
/** Between SKUs; no id contains it. */
const SEPARATOR = '\u001f';

/** How far a choice went; each counts for more than the one before. */
const STAGE = { click: 1, cart: 2, purchase: 3 } as const;
export type Stage = keyof typeof STAGE;

export interface ShownList {
  /** To whom it was shown. */
  readonly shopper: string;
  readonly placement: string;
  readonly time: number;
  /** In the order in which they were shown, as one string: that takes a quarter of the memory. */
  readonly skus: string;
  /** [item][feature] */
  readonly features: Uint8Array;
  /** Items by their place in the answer, in the order in which they were shown; empty: as they were answered. */
  readonly seen: readonly number[];
  /** What has taught: 4·item + stage. */
  readonly taught: readonly number[];
}

/** A list as an answer tells it. */
export interface ToldList extends Pick<ShownList, 'shopper' | 'placement' | 'time' | 'features'> {
  readonly skus: readonly string[];
}

interface Choice {
  readonly shopper: string;
  readonly sku: string;
  readonly stage: Stage;
  readonly time: number;
}

/** Choices from a list that is not known yet. */
interface EarlyChoices {
  /** Of the first. */
  readonly time: number;
  readonly choices: readonly Choice[];
}

/** What was shown of a list that is not known yet. */
interface EarlySeen {
  /** When it was told first. */
  readonly time: number;
  readonly skus: readonly string[];
}

/** By id of the list; waiting ones are their shopper's, those that were chosen from, or that are not known yet, of who chose from them last. */
export interface ShownLists {
  readonly waiting: Shelf<ShownList>;
  readonly chosen: Shelf<ShownList>;
  readonly early: Shelf<EarlyChoices>;
  /** Apart from choices: nearly every list may be told of, and lists that are not kept would leave choices no room. */
  readonly earlySeen: Shelf<EarlySeen>;
  /** By an id that was given up: the id that the same shopper has since. What is told late of the old one is found by it. */
  readonly joined: Latest<string>;
  /** When the list was shown that was told last. */
  latest: number;
}

/** What the ranker is to learn: candidate `target` of the list was chosen. */
export interface Lesson {
  readonly placement: string;
  readonly features: Uint8Array;
  readonly count: number;
  readonly target: number;
  readonly stage: Stage;
  readonly weight: number;
}

/** A list's memory in bytes, with what holds it. */
const sizeOf = (id: string, { shopper, skus, features, seen }: ShownList): number => OVERHEAD_BYTES + features.length + skus.length + 8 * seen.length + 2 * shopper.length + id.length;

const sizeOfEarly = (id: string, { choices }: EarlyChoices): number =>
  OVERHEAD_BYTES + id.length + choices.reduce((sum, { shopper, sku }) => sum + 100 + shopper.length + sku.length, 0);

const sizeOfSeen = (id: string, { skus }: EarlySeen): number => OVERHEAD_BYTES + id.length + skus.reduce((sum, sku) => sum + 20 + sku.length, 0);

export function init(most: { readonly waiting: number; readonly chosen: number } = { waiting: WAITING_BYTES, chosen: CHOSEN_BYTES }): ShownLists {
  const shelf = (bytes: number): Shelf<ShownList> => new Shelf({ bytes, each: MOST_OF_A_SHOPPER }, sizeOf);
  const early = new Shelf<EarlyChoices>({ bytes: EARLY_BYTES, each: MOST_OF_A_SHOPPER }, sizeOfEarly);
  const earlySeen = new Shelf<EarlySeen>({ bytes: EARLY_BYTES, each: MOST_OF_A_SHOPPER }, sizeOfSeen);
  return { waiting: shelf(most.waiting), chosen: shelf(most.chosen), early, earlySeen, joined: new Latest(MOST_JOINED), latest: 0 };
}

/** Keeps a list that was shown; answers the lessons of choices that were told before it. */
export function learn(state: ShownLists, id: string, list: ToldList): Lesson[] {
  const early = state.early.get(id)?.choices ?? [];
  const seen = state.earlySeen.get(id)?.skus ?? [];
  state.early.delete(id);
  state.earlySeen.delete(id);
  keep(state, id, list);
  // What the list does not tell enough of to learn from has nothing to wait for.
  if (!state.waiting.has(id) && !state.chosen.has(id)) return [];
  if (seen.length > 0) confirm(state, id, list.shopper, seen, list.time);
  return early.flatMap(({ shopper, sku, stage, time }) => choose(state, id, shopper, sku, stage, time) ?? []);
}

function keep(state: ShownLists, id: string, { shopper, placement, time, skus, features }: ToldList): void {
  if (skus.length < 2 || features.length === 0 || features.length % skus.length !== 0 || state.chosen.has(id)) return;
  deleteExpired(state.waiting, time);
  state.latest = time;
  state.waiting.add(id, ownerOf(state, shopper), { shopper, placement, time, skus: skus.join(SEPARATOR), features: Uint8Array.from(features), seen: NONE, taught: [] });
}

/** Keeps which items of a list were shown, in this order; what is told of more of them later stands after those. */
export function confirm(state: ShownLists, id: string, shopper: string, skus: readonly string[], time: number): void {
  const shelf = state.chosen.has(id) ? state.chosen : state.waiting;
  const list = shelf.get(id);
  if (!list) return keepEarlySeen(state.earlySeen, id, ownerOf(state, shopper), { time, skus });
  const answered = list.skus.split(SEPARATOR);
  shelf.replace(id, { ...list, seen: [...new Set([...list.seen, ...skus.map((sku) => answered.indexOf(sku)).filter((item) => item >= 0)])] });
}

function keepEarlySeen(earlySeen: Shelf<EarlySeen>, id: string, owner: string, told: EarlySeen): void {
  const { time, skus } = earlySeen.get(id) ?? { time: told.time, skus: NONE };
  deleteExpired(earlySeen, told.time);
  earlySeen.delete(id);
  earlySeen.add(id, owner, { time, skus: [...new Set([...skus, ...told.skus])].slice(0, MOST_SEEN) });
}

/** Two for each that is added, so that they get fewer, and a list that is dated wrongly takes no more with it. */
function deleteExpired<T extends { readonly time: number }>(shelf: Shelf<T>, time: number): void {
  for (let n = 0; n < 2 && (shelf.oldest()?.time ?? Infinity) < time - KEPT_MS; n++) shelf.deleteOldest();
}

/** Seconds from the oldest list of a kind to the one that was told last: how long after it was shown a choice is sure to find its list. */
export const reach = ({ latest }: ShownLists, shelf: Shelf<ShownList>): number => Math.min(KEPT_MS, Math.max(0, latest - (shelf.oldest()?.time ?? latest))) / 1_000;

/** Two ids are one shopper: what is kept of one is the other's from now on. */
export function join(state: ShownLists, from: string, to: string): void {
  if (from === to) return;
  state.joined.set(from, to);
  const owner = ownerOf(state, to);
  state.waiting.move(from, owner);
  state.chosen.move(from, owner);
  state.early.move(from, owner);
  state.earlySeen.move(from, owner);
}

/** Drops every list that was shown to a shopper, or chosen from by them. */
export function forget(state: ShownLists, shopper: string): void {
  for (const shelf of [state.waiting, state.chosen]) {
    for (const [id, owner, list] of shelf) if (owner === shopper || ownerOf(state, list.shopper) === shopper) shelf.delete(id);
  }
  for (const [id, owner, { choices }] of state.early) if (owner === shopper || choices.some((one) => ownerOf(state, one.shopper) === shopper)) state.early.delete(id);
  for (const [id, owner] of state.earlySeen) if (owner === shopper) state.earlySeen.delete(id);
  for (const [from, to] of state.joined) if (from === shopper || to === shopper) state.joined.delete(from);
}

/**
 * The lesson of a choice, undefined where there is none: an unknown or expired list, or one that has taught it before. Of an unknown list
 * `learn` has it later.
 * A named list counts whoever chooses from it: a shopper may have got another id since.
 */
export function choose(state: ShownLists, id: string | null, shopper: string, sku: string, stage: Stage, time: number): Lesson | undefined {
  const owner = ownerOf(state, shopper);
  const named = id ?? chosenBefore(state, owner, sku);
  if (named === undefined) return undefined;
  const list = state.chosen.get(named) ?? state.waiting.get(named);
  if (!list) {
    keepEarly(state, named, owner, { shopper, sku, stage, time });
    return undefined;
  }
  if (time > list.time + KEPT_MS) return undefined;
  const skus = list.skus.split(SEPARATOR);
  const item = skus.indexOf(sku);
  const taught = 4 * item + STAGE[stage];
  if (item < 0 || list.taught.includes(taught)) return undefined;
  state.waiting.delete(named);
  state.chosen.delete(named);
  deleteExpired(state.chosen, time);
  state.chosen.add(named, owner, { ...list, taught: [...list.taught, taught] });
  return lessonOf(list, skus.length, item, stage);
}

/** None of a list of which nothing else was shown. */
function lessonOf({ placement, features, seen }: ShownList, count: number, item: number, stage: Stage): Lesson | undefined {
  const as = { placement, stage, weight: STAGE[stage] };
  if (seen.length === 0) return { ...as, features, count, target: item };
  const rows = seen.includes(item) ? seen : [...seen, item];
  return rows.length < 2 ? undefined : { ...as, features: rowsOf(features, features.length / count, rows), count: rows.length, target: rows.indexOf(item) };
}

function keepEarly({ early }: ShownLists, id: string, owner: string, choice: Choice): void {
  const { time, choices } = early.get(id) ?? { time: choice.time, choices: [] };
  if (choices.length === MOST_OF_A_LIST || choices.some(({ sku, stage }) => sku === choice.sku && stage === choice.stage)) return;
  deleteExpired(early, choice.time);
  early.delete(id);
  early.add(id, owner, { time, choices: [...choices, choice] });
}

/** The latest list from which the shopper chose the item. */
function chosenBefore({ chosen, early }: ShownLists, owner: string, sku: string): string | undefined {
  return chosen.idsOf(owner).findLast((id) => {
    const { skus, taught } = chosen.get(id)!;
    const item = skus.split(SEPARATOR).indexOf(sku);
    return item >= 0 && taught.some((one) => one >> 2 === item);
  }) ?? early.idsOf(owner).findLast((id) => early.get(id)!.choices.some((one) => one.sku === sku));
}

/** Who has what was shown to an id: that id, or the one it was joined with. */
function ownerOf({ joined }: ShownLists, shopper: string): string {
  let owner = shopper;
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    const next = joined.get(owner);
    if (next === undefined || next === shopper) return owner;
    owner = next;
  }
  return owner;
}

export function snapshot(state: ShownLists): Uint8Array {
  const lists = [...state.waiting, ...state.chosen];
  const heads: Heads = {
    latest: state.latest, waiting: state.waiting.size, dropped: [state.waiting.dropped, state.chosen.dropped], joined: [...state.joined],
    lists: lists.map(([id, owner, { shopper, placement, time, skus, seen, taught }]) => [id, owner, shopper, placement, time, skus, seen, taught]),
    early: [...state.early], earlySeen: [...state.earlySeen],
  };
  const features = new Uint8Array(lists.reduce((sum, [, , list]) => sum + list.features.length, 0));
  let at = 0;
  for (const [, , list] of lists) {
    features.set(list.features, at);
    at += list.features.length;
  }
  return pack('shown-lists', VERSION, { heads: new TextEncoder().encode(JSON.stringify(heads)), lengths: Int32Array.from(lists, ([, , list]) => list.features.length), features });
}

interface Heads {
  readonly latest: number;
  /** How many of the lists are waiting: they stand before those that were chosen from. */
  readonly waiting: number;
  readonly dropped: readonly [Dropped, Dropped];
  readonly joined: readonly [string, string][];
  readonly lists: readonly (readonly [id: string, owner: string, shopper: string, placement: string, time: number, skus: string, seen: readonly number[], taught: readonly number[]])[];
  readonly early: readonly (readonly [id: string, owner: string, choices: EarlyChoices])[];
  readonly earlySeen: readonly (readonly [id: string, owner: string, seen: EarlySeen])[];
}

export function restore(bytes: Uint8Array): ShownLists {
  const from = unpack('shown-lists', VERSION, bytes);
  const heads = headsIn(from.u8('heads'));
  const lengths = from.i32('lengths');
  const features = from.u8('features');
  let at = 0;
  const state: ShownLists = { ...init(), latest: heads.latest };
  heads.lists.forEach(([id, owner, shopper, placement, time, skus, seen, taught], n) =>
    (n < heads.waiting ? state.waiting : state.chosen).add(id, owner, { shopper, placement, time, skus, features: features.slice(at, (at += lengths[n])), seen, taught }));
  for (const [id, owner, choices] of heads.early) state.early.add(id, owner, choices);
  for (const [id, owner, seen] of heads.earlySeen) state.earlySeen.add(id, owner, seen);
  for (const [gone, to] of heads.joined) state.joined.set(gone, to);
  Object.assign(state.waiting.dropped, heads.dropped[0]);
  Object.assign(state.chosen.dropped, heads.dropped[1]);
  return state;
}

function headsIn(bytes: Uint8Array): Heads {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Heads;
  } catch (cause) {
    throw new UnreadableSnapshot('The heads of the shown lists are not readable.', { cause });
  }
}
