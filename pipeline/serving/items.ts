import { productRows } from '../../consumers/item-watch.js';
import * as itemIndex from '../../models/item-index.js';
import { formatMoney } from '../../producers/money.js';
import { products } from '../../schemas/topics.js';
import type { Product } from '../../schemas/types.js';
import type { Views } from './views.js';

/** Bits of an item: a catalogue knows it; it must not be shown; there is some of it; it is no more. */
const KNOWN = 1;
const WITHHELD = 2;
const IN_STOCK = 4;
const DELETED = 8;
const NOTHING: Readonly<Record<string, string>> = {};

/**
 * What the scorer knows of items, as columns by the recommender's item number and in step with the catalogue: to ask
 * whether an item may be shown, or passes a filter, reads an array and builds nothing.
 */
export class Items {
  readonly #index: itemIndex.ItemIndex;
  #flags = new Uint8Array(1_024);
  /** In the shop's currency; NaN where none is known. Exact to four places below 900 thousand million. */
  #prices = new Float64Array(1_024).fill(Number.NaN);
  readonly #priceTexts: (string | null)[] = [];
  readonly #names: (string | null)[] = [];
  readonly #categories: (string | null)[] = [];
  readonly #brands: (string | null)[] = [];
  readonly #attributes: Readonly<Record<string, string>>[] = [];
  /** One string each for what thousands of items have in common. */
  readonly #common = new Map<string, string>();

  constructor(views: Views, index: itemIndex.ItemIndex) {
    this.#index = index;
    for (const { key, value } of views.mainRows(products, productRows)) this.#set(key, value);
    views.watch(products, (changes) => {
      for (const { key, value } of changes) if (!key.includes('\u001f')) this.#set(key, value && productRows.codec.decode(value));
    });
  }

  /** The number of a SKU, −1 for one that neither the catalogue nor anybody's click named. */
  number(sku: string): number {
    return itemIndex.predict(this.#index, sku);
  }

  sku(item: number): string {
    return itemIndex.skuOf(this.#index, item) ?? '';
  }

  /** One more than the largest number. */
  get size(): number {
    return itemIndex.size(this.#index);
  }

  isKnown(item: number): boolean {
    return (this.#flags[item]! & KNOWN) !== 0;
  }

  /** Whether an item may be shown: one that no catalogue knows may, a hidden, deleted or sold-out one may not. */
  mayShow(item: number): boolean {
    return (this.#flags[item]! & WITHHELD) === 0;
  }

  isDeleted(item: number): boolean {
    return (this.#flags[item]! & DELETED) !== 0;
  }

  inStock(item: number): boolean {
    return (this.#flags[item]! & IN_STOCK) !== 0;
  }

  price(item: number): number {
    return this.#prices[item] ?? Number.NaN;
  }

  priceText(item: number): string | null {
    return this.#priceTexts[item] ?? null;
  }

  name(item: number): string | null {
    return this.#names[item] ?? null;
  }

  category(item: number): string | null {
    return this.#categories[item] ?? null;
  }

  brand(item: number): string | null {
    return this.#brands[item] ?? null;
  }

  attribute(item: number, name: string): string | null {
    return this.#attributes[item]?.[name] ?? null;
  }

  nameOf(sku: string): string | null {
    return this.name(this.number(sku));
  }

  /** SKUs of a category that are not deleted; a look at every item. */
  skusIn(category: string): string[] {
    const skus: string[] = [];
    for (let item = 0; item < this.size; item++) if (this.#categories[item] === category && !this.isDeleted(item)) skus.push(this.sku(item));
    return skus;
  }

  #set(sku: string, product: Product | null): void {
    if (product === null && this.number(sku) < 0) return;
    const item = itemIndex.learn(this.#index, sku);
    if (item >= this.#flags.length) this.#grow(item);
    this.#flags[item] = product === null ? 0 : flagsOf(product);
    this.#prices[item] = product === null || product.price === null ? Number.NaN : Number(product.price) / 10_000;
    this.#priceTexts[item] = product === null || product.price === null ? null : formatMoney(product.price);
    this.#names[item] = product?.name ?? null;
    this.#categories[item] = this.#shared(product?.category ?? null);
    this.#brands[item] = this.#shared(product?.brand ?? null);
    this.#attributes[item] = product === null || Object.keys(product.attributes).length === 0 ? NOTHING : product.attributes;
  }

  #shared(text: string | null): string | null {
    if (text === null) return null;
    const known = this.#common.get(text);
    if (known === undefined) this.#common.set(text, text);
    return known ?? text;
  }

  #grow(item: number): void {
    const capacity = Math.max(item + 1, Math.ceil(this.#flags.length * 1.5));
    const [flags, prices] = [new Uint8Array(capacity), new Float64Array(capacity).fill(Number.NaN)];
    flags.set(this.#flags);
    prices.set(this.#prices);
    [this.#flags, this.#prices] = [flags, prices];
  }
}

function flagsOf({ hidden, deleted, stock, onOrder }: Product): number {
  const isSoldOut = stock !== null && stock <= 0;
  return KNOWN | (hidden || deleted || isSoldOut ? WITHHELD : 0) | (isSoldOut || onOrder ? 0 : IN_STOCK) | (deleted ? DELETED : 0);
}
