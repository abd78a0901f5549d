import { firstFrom } from './first-from.js';
import { dueOf } from './rows.js';
import { isEarlier, type DueTimer, type RowChange, type TableStore } from './store.js';

const BLOCK = 512;

/** Values in order, in blocks: an insertion moves half a block, not half of all. */
class Sorted<T> {
  readonly #before: (a: T, b: T) => boolean;
  #blocks: T[][] = [];

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  add(value: T): void {
    const at = this.#blockOf(value);
    const block = this.#blocks[at];
    if (!block) {
      this.#blocks.push([value]);
      return;
    }
    block.splice(this.#placeIn(block, value), 0, value);
    if (block.length > 2 * BLOCK) this.#blocks.splice(at + 1, 0, block.splice(BLOCK));
  }

  remove(value: T): void {
    const at = this.#blockOf(value);
    const block = this.#blocks[at];
    const place = block ? this.#placeIn(block, value) : 0;
    if (!block || place === block.length || this.#before(value, block[place]!)) return;
    block.splice(place, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  *from(value: T): Generator<T> {
    for (let at = this.#blockOf(value); at < this.#blocks.length; at++) {
      const block = this.#blocks[at];
      for (let place = this.#placeIn(block, value); place < block.length; place++) yield block[place]!;
    }
  }

  *all(): Generator<T> {
    for (const block of this.#blocks) yield* block;
  }

  /** The first block whose last value is not before `value`, or the last block. */
  #blockOf(value: T): number {
    return Math.max(0, Math.min(this.#blocks.length - 1, firstFrom(this.#blocks, (block) => !this.#before(block.at(-1)!, value))));
  }

  #placeIn(block: readonly T[], value: T): number {
    return firstFrom(block, (other) => !this.#before(other, value));
  }
}

/** A table's rows in memory, for tests and benchmarks of the task core. */
export const memoryStore = (): TableStore => new MemoryStore();

class MemoryStore implements TableStore {
  #rows = new Map<string, Buffer>();
  #keys = new Sorted<string>((a, b) => a < b);
  #timers = new Sorted<DueTimer>(isEarlier);
  #position = 0;

  get position(): number {
    return this.#position;
  }

  get(key: string): Buffer | undefined {
    return this.#rows.get(key);
  }

  range(start: string, end: string): { key: string; value: Buffer }[] {
    const found: { key: string; value: Buffer }[] = [];
    for (const key of this.#keys.from(start)) {
      if (key >= end) break;
      found.push({ key, value: this.#rows.get(key)! });
    }
    return found;
  }

  *timersUntil(until: number, after?: DueTimer): Iterable<DueTimer> {
    for (const timer of after ? this.#timers.from(after) : this.#timers.all()) {
      if (timer.due > until) return;
      if (!after || isEarlier(after, timer)) yield timer;
    }
  }

  apply(changes: readonly RowChange[], position: number): void {
    for (const { key, value } of changes) {
      const before = this.#rows.get(key);
      const oldDue = before && dueOf(key, before);
      const newDue = value ? dueOf(key, value) : undefined;
      if (oldDue !== undefined && oldDue !== newDue) this.#timers.remove({ due: oldDue, key });
      if (newDue !== undefined && oldDue !== newDue) this.#timers.add({ due: newDue, key });
      if (value === null) {
        if (this.#rows.delete(key)) this.#keys.remove(key);
      } else {
        if (!before) this.#keys.add(key);
        this.#rows.set(key, value);
      }
    }
    this.#position = position;
  }

  wipe(): void {
    this.#rows = new Map();
    this.#keys = new Sorted((a, b) => a < b);
    this.#timers = new Sorted(isEarlier);
    this.#position = 0;
  }
}
