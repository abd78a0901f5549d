import * as embedding from '../models/embedding.js';
import * as itemIndex from '../models/item-index.js';
import { capacityFor, grownUint8 } from '../models/kernels/growth.js';
import type { Upsert } from '../pipeline/core/fold.js';
import { itemVectors } from '../schemas/topics.js';
import { joinBytes, splitBytes } from './snapshot-bytes.js';

const TELL_AT_MOST = 1_000;
/** A vector is published again when it has moved farther than this since the last time; vectors have length 1. */
const DRIFT = 0.1;

/** Which items' vectors are published, and which are still to be taken back. */
export interface ToldVectors {
  /** By item number: 1 for those whose vector stands in the table. */
  isTold: Uint8Array;
  /** SKUs that were forgotten, and whose vectors still stand in the table. */
  readonly dropped: string[];
  /** Item number at which the next search for moved vectors begins. */
  cursor: number;
}

export const noneTold = (): ToldVectors => ({ isTold: new Uint8Array(0), dropped: [], cursor: 0 });

/** Items are about to be forgotten: notes that their vectors must leave the table. */
export function dropVectors({ isTold, dropped }: ToldVectors, index: itemIndex.ItemIndex, items: Int32Array): void {
  for (const item of items) {
    const sku = itemIndex.skuOf(index, item);
    if (isTold[item] !== 1 || sku === undefined) continue;
    isTold[item] = 0;
    dropped.push(sku);
  }
}

/** Two products have exchanged their numbers. The rows of their SKUs in the table stay as they are, and the vector of number `taken` is to be published anew. */
export function exchangeTold(told: ToldVectors, vectors: embedding.Embedding, taken: number, own: number): void {
  const [isTaken, isOwn] = [told.isTold[taken] ?? 0, told.isTold[own] ?? 0];
  mark(told, taken, isOwn);
  mark(told, own, isTaken);
  embedding.unpublished(vectors, taken);
}

/**
 * What to publish, at most a thousand rows at a time. Vectors that are taken back come first, since their SKUs may have new ones. Then come those
 * that have moved, searched in rounds, so that no item waits for ever behind others.
 */
export function changedVectors(told: ToldVectors, index: itemIndex.ItemIndex, vectors: embedding.Embedding, events: number, time: number): Upsert[] {
  const changes: Upsert[] = told.dropped.splice(0, TELL_AT_MOST).map((key) => ({ table: itemVectors, key, value: null }));
  const items = itemIndex.size(index);
  for (let left = items; left > 0 && changes.length < TELL_AT_MOST; left--) {
    const item = told.cursor < items ? told.cursor : 0;
    told.cursor = item + 1;
    if (embedding.driftOf(vectors, item) < DRIFT) continue;
    const vector = embedding.vectorOf(vectors, item);
    const sku = itemIndex.skuOf(index, item);
    if (!vector || sku === undefined) continue;
    embedding.published(vectors, item);
    mark(told, item);
    changes.push({ table: itemVectors, key: sku, value: itemVectors.codec.encode({ sku, dimensions: vector.length, vector: Buffer.from(vector.slice().buffer), learnedAt: time, events }) });
  }
  return changes;
}

function mark(told: ToldVectors, item: number, isTold = 1): void {
  const capacity = capacityFor(item + 1, told.isTold.length);
  if (capacity > told.isTold.length) told.isTold = grownUint8(told.isTold, capacity);
  told.isTold[item] = isTold;
}

export const toldSnapshot = ({ isTold, dropped }: ToldVectors): Uint8Array => joinBytes([isTold, Buffer.from(JSON.stringify(dropped))]);

export function restoreTold(bytes: Uint8Array): ToldVectors {
  const [isTold, dropped] = splitBytes(bytes, 2);
  return { isTold: Uint8Array.from(isTold!), dropped: JSON.parse(Buffer.from(dropped!).toString()) as string[], cursor: 0 };
}
