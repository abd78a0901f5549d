/**
 * Item index: sku ↔ dense item number, in order of first sight.
 *
 *   number(sku) = how many other skus were seen before it
 *
 * Every other model keeps its columns by this number. An untrained index knows nothing: `predict` answers −1.
 * A forgotten sku leaves its number unused for good, since columns elsewhere may still speak of it; seen again, the
 * sku gets a new number. Numbers are therefore never reused and depend on the order of events only.
 */
import { UnreadableSnapshot } from './kernels/snapshot.js';

export interface ItemIndex {
  readonly numbers: Map<string, number>;
  readonly skus: (string | undefined)[];
}

const VERSION = 1;

export function init(): ItemIndex {
  return { numbers: new Map(), skus: [] };
}

/** The number of a known sku, −1 for an unknown one. */
export function predict(index: ItemIndex, sku: string): number {
  return index.numbers.get(sku) ?? -1;
}

/** The number of a sku, which is given one if it has none. */
export function learn(index: ItemIndex, sku: string): number {
  const known = index.numbers.get(sku);
  if (known !== undefined) return known;
  const item = index.skus.length;
  index.numbers.set(sku, item);
  index.skus.push(sku);
  return item;
}

export function skuOf(index: ItemIndex, item: number): string | undefined {
  return index.skus[item];
}

/** One more than the largest number ever given: the length that columns by item need. */
export function size(index: ItemIndex): number {
  return index.skus.length;
}

/** Takes the sku out of the index and returns the number it had, −1 if none. */
export function forget(index: ItemIndex, sku: string): number {
  const item = index.numbers.get(sku);
  if (item === undefined) return -1;
  index.numbers.delete(sku);
  index.skus[item] = undefined;
  return item;
}

export function snapshot(index: ItemIndex): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ kind: 'item-index', version: VERSION, skus: index.skus.map((sku) => sku ?? null) }));
}

export function restore(bytes: Uint8Array): ItemIndex {
  const skus = skusIn(bytes);
  const index = init();
  for (const sku of skus) {
    if (typeof sku === 'string') index.numbers.set(sku, index.skus.length);
    index.skus.push(typeof sku === 'string' ? sku : undefined);
  }
  return index;
}

function skusIn(bytes: Uint8Array): readonly unknown[] {
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
  return value.skus;
}
