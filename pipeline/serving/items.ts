import { productRows } from '../../consumers/item-watch.js';
import * as itemIndex from '../../models/item-index.js';
import { formatMoney } from '../../producers/money.js';
import { products } from '../../schemas/topics.js';
import type { Product } from '../../schemas/types.js';
import type { Condition } from '../../infra/http/filter.js';
import { Postings } from './postings.js';
import type { Views } from './views.js';

/** Bits of an item: a catalogue knows it; it must not be shown; there is some of it; it is no more. */
const KNOWN = 1;
const WITHHELD = 2;
const IN_STOCK = 4;
const DELETED = 8;
const NOTHING: Readonly<Record<string, string>> = {};
/** Prices of an eighth of an octave stand in one list. */
const PRICES_AN_OCTAVE = 8;

/** A field by which items stand in lists. */
interface Field<Key> {
  readonly postings: Postings<Key>;
  /** Notes where an item stands; what is answered, once what it says has changed, puts it where it belongs. */
  readonly moving: (item: number) => () => void;
  /** Puts an item that stands nowhere where it belongs. */
  readonly add: (item: number) => void;
}

/**
 * What the scorer knows of items, as columns by the recommender's item number and in step with the catalogue: to ask
 * whether an item may be shown, or passes a filter, reads an array and builds nothing. Those of the catalogue that are not
 * deleted stand in lists by category, brand, price and stock, 8 bytes each, and by name or an attribute once a filter has
 * asked for it: who filters looks at the shortest list that the filter names (filter.ts).
 */
export class Items {
  readonly #index: itemIndex.ItemIndex;
  readonly #rowOf: (sku: string) => Product | null;
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
  readonly #byCategory = this.#field((item) => this.#categories[item] ?? undefined);
  readonly #byBrand = this.#field((item) => this.#brands[item] ?? undefined);
  readonly #byPrice = this.#field((item) => bandOf(this.#prices[item]!));
  readonly #byStock = this.#field((item) => this.inStock(item) || undefined);
  /** Made when a filter first asks: by `name`, or an attribute as filters write it. */
  readonly #byText = new Map<string, Field<string>>();
  /** How many products have an attribute: a filter may name any, and only those that are there deserve a list. */
  readonly #attributed = new Map<string, number>();
  readonly #watchers: ((item: number) => void)[] = [];

