import { productRows } from '../../consumers/item-watch.js';
import * as itemIndex from '../../models/item-index.js';
import { Latest } from '../../models/kernels/latest.js';
import { valuesOf } from '../../schemas/attribute-values.js';
import { categoriesOf, countsIn } from '../../schemas/categories.js';
import { formatMoney, priceIn } from '../../schemas/money.js';
import { products } from '../../schemas/topics.js';
import type { Product } from '../../schemas/types.js';
import type { Condition } from '../../infra/http/filter.js';
import { fieldOf, listsOf, type Field } from './postings.js';
import type { Views } from './views.js';

/** Bits of an item: a catalogue knows it; it must not be shown; there is some of it; it is no more. */
const KNOWN = 1;
const WITHHELD = 2;
const IN_STOCK = 4;
const DELETED = 8;
/** Texts by name; several values of one name as a list. */
type Attributes = Readonly<Record<string, string | readonly string[]>>;
const NOTHING: Attributes = {};
const NONE: readonly string[] = [];
/** Prices of an eighth of an octave stand in one list. */
const PRICES_AN_OCTAVE = 8;
/** Lists of categories and brands of which items share one: a shop has thousands, and a feed may name new ones every day. */
const SHARED = 16_384;

/**
 * What the scorer knows of items, as columns by the recommender's item number and in step with the catalogue: to ask
 * whether an item may be shown, or passes a filter, reads an array and builds nothing. Those of the catalogue that are not
 * deleted stand in lists by category, brand, price and stock, 8 bytes each, and by name or an attribute once a filter has
 * asked for it: who filters looks at the shortest list that the filter names (filter.ts).
 */
export class Items {
  readonly #index: itemIndex.ItemIndex;
  readonly #rowOf: (sku: string) => Product | null;
  readonly #currency: string;
  /** Flags of an item that no catalogue knows. */
  readonly #unlisted: number;
  #flags = new Uint8Array(1_024);
  /** In the shop's currency; NaN where none in it is known. */
  #prices = new Float64Array(1_024).fill(Number.NaN);
  readonly #priceTexts: (string | null)[] = [];
  readonly #names: (string | null)[] = [];
  /** Each with its categories, the one in which it counts first. */
  readonly #categories: (readonly string[])[] = [];
  /** Each with its brand, or none. */
  readonly #brands: (readonly string[])[] = [];
  readonly #attributes: Attributes[] = [];
  /** One list each for what thousands of items have in common. */
  readonly #common = new Latest<readonly string[]>(SHARED);
  readonly #byCategory = this.#field((item) => this.categories(item));
  readonly #byBrand = this.#field((item) => this.#brands[item] ?? NONE);
  readonly #byPrice = this.#field((item) => bandOf(this.#prices[item]));
  readonly #byStock = this.#field((item) => (this.inStock(item) ? [true] : []));
  /** Made when a filter first asks: by `name`, or an attribute as filters write it. */
  readonly #byText = new Map<string, Field<string>>();
  /** How many products have an attribute: a filter may name any, and only those that are there deserve a list. */
  readonly #attributed = new Map<string, number>();
  readonly #watchers: ((item: number) => void)[] = [];

