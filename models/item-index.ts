/**
 * Item index: sku ↔ dense item number, in order of first sight.
 *
 *   number(sku) = the number that was taken back last and is free, else how many were ever in use at once
 *
 * Every other model keeps its columns by this number. An untrained index knows nothing: `predict` answers −1.
 * A forgotten sku gives its number back, so that columns are as long as the most items that were known at one time: whoever
 * forgets an item here must have taken it out of every column before. Numbers depend on the order of events only. Beside the number
 * stands what the catalogue says of the item: it has it, it never had it, or it has it no more. Where one sku takes the place of
 * another, all columns follow by an exchange of their two numbers, and the old sku is a name of the new one from then on.
 */
import { capacityFor, grownUint8 } from './kernels/growth.js';
import { UnreadableSnapshot } from './kernels/snapshot.js';

/** What the catalogue says of an item. */
const UNLISTED = 0;
const LISTED = 1;
const DROPPED = 2;
/** Old skus that are remembered as names of others; the first go. */
const MOST_ALIASES = 100_000;

/** Told of numbers as they come and go: for columns that are kept elsewhere. No part of a snapshot. */
export interface Follower {
  given(sku: string, item: number): void;
  /** Numbers that mean nothing any more, each with the sku it had. */
  freed(items: Int32Array, skus: readonly string[]): void;
}

export interface ItemIndex {
  readonly numbers: Map<string, number>;
  readonly skus: (string | undefined)[];
  /** Numbers that were taken back; the last is given first. */
  readonly free: number[];
  /** By item. */
  standing: Uint8Array;
  listed: number;
  dropped: number;
  /** Sku of the catalogue → the one whose place it takes when that is deleted. */
  readonly replaces: Map<string, string>;
  /** The same the other way round; of several that would take one place the last that said so. */
  readonly replacedBy: Map<string, string>;
  /** Sku whose place was taken → the one that took it. Never a ring. */
  readonly aliases: Map<string, string>;
  readonly followers: Follower[];
}

const VERSION = 3;

export function init(): ItemIndex {
  return { numbers: new Map(), skus: [], free: [], standing: new Uint8Array(0), listed: 0, dropped: 0, replaces: new Map(), replacedBy: new Map(), aliases: new Map(), followers: [] };
}

/** The number of a known sku, or of the one that has taken its place; −1 for an unknown one. */
export function predict(index: ItemIndex, sku: string): number {
  return numberOf(index, index.aliases.size === 0 ? sku : nameOf(index, sku));
}

/** A sku's own number, whatever has taken its place; −1 for an unknown one. */
export function numberOf(index: ItemIndex, sku: string): number {
  return index.numbers.get(sku) ?? -1;
}

function nameOf({ aliases }: ItemIndex, sku: string): string {
  let name = sku;
  for (let next = aliases.get(name); next !== undefined; next = aliases.get(name)) name = next;
  return name;
}

/** The number of a sku, or of the one that has taken its place; it is given one if it has none. */
export function learn(index: ItemIndex, sku: string): number {
  const known = predict(index, sku);
  if (known >= 0) return known;
  // What had taken its place is forgotten.
  index.aliases.delete(sku);
  return give(index, sku);
}

function give(index: ItemIndex, sku: string): number {
  const own = index.numbers.get(sku);
  if (own !== undefined) return own;
  const item = index.free.pop() ?? index.skus.length;
  index.numbers.set(sku, item);
  index.skus[item] = sku;
  const capacity = capacityFor(item + 1, index.standing.length);
  if (capacity > index.standing.length) index.standing = grownUint8(index.standing, capacity);
  for (const follower of index.followers) follower.given(sku, item);
  return item;
}

/** The own number of a sku that the catalogue has. */
export function list(index: ItemIndex, sku: string): number {
  const item = give(index, sku);
  stand(index, item, LISTED);
  return item;
}

/** A sku that the catalogue has no more. It keeps its number until it is forgotten. */
export function drop(index: ItemIndex, sku: string): void {
  const item = numberOf(index, sku);
  if (item >= 0) stand(index, item, DROPPED);
}

/** Whether the catalogue has one sku, and has another no more. */
export function mayReplace({ standing }: ItemIndex, item: number, gone: number): boolean {
  return standing[item] === LISTED && standing[gone] === DROPPED;
}

/** Notes whose place a sku takes when that is deleted; null: nobody's. */
export function noteReplaced({ replaces, replacedBy }: ItemIndex, sku: string, replaced: string | null): void {
  const before = replaces.get(sku);
  if (before !== undefined && replacedBy.get(before) === sku) replacedBy.delete(before);
  replaces.delete(sku);
  if (replaced === null || replaced === sku) return;
  replaces.set(sku, replaced);
  replacedBy.set(replaced, sku);
}

/** A sku that the catalogue has again is itself. */
export function relist({ aliases }: ItemIndex, sku: string): void {
  aliases.delete(sku);
}