  constructor(views: Views, index: itemIndex.ItemIndex) {
    this.#index = index;
    this.#rowOf = (sku) => views.row(products, productRows, sku) ?? null;
    for (let item = 0; item < itemIndex.size(index); item++) if (itemIndex.skuOf(index, item) === undefined) this.#clear(item);
    for (const { key, value } of views.mainRows(products, productRows)) this.#set(key, value);
    index.followers.push({ given: (sku, item) => this.#write(item, this.#rowOf(sku)), freed: (items, skus) => this.#free(items, skus) });
    views.watch(products, (changes) => {
      for (const { key, value } of changes) if (!key.includes('\u001f')) this.#set(key, value && productRows.codec.decode(value));
    });
  }

  /** The number of a SKU or of the one that has taken its place, −1 for one that neither the catalogue nor anybody's click named. */
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
    const item = itemIndex.numberOf(this.#index, sku);
    return item < 0 ? (this.#rowOf(sku)?.name ?? null) : this.name(item);
  }

  /** Whether the catalogue had a SKU and has it no more; that may be all that is still known of it. */
  wasDeleted(sku: string): boolean {
    const item = itemIndex.numberOf(this.#index, sku);
    return item < 0 ? this.#rowOf(sku)?.deleted === true : this.isDeleted(item);
  }

  /** Whether the catalogue or anybody's event has named a SKU, as far as anything is kept of it. */
  isNamed(sku: string): boolean {
    return this.number(sku) >= 0 || this.#rowOf(sku) !== null;
  }

  /** SKUs of a category that are not deleted. */
  skusIn(category: string): string[] {
    return Array.from(this.inCategory(category), (item) => this.sku(item));
  }

  /** Items of a category that are not deleted: a view that the next change of the catalogue may change. */
  inCategory(category: string): Int32Array {
    return this.#byCategory.postings.items(category);
  }

  /** All that can pass a condition, and of a price range what lies just outside: lists that the next change of the catalogue may change. */
  listed(condition: Condition): readonly Int32Array[] {
    switch (condition.field) {
      case 'category': return listsOf(this.#byCategory, condition.any);
      case 'brand': return listsOf(this.#byBrand, condition.any);
      case 'name': return listsOf(this.#textField('name', (item) => this.name(item) ?? undefined), condition.any);
      case 'attribute': {
        const { name, any } = condition;
        return this.#attributed.has(name) ? listsOf(this.#textField(`attributes.${name}`, (item) => this.attribute(item, name) ?? undefined), any) : [];
      }
      case 'price': {
        const [least, most] = [bandOf(condition.min)!, bandOf(condition.max)!];
        return listsOf(this.#byPrice, [...this.#byPrice.postings.keys()].filter((band) => band >= least && band <= most));
      }
      case 'inStock': return listsOf(this.#byStock, [true]);
    }
  }

  /** Calls back with each item that is put into the catalogue or changed in it from now on. */
  watch(watcher: (item: number) => void): void {
    this.#watchers.push(watcher);
  }

  #set(sku: string, product: Product | null): void {
    const isGone = product === null || product.deleted;
    if (isGone) itemIndex.drop(this.#index, sku);
    const item = isGone ? itemIndex.numberOf(this.#index, sku) : itemIndex.list(this.#index, sku);
    if (item >= 0) this.#write(item, product);
  }

  /** Numbers that were taken back: what they meant must neither be shown nor be taken for what they mean next. */
  #free(items: Int32Array, skus: readonly string[]): void {
    const back: string[] = [];
    items.forEach((item, at) => {
      // Read from the log in another order than from the table: what stands in the table counts.
      if (this.isKnown(item) && !this.isDeleted(item)) back.push(skus[at]!);
      this.#clear(item);
    });
    for (const sku of back) itemIndex.list(this.#index, sku);
  }

  #clear(item: number): void {
    this.#write(item, null);
    this.#flags[item] = WITHHELD;
  }

  #write(item: number, product: Product | null): void {
    if (item >= this.#flags.length) this.#grow(item);
    const moves = [this.#byCategory, this.#byBrand, this.#byPrice, this.#byStock, ...this.#byText.values()].map(({ moving }) => moving(item));
    this.#countAttributes(item, -1);
    this.#flags[item] = product === null ? 0 : flagsOf(product);
    this.#prices[item] = product === null || product.price === null ? Number.NaN : Number(product.price) / 10_000;
    this.#priceTexts[item] = product === null || product.price === null ? null : formatMoney(product.price);
    this.#names[item] = product?.name ?? null;
    this.#categories[item] = this.#shared(product?.category ?? null);
    this.#brands[item] = this.#shared(product?.brand ?? null);
    this.#attributes[item] = product === null || Object.keys(product.attributes).length === 0 ? NOTHING : product.attributes;
    this.#countAttributes(item, 1);
    for (const move of moves) move();
    if (product !== null) for (const watcher of this.#watchers) watcher(item);
  }

  #field<Key>(says: (item: number) => Key | undefined): Field<Key> {
    const postings = new Postings<Key>();
    const keyOf = (item: number): Key | undefined => ((this.#flags[item]! & (KNOWN | DELETED)) === KNOWN ? says(item) : undefined);
    return {
      postings,
      add: (item) => postings.move(item, undefined, keyOf(item)),
      moving: (item) => {
        const from = keyOf(item);
        return () => postings.move(item, from, keyOf(item));
      },
    };
  }

  /** The first time it looks at every item, from then on it follows the catalogue. */
  #textField(name: string, says: (item: number) => string | undefined): Field<string> {
    const known = this.#byText.get(name);
    if (known) return known;
    const field = this.#field(says);
    for (let item = 0; item < this.size; item++) field.add(item);
    this.#byText.set(name, field);
    return field;
  }

  #countAttributes(item: number, by: 1 | -1): void {
    for (const name in this.#attributes[item] ?? NOTHING) {
      const count = (this.#attributed.get(name) ?? 0) + by;
      if (count > 0) this.#attributed.set(name, count);
      else this.#attributed.delete(name);
    }
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

function listsOf<Key>({ postings }: Field<Key>, keys: Iterable<Key>): Int32Array[] {
  return Array.from(keys, (key) => postings.items(key)).filter(({ length }) => length > 0);
}

/** All that is given away or costs less stands in one list; what has no price in none. */
function bandOf(price: number): number | undefined {
  if (Number.isNaN(price)) return undefined;
  return price > 0 ? Math.floor(Math.log2(price) * PRICES_AN_OCTAVE) : -Infinity;
}

function flagsOf({ hidden, deleted, stock, onOrder }: Product): number {
  const isSoldOut = stock !== null && stock <= 0;
  return KNOWN | (hidden || deleted || isSoldOut ? WITHHELD : 0) | (isSoldOut || onOrder ? 0 : IN_STOCK) | (deleted ? DELETED : 0);
}