  /**
   * @param currency the shop's, ISO 4217: prices in another one are unknown
   * @param showsUnlisted whether an item may be shown that no catalogue knows
   */
  constructor(views: Views, index: itemIndex.ItemIndex, currency: string, showsUnlisted = true) {
    this.#index = index;
    this.#currency = currency;
    this.#unlisted = showsUnlisted ? 0 : WITHHELD;
    this.#rowOf = (sku) => views.row(products, productRows, sku) ?? null;
    for (let item = 0; item < itemIndex.size(index); item++) {
      if (itemIndex.skuOf(index, item) === undefined) this.#clear(item);
      else if (!showsUnlisted) this.#write(item, null);
    }
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
    return (this.#flags[item] & KNOWN) !== 0;
  }

  /** Whether an item may be shown: one that no catalogue knows may unless the shop says otherwise, a hidden, deleted or sold-out one may not. */
  mayShow(item: number): boolean {
    return (this.#flags[item] & WITHHELD) === 0;
  }

  /** Whether what no catalogue knows may be shown, of no number too. */
  get showsUnlisted(): boolean {
    return this.#unlisted === 0;
  }

  isDeleted(item: number): boolean {
    return (this.#flags[item] & DELETED) !== 0;
  }

  inStock(item: number): boolean {
    return (this.#flags[item] & IN_STOCK) !== 0;
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

  /** The first category, in which the item counts. */
  category(item: number): string | null {
    return this.categories(item)[0] ?? null;
  }

  /** All categories, the first one first, and what lies above them. */
  categories(item: number): readonly string[] {
    return this.#categories[item] ?? NONE;
  }

  brand(item: number): string | null {
    return this.#brands[item]?.[0] ?? null;
  }

  /** Values of an attribute; none where the item lacks it. */
  attribute(item: number, name: string): string | readonly string[] {
    const said = this.#attributes[item];
    // A filter may name what every object has, such as its constructor.
    return said && Object.hasOwn(said, name) ? said[name] : NONE;
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

  /** SKUs that count in a category and are not deleted: it is their first one, or lies above that. */
  skusIn(category: string): string[] {
    return Array.from(this.inCategory(category)).filter((item) => countsIn(this.category(item), category)).map((item) => this.sku(item));
  }

  /** Items of a category that are not deleted: a view that the next change of the catalogue may change. */
  inCategory(category: string): Int32Array {
    return this.#byCategory.postings.items(category);
  }

  /**
   * All that can pass a condition, and of a price range what lies just outside: lists that the next change of the catalogue may change. What
   * has several of the values stands in several of them.
   */
  listed(condition: Condition): readonly Int32Array[] {
    switch (condition.field) {
      case 'category': return listsOf(this.#byCategory, condition.any);
      case 'brand': return listsOf(this.#byBrand, condition.any);
      case 'name': return listsOf(this.#textField('name', (item) => this.name(item) ?? NONE), condition.any);
      case 'attribute': {
        const { name, any } = condition;
        return this.#attributed.has(name) ? listsOf(this.#textField(`attributes.${name}`, (item) => this.attribute(item, name)), any) : [];
      }
      case 'price': {
        const [[least = Number.NaN], [most = Number.NaN]] = [bandOf(condition.min), bandOf(condition.max)];
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
      if (this.isKnown(item) && !this.isDeleted(item)) back.push(skus[at]);
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
    this.#flags[item] = product === null ? this.#unlisted : flagsOf(product);
    const price = product === null ? Number.NaN : priceIn(this.#currency, product);
    this.#prices[item] = price;
    this.#priceTexts[item] = Number.isNaN(price) ? null : formatMoney(product!.price!);
    this.#names[item] = product?.name ?? null;
    this.#categories[item] = product === null ? NONE : this.#shared(categoriesOf(product));
    this.#brands[item] = product === null || product.brand === null ? NONE : this.#shared([product.brand]);
    this.#attributes[item] = product === null ? NOTHING : attributesOf(product);
    this.#countAttributes(item, 1);
    for (const move of moves) move();
    if (product !== null) for (const watcher of this.#watchers) watcher(item);
  }

  #field<Key>(says: (item: number) => readonly Key[]): Field<Key> {
    return fieldOf((item) => ((this.#flags[item] & (KNOWN | DELETED)) === KNOWN ? says(item) : []));
  }

  /** The first time it looks at every item, from then on it follows the catalogue. */
  #textField(name: string, says: (item: number) => string | readonly string[]): Field<string> {
    const known = this.#byText.get(name);
    if (known) return known;
    const field = this.#field((item) => [says(item)].flat());
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

  #shared(texts: readonly string[]): readonly string[] {
    const key = JSON.stringify(texts);
    const known = this.#common.get(key);
    if (known === undefined) this.#common.set(key, texts);
    return known ?? texts;
  }

  #grow(item: number): void {
    const capacity = Math.max(item + 1, Math.ceil(this.#flags.length * 1.5));
    const [flags, prices] = [new Uint8Array(capacity), new Float64Array(capacity).fill(Number.NaN)];
    flags.set(this.#flags);
    prices.set(this.#prices);
    [this.#flags, this.#prices] = [flags, prices];
  }
}

/** All that is given away or costs less stands in one list; what has no price in none. */
function bandOf(price: number): number[] {
  if (Number.isNaN(price)) return [];
  return [price > 0 ? Math.floor(Math.log2(price) * PRICES_AN_OCTAVE) : -Infinity];
}

/** Attributes, those of several values as lists; most products have none of these, and keep what was read. */
function attributesOf({ attributes }: Product): Attributes {
  const names = Object.keys(attributes);
  if (names.length === 0) return NOTHING;
  if (!names.some((name) => attributes[name].startsWith('['))) return attributes;
  return Object.fromEntries(names.map((name) => [name, valuesOf(attributes[name])]));
}

function flagsOf({ hidden, deleted, stock, onOrder }: Product): number {
  const isSoldOut = stock !== null && stock <= 0;
  return KNOWN | (hidden || deleted || isSoldOut ? WITHHELD : 0) | (isSoldOut || onOrder ? 0 : IN_STOCK) | (deleted ? DELETED : 0);
}