/** A sku of the catalogue takes the number of a deleted one (`mayReplace`), which has its own till that is forgotten and is a name of the other from now on. */
export function replace(index: ItemIndex, sku: string, gone: string): void {
  const { numbers, skus, aliases, followers } = index;
  const [own, taken] = [numberOf(index, sku), numberOf(index, gone)];
  for (const [name, item, standing] of [[sku, taken, LISTED], [gone, own, DROPPED]] as const) {
    numbers.set(name, item);
    skus[item] = name;
    stand(index, item, standing);
  }
  // No ring: who takes a place is nobody's other name.
  aliases.delete(sku);
  aliases.set(gone, sku);
  const [oldest = gone] = aliases.keys();
  if (aliases.size > MOST_ALIASES) aliases.delete(oldest);
  for (const follower of followers) {
    follower.given(sku, taken);
    follower.given(gone, own);
  }
}

function stand(index: ItemIndex, item: number, standing: number): void {
  const before = index.standing[item];
  index.listed += Number(standing === LISTED) - Number(before === LISTED);
  index.dropped += Number(standing === DROPPED) - Number(before === DROPPED);
  index.standing[item] = standing;
}

export function skuOf(index: ItemIndex, item: number): string | undefined {
  return index.skus[item];
}

/** One more than the largest number ever given: the length that columns by item need. */
export function size(index: ItemIndex): number {
  return index.skus.length;
}

/** How many items that never were in the catalogue are known. */
export function unlisted({ numbers, listed, dropped }: ItemIndex): number {
  return numbers.size - listed - dropped;
}

/** Numbers of items that the catalogue has no more. */
export function droppedItems(index: ItemIndex): number[] {
  return withStanding(index, DROPPED);
}

/** Numbers of items that never were in the catalogue. */
export function unlistedItems(index: ItemIndex): number[] {
  return withStanding(index, UNLISTED);
}

function withStanding({ skus, standing }: ItemIndex, wanted: number): number[] {
  const items: number[] = [];
  for (let item = 0; item < skus.length; item++) if (standing[item] === wanted && skus[item] !== undefined) items.push(item);
  return items;
}

/** Takes items out of the index; their numbers are given again. */
export function forget(index: ItemIndex, items: Int32Array): void {
  const known = items.filter((item) => index.skus[item] !== undefined);
  const skus = Array.from(known, (item) => index.skus[item] ?? '');
  for (const item of known) {
    index.numbers.delete(index.skus[item] ?? '');
    index.skus[item] = undefined;
    stand(index, item, UNLISTED);
    index.free.push(item);
  }
  for (const follower of index.followers) follower.freed(known, skus);
}

export function snapshot({ skus, free, standing, replaces, replacedBy, aliases }: ItemIndex): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({
    kind: 'item-index', version: VERSION, skus: skus.map((sku) => sku ?? null), free, standing: Array.from(standing.subarray(0, skus.length)).join(''),
    replaces: [...replaces], replacedBy: [...replacedBy], aliases: [...aliases],
  }));
}

export function restore(bytes: Uint8Array): ItemIndex {
  const { skus, free, standing, ...names } = contentOf(bytes);
  const index = { ...init(), ...names };
  index.standing = new Uint8Array(skus.length);
  skus.forEach((sku, item) => {
    if (typeof sku === 'string') index.numbers.set(sku, item);
    index.skus.push(typeof sku === 'string' ? sku : undefined);
    stand(index, item, Number(standing[item] ?? UNLISTED));
  });
  for (const item of free) index.free.push(Number(item));
  return index;
}

interface Content {
  readonly skus: readonly unknown[];
  readonly free: readonly unknown[];
  readonly standing: string;
  readonly replaces: Map<string, string>;
  readonly replacedBy: Map<string, string>;
  readonly aliases: Map<string, string>;
}

function contentOf(bytes: Uint8Array): Content {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new UnreadableSnapshot('These bytes are not a snapshot of an item index.', { cause });
  }
  if (typeof value !== 'object' || value === null || !('version' in value) || !('skus' in value) || !Array.isArray(value.skus)) {
    throw new UnreadableSnapshot('These bytes are not a snapshot of an item index.');
  }
  if (value.version !== VERSION) {
    throw new UnreadableSnapshot(`The item-index snapshot has version ${String(value.version)}; this code reads version ${VERSION}.`);
  }
  if (!('free' in value) || !Array.isArray(value.free) || !('standing' in value) || typeof value.standing !== 'string') {
    throw new UnreadableSnapshot('The item-index snapshot does not say which numbers are free.');
  }
  const namesIn = (name: 'replaces' | 'replacedBy' | 'aliases'): Map<string, string> => new Map((value as Readonly<Record<string, [string, string][]>>)[name]);
  return { skus: value.skus, free: value.free, standing: value.standing, replaces: namesIn('replaces'), replacedBy: namesIn('replacedBy'), aliases: namesIn('aliases') };
}
