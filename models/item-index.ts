/**
 * Item index: sku ↔ dense item number, in order of first sight.
 *
 *   number(sku) = the number that was taken back last and is free, else how many were ever in use at once
 *
 * Every other model keeps its columns by this number. An untrained index knows nothing: `predict` answers −1.
 * A forgotten sku gives its number back, so that columns are as long as the most items that were known at one time: whoever
 * forgets an item here must have taken it out of every column before. Numbers depend on the order of events only. Beside the number
 * stands what the catalogue says of the item: it has it, it never had it, or it has it no more.
 */
import { capacityFor, grownUint8 } from './kernels/growth.js';
import { UnreadableSnapshot } from './kernels/snapshot.js';

/** What the catalogue says of an item. */
const UNLISTED = 0;
const LISTED = 1;
const DROPPED = 2;

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
  readonly followers: Follower[];
}

const VERSION = 2;

export function init(): ItemIndex {
  return { numbers: new Map(), skus: [], free: [], standing: new Uint8Array(0), listed: 0, dropped: 0, followers: [] };
}

/** The number of a known sku, −1 for an unknown one. */
export function predict(index: ItemIndex, sku: string): number {
  return index.numbers.get(sku) ?? -1;
}

/** The number of a sku, which is given one if it has none. */
export function learn(index: ItemIndex, sku: string): number {
  const known = index.numbers.get(sku);
  if (known !== undefined) return known;
  const item = index.free.pop() ?? index.skus.length;
  index.numbers.set(sku, item);
  index.skus[item] = sku;
  const capacity = capacityFor(item + 1, index.standing.length);
  if (capacity > index.standing.length) index.standing = grownUint8(index.standing, capacity);
  for (const follower of index.followers) follower.given(sku, item);
  return item;
}

/** The number of a sku that the catalogue has. */
export function list(index: ItemIndex, sku: string): number {
  const item = learn(index, sku);
  stand(index, item, LISTED);
  return item;
}

/** A sku that the catalogue has no more. It keeps its number until it is forgotten. */
export function drop(index: ItemIndex, sku: string): void {
  const item = predict(index, sku);
  if (item >= 0) stand(index, item, DROPPED);
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

export function snapshot({ skus, free, standing }: ItemIndex): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({
    kind: 'item-index', version: VERSION, skus: skus.map((sku) => sku ?? null), free, standing: Array.from(standing.subarray(0, skus.length)).join(''),
  }));
}

export function restore(bytes: Uint8Array): ItemIndex {
  const { skus, free, standing } = contentOf(bytes);
  const index = init();
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
  return { skus: value.skus, free: value.free, standing: value.standing };
}
