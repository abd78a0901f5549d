import { productRows } from '../../consumers/item-watch.js';
import { itemVectors, products } from '../../schemas/topics.js';
import type { ItemVector, Product } from '../../schemas/types.js';
import type { Views } from './views.js';

const vectorRows = { name: '', codec: itemVectors.codec };

/** What the scorer knows of items, in memory and in step with the tables: catalogue rows and unit vectors. */
export class Items {
  readonly #products = new Map<string, Product>();
  readonly #vectors = new Map<string, Float32Array>();

  constructor(views: Views) {
    for (const { key, value } of views.mainRows(products, productRows)) this.#products.set(key, value);
    for (const { key, value } of views.mainRows(itemVectors, vectorRows)) this.#vectors.set(key, vectorOf(value));
    views.watch(products, (changes) => {
      for (const { key, value } of changes) if (!key.includes('\u001f')) set(this.#products, key, value && productRows.codec.decode(value));
    });
    views.watch(itemVectors, (changes) => {
      for (const { key, value } of changes) set(this.#vectors, key, value && vectorOf(itemVectors.codec.decode(value)));
    });
  }

  product(sku: string): Product | undefined {
    return this.#products.get(sku);
  }

  vector(sku: string): Float32Array | undefined {
    return this.#vectors.get(sku);
  }

  /** Whether an item may be shown: an item that no catalogue knows may, a hidden, deleted or sold-out one may not. */
  mayShow(sku: string): boolean {
    const product = this.#products.get(sku);
    return !product || !(product.hidden || product.deleted || (product.stock !== null && product.stock <= 0));
  }

  catalogue(): Iterable<Product> {
    return this.#products.values();
  }

  get size(): number {
    return this.#products.size;
  }
}

function set<T>(map: Map<string, T>, key: string, value: T | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}

function vectorOf({ vector, dimensions }: ItemVector): Float32Array {
  return new Float32Array(vector.buffer.slice(vector.byteOffset, vector.byteOffset + dimensions * 4));
}
