import { capacityFor, grownInt32 } from '../../models/kernels/growth.js';

const NONE = new Int32Array(0);

interface Posting {
  items: Int32Array;
  length: number;
}

/**
 * Items by what one field of them says: who asks for those of a category looks at them alone. An item stands under one key
 * at most; to move it takes the time of a few writes, however long the lists are. Memory: 8 bytes an item, up to a half more
 * while lists grow, and some 50 bytes a key (150 where several items share it). Items are numbers; order is that of arrival,
 * but where one left the last has taken its place.
 */
export class Postings<Key> {
  /** A key that one item has, as most names, costs no list. */
  readonly #lists = new Map<Key, number | Posting>();
  /** By item: its place in its list, −1 for none. */
  #places: Int32Array = new Int32Array(0);

  /** Whether the item stands under any key. */
  has(item: number): boolean {
    return (this.#places[item] ?? -1) >= 0;
  }

  keys(): Iterable<Key> {
    return this.#lists.keys();
  }

  /** The items under a key: a view that the next move may change. */
  items(key: Key): Int32Array {
    const list = this.#lists.get(key);
    if (list === undefined) return NONE;
    return typeof list === 'number' ? Int32Array.of(list) : list.items.subarray(0, list.length);
  }

  /** Takes the item from where it stands and puts it elsewhere; undefined is nowhere. */
  move(item: number, from: Key | undefined, to: Key | undefined): void {
    if (from === to) return;
    if (from !== undefined) this.#remove(item, from);
    if (to !== undefined) this.#add(item, to);
  }

  #remove(item: number, key: Key): void {
    const list = this.#lists.get(key);
    const at = this.#places[item] ?? -1;
    if (list === undefined || at < 0) return;
    this.#places[item] = -1;
    if (typeof list === 'number' || list.length === 1) return void this.#lists.delete(key);
    const last = list.items[--list.length]!;
    if (last === item) return;
    list.items[at] = last;
    this.#places[last] = at;
  }

  #add(item: number, key: Key): void {
    if (item >= this.#places.length) {
      const before = this.#places.length;
      this.#places = grownInt32(this.#places, capacityFor(item + 1, before)).fill(-1, before);
    }
    const list = this.#lists.get(key);
    if (list === undefined) {
      this.#lists.set(key, item);
      this.#places[item] = 0;
      return;
    }
    const posting = typeof list === 'number' ? listOf(list) : list;
    if (typeof list === 'number') this.#lists.set(key, posting);
    if (posting.length === posting.items.length) posting.items = grownInt32(posting.items, Math.ceil(posting.length * 1.5));
    this.#places[item] = posting.length;
    posting.items[posting.length++] = item;
  }
}

const listOf = (item: number): Posting => ({ items: Int32Array.of(item, 0), length: 1 });
