import { capacityFor, grownInt32 } from '../../models/kernels/growth.js';

const NONE = new Int32Array(0);

interface Posting {
  items: Int32Array;
  length: number;
}

/**
 * Items by what one field of them says: who asks for those of a category looks at them alone. To add or remove an item takes
 * the time of a few writes, however long the lists are. Memory: 8 bytes an item, up to a half more while lists grow, and some
 * 50 bytes a key (150 where several items share it); some 50 bytes more for each further key of an item. Items are numbers;
 * order is that of arrival, but where one left the last has taken its place.
 */
export class Postings<Key> {
  /** A key that one item has, as most names, costs no list. */
  readonly #lists = new Map<Key, number | Posting>();
  /** By item: its place in the list of its first key, −1 for none. */
  #places: Int32Array = new Int32Array(0);
  /** By key: the places of items that already stood elsewhere when they came. */
  readonly #further = new Map<Key, Map<number, number>>();

  /** Whether the item stands under any key. */
  has(item: number): boolean {
    return (this.#places[item] ?? -1) >= 0;
  }

  keys(): Iterable<Key> {
    return this.#lists.keys();
  }

  /** The items under a key: a view that the next change may change. */
  items(key: Key): Int32Array {
    const list = this.#lists.get(key);
    if (list === undefined) return NONE;
    return typeof list === 'number' ? Int32Array.of(list) : list.items.subarray(0, list.length);
  }

  /** Takes the item, which stands under this key, out of its list. An item of several keys leaves all of them before it comes under others. */
  remove(item: number, key: Key): void {
    const list = this.#lists.get(key);
    if (list === undefined) return;
    const at = this.#place(item, key, -1);
    if (typeof list === 'number' || list.length === 1) return void this.#lists.delete(key);
    const last = list.items[--list.length];
    if (last === item) return;
    list.items[at] = last;
    this.#place(last, key, at);
  }

  /** Puts the item, which does not stand under this key, at the end of its list. */
  add(item: number, key: Key): void {
    const list = this.#lists.get(key);
    if (list === undefined) {
      this.#lists.set(key, item);
      return this.#placeNew(item, key, 0);
    }
    const posting = typeof list === 'number' ? listOf(list) : list;
    if (typeof list === 'number') this.#lists.set(key, posting);
    if (posting.length === posting.items.length) posting.items = grownInt32(posting.items, Math.ceil(posting.length * 1.5));
    this.#placeNew(item, key, posting.length);
    posting.items[posting.length++] = item;
  }

  /** Where an item stands in the list of a key; from now on at `to`, −1 for nowhere. */
  #place(item: number, key: Key, to: number): number {
    const further = this.#further.get(key);
    const other = further?.get(item);
    const at = other ?? this.#places[item] ?? -1;
    if (other === undefined) this.#places[item] = to;
    else if (to >= 0) further!.set(item, to);
    else if (further!.delete(item) && further!.size === 0) this.#further.delete(key);
    return at;
  }

  #placeNew(item: number, key: Key, at: number): void {
    if (item >= this.#places.length) {
      const before = this.#places.length;
      this.#places = grownInt32(this.#places, capacityFor(item + 1, before)).fill(-1, before);
    }
    if (this.#places[item] < 0) return void (this.#places[item] = at);
    const further = this.#further.get(key);
    if (further) further.set(item, at);
    else this.#further.set(key, new Map([[item, at]]));
  }
}

const listOf = (item: number): Posting => ({ items: Int32Array.of(item, 0), length: 1 });

/** A field by which items stand in lists. */
export interface Field<Key> {
  readonly postings: Postings<Key>;
  /** Notes where an item stands; what is answered, once what it says has changed, puts it where it belongs. */
  readonly moving: (item: number) => () => void;
  /** Puts an item that stands nowhere where it belongs. */
  readonly add: (item: number) => void;
}

/** A field that says any number of things of an item: it stands under each of them. */
export function fieldOf<Key>(says: (item: number) => readonly Key[]): Field<Key> {
  const postings = new Postings<Key>();
  const add = (item: number): void => { for (const key of says(item)) postings.add(item, key); };
  const moving = (item: number): (() => void) => {
    const from = says(item);
    return () => {
      const to = says(item);
      if (from.length === to.length && from.every((key, at) => key === to[at])) return;
      for (const key of from) postings.remove(item, key);
      add(item);
    };
  };
  return { postings, moving, add };
}

/** The lists of these keys that are not empty. */
export function listsOf<Key>({ postings }: Field<Key>, keys: Iterable<Key>): Int32Array[] {
  return Array.from(keys, (key) => postings.items(key)).filter(({ length }) => length > 0);
}
